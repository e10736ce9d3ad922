"""Where workers that are to be killed come from: one process that has loaded everything, and forks.

A cold start of Python costs a second of a processor, and a run kills hundreds. `nurse` is that process, `Nursery` is it
as seen by whoever kills. A byte on its standard input asks for a worker; each line on its standard output begins with
the process that speaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from service.demo.doomed import Doom, Moment
from service.demo.stage import START_SECONDS, Part, PartDied
from service.demo.stumbling import speak
from service.flow.workplace import Workplace
from service.wiring.lifetime import run
from service.wiring.machine import SystemClock, SystemDice
from service.wiring.processes import work

ARM: Final = signal.SIGUSR1
BORN, ENDED, NAMED, READY, STRUCK = "Born", "Ended ", "A worker: ", "The private door is at ", "Struck: "
REAP_SECONDS: Final = 0.2  # until a worker that ended by itself is noticed
MOMENTS: Final = tuple(Moment)  # a byte on standard input is a place in here


def nurse(orders: int, say: Callable[[str], None], fork: Callable[[], int] = os.fork) -> int:
    """Fork a worker for each byte that comes, until nobody holds the other end; then end them all.

    Args:
        orders: the descriptor on which the bytes come.
        say: writes one line.
        fork: as the operating system's.

    Returns:
        the exit code: in a worker its own.
    """
    workers: set[int] = set()
    lifeline, kept = os.pipe()  # nobody writes: it ends when this process does, however that comes
    with contextlib.ExitStack() as stack:
        for descriptor in (lifeline, kept):
            stack.callback(_close, descriptor)
        while True:
            readable, _, _ = select.select([orders], [], [], REAP_SECONDS)
            _reap(workers, say, os.WNOHANG)
            if not readable:
                continue
            order = os.read(orders, 1)
            if not order:
                break
            process = fork()
            if process == 0:
                os.close(kept)
                return run(live(MOMENTS[order[0]], lifeline, lambda line: say(f"{os.getpid()} {line}")))
            workers.add(process)
            say(f"{process} {BORN}")
        os.close(kept)
        _reap(workers, say, 0)
        return 0


async def live(moment: Moment, lifeline: int, say: Callable[[str], None]) -> int:
    """Work as any worker does, until the signal ARM and then the moment; end when `lifeline` does."""
    loop, clock = asyncio.get_running_loop(), SystemClock()
    doom = Doom(moment, clock, SystemDice(clock), lambda: say(f"{STRUCK}{moment}"))

    def end() -> None:
        loop.remove_reader(lifeline)
        os.kill(os.getpid(), signal.SIGTERM)

    def named(place: Workplace) -> Workplace:
        say(f"{NAMED}{place.worker}")
        return doom.through(place)

    loop.add_signal_handler(ARM, doom.arm)
    loop.add_reader(lifeline, end)
    try:
        return await work(say, through=named)
    finally:
        loop.remove_reader(lifeline)
        loop.remove_signal_handler(ARM)


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        os.close(descriptor)


def _reap(workers: set[int], say: Callable[[str], None], options: int) -> None:
    """Say which workers have ended: those that have by now, or with 0 for `options` all, when they have."""
    for process in tuple(workers):
        ended, status = os.waitpid(process, options)
        if ended:
            workers.discard(process)
            say(f"{process} {ENDED}{os.waitstatus_to_exitcode(status)}")


@dataclass(slots=True, eq=False)
class Newborn:
    """A worker of the nursery.

    Attributes:
        process: its process id.
        name: what it signs its claims with.
        is_armed: it stops at its moment, the next time it comes there.
    """

    process: int
    moment: Moment
    heard: asyncio.Queue[str]
    nursery: Part
    name: str = ""
    is_armed: bool = False

    async def said(self, beginning: str) -> str:
        """Return the rest of its next line that starts with `beginning`.

        Raises:
            PartDied: it ended before.
        """
        while True:
            line = await self.heard.get()
            if line.startswith(beginning):
                return line.removeprefix(beginning)
            if line.startswith(ENDED):
                raise PartDied(f"process {self.process} of {self.nursery.name} ended by itself: {line}")

    def arm(self) -> None:
        """Let it stop dead at its moment."""
        self.is_armed = True
        os.kill(self.process, ARM)

    async def kill(self) -> None:
        """Kill it as a power cut would, and return when it is gone."""
        os.kill(self.process, signal.SIGKILL)
        await self.said(ENDED)


@dataclass(slots=True)
class Nursery:
    """The running process, as its parent sees it."""

    part: Part
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _born: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    _heard: defaultdict[int, asyncio.Queue[str]] = field(default_factory=lambda: defaultdict(asyncio.Queue))

    async def listen(self) -> None:
        """Hand each line on to whoever waits for it, until there are no more.

        Raises:
            PartDied: there are no more.
        """
        lines = cast("asyncio.StreamReader", self.part.process.stdout)
        while line := (await lines.readline()).decode():
            process, _, said = line.rstrip("\n").partition(" ")
            if said == BORN:
                self._born.put_nowait(int(process))
            else:
                self._heard[int(process)].put_nowait(said)
        raise PartDied(self.part.last_words)

    async def bear(self, moment: Moment, *, within_seconds: float = START_SECONDS) -> Newborn:
        """Return a worker that is at work.

        Raises:
            PartDied: it did not come up.
        """
        async with self._asking:
            cast("asyncio.StreamWriter", self.part.process.stdin).write(bytes([MOMENTS.index(moment)]))
            process = await self._born.get()
        newborn = Newborn(process, moment, self._heard[process], self.part)
        try:
            async with asyncio.timeout(within_seconds):
                newborn.name = await newborn.said(NAMED)
                await newborn.said(READY)
        except TimeoutError:
            raise PartDied(f"process {process} of {self.part.name} did not come up") from None
        return newborn

    async def kill(self, newborn: Newborn) -> None:
        """Kill one, and forget it."""
        await newborn.kill()
        del self._heard[newborn.process]


if __name__ == "__main__":
    sys.exit(nurse(0, speak))  # standard input
