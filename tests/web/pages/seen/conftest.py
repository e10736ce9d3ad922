"""In a browser time is the machine's. So the day that is looked at has passed before, in a time of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest
import redis

from tests.fixtures.redis import BlockingRunner, CountingDice
from tests.flow.hours import Clock, Hours
from tests.flow.stage import Stage
from tests.web.console.ground import served
from tests.web.pages.crowd import Crowd, crowded
from tests.web.pages.lookout import Lookout


class Past(NamedTuple):
    """A day that has passed, and when it was over."""

    crowd: Crowd
    ended_at: int


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
def past(redis_client: redis.Redis, runner: BlockingRunner, dice: CountingDice) -> Iterator[Past]:
    """Let a day pass, at once."""

    async def lived() -> Past:
        async with Stage(redis_client, runner, dice) as stage, Lookout(stage) as lookout:
            return Past(await crowded(lookout), stage.clock.now())

    redis_client.config_set("appendfsync", "no")  # what is on disk is no matter here, and waiting for it is slow
    try:
        with asyncio.Runner(loop_factory=Hours) as hours:
            yield hours.run(lived())
    finally:
        redis_client.config_set("appendfsync", "always")


@pytest.fixture
async def lookout(
    past: Past, redis_client: redis.Redis, runner: BlockingRunner, dice: CountingDice
) -> AsyncIterator[Lookout]:
    """Give the console after that day, at its end."""
    clock = Clock()
    clock.step((past.ended_at - clock.now()) / 1000)
    async with Stage(redis_client, runner, dice, clock) as stage, Lookout(stage) as looking:
        yield looking


@pytest.fixture
def crowd(past: Past) -> Crowd:
    """Give what came of the day."""
    return past.crowd


@pytest.fixture
async def door(lookout: Lookout) -> AsyncIterator[str]:
    """Give the address of the console, while it is served."""
    async with served(lookout.door) as address:
        yield f"{address}/console"
