"""A desk that was down for hours, and then has thousands of notes to take: each once, and no click waits for them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import Unreachable
from service.core.rules import DESK_CALLS, report_wait_seconds
from tests.flow.meddler import Meddler
from tests.flow.stage import SOURCE, Stage
from tests.flow.test_worker import outcome_of, working

HOUR = 3600.0
GONE = m.Outcome(m.OutcomeKind.DISCONNECTED, "confirmed")


class Desk(Meddler):
    """The real source before a desk that is down until a moment; watches who is there, and whether he waited."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        super().__init__(stage.sources[SOURCE])
        self.stage, self.up_at = stage, stage.clock.monotonic() + seconds
        self.under_way, self.most = 0, 0
        self.counted: Counter[str] = Counter()
        self.failed_at: dict[str, float] = {}

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        self._waited(report)
        told: bool = await self._asked("is_told", report, action)
        return told

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        if report.tries == 1:
            self._waited(report)
        reply: m.Reply = await self._asked("tell", report, action, note, deadline)
        self.counted["told"] += 1
        return reply

    def _waited(self, report: m.Report) -> None:
        self.counted["tries"] += 1
        if report.id in self.failed_at:
            waited = self.stage.clock.monotonic() - self.failed_at[report.id]
            assert waited >= (report_wait_seconds(report.tries - 1, 0.0) or 0.0) - 0.01, (report.id, report.tries)

    async def _asked(self, name: str, report: m.Report, *more: object) -> Any:  # noqa: ANN401 - as the port's own
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.stage.clock.sleep(0.1)
            if self.stage.clock.monotonic() < self.up_at:
                self.counted["down"] += 1
                self.failed_at[report.id] = self.stage.clock.monotonic()
                raise Unreachable("the desk is down")
            return await getattr(self.port, name)(report, *more)
        finally:
            self.under_way -= 1


async def settled(stage: Stage, number: int) -> list[str]:
    """Leave this many settled actions, each of a ticket that is to be told; return the tickets."""
    tickets, place = [], stage.place("before")
    for _ in range(number):
        tickets.append(await stage.ticket())
        await stage.click(await stage.scene(), sys_id=tickets[-1])
        for claim in await place.store.claim("acme", "before", stage.dice.token(), 8):
            await place.store.settle(claim.lease, GONE, 0.0, ())
    return tickets


async def settle_seconds(stage: Stage) -> float:
    """Click, and return how long it takes until the person is gone."""
    action_id = await stage.click(await stage.scene())
    await outcome_of(stage, action_id)
    action = (await stage.account(action_id)).action
    return (action.settled_at - action.received_at) / 1000


@pytest.mark.parametrize(
    "number, hours", [(150, 2), pytest.param(5_000, 6, marks=pytest.mark.slow)], ids=["short", "full"]
)
async def test_down_for_hours_and_up_again(stage: Stage, number: int, hours: int) -> None:
    """Every ticket is told once when the desk is up, by two calls at a time, and clicks are served meanwhile."""
    tickets = await settled(stage, number)
    desk = Desk(stage, hours * HOUR)
    sources = stage.sources | {SOURCE: desk}
    places = [stage.place(name, sources=sources) for name in ("w1", "w2")]
    waited = {"down": [0.0], "up": [0.0]}
    async with working(places[0]), working(places[1]):
        while stage.clock.monotonic() < desk.up_at - HOUR / 4:
            await stage.clock.sleep(HOUR / 4)
            waited["down"].append(await settle_seconds(stage))
        await stage.clock.sleep(desk.up_at - stage.clock.monotonic())
        ends = stage.clock.monotonic() + HOUR / 4 + number  # the longest wait, and half a second for each and as much
        while desk.counted["told"] < number and stage.clock.monotonic() < ends:
            await stage.clock.sleep(HOUR / 120)
            waited["up"].append(await settle_seconds(stage))
    assert desk.counted["told"] == number
    assert [len(await stage.notes(ticket)) for ticket in tickets] == [1] * number
    assert desk.counted["down"] >= number * 10
    assert desk.most == DESK_CALLS
    # the re-check of a second: no wake is rung here
    assert {when: max(seconds) <= 2.0 for when, seconds in waited.items()} == {"down": True, "up": True}
