"""The command that lets somebody into the console."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class Role(StrEnum):
    """What somebody may do at the console."""

    VIEWER = "viewer"
    OPERATOR = "operator"


Name = Annotated[str, typer.Argument(help="Who it is for, as the audit will name her: beth, or beth@acme.example.")]
May = Annotated[Role, typer.Option(help="viewer: look. operator: also act.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]


def admit(name: Name, role: May = Role.VIEWER, is_json: Json = False) -> None:
    """Make a token for the console, and print it once, with the lines for onhook.toml that let it in.

    The settings hold its hash alone: whoever loses the token has a new one made. Nothing is written or changed.

    Example: onhook admit beth --role operator
    """
    from service.wiring.admitting import admitted

    made = admitted(name, role.value)
    if is_json:
        shown = {"name": made.name, "role": made.role, "token": made.token, "token_sha256": made.token_sha256}
        typer.echo(json.dumps(shown))
        return
    typer.echo(f"The token of {made.name}, who is {made.role}. It is shown this once and kept nowhere:\n")
    typer.echo(f"  {made.token}\n")
    typer.echo("For onhook.toml, which holds its hash alone; then start the doors again (onhook serve, onhook up):\n")
    typer.echo(made.lines)
