"""The command that says why a source is not heard."""

from __future__ import annotations

from typing import Annotated

import typer

Source = Annotated[str, typer.Option(help="Only this source; all without it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document a line instead of words.")]
_SHOWN = ("refused_at", "source", "code", "reason", "size", "secret")


def refusals(source: Source = "", is_json: Json = False) -> None:
    """Show the last 200 deliveries of each source that were refused: when, why, how large, signed by which secret.

    What they held is not kept. A fingerprint names the secret that had signed one: none fits where there is none.

    Example: onhook refusals --source servicenow
    """
    import asyncio

    from service.cli import printing
    from service.wiring.documents import refusal_line
    from service.wiring.refused import refusals as look

    found = [refusal_line(one) for one in asyncio.run(look(source))]
    if is_json:
        for told in found:
            printing.line(told)
    elif found:
        printing.table([key.replace("_", " ") for key in _SHOWN], ([told[key] for key in _SHOWN] for told in found))
    else:
        typer.echo(
            f"Nothing was refused{f' of {source}' if source else ''}; it is remembered for retention.refusals_days."
        )
