"""The commands that stop claims and let them go on."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

Org = Annotated[str, typer.Option(help="Only this org; all configured ones without it.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.")]
Source = Annotated[str, typer.Option(help="Only what this source asks.")]


def pause(org: Org = "", source: Source = "", why: Why = "") -> None:
    """Remove nobody until `resume`. Webhooks are still accepted; clicks that wait too long expire and say so.

    Example: onhook pause --org acme --why "CHG0031337"
    """
    from service.wiring.house import steer
    from service.wiring.machine import operator

    names = asyncio.run(steer(org, source, operator(why), is_pause=True))
    typer.echo(f"Paused: {', '.join(names)}. Clicks are kept until they are too old; `onhook resume` goes on.")


def resume(org: Org = "", source: Source = "", why: Why = "") -> None:
    """Go on after `pause`: what is still in time is done now.

    Example: onhook resume --org acme
    """
    from service.wiring.house import steer
    from service.wiring.machine import operator

    names = asyncio.run(steer(org, source, operator(why), is_pause=False))
    typer.echo(f"Going on: {', '.join(names)}.")
