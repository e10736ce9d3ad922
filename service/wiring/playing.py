"""The sandbox as a process, and how it is wired in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from service import sandbox
from service.core.errors import Misconfigured
from service.settings import Settings
from service.wiring.house import Say, Stop
from service.wiring.listening import address_of, listening

SANDBOX = "sandbox"  # the org and the source that `up --sandbox` brings
START_SECONDS = 20.0  # a cold start of Python on a busy machine takes some seconds


class _Player(uvicorn.Server):
    """A server that leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def play(say: Say, *, port: int, is_child: bool) -> int:
    """Run the sandbox on this machine until told to stop, or as a child until its standard input is closed."""
    stop = Stop()
    stop.listen()
    if is_child:
        asyncio.get_running_loop().add_reader(sys.stdin, stop.said.set)
    with listening(f"127.0.0.1:{port}") as sock:
        config = uvicorn.Config(
            sandbox.create_app(),
            http="httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
        )
        running = _Player(config)
        serving = asyncio.create_task(running.serve([sock]))
        say(f"The sandbox is at {address_of(sock)} : a play Genesys Cloud, a play desk, /sandbox/ to steer them")
        told = asyncio.create_task(stop.said.wait())
        await asyncio.wait([told, serving], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
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
        if child.stdin:
            child.stdin.close()
        await child.wait()


async def _first_url(child: asyncio.subprocess.Process) -> str:
    line = b""
    if child.stdout:
        with contextlib.suppress(TimeoutError):
            line = await asyncio.wait_for(child.stdout.readline(), START_SECONDS)
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
    source = {"kind": "servicenow", "org": SANDBOX, "secrets": [_throw_away_secret(state_dir)]}
    source |= {"instance_url": play_url, "username": credentials["desk_user"], "password": credentials["desk_password"]}
    return {"orgs": {SANDBOX: org}, "sources": {SANDBOX: source}}


def secret_file(state_dir: Path) -> Path:
    """Return where the sandbox source's secret lies."""
    return state_dir / "sandbox-secret"


def _throw_away_secret(state_dir: Path) -> str:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = secret_file(state_dir)
    with (
        contextlib.suppress(FileExistsError),
        os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file,
    ):
        file.write(f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return path.read_text(encoding="utf-8").strip()


def secret_of(said: Settings, source: str) -> str:
    """Return the first secret of `source`: from the settings, or the sandbox's from the state directory.

    Raises:
        Misconfigured: nothing here knows that source.
    """
    options = said.sources.get(source)
    if options is not None:
        return options.secrets[0].get_secret_value()
    path = secret_file(said.state_dir)
    if source == SANDBOX and path.exists():
        return path.read_text(encoding="utf-8").strip()
    known = ", ".join(said.sources) or "none"
    raise Misconfigured([f"there is no [sources.{source}]; there is {known}. Or name its secret with --secret-file"])
