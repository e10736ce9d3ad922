"""Whom to ask where there is one server; and one question put to several at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.embedded import EmbeddedRedis
from service.store.nodes import Inquiry, One, said
from service.store.redis import RedisStore
from service.store.script import Script
from tests.fixtures.redis import CountingDice, HandClock
from tests.store.stories import offered


async def test_one_server_is_asked_everything(redis_server: EmbeddedRedis) -> None:
    """Where there is one server it has every key, hears every wake, and all of it fits into one pipeline."""
    client = connect(redis_server.url)
    assert isinstance(client, Redis)
    one = One(client)
    assert await one.of("a") is await one.of("b") is await one.anyone() is client
    assert await one.masters() == {"": client}
    assert one.together("a") == one.together("b")
    await one.aclose()


IN_A_SCRIPT = (
    "Error running script (call to f_0): @user_script:1: -READONLY You can't write against a read only replica."
)


@pytest.mark.parametrize("said_no", [ReadOnlyError("You can't write"), ResponseError(IN_A_SCRIPT)], ids=["7", "6.2"])
async def test_only_a_replica_costs_connections(redis_server: EmbeddedRedis, said_no: ResponseError) -> None:
    """What a lost reply says nothing about is kept; a connection that led to a replica is not used again."""
    client = connect(redis_server.url)
    assert isinstance(client, Redis)
    one = One(client)
    first = await said(client, ("CLIENT", "ID"))
    await one.doubt(RedisConnectionError("cut"))
    assert await said(client, ("CLIENT", "ID")) == first
    await one.doubt(ResponseError("OOM"))
    assert await said(client, ("CLIENT", "ID")) == first
    await one.doubt(said_no)
    assert await said(client, ("CLIENT", "ID")) != first
    await one.aclose()


class Stuck:
    """A client whose idle connections cannot be closed in good order."""

    def __init__(self) -> None:
        self.connection_pool, self.closed = self, 0

    async def disconnect(self, *, inuse_connections: bool) -> None:
        """Fail as a TLS connection does whose peer stands still."""
        self.closed += 1
        raise RedisTimeoutError("it did not say good-bye")


async def test_what_cannot_be_closed_holds_nobody_up() -> None:
    """Connections that do not close in good order are no fault of whoever heard READONLY on another."""
    stuck = Stuck()
    await One(cast("Redis", stuck)).doubt(ReadOnlyError("READONLY"))
    assert stuck.closed == 1


class Doubtful(One):
    """A server about which every doubt is written down, and fails."""

    doubts: ClassVar[list[str]] = []

    async def doubt(self, fault: Exception) -> None:
        """Write it down."""
        self.doubts.append(str(fault))
        raise RuntimeError("and this was not foreseen")


async def test_without_a_replica_another_is_looked_for(redis_server: EmbeddedRedis, dice: CountingDice) -> None:
    """That no replica confirms speaks of a failover too; whoever waits hears of it, whatever becomes of the doubt."""
    client = connect(redis_server.url)
    assert isinstance(client, Redis)
    link = Link(client, HandClock(), durability="replicated")
    link._nodes = Doubtful(client)
    async with asyncio.timeout(10):
        with pytest.raises(StoreDown, match="no replica"):
            await RedisStore(link, dice).accept(offered(dice))
    await link.aclose()
    assert Doubtful.doubts == ["no replica confirmed in time"]


class Noting(One):
    """A server about which every doubt is written down."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.doubts: list[str] = []

    async def doubt(self, fault: Exception) -> None:
        """Write it down."""
        self.doubts.append(type(fault).__name__)


async def test_who_is_not_known_any_more_looks_again_where_redis_is(redis_server: EmbeddedRedis) -> None:
    """A Redis that does not know us any more may be another one at the same address: so where ours is is asked anew."""
    client = connect(redis_server.url)
    assert isinstance(client, Redis)
    link = Link(client, HandClock())
    link._nodes = noting = Noting(client)
    with pytest.raises(StoreDown, match="said no: AuthenticationError"):
        await link.run(Script("no", 'return redis.error_reply("NOAUTH Authentication required.")', "0" * 40), [], [])
    assert noting.doubts == ["AuthenticationError"]
    await link.aclose()


async def test_a_node_of_a_cluster_is_no_server_alone(tmp_path: Path) -> None:
    """A server that speaks of slots is a node of a Cluster, and who set it up is told."""
    client = connect(f"unix://{tmp_path / 'nobody'}")
    assert isinstance(client, Redis)
    one = One(client)
    with pytest.raises(StoreDown, match=r"redis\.cluster = true"):
        one.redirect(MovedError("1 127.0.0.1:2"))
    await one.aclose()


async def test_the_first_good_answer_counts() -> None:
    """Whoever asks while a question is open hears its answer; one that hangs, and one that fails, hold nobody up."""
    asked, lets_go = [], asyncio.Event()

    async def hangs() -> str:
        asked.append("hangs")
        await lets_go.wait()
        return "late"

    async def fails() -> str:
        asked.append("fails")
        raise RedisConnectionError

    async def knows() -> str:
        asked.append("knows")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "the answer"

    inquiry = Inquiry(lambda: [hangs(), fails(), knows()], "they")
    assert set(await asyncio.gather(inquiry.answer(), inquiry.answer())) == {"the answer"}
    assert sorted(asked) == ["fails", "hangs", "knows"]
    assert await inquiry.answer() == "the answer"
    assert len(asked) == 6
    lets_go.set()
    await inquiry.aclose()


async def test_nobody_knows() -> None:
    """Where nobody can be reached that is said; where somebody said no, that is."""

    async def fails() -> str:
        raise RedisConnectionError

    async def refuses() -> str:
        raise ResponseError("ERR This instance has cluster support disabled")

    with pytest.raises(RedisConnectionError, match="they: nobody"):
        await Inquiry(lambda: [fails()], "they").answer()
    with pytest.raises(ResponseError, match="cluster support"):
        await Inquiry(lambda: [refuses(), fails()], "they").answer()


async def test_what_is_asked_on_the_way(redis_server: EmbeddedRedis) -> None:
    """What one server says no to is raised, also where ASKING goes before it."""
    client = connect(redis_server.url)
    assert isinstance(client, Redis)
    with pytest.raises(ResponseError):
        await said(client, ("NO-SUCH-THING",))
    with pytest.raises(ResponseError):
        await said(client, ("NO-SUCH-THING",), is_asking=True)
    await client.aclose()
