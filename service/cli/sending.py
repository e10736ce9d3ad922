"""The command that sends a webhook as a ticketing system would: to try a source, and from a pipeline."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

# makes the headers that prove a body: of its id, the moment, and itself
Prove = Callable[[str, int, bytes], Mapping[str, str]]
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~/-]*)?")


def send(
    source: Annotated[str, typer.Option(help="The configured source to speak as.")],
    conversation: Annotated[str, typer.Option(help="The conversation's id.")],
    participant: Annotated[str, typer.Option(help="Name the person by participant id.")] = "",
    phone: Annotated[str, typer.Option(help="Name the person by number, +1415…")] = "",
    user: Annotated[str, typer.Option(help="Name the person by Genesys user id.")] = "",
    external_contact: Annotated[str, typer.Option(help="Name the person by external contact id.")] = "",
    communication: Annotated[str, typer.Option(help="Name one leg by communication id: it alone is removed.")] = "",
    attribute: Annotated[str, typer.Option(help="Name the person by an attribute, key=value.")] = "",
    purpose: Annotated[str, typer.Option(help="Name the one person with this purpose, like customer.")] = "",
    medium: Annotated[str, typer.Option(help="Only who is there by it: voice, message, email, chat, …")] = "",
    ticket: Annotated[str, typer.Option(help="Where the outcome is told: table/sys_id.")] = "",
    number: Annotated[str, typer.Option(help="What people call the ticket: INC0010112.")] = "",
    delivery_id: Annotated[str, typer.Option("--id", help="The webhook's id; the same id is the same delivery.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Ask who would go; remove nobody.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Wait up to this many seconds and end by the outcome.")] = 0,
    curl: Annotated[
        bool, typer.Option("--curl", help="Print the same request as a curl command; send nothing.")
    ] = False,
    url: Annotated[str, typer.Option(help="Where the public door is.")] = "",
    secret_file: Annotated[Path | None, typer.Option(help="The source's secret, if it is not in the settings.")] = None,
) -> None:
    """Sign and post one "Remove Caller" webhook, and print the answer.

    Ends with 0 accepted (with --wait: removed, already gone, or previewed), 2 settings, 3 not accepted,
    4 no outcome in time, 10 not found, 11 refused, 12 expired, 13 failed, 14 unknown.

    Example: onhook send --source servicenow --conversation 0f9a… --phone +14155550123 --wait 10
    """
    from service.cli.posting import LONGEST_WAIT_SECONDS, post

    table, _, sys_id = ticket.rpartition("/")
    data = {"conversation_id": conversation, "medium": medium, "table": table, "sys_id": sys_id, "number": number}
    data |= {"participant_id": participant, "communication_id": communication, "caller_phone": phone}
    data |= {"user_id": user, "external_contact_id": external_contact, "attribute": attribute, "purpose": purpose}
    body = _body({key: value for key, value in data.items() if value}, is_preview=preview)
    door, prove = _door_and_proof(source, url, secret_file)
    headers = _headers(prove, delivery_id, body)
    if curl:
        typer.echo(_as_curl(f"{door}/webhooks/{source}", headers, body, min(wait, LONGEST_WAIT_SECONDS)))
        return
    sys.exit(post(door, source, headers, body, wait))


def _body(data: dict[str, Any], *, is_preview: bool) -> bytes:
    if is_preview:
        data["preview"] = True
    from service.wiring.machine import SystemClock

    clicked = datetime.fromtimestamp(SystemClock().now() / 1000, UTC).isoformat(timespec="milliseconds")
    event = {"type": "caller.remove", "timestamp": clicked.replace("+00:00", "Z"), "data": data}
    return json.dumps(event, separators=(",", ":")).encode()


def _door_and_proof(source: str, url: str, secret_file: Path | None) -> tuple[str, Prove]:
    from service import settings
    from service.core.errors import Misconfigured
    from service.core.model import ORG_NAME
    from service.sources.diagnosis import proof_of
    from service.sources.signing import secret_in, signed
    from service.wiring.secret import options_of

    if not ORG_NAME.fullmatch(source):
        raise Misconfigured([f"--source: “{source}” is no name of a source: 1 to 32 of a-z, 0-9 and -"])
    if url and not _ADDRESS.fullmatch(url):
        raise Misconfigured(["--url: is where the public door is, like http://127.0.0.1:8080"])
    said = settings.read() if not (url and secret_file) else settings.Settings()
    door = (url or said.doors.reached).rstrip("/")
    if secret_file is None:
        options = options_of(said, source)
        return door, partial(proof_of(options).proved, options.keys[0])
    try:
        # beside no settings it is a source of Standard Webhooks, as ServiceNow's and any sender's of that name is
        known = said.sources.get(source)
        read = known.secret_in if known else secret_in
        secret = read(secret_file.read_text(encoding="utf-8").strip())
    except OSError as fault:
        raise Misconfigured([f"--secret-file: {secret_file} cannot be read: {fault.strerror}"]) from None
    except UnicodeDecodeError:
        raise Misconfigured([f"--secret-file: {secret_file} is not text"]) from None
    except ValueError as fault:
        raise Misconfigured([str(fault)]) from None
    return door, partial(proof_of(known).proved if known else signed, secret)


def _headers(prove: Prove, delivery_id: str, body: bytes) -> dict[str, str]:
    from service.core.errors import Misconfigured
    from service.wiring.machine import SystemClock, SystemDice

    clock = SystemClock()
    try:
        proved = prove(delivery_id or f"msg_{SystemDice(clock).token()}", clock.now(), body)
    except ValueError as fault:
        raise Misconfigured([str(fault)]) from fault
    return {"content-type": "application/json", **proved}


def _as_curl(address: str, headers: dict[str, str], body: bytes, wait: float) -> str:
    named = {**headers, "prefer": f"wait={max(1, round(wait))}"} if wait else headers
    said = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in named.items())
    return f"curl -sS {said} --data-binary {shlex.quote(body.decode())} {shlex.quote(address)}"
