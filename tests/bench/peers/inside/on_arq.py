"""arq: the job's id is the delivery's; a job is free again ten seconds after the longest that it may take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq import create_pool, func
from arq.connections import RedisSettings
from arq.worker import Worker

from tests.bench.peers.inside.door import Enqueue
from tests.bench.peers.inside.job import Remover
from tests.bench.peers.inside.place import JOB_SECONDS, Place
from tests.bench.peers.inside.roles import main, ready


@asynccontextmanager
async def queue(place: Place) -> AsyncIterator[Enqueue]:
    """Open what enqueues."""
    pool = await create_pool(RedisSettings.from_dsn(place.redis))

    async def enqueue(delivery: str, conversation: str, phone: str) -> object:
        return await pool.enqueue_job("remove", conversation, phone, _job_id=delivery)

    try:
        yield enqueue
    finally:
        await pool.aclose()


async def work(place: Place) -> None:
    """Work until told to stop."""
    remover = Remover(place)

    async def remove(_context: dict[str, Any], conversation: str, phone: str) -> None:
        await remover.remove(conversation, phone)

    settings = {"job_timeout": JOB_SECONDS} if place.is_quick else {}
    worker = Worker([func(remove, name="remove")], redis_settings=RedisSettings.from_dsn(place.redis), **settings)
    ready()
    await worker.async_run()


if __name__ == "__main__":
    main(queue, work)
