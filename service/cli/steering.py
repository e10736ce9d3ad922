"""The commands that stop claims and let them go on."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

Org = Annotated[str, typer.Option(help="Only this org; all configured ones without it.")]
Source = Annotated[str, typer.Option(help="Only what this source asks.")]


def pause(org: Org = "", source: Source = "") -> None:
    """Remove nobody until `resume`. Webhooks are still accepted; clicks that wait too long expire and say so.

    Example: onhook pause --org acme
    """
    from service.wiring.house import steer

    names = asyncio.run(steer(org, source, is_pause=True))
    typer.echo(f"Paused: {', '.join(names)}. Clicks are kept until they are too old; `onhook resume` goes on.")


def resume(org: Org = "", source: Source = "") -> None:
    """Go on after `pause`: what is still in time is done now.

    Example: onhook resume --org acme
    """
    from service.wiring.house import steer

    names = asyncio.run(steer(org, source, is_pause=False))
    typer.echo(f"Going on: {', '.join(names)}.")
