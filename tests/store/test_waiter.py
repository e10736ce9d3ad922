"""Wakes arrive, a lost one costs no more than the time asked for, and Redis may go away and come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import redis

from service.core import model as m
from service.store.embedded import SOCKET, EmbeddedRedis
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.store.waiter import LOT, SETTLED_MOST, WakeWaiter
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.store.stories import GONE, ORG, offered
from tests.store.wire import Wire

# long enough that no machine is so slow, so a wait that ends before was woken
LONG = 30.0
KEYS = Keys()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder for a socket."""
    made = short_folder()
    yield made
    made.rmdir()


@pytest.fixture
async def wire(redis_client: redis.Redis, redis_server: EmbeddedRedis, folder: Path) -> AsyncIterator[Wire]:
    """Give a wire to an emptied Redis."""
    async with Wire(folder / SOCKET, Path(redis_server.url.removeprefix("unix://"))).open() as opened:
        yield opened


@pytest.fixture
async def waiter(redis_server: EmbeddedRedis, redis_client: redis.Redis) -> AsyncIterator[WakeWaiter]:
    """Give a waiter that listens."""
    async with WakeWaiter(redis_server.url, HandClock()) as opened:
        await _listening(redis_client)
        await _heard_all(opened, redis_client)
        yield opened


async def _until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)  # real processes: the other end of a socket takes its time


async def _listening(client: redis.Redis) -> None:
    await _until(lambda: client.pubsub_numsub(KEYS.wake) == [(KEYS.wake, 1)])


async def test_an_accepted_removal_wakes(waiter: WakeWaiter, live_store: RedisStore, dice: CountingDice) -> None:
    """Who waits for due removals is woken by an accept."""
    waiting = asyncio.create_task(waiter.for_due(ORG, "removals", LONG))
    await asyncio.sleep(0)
    await live_store.accept(offered(dice))
    await asyncio.wait_for(waiting, 5)


async def test_a_settled_action_wakes(waiter: WakeWaiter, live_store: RedisStore, dice: CountingDice) -> None:
    """Who waits for an action, and who waits for reports, is woken when it is settled."""
    receipt = await live_store.accept(offered(dice))
    waits = [
        asyncio.create_task(waiter.for_settled(receipt.action_id, LONG)),
        asyncio.create_task(waiter.for_settled(receipt.action_id, LONG)),
        asyncio.create_task(waiter.for_due(ORG, "reports", LONG)),
    ]
    (claim,) = await live_store.claim(ORG, "w1", dice.token(), 5)
    await live_store.settle(claim.lease, GONE, 0.0, ())
    await asyncio.wait_for(asyncio.gather(*waits), 5)


async def test_a_resume_and_a_dead_letter_wake(waiter: WakeWaiter, live_store: RedisStore, dice: CountingDice) -> None:
    """What a person sets going is begun at once."""
    waiting = asyncio.create_task(waiter.for_due(ORG, "removals", LONG))
    await asyncio.sleep(0)
    await live_store.resume(ORG)
    await asyncio.wait_for(waiting, 5)
    await live_store.accept(offered(dice))
    (claim,) = await live_store.claim(ORG, "w1", dice.token(), 5)
    await live_store.settle(claim.lease, GONE, 0.0, ())
    (report,) = await live_store.claim_reports(ORG, "w1", dice.token(), 5)
    await live_store.bury(report.lease, "no")
    await waiter.for_due(ORG, "reports", 0)
    waiting = asyncio.create_task(waiter.for_due(ORG, "reports", LONG))
    await live_store.retell(report.report.id)
    await asyncio.wait_for(waiting, 5)


async def test_who_joins_after_the_end_wakes(
    waiter: WakeWaiter, live_store: RedisStore, dice: CountingDice, redis_client: redis.Redis
) -> None:
    """A ticket that joins a settled action wakes who tells reports."""
    now = await _settled_at(live_store, dice)
    await _heard_all(waiter, redis_client)
    waiting = asyncio.create_task(waiter.for_due(ORG, "reports", LONG))
    await asyncio.sleep(0)
    joining = offered(dice, delivery_key="d" * 64, ticket=m.Ticket("incident/2"), event_at=now)
    assert (await live_store.accept(joining)).joined == "intent"
    await asyncio.wait_for(waiting, 5)


async def _settled_at(store: RedisStore, dice: CountingDice) -> int:
    """Settle an action, and return the moment of its last look."""
    receipt = await store.accept(offered(dice))
    (claim,) = await store.claim(ORG, "w1", dice.token(), 5)
    await store.settle(claim.lease, GONE, 0.0, ())
    account = await store.read(receipt.action_id)
    assert account is not None
    return account.action.seen_at


async def test_news_while_nobody_waits(waiter: WakeWaiter, redis_client: redis.Redis) -> None:
    """What comes due while the one who waits is busy wakes it at once when it waits again, once."""
    await waiter.for_due(ORG, "removals", 0)
    redis_client.publish(KEYS.wake, f"removals:{ORG}")
    await _heard_all(waiter, redis_client)
    await asyncio.wait_for(waiter.for_due(ORG, "removals", LONG), 5)
    assert not await _is_woken(waiter.for_due(ORG, "removals", 0.05))


async def test_settled_a_moment_ago(waiter: WakeWaiter, redis_client: redis.Redis) -> None:
    """Who asks just after the settle does not wait, once; and not for ever is it remembered."""
    redis_client.publish(KEYS.wake, "settled:a1")
    await _heard_all(waiter, redis_client)
    await asyncio.wait_for(waiter.for_settled("a1", LONG), 5)
    assert not await _is_woken(waiter.for_settled("a1", 0.05))
    for number in range(SETTLED_MOST + 5):
        redis_client.publish(KEYS.wake, f"settled:{number}")
    await _heard_all(waiter, redis_client)
    # the mark that all was heard was the last of them
    assert len(waiter._settled) == SETTLED_MOST - 1


async def test_others_news_wake_nobody(waiter: WakeWaiter, redis_client: redis.Redis) -> None:
    """News of another org, kind or action wake nobody, and are not kept."""
    waiting = asyncio.create_task(_is_woken(waiter.for_due(ORG, "removals", 0.2)))
    await asyncio.sleep(0)
    for payload in (f"reports:{ORG}", "removals:other", "settled:x", "", "no such thing"):
        redis_client.publish(KEYS.wake, payload)
    assert not await waiting
    assert waiter._news == set()


async def test_a_lost_wake_costs_the_time_asked_for(redis_server: EmbeddedRedis) -> None:
    """Without any subscription a wait takes the time asked for, and no longer."""
    waiter = WakeWaiter(redis_server.url, HandClock())
    assert not await _is_woken(waiter.for_due(ORG, "removals", 0.05))
    assert not await _is_woken(waiter.for_settled("a1", 0.05))
    assert waiter._waiting == {}
    await waiter.aclose()


async def test_a_cut_connection_is_made_again(wire: Wire, redis_client: redis.Redis) -> None:
    """When the connection is cut, it is made again, everybody looks once, and wakes arrive as before."""
    async with WakeWaiter(wire.url, HandClock()) as waiter:
        await waiter.for_due(ORG, "reports", 0)
        await _listening(redis_client)
        waiting = asyncio.create_task(waiter.for_due(ORG, "removals", LONG))
        await asyncio.sleep(0)
        wire.cut()
        await asyncio.wait_for(waiting, 5)
        await asyncio.wait_for(waiter.for_due(ORG, "reports", LONG), 5)
        waiting = asyncio.create_task(waiter.for_due(ORG, "removals", LONG))
        await _listening(redis_client)
        redis_client.publish(KEYS.wake, f"removals:{ORG}")
        await asyncio.wait_for(waiting, 5)


async def test_a_silent_connection_is_given_up(wire: Wire, redis_client: redis.Redis) -> None:
    """A connection on which nothing comes back when asked is given up; one that is only quiet is kept."""
    async with WakeWaiter(wire.url, HandClock(), silence_seconds=0.1) as waiter:
        await _listening(redis_client)
        before, connections = wire.arrived, set(wire._open)
        # three times asked, and answered
        await _until(lambda: wire.arrived >= before + 3)
        assert wire._open == connections
        kept = waiter._task
        wire.is_silent = True
        waiting = asyncio.create_task(waiter.for_due(ORG, "removals", LONG))
        await _until(lambda: not wire._open)
        wire.is_silent = False
        wire.cut()
        await asyncio.wait_for(waiting, 5)
        assert waiter._task is kept


async def test_many_are_woken_one_lot_after_the_other(redis_server: EmbeddedRedis) -> None:
    """When Redis is back all who wait are woken, and never more of them in one moment than it has room for."""
    waiter = WakeWaiter(redis_server.url, HandClock())
    waiting = {asyncio.create_task(waiter.for_due(f"o{number}", "removals", LONG)) for number in range(2 * LOT + 1)}
    await asyncio.sleep(0)
    woken = []
    async with waiter:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            woken.append(len(done))
    assert woken == [LOT, LOT, 1]


async def test_bytes_that_are_no_text(waiter: WakeWaiter, redis_client: redis.Redis) -> None:
    """Whatever somebody else publishes on our channel, wakes arrive after it."""
    redis_client.publish(KEYS.wake, b"\xff\xfe")
    waiting = asyncio.create_task(waiter.for_due(ORG, "removals", LONG))
    await _listening(redis_client)
    redis_client.publish(KEYS.wake, f"removals:{ORG}")
    await asyncio.wait_for(waiting, 5)


async def test_who_stops_waiting_leaves_nothing(waiter: WakeWaiter) -> None:
    """A wait that is cancelled leaves nothing behind, and the others wait on."""
    first = asyncio.create_task(waiter.for_settled("a1", LONG))
    second = asyncio.create_task(waiter.for_settled("a1", LONG))
    await asyncio.sleep(0)
    first.cancel()
    waiter._tell("settled:a1")
    await asyncio.wait_for(second, 5)
    assert waiter._waiting == {}


async def _is_woken(wait: object) -> bool:
    """Whether a wait ended before its time (those that are asked take a twentieth of a second and more)."""
    assert asyncio.iscoroutine(wait)
    began = time.monotonic()
    await wait
    return time.monotonic() - began < 0.04


async def _heard_all(waiter: WakeWaiter, client: redis.Redis) -> None:
    """Return when everything published so far was heard."""
    waiting = asyncio.create_task(waiter.for_settled("the last", LONG))
    await asyncio.sleep(0)
    client.publish(KEYS.wake, "settled:the last")
    await asyncio.wait_for(waiting, 5)
    waiter._settled.pop("settled:the last", None)
