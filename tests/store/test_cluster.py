"""A Cluster in trouble: a node that dies, hangs or hands its slots on, and what each of it may cost."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.exceptions import AskError, MovedError

from service.core import model as m
from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.cluster import Cluster as Nodes
from service.store.embedded import find_server
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.store.waiter import WakeWaiter
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.fixtures.servers import Cluster, Node, free_port, said_no, slot_of, state_of, until
from tests.store.stories import GONE, offered, uuid

# one on each of three masters
NORTH, SOUTH, EAST = ORGS = ("north", "south", "east")
SLOW_LEAST = 2.5  # two seconds, and a machine that is busy with other tests


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Run three masters, and a replica of the one that has NORTH; where one is gone the others carry on."""
    folder = short_folder()
    with Cluster(folder, replicas_wanted=1) as made:
        assert [made.masters.index(made.master_of(org)) for org in ORGS] == [0, 1, 2]
        for node in made.nodes:
            node.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
        yield made
    shutil.rmtree(folder)


@pytest.fixture
async def link(cluster: Cluster) -> AsyncIterator[Link]:
    """Give the runner of production."""
    opened = Link(connect(cluster.url), HandClock())
    yield opened
    await opened.aclose()


@pytest.fixture
def cluster_store(link: Link, dice: CountingDice) -> RedisStore:
    """Give the store of production on the Cluster."""
    return RedisStore(link, dice)


def offer(dice: CountingDice, org: str, word: int = 1) -> m.Offer:
    """Return an offer for an org."""
    return offered(dice, (org, word), action_id=dice.action_id(org), org=org, conversation_id=uuid(word))


async def test_a_node_that_is_gone_harms_its_own_orgs_only(
    cluster: Cluster, cluster_store: RedisStore, dice: CountingDice
) -> None:
    """What is asked in the same turn for other masters' orgs is answered; its own hear StoreDown within two seconds."""
    await cluster_store.accept(offer(dice, SOUTH))
    cluster.master_of(SOUTH).kill()
    for how in ("gone", "known to be gone"):
        began = time.monotonic()
        asked = [cluster_store.accept(offer(dice, org, 2)) for org in (SOUTH, NORTH, EAST)]
        south, north, east = await asyncio.gather(*asked, return_exceptions=True)
        assert time.monotonic() - began < SLOW_LEAST
        assert isinstance(north, m.Receipt), how
        assert isinstance(east, m.Receipt), how
        assert isinstance(south, StoreDown), how
        until(lambda: "cluster_slots_fail:0" not in state_of(cluster.masters[0]) or None)
    cluster.master_of(SOUTH).start()
    assert (await _patiently(cluster_store, offer(dice, SOUTH, 2))).joined == ""


async def test_a_node_that_hangs_harms_its_own_orgs_only(
    cluster: Cluster, cluster_store: RedisStore, dice: CountingDice
) -> None:
    """A node that answers nothing costs the others' orgs nothing, not even the time in which the map is looked at."""
    await cluster_store.accept(offer(dice, SOUTH))
    pid = cluster.master_of(SOUTH).pid
    cluster.master_of(SOUTH).signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        asked = [cluster_store.accept(offer(dice, org, 2)) for org in (SOUTH, NORTH, EAST)]
        south, north, east = await asyncio.gather(*asked, return_exceptions=True)
        assert time.monotonic() - began < SLOW_LEAST
        assert isinstance(north, m.Receipt)
        assert isinstance(east, m.Receipt)
        assert isinstance(south, StoreDown)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await _patiently(cluster_store, offer(dice, SOUTH, 2))).action_id


async def test_a_replica_takes_over(cluster: Cluster, cluster_store: RedisStore, dice: CountingDice) -> None:
    """When a master dies and its replica takes over, the same process finds it; what was replicated is there."""
    first = await cluster_store.accept(offer(dice, NORTH))
    until(lambda: cluster.replicas[0].ask("DBSIZE") or None)
    cluster.master_of(NORTH).kill()
    again = await _patiently(cluster_store, offer(dice, NORTH))
    assert (again.joined, again.action_id) == ("delivery", first.action_id)
    (claim,) = await cluster_store.claim(NORTH, "w1", dice.token(), 5)
    await cluster_store.settle(claim.lease, GONE, 0.0, ())


async def test_a_waiter_listens_to_another_node(
    cluster: Cluster, cluster_store: RedisStore, dice: CountingDice
) -> None:
    """Whichever node a waiter listens to, when it dies the waiter goes to another one, and wakes arrive."""
    async with WakeWaiter(cluster.url, HandClock()) as waiter:
        await _woken(waiter, cluster_store, dice, EAST)
        # from now on nobody takes the place of a master that dies
        cluster.replicas[0].kill()
        for _ in ("the replica, if it was that", "a master"):
            await _woken(waiter, cluster_store, dice, EAST)
        (listened_to,) = [node for node in cluster.masters if node.ask("PUBSUB", "NUMSUB", Keys().wake)[1]]
        listened_to.kill()
        await _woken(waiter, cluster_store, dice, NORTH if listened_to is cluster.master_of(EAST) else EAST)


async def _woken(waiter: WakeWaiter, store: RedisStore, dice: CountingDice, org: str) -> None:
    """Accept until a wait is woken by it, not by a new subscription, for which everybody is woken as well."""
    for _ in range(2):
        waiting = asyncio.create_task(waiter.for_due(org, "removals", 60))
        async with asyncio.timeout(30):
            while not waiting.done():
                await store.accept(offer(dice, org, dice.thrown + 2))
                await asyncio.wait({waiting}, timeout=0.1)


async def test_a_cluster_that_is_down(cluster: Cluster, cluster_store: RedisStore, dice: CountingDice) -> None:
    """A Cluster that takes nothing while a slot has no node says so, and it is StoreDown within two seconds."""
    await cluster_store.accept(offer(dice, EAST))
    for node in cluster.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    cluster.master_of(SOUTH).kill()
    until(lambda: "cluster_state:fail" in state_of(cluster.master_of(EAST)) or None)
    began = time.monotonic()
    with pytest.raises(StoreDown, match="ClusterDown"):
        await cluster_store.accept(offer(dice, EAST, 2))
    assert time.monotonic() - began < SLOW_LEAST
    cluster.master_of(SOUTH).start()
    assert (await _patiently(cluster_store, offer(dice, EAST, 2))).joined == ""


async def _patiently(store: RedisStore, what: m.Offer) -> m.Receipt:
    """Offer as a sender does: again and again, until it is taken."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await store.accept(what)
            except StoreDown:
                await asyncio.sleep(0.1)  # real processes: servers agree on who is the master


@pytest.mark.parametrize("answer", ["15495 :6379", "15495 ?:6379"])
async def test_a_node_that_names_no_host(answer: str) -> None:
    """A node that does not say on which host a slot is now is not taken to mean this machine: the map is asked."""
    cluster = Nodes(["127.0.0.1:1"], lambda address: pytest.fail(f"{address} was asked"))
    cluster._is_known = True
    assert cluster.redirect(MovedError(answer)) is None
    assert cluster.redirect(AskError(answer)) is None
    assert (cluster._is_known, cluster._moved) == (False, {})


async def test_a_cluster_that_is_not_made_yet(dice: CountingDice) -> None:
    """A node without slots, and a slot without a node, are StoreDown; once given out the same process works."""
    folder = short_folder()
    words = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    node = Node(folder, free_port(), find_server(), words)
    node.start()
    nodes = connect(f"redis://{node.address}?cluster=true")
    assert isinstance(nodes, Nodes)
    link = Link(nodes, HandClock())
    store = RedisStore(link, dice)
    with pytest.raises(StoreDown, match="did not answer"):
        await store.paused(NORTH)
    node.ask("CLUSTER", "ADDSLOTSRANGE", "0", "100")
    with pytest.raises(StoreDown, match="SlotNotCovered"):
        await store.paused(NORTH)
    node.ask("CLUSTER", "ADDSLOTSRANGE", "101", "16383")
    assert await store.paused(NORTH) == frozenset()
    # a wake is listened for without asking for the map each time
    assert await nodes.anyone() is await nodes.anyone()
    await link.aclose()
    node.stop()
    shutil.rmtree(folder)


# ---------------------------------------------------------------------------------------------- slots that move


class Move:
    """A slot on its way from one node to another one, a few keys at a time, as an operator's tool does it."""

    def __init__(self, cluster: Cluster, org: str, target: Node) -> None:
        """Begin: from now on the source sends away whoever asks for what it has not."""
        self.cluster, self.slot = cluster, str(slot_of(org))
        self.source, self.target = cluster.master_of(org), target
        self.names = [str(node.ask("CLUSTER", "MYID")) for node in (self.source, self.target)]
        target.ask("CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.names[0])
        self.source.ask("CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.names[1])

    def left(self) -> list[str]:
        """Return what is still at the source."""
        return sorted(self.source.ask("CLUSTER", "GETKEYSINSLOT", self.slot, "1000"))

    def move(self, keys: list[str]) -> None:
        """Move some keys."""
        for key in keys:
            self.source.ask("MIGRATE", "127.0.0.1", str(self.target.port), key, "0", "5000")

    def end(self) -> None:
        """Move what is left, and say that it is done."""
        self.move(self.left())
        for node in (self.target, self.source, *self.cluster.masters):
            node.ask("CLUSTER", "SETSLOT", self.slot, "NODE", self.names[1])


async def test_a_slot_moves_while_work_goes_on(cluster: Cluster, cluster_store: RedisStore, dice: CountingDice) -> None:
    """While an org's slot moves to a new node, steps work or are StoreDown; afterwards all goes on, nothing is lost."""
    receipts = [await cluster_store.accept(offer(dice, SOUTH, word)) for word in range(1, 4)]
    (one, two, three) = await cluster_store.claim(SOUTH, "w1", dice.token(), 5)
    move = Move(cluster, SOUTH, cluster.add())
    first = Keys().action(one.action.id)
    half = [key for key in move.left() if one.action.id in key or "conversation" in key]
    assert first in half
    move.move(half)
    began = time.monotonic()
    steps = [
        cluster_store.mark_sent(two.lease, two.epoch, m.Progress(), ()),
        cluster_store.put_back(three.lease, 1, m.Progress(), ()),
        cluster_store.settle(one.lease, GONE, 0.0, ()),
        cluster_store.accept(offer(dice, SOUTH, 9)),
        cluster_store.accept(offer(dice, NORTH, 9)),
    ]
    said = await asyncio.gather(*steps, return_exceptions=True)
    assert time.monotonic() - began < SLOW_LEAST
    assert {type(one) for one in said} <= {StoreDown, m.Marked, type(None), m.Receipt}
    assert isinstance(said[-1], m.Receipt)
    assert StoreDown in {type(one) for one in said}
    assert said_no(cluster.nodes, "TRYAGAIN") > 0
    move.end()
    # asked again with the same words: as if nothing had been
    assert (await _patiently(cluster_store, offer(dice, SOUTH, 9))).action_id
    await cluster_store.settle(one.lease, GONE, 0.0, ())
    accounts = [await cluster_store.read(receipt.action_id) for receipt in receipts]
    assert [account.action.outcome for account in accounts if account] == [GONE, None, None]
    assert len(await cluster_store.action_ids(SOUTH)) == 4


async def test_a_key_is_asked_for_where_it_will_be(cluster: Cluster, link: Link, cluster_store: RedisStore) -> None:
    """What has gone ahead of its slot is asked for at the new node, whatever connections are open."""
    await cluster_store.pause(SOUTH, "desk")
    await asyncio.gather(*(cluster_store.paused(SOUTH) for _ in range(8)))
    move = Move(cluster, SOUTH, cluster.add())
    move.move([Keys().paused(SOUTH)])
    found = await asyncio.gather(*(cluster_store.paused(SOUTH) for _ in range(20)))
    assert set(found) == {frozenset({"desk"})}
    assert said_no(cluster.nodes, "ASK") >= 20
    # the map does not have the new node yet: its connections are let go, and made again
    assert len(await link.masters()) == 3
    assert await cluster_store.paused(SOUTH) == frozenset({"desk"})
    move.end()
    found = await asyncio.gather(*(cluster_store.paused(SOUTH) for _ in range(20)))
    assert set(found) == {frozenset({"desk"})}
    assert said_no(cluster.nodes, "MOVED") > 0
    # who was told of one node finds them all; another look at the map costs no connection
    nodes = connect(f"redis://{cluster.masters[0].address}?cluster=true")
    assert isinstance(nodes, Nodes)
    found_by_one = await nodes.masters()
    assert len(found_by_one) == 4
    assert await nodes.masters() == found_by_one
    await nodes.aclose()
