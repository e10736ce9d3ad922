"""How few trips to the store lie between a click and its removal, and that none was saved by forgetting something."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.core.ports import Call
from service.flow.removal import Attempt
from service.store.archive import RedisArchive
from tests.flow.meddler import Killed, Meddler, on, raising
from tests.flow.stage import ORG, Scene, Stage, shadowed

K = m.OutcomeKind


class Counted(Meddler):
    """The store and the budget; it notes what was asked of either, in order."""

    async def spend(self, org: str, call: Call = "look") -> float:
        self.calls.append(f"spend {call}")
        wait: float = await self.port.spend(org, call)  # type: ignore[attr-defined] # a Budget
        return wait


async def paid(stage: Stage, store: Meddler) -> Attempt:
    """Claim the one action that is due, with its first look."""
    asked, place = stage.clock.monotonic(), stage.place(store=store, budget=store)
    (claim,) = await stage.store.claim(ORG, "w1", stage.dice.token(), 8, is_look_paid=True)
    assert claim.is_look_paid
    return Attempt(claim, asked, place)


async def found(stage: Stage, scene: Scene) -> list[str]:
    """Return the actions that are found by the caller's participant id."""
    archive = RedisArchive(stage.runner, now_ms=stage.clock.now)
    return [one.id for one in (await archive.find(ORG, m.Search(text=scene.id()), 10)).actions]


async def test_one_trip_between_the_claim_and_the_removal(stage: Stage) -> None:
    """From the claim to the PATCH the store is asked once, and four times in all until the action is settled."""
    await stage.click(await stage.scene(lag=0.0))
    store = Counted(stage.store)
    outcome = await (await paid(stage, store)).run()
    assert outcome is not None
    assert outcome.kind is K.DISCONNECTED
    assert store.calls == ["mark_sent", "answered", "spend confirm", "settle"]


async def test_a_paid_look_gets_old(stage: Stage) -> None:
    """Who stood still between his claim and the look asks the budget anew: others may have been told to wait since."""
    await stage.click(await stage.scene(lag=0.0))
    store = Counted(stage.store)
    attempt = await paid(stage, store)
    await stage.clock.sleep(1.1)
    await attempt.run()
    assert store.calls[:2] == ["spend look", "mark_sent"]


async def test_only_the_first_look_is_paid(stage: Stage) -> None:
    """A look that saw nothing is repeated at its own cost."""
    scene = await stage.scene(lag=0.0)
    await scene.answers({"on": "look", "status": 503})
    await stage.click(scene)
    store = Counted(stage.store)
    await (await paid(stage, store)).run()
    assert store.calls[:2] == ["spend look", "mark_sent"]


async def test_a_mark_keeps_the_pin(stage: Stage) -> None:
    """Whoever takes over after the mark knows who was meant, and so does who searches."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    place = stage.place(store=Meddler(stage.store, after=on("mark_sent", raising(Killed()))))
    with pytest.raises(Killed):
        await stage.once(place)
    pin = (await stage.account(action_id)).action.progress.pin
    assert pin is not None
    assert pin.participant_id == scene.id()
    assert await found(stage, scene) == [action_id]


async def test_the_pin_is_kept_where_the_action_is_given_back(stage: Stage) -> None:
    """Who was meant is not asked again because there was no call left for the removal."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    class Poor(Meddler):
        async def mark_sent(self, *_: object) -> m.OverBudget:
            return m.OverBudget(30.0)

    assert await stage.once(stage.place(store=Poor(stage.store))) is None
    account = await stage.account(action_id)
    assert account.action.progress.pin is not None
    assert [entry.verb for entry in account.timeline].count("look") == 1
    assert await found(stage, scene) == [action_id]


async def test_the_pin_is_kept_where_nobody_is_removed(stage: Stage) -> None:
    """In shadow mode the record says who would have gone."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    outcome = await stage.once(stage.place(terms={ORG: shadowed()}))
    assert outcome is not None
    assert outcome.kind is K.PREVIEWED
    pin = (await stage.account(action_id)).action.progress.pin
    assert pin is not None
    assert pin.participant_id == scene.id()
    assert await found(stage, scene) == [action_id]
