"""What an action's timeline says of a removal, and what its one wide log line: all that an operator has afterwards."""

from __future__ import annotations

from service.core import model as m
from tests.flow.stage import Stage

SLOW = [{"on": kind, "times": None, "delay_seconds": 0.25} for kind in ("look", "disconnect", "note")]
TOOK_MS = 250.05  # the loop wakes a little late, and a duration is told to the microsecond


async def test_each_line_of_a_timeline(stage: Stage) -> None:
    """Each line says what was done, when, for how long, by whom, with which answer and what it came to."""
    await stage.switch(answers=SLOW)
    scene = await stage.scene(lag=0.2)
    action_id = await stage.click(scene, sys_id=await stage.ticket("INC0010112"))
    place = stage.place("w7")
    assert (await stage.finish(action_id, place)).kind is m.OutcomeKind.DISCONNECTED
    assert await stage.tell(place) == 1
    account = await stage.account(action_id)
    begun = account.action.received_at
    lines = [(it.verb, it.at - begun, it.duration_ms, it.worker, it.status, it.note) for it in account.timeline[2:]]
    assert lines == [
        ("accept", 0, 0, "", None, ""),
        ("claim", 0, 0, "w7", None, ""),
        ("look", 0, TOOK_MS, "w7", 200, "present"),
        ("decide", 250, 0, "w7", None, "row 13, disconnect"),
        ("disconnect", 250, TOOK_MS, "w7", 202, "accepted, route generic"),
        ("confirm", 550, TOOK_MS, "w7", 200, "gone"),
        ("settle", 800, 0, "w7", None, "row 12, disconnected"),
        ("report", 800, TOOK_MS, "w7", 200, "INC0010112: told"),
    ]
    calls = {it.verb for it in account.timeline if it.correlation_id}
    assert calls == {"look", "disconnect", "confirm"}


async def test_the_wide_line_of_an_attempt(stage: Stage) -> None:
    """It names the action and where it came from, which rows decided, how it ended, and how long it took."""
    await stage.switch(answers=SLOW)
    scene = await stage.scene(lag=0.2)
    action_id = await stage.click(scene)
    (attempt,) = await stage.attempts(stage.place())
    await attempt.run()
    assert attempt.summary == {
        "action": action_id,
        "org": "acme",
        "source": "desk",
        "conversation": scene.cid,
        "trace": m.trace_of(action_id).id,
        "rows": [0, 13, 14, 12],
        "sends": 1,
        "lapses": 0,
        "held_by": "",
        "outcome": "disconnected",
        "reason": "confirmed",
        "purpose": "customer",
        "operator": "",
        "duration_ms": 800.2,
    }


async def test_a_duration_is_told_to_the_microsecond(stage: Stage) -> None:
    """However finely a clock can tell, a line says no more of a duration than anybody measures."""
    await stage.switch(answers=[{"on": kind, "times": None, "delay_seconds": 0.1234567} for kind in ("look", "note")])
    action_id = await stage.click(await stage.scene(), sys_id=await stage.ticket())
    await stage.finish(action_id)
    assert await stage.tell() == 1
    took = {entry.verb: entry.duration_ms for entry in (await stage.account(action_id)).timeline}
    for spent in (took["look"], took["report"]):
        assert spent == round(spent, 3) > 123
