"""The store on every Redis there is: Redis 6.2 and 7, Valkey 9, and a Cluster of three masters with an org on each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from service.core import model as m
from service.store.client import Link, connect
from service.store.keys import Keys
from service.store.ledger import RedisLedger
from service.store.redis import RedisStore
from service.store.script import script
from service.store.waiter import WakeWaiter
from tests.fixtures.redis import BlockingRunner, CountingDice, HandClock, short_folder
from tests.fixtures.servers import BRANDS, CLUSTER, Cluster, Node, free_port, program_of, said_version, slot_of
from tests.store import test_redis_repeats as repeats
from tests.store.acts import Act
from tests.store.stories import ACCEPTED, ANNA, GONE, ORG, Story, offered, uuid

ACTS = repeats.ACTS
# of a Cluster, one on each master
ORGS = ("north", "south", ORG)


@dataclass
class Place:
    """Where a test keeps its promises.

    Attributes:
        brand: which server it is.
        url: for `client.connect`.
        nodes: all masters; one of them where it is no Cluster.
        home: the one that has everything of ORG.
    """

    brand: str
    url: str
    nodes: list[Node]
    home: Node


@pytest.fixture(scope="module", params=[*BRANDS, CLUSTER])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Run one kind of server for all tests of it."""
    brand, folder = request.param, short_folder()
    if brand == CLUSTER:
        with Cluster(folder) as cluster:
            yield Place(brand, cluster.url, cluster.masters, cluster.master_of(ORG))
    else:
        node = Node(folder, free_port(), program_of(brand))
        node.start()
        yield Place(brand, f"redis://{node.address}", [node], node)
        node.stop()
    shutil.rmtree(folder)


@pytest.fixture
def story(place: Place, hand_clock: HandClock, dice: CountingDice) -> Iterator[Story]:
    """Give a store on the emptied server that has everything of ORG, with its clock and its dice."""
    for node in place.nodes:
        node.ask("FLUSHALL")
    with place.home.client() as client:
        runner = BlockingRunner(client)
        store = RedisStore(runner, dice, now_ms=hand_clock.now)
        yield Story(store, hand_clock, dice, client, runner, Keys())


@pytest.fixture
async def link(place: Place) -> AsyncIterator[Link]:
    """Give the runner of production, on emptied servers."""
    for node in place.nodes:
        node.ask("FLUSHALL")
    opened = Link(connect(place.url), HandClock())
    yield opened
    await opened.aclose()


def test_it_is_the_server_it_should_be(place: Place, record_property: Callable[[str, object], None]) -> None:
    """What is tested is the brand and version that it is called; of a Cluster each org has a master of its own."""
    with place.home.client() as client:
        info = client.info()
    if place.brand == CLUSTER:
        assert _mode(info) == "cluster"
        record_property("version", f"three masters of {info['redis_version']}")
        assert len({slot_of(org) * 3 // 16_384 for org in ORGS}) == len(place.nodes) == 3
    else:
        record_property("version", said_version(place.brand, info))
        assert _mode(info) == "standalone"


def _mode(info: Mapping[str, object]) -> object:
    return info.get("redis_mode") or info.get("server_mode")


@pytest.mark.parametrize(
    "later_seconds", [pytest.param(0, id="at once"), pytest.param(1.9, id="later", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "act, name, expected", repeats.ACTS, ids=[one.__name__.strip("_") for one, _, _ in repeats.ACTS]
)
async def test_each_script_asked_again(story: Story, act: Act, name: str, expected: str, later_seconds: float) -> None:
    """On every server each script may be asked again: the same answer, and the same state, as after the first run."""
    await repeats.test_a_lost_reply_is_asked_again(story, act, name, expected, later_seconds)


async def test_a_removal_from_accept_to_report(link: Link, dice: CountingDice) -> None:
    """On every server, for three orgs at once, a removal goes all its way, by the scripts that production sends."""
    store = RedisStore(link, dice)
    await asyncio.gather(*(_all_its_way(store, dice, org) for org in ORGS))
    assert (await store.health()).faults == ()


async def _all_its_way(store: RedisStore, dice: CountingDice, org: str) -> None:
    offers = [_offer(dice, org, word) for word in range(5)]
    clicked_again = [_offer(dice, org, word) for word in range(5)]
    receipts = await asyncio.gather(*(store.accept(offer) for offer in (*offers, *clicked_again)))
    assert [receipt.joined for receipt in receipts] == [""] * 5 + ["delivery"] * 5
    assert await store.action_ids(org) == sorted(offer.action_id for offer in offers)
    claims = await store.claim(org, "w1", dice.token(), 10)
    assert len(claims) == 5
    for claim in claims:
        await store.renew(claim.lease)
        marked = await store.mark_sent(claim.lease, claim.epoch, m.Progress(), ())
        assert isinstance(marked, m.Marked)
        await store.answered(claim.lease, marked.send.number, ACCEPTED, ())
        await store.settle(claim.lease, GONE, 0.0, ())
    told = await store.claim_reports(org, "w1", dice.token(), 10)
    for report in told:
        await store.told(report.lease, ())
    account = await store.read(offers[0].action_id)
    assert account is not None
    assert account.action.outcome == GONE
    assert {report.report.id.partition(".")[0] for report in told} == {org}


def _offer(dice: CountingDice, org: str, word: int) -> m.Offer:
    conversation = uuid(word + 1)
    return offered(dice, (org, word), action_id=dice.action_id(org), org=org, conversation_id=conversation)


async def test_a_flushed_script_is_loaded_again(link: Link, place: Place, dice: CountingDice) -> None:
    """After SCRIPT FLUSH on every server each step works, alone and in a pipeline, and nobody notices."""
    store = RedisStore(link, dice)
    await store.accept(_offer(dice, ORG, 1))
    for node in place.nodes:
        node.ask("SCRIPT", "FLUSH")
    receipts = await asyncio.gather(*(store.accept(_offer(dice, org, word)) for org in ORGS for word in range(2, 5)))
    assert {receipt.joined for receipt in receipts} == {""}
    for node in place.nodes:
        node.ask("SCRIPT", "FLUSH")
    assert [len(await store.claim(org, "w1", dice.token(), 9)) for org in ORGS] == [3, 3, 4]


async def test_wakes_arrive(link: Link, place: Place, dice: CountingDice) -> None:
    """On every server an accept wakes whoever waits, whichever server took it and whichever is listened to."""
    store = RedisStore(link, dice)
    async with WakeWaiter(place.url, HandClock()) as waiter:
        for org in ORGS:
            await _until_woken(waiter, store, dice, org)


async def _until_woken(waiter: WakeWaiter, store: RedisStore, dice: CountingDice, org: str) -> None:
    waiting = asyncio.create_task(waiter.for_due(org, "removals", 60))
    async with asyncio.timeout(20):
        word = 0
        # the first wakes may come before the subscription
        while not waiting.done():
            word += 1
            await store.accept(_offer(dice, org, word))
            await asyncio.wait({waiting}, timeout=0.2)


async def test_a_redis_of_another_kind_is_said_in_words(place: Place, dice: CountingDice) -> None:
    """A Cluster that is taken for one server, and one server that is taken for a Cluster, is said in words."""
    mistaken = "?cluster=true" if place.brand != CLUSTER else ""
    link = Link(connect(f"redis://{place.nodes[0].address}{mistaken}"), HandClock())
    store = RedisStore(link, dice)
    said = await asyncio.gather(
        *(store.accept(_offer(dice, org, 1)) for org in ORGS),
        *(store.paused(org) for org in ORGS),
        return_exceptions=True,
    )
    words = {str(fault) for fault in said if isinstance(fault, Exception)}
    await link.aclose()
    expected = "set redis.cluster = true" if place.brand == CLUSTER else "cluster support disabled"
    assert words
    assert all(expected in word for word in words), words


async def test_a_lossy_master_is_found(link: Link, place: Place, dice: CountingDice) -> None:
    """Whichever master forgets at a power cut, that is said, and which one; with all mended nothing is."""
    store = RedisStore(link, dice)
    for node in place.nodes:
        node.ask("CONFIG", "SET", "appendfsync", "everysec")
        try:
            (fault,) = (await store.health()).faults
        finally:
            node.ask("CONFIG", "SET", "appendfsync", "always")
        assert "everysec" in fault
        assert (node.address in fault) == (place.brand == CLUSTER)
    assert (await store.health()).faults == ()


async def test_one_server_can_be_asked_by_itself(link: Link) -> None:
    """What is shared and what is not is asked of the server that has the key, by whoever asks."""
    for runner in (await link.masters()).values():
        probe = script("probe")
        keys = [Keys().probe]
        assert await runner.run(probe, keys, ["", ""]) == await runner.run_shared(probe, keys, ["", ""])


async def test_what_is_written_down_beside_it(link: Link, dice: CountingDice) -> None:
    """On every server what was done can be read back by the scripts that production sends: who, when, how many."""
    store, ledger = RedisStore(link, dice), RedisLedger(link)
    await asyncio.gather(*(_all_its_way(store, dice, org) for org in ORGS))
    for org in ORGS:
        await store.pause(org, by=ANNA)
        await store.attend(org, "w1", 0, None, (0.0, ""))
        lines, after = await ledger.audit(org, 10)
        assert [line.deed for line in lines] == [m.Deed.SETTLE] * 5 + [m.Deed.PAUSE]
        assert await ledger.audit(org, 10, after) == ((), after)
        assert sum(sum(minute.accepted.values()) for minute in await ledger.minutes(org, 0)) == 10
        assert (await ledger.pauses(org))[""].by == ANNA
        assert [one.worker for one in await ledger.workers(org)] == ["w1"]
        assert await ledger.dead(org, 10) == ()
