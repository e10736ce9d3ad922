"""People who come and go while we act, conversations that are merged, and two actions on one conversation."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.flow.worker import Worker
from tests.flow.meddler import Meddler
from tests.flow.stage import ORG, Scene, Stage, counted, policy

K = m.OutcomeKind
SECOND = "+14155550777"


class Meanwhile(Meddler):
    """The play Genesys, in whose conversation something happens right before a call reaches it."""

    def __init__(self, stage: Stage, wanted: str, scene: Scene, *event: str) -> None:
        super().__init__(stage.cloud())
        self.left, self.wanted, self.scene, self.event = 1, wanted, scene, event

    async def disconnect(self, cid: str, target: m.Target, deadline: float) -> m.Answer:
        await self._happen("disconnect")
        answer: m.Answer = await self.port.disconnect(cid, target, deadline)  # type: ignore[attr-defined] # a Genesys
        return answer

    async def look(self, cid: str) -> m.Sight:
        await self._happen("look")
        sight: m.Sight = await self.port.look(cid)  # type: ignore[attr-defined] # a Genesys
        return sight

    async def _happen(self, name: str) -> None:
        if name == self.wanted and self.left:
            self.left -= 1
            await self.scene.event(*self.event)


async def test_hangs_up_between_look_and_patch(stage: Stage) -> None:
    """Who hangs up by himself while our removal is on its way is told as gone, whoever did it; nobody else leaves."""
    scene = await stage.scene()
    others = await scene.present() - {scene.id()}
    place = stage.place(genesys=Meanwhile(stage, "disconnect", scene, "hangup", "Unhappy"))
    outcome = await stage.finish(await stage.click(scene), place)
    assert (outcome.kind, await scene.present(), await scene.effects()) == (K.DISCONNECTED, others, 0)


async def test_comes_back_under_a_new_id(stage: Stage) -> None:
    """Who comes back under a new id before our removal arrives is left alone, and the note says so."""
    scene, ticket = await stage.scene(), await stage.ticket()
    place = stage.place(genesys=Meanwhile(stage, "disconnect", scene, "rejoin", "Unhappy"))
    outcome = await stage.finish(await stage.click(scene, sys_id=ticket), place)
    assert (outcome.kind, outcome.is_back) == (K.DISCONNECTED, True)
    assert len(await scene.present()) == 4
    assert len(await scene.calls("PATCH")) == 1
    await stage.tell()
    assert "in the conversation again and was not removed a second time" in (await stage.notes(ticket))[0]


async def test_back_on_another_leg_before_the_confirming_look(stage: Stage) -> None:
    """A new leg seen by the confirming look is no reason for another removal: he came back."""
    scene = await stage.scene(lag=0)

    class Returning(Meanwhile):
        async def _happen(self, name: str) -> None:
            if name == "look" and await self.scene.calls("PATCH"):
                await super()._happen(name)

    place = stage.place(genesys=Returning(stage, "look", scene, "add_leg", "Unhappy"))
    outcome = await stage.finish(await stage.click(scene), place)
    assert (outcome.kind, outcome.is_back, len(await scene.calls("PATCH"))) == (K.DISCONNECTED, True, 1)
    assert scene.id() in await scene.present()


async def test_back_later_is_another_click(stage: Stage) -> None:
    """A later click on somebody who came back is a new action, and removes him again."""
    scene = await stage.scene()
    first = await stage.click(scene)
    assert (await stage.finish(first)).kind is K.DISCONNECTED
    await stage.clock.sleep(2)
    await scene.event("rejoin", "Unhappy")
    await stage.clock.sleep(2)  # a click is stamped in whole seconds, and counts as old up to then
    second = await stage.click(scene)
    assert second != first
    assert (await stage.finish(second)).kind is K.DISCONNECTED
    assert await scene.effects() == 2


async def test_merged_between_look_and_patch(stage: Stage) -> None:
    """Under another id since the look: the pin is given up once, and the same person removed under the new id."""
    scene = await stage.scene()
    place = stage.place(genesys=Meanwhile(stage, "disconnect", scene, "replace", "Unhappy"))
    action_id = await stage.click(scene)
    outcome = await stage.finish(action_id, place)
    assert (outcome.kind, await scene.effects()) == (K.DISCONNECTED, 1)
    first, second = await scene.calls("PATCH")
    assert (first["status"], second["status"], first["path"] != second["path"]) == (404, 202, True)
    assert (await stage.account(action_id)).action.progress.was_unpinned


async def test_merged_twice(stage: Stage) -> None:
    """A pin is given up once only: lost a second time nobody is guessed at, and the outcome says that he is lost."""
    scene = await stage.scene()

    class Merging(Meddler):
        async def disconnect(self, cid: str, target: m.Target, deadline: float) -> m.Answer:
            await scene.event("replace", participant_id=target.participant_id)
            answer: m.Answer = await self.port.disconnect(cid, target, deadline)  # type: ignore[attr-defined] # a Genesys
            return answer

    outcome = await stage.finish(await stage.click(scene), stage.place(genesys=Merging(stage.cloud())))
    assert (outcome.kind, outcome.reason) == (K.UNKNOWN, "participant_lost")
    assert [call["status"] for call in await scene.calls("PATCH")] == [404, 404]
    assert len(await scene.present()) == 4


async def test_merged_away_after_the_send(stage: Stage) -> None:
    """A pinned person that is listed no more after our send is not called removed: unknown, once quiet."""
    scene = await stage.scene()
    await scene.switch(lost=True)
    place = stage.place()
    action_id = await stage.click(scene)
    assert await stage.once(place) is None
    await scene.event("replace", "Unhappy")
    outcome = await stage.finish(action_id, place)
    account = await stage.account(action_id)
    assert (outcome.kind, outcome.reason) == (K.UNKNOWN, "participant_lost")
    assert account.action.settled_at >= account.action.sends[-1].deadline_at + 10_000
    assert len(await scene.calls("PATCH")) == 1


async def test_a_bystander_vanishes_with_the_target(stage: Stage) -> None:
    """Who left at the same time stands in outcome, metric, log and note."""
    scene, ticket = await stage.scene(), await stage.ticket()
    lost = counted("onhook_bystanders_lost_total", org=ORG)
    place = stage.place(genesys=Meanwhile(stage, "disconnect", scene, "hangup", "Beth"))
    action_id = await stage.click(scene, sys_id=ticket)
    with capture_logs() as logs:
        outcome = await stage.finish(action_id, place)
    assert (outcome.kind, dict(outcome.vanished)) == (K.DISCONNECTED, {"agent": 1})
    assert counted("onhook_bystanders_lost_total", org=ORG) == lost + 1
    (line,) = [one for one in logs if one["event"] == "bystander.lost"]
    assert (line["log_level"], line["action"], line["people"]) == ("error", action_id, {"agent": 1})
    await stage.tell()
    assert "Gone at the same time: 1 agent; call back whoever should not have left." in (await stage.notes(ticket))[0]


async def test_the_end_of_a_two_party_call_is_no_alarm(stage: Stage) -> None:
    """When one of two is removed the other's call ends by itself: the note says so, and nobody is woken for it."""
    scene, ticket = await stage.scene("pair"), await stage.ticket()
    lost = counted("onhook_bystanders_lost_total", org=ORG)
    outcome = await stage.finish(await stage.click(scene, sys_id=ticket))
    assert (outcome.kind, dict(outcome.vanished)) == (K.DISCONNECTED, {"agent": 1})
    assert counted("onhook_bystanders_lost_total", org=ORG) == lost
    await stage.tell()
    assert "the conversation has ended" in (await stage.notes(ticket))[0]


# --- two actions on one conversation ---------------------------------------------------------------------------------


async def trio(stage: Stage) -> Scene:
    """Two callers and one agent: remove both, and the call ends."""
    scene = await stage.scene("pair")
    told = await scene.event("join", participant={"purpose": "customer", "address": f"tel:{SECOND}", "name": "Second"})
    scene.people.extend(told["participants"])
    return scene


async def test_the_conversation_belongs_to_one_action(stage: Stage) -> None:
    """While one action's removal may still land, another on that conversation is put off, and looks at nothing."""
    scene = await trio(stage)
    first = await stage.click(scene)
    await scene.answers({"on": "disconnect", "cut": "before"})
    place = stage.place()
    assert await stage.once(place) is None
    assert stage.owner(scene) == first
    second = await stage.click(scene, caller_phone=SECOND)
    looks = len(await scene.calls())
    assert await stage.attempts(place) == []
    assert len(await scene.calls()) == looks
    assert stage.due_in(second) == pytest.approx(0.5, abs=0.01)
    assert (await stage.account(second)).action.progress.held_by == "busy"
    assert (await stage.finish(second)).kind is K.DISCONNECTED
    one, two = await stage.account(first), await stage.account(second)
    assert one.action.settled_at <= two.action.sends[0].marked_at
    assert await scene.effects() == 2


async def test_two_actions_cannot_break_the_last_pair_rule(stage: Stage) -> None:
    """Two removals that were both allowed when looked at: one is done, the other refused, and the pair stays."""
    scene = await trio(stage)
    stage.terms = policy(last_pair="refuse")
    first, second = await stage.click(scene), await stage.click(scene, caller_phone=SECOND)
    both = await stage.attempts(stage.place())
    await asyncio.gather(*(attempt.run() for attempt in both))
    outcomes = [await stage.finish(first), await stage.finish(second)]
    assert sorted((o.kind.value, o.reason) for o in outcomes) == [
        ("disconnected", "confirmed"),
        ("refused", "last_pair"),
    ]
    assert (await scene.effects(), len(await scene.present())) == (1, 2)


async def test_another_owned_it_since_the_look(stage: Stage) -> None:
    """Who looked before another action owned the conversation must look again, though it is free by now."""
    scene = await trio(stage)
    first, second = await stage.click(scene), await stage.click(scene, caller_phone=SECOND)
    place = stage.place()
    one, two = await stage.attempts(place)
    assert (await one.run()) is not None
    assert stage.owner(scene) == ""
    assert await two.run() is None
    assert (await stage.account(second)).action.sends == ()
    assert stage.due_in(second) == pytest.approx(0.5, abs=0.01)
    assert (await stage.finish(second)).kind is K.DISCONNECTED
    assert (await stage.account(first)).action.outcome is not None


async def test_many_clicks_at_once(stage: Stage) -> None:
    """Many clicks on many conversations all end well within the budget: one PATCH each, nobody else gone."""
    scenes = [await stage.scene("pair" if number % 2 else "conference") for number in range(40)]
    ids = [await stage.click(scene) for scene in scenes]
    place = stage.place()
    worker = asyncio.create_task(Worker(place).run())
    for action_id in ids:
        while (await stage.account(action_id)).action.outcome is None:
            await stage.clock.sleep(1)
    place.stopping.set()
    await worker
    kinds = [(await stage.account(action_id)).action.outcome for action_id in ids]
    assert [outcome.kind if outcome else None for outcome in kinds] == [K.DISCONNECTED] * 40
    assert [await scene.effects() for scene in scenes] == [1] * 40
    assert stage.clock.now() - (await stage.account(ids[0])).action.received_at <= 40_000
