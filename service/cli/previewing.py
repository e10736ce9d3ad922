"""The command that asks who would go: the same as for a click, and nobody is removed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

NO_OUTCOME = 4  # as `send` ends where there is none in time


def preview(
    source: Annotated[str, typer.Option(help="The configured source whose policy counts.")],
    conversation: Annotated[str, typer.Option(help="The conversation's id.")],
    participant: Annotated[str, typer.Option(help="Name the person by participant id.")] = "",
    phone: Annotated[str, typer.Option(help="Name the person by number, +1415…")] = "",
    user: Annotated[str, typer.Option(help="Name the person by Genesys user id.")] = "",
    external_contact: Annotated[str, typer.Option(help="Name the person by external contact id.")] = "",
    communication: Annotated[str, typer.Option(help="Name one leg by communication id.")] = "",
    attribute: Annotated[str, typer.Option(help="Name the person by an attribute, key=value.")] = "",
    purpose: Annotated[str, typer.Option(help="Name the one person with this purpose, like customer.")] = "",
    medium: Annotated[str, typer.Option(help="Only who is there by it: voice, message, email, chat, …")] = "",
    requester: Annotated[str, typer.Option(help="As if this requester had clicked.")] = "",
    ticket: Annotated[str, typer.Option(help="Also write the outcome there: table/sys_id.")] = "",
    number: Annotated[str, typer.Option(help="What people call the ticket: INC0010112.")] = "",
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Wait up to this many seconds for the outcome.")] = 20,
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
) -> None:
    """Say who would be removed and who would stay, or why nobody: by the policy of now, beside a running service.

    Nobody is removed, and no ticket is told unless one is named.
    Ends with 0 somebody would go (or has left already), 2 settings, 4 no outcome in time, 10 not found, 11 refused,
    12 expired, 13 failed.

    Example: onhook preview --source servicenow --conversation 0f9a… --phone +14155550123
    """
    import asyncio

    from service.core.rules import OUTCOME_EXIT_CODES
    from service.core.wording import SHIPPED
    from service.wiring.machine import operator
    from service.wiring.previewing import preview as asked

    table, _, sys_id = ticket.rpartition("/")
    data = {"conversation_id": conversation, "medium": medium, "table": table, "sys_id": sys_id, "number": number}
    data |= {"participant_id": participant, "communication_id": communication, "caller_phone": phone}
    data |= {"user_id": user, "external_contact_id": external_contact, "attribute": attribute, "purpose": purpose}
    given = {key: value for key, value in {**data, "requested_by": requester}.items() if value}
    done = asyncio.run(asked(source, given, operator(why), wait))
    if done.outcome is None:
        typer.echo(
            f"onhook: no outcome in {wait:g} s: does a worker run, and is the org paused? {done.action_id}", err=True
        )
        sys.exit(NO_OUTCOME)
    typer.echo(f"{done.outcome.kind}: {SHIPPED.explanation(done.outcome)}")
    sys.exit(OUTCOME_EXIT_CODES[done.outcome.kind])
