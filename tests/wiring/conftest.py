"""What the tests of whole processes have: a short folder, a client without a proxy, the log of the run left alone."""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import redis
import structlog

from service.store.embedded import EmbeddedRedis
from tests.fixtures.redis import short_folder
from tests.wiring.kept import Kept


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a new state directory, and stand in it."""
    made = short_folder()
    monkeypatch.chdir(made)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give an HTTP client that leaves this machine's proxies alone."""
    async with httpx.AsyncClient(trust_env=False, timeout=25) as made:
        yield made


@pytest.fixture
def kept(redis_client: redis.Redis, redis_server: EmbeddedRedis, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """Give what a service kept in an emptied Redis."""
    return Kept(redis_server.url, folder, monkeypatch)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave the logging of the test run as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
