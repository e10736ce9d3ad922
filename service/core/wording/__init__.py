"""What tickets and operators are told, in plain words, by language: sentences are data, and an org may have its own."""

from service.core.wording.own import own_words
from service.core.wording.speaking import SHIPPED, Wording

__all__ = ["SHIPPED", "Wording", "own_words"]
