"""Many commands in one piece: each has its own answer, and one that never comes leaves no reply behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from service.store.address import connect
from service.store.embedded import SOCKET, EmbeddedRedis
from service.store.piping import piped
from tests.fixtures.redis import short_folder
from tests.store.wire import Wire


@asynccontextmanager
async def wired(server: EmbeddedRedis) -> AsyncIterator[tuple[Wire, Redis]]:
    """Give a wire to a Redis, and a client at its other end."""
    folder = short_folder()
    async with Wire(folder / SOCKET, Path(server.url.removeprefix("unix://"))).open() as wire:
        client = connect(wire.url)
        assert isinstance(client, Redis)
        try:
            yield wire, client
        finally:
            await client.aclose()
    folder.rmdir()


async def test_each_has_its_answer(redis_server: EmbeddedRedis, redis_client: redis.Redis) -> None:
    """The answers come in the order of the commands, a no among them, and all were written in one piece."""
    async with wired(redis_server) as (wire, client):
        said = await piped(client, [("SET", "a", "ä\r\n"), ("INCR", "a"), ("GET", "a"), ("LLEN", "a")])
    assert [type(one) if isinstance(one, Exception) else one for one in said] == [
        "OK",
        ResponseError,
        "ä\r\n",
        ResponseError,
    ]
    assert wire.asked == 1


async def test_a_second_at_most(redis_server: EmbeddedRedis, redis_client: redis.Redis) -> None:
    """Where no answer comes it ends within a second, and who asks next does not hear what comes late."""
    async with wired(redis_server) as (wire, client):
        await piped(client, [("SET", "a", "1")])
        late = asyncio.get_running_loop().time() + 3
        with pytest.raises(TimeoutError):
            await piped(client, [("GET", "a"), ("BLPOP", "nothing", "1.5"), ("ECHO", "late")])
        assert asyncio.get_running_loop().time() < late
        assert await piped(client, [("ECHO", "mine")]) == ["mine"]
        assert wire.asked == 3


async def test_nobody_is_asked_what_cannot_be_written(redis_server: EmbeddedRedis, redis_client: redis.Redis) -> None:
    """A word that is no text takes no connection, and the others are not asked either."""
    async with wired(redis_server) as (wire, client):
        with pytest.raises(UnicodeEncodeError):
            await piped(client, [("SET", "a", "1"), ("ECHO", "\ud800")])
    assert wire.asked == 0
    assert redis_client.get("a") is None
