"""The Lua scripts as they are sent: text, SHA, and who can run them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypeAlias

Reply: TypeAlias = "str | int | list[Reply] | None"

FOLDER = Path(__file__).parent / "scripts"
# stands before every script: one clock, one type check, one way to write a timeline
PROLOGUE = "prologue"


@dataclass(frozen=True, slots=True)
class Script:
    """One atomic step.

    Attributes:
        name: its file without `.lua`.
        text: what Redis is given when it does not know the SHA yet.
        sha: what it is asked by otherwise.
    """

    name: str
    text: str
    sha: str


class Runner(Protocol):
    """Whoever brings a script to Redis and its answer back; may ask several times, the scripts know."""

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer.

        Raises:
            StoreDown: there was none in time, or Redis said no.
        """
        ...

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Like `run`, in one pipeline with what else is asked in the same turn of the loop, and as durable as set."""
        ...

    async def ask(self, *words: str) -> object:
        """Return the answer to a plain command that may be repeated, as the client reads it.

        Raises:
            StoreDown: as above.
        """
        ...


@cache
def script(name: str) -> Script:
    """Return the script `name`, with the prologue before it; read once per process."""
    text = "".join((FOLDER / f"{part}.lua").read_text(encoding="utf-8") for part in (PROLOGUE, name))
    # not a safeguard: SHA-1 is how Redis names a script
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def read_all() -> None:
    """Read every script now.

    A process that runs for weeks must not find another version's when it first needs one: somebody may install that
    over its files.
    """
    for name in names():
        script(name)


def names() -> tuple[str, ...]:
    """Return the names of all scripts, sorted, the prologue left out."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.lua") if path.stem != PROLOGUE))
