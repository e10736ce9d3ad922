"""The command that says why a source is not heard."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

Source = Annotated[str, typer.Option(help="Only this source; all without it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document a line instead of words.")]


def refusals(source: Source = "", is_json: Json = False) -> None:
    """Show the last 200 deliveries of each source that were refused: when, why, how large, signed by which secret.

    What they held is not kept. A fingerprint names the secret that had signed one: none fits where there is none.

    Example: onhook refusals --source servicenow
    """
    from service.wiring.refused import refusals as look

    found = asyncio.run(look(source))
    for one in found:
        at = datetime.fromtimestamp(one.refused_at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        if is_json:
            told = {
                "source": one.source,
                "refused_at": at,
                "code": one.code,
                "reason": one.reason,
                "size": one.size,
                "secret": one.secret_fingerprint or None,
            }
            typer.echo(json.dumps(told, ensure_ascii=False))
        else:
            signed_by = f", signed by secret {one.secret_fingerprint}" if one.secret_fingerprint else ""
            typer.echo(f"{at}  {one.source}  {one.code}: {one.reason} ({one.size} bytes{signed_by})")
    if not found and not is_json:
        typer.echo(
            f"Nothing was refused{f' of {source}' if source else ''}; it is remembered for retention.refusals_days."
        )
