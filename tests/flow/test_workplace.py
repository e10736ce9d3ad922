"""A lease is kept alive while its work goes on, and not a moment longer."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import LeaseLost, StoreDown
from service.core.rules import LEASE_SECONDS
from service.flow.workplace import Workplace
from tests.flow.stage import ORG, Stage, policy

LEASE = m.Lease(ORG, f"{ORG}.{'0' * 26}", "0" * 32)


class Renewals:
    """Somebody who renews a lease, or fails to; each failure takes its time."""

    def __init__(self, place: Workplace, *faults: Exception, seconds: float = 0.0) -> None:
        self.place, self.faults, self.seconds = place, list(faults), seconds
        self.moments: list[float] = []

    async def renew(self, lease: m.Lease) -> None:
        assert lease is LEASE
        self.moments.append(round(self.place.clock.monotonic() - 1000, 1))
        if self.faults:
            await self.place.clock.sleep(self.seconds)
            raise self.faults.pop(0)


async def test_renewed_while_it_lasts(stage: Stage) -> None:
    """A lease is renewed every two seconds, from the beginning to the end of the block, and never after."""
    place = stage.place()
    renewals = Renewals(place)
    async with place.renewing(LEASE, renewals.renew):
        await stage.clock.sleep(7)
    await stage.clock.sleep(10)
    assert renewals.moments == [2.0, 4.0, 6.0]


async def test_a_lost_lease_is_not_asked_for_again(stage: Stage) -> None:
    """A lease that is lost stays lost; the work goes on to its next write, which is refused."""
    place = stage.place()
    renewals = Renewals(place, LeaseLost("over"))
    async with place.renewing(LEASE, renewals.renew):
        await stage.clock.sleep(9)
    assert renewals.moments == [2.0]


async def test_two_renewals_may_fail(stage: Stage) -> None:
    """A store that takes its two seconds to say no is asked again before the lease is over."""
    place = stage.place()
    renewals = Renewals(place, StoreDown("no"), seconds=2.0)
    with capture_logs() as logs:
        async with place.renewing(LEASE, renewals.renew):
            await stage.clock.sleep(9)
    assert renewals.moments == [2.0, 4.0, 6.0, 8.0]
    assert renewals.moments[1] < LEASE_SECONDS
    assert [(one["event"], one["during"]) for one in logs] == [("store.lost", "renew")]


async def test_a_store_that_refuses_at_once_is_not_pressed(stage: Stage) -> None:
    """A store that says no at once is asked every two seconds all the same."""
    place = stage.place()
    renewals = Renewals(place, *(StoreDown("no") for _ in range(3)))
    async with place.renewing(LEASE, renewals.renew):
        await stage.clock.sleep(7)
    assert renewals.moments == [2.0, 4.0, 6.0]


async def test_a_fault_of_ours_is_seen(stage: Stage) -> None:
    """A bug in a renewal is logged, and the next one is tried."""
    place = stage.place()
    renewals = Renewals(place, ValueError("odd"))
    with capture_logs() as logs:
        async with place.renewing(LEASE, renewals.renew):
            await stage.clock.sleep(5)
    assert renewals.moments == [2.0, 4.0]
    assert [(one["event"], one["where"]) for one in logs] == [("fault.raised", LEASE.id)]


async def test_the_end_does_not_wait_for_a_renewal(stage: Stage) -> None:
    """A renewal that hangs does not hold up the end of the work, and is gone with it."""
    place = stage.place()
    before = asyncio.all_tasks()
    renewals = Renewals(place, StoreDown("no"), seconds=100)
    async with place.renewing(LEASE, renewals.renew):
        await stage.clock.sleep(3)
    assert place.clock.monotonic() - 1000 < 3.1
    assert asyncio.all_tasks() == before


async def test_a_fault_in_the_block_is_passed_on(stage: Stage) -> None:
    """What goes wrong in the work is what its caller hears, and the renewing ends."""
    place = stage.place()
    before = asyncio.all_tasks()
    with pytest.raises(KeyError):
        async with place.renewing(LEASE, Renewals(place).renew):
            raise KeyError("oops")
    assert asyncio.all_tasks() == before


async def test_renewing_beside_the_end(stage: Stage) -> None:
    """A renewal that arrives after the action was put back or settled changes nothing: the lease is over."""
    scene = await stage.scene()
    action_id = await stage.click(scene)
    (attempt,) = await stage.attempts(stage.place())
    lease = attempt._lease
    await stage.store.put_back(lease, 5.0, m.Progress(), ())
    with pytest.raises(LeaseLost):
        await stage.store.renew(lease)
    assert stage.due_in(action_id) == pytest.approx(5.0, abs=0.01)


async def test_a_look_is_paid_where_everybody_may_ask(stage: Stage) -> None:
    """Who is refused without a look takes no call from the budget: so where some are, no claim takes a look along."""
    narrow = m.Limits(requesters=frozenset({"beth"}))
    assert stage.place().looks_first(ORG)
    assert not stage.place(narrowings={"desk": narrow}).looks_first(ORG)
    assert not stage.place(terms={ORG: policy(requesters=frozenset({"beth"}))}).looks_first(ORG)
    stage.sources["theirs"] = stage.source("theirs", org="other")
    assert stage.place(narrowings={"theirs": narrow}).looks_first(ORG)
