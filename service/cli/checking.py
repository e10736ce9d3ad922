"""The command that says whether the service can keep its promises here, before anybody relies on it."""

from __future__ import annotations

import asyncio
import sys

import typer


def check() -> None:
    """Look at the settings and their Redis, and say in words what is fine, what is not, and what nobody can tell.

    Ends with 0 when nothing is wrong, with 1 when something is, with 2 when the settings cannot be used.

    Example: ONHOOK_CONFIG=/etc/onhook/onhook.toml onhook check
    """
    from service.wiring.checking import check as look

    findings = asyncio.run(look())
    for one in findings:
        word = "fault" if one.is_fault else one.verdict
        typer.echo(f"{word:<8} {one.topic + ':':<12} {one.sentence}")
    sys.exit(any(one.is_fault for one in findings))
