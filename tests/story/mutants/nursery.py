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

import pytest

# what the tests of our rooms import from others; one that is missing here only costs time
OTHERS = "anyio.pytest_plugin httpx hypothesis orjson prometheus_client pydantic redis.asyncio starlette.applications"
BROKEN = 98  # an exit code that pytest does not have
MOST_SECONDS = 100  # for one mutant; its tests take one or two


def run(job: Mapping[str, str]) -> int:
    """Run the tests of one mutant in this process, which is a fork; return pytest's exit code."""
    root = Path(job["root"])
    said = os.open(root / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    signal.alarm(MOST_SECONDS)
    os.chdir(root)
    sys.path[0] = str(root)
    spec = importlib.util.find_spec("service")
    if spec is None or spec.origin is None or not Path(spec.origin).is_relative_to(root):
        sys.stderr.write(f"this would test another service: {spec}\n")
        return BROKEN
    # plugins that are imported already are not rewritten for their asserts, which are none of ours
    quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider", "-n", "0")
    return pytest.main(["-q", "--tb=short", "-rfE", *quiet, *job["tests"].split()])


def main(jobs: list[dict[str, str]], together: int) -> dict[str, int]:
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
    sys.stdout.write(json.dumps(main(json.load(sys.stdin), os.cpu_count() or 1)))
