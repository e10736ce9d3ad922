"""What keeps being turned away, an action by Genesys or a note by its desk, must not cost the others their time."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.core.errors import Unclear
from tests.flow.meddler import Meddler
from tests.flow.stage import SOURCE, Stage
from tests.flow.test_worker import outcome_of, working


@pytest.mark.parametrize("retry_after", ["1", "2", "4"])
async def test_an_action_that_is_always_throttled_starves_nobody(stage: Stage, retry_after: str) -> None:
    """With one action answered 429 again and again, ten other clicks of the org are all done in time."""
    unlucky = await stage.scene()
    rule = {"on": "disconnect", "status": 429, "headers": {"Retry-After": retry_after}, "times": None}
    await unlucky.answers(rule)
    others = [await stage.scene() for _ in range(10)]
    async with working(stage.place("w1")), working(stage.place("w2")):
        await stage.click(unlucky)
        await stage.clock.sleep(1)
        clicked = [await stage.click(scene) for scene in others]
        ends = [await outcome_of(stage, action_id, most=110) for action_id in clicked]
    assert [end.kind for end in ends] == [m.OutcomeKind.DISCONNECTED] * 10


class Hanging(Meddler):
    """A desk that takes five seconds to say nothing; counts how many wait for it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.sources[SOURCE])
        self.stage, self.waiting, self.most, self.asked = stage, 0, 0, 0

    async def _hang(self, *_: object) -> bool:
        self.asked += 1
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.stage.clock.sleep(5)
        self.waiting -= 1
        raise Unclear("nothing was heard")

    is_told = tell = _hang


async def test_a_desk_that_hangs_keeps_no_other_desk_waiting(stage: Stage) -> None:
    """With forty notes due at a desk that hangs, another desk of the org is told at once; no more than two hang."""
    for _ in range(40):
        await stage.finish(await stage.click(await stage.scene(), sys_id=await stage.ticket()))
    hanging = Hanging(stage)
    stage.sources["other"] = stage.source("other")
    sources = stage.sources | {SOURCE: hanging}
    async with working(stage.place("w1", sources=sources)), working(stage.place("w2", sources=sources)):
        await stage.clock.sleep(7)
        ticket = await stage.ticket()
        action_id = await stage.click(await stage.scene(), source="other", sys_id=ticket)
        await outcome_of(stage, action_id)
        await stage.clock.sleep(2.5)
        assert len(await stage.notes(ticket)) == 1
    assert hanging.asked > hanging.most
    assert hanging.most == 2
