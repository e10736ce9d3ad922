"""The nursery gives real workers, says when one is gone, and takes all of them with it when it goes."""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from service.core.errors import Misconfigured
from service.demo.doomed import Moment
from service.demo.nursery import ARM, BORN, ENDED, MOMENTS, NAMED, READY, STRUCK, Newborn, Nursery, live, nurse
from service.demo.stage import Part, PartDied
from service.store.embedded import EmbeddedRedis

TALKING = """
import os, sys
while order := os.read(0, 1):
    then = "Ended -9" if order == b"\\0" else "The private door is at x"
    for word in ("Born", f"A worker: w{1 + order[0]}", then):
        print(7 + order[0], word, flush=True)
"""


@asynccontextmanager
async def nursery(folder: Path, program: str = TALKING) -> AsyncIterator[Nursery]:
    """Run a program as a nursery, and listen to it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
    log = folder / "log"
    log.touch()
    part = Part("the nursery", process, log)
    yield Nursery(part)
    await part.end()


def configured(monkeypatch: pytest.MonkeyPatch, redis_url: str, folder: Path) -> None:
    """Configure a worker that has nobody to remove."""
    variables = {
        "CONFIG": os.devnull,
        "STATE_DIR": os.fspath(folder),
        "REDIS__URL": redis_url,
        "DOORS__WORKER": "127.0.0.1:0",
        "ORGS__ACME__API_URL": "http://127.0.0.1:1",
        "ORGS__ACME__LOGIN_URL": "http://127.0.0.1:1",
        "ORGS__ACME__CLIENT_ID": "id",
        "ORGS__ACME__CLIENT_SECRET": "secret",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"ONHOOK_{name}", value)


async def test_worker(redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A worker says its name and that it is at work, can be armed, and ends when the nursery does."""
    configured(monkeypatch, redis_server.url, tmp_path)
    said: asyncio.Queue[str] = asyncio.Queue()
    lifeline, kept = os.pipe()
    worker = asyncio.create_task(live(Moment.CLAIMED, lifeline, said.put_nowait))
    async with asyncio.timeout(30):
        assert (await said.get()).startswith(NAMED)
        assert (await said.get()).startswith(READY)
    os.kill(os.getpid(), ARM)
    os.close(kept)
    assert await worker == 0
    os.close(lifeline)
    # it spoke to the standard error of this test; the next one has another
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], force=True)


def test_birth() -> None:
    """Each byte is a worker; one that ends is said to have, and with the nursery's input all of them have ended."""
    orders, asking = os.pipe()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.endswith(BORN) and len(said) > 2:
            os.close(asking)
        elif ENDED in line and len(said) == 2:
            os.write(asking, bytes([0]))

    programs = iter([["true"], ["sleep", "0.3"]])

    def fork() -> int:
        words = next(programs)
        return os.posix_spawnp(words[0], words, {"PATH": os.environ["PATH"]})

    os.write(asking, bytes([0]))
    assert nurse(orders, say, fork) == 0
    os.close(orders)
    assert [line.split(" ", 1)[1] for line in said] == [BORN, f"{ENDED}0", BORN, f"{ENDED}0"]


def test_newborn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forked is a worker like any other, and without settings it says so."""
    monkeypatch.setenv("ONHOOK_CONFIG", os.devnull)
    orders, asking = os.pipe()
    os.write(asking, bytes([len(MOMENTS) - 1]))
    with pytest.raises(Misconfigured, match="orgs: there is none"):
        nurse(orders, list[str]().append, lambda: 0)
    os.close(asking)
    os.close(orders)


def test_as_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by its name it takes its orders from standard input, and ends with it."""
    monkeypatch.delitem(sys.modules, "service.demo.nursery")
    with pytest.raises(SystemExit) as ended:  # under pytest there is nothing on it
        runpy.run_module("service.demo.nursery", run_name="__main__")
    assert ended.value.code == 0


async def test_asking(tmp_path: Path) -> None:
    """Whoever asks for a worker gets it when it is at work; a worker or a nursery that ends by itself is named."""
    async with nursery(tmp_path) as it:
        listening = asyncio.create_task(it.listen())
        worker = await it.bear(MOMENTS[1])
        assert (worker.process, worker.name, worker.moment) == (8, "w2", MOMENTS[1])
        with pytest.raises(PartDied, match="process 7 of the nursery ended by itself: Ended -9"):
            await it.bear(MOMENTS[0])
        assert it.part.process.stdin
        it.part.process.stdin.close()
        with pytest.raises(PartDied, match="the nursery ended"):
            await listening


async def test_worker_that_says_nothing(tmp_path: Path) -> None:
    """A worker that does not come up is waited for only so long."""
    async with nursery(tmp_path, "import os; os.read(0, 1); print(7, 'Born', flush=True); os.read(0, 1)") as it:
        listening = asyncio.create_task(it.listen())
        with pytest.raises(PartDied, match="process 7 of the nursery did not come up"):
            await it.bear(MOMENTS[0], within_seconds=0.5)
        listening.cancel()


async def test_kill(tmp_path: Path) -> None:
    """A kill ends a worker at once, and it is forgotten; an armed one was told to stop at its moment."""
    async with nursery(tmp_path) as it:
        process = await asyncio.create_subprocess_exec("sleep", "60")
        worker = Newborn(process.pid, Moment.SEEN, it._heard[process.pid], it.part)
        worker.heard.put_nowait(f"{STRUCK}seen")
        worker.heard.put_nowait(f"{ENDED}-9")
        await it.kill(worker)
        assert await process.wait() == -signal.SIGKILL
        assert it._heard == {}
        reader = await asyncio.create_subprocess_exec("sleep", "60")
        Newborn(reader.pid, Moment.SEEN, asyncio.Queue(), it.part).arm()
        assert await reader.wait() == -ARM
