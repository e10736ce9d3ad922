"""One action that Genesys keeps turning away must not cost the others of its org their time."""

from __future__ import annotations

import pytest

from service.core import model as m
from tests.flow.stage import Stage
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
