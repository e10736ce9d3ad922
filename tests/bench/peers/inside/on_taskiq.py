"""taskiq-redis: its broker on a stream, the one that acknowledges; it knows no delivery by its id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

from tests.bench.peers.inside.door import Enqueue
from tests.bench.peers.inside.job import Remover
from tests.bench.peers.inside.place import JOB_SECONDS, Place
from tests.bench.peers.inside.roles import main, ready


def _broker(place: Place) -> tuple[Any, Any]:
    # nothing is renewed while a job runs, so it must be longer than the longest job; the lock would else stay for ever
    # where a worker dies that holds it
    settings = {"idle_timeout": JOB_SECONDS * 1000, "unacknowledged_lock_timeout": 1} if place.is_quick else {}
    broker, remover = RedisStreamBroker(place.redis, **settings), Remover(place)

    async def remove(conversation: str, phone: str) -> None:
        await remover.remove(conversation, phone)

    return broker, broker.task(task_name="remove")(remove)


@asynccontextmanager
async def queue(place: Place) -> AsyncIterator[Enqueue]:
    """Open what enqueues."""
    broker, remove = _broker(place)
    await broker.startup()

    async def enqueue(_delivery: str, conversation: str, phone: str) -> object:
        return await remove.kiq(conversation, phone)

    try:
        yield enqueue
    finally:
        await broker.shutdown()


async def work(place: Place) -> None:
    """Work until told to stop."""
    broker, _ = _broker(place)
    broker.is_worker_process = True
    await broker.startup()
    ready()
    await run_receiver_task(broker)


if __name__ == "__main__":
    main(queue, work)
