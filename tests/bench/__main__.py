"""Measures, prints the table, and leaves JSON and pictures.

    uv run python -m tests.bench                    everything but the peers
    uv run python -m tests.bench accept memory      these
    uv run python -m tests.bench --peers            the peers too, each in an environment of its own
    uv run python -m tests.bench --quick            shows that it runs; its figures mean nothing

A full run writes tests/evidence/bench_<name>.json and, where matplotlib is (`uv sync --group e2e`), the .png beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests import findings
from tests.bench import picture
from tests.bench.figures import Row, Size
from tests.bench.register import NAMES, PEERS, measure_of


def main(words: Sequence[str]) -> int:
    """Measure what the words name; 2 for a name that is not there."""
    asked = _parser().parse_args(words)
    names = list(asked.names) or [*NAMES, *(PEERS if asked.peers else ())]
    if unknown := [name for name in names if name not in (*NAMES, *PEERS)]:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; there are {', '.join((*NAMES, *PEERS))}\n")
        return 2
    size = Size.QUICK if asked.quick else Size.FULL
    console = Console(width=160 if not sys.stdout.isatty() else None)
    for name in names:
        rows, seconds = asyncio.run(_clocked(name, size))
        console.print(table_of(name, rows, seconds, size))
        if size is Size.FULL:
            written(name, rows, seconds, findings.FOLDER)
        if folder := asked.pictures or (findings.FOLDER if size is Size.FULL else None):
            picture.draw(rows, name, Path(folder) / f"bench_{name}.png")
    return 0


def table_of(name: str, rows: Sequence[Row], seconds: float, size: Size) -> Table:
    """Return the rows as a person reads them."""
    note = "" if size is Size.FULL else " - quick: these figures mean nothing"
    table = Table(title=f"{name} ({seconds:.0f} s{note})", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("what", "against", "ours", "theirs", "figure", "goal", ""):
        table.add_column(heading, overflow="fold")
    for row in rows:
        met = {None: "", True: "met", False: "missed"}[row.is_met]
        table.add_row(
            row.what, row.against, _median(row, row.ours), _median(row, row.theirs), row.said, row.wanted, met
        )
        if row.note:
            table.add_row("", row.note)
    return table


def _median(row: Row, values: Sequence[float]) -> str:
    return f"{statistics.median(values):.{row.digits}f} {row.unit}" if values else ""


async def _clocked(name: str, size: Size) -> tuple[Sequence[Row], float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    rows = await measure_of(name)(size)
    return rows, loop.time() - began


def written(name: str, rows: Sequence[Row], seconds: float, folder: Path) -> None:
    """Leave what was measured as evidence; a goal that was missed is a finding."""
    missed = [f"{row.what}: {row.said}, goal {row.wanted}. {row.note}".strip() for row in rows if row.is_met is False]
    findings.write_evidence(
        f"bench_{name}",
        folder,
        command=f"uv run python -m tests.bench {name}",
        counters={"rounds": max(len(row.ours) for row in rows), "seconds": round(seconds)},
        findings=missed,
        load=round(os.getloadavg()[2], 2),
        rows=[row.as_json() for row in rows],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join((*NAMES, *PEERS))}")
    parser.add_argument("--peers", action="store_true", help="also the benchmarks that build other people's queues")
    parser.add_argument("--quick", action="store_true", help="a few seconds each, to show that it runs; writes nothing")
    parser.add_argument("--pictures", metavar="FOLDER", help="where the pictures go, also of a quick run")
    return parser


def _installed_first(path: str) -> str:
    """Return PATH with what the machine has before what lies beside our interpreter, such as an old Redis."""
    ours = str(Path(sys.executable).parent)
    return os.pathsep.join(sorted(path.split(os.pathsep), key=lambda folder: folder == ours))


if __name__ == "__main__":
    os.environ["PATH"] = _installed_first(os.environ["PATH"])
    sys.exit(main(sys.argv[1:]))
