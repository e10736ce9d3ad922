"""What the tests of the console ask for: one with two people who have tokens, and somebody at it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest

from tests.web.console.ground import BETH, HOLDERS, VERA, Browser, Ground


@pytest.fixture
def ground(log: io.BytesIO) -> Ground:
    """A console at which beth may act and vera may look."""
    return Ground(HOLDERS)


@pytest.fixture
async def stranger(ground: Ground) -> AsyncIterator[Browser]:
    """Somebody without a token."""
    made = Browser(ground)
    yield made
    await made.http.aclose()


@pytest.fixture
async def beth(ground: Ground) -> AsyncIterator[Browser]:
    """An operator who is in."""
    made = Browser(ground)
    await made.login(BETH)
    yield made
    await made.http.aclose()


@pytest.fixture
async def vera(ground: Ground) -> AsyncIterator[Browser]:
    """A viewer who is in."""
    made = Browser(ground)
    await made.login(VERA)
    yield made
    await made.http.aclose()
