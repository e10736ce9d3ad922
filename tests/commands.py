"""Every command there is, as a person types it: what documentation and help are held against."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from service.cli import app


def command_names(of: typer.Typer = app) -> Iterator[str]:
    """Yield the name of each command, those of a family after the family's: `actions list`."""
    for command in of.registered_commands:
        yield command.name or str(getattr(command.callback, "__name__", ""))
    for family in of.registered_groups:
        assert family.typer_instance is not None
        yield from (f"{family.typer_instance.info.name} {name}" for name in command_names(family.typer_instance))
