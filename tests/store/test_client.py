"""Asking Redis: what an URL may say, what a lost reply means, and that there is an answer within two seconds."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from service.core import model as m
from service.core.errors import Conflicting, LeaseLost, Misconfigured, StoreDown
from service.store.client import PIPELINES_MOST, Link, connect
from service.store.embedded import SOCKET, EmbeddedRedis
from service.store.redis import RedisStore
from service.store.script import Reply, Script
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.flow.hours import turns
from tests.store.stories import GONE, ORG, digest, offered
from tests.store.wire import Wire
from tests.web.wire import until

ECHO = Script("echo", "return ARGV[1]", "0" * 40)  # a digest that is not its own: so the text follows on NOSCRIPT


@dataclass
class QuickClock(HandClock):
    """A clock whose sleeps are over at once, and count."""

    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the seconds slept."""
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Let the seconds have passed."""
        self.passed += seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder for sockets."""
    made = short_folder()
    yield made
    made.rmdir()


@pytest.fixture
async def wire(redis_client: redis.Redis, redis_server: EmbeddedRedis, folder: Path) -> AsyncIterator[Wire]:
    """Give a wire to an emptied Redis."""
    server = Path(redis_server.url.removeprefix("unix://"))
    async with Wire(folder / SOCKET, server).open() as opened:
        yield opened


@pytest.fixture
async def far_link(wire: Wire) -> AsyncIterator[Link]:
    """Give the runner of production at the other end of the wire."""
    opened = Link(connect(wire.url), HandClock())
    yield opened
    await opened.aclose()


@asynccontextmanager
async def two_under_way(wire: Wire, stuck_seconds: float) -> AsyncIterator[tuple[Link, list[asyncio.Task[Reply]]]]:
    """Give a link of which two shared pipelines are under way and have not been answered, and who waits for them."""
    async with aclosing(Link(connect(wire.url), HandClock(), stuck_seconds=stuck_seconds)) as link:
        await asyncio.gather(*(link.run(ECHO, [], ["warm"]) for _ in range(3)))
        wire.is_silent, wire.asked = True, 0
        asking: list[asyncio.Task[Reply]] = []
        for number in range(2):
            asking.append(asyncio.create_task(link.run_shared(ECHO, [], [str(number)])))
            await until(lambda: wire.asked == len(asking))
        yield link, asking


@pytest.fixture
def far_store(far_link: Link, dice: CountingDice) -> RedisStore:
    """Give the store of production at the other end of the wire."""
    return RedisStore(far_link, dice)


@pytest.fixture
async def quick_link(redis_client: redis.Redis, redis_server: EmbeddedRedis) -> AsyncIterator[Link]:
    """Give the runner of production, for which two seconds are over at once."""
    opened = Link(connect(redis_server.url), QuickClock())
    yield opened
    await opened.aclose()


# ---------------------------------------------------------------------------------------------- NOSCRIPT


async def test_a_flushed_script_is_loaded_again(
    live_store: RedisStore, dice: CountingDice, redis_client: redis.Redis
) -> None:
    """After SCRIPT FLUSH (a restart, a failover) every step works, alone and in a pipeline, and nobody notices."""
    redis_client.script_flush()
    receipts = await asyncio.gather(*[live_store.accept(offered(dice, word)) for word in range(3)])
    assert {receipt.joined for receipt in receipts} == {""}
    redis_client.script_flush()
    assert len(await live_store.claim(ORG, "w1", dice.token(), 5)) == 3


# ---------------------------------------------------------------------------------------------- lost replies


async def test_a_lost_reply_is_asked_again(wire: Wire, far_store: RedisStore, dice: CountingDice) -> None:
    """Whatever reply is lost, the step is asked again, and Redis did it once."""
    wire.lost_replies = 1
    offer = offered(dice)
    assert await far_store.accept(offer) == m.Receipt(offer.action_id, "unguessable", "")
    wire.lost_replies = 1
    (claim,) = await far_store.claim(ORG, "w1", dice.token(), 5)
    wire.lost_replies = 1
    marked = await far_store.mark_sent(claim.lease, claim.epoch, m.Progress(), ())
    assert isinstance(marked, m.Marked)
    assert marked.send.number == 1
    wire.lost_replies = 2
    await far_store.settle(claim.lease, GONE, 0.0, ())
    with pytest.raises(LeaseLost):
        await far_store.settle(claim.lease, GONE, 0.0, ())
    assert wire.lost_replies == 0


async def test_a_lost_pipeline_is_asked_again(wire: Wire, far_store: RedisStore, dice: CountingDice) -> None:
    """When the replies to many accepts are lost together, all are asked again, and each is one action."""
    offers = [offered(dice, word) for word in range(50)]
    wire.lost_replies = 1
    receipts = await asyncio.gather(*[far_store.accept(offer) for offer in offers])
    assert receipts == [m.Receipt(offer.action_id, "unguessable", "") for offer in offers]


async def test_two_seconds_at_most(wire: Wire, far_store: RedisStore, dice: CountingDice) -> None:
    """When nothing comes back at all there is StoreDown within two seconds; when it does again, all is well."""
    await far_store.paused(ORG)
    wire.is_silent = True
    began = time.monotonic()
    results = await asyncio.gather(
        far_store.accept(offered(dice)), far_store.paused(ORG), far_store.spend(ORG), return_exceptions=True
    )
    assert time.monotonic() - began < 2.5
    assert [type(result) for result in results] == [StoreDown] * 3
    wire.is_silent = False
    assert await far_store.paused(ORG) == frozenset()


async def test_nobody_there(folder: Path, dice: CountingDice) -> None:
    """Where nobody listens it is tried again for two seconds, with pauses, and then said."""
    clock = QuickClock()
    link = Link(connect(f"unix://{folder / SOCKET}"), clock)
    with pytest.raises(StoreDown, match="did not answer: ConnectionError"):
        await RedisStore(link, dice).paused(ORG)
    assert 1.5 < clock.passed <= 2
    assert clock.slept == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.3, 0.3, 0.3, 0.3, 0.3]), "soon, then ever less often"
    await link.aclose()


# ---------------------------------------------------------------------------------------------- what Redis says


@pytest.mark.parametrize(
    "said, heard",
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "said no: OutOfMemoryError"),
        ("READONLY You can't write against a read only replica.", "said no: ReadOnlyError"),
        ("MISCONF Errors writing to the AOF file", "said no: ResponseError: MISCONF"),
        ("LOADING Redis is loading the dataset in memory", "did not answer: BusyLoadingError"),
        ("NOREPLICAS Not enough good replicas to write.", "said no: ResponseError: NOREPLICAS"),
        ("CLUSTERDOWN The cluster is down", "said no: ClusterDownError"),
        ("BUSY Redis is busy running a script.", "said no: ResponseError: BUSY"),
        ("MASTERDOWN Link with MASTER is down", "said no: MasterDownError"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "said no: TryAgainError"),
        ("NOAUTH Authentication required.", "said no: AuthenticationError"),
        ("NOPERM this user has no permissions", "said no: NoPermissionError"),
    ],
)
@pytest.mark.parametrize("is_shared", [False, True])
async def test_no_is_store_down(quick_link: Link, said: str, heard: str, is_shared: bool) -> None:
    """Whatever Redis says no with, nothing was promised: StoreDown, alone and in a pipeline."""
    no = Script("no", f'return redis.error_reply("{said}")', "0" * 40)
    with pytest.raises(StoreDown, match=heard):
        await (quick_link.run_shared if is_shared else quick_link.run)(no, ["{acme}"], [])


async def test_a_full_redis_keeps_nothing_half(
    live_store: RedisStore, dice: CountingDice, redis_client: redis.Redis
) -> None:
    """A Redis without memory says so before the first write, and works again when it has some."""
    await live_store.accept(offered(dice, 1))
    before = redis_client.dbsize()
    redis_client.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreDown, match=r"OutOfMemory|OOM"):
            await live_store.accept(offered(dice, 2))
        assert redis_client.dbsize() == before
    finally:
        redis_client.config_set("maxmemory", "0")
    assert (await live_store.accept(offered(dice, 2))).joined == ""


async def test_after_read_only_the_name_is_asked_anew(link: Link) -> None:
    """A connection that leads to a replica since a failover is not used again."""
    first = await link.ask("CLIENT", "ID")
    with pytest.raises(StoreDown, match="ReadOnly"):
        await link.run(Script("no", 'return redis.error_reply("READONLY no")', "0" * 40), ["{acme}"], [])
    assert await link.ask("CLIENT", "ID") != first


# ---------------------------------------------------------------------------------------------- many at once


async def test_one_turn_one_write(wire: Wire, far_store: RedisStore, dice: CountingDice) -> None:
    """What is accepted in one turn of the loop leaves in one piece."""
    await far_store.accept(offered(dice, "warm"))
    before = wire.arrived
    await asyncio.gather(*[far_store.accept(offered(dice, word)) for word in range(20)])
    assert wire.arrived - before == 1


async def test_what_comes_meanwhile_leaves_together(wire: Wire) -> None:
    """While two pipelines are under way all that is asked waits for one of them, and leaves in one piece."""
    async with two_under_way(wire, stuck_seconds=60) as (link, asking):
        for number in range(2, 9):
            asking.append(asyncio.create_task(link.run_shared(ECHO, [], [str(number)])))
            await asyncio.sleep(0)
        assert wire.asked == 2
        wire.is_silent, wire.asked = False, 0
        wire.cut()
        assert await asyncio.gather(*asking) == [str(number) for number in range(9)]
        # each of them, and the text after NOSCRIPT
        assert wire.asked == 2 * 3


async def test_what_is_stuck_holds_up_nobody(wire: Wire) -> None:
    """Two pipelines without an answer keep the next one waiting for a moment, and not until they are given up."""
    async with two_under_way(wire, stuck_seconds=0.01) as (link, asking):
        await until(lambda: not sum(link._under_way.values()))
        assert not any(task.done() for task in asking)
        wire.asked = 0
        asking.append(asyncio.create_task(link.run_shared(ECHO, [], ["2"])))
        await until(lambda: wire.asked == 1)
        wire.is_silent = False
        wire.cut()
        assert await asyncio.gather(*asking) == ["0", "1", "2"]


async def test_what_is_stuck_leaves_connections_to_others(wire: Wire) -> None:
    """However many pipelines are stuck, who asks alone finds a connection; what waits leaves when one was answered."""
    async with two_under_way(wire, stuck_seconds=0) as (link, asking):
        for number in range(2, 40):
            asking.append(asyncio.create_task(link.run_shared(ECHO, [], [str(number)])))
            await until(lambda: wire.asked == min(len(asking), PIPELINES_MOST))
            await turns(9)  # and timers: each would be a pipeline of its own
        assert wire.asked == PIPELINES_MOST
        asking.append(asyncio.create_task(link.run(ECHO, [], ["40"])))
        await until(lambda: wire.asked == PIPELINES_MOST + 1)
        wire.is_silent = False
        wire.cut()
        assert await asyncio.gather(*asking) == [str(number) for number in range(41)]


async def test_a_no_is_heard_by_who_stays(link: Link) -> None:
    """Where one of a pipeline has gone before Redis said no, the others hear it all the same."""
    no = Script("no", "return redis.error_reply('NO')", "0" * 40)
    asking = [asyncio.create_task(link.run_shared(no, [], [])) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    async with asyncio.timeout(10):
        ends = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError, StoreDown, StoreDown]


async def test_each_hears_its_own(live_store: RedisStore, dice: CountingDice, redis_client: redis.Redis) -> None:
    """In one pipeline each caller hears its own answer: new, joined, refused, broken."""
    await live_store.accept(offered(dice, "seen"))
    odd = offered(dice, "odd")
    redis_client.set(live_store._keys.delivery(ORG, odd.delivery_key), "what is this")
    results = await asyncio.gather(
        live_store.accept(offered(dice, "new")),
        live_store.accept(offered(dice, "seen")),
        live_store.accept(offered(dice, "seen", body_hash=digest("tampered"))),
        live_store.accept(odd),
        live_store.accept(offered(dice, "new, too")),
        return_exceptions=True,
    )
    assert [r.joined if isinstance(r, m.Receipt) else type(r) for r in results] == [
        "",
        "delivery",
        Conflicting,
        StoreDown,
        "",
    ]


async def test_who_stops_waiting_disturbs_nobody(live_store: RedisStore, dice: CountingDice) -> None:
    """Callers that are cancelled get nothing, the others their own answer, and the store did what all had asked."""
    offers = [offered(dice, word) for word in range(100)]
    tasks = [asyncio.create_task(live_store.accept(offer)) for offer in offers]
    reads = [asyncio.create_task(live_store.read(offer.action_id)) for offer in offers]
    await asyncio.sleep(0)
    for task in (*tasks[::2], *reads[::2]):
        task.cancel()
    results = await asyncio.gather(*tasks, *reads, return_exceptions=True)
    for offer, accepted, account in zip(offers[1::2], results[1:100:2], results[101::2], strict=True):
        assert isinstance(accepted, m.Receipt)
        assert accepted.action_id == offer.action_id
        assert account is None or (isinstance(account, m.Account) and account.action.id == offer.action_id)
    for offer in offers:
        assert await live_store.read(offer.action_id) is not None


@pytest.mark.parametrize("is_shared", [False, True])
async def test_a_no_that_nobody_hears_is_no_complaint(link: Link, is_shared: bool) -> None:
    """Where the one who asked was cancelled before Redis said no, nothing is written to the log past ours."""
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
    run = link.run_shared if is_shared else link.run
    asking = asyncio.create_task(run(Script("no", "return redis.error_reply('NO')", "0" * 40), [], []))
    await asyncio.sleep(0)
    asking.cancel()
    assert [type(end) for end in await asyncio.gather(asking, return_exceptions=True)] == [asyncio.CancelledError]
    await link.aclose()
    gc.collect()
    assert complaints == []


async def test_a_fault_of_ours_is_heard(link: Link) -> None:
    """Where a question cannot even be asked, every caller of the pipeline hears why."""
    unsayable = Script("x", "return 1", "0" * 40)
    results = await asyncio.gather(
        link.run_shared(unsayable, [], ["\ud800"]), link.run_shared(unsayable, [], ["fine"]), return_exceptions=True
    )
    assert [type(result) for result in results] == [UnicodeEncodeError] * 2


async def test_closing_waits_for_what_is_under_way(
    redis_server: EmbeddedRedis, redis_client: redis.Redis, dice: CountingDice
) -> None:
    """A link that is closed lets what was asked come to its end."""
    link = Link(connect(redis_server.url), HandClock())
    store = RedisStore(link, dice)
    offer = offered(dice)
    task = asyncio.create_task(store.accept(offer))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await link.aclose()
    assert (await task).action_id == offer.action_id


async def test_without_a_replica(redis_server: EmbeddedRedis, redis_client: redis.Redis, dice: CountingDice) -> None:
    """With durability replicated an accept that no replica confirmed is not promised; other steps are not held up."""
    link = Link(connect(redis_server.url), QuickClock(), durability="replicated")
    store = RedisStore(link, dice)
    with pytest.raises(StoreDown, match="no replica"):
        await store.accept(offered(dice))
    assert await store.spend(ORG) == 0
    await link.aclose()


def test_a_cluster_has_no_replicated_accepts() -> None:
    """What cannot be promised yet is said at start."""
    with pytest.raises(Misconfigured, match="Cluster"):
        Link(connect("redis://h?cluster=true"), HandClock(), durability="replicated")


async def test_a_cluster_is_asked_by_its_keys(dice: CountingDice) -> None:
    """A Cluster that nobody answers for is StoreDown too, whether asked by keys or not."""
    link = Link(connect("redis://127.0.0.1:1?cluster=true"), QuickClock())
    with pytest.raises(StoreDown):
        await RedisStore(link, dice).accept(offered(dice))
    with pytest.raises(StoreDown):
        await link.ask("INFO")
    await link.aclose()


async def test_a_connection_that_uvloop_closed_is_a_missing_answer(redis_server: EmbeddedRedis) -> None:
    """What uvloop calls a RuntimeError is a lost connection, and asked again; any other is a fault of ours."""
    faults = ["unable to perform operation on <UnixTransport closed=True>; the handler is closed", "what is this"]

    async def attempt(_: object) -> str:
        if faults:
            raise RuntimeError(faults.pop(0))
        return "answered"

    async with aclosing(Link(connect(redis_server.url), HandClock())) as link:
        with pytest.raises(RuntimeError, match="what is this"):
            await link._patiently(attempt)
        faults.append("the handler is closed")
        assert await link._patiently(attempt) == "answered"
