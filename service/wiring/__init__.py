"""Every object built once, opened in order, closed in reverse; signals; the one clock, the one dice."""

from service.wiring.house import opened_store, steer
from service.wiring.machine import SystemClock, SystemDice
from service.wiring.playing import SANDBOX, play, played, secret_of, wired_to
from service.wiring.processes import serve, up, work

__all__ = [
    "SANDBOX",
    "SystemClock",
    "SystemDice",
    "opened_store",
    "play",
    "played",
    "secret_of",
    "serve",
    "steer",
    "up",
    "wired_to",
    "work",
]
