"""The commands that show what it does: the story, and the kills."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the story is told.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of figures for programs.")] = False,
    evidence: Annotated[Path | None, typer.Option(help="Write the sandbox's raw call log into this folder.")] = None,
) -> None:
    """Tell the whole story live, on this machine alone: nothing has to be installed or configured.

    Example: onhook demo --once --json
    """
    from service.demo import tell

    sys.exit(tell(is_once=once, as_json=as_json, evidence=evidence))


def chaos(
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="How long people click and workers are killed.")] = 60,
    workers: Annotated[int, typer.Option(min=2, max=16, help="How many there are at a time.")] = 6,
    kills: Annotated[int, typer.Option(min=0, max=100_000, help="Go on after that until so many were killed.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of figures for programs.")] = False,
    evidence: Annotated[Path | None, typer.Option(help="Write figures, recoveries, calls into this folder.")] = None,
) -> None:
    """Kill workers with kill -9 in the middle of removals, on this machine alone, and count what is lost or done twice.

    People click for twenty seconds; then several workers are killed and nobody clicks until nine seconds after the
    last kill: what those held is taken over without any new traffic. And again, until the seconds are over. Ends with
    1 when anything was lost or done twice, somebody else was touched, or the p99 of taking over is above 8 seconds.

    Example: onhook chaos --seconds 60 --json
    """
    from service.demo import Wish, wreak

    wish = Wish(seconds=seconds, kills=kills, workers=workers)
    sys.exit(wreak(wish, as_json=as_json, evidence=evidence))
