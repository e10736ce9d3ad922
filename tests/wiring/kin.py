"""Which processes came of another, as Linux knows it."""

from __future__ import annotations

from pathlib import Path


def children_of(pid: int) -> dict[int, str]:
    """Return the children of a process that still run, each with its command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it ended meanwhile
                continue
            if int(parent) == pid and state != "Z":
                found[int(folder.name)] = words
    return found


def descendants_of(pid: int) -> dict[int, str]:
    """Return all processes that came of a process."""
    children = children_of(pid)
    for child in list(children):
        children |= descendants_of(child)
    return children


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
