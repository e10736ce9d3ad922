"""The command that tells the story."""

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
