"""The fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.play import Play


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """Give each test a sandbox of its own."""
    play = Play()
    await play.log_in()
    yield play
    await play.http.aclose()
