"""Many commands in one piece, on one connection: how accepts share a write and an fsync.

redis-py's own pipeline does the same at four times the price: it writes each word in Python, and sets a timer a reply.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from service.store.address import SOCKET_SECONDS
from service.store.script import Reply

_pack = cast("Callable[[Sequence[str]], bytes]", hiredis.pack_command)  # its own stub knows tuples of one word only


async def piped(node: Redis, commands: Sequence[tuple[str, ...]]) -> list[Reply | Exception]:
    """Return what a server answers to each of some commands that are written in one piece.

    Raises:
        RedisError, OSError, TimeoutError: not all were answered; nobody knows which were done.
    """
    packed = b"".join([_pack(command) for command in commands])
    pool = node.connection_pool
    connection = await cast("Callable[[], Awaitable[AbstractConnection]]", pool.get_connection)()
    try:
        await connection.send_packed_command(packed)
        async with asyncio.timeout(SOCKET_SECONDS):
            # what ends it in the middle closes the connection: no reply is left for who has it next
            return [await _reply(connection) for _ in commands]
    finally:
        await pool.release(connection)


async def _reply(connection: AbstractConnection) -> Reply | Exception:
    try:
        return cast("Reply", await connection.read_response(timeout=math.inf))
    except ResponseError as no:
        return no
