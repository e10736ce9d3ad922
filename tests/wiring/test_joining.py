"""A sandbox that runs elsewhere is wired in by a port of this machine, and nothing else is taken for one."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import httpx
import pytest

from service import settings
from service.core.errors import Misconfigured
from service.store.embedded import EmbeddedRedis
from service.wiring.joining import joined, relayed
from service.wiring.playing import played
from service.wiring.processes import serve, work
from tests.wiring.running import child, click, confer, own, present, running, stand

LEFT = ["agent", "agent", "external"]


async def test_serve_and_work_apart(folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` and `work` play with a sandbox that is none of theirs: a click removes the caller there."""
    stand(monkeypatch, own(folder))
    with EmbeddedRedis(folder), child(folder, "sandbox", "--everywhere", "--port", "0") as there:
        sandbox = there.hear("The sandbox is at ")
        address = sandbox.removeprefix("http://")
        cid = await confer(client, sandbox)
        async with running(partial(serve, sandbox_at=address)) as it:
            public = await it.door("public")
            assert (await click(client, public, folder, cid)).status_code == 202
            assert await it.end() == 0
        async with running(partial(work, sandbox_at=address)) as it:
            async with asyncio.timeout(15):
                while await present(client, sandbox, cid) != LEFT:
                    pass  # each look is a call over the network
            assert await it.end() == 0
        assert there.end() == 0


async def test_joined(folder: Path) -> None:
    """The org and the source are believed as those of this machine: the address of the sandbox stands in no setting."""
    async with played(0) as url, joined(url.removeprefix("http://"), folder) as additions:
        said = settings.read({"ONHOOK_STATE_DIR": str(folder)}, additions)
        org = said.orgs["sandbox"]
        assert org.api_url
        assert org.api_url.startswith("http://127.0.0.1:")
        assert org.api_url != url
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{org.api_url}/sandbox/health")).json()["sandbox"] is True
        assert set(said.console.tokens) == {"sandbox"}


async def test_nowhere() -> None:
    """Without a sandbox nothing is added."""
    async with joined("", Path("/nowhere")) as additions:
        assert additions == {}


@pytest.mark.parametrize("said", ["sandbox", "sandbox:", ":8089", "http://sandbox:8089/", "sandbox:\uff18"])
async def test_no_address(folder: Path, said: str) -> None:
    """What is no address is said before anything is asked."""
    with pytest.raises(Misconfigured, match="is to be HOST:PORT, like sandbox:8089"):
        async with joined(said, folder):
            raise AssertionError


async def test_nobody_there(folder: Path) -> None:
    """Where nobody listens there is no sandbox."""
    async with relayed("127.0.0.1", 9) as shut:
        with pytest.raises(Misconfigured, match=f"no sandbox answers at {shut.removeprefix('http://')}"):
            async with joined(shut.removeprefix("http://"), folder):
                raise AssertionError


async def test_somebody_else(folder: Path) -> None:
    """Whoever speaks HTTP and is no sandbox is not taken for one, and gets no caller removed."""

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Misconfigured, match="no sandbox answers"):
            async with joined(f"127.0.0.1:{port}", folder):
                raise AssertionError


async def test_what_is_under_way_is_cut() -> None:
    """When the block ends, what is being passed on ends: a process is not kept up by it."""
    met = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        await reader.read()
        writer.close()

    async with asyncio.timeout(20), await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        async with relayed("127.0.0.1", server.sockets[0].getsockname()[1]) as url:
            port = int(url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await met.wait()
        assert await reader.read() == b""
        writer.close()
