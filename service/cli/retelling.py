"""The commands for reports that could not be delivered: only a person moves them on."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

app = typer.Typer(
    name="dead", help="Reports that could not be delivered: list them by cause, tell them again.", no_args_is_help=True
)
Org = Annotated[str, typer.Option(help="Only this org; all configured ones without it.")]
_SHOWN = ("report", "ticket", "error", "outcome", "tries", "died_at")  # what matters most stands first
_LEFT = "there is no such letter, it is dead no more, or a newer version of this service wrote it"
_NONE = "There is no dead letter: every ticket was told, or is still tried."


@app.command("list", short_help="Show the dead letters of each org by cause.")
def list_(
    org: Org = "",
    each: Annotated[bool, typer.Option("--each", help="A row for each letter, not for each cause.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line, for each letter.")] = False,
) -> None:
    """Show the dead letters of each org by cause, the most frequent first: the newest thousand.

    A cause is what the desk said, without ids and numbers. Mend it, then `onhook dead retell --cause`.

    Example: onhook dead list
    """
    import asyncio

    from service.cli import printing
    from service.wiring import retelling as rooms

    letters = asyncio.run(rooms.letters(org))
    if as_json:
        for letter in letters:
            printing.line(letter)
    elif not letters:
        typer.echo(_NONE)
    elif each:
        printing.table(
            [key.replace("_", " ") for key in _SHOWN], ([letter[key] for key in _SHOWN] for letter in letters)
        )
    else:
        counted = Counter(str(letter["cause"]) for letter in letters)
        sources = {cause: sorted({str(one["source"]) for one in letters if one["cause"] == cause}) for cause in counted}
        rows = ((count, ", ".join(sources[cause]), cause) for cause, count in counted.items())
        printing.table(["letters", "source", "cause"], rows)


@app.command(short_help="Make dead letters due again.")
def retell(
    reports: Annotated[list[str] | None, typer.Argument(help="Their ids, as `onhook dead list --each` shows.")] = None,
    cause: Annotated[str, typer.Option(help="All with this cause, or with these words in it.")] = "",
    is_all: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    org: Org = "",
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document; needs --yes where it would ask.")] = False,
) -> None:
    """Make dead letters due again: some by their ids, all of one cause, or all; each is tried for a day like a new one.

    A ticket that has its note already is not told twice, where its system lets us look. Ends with 1 where none of them
    was told again: there is no such letter, it is dead no more, or you said no.

    Example: onhook dead retell --cause "is closed" --why "tickets were opened again"
    """
    import asyncio

    from service.cli import printing
    from service.core.errors import Misconfigured
    from service.wiring import retelling as rooms
    from service.wiring.machine import operator

    if sum(map(bool, (reports, cause, is_all))) != 1:
        raise Misconfigured(["say which dead letters: their ids, or --cause, or --all"])
    meant = reports or printing.done(rooms.meant(org, cause))
    if not reports and not yes:
        if as_json:
            raise Misconfigured([f"--json does not ask: say --yes to tell {_letters(len(meant))} again"])
        if not typer.confirm(f"Tell {_letters(len(meant))} again?", err=True):
            printing.say("nothing was told again")
            sys.exit(1)
    with printing.progress("told again", len(meant)) as step:
        retold = asyncio.run(rooms.retell(meant, operator(why), step))
    if as_json:
        printing.line({"told": retold.told, "left": retold.left})
    else:
        typer.echo(f"Due again: {_letters(len(retold.told))}.")
        for report_id in retold.left:
            printing.say(f"{report_id} was left: {_LEFT}")
    sys.exit(0 if retold.told else 1)


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"
