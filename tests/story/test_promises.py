"""One test for each numbered promise of the README, on every Redis there is: whole processes, seen from outside.

A Cluster has an org on each of its masters, and what happens in the one happens in all of them at once.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest

from service.store.embedded import EmbeddedRedis
from tests.fixtures.servers import BRANDS, CLUSTER, Cluster, program_of, slot_of
from tests.story.stage import EXTERNAL, Stage, eventually, staged

# one for each master of a Cluster
ORGS = ("play", "north", "south")


def staged_on(server: str) -> AbstractAsyncContextManager[Stage]:
    """Return a stage on which one kind of server plays; skips where it is not installed."""
    if server == CLUSTER:
        assert len({slot_of(org) * 3 // 16_384 for org in ORGS}) == 3
        return staged(Cluster, ORGS)
    return staged(partial(EmbeddedRedis, program=program_of(server)))


async def everywhere(stage: Stage, story: Callable[[Stage], Awaitable[None]]) -> None:
    """Let a story happen in every org at once."""
    await asyncio.gather(*map(story, stage.seats))


@pytest.fixture(scope="module")
async def stages() -> AsyncIterator[Mapping[str, Stage]]:
    """Give, by server, a stage with doors and one worker, for all that end none of them."""
    made: dict[str, Stage] = {}
    async with AsyncExitStack() as stack:
        for server in (*BRANDS, CLUSTER):
            try:
                stage = staged_on(server)
            except pytest.skip.Exception:
                continue
            made[server] = await stack.enter_async_context(stage)
            await asyncio.gather(made[server].serve(), made[server].work())
        yield made


@pytest.fixture(scope="module", autouse=True)
async def lost(stages: Mapping[str, Stage]) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Click where Genesys says 202 and does nothing: it takes half a minute to end, so the others go on meanwhile."""

    async def click(stage: Stage) -> tuple[str, dict[str, Any]]:
        conversation = await stage.conversation()
        await stage.switch(conversation, lost=True)
        return conversation, (await stage.post(stage.webhook(conversation))).json()

    return {server: await click(stage) for server, stage in stages.items()}


@pytest.fixture(params=[*BRANDS, CLUSTER])
def server(request: pytest.FixtureRequest) -> str:
    """Give the name of one kind of server that is installed."""
    if request.param != CLUSTER:
        program_of(request.param)
    return str(request.param)


@pytest.fixture
def stage(server: str, stages: Mapping[str, Stage]) -> Stage:
    """Give the stage of a server."""
    return stages[server]


async def test_promise_1_a_2xx_means_it_is_on_disk(server: str) -> None:
    """An action whose 2xx left is there after Redis was killed; while Redis is away the answer is an honest 503."""
    async with staged_on(server) as stage:
        await stage.serve()
        kept = [(seat, *await _click(seat)) for seat in stage.seats]
        await asyncio.to_thread(stage.kill_redis)
        await everywhere(stage, _is_refused)
        await asyncio.to_thread(stage.redis.start)
        await stage.work()
        for seat, ticket, receipt in kept:
            assert (await seat.settled(receipt))["outcome"]["kind"] == "disconnected"
            assert len(await seat.notes(ticket)) == 1


async def _click(stage: Stage) -> tuple[str, dict[str, Any]]:
    """Click; return the ticket and the receipt."""
    conversation, ticket = await stage.conversation(), await stage.ticket()
    return ticket, (await stage.post(stage.webhook(conversation, ticket=ticket))).json()


async def _is_refused(stage: Stage) -> None:
    began = time.monotonic()
    refused = await stage.post(stage.webhook(await stage.conversation()))
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert 5 <= int(refused.headers["retry-after"]) <= 30
    assert time.monotonic() - began < 3


async def test_promise_2_every_accepted_action_ends_also_while_paused(stage: Stage) -> None:
    """A click that waits out a pause expires truthfully, and its ticket is told."""
    paused = await stage.start("pause")
    assert await paused.process.wait() == 0
    await everywhere(stage, _waits_out_the_pause)
    resumed = await stage.start("resume")
    assert await resumed.process.wait() == 0


async def _waits_out_the_pause(stage: Stage) -> None:
    conversation, ticket = await stage.conversation(), await stage.ticket()
    body = stage.webhook(conversation, ticket=ticket)
    body["timestamp"] = _ago(118)
    account = await stage.settled((await stage.post(body)).json())
    assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("expired", "paused")
    assert "paused" in (await stage.notes(ticket))[0]
    assert not await stage.calls("PATCH", conversation)


async def test_promise_3_nobody_else(stage: Stage) -> None:
    """Of four people one goes, by the only mutating request there is, and the other three stay."""
    await everywhere(stage, _is_the_only_one)


async def _is_the_only_one(stage: Stage) -> None:
    conversation = await stage.conversation()
    account = await stage.settled((await stage.post(stage.webhook(conversation))).json())
    assert account["outcome"]["remaining"] == {"agent": 2, "external": 1}
    assert await stage.present(conversation) == ["agent", "agent", "external"]
    (caller,) = (one["id"] for one in await stage.people(conversation) if one["purpose"] == "customer")
    calls = await stage.calls(conversation=conversation)
    sent = [(call["method"], call["path"], call["body"]) for call in calls if call["method"] != "GET"]
    path = f"/api/v2/conversations/{conversation}/participants/{caller}"
    assert sent == [("PATCH", path, '{"state":"disconnected"}')]


async def test_promise_4_once_and_who_came_back_stays(stage: Stage) -> None:
    """Twenty deliveries of one click at once remove once; who comes back is not dropped for the old click."""
    await everywhere(stage, _goes_once)


async def _goes_once(stage: Stage) -> None:
    conversation, ticket = await stage.conversation(), await stage.ticket()
    body = stage.webhook(conversation, ticket=ticket)
    answers = await asyncio.gather(*(stage.post(body, webhook_id="msg_once") for _ in range(20)))
    receipts = [answer.json() for answer in answers]
    assert len({receipt["action"] for receipt in receipts}) == 1
    await stage.settled(receipts[0])
    (caller,) = (one["id"] for one in await stage.people(conversation) if one["purpose"] == "customer")
    where = f"{stage.play}/sandbox/conversations/{conversation}/events"
    await stage.client.post(where, json={"event": "rejoin", "participant_id": caller})
    assert (await stage.post(body, webhook_id="msg_once")).json()["action"] == receipts[0]["action"]
    assert await stage.present(conversation) == ["agent", "agent", "customer", "external"]
    assert len(await stage.calls("PATCH", conversation)) == 1
    assert len(await stage.notes(ticket)) == 1


async def test_promise_6_late_is_wrong(stage: Stage) -> None:
    """A click that is over two minutes old removes nobody, and the ticket says so."""
    await everywhere(stage, _is_late)


async def _is_late(stage: Stage) -> None:
    conversation, ticket = await stage.conversation(), await stage.ticket()
    body = stage.webhook(conversation, ticket=ticket)
    body["timestamp"] = _ago(121)
    account = await stage.settled((await stage.post(body)).json())
    assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("expired", "late")
    assert not await stage.calls(conversation=conversation)
    assert "too old" in (await stage.notes(ticket))[0]


# a lease has to end: half a minute for four servers, so two of them are for the full run
@pytest.mark.parametrize(
    "server",
    [*(pytest.param(brand, marks=pytest.mark.slow) for brand in BRANDS if brand != "redis-7"), "redis-7", CLUSTER],
    indirect=True,
)
async def test_promise_7_a_killed_workers_action_is_taken_up_again(server: str) -> None:
    """Kill -9 while Genesys has the PATCH and has not done it: another worker claims within 8 s, and it ends once."""
    async with staged_on(server) as stage:
        await stage.serve()
        first, second = await asyncio.gather(stage.work(), stage.work())
        # it has started, so that no start of a process is measured, and takes nothing until the other one is dead
        second.process.send_signal(signal.SIGSTOP)
        held = await asyncio.gather(*map(_is_sent, stage.seats))
        await first.end(signal.SIGKILL)
        killed_at = time.time()
        second.process.send_signal(signal.SIGCONT)
        for seat, (conversation, receipt) in zip(stage.seats, held, strict=True):
            account = await seat.settled(receipt)
            claims = [_seconds(entry["at"]) for entry in account["timeline"] if entry["verb"] == "claim"]
            assert 0 < claims[1] - killed_at <= 8
            assert account["outcome"]["kind"] == "disconnected"
            assert await seat.present(conversation) == ["agent", "agent", "external"]
            assert [call["effect"] for call in await seat.calls("PATCH", conversation)].count(True) == 1


async def _is_sent(stage: Stage) -> tuple[str, dict[str, Any]]:
    """Click, and return conversation and receipt when the PATCH is on its way."""
    conversation = await stage.conversation()
    # taken, and the connection cut without effect, long after the worker is dead
    rule = {"on": "disconnect", "cut": "before", "delay_seconds": 5}
    await stage.switch(conversation, answers=[rule])
    receipt: dict[str, Any] = (await stage.post(stage.webhook(conversation))).json()

    async def sent() -> bool | None:
        account = await stage.account(receipt)
        return True if account["sends"] else None

    await eventually(sent)
    return conversation, receipt


async def test_promise_8_a_duplicate_gets_the_same_answer(stage: Stage) -> None:
    """The same webhook, re-signed later, gets the same status and the same action; with another body, 422."""
    await everywhere(stage, _is_a_duplicate)


async def _is_a_duplicate(stage: Stage) -> None:
    conversation = await stage.conversation()
    body = stage.webhook(conversation)
    first = await stage.post(body, webhook_id="msg_same", at=time.time() - 60)
    await stage.settled(first.json())
    again = await stage.post(body, webhook_id="msg_same")
    assert (again.status_code, again.json()["action"]) == (first.status_code, first.json()["action"])
    assert (again.json()["status"], again.json()["outcome"]["kind"]) == ("duplicate", "disconnected")
    other = await stage.post(stage.webhook(conversation, caller_phone=EXTERNAL), webhook_id="msg_same")
    assert (other.status_code, other.json()["code"]) == (422, "delivery_conflict")


async def test_promise_9_nobody_gets_in(stage: Stage) -> None:
    """No signature, a wrong or old one, no such source: one and the same 401; an action's page needs its key."""
    await everywhere(stage, _gets_not_in)


async def _gets_not_in(stage: Stage) -> None:
    conversation = await stage.conversation()
    body = stage.webhook(conversation)
    unsigned = {"webhook-signature": "v1,AAAA"}
    answers = [
        await stage.client.post(f"{stage.door}/webhooks/desk", json=body),
        await stage.post(body, headers=unsigned),
        await stage.post(body, secret=b"x" * 32),
        await stage.post(body, at=time.time() - 301),
        await stage.post(body, source="nobody"),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    receipt = (await stage.post(stage.webhook(conversation, preview=True, caller_phone=EXTERNAL))).json()
    bare = httpx.URL(receipt["links"]["self"]).copy_with(query=b"key=" + b"0" * 32)
    assert (await stage.client.get(bare)).status_code == 404
    assert await stage.present(conversation) == ["agent", "agent", "customer", "external"]


async def test_promise_5_no_lies(server: str, stage: Stage, lost: Mapping[str, tuple[str, dict[str, Any]]]) -> None:
    """Genesys says 202 and nothing happens: that is never called disconnected, and "failed" waits until it is quiet."""
    conversation, receipt = lost[server]
    account = await stage.settled(receipt, seconds=60)
    assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("failed", "no_effect")
    patches = await stage.calls("PATCH", conversation)
    assert [call["status"] for call in patches] == [202, 202, 202]
    settle = next(entry for entry in account["timeline"] if entry["verb"] == "settle")
    assert _seconds(settle["at"]) - patches[-1]["at"] >= 10


def _ago(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
