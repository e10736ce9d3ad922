"""The commands that stop claims and let them go on."""

from __future__ import annotations

from typing import Annotated

import typer

Org = Annotated[str, typer.Option(help="Only this org; all configured ones without it.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.")]
Source = Annotated[str, typer.Option(help="Only what this source asks.")]
Json = Annotated[bool, typer.Option("--json", help="Say it as one JSON document, for programs.")]


def pause(org: Org = "", source: Source = "", why: Why = "", as_json: Json = False) -> None:
    """Remove nobody until `resume`. Webhooks are still accepted; clicks that wait too long expire and say so.

    Example: onhook pause --org acme --why "CHG0031337"
    """
    names = _steered(org, source, why, as_json=as_json, is_pause=True)[0]
    if names:
        back = f" --source {source}" if source else f" --org {org}" if org else ""
        typer.echo(f"Paused: {names}. Clicks are kept until they are too old; `onhook resume{back}` goes on.")


def resume(org: Org = "", source: Source = "", why: Why = "", as_json: Json = False) -> None:
    """Go on after `pause`: what is still in time is done now. What `--source` paused, `--source` resumes.

    Example: onhook resume --org acme
    """
    names, held = _steered(org, source, why, as_json=as_json, is_pause=False)
    if names:
        typer.echo(f"Going on: {names}.")
    for one in held:
        kind, _, name = one.partition(" ")
        typer.echo(f"Still paused: {one}; `onhook resume --{kind} {name}` lets it go on.")


def _steered(org: str, source: str, why: str, *, as_json: bool, is_pause: bool) -> tuple[str, list[str]]:
    """Do it; return what it was in words, and what else is paused there; nothing where it was said as JSON."""
    import asyncio

    from service.cli import printing
    from service.wiring.machine import operator
    from service.wiring.steering import steer

    paused = asyncio.run(steer(org, source, operator(why), is_pause=is_pause))
    held = [f"source {one}" if one else f"org {name}" for name, what in paused.items() for one in what]
    if as_json:
        printing.line({"is_paused": is_pause, "orgs": list(paused), "source": source or None, "paused": held})
        return "", []
    return f"source {source}" if source else ", ".join(f"org {name}" for name in paused), held
