"""What Genesys' answers say of our budget: kept for the next call, and held to by every call of this process."""

from __future__ import annotations

import re

from service.core.errors import Throttled
from service.core.ports import Clock, Told
from service.genesys.answers import throttled_in
from service.outbound import Answered

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_THROTTLED = 429
_SAME_SECONDS = 2.0  # a reset comes in whole seconds, and took its time to get here


class Limits:
    """The limits of one org's client, as its own answers told them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: tuple[int, int, float] | None = None  # with the moment at which the window is over
        self._floor_at = 0.0
        self._floor: Throttled | None = None

    def heed(self, answered: Answered) -> None:
        """Learn from an answer; odd headers teach nothing."""
        if answered.status == _THROTTLED:
            self.keep(throttled_in(answered))
        given = [answered.header(f"inin-ratelimit-{name}") or "" for name in ("allowed", "count", "reset")]
        if not all(_NUMBER.fullmatch(number) for number in given):
            return
        allowed, count, reset = map(int, given)
        now = self._clock.monotonic()
        if self._told is not None and now < self._told[2] and now + reset < self._told[2] - _SAME_SECONDS:
            return  # late: of a window that is over
        self._told = (allowed, count, now + reset)

    def keep(self, throttled: Throttled) -> None:
        """Let no call of this process leave before the time is over."""
        floor_at = self._clock.monotonic() + throttled.retry_after_seconds
        if floor_at > self._floor_at:
            self._floor_at, self._floor = floor_at, throttled

    def hold(self) -> None:
        """Let a call through, or raise Throttled: another call was told to wait after this one was granted."""
        if self._floor is not None and (left := self._floor_at - self._clock.monotonic()) > 0:
            raise Throttled("Genesys asked to wait", self._floor.reply, retry_after_seconds=left)

    def told(self) -> Told | None:
        """Return what was told since this was asked last, as of now; None when there is nothing, or it is over."""
        told, self._told = self._told, None
        left = 0.0 if told is None else told[2] - self._clock.monotonic()
        return (told[0], told[1], left) if told is not None and left > 0 else None
