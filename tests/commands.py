"""Every command there is, as a person types it, and what the operator's page says that it prints for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer

from service.cli import app

PAGE = (Path(__file__).parents[1] / "deploy" / "commands.md").read_text(encoding="utf-8")


def documented(heading: str) -> set[str]:
    """Return the keys that the page lists under a heading."""
    section = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, heading
    rows = re.findall(r"^\| (`[^|]*)\|", section[1], re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`([a-z_0-9]+)`", row)}


def command_names(of: typer.Typer = app) -> Iterator[str]:
    """Yield the name of each command, those of a family after the family's: `actions list`."""
    for command in of.registered_commands:
        yield command.name or str(getattr(command.callback, "__name__", ""))
    for family in of.registered_groups:
        assert family.typer_instance is not None
        yield from (f"{family.typer_instance.info.name} {name}" for name in command_names(family.typer_instance))
