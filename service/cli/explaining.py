"""The command for whoever comes from a forum thread with a call to Genesys Cloud that does not do what it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

_INDENT = 16


def explain(
    method: Annotated[str, typer.Argument(help="The HTTP verb of the call.")],
    path: Annotated[str, typer.Argument(help="Its path or address, as it was sent.")],
    body: Annotated[str, typer.Option(help="Its body; @FILE reads it from a file.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Say it as one JSON object.")] = False,
) -> None:
    """Say what a call to Genesys Cloud is, what it does, what to call instead, and which webhook does it for you.

    Nothing is sent anywhere. Each statement says whether the vendor's SDK says so, public client code relies on it, or
    it is reported only.

    Example: onhook explain POST /api/v2/conversations/…/disconnect --body '{"participantId": "…"}'
    """
    from service.core.errors import Misconfigured
    from service.sandbox import diagnosis

    if body.startswith("@"):
        try:
            body = Path(body[1:]).read_text(encoding="utf-8", errors="replace")
        except OSError as fault:
            raise Misconfigured([f"--body: {body[1:]} cannot be read: {fault.strerror}"]) from None
    found = diagnosis.explain(method, path, body)
    row = found.row
    if as_json:
        said = {
            "call": row.name,
            "ground": row.ground,
            "is_right": row.is_right,
            "what": row.what,
            "does": row.does,
            "reported": {"status": row.status, "answer": row.answer, "tells": row.tells} if row.status else None,
            "ids": list(found.remarks),
            "right": found.right,
            "webhook": found.webhook,
        }
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    got = f"{row.status} {row.answer}".strip()
    lines = [
        ("", row.what),
        (row.ground, row.does),
        (diagnosis.Ground.REPORTED, f"Somebody got: {got}" if row.status else ""),
        ("", found.seen),
        *(("your ids", remark) for remark in found.remarks),
        ("right", found.right),
        ("or the webhook", found.webhook),
    ]
    for topic, sentence in lines:
        if sentence:
            typer.echo(f"{topic and topic + ':':<{_INDENT}}{sentence}")
