"""A pytest plugin that runs no test itself: for each mutant a fork of it does, with one function's code exchanged.

All is imported and collected once, by the house as it stands: a mutant takes no longer than the tests that can see it.
It serves mutants inside of functions only: what ran at import has run.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import TypedDict

import pytest

from tests.story.mutants.nursery import BROKEN, MOST_SECONDS, Timed, cut_off_after

JOBS = "ONHOOK_SWAPS"  # the file that says what to do; the answers stand beside it
Function = tuple[str, int]


class Swap(TypedDict):
    """One mutant and its tests.

    Attributes:
        file: the whole path of the changed file.
        text: what it says now.
        function: the outermost one around the change: its qualified name, and its line.
        order: the ids of the tests to run, first to last, and how many seconds each may take.
        note: the file that is there afterwards if one took longer.
    """

    file: str
    text: str
    function: Function
    order: dict[str, int]
    note: str


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Fork for each job; in the fork, leave the rest to pytest, with one function changed and the tests chosen."""
    path = Path(os.environ[JOBS])
    jobs: list[Swap] = json.loads(path.read_text(encoding="utf-8"))
    functions, codes = _functions(), list[int]()
    items = {item.nodeid: item for item in session.items}
    for job in jobs:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            cut_off_after(MOST_SECONDS, Path(job["note"]))
            session.config.pluginmanager.register(Timed(job["order"]))
            session.items[:] = [items[test] for test in job["order"]]
            return None if _swapped(job, functions) else os._exit(BROKEN)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    path.with_suffix(".codes").write_text(json.dumps(codes), encoding="utf-8")
    return True


def _functions() -> dict[tuple[str, Function], list[FunctionType]]:
    found = defaultdict[tuple[str, Function], list[FunctionType]](list)
    for one in gc.get_objects():
        if type(one) is FunctionType:
            code = one.__code__
            found[code.co_filename, (code.co_qualname, code.co_firstlineno)].append(one)
    return found


def _swapped(job: Swap, functions: dict[tuple[str, Function], list[FunctionType]]) -> bool:
    """Give the function its new code, wherever it is held; whether that was possible."""
    qualname, line = job["function"]
    live = functions.get((job["file"], (qualname, line)), [])
    for code in _codes(compile(job["text"], job["file"], "exec", dont_inherit=True)):
        if (code.co_qualname, code.co_firstlineno) == (qualname, line):
            is_possible = all(function.__code__.co_freevars == code.co_freevars for function in live)
            for function in live if is_possible else ():
                function.__code__ = code
            return bool(live) and is_possible
    return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)
