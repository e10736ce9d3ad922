"""A pytest plugin that tells coverage which test is running, and keeps how long each took.

Coverage itself knows a test by its function, and loses an async one at its first await.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from coverage import Coverage

SECONDS = "ONHOOK_TESTS_SECONDS"  # where to write them
_seconds: dict[str, float] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid: str) -> None:
    """Let what runs from now on belong to this test, its fixtures included."""
    counting = Coverage.current()
    assert counting is not None, "run this under coverage"
    counting.switch_context(nodeid)
    _seconds[nodeid] = -time.monotonic()


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Keep how long it took; what runs from now on belongs to no test."""
    counting = Coverage.current()
    assert counting is not None, "run this under coverage"
    counting.switch_context("")
    _seconds[nodeid] += time.monotonic()


def pytest_sessionfinish() -> None:
    """Write down how long each test took."""
    Path(os.environ[SECONDS]).write_text(json.dumps(_seconds), encoding="utf-8")
