"""Time and order of a simulation: one loop whose clock jumps to the next timer, and whose next step is thrown by dice.

Everything that a process of the simulation does carries its name (`WHO`), so that one process can stand still, or never
go on, while the others and the world do.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import selectors
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from typing import Any

from tests.fixtures.redis import START_MS

BEGAN = 1000.0  # where the monotonic clock starts: small, so that milliseconds are exact
LATE_SECONDS = 0.00005  # as late as a real loop wakes: never early

# whose step is being done; "" is the world itself, which no fault stops
WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="")

_turn: Callable[[asyncio.BaseEventLoop], None] = vars(asyncio.BaseEventLoop)["_run_once"]


class _Timeless(selectors.SelectSelector):
    """Where the loop would wait: here the time passes at once. Nobody speaks to this loop from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.at = BEGAN

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits, and nothing will ever happen"
        if timeout > 0:
            self.at += timeout + LATE_SECONDS
        return []


class Course(asyncio.SelectorEventLoop):
    """The loop: one step at a time, the next one by seeded chance."""

    _ready: deque[asyncio.Handle]  # of asyncio's loop

    def __init__(self, rng: random.Random) -> None:
        self._waits = _Timeless()
        self._rng = rng
        self._pool: list[asyncio.Handle] = []
        self._parked: dict[str, list[asyncio.Handle]] = defaultdict(list)
        self.still: set[str] = set()
        self.dead: set[str] = set()
        self.world = contextvars.Context()
        super().__init__(self._waits)

    def time(self) -> float:
        """Tell the time of all timers."""
        return self._waits.at

    def _run_once(self) -> None:
        self._pool.extend(self._ready)
        self._ready.clear()
        while self._pool:
            last, chosen = len(self._pool) - 1, self._rng.randrange(len(self._pool))
            self._pool[chosen], self._pool[last] = self._pool[last], self._pool[chosen]
            handle = self._pool.pop()
            context: contextvars.Context = vars_of(handle)
            if (who := context.get(WHO, "")) in self.still:
                self._parked[who].append(handle)
                continue
            self._ready.append(handle)
            break
        _turn(self)

    # --- what happens to a process ---------------------------------------------------------------------------------

    def start(self, who: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin `work` as the process `who`."""
        context = contextvars.Context()
        context.run(WHO.set, who)
        return self.create_task(work, context=context)

    def later(self, seconds: float, act: Callable[..., object], *args: object) -> None:
        """Let the world do `act` in `seconds`, whoever stands still then."""
        self.call_later(seconds, act, *args, context=self.world)

    def freeze(self, who: str, seconds: float) -> None:
        """Let `who` stand still, as after SIGSTOP."""
        self.still.add(who)
        self.later(seconds, self.thaw, who)

    def thaw(self, who: str) -> None:
        """Let `who` go on, unless it is dead."""
        if who in self.still and who not in self.dead:
            self.still.discard(who)
            self._pool.extend(self._parked.pop(who, ()))

    def kill(self, who: str) -> None:
        """Let `who` never do anything again, as after SIGKILL."""
        self.dead.add(who)
        self.still.add(who)

    def bury(self) -> None:
        """End everybody who is left, the dead too: only for after the story, so that nothing hangs about."""
        self.dead.clear()
        for who in sorted(self.still):
            self.thaw(who)
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        self.run_until_complete(asyncio.wait(tasks) if tasks else asyncio.sleep(0))
        for task in tasks:
            if not task.cancelled():
                task.exception()  # was heard: what went wrong in the story stands in the ledger
        self.close()


def vars_of(handle: asyncio.Handle) -> contextvars.Context:
    """Return the context in which a step of the loop is done."""
    context: contextvars.Context = getattr(handle, "_context")  # noqa: B009 - asyncio shows it to nobody
    return context


class CourseClock:
    """The one clock, as production has it; `redis_now` is another machine's, and may be set."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self.ahead_ms = 0

    def now(self) -> int:
        return START_MS + round((self.monotonic() - BEGAN) * 1000)

    def redis_now(self) -> int:
        """Tell the time of the machine on which Redis runs."""
        return self.now() + self.ahead_ms

    def monotonic(self) -> float:
        return self._course.time()

    async def sleep(self, seconds: float) -> None:
        woken = self._course.create_future()
        timer = self._course.call_later(seconds, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
