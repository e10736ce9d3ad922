"""Draws the rounds of a benchmark, so that the spread is seen and not only the median."""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figures import Row

OURS, THEIRS = "#0b6e4f", "#9a9a9a"


def draw(rows: Sequence[Row], name: str, file: Path) -> bool:
    """Write a PNG with a strip a row: every round a point, the median a line. False without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return False
    # here, and not above: it is in the group e2e only, and takes a second to import
    from matplotlib.figure import Figure  # noqa: PLC0415 - as said

    figure = Figure(figsize=(9, 0.9 + 0.8 * len(rows)), layout="constrained", dpi=120)
    for number, row in enumerate(rows):
        axes = figure.add_subplot(len(rows), 1, number + 1)
        axes.set_title(
            f"{row.what}: {row.said}" + (f"   goal {row.wanted}" if row.goal else ""), loc="left", fontsize=9
        )
        for values, colour, height in ((row.ours, OURS, 1.0), (row.theirs, THEIRS, 0.0)):
            if values:
                axes.plot(values, [height] * len(values), "|", color=colour, markersize=14, alpha=0.7)
                axes.plot([statistics.median(values)], [height], "o", color=colour, markersize=6)
        axes.set_yticks([1.0, 0.0] if row.theirs else [1.0], ["onhook", row.against] if row.theirs else ["onhook"])
        axes.set_ylim(-0.6, 1.6)
        axes.set_xlim(left=0)
        axes.set_xlabel(row.unit, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"onhook, {name}", x=0.01, ha="left", fontsize=11)
    figure.savefig(file)
    return True
