"""A pytest plugin that tells coverage which test is running, and keeps how long each took, and worked, that passed.

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
_seconds: dict[str, tuple[float, float]] = {}
_others: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid: str) -> None:
    """Let what runs from now on belong to this test, its fixtures included."""
    counting = Coverage.current()
    assert counting is not None, "run this under coverage"
    counting.switch_context(nodeid)
    _seconds[nodeid] = time.monotonic(), time.process_time()


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Keep how long it took, and how much of that it worked; what runs from now on belongs to no test."""
    counting = Coverage.current()
    assert counting is not None, "run this under coverage"
    counting.switch_context("")
    began, worked = _seconds[nodeid]
    _seconds[nodeid] = time.monotonic() - began, time.process_time() - worked


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep which did not pass: by them nothing can be said of a mutant."""
    if not report.passed:
        _others.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write down how long each test took that passed."""
    passed = {test: seconds for test, seconds in _seconds.items() if test not in _others}
    Path(os.environ[SECONDS]).write_text(json.dumps(passed), encoding="utf-8")
