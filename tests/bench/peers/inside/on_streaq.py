"""streaq: the task's id is the delivery's; what a worker does not renew is taken from it after `idle_timeout`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streaq import Worker

from tests.bench.peers.inside.door import Enqueue
from tests.bench.peers.inside.job import Remover
from tests.bench.peers.inside.place import LEASE_SECONDS, Place
from tests.bench.peers.inside.roles import main, ready


def _worker(place: Place) -> tuple[Any, Any]:
    worker = Worker(redis_url=place.redis, **({"idle_timeout": LEASE_SECONDS} if place.is_quick else {}))
    return worker, worker.task(name="remove")(Remover(place).remove)


@asynccontextmanager
async def queue(place: Place) -> AsyncIterator[Enqueue]:
    """Open what enqueues."""
    worker, remove = _worker(place)

    async def enqueue(delivery: str, conversation: str, phone: str) -> object:
        task = remove.enqueue(conversation, phone)
        task.id = delivery
        return await task

    async with worker:
        yield enqueue


async def work(place: Place) -> None:
    """Work until told to stop."""
    worker, _ = _worker(place)
    ready()
    await worker.run_async()


if __name__ == "__main__":
    main(queue, work)
