"""The story that most tests of the store begin with."""

from __future__ import annotations

import pytest
import redis

from service.store.keys import Keys
from service.store.redis import RedisStore
from tests.fixtures.redis import BlockingRunner, CountingDice, HandClock
from tests.store.stories import Story


@pytest.fixture
def story(
    store: RedisStore,
    hand_clock: HandClock,
    dice: CountingDice,
    redis_client: redis.Redis,
    runner: BlockingRunner,
    keys: Keys,
) -> Story:
    """Give a store on an emptied Redis, with its clock and its dice."""
    return Story(store, hand_clock, dice, redis_client, runner, keys)
