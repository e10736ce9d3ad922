"""The least queue there is, a list in Redis: no peer, but it shows in our own environment that all around one works."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from redis.asyncio import Redis

from tests.bench.peers.inside.door import Enqueue
from tests.bench.peers.inside.job import Remover
from tests.bench.peers.inside.place import Place
from tests.bench.peers.inside.roles import main, ready

WAITING, TAKEN = "waiting", "taken"
LOOK_SECONDS = 0.1
LEASE_SECONDS = 3


@asynccontextmanager
async def queue(place: Place) -> AsyncIterator[Enqueue]:
    """Open what enqueues: each delivery, however often it comes."""
    redis: Any = Redis.from_url(place.redis)
    async with redis:

        async def enqueue(_delivery: str, conversation: str, phone: str) -> object:
            return await redis.lpush(WAITING, json.dumps([conversation, phone]))

        yield enqueue


async def work(place: Place) -> None:
    """Work until told to stop; one that idles puts back, where it is to be quick, what nobody does any more."""
    remover, unmarked = Remover(place), set[bytes]()
    redis: Any = Redis.from_url(place.redis)
    ready()
    async with redis:
        while True:
            job = await redis.blmove(WAITING, TAKEN, LOOK_SECONDS, "RIGHT", "LEFT")
            if job is not None:
                # the mark of who does it ends by itself, as a lease does
                await redis.set(job, "", ex=LEASE_SECONDS)
                with contextlib.suppress(httpx.HTTPError):  # a call that is not there is no reason to stop
                    await remover.remove(*json.loads(job))
                await redis.lrem(TAKEN, 1, job)
            elif place.is_quick:
                # seen twice without a mark: who has only just taken it has not marked it yet
                seen = {one for one in await redis.lrange(TAKEN, 0, -1) if not await redis.exists(one)}
                for lost in seen & unmarked:
                    if await redis.lrem(TAKEN, 1, lost):
                        await redis.lpush(WAITING, lost)
                unmarked = seen


if __name__ == "__main__":
    main(queue, work)
