"""The command that forgets a person, a requester or a ticket."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer


def forget(
    phone: Annotated[str, typer.Option(help="Whoever was to be removed by this number, +1415….")] = "",
    requester: Annotated[str, typer.Option(help="Whoever asked, as the source names him.")] = "",
    ticket: Annotated[
        str, typer.Option(help="What this ticket asked: INC0010112, its reference or the end of it.")
    ] = "",
    org: Annotated[str, typer.Option(help="Only in this org; in all configured ones without it.")] = "",
    by: Annotated[str, typer.Option(help="Who asks for it, to be written down; your login without it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    is_json: Annotated[
        bool, typer.Option("--json", help="One JSON document; without --yes nothing is changed.")
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="Show who let something be forgotten, and when.")] = False,
) -> None:
    """Forget a person, a requester or a ticket in all that is kept in Redis; there is no way back.

    Of what has ended, only that and how it ended stays. What is open is named and stays: a promise is kept first. It is
    written down who asked, when, and how much it was, but not whom it was about. Running it twice does no harm.
    Ends with 0, or with 1 when something stays or you said no, or with 2 when the settings cannot be used.

    Example: onhook forget --phone +14155550123
    """
    import asyncio

    from service.wiring import forgetting as rooms

    if log:
        for line in rooms.log_lines(asyncio.run(rooms.attested(org)), as_json=is_json):
            typer.echo(line)
        return

    def agree(answers: rooms.Answers) -> bool:
        if is_json:
            return yes
        typer.echo(rooms.found_words(answers))
        # that there was nothing is written down too
        return yes or not rooms.is_any(answers) or typer.confirm("Forget it? There is no way back")

    wish = rooms.wanted(phone, requester, ticket)
    answers, is_agreed = asyncio.run(rooms.forget(wish, org, by or _login(), agree))
    typer.echo(json.dumps(rooms.document(answers, wish)) if is_json else rooms.done_words(answers, is_agreed=is_agreed))
    is_no = not is_agreed and not is_json
    sys.exit(1 if is_no or any(one.still_open for one in answers.values()) else 0)


def _login(ask: Callable[[], str] = getpass.getuser) -> str:
    """Return who is logged in; in a container nobody may have a name."""
    try:
        return ask()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
