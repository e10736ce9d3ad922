"""saq: the job's key is the delivery's id; with heartbeats, a sweep finds the jobs of a worker that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

from tests.bench.peers.inside.door import Enqueue
from tests.bench.peers.inside.job import Remover
from tests.bench.peers.inside.place import BEAT_SECONDS, LEASE_SECONDS, Place
from tests.bench.peers.inside.roles import main, ready

TRIES = 20


def _queue(place: Place) -> Any:  # noqa: ANN401 - saq is not in the environment that types are checked in
    # its own way to read a URL knows no socket
    return RedisQueue(Redis.from_url(place.redis))


@asynccontextmanager
async def queue(place: Place) -> AsyncIterator[Enqueue]:
    """Open what enqueues."""
    jobs = _queue(place)
    settings = {"heartbeat": LEASE_SECONDS, "retries": TRIES} if place.is_quick else {}
    await jobs.connect()

    async def enqueue(delivery: str, conversation: str, phone: str) -> object:
        return await jobs.enqueue("remove", key=delivery, conversation=conversation, phone=phone, **settings)

    try:
        yield enqueue
    finally:
        await jobs.disconnect()


async def work(place: Place) -> None:
    """Work until told to stop."""
    jobs, remover = _queue(place), Remover(place)

    async def remove(context: dict[str, Any], *, conversation: str, phone: str) -> None:
        beating = asyncio.create_task(_beat(context["job"])) if place.is_quick else None
        try:
            await remover.remove(conversation, phone)
        finally:
            if beating:
                beating.cancel()

    await jobs.connect()
    timers = {"sweep": 1} if place.is_quick else None
    worker = Worker(jobs, [("remove", remove)], timers=timers)
    ready()
    await worker.start()


async def _beat(job: Any) -> None:  # noqa: ANN401 - saq is not in the environment that types are checked in
    """Say again and again that the job is being done, as the library asks a job to."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)  # real processes: a heartbeat
        await job.update()


if __name__ == "__main__":
    main(queue, work)
