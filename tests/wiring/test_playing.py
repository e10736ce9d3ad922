"""The sandbox as a process: it ends when it is told to, and with whoever started it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from functools import partial
from pathlib import Path

import httpx
import pytest

from service import settings
from service.core.errors import Misconfigured
from service.web.console.sessions import Role, Sessions
from service.wiring.console import holders_of
from service.wiring.listening import listening
from service.wiring.playing import play, played, tied, watched_by, wired_to
from service.wiring.secret import throw_away_token
from tests.wiring.kin import children_of
from tests.wiring.running import running

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, to see whose children run")


async def test_play(client: httpx.AsyncClient) -> None:
    """The sandbox runs until a signal tells it to end, also with an answer under way that a rule made slow."""
    async with running(partial(play, port=0)) as it:
        url = await it.hear("The sandbox is at ")
        assert (await client.get(f"{url}/sandbox/health")).json()["sandbox"] is True
        rule = {"on": "token", "delay_seconds": 600}
        (await client.put(f"{url}/sandbox/switches", json={"answers": [rule]})).raise_for_status()
        slow = asyncio.create_task(client.post(f"{url}/oauth/token"))
        while not (await client.get(f"{url}/sandbox/calls")).json()["calls"]:
            pass  # each look is a call over the network
        assert await it.end() == 0
        await asyncio.gather(slow, return_exceptions=True)  # cut, or an error: not waited for in any case


async def test_the_other_world(client: httpx.AsyncClient) -> None:
    """The sandbox can be started in the world of the reports."""
    async with running(partial(play, port=0, world="reported")) as it:
        url = await it.hear("The sandbox is at ")
        assert (await client.get(f"{url}/sandbox/health")).json()["world"] == "reported"
        assert await it.end() == 0


async def test_play_ends_with_its_parent() -> None:
    """As a child it ends when nobody holds the other end of its standard input."""
    read, write = os.pipe()
    async with running(partial(play, port=0, parent=read)) as it:
        await it.hear("The sandbox is at ")
        os.close(write)
        assert await asyncio.wait_for(it.task, 10) == 0
    os.close(read)


async def test_taken_port(capfd: pytest.CaptureFixture[str]) -> None:
    """A taken port is said in words, by the sandbox and by whoever started it."""
    with listening("127.0.0.1:0") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match="choose another port for the sandbox"):
            await play(print, port=port)
        with pytest.raises(Misconfigured, match="the sandbox did not start: see what it said above"):
            async with played(port):
                raise AssertionError
    assert f"port {port}: Address already in use" in capfd.readouterr().err


async def test_wired_to(folder: Path) -> None:
    """A running sandbox is an org and a source in the settings, with the same throw-away secret each time."""
    async with played(0) as url:
        first, second = await wired_to(url, folder), await wired_to(url, folder)
    assert first == second
    said = settings.read({"ONHOOK_STATE_DIR": str(folder)}, first)
    assert (said.orgs["sandbox"].api_url, said.orgs["sandbox"].mode) == (url, "live")
    assert said.sources["sandbox"].org == "sandbox"


def test_watched_by(folder: Path) -> None:
    """Who can read the state directory gets into the console of a sandbox as an operator."""
    said = settings.read({"ONHOOK_STATE_DIR": str(folder)}, watched_by(folder))
    holder = Sessions(holders_of(said.console), b"key", 60).holder_of(throw_away_token(folder))
    assert holder
    assert (holder.name, holder.role) == ("sandbox", Role.OPERATOR)


@linux
async def test_a_child_that_hangs() -> None:
    """A sandbox that does not end when it should is killed, and waited for."""
    async with played(0):
        (pid,) = [pid for pid, words in children_of(os.getpid()).items() if "--with-parent" in words]
        os.kill(pid, signal.SIGSTOP)
    assert pid not in children_of(os.getpid())


async def test_tied() -> None:
    """A command that is tied to us ends when our end of its standard input closes."""
    child = await asyncio.create_subprocess_exec(
        *tied(sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin
    assert child.stdout
    assert await child.stdout.readline() == b"up\n"
    child.stdin.close()
    with contextlib.suppress(BrokenPipeError):
        await child.stdin.wait_closed()
    assert await asyncio.wait_for(child.wait(), 10) != 0
