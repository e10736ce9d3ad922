"""What is counted and remembered of a removal: by it an operator is woken, and the next attempt paces itself."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.core.errors import StoreDown, Unreachable
from tests.flow.meddler import Meddler, down
from tests.flow.stage import ORG, Stage, counted
from tests.flow.test_removal_people import Meanwhile

K = m.OutcomeKind


class Unplugged(Meddler):
    """The play Genesys, whose second removal never arrives."""

    async def disconnect(self, cid: str, target: m.Target, deadline: float) -> m.Answer:
        self.calls.append("disconnect")
        if self.calls.count("disconnect") == 2:
            raise Unreachable("no")
        answer: m.Answer = await self.port.disconnect(cid, target, deadline)  # type: ignore[attr-defined] # a Genesys
        return answer


async def test_a_send_taken_back_leaves_the_others(stage: Stage) -> None:
    """A removal that never arrived is counted as that, and takes none of the refusals before it from the back-off."""
    scene = await stage.scene()
    await scene.answers({"on": "disconnect", "status": 409, "times": None})
    before = counted("onhook_sends_total", org=ORG, answer="unreachable")
    outcome = await stage.finish(await stage.click(scene), stage.place(genesys=Unplugged(stage.cloud())))
    assert outcome.kind is K.FAILED
    assert counted("onhook_sends_total", org=ORG, answer="unreachable") == before + 1
    arrived = [call["at"] for call in await scene.calls("PATCH")]
    # a second for the first refusal and one for the lost call; then two for two refusals, and four for three
    assert [round(arrived[at + 1] - arrived[at]) for at in range(3)] == [2, 2, 4]
    assert len(arrived) == 4


@pytest.mark.parametrize("seconds", [121, 1000])
async def test_how_long_it_took_is_counted_from_the_receipt(stage: Stage, seconds: int) -> None:
    """The time to an outcome is that from the receipt of the click, in seconds."""
    action_id = await stage.click(await stage.scene())
    before = counted("onhook_settle_seconds_sum", org=ORG, outcome="expired")
    await stage.clock.sleep(seconds)
    assert (await stage.finish(action_id)).kind is K.EXPIRED
    took = counted("onhook_settle_seconds_sum", org=ORG, outcome="expired") - before
    assert took == pytest.approx(seconds, abs=0.01)


async def test_the_two_others_of_three_vanish(stage: Stage) -> None:
    """Of a call of three the two who stay can go on talking: that they are gone as well is counted, each of them."""
    scene = await stage.scene()
    await scene.event("hangup", "external")
    lost = counted("onhook_bystanders_lost_total", org=ORG)
    place = stage.place(genesys=Meanwhile(stage, "disconnect", scene, "hangup", "Beth"))
    outcome = await stage.finish(await stage.click(scene), place)
    assert (outcome.kind, dict(outcome.vanished)) == (K.DISCONNECTED, {"agent": 2})
    assert counted("onhook_bystanders_lost_total", org=ORG) == lost + 2


async def test_a_short_wait_for_the_budget_of_a_look(stage: Stage) -> None:
    """A budget that asks for some tenths of a second gets them: no look goes out before."""
    scene = await stage.scene()
    await stage.click(scene)

    class Poor(Meddler):
        async def spend(self, org: str, call: str = "look") -> float:
            self.calls.append(call)
            return 0.4 if len(self.calls) == 1 else 0.0

    budget = Poor(stage.store)
    began = stage.clock.now() / 1000
    assert await stage.once(stage.place(budget=budget)) is not None
    first, *_ = await scene.calls("GET")
    assert first["at"] - began == pytest.approx(0.4, abs=0.01)
    assert budget.calls[:2] == ["look", "look"]


async def test_a_store_that_is_away_is_asked_twice_a_second(stage: Stage) -> None:
    """An attempt that lost the store tries to give its action back twice a second while its lease lasts, no longer."""
    await stage.click(await stage.scene())

    def away(name: str) -> None:
        if name in {"answered", "put_back"}:
            raise down()

    store = Meddler(stage.store, before=away)
    (attempt,) = await stage.attempts(stage.place(store=store))
    began = stage.clock.monotonic()
    with pytest.raises(StoreDown):
        await attempt.run()
    assert store.calls.count("put_back") == 12
    assert stage.clock.monotonic() - began == pytest.approx(6.0, abs=0.01)


async def test_a_removal_without_a_call_names_none(stage: Stage) -> None:
    """Where there is no call for a removal its line says why, and nothing of a way that was not taken."""
    scene = await stage.scene()
    (person,) = (await scene.event("add_leg", "Unhappy", media=["chat"]))["participants"]
    leg = person["communication_ids"][-1]
    action_id = await stage.click(scene, communication_id=leg, caller_phone=None)
    await stage.finish(action_id)
    (line,) = [entry for entry in (await stage.account(action_id)).timeline if entry.verb == "disconnect"]
    assert (line.note, line.status) == ("refused_for_good, no_route", None)
