"""The worker dies, or the store goes, before and after every step: another finishes it, with one effect and no lie."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import LeaseLost, StoreDown
from service.flow.workplace import Workplace
from tests.flow.meddler import Fate, Killed, Meddler, down, on, raising
from tests.flow.stage import ORG, Scene, Stage

K = m.OutcomeKind
Rule = dict[str, Any]
PATCH = "disconnect"
LEAST_POINTS = 17  # of an attempt whose removal was answered with 429; the others have more
ROUTES: dict[str, tuple[dict[str, object], Sequence[Rule]]] = {
    "202": ({"lag": 0.25}, ()),
    "202 with lag": ({"lag": 2.0}, ()),
    "202 late": ({"lag": 7.5}, ()),
    "202 after the answer is lost": ({"lag": 0.25}, ({"on": PATCH, "cut": "after"},)),
    "lost before the effect": ({"lag": 0.25}, ({"on": PATCH, "cut": "before"},)),
    "409 and present": ({"lag": 0.25}, ({"on": PATCH, "status": 409},)),
    "429": ({"lag": 0.25}, ({"on": PATCH, "status": 429, "headers": {"Retry-After": "1"}},)),
    "401": ({"lag": 0.25}, ({"on": PATCH, "status": 401},)),
    "500 with effect": ({"lag": 0.25}, ({"on": PATCH, "status": 500, "effect": True},)),
}


def fated(stage: Stage, fate: Fate, *, after: bool) -> Workplace:
    """A workplace one of whose steps is fated: to die or lose the store before, or right after it was done."""
    hooks = {"after": fate.step} if after else {"before": fate.step}
    store = Meddler(stage.store, **hooks)
    cloud = stage.place("doomed").genesys[ORG]
    return stage.place("doomed", store=store, budget=store, genesys=Meddler(cloud, **hooks))


async def every_point(
    stage: Stage, route: str, made: Callable[[], BaseException], caught: type[BaseException]
) -> list[tuple[str, Scene, str]]:
    """Run one attempt for every point at which it can be struck, until none is left to strike."""
    struck = []
    (more, rules), number, after = ROUTES[route], 0, False
    while True:
        scene = await stage.scene(**more)  # type: ignore[arg-type] # a lag
        await scene.answers(*rules)
        action_id = await stage.click(scene)
        fate = Fate(number, made)
        place = fated(stage, fate, after=after)
        try:
            for attempt in await stage.attempts(place):
                await attempt.run()
        except caught:
            assert fate.is_met
        struck.append((f"{'after' if after else 'before'} {fate.steps[-1]} ({number})", scene, action_id))
        await check(stage, struck[-1])
        number += 1
        if not fate.is_met:
            if after:
                return struck
            number, after = 0, True


async def check(stage: Stage, struck: tuple[str, Scene, str]) -> None:
    """Another worker finishes it: one effect, one outcome, told as ours."""
    where, scene, action_id = struck
    others = {p["id"] for p in scene.people} - {scene.id()}
    outcome = await stage.finish(action_id, stage.place("second"))
    assert (outcome.kind, outcome.reason) == (K.DISCONNECTED, "confirmed"), where
    assert await scene.effects() == 1, where
    present = await scene.present()
    assert (len(present), present <= others) == (3, True), where
    account = await stage.account(action_id)
    assert [entry.verb for entry in account.timeline].count("settle") <= 1, where
    assert account.action.settled_at - account.action.received_at <= 30_000, where
    assert stage.owner(scene) == "", where
    await stage.clock.sleep(30)


@pytest.mark.parametrize("route", ROUTES)
async def test_the_worker_dies(stage: Stage, route: str) -> None:
    """Killed before or after any step: taken up at lease end, one removal takes effect, and it is told as ours."""
    points = await every_point(stage, route, Killed, Killed)
    assert len(points) >= LEAST_POINTS


@pytest.mark.parametrize("route", ["202", "202 after the answer is lost", "409 and present", "429"])
async def test_the_store_goes(stage: Stage, route: str) -> None:
    """The store away before any step, or its answer lost after it: the attempt ends, and is finished later."""
    points = await every_point(stage, route, down, StoreDown)
    assert len(points) >= LEAST_POINTS


async def test_a_killed_worker_is_followed_within_eight_seconds(stage: Stage) -> None:
    """What a killed worker held comes due by itself, when its lease ends."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    place = fated(stage, Fate(3, Killed), after=False)
    (attempt,) = await stage.attempts(place)
    with pytest.raises(Killed):
        await attempt.run()
    assert 5.9 <= stage.due_in(action_id) <= 6.0
    outcome = await stage.finish(action_id)
    account = await stage.account(action_id)
    assert (outcome.kind, account.action.lapses) == (K.DISCONNECTED, 1)


async def test_lost_leases_are_not_written_over(stage: Stage) -> None:
    """A step that answers that the lease is lost ends the attempt there."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    for attempt in await stage.attempts(fated(stage, Fate(5, LeaseLost), after=False)):
        with pytest.raises(LeaseLost):
            await attempt.run()
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_mark_that_nobody_confirmed_is_given_back(stage: Stage, lost: str) -> None:
    """Whether it stands or not: nothing left, so the action is due again in a second, unmarked, and is no lapse."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    hook = on("mark_sent", raising(down()))
    place = stage.place(store=Meddler(stage.store, hook) if lost == "before" else Meddler(stage.store, after=hook))
    (attempt,) = await stage.attempts(place)
    with pytest.raises(StoreDown):
        await attempt.run()
    assert stage.due_in(action_id) == 1.0
    assert not stage.owner(scene)
    outcome = await stage.finish(action_id)
    account = await stage.account(action_id)
    assert (outcome.kind, account.action.lapses, len(account.action.sends)) == (K.DISCONNECTED, 0, 1)


async def test_a_mark_that_cannot_be_given_back_stands(stage: Stage) -> None:
    """A mark that the store could not take back is found later, and looked at before anything is sent."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    store = Meddler(stage.store, on("unsent", raising(down())), on("mark_sent", raising(down())))
    (attempt,) = await stage.attempts(stage.place(store=store))
    with pytest.raises(StoreDown):
        await attempt.run()
    assert stage.due_in(action_id) == 1.0
    outcome = await stage.finish(action_id)
    account = await stage.account(action_id)
    assert (outcome.kind, len(account.action.sends)) == (K.DISCONNECTED, 2)


@pytest.mark.parametrize("step", ["spend", "settle"])
async def test_outages_make_no_poison(stage: Stage, step: str) -> None:
    """However often the store is away in an attempt: it is given back when the store answers, and is no lapse."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    for _ in range(4):
        hook = on(step, raising(down()))
        ports = Meddler(stage.store, before=hook)
        for attempt in await stage.attempts(stage.place(store=ports, budget=ports)):
            with contextlib.suppress(StoreDown):
                await attempt.run()
        assert (await stage.account(action_id)).action.lapses == 0
        await stage.clock.sleep(max(stage.due_in(action_id), 0.0))
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED
    assert await scene.effects() == 1


async def test_an_outage_longer_than_the_lease(stage: Stage) -> None:
    """Who cannot give back what it held lets it go: it comes due by itself, and another finishes it."""
    scene = await stage.scene()
    action_id = await stage.click(scene)

    def away(name: str) -> None:
        if name in {"answered", "put_back"}:
            raise down()

    store = Meddler(stage.store, before=away)
    (attempt,) = await stage.attempts(stage.place(store=store))
    began = stage.clock.monotonic()
    with pytest.raises(StoreDown):
        await attempt.run()
    assert store.calls.count("put_back") > 5
    assert 6.0 <= stage.clock.monotonic() - began <= 7.0
    assert stage.due_in(action_id) <= 0
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED


async def test_who_is_told_to_end_does_not_wait_for_the_store(stage: Stage) -> None:
    """A process that ends while the store is away lets go of what it held; it comes due by itself."""
    action_id = await stage.click(await stage.scene())

    def away(name: str) -> None:
        if name in {"answered", "put_back"}:
            place.stopping.set()
            raise down()

    place = stage.place(store=Meddler(stage.store, before=away))
    (attempt,) = await stage.attempts(place)
    began = stage.clock.monotonic()
    with pytest.raises(StoreDown):
        await attempt.run()
    assert stage.clock.monotonic() - began < 1
    assert 5.9 <= stage.due_in(action_id) <= 6.0
    assert (await stage.finish(action_id)).kind is K.DISCONNECTED


async def test_what_another_took_meanwhile_is_not_given_back(stage: Stage) -> None:
    """An attempt that lost its lease while the store was away writes nothing of it any more."""
    action_id = await stage.click(await stage.scene())
    store = Meddler(stage.store, on("put_back", raising(LeaseLost("another's"))))
    store = Meddler(store, before=on("answered", raising(down())))
    (attempt,) = await stage.attempts(stage.place(store=store))
    with pytest.raises(StoreDown):
        await attempt.run()
    assert 5.9 <= stage.due_in(action_id) <= 6.0
