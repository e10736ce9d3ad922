"""The pages' tests run in the time of the flow's: it passes when everybody waits, and then at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis

from tests.fixtures.redis import BlockingRunner, CountingDice
from tests.flow.hours import Hours
from tests.flow.stage import Stage
from tests.web.pages.lookout import Lookout


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Async tests run on asyncio, as the service does, with a clock that nobody has to wait for."""
    return "asyncio", {"loop_factory": Hours}


@pytest.fixture
async def lookout(redis_client: redis.Redis, runner: BlockingRunner, dice: CountingDice) -> AsyncIterator[Lookout]:
    """Give the console's pages over the real flow on a real Redis, before a sandbox."""
    redis_client.config_set("appendfsync", "no")  # what is on disk is no matter here, and waiting for it is slow
    try:
        async with Stage(redis_client, runner, dice) as stage, Lookout(stage) as looking:
            yield looking
    finally:
        redis_client.config_set("appendfsync", "always")
