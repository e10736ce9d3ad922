"""dramatiq: enqueued from threads, as it has no other way; it knows no delivery by its id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware.asyncio import AsyncIO
from starlette.concurrency import run_in_threadpool

from tests.bench.peers.inside.door import Enqueue
from tests.bench.peers.inside.job import Remover
from tests.bench.peers.inside.place import LEASE_SECONDS, Place
from tests.bench.peers.inside.roles import main, ready

ALWAYS = 1_000_000  # each command looks after what dead workers held; as installed it is one in a thousand


def _actor(place: Place) -> tuple[Any, Any]:
    settings = {"heartbeat_timeout": LEASE_SECONDS * 1000, "maintenance_chance": ALWAYS} if place.is_quick else {}
    broker = RedisBroker(url=place.redis, **settings)
    broker.add_middleware(AsyncIO())
    return broker, dramatiq.actor(Remover(place).remove, actor_name="remove", broker=broker)


@asynccontextmanager
async def queue(place: Place) -> AsyncIterator[Enqueue]:
    """Open what enqueues."""
    broker, remove = _actor(place)

    async def enqueue(_delivery: str, conversation: str, phone: str) -> object:
        return await run_in_threadpool(remove.send, conversation, phone)

    try:
        yield enqueue
    finally:
        broker.close()


async def work(place: Place) -> None:
    """Work until told to stop."""
    broker, _ = _actor(place)
    worker = dramatiq.Worker(broker)
    worker.start()
    ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    main(queue, work)
