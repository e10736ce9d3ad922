"""What every test of the doors may ask for: a public door with a client, and the log it writes."""

import io
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from service import telemetry
from tests.web.doors import Desk


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    """Catch the log, as it would leave the process."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.handlers.clear()  # else they are closed, and they are pytest's
    stream = io.BytesIO()
    telemetry.configure(stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
async def desk(log: io.BytesIO) -> AsyncIterator[Desk]:
    """Open a public door."""
    desk = Desk(log)
    yield desk
    await desk.http.aclose()
