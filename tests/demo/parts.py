"""Which processes belong to a telling, and whether any is left of it: as the kernel says, not as the stage does."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("processes are found in /proc", allow_module_level=True)

GONE_SECONDS = 15  # the launchers give their parts three seconds, the sandbox ends after the others
_FOLDER = re.compile(rb"(/[^\0]*/onhook-demo-[^/\0]+)")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _all() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _parent(pid: int) -> int:
    return int((_read(pid, "stat").rpartition(b")")[2].split() or [b"0", b"0"])[1])


def below(pid: int) -> dict[int, bytes]:
    """Return all living processes that `pid` began, at whatever remove, with their command lines."""
    parents = {each: _parent(each) for each in _all()}
    found: dict[int, bytes] = {}
    newest = {pid}
    while newest:
        newest = {each for each, parent in parents.items() if parent in newest}
        found |= {each: _read(each, "cmdline") for each in newest}
    return {each: line for each, line in found.items() if line}


def part_of(pid: int, word: bytes) -> int:
    """Return the process below `pid` that runs `python -m service <word>`, not its launcher."""
    for each, line in below(pid).items():
        if b"launcher.py" not in line and b"-m\0service\0" + word in line:
            return each
    raise AssertionError(word)


def folder_of(pid: int) -> bytes:
    """Return the state directory of the telling that `pid` plays, as its parts know it."""
    for each, line in below(pid).items():
        if found := _FOLDER.search(line + b"\0" + _read(each, "environ")):
            return found[1]
    raise AssertionError(pid)


def lies_there(folder: bytes) -> bool:
    """Return whether a folder is still there."""
    return Path(os.fsdecode(folder)).exists()


def left_of(folder: bytes) -> list[bytes]:
    """Return the command lines of all processes that know `folder`, once none is left, or after the deadline."""
    until = time.monotonic() + GONE_SECONDS
    while True:
        pids = [each for each in _all() if each != os.getpid()]
        left = [line for each in pids if folder in (line := _read(each, "cmdline")) + _read(each, "environ")]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)  # real processes: they end by themselves
