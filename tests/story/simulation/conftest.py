"""The Redis of the simulation: a real one, quick, on one connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from service.store.embedded import EmbeddedRedis


@pytest.fixture(scope="module")
def quick_client(redis_server: EmbeddedRedis) -> Iterator[redis.Redis]:
    """Give a client to a Redis that does not wait for the disk: what is on disk is no matter here."""
    options = {"decode_responses": True, "protocol": 2, "single_connection_client": True}
    with redis.Redis.from_url(redis_server.url, **options) as client:
        client.config_set("appendfsync", "no")
        yield client
        client.flushall()
        client.config_set("appendfsync", "always")
