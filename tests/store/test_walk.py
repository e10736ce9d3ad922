"""A walk through all keys meets one master from beginning to end, or begins anew, or says that it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import cast

import pytest
from redis.asyncio import ConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.connection import AbstractConnection

from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.redis import SCAN_MOST, RedisStore
from service.store.script import Reply, Script
from service.store.walk import TIMES_MOST, walked
from tests.fixtures.redis import CountingDice, HandClock
from tests.fixtures.servers import BRANDS, program_of
from tests.store.stories import ORG, offered
from tests.story.power.pair import paired

KEY = "onhook:{acme}:due:removals"


class Redis:
    """Answers as it was told, one answer a step; asked for the first time, it may be that nobody is there."""

    def __init__(self, *answers: Reply | StoreDown) -> None:
        self._answers: Iterator[Reply | StoreDown] = iter(answers)
        self.cursors: list[str] = []

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Answer the next one."""
        assert (script.name, keys) == ("walk", [KEY])
        self.cursors.append(args[0])
        answer = next(self._answers)
        if isinstance(answer, StoreDown):
            raise answer
        return answer

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Answer alike."""
        return await self.run(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Nobody asks."""
        raise NotImplementedError(words)


def _page(master: str, cursor: str, *names: str) -> Reply:
    return [master, cursor, list(names)]


async def _names(redis: Redis) -> set[str]:
    return await walked(redis, KEY, (), fits="*", many=1)


async def test_one_master() -> None:
    """What was found on the way is returned, each once."""
    redis = Redis(_page("a", "7", "x", "y"), _page("a", "3"), _page("a", "0", "y", "z"))
    assert await _names(redis) == {"x", "y", "z"}
    assert redis.cursors == ["0", "7", "3"]


@pytest.mark.parametrize("between", [_page("b", "0", "only b"), StoreDown("READONLY")], ids=["another", "a replica"])
async def test_another_one_on_the_way(between: Reply | StoreDown) -> None:
    """Where another one answers, or nobody does, the walk begins anew: nothing of the first one's is mixed in."""
    redis = Redis(_page("a", "7", "x"), between, _page("b", "5", "y"), _page("b", "0", "z"))
    assert await _names(redis) == {"y", "z"}
    assert redis.cursors == ["0", "7", "0", "5"]


async def test_no_end_of_masters() -> None:
    """Where it does not come to an end it is said, and no part of it passes for the whole."""
    redis = Redis(*(_page(master, "7", "x") for _ in range(TIMES_MOST) for master in ("a", "b")))
    with pytest.raises(StoreDown, match="another Redis took over"):
        await _names(redis)
    assert len(redis.cursors) == 2 * TIMES_MOST


async def taken(pool: ConnectionPool) -> AbstractConnection:
    """Take the nearest free connection, or a new one."""
    return cast("AbstractConnection", await pool.get_connection())  # type: ignore[no-untyped-call]  # redis-py's


class Alternating:
    """Brings every other question over another connection of the same link."""

    def __init__(self, link: Link, pool: ConnectionPool) -> None:
        self._link, self._pool, self._times = link, pool, 0

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Bring it; every other time while the connection that is nearest is busy."""
        self._times += 1
        busy = await taken(self._pool) if self._times % 2 else None
        try:
            return await self._link.run(script, keys, args)
        finally:
            if busy:
                await self._pool.release(busy)

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Bring it alike."""
        return await self.run(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Nobody asks."""
        raise NotImplementedError(words)


@pytest.mark.parametrize("brand", BRANDS)
async def test_after_a_failover(brand: str, dice: CountingDice) -> None:
    """Some connections still lead to the old master: all ids are found, wherever each step of the walk comes out."""
    async with paired(program_of(brand)) as pair, aclosing(connect(pair.url)) as client:
        assert isinstance(client, Client)
        link = Link(client, HandClock())
        store, pool = RedisStore(link, dice), client.connection_pool
        ids = [(await store.accept(offered(dice, number))).action_id for number in range(3 * SCAN_MOST)]
        await pair.promote()
        await pair.follow()
        old, new = [await taken(pool) for _ in range(2)]
        for connection in (new, old):
            await pool.release(connection)
        assert await RedisStore(Alternating(link, pool), dice).action_ids(ORG) == ids
        await link.aclose()
