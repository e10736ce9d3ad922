"""Redis goes away and comes back, as real processes do: nothing that was promised is lost, nobody waits for long."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service.core import model as m
from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.embedded import EmbeddedRedis
from service.store.redis import RedisStore
from service.store.waiter import WakeWaiter
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.store.stories import GONE, ORG, digest, offered


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a state directory."""
    made = short_folder()
    yield made
    shutil.rmtree(made)


def _kill(server: EmbeddedRedis) -> None:
    """Kill the server as a power button does; only this one."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
    server.stop()


async def test_away_and_back(folder: Path, dice: CountingDice) -> None:
    """Without Redis there is StoreDown within two seconds; when it is back the same store carries on."""
    server = EmbeddedRedis(folder).start()
    link = Link(connect(server.url), HandClock())
    store = RedisStore(link, dice)
    offer = offered(dice)
    await store.accept(offer)
    server.stop()
    began = time.monotonic()
    results = await asyncio.gather(
        store.accept(offered(dice, 2)), store.claim(ORG, "w1", dice.token(), 5), return_exceptions=True
    )
    assert time.monotonic() - began < 2.5
    assert [type(result) for result in results] == [StoreDown, StoreDown]
    with EmbeddedRedis(folder):
        (claim,) = await store.claim(ORG, "w1", dice.token(), 5)
        assert claim.action.id == offer.action_id
        await store.settle(claim.lease, GONE, 0.0, ())
        await link.aclose()


async def test_a_short_absence_is_not_noticed(folder: Path, dice: CountingDice) -> None:
    """What is asked while Redis restarts is answered when it is back, if that is within two seconds."""
    server = EmbeddedRedis(folder).start()
    link = Link(connect(server.url), HandClock())
    store = RedisStore(link, dice)
    await store.accept(offered(dice))
    server.stop()
    asked = asyncio.create_task(store.claim(ORG, "w1", dice.token(), 5))
    with await asyncio.to_thread(EmbeddedRedis(folder).start):
        assert len(await asked) == 1
        await link.aclose()


async def test_what_was_accepted_survives_a_kill(folder: Path, dice: CountingDice) -> None:
    """Whatever was answered before a kill -9 of Redis is there after it; what was not, can be asked again."""
    server = EmbeddedRedis(folder).start()
    clock = HandClock()
    link = Link(connect(server.url), clock)
    store = RedisStore(link, dice)
    offers = [offered(dice, word) for word in range(300)]
    tasks = []
    for offer in offers:
        tasks.append(asyncio.create_task(store.accept(offer)))
        await asyncio.sleep(0)
        if len(tasks) == 200:
            await tasks[100]
            _kill(server)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    with EmbeddedRedis(folder):
        promised = [offer for offer, result in zip(offers, results, strict=True) if isinstance(result, m.Receipt)]
        assert len(promised) > 100
        for offer in promised:
            assert await store.read(offer.action_id) is not None
        for offer in offers:
            assert (await store.accept(offer)).action_id == offer.action_id
        await link.aclose()


async def test_wakes_arrive_when_redis_is_back(folder: Path, dice: CountingDice) -> None:
    """A waiter survives Redis going away: when it is back everybody looks, and wakes arrive."""
    server = EmbeddedRedis(folder).start()
    clock = HandClock()
    link = Link(connect(server.url), clock)
    store = RedisStore(link, dice)
    async with WakeWaiter(server.url, clock) as waiter:
        await waiter.for_due(ORG, "removals", 0.2)
        server.stop()
        waiting = asyncio.create_task(waiter.for_due(ORG, "removals", 30))
        await asyncio.sleep(0)
        with EmbeddedRedis(folder):
            await asyncio.wait_for(waiting, 10)
            waiting = asyncio.create_task(waiter.for_due(ORG, "removals", 30))
            await store.accept(offered(dice, digest("new")))
            await asyncio.wait_for(waiting, 10)
            await link.aclose()
