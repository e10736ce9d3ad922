"""The commands, a file per family. Whatever a command needs it imports itself, so that `--help` stays quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import cast

import typer
from typer.core import TyperGroup

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


class _Group(TyperGroup):
    """Several commands. Of its own options, what is not asked for is not looked at."""

    def parse_args(self, ctx: object, args: list[str]) -> list[str]:
        """Read the words before the command."""
        context = cast("typer.Context", ctx)
        for option in self.get_params(context):
            # typer has --help and those of completion without a value, and loads pydantic to find that None is none:
            # half the time that the help of a command takes
            option.default = False if option.default is None else option.default
        return super().parse_args(context, args)


app = typer.Typer(
    name="onhook",
    cls=_Group,
    help="Removes exactly one participant from a Genesys Cloud conversation, once, when a ticket asks for it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(short_help="Ask a few things, and write onhook.toml in shadow mode.")(starting.init)
app.command(short_help="Make a token for the console, shown once, and its settings.")(admitting.admit)
app.command(short_help="Doors and worker in one process; brings a Redis if need be.")(running.up)
app.command(short_help="Take webhooks: the public door, and a private one for probes.")(running.serve)
app.command(short_help="Do what was accepted, and tell the tickets.")(running.work)
app.command(short_help="A play Genesys Cloud and a play ServiceNow desk.")(running.sandbox)
app.command(short_help="Look at settings, Redis and Genesys Cloud; say what to mend.")(checking.check)
app.command(short_help="Ask whether what runs on this machine is alive.")(healthy.healthy)
app.command(short_help="Sign and post one webhook, and print the answer.")(sending.send)
app.command(short_help="Print the headers under which a source would send a body.")(proving.sign)
app.command(short_help="Say why a captured webhook is believed, or why not.")(proving.verify)
app.command(short_help="Say who would be removed and who would stay; nobody is.")(previewing.preview)
app.command(short_help="Say what a call to Genesys Cloud does, and the right one.")(explaining.explain)
app.add_typer(acting.app, cls=_Group, short_help="Find actions, look at one, export, ask again, drop.")
app.add_typer(retelling.app, cls=_Group, short_help="Reports that could not be delivered: list, tell again.")
app.command(short_help="Show actions as they are accepted and as they settle.")(following.tail)
app.command(short_help="Count the last hour and the last day.")(counting.stats)
app.command(short_help="Show who was removed for whom, and what people did.")(following.audit)
app.command(short_help="Remove nobody until `resume`.")(steering.pause)
app.command(short_help="Go on after `pause`.")(steering.resume)
app.command(short_help="Show the last deliveries that were refused, and why.")(refusing.refusals)
app.command(short_help="Forget a person, a requester or a ticket in all that is kept.")(forgetting.forget)
app.command(short_help="Tell the whole story live, on this machine alone.")(showing.demo)
app.command(short_help="Kill workers in the middle of removals, and count.")(showing.chaos)


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        from importlib import metadata

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
