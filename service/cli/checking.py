"""The command that says whether the service can keep its promises here, before anybody relies on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def check(
    as_json: Annotated[bool, typer.Option("--json", help="Say it as one JSON document, for programs.")] = False,
    test_call: Annotated[
        str, typer.Option(help="A conversation made for a test, to remove one participant from; needs --remove.")
    ] = "",
    remove: Annotated[str, typer.Option(help="With --test-call: the participant to remove, once.")] = "",
    yes_remove: Annotated[
        str, typer.Option(help="With --test-call, for scripts: the same id again, instead of typing it when asked.")
    ] = "",
    may_end_call: Annotated[
        bool, typer.Option("--may-end-call", help="With --test-call: also when at most one person would be left.")
    ] = False,
    org: Annotated[str, typer.Option(help="With --test-call: which org, where several are configured.")] = "",
    evidence: Annotated[Path | None, typer.Option(help="With --test-call: where the file of proof goes.")] = None,
) -> None:
    """Look at the settings, their Redis and each org's Genesys Cloud; say in words what is fine and what to mend.

    Nothing is changed: a token is asked for, and a conversation that nobody has. Ends with 0 when nothing is wrong,
    with 1 when something is, with 2 when the settings cannot be used.

    With --test-call one participant is removed from a real conversation, after a preview and your consent: it shows
    what only a live org can, says what to write into the settings, and leaves a file of proof without secrets.

    Example: ONHOOK_CONFIG=/etc/onhook/onhook.toml onhook check
    """
    import asyncio

    if test_call or remove or yes_remove:
        sys.exit(_tried(test_call, remove, yes_remove, org, evidence, may_end_call=may_end_call, as_json=as_json))
    from service.wiring.checked import shown
    from service.wiring.checking import check as look

    sys.exit(_say(*shown(asyncio.run(look()), as_json=as_json)))


def _say(text: str, is_good: bool, is_refused: bool = False) -> int:
    """Say it, a refusal on standard error; return the exit code."""
    typer.echo(f"onhook: {text}" if is_refused else text, err=is_refused)
    return 0 if is_good else 1


def _tried(
    conversation: str,
    participant: str,
    again: str,
    org: str,
    evidence: Path | None,
    *,
    may_end_call: bool,
    as_json: bool,
) -> int:
    """Try one removal in a live org; everything but the answers goes to standard error. Return the exit code."""
    import asyncio

    from service.core.errors import Misconfigured
    from service.wiring.trial import NoTrial, Preview
    from service.wiring.trying import Wish, told

    if not (conversation and participant):
        raise Misconfigured(["--test-call names the conversation and --remove the participant: both are needed"])
    if again and again != participant:
        raise Misconfigured(["--yes-remove: is not the id that --remove names; nobody was removed"])

    def consent(preview: Preview) -> None:
        typer.echo(f"Preview: {preview.sentence}.", err=True)
        if again:
            return
        typer.echo("This removes a person from a real call. Nothing takes it back.", err=True)
        typed = typer.prompt("Type the participant's id to go on", default="", show_default=False, err=True)
        if typed.strip().lower() != preview.target.participant_id:
            raise NoTrial("that is not the participant's id: nobody was removed")

    wish = Wish(org, conversation, participant, may_end_call, evidence)
    return _say(*asyncio.run(told(wish, consent, as_json=as_json)))
