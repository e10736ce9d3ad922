"""Workers that stand still and wake up, are told to stop, or are held up: nothing stale is sent, written or told."""

from __future__ import annotations

import asyncio

import pytest

from service.core import model as m
from service.core.errors import EgressRefused, LeaseLost
from service.store.budget import Rate
from service.store.redis import RedisStore
from tests.flow.meddler import Meddler, on
from tests.flow.stage import ORG, Stage

K = m.OutcomeKind


class Poor(Meddler):
    """A store whose org has no call left for a removal, for so long each time, and then has."""

    def __init__(self, port: object, *waits: float) -> None:
        super().__init__(port)
        self.waits = list(waits)

    async def mark_sent(self, *args: object) -> object:
        if self.waits:
            return m.OverBudget(self.waits.pop(0))
        return await self.port.mark_sent(*args)  # type: ignore[attr-defined] # a Store


def frozen(stage: Stage, name: str, seconds: float, *, after: bool = False) -> Meddler:
    """The store, at one of whose calls the process stands still."""
    hook = on(name, lambda: stage.clock.freeze(seconds))
    return Meddler(stage.store, after=hook) if after else Meddler(stage.store, before=hook)


@pytest.mark.parametrize(
    "step, after", [("mark_sent", False), ("mark_sent", True), ("answered", True), ("settle", False)]
)
async def test_a_frozen_worker_changes_nothing(stage: Stage, step: str, after: bool) -> None:
    """Who stood still past his lease, while another finished, writes nothing more: one effect, one outcome."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    reached, woken = asyncio.Event(), asyncio.Event()

    class Stopped(Meddler):
        async def _stand(self, name: str) -> None:
            if name == step and not reached.is_set():
                reached.set()
                await woken.wait()

        def __getattr__(self, name: str) -> object:
            real = super().__getattr__(name)

            async def standing(*args: object, **more: object) -> object:
                if name == "renew":  # a stopped process renews nothing
                    raise LeaseLost
                if not after:
                    await self._stand(name)
                answer = await real(*args, **more)
                if after:
                    await self._stand(name)
                return answer

            return standing

    (attempt,) = await stage.attempts(stage.place("zombie", store=Stopped(stage.store)))
    zombie = asyncio.create_task(attempt.run())
    await reached.wait()
    outcome = await stage.finish(action_id)
    assert outcome.kind is K.DISCONNECTED
    settled = await stage.account(action_id)
    woken.set()
    with pytest.raises(LeaseLost):
        await zombie
    assert await stage.account(action_id) == settled
    assert await scene.effects() == 1


async def test_frozen_between_mark_and_bytes(stage: Stage) -> None:
    """Past the two seconds of its mark no byte leaves; the mark is taken back, and the removal done afresh."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    place = stage.place(store=frozen(stage, "mark_sent", 3, after=True))
    outcome = await stage.finish(action_id, place)
    account = await stage.account(action_id)
    assert (outcome.kind, len(await scene.calls("PATCH")), len(account.action.sends)) == (K.DISCONNECTED, 1, 1)
    assert "not done: egressrefused" in [entry.note for entry in account.timeline]


async def test_frozen_after_an_accepted_send(stage: Stage) -> None:
    """An outcome never rests on a sight from before the send: who stood still looks again before he says "failed"."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    place = stage.place(store=frozen(stage, "answered", 125, after=True))
    outcome = await stage.finish(action_id, place)
    assert (outcome.kind, outcome.reason) == (K.DISCONNECTED, "confirmed")


async def test_frozen_after_a_look(stage: Stage) -> None:
    """A look from before the end of the window is no look after it: "failed" needs one from then."""
    scene = await stage.scene(lag=3)
    stage.sources["desk"] = stage.source(max_age=5)
    action_id = await stage.click(scene)

    class Freezing(Meddler):
        async def look(self, cid: str) -> m.Sight:
            sight: m.Sight = await self.port.look(cid)  # type: ignore[attr-defined] # a Genesys
            if await scene.calls("PATCH") and "frozen" not in self.calls:
                self.calls.append("frozen")
                stage.clock.freeze(60)
            return sight

    outcome = await stage.finish(action_id, stage.place(genesys=Freezing(stage.cloud())))
    assert (outcome.kind, outcome.reason) == (K.DISCONNECTED, "confirmed")


async def test_a_stale_sight_sends_nothing(stage: Stage) -> None:
    """Who learns of an accepted send only after the window looks before he would send again."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    class Slow(Meddler):
        async def answered(self, *args: object) -> None:
            await self.port.answered(*args)  # type: ignore[attr-defined] # a Store
            await stage.clock.sleep(8.5)

    outcome = await stage.finish(action_id, stage.place(store=Slow(stage.store)))
    assert (outcome.kind, len(await scene.calls("PATCH"))) == (K.DISCONNECTED, 1)


async def test_what_the_guard_never_lets_out_ends(stage: Stage) -> None:
    """A removal that the guard refuses for good fails at once: looking at it for two minutes would not mend it."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    class Guarded(Meddler):
        async def disconnect(self, cid: str, target: m.Target, deadline: float) -> m.Answer:
            raise EgressRefused("an id that is no UUID")

    outcome = await stage.finish(action_id, stage.place(genesys=Guarded(stage.cloud())))
    account = await stage.account(action_id)
    assert (outcome.kind, account.action.sends) == (K.FAILED, ())
    assert len(await scene.calls()) <= 3
    assert stage.owner(scene) == ""
    assert outcome.reply is not None
    assert "UUID" in outcome.reply.message


async def test_a_budget_for_one_call_at_a_time_is_enough(stage: Stage) -> None:
    """Where the budget gives out one call after the other, the look does not eat the call of the removal for ever."""
    scene = await stage.scene()
    one_by_one = RedisStore(stage.runner, stage.dice, rate=Rate(burst=1), now_ms=stage.clock.now)
    assert await one_by_one.spend(ORG) == 0
    action_id = await stage.click(scene)
    outcome = await stage.finish(action_id, stage.place(store=one_by_one, budget=one_by_one))
    assert outcome.kind is K.DISCONNECTED
    assert len(await scene.calls("GET")) <= 3
    account = await stage.account(action_id)
    assert account.action.settled_at - account.action.received_at < 3000


async def test_waiting_long_for_the_budget_needs_another_look(stage: Stage) -> None:
    """What was seen too long before the budget let us send is looked at again."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    outcome = await stage.finish(action_id, stage.place(store=Poor(stage.store, 1.5, 1.5)))
    assert outcome.kind is K.DISCONNECTED
    looks, patches = await scene.calls("GET"), await scene.calls("PATCH")
    assert len(patches) == 1
    assert max(call["at"] for call in looks if call["at"] <= patches[0]["at"]) >= patches[0]["at"] - 2


@pytest.mark.parametrize("wait", [0.3, 5.0])
async def test_a_wait_for_the_budget_of_a_removal(stage: Stage, wait: float) -> None:
    """A short wait for the budget is waited out here; a long one gives the action back, and says that we were busy."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    outcome = await stage.once(stage.place(store=Poor(stage.store, wait)))
    if wait < 2:
        assert outcome is not None
        assert [call["method"] for call in await scene.calls()] == ["GET", "PATCH", "GET"]
    else:
        assert outcome is None
        account = await stage.account(action_id)
        assert account.action.progress.held_by == "busy"
        assert [entry.verb for entry in account.timeline].count("look") == 1
        assert "decide" not in [entry.verb for entry in account.timeline]
        assert stage.due_in(action_id) == pytest.approx(wait, abs=0.01)


async def test_what_becomes_late_while_we_wait_for_the_budget(stage: Stage) -> None:
    """A mark that is asked for only after the not-after lets nothing out: it is decided as things are then."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    class Slow(Meddler):
        async def mark_sent(self, *args: object) -> object:
            await stage.clock.sleep(125)
            return await self.port.mark_sent(*args)  # type: ignore[attr-defined] # a Store

    outcome = await stage.once(stage.place(store=Slow(stage.store)))
    assert outcome is not None
    assert (outcome.kind, [call["method"] for call in await scene.calls()]) == (K.EXPIRED, ["GET"])
    assert (await stage.account(action_id)).action.sends == ()


@pytest.mark.parametrize("after", [False, True])
async def test_our_clock_is_never_behind_the_store(stage: Stage, after: bool) -> None:
    """However slow a claim is, before its script or after it, what we take for now is not earlier than the store's."""

    class Slow(Meddler):
        async def claim(self, *args: object, **more: bool) -> list[m.Claim]:
            await stage.clock.sleep(0 if after else 1.7)
            claims: list[m.Claim] = await self.port.claim(*args, **more)  # type: ignore[attr-defined] # a Store
            await stage.clock.sleep(1.7 if after else 0)
            return claims

    await stage.click(await stage.scene())
    (attempt,) = await stage.attempts(stage.place(store=Slow(stage.store)))
    await stage.clock.sleep(0.4)
    assert 0 <= attempt._now() - stage.clock.now() <= 1701


async def test_a_store_whose_clock_steps_back(stage: Stage) -> None:
    """A clock that steps back after the send makes nobody send again, or wait for ever."""
    scene = await stage.scene(lag=4)
    action_id = await stage.click(scene)
    assert await stage.once(stage.place()) is None
    stage.clock.step(-60)
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED
    assert len(await scene.calls("PATCH")) == 1


async def test_a_confirming_look_may_borrow(stage: Stage) -> None:
    """What was sent is seen, though the budget has nothing left for new work."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    (attempt,) = await stage.attempts(stage.place())
    running = asyncio.create_task(attempt.run())
    while not await scene.calls("PATCH"):
        await stage.clock.sleep(0.001)
    while await stage.store.spend(ORG, "disconnect") == 0:
        pass
    assert await running is not None
    first, second = (await scene.calls("GET"))[-2:]
    assert second["at"] - first["at"] <= 0.31
    assert (await stage.account(action_id)).action.outcome is not None


# --- told to stop ----------------------------------------------------------------------------------------------------


async def test_stopping_gives_a_waiting_action_back(stage: Stage) -> None:
    """A worker told to stop confirms nothing more: the action goes back, marked as sent, and another confirms it."""
    scene = await stage.scene(lag=5)
    action_id = await stage.click(scene)
    place = stage.place()
    (attempt,) = await stage.attempts(place)
    running = asyncio.create_task(attempt.run())
    while not await scene.calls("PATCH"):
        await stage.clock.sleep(0.01)
    place.stopping.set()
    told = stage.clock.now()
    assert await running is None
    assert stage.clock.now() - told <= 1000
    account = await stage.account(action_id)
    assert (len(account.action.sends), account.action.lapses) == (1, 0)
    assert stage.due_in(action_id) <= 1
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED
    assert len(await scene.calls("PATCH")) == 1


async def test_told_to_stop_before_it_would_rest(stage: Stage) -> None:
    """An attempt of a worker that is about to end does not rest at all."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    place = stage.place()
    place.stopping.set()
    began = stage.clock.now()
    assert await stage.once(place) is None
    assert stage.clock.now() - began <= 10
    assert stage.due_in(action_id) == pytest.approx(0.3, abs=0.01)
    assert len(await scene.calls("PATCH")) == 1


async def test_stopping_in_the_middle_of_a_rest(stage: Stage) -> None:
    """Told to stop while it rests, an attempt goes back when the rest is over, without another look."""
    scene = await stage.scene()
    await scene.answers({"on": "look", "status": 503, "times": None})
    action_id = await stage.click(scene)
    place = stage.place()
    (attempt,) = await stage.attempts(place)
    running = asyncio.create_task(attempt.run())
    await stage.clock.sleep(1.5)
    looks = len(await scene.calls())
    place.stopping.set()
    assert await running is None
    assert len(await scene.calls()) == looks
    assert stage.due_in(action_id) <= 0.01


# --- poison ----------------------------------------------------------------------------------------------------------


async def lapsed(stage: Stage, action_id: str, times: int) -> None:
    """Let workers that die at once claim an action."""
    for _ in range(times):
        assert len(await stage.attempts(stage.place("dying"))) == 1
        await stage.clock.sleep(6.01)
    assert stage.due_in(action_id) <= 0


async def test_poison_unsent(stage: Stage) -> None:
    """An action that killed three workers fails without a fourth look, if nothing was sent."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    await lapsed(stage, action_id, 3)
    outcome = await stage.once(stage.place())
    assert outcome is not None
    assert (outcome.kind, outcome.reason, await scene.calls()) == (K.FAILED, "poison", [])


async def test_poison_after_a_send(stage: Stage) -> None:
    """If something was sent it is unknown, and only when nothing of it may land any more."""
    scene = await stage.scene(lag=30)
    action_id = await stage.click(scene)
    assert await stage.once(stage.place()) is None
    await stage.clock.sleep(2.5)
    await lapsed(stage, action_id, 3)
    outcome = await stage.finish(action_id)
    account = await stage.account(action_id)
    assert (outcome.kind, outcome.reason) == (K.UNKNOWN, "poison")
    assert account.action.settled_at >= account.action.sends[-1].deadline_at + 10_000
