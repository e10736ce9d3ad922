"""The sandbox as a process, and how it is wired in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn

from service.core.errors import Misconfigured
from service.store.embedded import LAUNCHER
from service.wiring.admitting import sha256_of
from service.wiring.lifetime import Say, Stop
from service.wiring.listening import address_of, listening
from service.wiring.secret import SANDBOX, throw_away_secret, throw_away_token

START_SECONDS = 20.0  # a cold start of Python on a busy machine takes some seconds
END_SECONDS = 2.0  # it has nothing to finish; answers that a rule made slow are cut after one


class _Player(uvicorn.Server):
    """A server that leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def play(
    say: Say, *, port: int, parent: int | None = None, world: str = "vendor", host: str = "127.0.0.1"
) -> int:
    """Run the sandbox on this machine until told to stop, or until whoever holds the other end of `parent` is gone."""
    from service import sandbox  # noqa: PLC0415 - doors and workers that wire in no sandbox start without loading it

    stop = Stop()
    with listening(f"{host}:{port}", "choose another port for the sandbox") as sock, stop.listening():
        config = uvicorn.Config(
            sandbox.create_app(world=world),
            http="httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        running = _Player(config)
        serving = asyncio.create_task(running.serve([sock]))
        if parent is not None:
            asyncio.get_running_loop().add_reader(parent, stop.said.set)
        which = "" if world == "vendor" else f", in the {world} world"
        ways = f"/sandbox/ to steer them, /sandbox/credentials to wire them in by hand{which}"
        say(f"The sandbox is at {address_of(sock)} : a play Genesys Cloud, a play desk, {ways}")
        await stop.said.wait()
        if parent is not None:
            asyncio.get_running_loop().remove_reader(parent)
        running.should_exit = True
        await serving
    return 0


@asynccontextmanager
async def played(port: int) -> AsyncIterator[str]:
    """Run the sandbox in a process of its own, which ends with this one; yield its URL."""
    command = (sys.executable, "-m", "service", "sandbox", "--port", str(port), "--with-parent")
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        yield await _first_url(child)
    finally:
        cast("asyncio.StreamWriter", child.stdin).close()
        try:
            await asyncio.wait_for(child.wait(), END_SECONDS)
        except TimeoutError:  # it hangs
            child.kill()
            await child.wait()


def tied(*command: str) -> tuple[str, ...]:
    """Return how to run `command` so that it is ended when our end of its standard input closes, however we went."""
    return (sys.executable, "-I", "-S", os.fspath(LAUNCHER), *command)


async def _first_url(child: asyncio.subprocess.Process) -> str:
    line = b""
    with contextlib.suppress(TimeoutError):
        line = await asyncio.wait_for(cast("asyncio.StreamReader", child.stdout).readline(), START_SECONDS)
    url = next((word for word in line.decode().split() if word.startswith("http://")), None)
    if url is None:
        raise Misconfigured(["the sandbox did not start: see what it said above; another --sandbox-port may help"])
    return url


async def wired_to(play_url: str, state_dir: Path) -> dict[str, Any]:
    """Return the org and the source of a running sandbox, as settings, and put the source's secret into a file."""
    async with httpx.AsyncClient(trust_env=False) as client:
        credentials = (await client.get(f"{play_url}/sandbox/credentials")).json()
    org = {"api_url": play_url, "login_url": play_url}
    org |= {key: credentials[key] for key in ("client_id", "client_secret")}
    source: dict[str, Any] = {"kind": "servicenow", "org": SANDBOX, "secrets": [throw_away_secret(state_dir)]}
    source |= {"rate": 0, "runaway": 0}  # who plays, or lets machines click, is not to be stopped for it
    source |= {"instance_url": play_url, "username": credentials["desk_user"], "password": credentials["desk_password"]}
    return {"orgs": {SANDBOX: org}, "sources": {SANDBOX: source}}


def watched_by(state_dir: Path) -> dict[str, Any]:
    """Return, as settings, that who can read the state directory gets into the console, and put the token there."""
    token = {"role": "operator", "token_sha256": sha256_of(throw_away_token(state_dir))}
    return {"console": {"tokens": {SANDBOX: token}}}
