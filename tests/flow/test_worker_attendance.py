"""A worker says that it is there: with what it has in hand and how its token stands, and at nobody's cost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from structlog.testing import capture_logs

from service.core import model as m
from service.flow.worker import ATTEND_SECONDS
from service.store.ledger import RedisLedger
from tests.flow.meddler import Meddler, down, on, raising
from tests.flow.stage import ORG, Stage
from tests.flow.test_worker import SlowLook, outcome_of, working


async def _there(stage: Stage) -> m.Attendance:
    (one,) = await RedisLedger(stage.runner, now_ms=stage.clock.now).workers(ORG)
    return one


async def test_what_a_worker_says(stage: Stage) -> None:
    """Who looks sees what a worker has in hand, when it asked for more, and how long its token is good for."""
    place = replace(stage.place(genesys=SlowLook(stage, 12)), tokens={ORG: lambda: (90.0, "")})
    async with working(place):
        await stage.clock.sleep(1)
        first = await _there(stage)
        assert (first.worker, first.busy, first.token_until - first.seen_at) == ("w1", 0, 90_000)
        await stage.click(await stage.scene())
        await stage.clock.sleep(ATTEND_SECONDS + 1)
        second = await _there(stage)
        assert (second.busy, second.token_fault) == (1, "")
        assert 0 <= second.seen_at - second.claimed_at <= 1_100
        assert second.seen_at > first.seen_at


async def test_why_there_is_no_token(stage: Stage) -> None:
    """Where an org has no token it is said why, in words."""
    place = replace(stage.place(), tokens={ORG: lambda: (0.0, "the login refused the client id or secret")})
    async with working(place):
        await stage.clock.sleep(1)
        there = await _there(stage)
    assert (there.token_until, there.token_fault) == (0, "the login refused the client id or secret")


async def test_nobody_waits_for_it(stage: Stage) -> None:
    """A store that does not take it, and a fault of ours in it, cost no removal anything; it is said again soon."""
    down_once, odd_once = on("attend", raising(down())), on("attend", raising(ValueError("odd token")))
    store = Meddler(Meddler(stage.store, before=odd_once), before=down_once)
    with capture_logs() as logs:
        async with working(stage.place(store=store)):
            action_id = await stage.click(await stage.scene())
            assert (await outcome_of(stage, action_id)).kind is m.OutcomeKind.DISCONNECTED
            await stage.clock.sleep(3 * ATTEND_SECONDS)
            assert (await _there(stage)).worker == "w1"
    assert [one["where"] for one in logs if one["event"] == "fault.raised"] == [f"attend {ORG}"]


async def test_it_ends_with_the_worker(stage: Stage) -> None:
    """A worker that is told to stop does not wait until it is time to say again that it is there."""
    began = stage.clock.monotonic()
    async with working(stage.place()):
        await asyncio.sleep(0)
    assert stage.clock.monotonic() - began < ATTEND_SECONDS
