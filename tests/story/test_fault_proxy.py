"""Fourteen kinds of fault between every pair of parts: each click ends in time, once, and is told as it was."""

from __future__ import annotations

import asyncio
import gc
from bisect import bisect
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from service.outbound import Outgoing, transport_of
from service.store.client import Link, connect
from service.telemetry import Event
from service.wiring.machine import SystemClock
from tests.findings import write_evidence
from tests.story.faults.click import Case, Pair, Played, Player
from tests.story.faults.proxy import Kind
from tests.story.stage import staged

SEED = 20261125
TOGETHER = 84  # clicks at the same time: most of them wait for a deadline
APART_SECONDS = 0.02  # between their beginnings: to open a house is work
BEAT_SECONDS = 0.02
MARGIN_SECONDS = 0.5  # for the work within a call, besides the time in which this process did not get to run
DEADLINES = {Pair.REDIS: 2.0, Pair.GENESYS: 5.0, Pair.DESK: 5.0}
COMMAND = "uv run pytest -m slow tests/story/test_fault_proxy.py"


@dataclass
class Pulse:
    """How late this process comes to what is due: no deadline can be kept better than that."""

    late: list[tuple[float, float]] = field(default_factory=list)

    @asynccontextmanager
    async def felt(self) -> AsyncIterator[None]:
        """Feel it all the while."""
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)  # real processes: the beat of the measurement
            self.late.append((loop.time(), loop.time() - due))

    def between(self, began: float, ended: float) -> float:
        """Return the seconds in which nothing could run, of those from one moment to another."""
        first, last = (bisect(self.late, (moment, 0.0)) for moment in (began, ended))
        return sum(late for _, late in self.late[first : last + 1]) if began < ended else 0.0


async def play_all(cases: list[Case]) -> list[Played]:
    """Play clicks, many at the same time."""
    seats = asyncio.Semaphore(TOGETHER)
    async with staged() as stage:
        truth = Link(connect(stage.redis.url), SystemClock())
        player = Player(stage, truth, transport_of(Outgoing()), SEED)

        async def seated(place: int, case: Case) -> Played:
            async with seats:
                await asyncio.sleep(place % TOGETHER * APART_SECONDS)  # real processes: they begin one after the other
                return await player.play(case)

        try:
            return await asyncio.gather(*(seated(place, case) for place, case in enumerate(cases)))
        finally:
            await truth.aclose()


def late_calls(played: list[Played], pulse: Pulse) -> list[str]:
    """Return in sentences which calls did not end by their deadline.

    Forgiven is the time in which this process did not get to run when a call began, and when its deadline was over.
    """
    findings = []
    for one in played:
        for pair, began, ended in one.took:
            due = began + DEADLINES[pair]
            forgiven = pulse.between(began, began + MARGIN_SECONDS) + pulse.between(due, ended)
            if ended - due > MARGIN_SECONDS + forgiven:
                findings.append(f"{one.case}: a call over {pair} took {ended - began:.2f} s, forgiven {forgiven:.2f} s")
    return findings


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)], ids=["short", "full"])
async def test_every_fault_between_every_pair(times: int) -> None:
    """Whatever befalls one exchange, the click ends as it must: one removal, nobody else, told once, calls in time."""
    cases = [Case(pair, kind, number) for pair in Pair for kind in Kind for number in range(times)]
    before, complaints, pulse = asyncio.all_tasks(), list[str](), Pulse()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
    with capture_logs() as logs:
        async with pulse.felt():
            played = await play_all(cases)
    gc.collect()  # what ended with an exception that nobody heard complains when it is forgotten
    findings = late_calls(played, pulse)
    findings += [f"{one.case}: {finding}" for one in played for finding in one.findings]
    findings += [f"a fault of ours: {log}" for log in logs if log["event"] == Event.FAULT_RAISED.value]
    findings += [f"left over: {task}" for task in asyncio.all_tasks() - before if not task.done()]
    findings += [f"asyncio complains: {one}" for one in complaints]
    struck = Counter(f"{one.case.pair}: {one.case.kind}" for one in played if one.case.kind in one.struck)
    if times >= 20:
        write_evidence(
            "fault_proxy",
            command=COMMAND,
            counters={"clicks": len(played), **{f"struck, {name}": count for name, count in struck.items()}},
            findings=findings,
            seed=SEED,
            outcomes=dict(Counter(one.outcome for one in played)),
            notes_told_twice=sum(one.notes > 1 for one in played),
            removals_sent=sum(one.removals for one in played),
            calls=dict(Counter(pair for one in played for pair, _, _ in one.took)),
            longest_call_seconds={
                pair: round(max(ended - began for one in played for its, began, ended in one.took if its == pair), 2)
                for pair in Pair
            },
            process_late_by_seconds=round(max(late for _, late in pulse.late), 2),
        )
    assert findings == []
    assert struck == {f"{pair}: {kind}": times for pair in Pair for kind in Kind}
