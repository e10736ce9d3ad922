"""A removal that Genesys takes by one route only: found send by send, and remembered for the org."""

from __future__ import annotations

from service.core import model as m
from tests.flow.stage import Scene, Stage

WANTS_A_USER = {"on": "disconnect", "status": 400, "code": "not.a.user"}


async def removals(stage: Stage, action_id: str) -> list[str]:
    """What the timeline says of each send."""
    return [entry.note for entry in (await stage.account(action_id)).timeline if entry.verb == "disconnect"]


async def paths(scene: Scene) -> list[str]:
    """Where the removals went, without what all have in common."""
    return [call["path"].removeprefix("/api/v2/conversations/") for call in await scene.calls("PATCH")]


async def test_the_next_send_takes_the_next_route(stage: Stage) -> None:
    """Refused for want of a user, a removal is looked after and sent by the next route; the timeline names both."""
    scene = await stage.scene()
    await scene.answers(WANTS_A_USER)
    action_id = await stage.click(scene)
    outcome = await stage.finish(action_id)
    assert outcome.kind is m.OutcomeKind.DISCONNECTED
    him = f"{scene.cid}/participants/{scene.id()}"
    assert await paths(scene) == [him, f"calls/{him}"]
    notes = ["refused_for_now, not.a.user, route generic", "accepted, route medium calls"]
    assert await removals(stage, action_id) == notes
    assert await scene.effects() == 1
    # each was marked, with a deadline of its own and a look between them
    action = (await stage.account(action_id)).action
    assert [send.answer and send.answer.route for send in action.sends] == ["generic", "medium calls"]
    assert action.sends[0].deadline_at < action.sends[1].deadline_at
    assert [call["method"] for call in await scene.calls()][:5] == ["GET", "PATCH", "GET", "GET", "PATCH"]


async def test_the_route_is_remembered(stage: Stage) -> None:
    """The next removal of the org is one send, by the route that was found; another process finds it for itself."""
    first = await stage.scene()
    await first.answers(WANTS_A_USER)
    place = stage.place("w1")
    await stage.finish(await stage.click(first), place)
    for worker, route in ((place, "medium calls"), (stage.place("w2"), "generic")):
        scene = await stage.scene()
        action_id = await stage.click(scene)
        await stage.finish(action_id, worker)
        assert await removals(stage, action_id) == [f"accepted, route {route}"]


async def test_no_route_is_left(stage: Stage) -> None:
    """Where every route wants a user each is asked once, nobody leaves, and it is failed with Genesys' own code."""
    scene = await stage.scene()
    before = await scene.present()
    await scene.answers({**WANTS_A_USER, "times": None})
    action_id = await stage.click(scene)
    outcome = await stage.finish(action_id)
    assert (outcome.kind, outcome.reason) == (m.OutcomeKind.FAILED, "genesys_refused")
    assert outcome.reply is not None
    assert outcome.reply.code == "not.a.user"
    assert [note.split(", ")[0] for note in await removals(stage, action_id)] == ["refused_for_now", "refused_for_good"]
    assert await scene.present() == before
    # nothing of it is repeated for the next click either: one send says it again
    again = await stage.click(scene)
    assert (await stage.finish(again)).kind is m.OutcomeKind.FAILED
    assert await removals(stage, again) == ["refused_for_good, not.a.user, route generic"]
