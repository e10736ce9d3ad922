"""Time for tests: an event loop whose clock moves only when everybody waits, and then to whoever is woken first."""

from __future__ import annotations

import asyncio
import contextlib
import selectors

from tests.fixtures.redis import START_MS

BEGAN = 1000.0  # where the monotonic clock starts: small, so that milliseconds are exact
LATE_SECONDS = 0.00005  # as late as a real loop wakes: never early


class _Waits(selectors.DefaultSelector):
    """Where the loop would wait: here the waiting is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.at = BEGAN

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; when that is nothing, let the time pass."""
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        assert timeout is not None, "everybody waits, and nothing will ever happen"
        self.at += timeout + LATE_SECONDS
        return found


class Hours(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self.waits = _Waits()
        super().__init__(self.waits)

    def time(self) -> float:
        """Tell the time of all timers."""
        return self.waits.at


class Clock:
    """The one clock, as production has it: a wall, a monotonic one, and a sleep. `freeze` stops the whole process."""

    def __init__(self) -> None:
        self.stepped_ms = 0

    def now(self) -> int:
        return START_MS + self.stepped_ms + round((self.monotonic() - BEGAN) * 1000)

    def step(self, seconds: float) -> None:
        """Set the wall clock, as somebody who corrects it."""
        self.stepped_ms += round(seconds * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        # no asyncio.timeout: it throws into the sleeper, and 3.11 then hides the lines that follow from the coverage
        timer = loop.call_later(seconds, woken.set_result, None)
        try:
            await woken
        finally:
            timer.cancel()

    def freeze(self, seconds: float) -> None:
        """Let time pass in which nobody of this process does anything, as after SIGSTOP."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Hours)
        loop.waits.at += seconds


class Bells:
    """A waiter whose wakes are rung by a test, and never lost."""

    def __init__(self) -> None:
        self._rung: dict[str, asyncio.Event] = {}
        self.waited: list[str] = []

    def _bell(self, topic: str) -> asyncio.Event:
        return self._rung.setdefault(topic, asyncio.Event())

    def ring(self, *topics: str) -> None:
        """Wake who waits for these, or whoever will next."""
        for topic in topics:
            self._bell(topic).set()

    async def for_due(self, org: str, kind: str, seconds: float) -> None:
        await self._wait(f"{kind}:{org}", seconds)

    async def for_settled(self, action_id: str, seconds: float) -> None:
        await self._wait(f"settled:{action_id}", seconds)

    async def _wait(self, topic: str, seconds: float) -> None:
        self.waited.append(topic)
        bell = self._bell(topic)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await bell.wait()
        bell.clear()


async def turns(number: int = 20) -> None:
    """Let whoever is ready go on; no time passes."""
    for _ in range(number):
        await asyncio.sleep(0)
