"""A master that Sentinels watch: when it dies, the same process goes on at the replica that took its place."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Iterator

import pytest
from redis.exceptions import MovedError

from service.core import model as m
from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.redis import RedisStore
from service.store.sentinel import Sentinels
from service.store.waiter import WakeWaiter
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.fixtures.servers import Watched, until
from tests.store.stories import GONE, ORG, digest, offered


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Run a master, its replica and three Sentinels."""
    folder = short_folder()
    with Watched(folder) as made:
        yield made
    shutil.rmtree(folder)


async def test_the_same_process_goes_on_after_a_failover(watched: Watched, dice: CountingDice) -> None:
    """The master and a Sentinel die: honest StoreDown, then the replica; what it had is there, and wakes arrive."""
    link = Link(connect(watched.url), HandClock(), durability="replicated")
    store = RedisStore(link, dice)
    offers = [offered(dice, word) for word in range(3)]
    receipts = [await store.accept(offer) for offer in offers]
    (first, *_) = await store.claim(ORG, "w1", dice.token(), 1)
    assert (await store.health(allow_lossy=True, needs_replica=True)).faults == ()
    async with WakeWaiter(watched.url, HandClock()) as waiter:
        watched.sentinels[0].kill()
        watched.master.kill()
        began = time.monotonic()
        with pytest.raises(StoreDown):
            await store.paused(ORG)
        assert time.monotonic() - began < 2.5
        await _again(store)
        assert watched.replica.ask("ROLE")[0] == "master"
        # the lease is as good as before, at the new master
        await store.settle(first.lease, GONE, 0.0, ())
        found = [await store.read(receipt.action_id) for receipt in receipts]
        assert [account.action.outcome for account in found if account] == [GONE, None, None]
        waiting = asyncio.create_task(waiter.for_due(ORG, "removals", 60))
        async with asyncio.timeout(20):
            while not waiting.done():
                await store.resume(ORG)
                await asyncio.wait({waiting}, timeout=0.2)
    await link.aclose()


async def _again(store: RedisStore) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                return await store.resume(ORG)
            except StoreDown:
                await asyncio.sleep(0.1)  # real processes: the Sentinels agree on who is the master


@pytest.mark.slow
async def test_an_old_master_is_not_believed(watched: Watched, dice: CountingDice) -> None:
    """When a master became a replica, the one who is asked next is the new one, though connections to the old live."""
    link = Link(connect(watched.url), HandClock())
    store = RedisStore(link, dice)
    await store.accept(offered(dice, 1))
    until(lambda: watched.replica.ask("DBSIZE") or None)
    until(lambda: watched.sentinels[0].ask("SENTINEL", "FAILOVER", watched.NAME) and True)
    until(lambda: watched.replica.ask("ROLE")[0] == "master" or None)
    until(lambda: watched.master.ask("ROLE")[0] == "slave" or None)
    await _again(store)
    (claim,) = await store.claim(ORG, "w1", dice.token(), 5)
    await store.settle(claim.lease, GONE, 0.0, ())
    assert (await store.accept(offered(dice, 1))).joined == "delivery"
    assert (await store.accept(offered(dice, digest("new")))).joined in {"", "intent"}
    assert isinstance(await store.read(claim.action.id), m.Account)
    await link.aclose()


async def test_a_sentinel_that_hangs_holds_nobody_up(watched: Watched, dice: CountingDice) -> None:
    """Of the Sentinels the first good answer counts: one that hangs and one that is gone are not waited for."""
    pid = watched.sentinels[0].pid
    watched.sentinels[0].signal(signal.SIGSTOP)
    watched.sentinels[1].kill()
    try:
        link = Link(connect(watched.url), HandClock())
        began = time.monotonic()
        assert await RedisStore(link, dice).paused(ORG) == frozenset()
        assert time.monotonic() - began < 0.9
        assert isinstance(link._nodes, Sentinels)
        assert list(link._nodes._masters) == [watched.master.address], "nobody is asked before a Sentinel named it"
    finally:
        os.kill(pid, signal.SIGCONT)
    await link.aclose()


async def test_who_knows_of_no_master_is_not_believed(watched: Watched, dice: CountingDice) -> None:
    """A Sentinel that knows no master of that name, or calls a replica one, is as good as none: StoreDown."""
    unknown = Link(connect(f"redis://{watched.sentinels[0].address}?sentinel=nobody"), HandClock())
    with pytest.raises(StoreDown, match="did not answer"):
        await RedisStore(unknown, dice).paused(ORG)
    await unknown.aclose()
    watched.sentinels[0].ask("SENTINEL", "MONITOR", "stale", "127.0.0.1", str(watched.replica.port), "3")
    stale = Link(connect(f"redis://{watched.sentinels[0].address}?sentinel=stale"), HandClock())
    with pytest.raises(StoreDown, match="did not answer"):
        await RedisStore(stale, dice).paused(ORG)
    await stale.aclose()


async def test_a_redirection_from_one_master_is_a_mistake() -> None:
    """A master that Sentinels watch and that speaks of slots is a node of a Cluster: it is said in words."""
    nodes = connect("redis://127.0.0.1:1?sentinel=main")
    assert isinstance(nodes, Sentinels)
    assert nodes.together("a") == nodes.together("b")
    with pytest.raises(StoreDown, match=r"redis\.cluster = true"):
        nodes.redirect(MovedError("1 127.0.0.1:2"))
    await nodes.aclose()
