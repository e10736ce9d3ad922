"""Three masters with an org on each, seen from outside while a node dies and while slots move: whole processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.fixtures.servers import Cluster, said_no, state_of, until
from tests.store.test_cluster import Move
from tests.story.stage import Stage, eventually, staged

ORGS = ("play", "north", "south")
REFUSED_SECONDS = 4.0  # two, and as much again for whole processes beside other tests: as in fire.py


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Give a stage with doors and a worker on three masters, each with a replica; who breaks it for good comes last."""
    async with staged(partial(Cluster, replicas_wanted=3), ORGS) as made:
        await asyncio.gather(made.serve(), made.work())
        yield made


def _cluster(stage: Stage) -> Cluster:
    assert isinstance(stage.redis, Cluster)
    return stage.redis


def _seats(stage: Stage) -> dict[str, Stage]:
    return dict(zip(ORGS, stage.seats, strict=True))


async def _clicked(stage: Stage, *, webhook_id: str = "") -> tuple[str, dict[str, Any]]:
    """Click as a ticketing system does: again and again until it is taken; return conversation and receipt."""
    conversation = await stage.conversation()
    body = stage.webhook(conversation)

    async def taken() -> dict[str, Any] | None:
        began = time.monotonic()
        answer = await stage.post(body, webhook_id=webhook_id or f"msg_{conversation}")
        assert answer.status_code == 202 or (answer.status_code == 503 and "retry-after" in answer.headers), answer.text
        assert answer.status_code == 202 or time.monotonic() - began < REFUSED_SECONDS
        return answer.json() if answer.status_code == 202 else None

    return conversation, await eventually(taken, 60)


async def _removes(stage: Stage) -> None:
    conversation, receipt = await _clicked(stage)
    account = await stage.settled(receipt, 60)
    assert account["outcome"]["kind"] == "disconnected"
    assert await stage.present(conversation) == ["agent", "agent", "external"]
    assert [call["effect"] for call in await stage.calls("PATCH", conversation)].count(True) == 1


async def test_each_master_is_looked_at(stage: Stage) -> None:
    """Whichever master would forget at a power cut, the doors are not ready and say which; when mended they are."""
    serving = await stage.start("serve")
    private = [await serving.url("public"), await serving.url("private")][1]

    async def readyz() -> httpx.Response:
        return await stage.client.get(f"{private}/readyz")

    assert (await eventually(partial(_ready, readyz, 200))).json()["faults"] == []
    for node in _cluster(stage).masters:
        await asyncio.to_thread(node.ask, "CONFIG", "SET", "appendfsync", "everysec")
        (fault,) = (await eventually(partial(_ready, readyz, 503))).json()["faults"]
        assert node.address in fault
        await asyncio.to_thread(node.ask, "CONFIG", "SET", "appendfsync", "always")
        await eventually(partial(_ready, readyz, 200))


async def _ready(readyz: Any, status: int) -> httpx.Response | None:  # noqa: ANN401 - a function without arguments
    answer: httpx.Response = await readyz()
    return answer if answer.status_code == status else None


@pytest.mark.slow
async def test_commands_work_on_a_cluster(stage: Stage) -> None:
    """`pause`, `resume` and `send` do on a Cluster what they do elsewhere, in every org."""
    paused = await stage.start("pause")
    assert await paused.process.wait() == 0
    held = await asyncio.gather(*map(_clicked, stage.seats))
    for seat, (conversation, receipt) in zip(stage.seats, held, strict=True):
        assert not await seat.calls("PATCH", conversation)
        assert (await seat.account(receipt))["outcome"] is None
    resumed = await stage.start("resume")
    assert await resumed.process.wait() == 0
    for seat, (conversation, receipt) in zip(stage.seats, held, strict=True):
        assert (await seat.settled(receipt))["outcome"]["kind"] == "disconnected"
        assert await seat.present(conversation) == ["agent", "agent", "external"]
    for seat in stage.seats:
        said = ("--source", seat.source, "--conversation", await seat.conversation(), "--phone", "+14155550123")
        sending = await stage.start("send", *said, "--url", stage.door, "--wait", "20")
        assert await sending.process.wait() == 0


@pytest.mark.slow
async def test_a_cluster_that_is_down_is_an_honest_503(stage: Stage) -> None:
    """While a slot has no node no org is promised anything, and each hears so in time; when it is back all goes on."""
    cluster = _cluster(stage)
    await asyncio.gather(*map(_removes, stage.seats))
    south = cluster.masters.index(cluster.master_of("south"))
    for node in (cluster.replicas[south], cluster.masters[south]):
        await asyncio.to_thread(node.kill)
    await asyncio.to_thread(until, lambda: "cluster_state:fail" in state_of(cluster.master_of("play")) or None)
    began = time.monotonic()
    bodies = [seat.webhook(await seat.conversation()) for seat in stage.seats]
    answers = await asyncio.gather(*(seat.post(body) for seat, body in zip(stage.seats, bodies, strict=True)))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "store_down")] * 3
    assert all(5 <= int(answer.headers["retry-after"]) <= 30 for answer in answers)
    assert time.monotonic() - began < REFUSED_SECONDS
    for node in (cluster.masters[south], cluster.replicas[south]):
        await asyncio.to_thread(node.start)
    await asyncio.gather(*map(_removes, stage.seats))


async def test_a_master_dies_and_its_replica_takes_over(stage: Stage) -> None:
    """The others' orgs notice nothing; the dead master's hear 503 in time, and then all goes on without a restart."""
    cluster, seats = _cluster(stage), _seats(stage)
    await asyncio.gather(*map(_removes, stage.seats))
    dead = cluster.master_of("south")
    await asyncio.to_thread(dead.kill)
    others = asyncio.gather(*(_removes(seats[org]) for org in ("play", "north")))
    await _removes(seats["south"])
    await others
    await asyncio.gather(*map(_removes, stage.seats))
    assert cluster.replicas[cluster.masters.index(dead)].ask("ROLE")[0] == "master"


async def test_slots_move_while_people_click() -> None:
    """While every org's slot moves to a new node, clicks are taken or refused; each taken one ends once."""
    async with staged(Cluster, ORGS) as stage:
        await asyncio.gather(stage.serve(), stage.work())
        cluster = _cluster(stage)
        new = await asyncio.to_thread(cluster.add)
        clicks = [asyncio.create_task(_removes(seat)) for seat in stage.seats for _ in range(4)]
        for org in ORGS:
            move = await asyncio.to_thread(Move, cluster, org, new)
            for _ in range(5):
                await asyncio.to_thread(move.move, move.left()[::2])
                clicks += [asyncio.create_task(_removes(seat)) for seat in stage.seats]
            await asyncio.to_thread(move.end)
        await asyncio.gather(*clicks)
        assert len(clicks) == 57
        assert new.ask("DBSIZE") > 0
        # it was under way while they asked, and they were sent on
        assert said_no(cluster.nodes, "ASK", "TRYAGAIN") > 0
        assert said_no(cluster.nodes, "MOVED") > 0
