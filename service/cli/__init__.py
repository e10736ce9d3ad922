"""The commands, a file per family. Whatever a command needs it imports itself, so that `--help` stays quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata

import typer

from service.cli import (
    acting,
    admitting,
    checking,
    counting,
    explaining,
    following,
    forgetting,
    healthy,
    previewing,
    proving,
    refusing,
    retelling,
    running,
    sending,
    showing,
    starting,
    steering,
)
from service.core.errors import Misconfigured, StoreDown, UnknownVersion

app = typer.Typer(
    name="onhook",
    help="Removes exactly one participant from a Genesys Cloud conversation, once, when a ticket asks for it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(starting.init)
app.command()(admitting.admit)
app.command()(running.up)
app.command()(running.serve)
app.command()(running.work)
app.command()(running.sandbox)
app.command()(checking.check)
app.command()(healthy.healthy)
app.command()(sending.send)
app.command()(proving.sign)
app.command()(proving.verify)
app.command()(previewing.preview)
app.command()(explaining.explain)
app.add_typer(acting.app)
app.add_typer(retelling.app)
app.command()(following.tail)
app.command()(counting.stats)
app.command()(following.audit)
app.command()(steering.pause)
app.command()(steering.resume)
app.command()(refusing.refusals)
app.command()(forgetting.forget)
app.command()(showing.demo)
app.command()(showing.chaos)


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        typer.echo(metadata.version("onhook"))
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; unusable settings end it with 2, a Redis that is away with 1."""
    try:
        app(arguments, prog_name="onhook")
    except Misconfigured as fault:
        for sentence in fault.faults:
            typer.echo(f"onhook: {sentence}", err=True)
        sys.exit(2)
    except UnknownVersion as fault:
        typer.echo(f"onhook: {fault}; ask a command of that version", err=True)
        sys.exit(1)
    except StoreDown as fault:
        typer.echo(f"onhook: Redis is away: {fault}", err=True)
        sys.exit(1)
