"""The worker: what is due is claimed at once, nothing that goes wrong with one thing touches another, and it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import LeaseLost
from service.core.rules import DESK_CALLS
from service.flow.worker import REMOVAL_SLOTS, Worker
from service.flow.workplace import Workplace
from tests.flow.hours import turns
from tests.flow.meddler import Meddler, down, on, raising
from tests.flow.stage import ORG, Scene, Stage, counted

K = m.OutcomeKind


@asynccontextmanager
async def working(place: Workplace) -> AsyncIterator[Worker]:
    """Let a worker run, and stop it in good order."""
    worker = Worker(place)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        place.stopping.set()
        await task


async def outcome_of(stage: Stage, action_id: str, most: float = 60) -> m.Outcome:
    """Wait until an action is settled."""
    ends = stage.clock.monotonic() + most
    while stage.clock.monotonic() < ends:
        outcome = (await stage.account(action_id)).action.outcome
        if outcome:
            return outcome
        await stage.clock.sleep(0.05)
    raise AssertionError("not settled in time")


class SlowLook(Meddler):
    """A play Genesys whose looks take their time; counts how many are under way."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        super().__init__(stage.cloud())
        self.stage, self.seconds, self.under_way, self.most = stage, seconds, 0, 0

    async def look(self, cid: str) -> m.Sight:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.stage.clock.sleep(self.seconds)
        self.under_way -= 1
        sight: m.Sight = await self.port.look(cid)  # type: ignore[attr-defined] # a Genesys
        return sight


async def test_a_click_wakes_the_worker(stage: Stage) -> None:
    """A click is claimed when its wake arrives, not at the next re-check; its ticket is told as soon as it is over."""
    scene, ticket = await stage.scene(lag=0.1), await stage.ticket()
    async with working(stage.place()):
        await stage.clock.sleep(10.2)
        action_id = await stage.click(scene, sys_id=ticket)
        stage.bells.ring(f"removals:{ORG}")
        began = stage.clock.now()
        assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
        assert stage.clock.now() - began <= 400
        stage.bells.ring(f"reports:{ORG}")
        await turns()
        assert len(await stage.notes(ticket)) == 1
    assert (await scene.calls())[0]["at"] == pytest.approx(began / 1000, abs=0.01)


async def test_a_lost_wake_costs_a_second(stage: Stage) -> None:
    """Without any wake, what is due is claimed at the next re-check."""
    scene, ticket = await stage.scene(), await stage.ticket()
    async with working(stage.place()):
        await stage.clock.sleep(5.1)
        action_id = await stage.click(scene, sys_id=ticket)
        await outcome_of(stage, action_id)
        await stage.clock.sleep(1.5)
        assert len(await stage.notes(ticket)) == 1
    account = await stage.account(action_id)
    assert account.action.settled_at - account.action.received_at <= 1500


async def test_slots(stage: Stage) -> None:
    """No more attempts run at once than there are slots, and a free slot is filled at once."""
    scenes = [await stage.scene() for _ in range(REMOVAL_SLOTS + 1)]  # the burst carries no more first looks by then
    ids = [await stage.click(scene) for scene in scenes]
    slow = SlowLook(stage, 0.9)
    async with working(stage.place(genesys=slow)):
        await stage.clock.sleep(0.5)
        assert slow.under_way == REMOVAL_SLOTS
        assert f"removals:{ORG}" not in stage.bells.waited  # with all slots taken a wake would be for nothing
        for action_id in ids:
            assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
    assert slow.most == REMOVAL_SLOTS
    began = min([(await scene.calls())[0]["at"] for scene in scenes])
    late = [(await scene.calls())[0]["at"] - began for scene in scenes[REMOVAL_SLOTS:]]
    assert late == pytest.approx([2.1], abs=0.05)  # two looks and the rest between them: not at the next re-check


async def test_reports_never_delay_removals(stage: Stage) -> None:
    """A desk that hangs, with many reports due, has its own slots: a click is served meanwhile as if nothing were."""
    for _ in range(10):
        await stage.finish(await stage.click(await stage.scene(), sys_id=await stage.ticket()))
    await stage.clock.sleep(10)
    await stage.switch(answers=[{"on": "note", "delay_seconds": 60, "times": None}])
    async with working(stage.place()):
        await stage.clock.sleep(2.1)
        action_id = await stage.click(await stage.scene())
        began = stage.clock.now()
        await outcome_of(stage, action_id)
        assert stage.clock.now() - began <= 1500


async def test_few_calls_at_a_desk(stage: Stage) -> None:
    """At most two calls are under way at a desk; who waits for it keeps the lease, and every ticket is told once."""
    tickets = []
    for _ in range(DESK_CALLS * 4):
        tickets.append(await stage.ticket())
        await stage.finish(await stage.click(await stage.scene(), sys_id=tickets[-1]))
    await stage.switch(answers=[{"on": "note", "delay_seconds": 4.4, "times": None}])
    under_way: list[int] = []

    class Counting(Meddler):
        async def tell(self, *args: object) -> m.Reply:
            under_way.append(1)
            assert len(under_way) <= DESK_CALLS
            try:
                reply: m.Reply = await self.port.tell(*args)  # type: ignore[attr-defined] # a Source
                return reply
            finally:
                under_way.pop()

    sources = {name: Counting(source) for name, source in stage.sources.items()}
    lost = counted("onhook_leases_lost_total", org=ORG)
    async with working(stage.place("w1", sources=sources)), working(stage.place("w2")):
        await stage.clock.sleep(60)
    assert [len(await stage.notes(ticket)) for ticket in tickets] == [1] * len(tickets)
    assert counted("onhook_leases_lost_total", org=ORG) == lost


async def test_alive_while_all_slots_are_taken(stage: Stage) -> None:
    """Slots that are all taken for long, by a Genesys or a desk that hangs, do not make the worker look stuck."""
    tickets = [await stage.ticket() for _ in range(DESK_CALLS * 4)]
    for ticket in tickets:
        await stage.finish(await stage.click(await stage.scene(), sys_id=ticket))
    await stage.clock.sleep(10)
    for _ in range(REMOVAL_SLOTS):
        scene = await stage.scene()
        await scene.answers({"on": "look", "delay_seconds": 60, "times": None})
        await stage.click(scene)
    await stage.switch(answers=[{"on": "note", "delay_seconds": 60, "times": None}])
    place = stage.place()
    worker = Worker(place)
    assert worker.claim_age_seconds() is None
    running = asyncio.create_task(worker.run())
    for _ in range(40):
        await stage.clock.sleep(1)
        age = worker.claim_age_seconds()
        assert age is not None
        assert age <= 3
    place.stopping.set()
    await running


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_idle_workers_stop_at_once(stage: Stage) -> None:
    """Told to stop with nothing in hand, a worker is gone in the same moment."""
    async with working(stage.place()):
        await stage.clock.sleep(3.3)
        began = stage.clock.now()
    assert stage.clock.now() - began <= 1


@pytest.mark.parametrize("lag, delay", [(5.0, 0.0), (0.25, 3.0), (30.0, 4.4)])
async def test_stopping_gives_leases_back(stage: Stage, lag: float, delay: float) -> None:
    """Within eight seconds a stopping worker holds no lease any more, and whatever it began is finished by another."""
    scenes = [await stage.scene(lag=lag) for _ in range(6)]
    for scene in scenes:
        await scene.answers({"on": "look", "delay_seconds": delay, "times": None})
    ids = [await stage.click(scene, sys_id=await stage.ticket()) for scene in scenes]
    async with working(stage.place()):
        await stage.clock.sleep(3.5)
        began = stage.clock.now()
    assert stage.clock.now() - began <= 8000
    for action_id in ids:
        action = (await stage.account(action_id)).action
        assert action.outcome is not None or stage.due_in(action_id) <= 2.5
        assert stage.client.hget(stage.keys.action(action_id), "token") is None
    for action_id, scene in zip(ids, scenes, strict=True):
        await scene.answers()
        assert (await stage.finish(action_id)).kind is K.DISCONNECTED
        assert await scene.effects() == 1


async def test_stopping_with_a_slow_genesys(stage: Stage) -> None:
    """A look that takes its five seconds is not followed by a removal that takes as long: the action goes back."""
    scene = await stage.scene()
    await scene.answers({"on": "look", "delay_seconds": 4.4, "times": None})
    action_id = await stage.click(scene)
    async with working(stage.place()):
        await stage.clock.sleep(0.1)
        began = stage.clock.now()
    assert stage.clock.now() - began <= 5000
    assert (stage.due_in(action_id) <= 0, await scene.calls("PATCH")) == (True, [])
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED


async def test_stopping_with_a_desk_that_hangs(stage: Stage) -> None:
    """Who waits for a desk, or has only asked it, gives the report back; every ticket is told later, once."""
    tickets = [await stage.ticket() for _ in range(DESK_CALLS)]
    ids = [await stage.click(await stage.scene(), sys_id=ticket) for ticket in tickets]
    for action_id in ids:
        await stage.finish(action_id)
    await stage.claim_reports(stage.place("dying"))  # so that the next try asks the desk first
    await stage.clock.sleep(6.1)
    await stage.switch(answers=[{"on": on, "delay_seconds": 4.4, "times": None} for on in ("note", "journal")])
    async with working(stage.place()):
        await stage.clock.sleep(0.1)
        began = stage.clock.now()
    assert stage.clock.now() - began <= 5000
    assert [await stage.notes(ticket) for ticket in tickets] == [[]] * len(tickets)
    await stage.switch(answers=[])
    assert await stage.tell() == len(tickets)
    assert [len(await stage.notes(ticket)) for ticket in tickets] == [1] * len(tickets)


async def test_a_stopping_worker_claims_nothing_new(stage: Stage) -> None:
    """What comes in after the word to stop is left for others."""
    busy, late = await stage.scene(), await stage.scene()
    first = await stage.click(busy)
    place = stage.place(genesys=SlowLook(stage, 3))
    async with working(place):
        await stage.clock.sleep(0.5)
        place.stopping.set()
        second = await stage.click(late)
        stage.bells.ring(f"removals:{ORG}")
    assert await late.calls() == []
    assert (await stage.account(second)).action.lapses == 0
    assert (await stage.finish(second)).kind is K.DISCONNECTED
    assert (await stage.finish(first)).kind is K.DISCONNECTED


async def test_a_cancelled_worker_leaves_nothing_running(stage: Stage) -> None:
    """A worker that is cut off ends all that it began before it is gone itself; others take it up at lease end."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    before = asyncio.all_tasks()
    task = asyncio.create_task(Worker(stage.place(genesys=SlowLook(stage, 30))).run())
    await stage.clock.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED


async def test_cancelled_before_its_first_step(stage: Stage) -> None:
    """A worker that is cut off in the moment of a claim leaves no attempt behind that never began."""
    await stage.click(await stage.scene())
    place = stage.place()
    task = asyncio.create_task(Worker(place).run())
    claimed = asyncio.Event()

    class Telling(Meddler):
        async def claim(self, *args: Any, **more: Any) -> Sequence[m.Claim]:  # noqa: ANN401 - as the port's
            claims: Sequence[m.Claim] = await self.port.claim(*args, **more)  # type: ignore[attr-defined] # a Store
            task.cancel()
            claimed.set()
            return claims

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    task = asyncio.create_task(Worker(stage.place(store=Telling(stage.store))).run())
    await claimed.wait()
    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


# --- what goes wrong -------------------------------------------------------------------------------------------------


async def test_the_store_away(stage: Stage) -> None:
    """While Redis is away the worker says so once, asks again about once a second, and goes on when it is back."""
    scene = await stage.scene()
    store = Meddler(stage.store, before=on("claim", raising(down()), times=5))
    with capture_logs() as logs:
        async with working(stage.place(store=store)):
            action_id = await stage.click(scene)
            await outcome_of(stage, action_id)
    assert [one["event"] for one in logs if one.get("kind") == "removals"] == ["store.lost", "store.found"]
    account = await stage.account(action_id)
    assert 2500 <= account.action.settled_at - account.action.received_at <= 6000


async def test_the_store_away_in_an_attempt(stage: Stage) -> None:
    """An attempt that lost the store ends alone; the action comes due again and is finished."""
    scene = await stage.scene()
    store = Meddler(stage.store, before=on("mark_sent", raising(down())))
    with capture_logs() as logs:
        async with working(stage.place(store=store)):
            action_id = await stage.click(scene)
            assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
    assert [one["id"] for one in logs if one["event"] == "store.lost"] == [action_id]
    assert await scene.effects() == 1


async def test_a_fault_of_ours_in_one_attempt(stage: Stage) -> None:
    """A bug that one action meets ends neither the worker nor another action; met three times, it is poison."""
    scenes: dict[str, Scene] = {name: await stage.scene() for name in ("bad", "good")}

    class Faulty(Meddler):
        async def look(self, cid: str) -> m.Sight:
            if cid == scenes["bad"].cid:
                raise KeyError("oops")
            sight: m.Sight = await self.port.look(cid)  # type: ignore[attr-defined] # a Genesys
            return sight

    with capture_logs() as logs:
        async with working(stage.place(genesys=Faulty(stage.cloud()))):
            bad, good = await stage.click(scenes["bad"]), await stage.click(scenes["good"])
            assert (await outcome_of(stage, good)).kind is K.DISCONNECTED
            outcome = await outcome_of(stage, bad)
    assert (outcome.kind, outcome.reason) == (K.FAILED, "poison")
    assert [one["where"] for one in logs if one["event"] == "fault.raised"] == [bad] * 3


async def test_a_fault_of_ours_in_a_claim(stage: Stage) -> None:
    """A bug in a claim is logged and tried again, at the pace of a store that is away; nothing else ends."""
    scene = await stage.scene()
    store = Meddler(stage.store, before=on("claim", raising(ValueError("odd record")), times=3))
    with capture_logs() as logs:
        async with working(stage.place(store=store)):
            action_id = await stage.click(scene)
            assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
    assert [one["where"] for one in logs if one["event"] == "fault.raised"] == [f"claim removals of {ORG}"] * 3


async def test_a_lost_lease_is_counted(stage: Stage) -> None:
    """A write that is refused because the lease is gone is counted and logged, and hurts nobody."""
    lost = counted("onhook_leases_lost_total", org=ORG)
    store = Meddler(stage.store, before=on("settle", raising(LeaseLost("settle"))))
    with capture_logs() as logs:
        async with working(stage.place(store=store)):
            action_id = await stage.click(await stage.scene())
            assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
    assert counted("onhook_leases_lost_total", org=ORG) == lost + 1
    assert [one["id"] for one in logs if one["event"] == "lease.lost"] == [action_id]


async def test_one_org_does_not_hold_up_another(stage: Stage) -> None:
    """An org whose every claim meets a fault of ours costs the others nothing."""

    class Faulty(Meddler):
        async def claim(self, org: str, *args: Any, **more: Any) -> Sequence[m.Claim]:  # noqa: ANN401 - as the port's
            if org != ORG:
                raise ValueError("odd record")
            claims: Sequence[m.Claim] = await self.port.claim(org, *args, **more)  # type: ignore[attr-defined] # a Store
            return claims

    place = stage.place(store=Faulty(stage.store))
    both = {**place.genesys, "other": stage.cloud()}
    async with working(replace(place, genesys=both, terms={org: m.Terms() for org in both})):
        action_id = await stage.click(await stage.scene())
        assert (await outcome_of(stage, action_id, most=3)).kind is K.DISCONNECTED


async def test_two_workers(stage: Stage) -> None:
    """Two workers share the clicks: each is done once."""
    scenes = [await stage.scene() for _ in range(8)]
    async with working(stage.place("w1")), working(stage.place("w2")):
        ids = [await stage.click(scene) for scene in scenes]
        for action_id in ids:
            assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
    assert [len(await scene.calls("PATCH")) for scene in scenes] == [1] * 8


async def test_never_hot(stage: Stage) -> None:
    """An idle worker asks the store about once a second and kind, and says every five that it is there; not more."""
    store = Meddler(stage.store)
    async with working(stage.place(store=store)):
        await stage.clock.sleep(60)
    assert 110 <= len([call for call in store.calls if call != "attend"]) <= 124
    assert 11 <= store.calls.count("attend") <= 13
