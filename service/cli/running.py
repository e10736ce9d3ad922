"""The commands that run until they are told to stop."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

SANDBOX_PORT = 8089  # beside the doors' 8080 to 8082
SandboxAt = Annotated[
    str, typer.Option(metavar="HOST:PORT", help="Wire in a sandbox that runs there: `onhook sandbox --everywhere`.")
]


class World(StrEnum):
    """The sandbox's two worlds; it checks again, for it is loaded only when it starts."""

    VENDOR = "vendor"
    REPORTED = "reported"


def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Also start a play Genesys Cloud and a play desk, and wire them in.")
    ] = False,
    sandbox_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where the sandbox listens; 0 takes a free port.")
    ] = SANDBOX_PORT,
) -> None:
    """Both doors and the worker in one process, with an embedded Redis where none is configured.

    Example: onhook up --sandbox
    """
    from service.wiring import lifetime, processes

    sys.exit(lifetime.run(processes.up(_say, sandbox_port=sandbox_port if sandbox else None)))


def serve(sandbox_at: SandboxAt = "") -> None:
    """Take webhooks: the public door, and a private one for probes. Workers run elsewhere (`onhook work`).

    Example: ONHOOK_CONFIG=/etc/onhook/onhook.toml onhook serve
    """
    from service.wiring import lifetime, processes

    sys.exit(lifetime.run(processes.serve(_say, sandbox_at=sandbox_at)))


def work(sandbox_at: SandboxAt = "") -> None:
    """Do what was accepted, and tell the tickets. As many of these as you like.

    Example: ONHOOK_CONFIG=/etc/onhook/onhook.toml onhook work
    """
    from service.wiring import lifetime, processes

    sys.exit(lifetime.run(processes.work(_say, sandbox_at=sandbox_at)))


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = SANDBOX_PORT,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Listen to other machines too: for a container, whose ports are shut.")
    ] = False,
    world: Annotated[
        World,
        typer.Option(help="vendor: all as the vendor's SDK says. reported: what people reported, as they saw it."),
    ] = World.VENDOR,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="End when standard input is closed.", hidden=True)
    ] = False,
) -> None:
    """A play Genesys Cloud and a play ServiceNow desk, for this machine only.

    Example: onhook sandbox --port 8089
    """
    from service.wiring import lifetime, playing

    parent = sys.stdin.fileno() if with_parent else None
    host = "0.0.0.0" if everywhere else "127.0.0.1"  # noqa: S104 - it was asked for, and nothing is real there
    sys.exit(lifetime.run(playing.play(_say, port=port, parent=parent, world=world.value, host=host)))


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()
