"""How many people a minute an org's budget removes, minute by minute, and twenty orgs at once by one worker process."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.clicking import QUIET, Clicker
from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.story.stage import Stage, staged

ORGS = tuple(f"org{number:02}" for number in range(20))
WAITING = 25  # clicks of each org that wait at any time: a quarter of a minute's, so that none gets too late
LOOK_SECONDS = 0.5  # between two looks at what the sandbox received
A_REMOVAL = 3  # calls: a look, the removal, the look that shows that the caller is gone
ALLOWED = 300  # calls a minute, the vendor's


@dataclass(frozen=True)
class Plan:
    """How much is measured: a warm-up, in which the burst of a rested budget goes, and then windows of some seconds."""

    warm_seconds: float
    window_seconds: float
    windows_of_one: int
    windows_of_all: int
    orgs: int


PLANS = {Size.QUICK: Plan(0.1, 1.0, 1, 1, 2), Size.FULL: Plan(20.0, 60.0, 10, 2, len(ORGS))}


@dataclass
class Window:
    """What happened in some seconds.

    Attributes:
        removed: people, by org.
        calls: how many the sandbox received.
        refused: how many of them it answered with 429.
        worker: seconds of a processor that the worker took.
    """

    seconds: float
    removed: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    refused: int = 0
    worker: float = 0.0

    def a_minute(self, orgs: int) -> float:
        """Return how many people of each org were removed a minute."""
        return sum(self.removed.values()) / orgs * 60 / self.seconds

    @property
    def refused_percent(self) -> float:
        """Return of how many calls in a hundred the sandbox said that it was one too many."""
        return 100 * self.refused / max(1, self.calls)


@dataclass
class Crowd:
    """Some orgs, in each of which as many people wait to be removed as there is room for."""

    stage: Stage
    worker: int
    clickers: dict[str, Clicker]
    asked: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    seen: int = 0

    async def play(self, orgs: Sequence[str], seconds: float) -> Window:
        """Let the orgs work for so long, and return what came of it."""
        clock, window = asyncio.get_running_loop().time, Window(seconds)
        began, spent = clock(), processor_seconds(self.worker)
        while (left := began + seconds - clock()) > 0:
            await asyncio.gather(*(self._fill(org) for org in orgs))
            await asyncio.sleep(min(LOOK_SECONDS, max(0.0, left)))  # real processes: what they do takes its time
            await self._look(window)
        window.seconds, window.worker = clock() - began, processor_seconds(self.worker) - spent
        return window

    async def _fill(self, org: str) -> None:
        for _ in range(WAITING - self.waiting.get(org, 0)):
            conversation = await self.stage.conversation()
            self.asked[conversation] = org
            self.waiting[org] = self.waiting.get(org, 0) + 1
            await self.clickers[org].click(conversation)

    async def _look(self, window: Window) -> None:
        """Count what the sandbox received since the last look."""
        about = {"service": "genesys", "since": str(self.seen)}
        calls = (await self.stage.client.get(f"{self.stage.play}/sandbox/calls", params=about)).json()["calls"]
        for call in calls:
            self.seen = max(self.seen, call["seq"])
            window.calls += 1
            window.refused += call["status"] == 429
            if call["effect"] is True:
                org = self.asked[call["path"].split("/")[4]]
                self.waiting[org] -= 1
                window.removed[org] = window.removed.get(org, 0) + 1


def processor_seconds(pid: int) -> float:
    """Return how long a process has had a processor so far."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


async def measure(size: Size) -> Sequence[Row]:
    """Let one org work for some minutes, and then all of them."""
    plan = PLANS[size]
    orgs = ORGS[: plan.orgs]
    async with staged(orgs=orgs) as stage:
        await stage.serve(**QUIET)
        working = await stage.work(**QUIET)
        clickers = {org: Clicker(seat) for org, seat in zip(orgs, stage.seats, strict=True)}
        crowd = Crowd(stage, working.process.pid, clickers)
        await crowd.play(orgs[:1], plan.warm_seconds)
        one = [await crowd.play(orgs[:1], plan.window_seconds) for _ in range(plan.windows_of_one)]
        await crowd.play(orgs, plan.warm_seconds)
        every = [await crowd.play(orgs, plan.window_seconds) for _ in range(plan.windows_of_all)]
        for clicker in clickers.values():
            await clicker.hang_up()
    return _rows(one, every, len(orgs))


def _rows(one: Sequence[Window], every: Sequence[Window], orgs: int) -> list[Row]:
    alone = statistics.median(window.a_minute(1) for window in one) or 1.0  # a quick round may be too quick for one
    carries = ALLOWED / A_REMOVAL
    return [
        Row(
            f"removals a minute, of an org that allows {ALLOWED} calls a minute",
            "/min",
            [window.a_minute(1) for window in one],
            f"what {ALLOWED} calls carry",
            [carries] * len(one),
            Goal(Kind.PLAIN, Better.HIGHER, 95),
            note="three calls each; what is missing are calls that were not spent when a window of the budget ended",
            digits=1,
        ),
        Row(
            "calls that were one too many (429)",
            "%",
            [window.refused_percent for window in one],
            goal=Goal(Kind.PLAIN, Better.LOWER, 2),
        ),
        Row(
            f"removals a minute and org, {orgs} orgs at once by one worker process",
            "/min",
            [window.a_minute(orgs) for window in every],
            "one org alone",
            [alone] * len(every),
            Goal(Kind.RATIO, Better.HIGHER, 0.95),
            note="the budget is what bounds it as long as the worker has a processor left, see the last row",
        ),
        Row(
            f"calls that were one too many (429), {orgs} orgs",
            "%",
            [window.refused_percent for window in every],
            goal=Goal(Kind.PLAIN, Better.LOWER, 2),
        ),
        Row(
            f"processor that the worker takes with {orgs} orgs",
            "%",
            [100 * window.worker / window.seconds for window in every],
            "with one",
            [100 * statistics.median(window.worker / window.seconds for window in one)] * len(every),
            digits=1,
        ),
    ]
