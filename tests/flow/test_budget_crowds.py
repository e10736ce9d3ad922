"""What a crowd of clicks may ask of Genesys, in minutes that pass when everybody waits; all else is real."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Sequence

import httpx
import pytest

from service.core import model as m
from tests.flow.crowd import CALL_SECONDS, Crowd, kinds, most_in, too_early
from tests.flow.stage import ORG, URL, Scene, Stage

RETRY_AFTER = 5
PATIENT_SECONDS = 400.0
SLOW = [{"on": kind, "times": None, "delay_seconds": CALL_SECONDS} for kind in ("look", "disconnect")]


def tell(**figures: object) -> None:
    """Print what was measured."""
    sys.stdout.write(f"{figures}\n")


@pytest.mark.parametrize("lag, most", [(0.0, 3), (0.2, 3), (0.5, 4), (1.0, 5)])
async def test_calls_of_a_removal(stage: Stage, lag: float, most: int) -> None:
    """A removal is a look, a PATCH and a confirming look where the state does not lag, five calls where it lags 1 s."""
    await stage.switch(answers=SLOW)
    scene = await stage.scene(lag=lag)
    outcome = await stage.finish(await stage.click(scene))
    calls = [call["method"] for call in await scene.calls()]
    tell(lag=lag, calls=calls)
    assert outcome.kind is m.OutcomeKind.DISCONNECTED
    assert calls == ["GET", "PATCH", *["GET"] * (most - 2)]


@pytest.mark.parametrize("workers", [1, 3])
async def test_two_hundred_clicks_in_a_minute(stage: Stage, workers: int) -> None:
    """Half of them duplicates: all that the budget allows is done, once each, and nobody asks before he may."""
    await stage.switch(answers=SLOW, rate_limit=300)
    crowd = Crowd(stage)
    throttled = {"on": "look", "status": 429, "headers": {"Retry-After": str(RETRY_AFTER)}}
    async with crowd.working(*(f"w{number}" for number in range(workers))):
        storming = asyncio.create_task(crowd.storm(200, 60.0))
        for _ in range(3):
            await stage.clock.sleep(15)
            await list(crowd.clicks.values())[-1].answers(throttled)
        await storming
        accounts = await crowd.ended(PATIENT_SECONDS)
    calls, ends = await crowd.calls(), kinds(accounts)
    refused = [call for call in calls if call["status"] == 429]
    took = [account.action.settled_at - account.action.received_at for account in accounts]
    tell(workers=workers, calls=len(calls), refused=len(refused), ends=dict(ends), longest_ms=max(took))
    assert set(ends) <= {"disconnected", "already_gone", "expired"}
    assert ends["disconnected"] >= 0.95 * 100
    assert [sum(call["effect"] is True for call in await scene.calls()) for scene in set_of(crowd)] == [1] * 100
    assert 0 < len(refused) <= 0.02 * len(calls)
    assert too_early(calls, RETRY_AFTER) == 0


def set_of(crowd: Crowd) -> list[Scene]:
    """Return each conversation once."""
    return list({scene.cid: scene for scene in crowd.clicks.values()}.values())


def ran_out_in_a_look(accounts: Sequence[m.Account], action_id: str) -> bool:
    """Whether the click became too old between a look and its answer."""
    (account,) = [one for one in accounts if one.action.id == action_id]
    looks = [entry for entry in account.timeline if entry.verb == "look"]
    return any(look.at < account.action.not_after <= look.at + look.duration_ms for look in looks)


async def test_more_clicks_than_the_budget_carries(stage: Stage) -> None:
    """Far more people than calls, two workers: what the budget allows is done, and the rest expires truthfully."""
    await stage.switch(answers=SLOW, rate_limit=300)
    crowd = Crowd(stage, max_age=20.0)
    async with crowd.working("w1", "w2"):
        await crowd.storm(160, 24.0, twice=False)
        accounts = await crowd.ended(PATIENT_SECONDS)
    calls, ends = await crowd.calls(), kinds(accounts)
    refused = sum(call["status"] == 429 for call in calls)
    # from the first click to the end of the last one's time, three calls a removal
    allowed = math.floor(300 * (24 + 20) / 60 / 3)
    expired = [one.action for one in accounts if one.action.outcome and one.action.outcome.kind.value == "expired"]
    tell(calls=len(calls), refused=refused, ends=dict(ends), allowed=allowed, most_in_a_minute=most_in(calls, 60))
    assert set(ends) == {"disconnected", "expired"}
    assert ends["disconnected"] >= 0.95 * allowed
    assert refused <= 0.02 * len(calls)
    for action in expired:
        assert action.sends == ()
        # who got his look in the last moment, and was late when it was answered, was not held up by then
        is_busy = not ran_out_in_a_look(accounts, action.id)
        assert action.outcome is not None
        assert action.outcome.reason == ("busy" if is_busy else "late")
        assert await stage.notes(crowd.tickets[action.id])
        assert await crowd.clicks[action.id].effects() == 0
        assert crowd.clicks[action.id].id() in await crowd.clicks[action.id].present()


async def test_a_storm_on_one_org_is_no_other_orgs(stage: Stage) -> None:
    """While one org has far more clicks than its budget carries, another one's are done as fast as without it."""
    await stage.switch(answers=SLOW, rate_limit=300)
    stormy, calm = Crowd(stage, max_age=30.0), Crowd(stage, org="calm", source="calm-desk")
    async with stormy.working("w1"), calm.working("w1"):
        await calm.storm(10, 20.0, twice=False)
        alone = set(calm.clicks)
        await asyncio.gather(stormy.storm(100, 20.0, twice=False), calm.storm(20, 20.0, twice=False))
        accounts = await calm.ended(10)
    took = {one.action.id: (one.action.settled_at - one.action.received_at) / 1000 for one in accounts}
    before = max(took[action_id] for action_id in alone)
    during = max(seconds for action_id, seconds in took.items() if action_id not in alone)
    tell(longest_alone=before, longest_beside_a_storm=during, beside=len(took) - len(alone))
    assert set(kinds(accounts)) == {"disconnected"}
    assert during <= before + 0.2


async def test_an_org_that_has_less(stage: Stage) -> None:
    """An org whose headers say that a minute has fewer calls is not asked more often: it never has to say 429."""
    allowed = 100
    await stage.switch(answers=SLOW, rate_limit=allowed)
    crowd = Crowd(stage, max_age=150.0)
    async with crowd.working("w1"):
        await crowd.storm(80, 20.0, twice=False)
        accounts = await crowd.ended(PATIENT_SECONDS)
    calls, ends = await crowd.calls(), kinds(accounts)
    refused = sum(call["status"] == 429 for call in calls)
    began = min(call["at"] for call in calls)
    windows = [sum(began + 60 * n <= call["at"] < began + 60 * (n + 1) for call in calls) for n in range(3)]
    tell(allowed=allowed, refused=refused, ends=dict(ends), windows=windows)
    assert refused == 0
    assert 0.9 * allowed <= windows[1] <= allowed
    assert max(windows) <= allowed
    assert ends["disconnected"] == 80


async def test_another_client_of_the_same_token(stage: Stage) -> None:
    """What somebody else spends under our token is left to him: the both of us hardly meet a 429."""
    await stage.switch(answers=SLOW, rate_limit=300)
    crowd = Crowd(stage, max_age=60.0)
    theirs: list[int] = []
    async with (
        crowd.working("w1") as (cloud,),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=stage.app), base_url=URL) as client,
    ):
        token = await cloud._login.token()

        async def spend(seconds: float) -> None:
            for _ in range(round(seconds / 0.3)):
                path = f"/api/v2/conversations/{scene.cid}"
                theirs.append((await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code)
                await stage.clock.sleep(0.3 - CALL_SECONDS)

        scene = await stage.scene()
        await asyncio.gather(spend(120), crowd.storm(120, 60.0, twice=False))
        accounts = await crowd.ended(PATIENT_SECONDS)
    calls, ends = await crowd.calls(), kinds(accounts)
    refused = sum(call["status"] == 429 for call in calls)
    tell(ours=len(calls), refused=refused, theirs=len(theirs), theirs_refused=theirs.count(429), ends=dict(ends))
    assert theirs.count(429) <= 0.02 * len(theirs)
    assert refused <= 0.02 * len(calls)
    # of 300 a minute he takes 200; each removal takes three of what is left
    assert ends["disconnected"] >= 0.9 * (300 * 2 - len(theirs)) / 3


async def test_a_pause_longer_than_the_clicks_live(stage: Stage) -> None:
    """Pause, five hundred clicks, resume when all are too late: Genesys is not asked once, and each ticket says why."""
    crowd = Crowd(stage)
    await stage.store.pause(ORG)
    async with crowd.working("w1"):
        await crowd.storm(500, 50.0, twice=False)
        await stage.clock.sleep(121)
        await stage.store.resume(ORG)
        accounts = await crowd.ended(60)
    assert await crowd.calls() == []
    assert {(one.action.outcome.kind.value, one.action.outcome.reason) for one in accounts if one.action.outcome} == {
        ("expired", "paused")
    }
    notes = [await stage.notes(ticket) for ticket in crowd.tickets.values()]
    tell(notes=len(notes), said=notes[0])
    assert len(notes) == 500
    assert all(len(of_one) == 1 and "paused" in of_one[0] for of_one in notes)
