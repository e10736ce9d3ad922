"""Which benchmarks there are: a name, and the module whose `measure` makes its rows."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from tests.bench.figures import Row, Size

Measure = Callable[[Size], Awaitable[Sequence[Row]]]

# in the order of the table; each is tests/bench/<name>.py with `async def measure(size: Size) -> Sequence[Row]`
NAMES: tuple[str, ...] = ("accept", "removal", "minutes", "memory", "remembered", "start")
# these build environments of their own for other people's queues, and run only where they are asked for
PEERS: tuple[str, ...] = ("peers_enqueue", "peers_killed", "peers_duplicates")


def measure_of(name: str) -> Measure:
    """Return what measures `name`; imported only then, so that one that lacks a tool does not stop the others."""
    return cast("Measure", importlib.import_module(f"tests.bench.{name}").measure)
