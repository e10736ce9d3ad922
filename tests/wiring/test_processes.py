"""The processes: what opens, what is said when it cannot, and how each ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import settings, telemetry
from service.core import model as m
from service.core.errors import Misconfigured
from service.store.embedded import EmbeddedRedis, attach
from service.wiring.house import opened, opened_store
from service.wiring.lifetime import Say
from service.wiring.listening import listening
from service.wiring.playing import played
from service.wiring.processes import DRAIN_SECONDS, FILES, OWN_FILES, _until_stopped, limits_for, serve, up, work
from service.wiring.secret import secret_file, token_file
from tests.wiring.running import click, confer, own, present, running, stand, wired

LEFT = ["agent", "agent", "external"]
Process = Callable[[Say], Coroutine[Any, Any, int]]


async def test_up(
    folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """`up --sandbox` takes a click and does it; told to end it is not ready, takes webhooks, and is gone in time."""
    (folder / "words.toml").write_text('[en]\ndisconnected = "Off you go."\n', encoding="utf-8")
    stand(monkeypatch, own(folder) | {"ONHOOK_WORDING__FILE": str(folder / "words.toml")})
    async with running(partial(up, sandbox_port=0)) as it:
        play = (await it.hear("SANDBOX: a play Genesys Cloud and a play desk at ")).removesuffix("/sandbox/")
        public, private = await it.door("public"), await it.door("private")
        ready = await client.get(f"{private}/readyz")
        console = await it.hear("The console is at ")
        assert console == f"{private}/console"
        token = {"token": token_file(folder).read_text().strip()}
        entered = await client.post(f"{console}/login", data=token, headers={"Origin": private})
        assert (entered.status_code, entered.headers["location"]) == (303, "/console")
        standing = {"mode": "live", "paused": [], "shadow": []}
        assert (ready.status_code, ready.json()["orgs"]) == (200, {"sandbox": standing})
        assert (await client.get(f"{private}/livez")).status_code == 200
        assert (await client.get(f"{private}/version")).json()["worker"].startswith("w-")
        cid = await confer(client, play)
        answer = (await click(client, public, folder, cid, wait=10)).json()
        assert (answer["outcome"]["kind"], await present(client, play, cid)) == ("disconnected", LEFT)
        assert answer["links"]["self"].startswith(f"{public}/actions/sandbox.")
        assert answer["explanation"].startswith("Off you go. Still there: 2 agents")

        began = asyncio.get_running_loop().time()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)  # the handler runs
        draining = await client.get(f"{private}/readyz")
        assert (draining.status_code, draining.json()["faults"]) == (503, ["is about to end"])
        assert (await click(client, public, folder, await confer(client, play))).status_code == 202
        assert await asyncio.wait_for(it.task, 10) == 0
        assert asyncio.get_running_loop().time() - began < 10
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{play}/sandbox/health")
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{public}/openapi.json")
    assert attach(folder) is None
    events = [json.loads(line)["event"] for line in capfdbinary.readouterr().err.splitlines()]
    assert events[-3:] == ["worker.stopped", "door.closed", "door.closed"]


async def test_a_source_that_waits(folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that is set to wait is told how it ended in the very answer, without asking for that."""
    stand(monkeypatch, own(folder) | {"ONHOOK_SOURCES__SANDBOX__WAIT": "20"})
    async with running(partial(up, sandbox_port=0)) as it:
        play = (await it.hear("SANDBOX: a play Genesys Cloud and a play desk at ")).removesuffix("/sandbox/")
        public = await it.door("public")
        cid = await confer(client, play)
        answer = await click(client, public, folder, cid)
        assert (answer.status_code, answer.json()["outcome"]["kind"]) == (202, "disconnected")
        assert "Still there: 2 agents" in answer.json()["explanation"]
        assert await present(client, play, cid) == LEFT
        assert await it.end() == 0


async def test_leases_are_given_back(folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker holds when it is told to end is another's at once, and not when the lease would have ended."""
    stand(monkeypatch, own(folder))
    async with running(partial(up, sandbox_port=0)) as it:
        play = (await it.hear("SANDBOX: a play Genesys Cloud and a play desk at ")).removesuffix("/sandbox/")
        public = await it.door("public")
        await it.door("private")
        cid = await confer(client, play, lag_seconds=60)  # long looks, to be in the middle of them
        assert (await click(client, public, folder, cid)).status_code == 202
        while await present(client, play, cid) != LEFT:
            pass  # each look is a call over the network
        assert await it.end() == 0
    with EmbeddedRedis(folder):
        async with opened_store(settings.read(), may_start=False) as (store, _, _):
            claims: list[m.Claim] = []
            async with asyncio.timeout(3):  # it was renewed two seconds ago at most, so the lease would last four
                while not claims:
                    claims = list(await store.claim("sandbox", "w-another", "0" * 32, 5))
            assert [claim.action.removal.conversation_id for claim in claims] == [cid]


async def test_serve_then_work(folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `serve` took is done by `work`, each by itself, both on the Redis of somebody else's `up`."""
    with EmbeddedRedis(folder):
        async with played(0) as play:
            stand(monkeypatch, own(folder) | await wired(play, folder))
            monkeypatch.setenv("ONHOOK_DOORS__PUBLIC_URL", "https://onhook.example/hooks")
            cid = await confer(client, play)
            async with running(serve) as it:
                public, private = await it.door("public"), await it.door("private")
                receipt = await click(client, public, folder, cid)
                assert receipt.json()["links"]["self"].startswith("https://onhook.example/hooks/actions/sandbox.")
                alive = await client.get(f"{private}/livez")
                assert (alive.status_code, alive.json()["last_claim_seconds_ago"]) == (200, None)
                assert await it.end() == 0
            assert len(await present(client, play, cid)) == 4
            async with running(work) as it:
                private = await it.door("private")
                async with asyncio.timeout(10):
                    while await present(client, play, cid) != LEFT:
                        pass  # each look is a call over the network
                assert (await client.get(f"{private}/readyz")).status_code == 200
                assert await it.end() == 0


@pytest.mark.parametrize(
    "process, section", [(serve, "sources"), (work, "orgs"), (up, "orgs")], ids=["serve", "work", "up"]
)
async def test_nothing_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch, process: Process, section: str) -> None:
    """A process without what it needs says so, and what to do to try it."""
    stand(monkeypatch, own(folder))
    with pytest.raises(Misconfigured, match=f"^{section}: there is none; .* To try it without: onhook up --sandbox"):
        await process(print)


@pytest.mark.parametrize(
    "process, door",
    [(serve, "PUBLIC"), (serve, "PRIVATE"), (work, "WORKER"), (up, "PUBLIC"), (up, "PRIVATE")],
    ids=["serve-public", "serve-private", "work", "up-public", "up-private"],
)
async def test_taken_port(folder: Path, monkeypatch: pytest.MonkeyPatch, process: Process, door: str) -> None:
    """A taken port is said in words, before a Redis is looked for or started."""
    with listening("127.0.0.1:0") as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        stand(monkeypatch, own(folder) | OFFLINE | {f"ONHOOK_DOORS__{door}": address})
        with pytest.raises(Misconfigured, match="Address already in use; end what listens there"):
            await process(print)
    assert attach(folder) is None


async def test_sandbox_stays_on_this_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sandbox, whose secret is for trying only, the public door opens to this machine unless told more."""
    stand(monkeypatch, own(folder))
    monkeypatch.delenv("ONHOOK_DOORS__PUBLIC")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(Misconfigured):  # taken already: the same to us
            stack.enter_context(listening("127.0.0.1:8080"))
        with pytest.raises(Misconfigured, match=r"cannot listen on 127\.0\.0\.1, port 8080: Address already in use"):
            await up(print, sandbox_port=0)


OFFLINE = {
    "ONHOOK_ORGS__ACME__API_URL": "http://127.0.0.1:9",
    "ONHOOK_ORGS__ACME__LOGIN_URL": "http://127.0.0.1:9",
    "ONHOOK_ORGS__ACME__CLIENT_ID": "an-id",
    "ONHOOK_ORGS__ACME__CLIENT_SECRET": "a-secret",
    "ONHOOK_SOURCES__DESK__KIND": "standard",
    "ONHOOK_SOURCES__DESK__ORG": "acme",
    "ONHOOK_SOURCES__DESK__SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU",
}


async def test_hurry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second signal is somebody in a hurry, and ends the drain."""
    stand(monkeypatch, own(folder) | OFFLINE)
    async with running(up) as it:
        await it.door("private")
        await it.hear("The console is at ")
        assert it.lines[-1].endswith(" , and nobody has a token for it yet: onhook admit NAME --role operator")
        began = asyncio.get_running_loop().time()
        assert await it.end() == 0
        assert asyncio.get_running_loop().time() - began < DRAIN_SECONDS


async def test_a_part_dies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a part of a process ends by itself, all of it ends, with 1: whoever started it starts it again."""
    stand(monkeypatch, own(folder) | OFFLINE)
    async with running(up) as it:
        await it.door("private")
        workers = [task for task in asyncio.all_tasks() if "Worker.run" in repr(task.get_coro())]
        workers[0].cancel()
        await it.hear("A part of this process ended by itself")
        assert await asyncio.wait_for(it.task, 10) == 1


async def test_why_a_part_died(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What a part died of stands in the log."""
    stand(monkeypatch, own(folder) | OFFLINE)

    async def fall() -> None:
        raise ExceptionGroup("worker", [ZeroDivisionError("why")])

    telemetry.configure()
    with EmbeddedRedis(folder):
        async with opened(settings.read(), print, may_start=False) as house:
            assert await _until_stopped(house, [asyncio.create_task(fall())], [], is_drained=True) == 1
    (line,) = [json.loads(line) for line in capfdbinary.readouterr().err.splitlines() if b"fault.raised" in line]
    assert (line["fault"], line["message"]) == ("ZeroDivisionError", "why")


def test_secret_file_name(folder: Path) -> None:
    """Where `up` says the secret lies is where `send` and the tests look for it."""
    assert secret_file(folder) == folder / "sandbox-secret"


@pytest.mark.parametrize("files, connections", [(FILES, 4096), (1024, 412), (256, 28), (100, 16)])
def test_connections_leave_files(files: int, connections: int) -> None:
    """Both doors full leave the files that the process needs by itself, wherever it may have more than a handful."""
    assert limits_for(files).connections == connections
    assert files < 240 or 2 * connections + OWN_FILES <= files
