"""A sandbox that runs elsewhere, wired in: the containers of a compose file are machines of their own.

Without TLS Genesys is believed on this machine alone, and that stays so: what is said to a port of this machine, which
nobody else can reach, is passed on to the sandbox byte by byte. Nothing but a sandbox is taken for one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from service.core.errors import Misconfigured
from service.wiring.listening import address_of, listening
from service.wiring.playing import watched_by, wired_to

_PART = 65_536  # bytes that are passed on at a time


@asynccontextmanager
async def joined(sandbox_at: str, state_dir: Path) -> AsyncIterator[dict[str, Any]]:
    """Yield, as settings, the org and the source of the sandbox at `host:port`, and who gets into the console.

    They hold while the block runs. For `""` there is no sandbox, and no settings.

    Raises:
        Misconfigured: that is no address, no sandbox answers there, or the state directory cannot be used.
    """
    if not sandbox_at:
        yield {}
        return
    host, _, port = sandbox_at.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise Misconfigured([f"--sandbox-at: “{sandbox_at}” is to be HOST:PORT, like sandbox:8089"])
    async with relayed(host, int(port)) as url:
        try:
            wired = await wired_to(url, state_dir)
        except (httpx.HTTPError, ValueError, KeyError):  # nobody, or somebody else
            raise Misconfigured([f"--sandbox-at: no sandbox answers at {sandbox_at}"]) from None
        yield {**wired, **watched_by(state_dir)}


@asynccontextmanager
async def relayed(host: str, port: int) -> AsyncIterator[str]:
    """Pass on what comes to a free port of this machine to `host:port` while the block runs; yield the URL of it."""
    ways: set[asyncio.Task[None]] = set()

    def met(*here: Any) -> None:  # noqa: ANN401 - a reader and a writer, as asyncio gives them
        way = asyncio.create_task(_pass_on(here, host, port))
        ways.add(way)
        way.add_done_callback(ways.discard)

    with listening("127.0.0.1:0") as sock:
        server = await asyncio.start_server(met, sock=sock)
        try:
            yield address_of(sock)
        finally:
            server.close()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pass_on(here: tuple[asyncio.StreamReader, asyncio.StreamWriter], host: str, port: int) -> None:
    """Pass on one connection, both ways, until both ends are done; where nobody is, it is closed."""
    async with _closed(here[1]):
        there = await asyncio.open_connection(host, port)
        async with _closed(there[1]):
            await asyncio.gather(_flow(here[0], there[1]), _flow(there[0], here[1]))


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(_PART):
        writer.write(part)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def _closed(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection after the block, however that ends: a peer that is gone is no news here."""
    with contextlib.suppress(OSError, RuntimeError):  # the second is uvloop's word for one that is closed already
        try:
            yield
        finally:
            writer.close()
