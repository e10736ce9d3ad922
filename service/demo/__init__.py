"""The story told live: every part as a real process, every figure read from outside, nothing left behind."""

from service.demo.chaos import Wish, wreak
from service.demo.telling import tell

__all__ = ["Wish", "tell", "wreak"]
