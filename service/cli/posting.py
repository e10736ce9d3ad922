"""How `send` speaks with the door; imported when it does, so that `--help` stays quick."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
import typer

from service.core.model import OutcomeKind
from service.core.rules import OUTCOME_EXIT_CODES
from service.wiring.machine import SystemClock

NOT_ACCEPTED, NO_OUTCOME = 3, 4
LONGEST_WAIT_SECONDS = 20  # what the door grants; longer waits ask again
_AGAIN_SECONDS = 0.5  # until a door that did not answer is asked again


def post(door: str, source: str, headers: Mapping[str, str], body: bytes, wait: float) -> int:
    """Post one signed webhook to the public door at `door`, print what it says, and return the exit code.

    Args:
        door: the URL of the public door, without a slash at its end.
        source: as which source.
        headers: with the signature.
        body: what was signed.
        wait: up to so many seconds for the outcome; 0 for none.
    """
    until = SystemClock().monotonic() + wait
    with httpx.Client(trust_env=False, timeout=LONGEST_WAIT_SECONDS + 5) as client:
        try:
            answer = client.post(f"{door}/webhooks/{source}", headers=headers, content=body)
        except httpx.TransportError as fault:
            why = str(fault) or type(fault).__name__
            typer.echo(
                f"onhook: no answer from {door} ({why}): is that the public door of a running service?", err=True
            )
            return NOT_ACCEPTED
        typer.echo(answer.text)
        said = _object(answer)
        # whatever shape the source's system reads, its action stands in the header
        link = answer.headers.get("location", "") or said.get("links", {}).get("self", "")
        if not answer.is_success or not (link or said.get("status") == "ignored"):
            typer.echo(f"onhook: not accepted: {door} answered {answer.status_code}", err=True)
            return NOT_ACCEPTED
        if wait and not said.get("outcome") and link:
            named = httpx.URL(link)  # the door as senders reach it, which is not always our way
            status = httpx.URL(f"{door}/actions/{named.path.rpartition('/')[2]}", query=named.query)
            said = _settled(client, status, until)
    outcome = said.get("outcome")
    if wait and outcome:
        typer.echo(f"{outcome['kind']}: {said['explanation']}")
    return _exit_code(outcome) if wait else 0


def _settled(client: httpx.Client, status: httpx.URL, until: float) -> dict[str, Any]:
    """Return what the door says of an action once it has an outcome, or `until` is over."""
    monotonic = SystemClock().monotonic
    while (left := until - monotonic()) > 0:
        named = {"prefer": f"wait={max(1, min(left, LONGEST_WAIT_SECONDS)):.0f}"}
        try:
            answer = client.get(status, headers=named)
        except httpx.TransportError:
            answer = None
        said = _object(answer) if answer and answer.is_success else {}
        if said.get("outcome"):
            return said
        if not said:  # the door is away, or busy: the action may be settled all the same
            time.sleep(min(max(until - monotonic(), 0), _AGAIN_SECONDS))
    typer.echo("onhook: no outcome in time; it is kept on trying, and the link above tells", err=True)
    return {}


def _object(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object that was answered, or an empty one for anything else."""
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _exit_code(outcome: dict[str, Any] | None) -> int:
    codes = {kind.value: code for kind, code in OUTCOME_EXIT_CODES.items()}
    # a kind that only a newer door knows is not known here
    return codes.get(outcome["kind"], codes[OutcomeKind.UNKNOWN]) if outcome else NO_OUTCOME
