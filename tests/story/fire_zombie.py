"""A worker that stops itself, as SIGSTOP does, exactly at one point of the story, each time it gets there.

It is real in everything else. Who started it lets it go on with SIGCONT, when another worker has long finished.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

from service import settings, telemetry
from service.core.ports import Store
from service.demo.stumbling import speak
from service.wiring.house import opened
from service.wiring.lifetime import Say, run
from service.wiring.listening import listening
from service.wiring.processes import _run

# by name: the step of the store, and whether the worker stops when it has been done, or when it is about to be asked
POINTS = {
    "before_mark_sent": ("mark_sent", False),
    "before_patch": ("mark_sent", True),
    "before_settle": ("settle", False),
    "before_note": ("renew_report", True),
    "before_told": ("told", False),
}


class Stopping:
    """The real store, but for one step at which the whole process stands still."""

    def __init__(self, real: Store, point: str, say: Say) -> None:
        """Stop at `point`; `say` is told before, and after."""
        self._real = real
        self._step, self._is_after = POINTS[point]
        self._say = say

    def __getattr__(self, name: str) -> object:
        """Return the real step, or the one at which we stop."""
        real = getattr(self._real, name)
        return partial(self._stopped, real) if name == self._step else real

    async def _stopped(self, real: Callable[..., Awaitable[Any]], *words: object) -> object:
        if self._is_after:
            answer = await real(*words)
            self._stop()
            return answer
        self._stop()
        return await real(*words)

    def _stop(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)
        self._say("Woke up")


async def zombie(point: str, say: Say) -> int:
    """Work as `onhook work` does, but stop at `point`; return the exit code."""
    said = settings.read()
    telemetry.configure(said.log.level)
    with listening(said.doors.worker) as private:
        async with opened(said, say, may_start=False) as house:
            store = cast("Store", Stopping(house.store, point, say))
            place = replace(house.place, store=store)
            return await _run(replace(house, place=place), private=private, works=True)


if __name__ == "__main__":
    sys.exit(run(zombie(sys.argv[1], speak)))
