"""Runs each mutant's tests in a process of its own: a fork of this one, which has imported everybody's code but ours.

Started by path in a process that knows nothing of ours, so that what a fork imports as `service` and `tests` is the
mutant's copy. Importing pytest, httpx and the rest once instead of for each mutant saves two thirds of the time.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TypedDict

import pytest

# what the tests of our rooms import from others; one that is missing here only costs time
OTHERS = "anyio.pytest_plugin httpx hypothesis orjson prometheus_client pydantic redis.asyncio starlette.applications"
BROKEN = 98  # an exit code that pytest does not have
MOST_SECONDS = 100  # for one mutant; its tests take one or two
CUT_OFF = "cut_off"  # the name of the note that says so
ENDING_SECONDS = 10  # to end what its tests began, when the time is over


class Job(TypedDict):
    """One mutant and its tests.

    Attributes:
        root: the copy of the house.
        tests: files, node ids and options, as pytest takes them.
        order: of all ids of these files that there were before, those to run, first to last, and how many seconds each
            may take; empty: all as they stand.
        known: those ids; another one is of a parameter that the mutant changed, and runs as well.
        seconds: how long it may take, to the first test where there is an order.
    """

    root: str
    tests: list[str]
    order: dict[str, int]
    known: list[str]
    seconds: int


class Timed:
    """Gives each test its time: one that never ends is cut off soon, however many there are."""

    def __init__(self, seconds: Mapping[str, int]) -> None:
        self._seconds = seconds

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin to count."""
        if self._seconds:
            signal.alarm(self._seconds.get(nodeid, MOST_SECONDS))


class Chosen:
    """Has pytest run only what can see the mutant, in that order."""

    def __init__(self, job: Job) -> None:
        self._places = {test: place for place, test in enumerate(job["order"])}
        self._others = frozenset(job["known"]) - set(self._places)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose and sort; a test that nobody knew comes last."""
        if self._places:
            last = len(self._places)
            items[:] = [item for item in items if item.nodeid not in self._others]
            items.sort(key=lambda item: self._places.get(item.nodeid, last))


def cut_off_after(seconds: int, note: Path) -> None:
    """End as at Ctrl-C when the time is over, so that servers which tests started are ended too; and then at once.

    Args:
        seconds: how long it may take.
        note: a file that is there when the time was over.
    """

    def over(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(ENDING_SECONDS)
        note.touch()
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)


def run(job: Job) -> int:
    """Run the tests of one mutant in this process, which is a fork; return pytest's exit code."""
    root = Path(job["root"])
    said = os.open(root / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    cut_off_after(job["seconds"], root / CUT_OFF)
    os.chdir(root)
    sys.path[0] = str(root)
    spec = importlib.util.find_spec("service")
    if spec is None or spec.origin is None or not Path(spec.origin).is_relative_to(root):
        sys.stderr.write(f"this would test another service: {spec}\n")
        return BROKEN
    # plugins that are imported already are not rewritten for their asserts, which are none of ours
    quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider", "-n", "0")
    return pytest.main(["-q", "--tb=short", "-rfE", *quiet, *job["tests"]], [Chosen(job), Timed(job["order"])])


def main(jobs: list[Job], together: int) -> dict[str, int]:
    """Run all jobs, `together` at a time; return the exit code of each by its root."""
    for name in OTHERS.split():
        importlib.import_module(name)
    waiting, running, codes = list(reversed(jobs)), dict[int, str](), dict[str, int]()
    while waiting or running:
        while waiting and len(running) < together:
            job = waiting.pop()
            sys.stdout.flush()
            child = os.fork()
            if not child:
                try:
                    code = int(run(job))
                except BaseException:  # noqa: BLE001 - whatever it was, a fork must not go on as if it were the parent
                    traceback.print_exc()
                    code = BROKEN
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
            running[child] = job["root"]
        ended, status = os.wait()
        codes[running.pop(ended)] = os.waitstatus_to_exitcode(status)
    return codes


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.load(sys.stdin), int(sys.argv[1]))))
