"""Our processes while they run: as coroutines in this process, or as children of it; and what is said to them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from service import settings
from service.sources.signing import secret_in, signed
from service.wiring.lifetime import Say
from service.wiring.playing import tied, wired_to

PHONE = "+14155550123"
START_SECONDS = 30.0  # a cold start of Python on a busy machine
T = TypeVar("T")


@dataclass
class Running:
    """One of our processes as a coroutine in this one."""

    task: asyncio.Task[int]
    said: asyncio.Queue[str]
    lines: list[str] = field(default_factory=list)

    async def hear(self, beginning: str) -> str:
        """Return the next word after `beginning` in what it says; what ended it is raised here."""
        hearing = asyncio.ensure_future(self._next(beginning))
        done, _ = await asyncio.wait({hearing, self.task}, timeout=START_SECONDS, return_when="FIRST_COMPLETED")
        if hearing not in done:
            hearing.cancel()
            raise AssertionError(f"not said: {beginning} {self.task.done() and self.task.result()}")
        return hearing.result()

    async def _next(self, beginning: str) -> str:
        while True:
            self.lines.append(await self.said.get())
            if self.lines[-1].startswith(beginning):
                return self.lines[-1].removeprefix(beginning).split()[0]

    async def door(self, name: str) -> str:
        """Return the URL of a door."""
        return await self.hear(f"The {name} door is at ")

    async def end(self) -> int:
        """Tell it to end by the signal of an orchestrator, and by another one to hurry; return its exit code."""
        for _ in range(2):
            if not self.task.done():  # it hears signals until then; after it they would end the test run
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.wait({self.task}, timeout=0.5)
        return await asyncio.wait_for(self.task, 10)


@asynccontextmanager
async def running(process: Callable[[Say], Coroutine[Any, Any, int]]) -> AsyncIterator[Running]:
    """Run a process in this one; however the block ends, it has ended after it."""
    said: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(process(said.put_nowait))
    try:
        yield Running(task, said)
    finally:
        task.cancel()
        await asyncio.wait({task})


@dataclass
class Child:
    """One of our processes as a child of this one; what it says goes to files."""

    process: subprocess.Popen[bytes]
    out: Path

    def hear(self, beginning: str) -> str:
        """Return the next word after `beginning` in what it says."""

        def heard() -> str:
            assert self.process.poll() is None, f"{self.out.read_text()} {self.out.with_suffix('.err').read_text()}"
            found = [line for line in self.out.read_text().splitlines(keepends=True) if line.startswith(beginning)]
            return found[0].removeprefix(beginning).split()[0] if found and found[0].endswith("\n") else ""

        return until(heard, START_SECONDS)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(15)


@contextmanager
def child(
    folder: Path, *words: str, variables: Mapping[str, str] | None = None, is_tied: bool = False
) -> Iterator[Child]:
    """Start `onhook words…` as a child, in a folder of its own; it is killed at the latest when the block ends.

    With `is_tied` it is one that lasts for many tests: its launcher is the child, and ends it however this run ends.
    """
    command = (sys.executable, "-m", "service", *words)
    out = folder / f"{words[0]}-{secrets.token_hex(4)}.out"
    with out.open("wb") as said, out.with_suffix(".err").open("wb") as log:
        process = subprocess.Popen(
            tied(*command) if is_tied else command,
            env=settings.inherited_environment() | own(folder) | dict(variables or {}),
            stdin=subprocess.PIPE if is_tied else subprocess.DEVNULL,
            stdout=said,
            stderr=log,
            cwd=folder,
        )
    with process:
        try:
            yield Child(process, out)
        finally:
            if not is_tied:
                process.kill()


def until(is_so: Callable[[], T], seconds: float = 15) -> T:
    """Return what `is_so` returns as soon as it is something."""
    ends = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(0.02)  # real processes: they change when they like
    return found


def own(folder: Path) -> dict[str, str]:
    """Return the variables that keep a process to a folder, and its doors on free ports."""
    doors = {f"ONHOOK_DOORS__{door}": "127.0.0.1:0" for door in ("PUBLIC", "PRIVATE", "WORKER")}
    return {"ONHOOK_CONFIG": os.devnull, "ONHOOK_STATE_DIR": str(folder), **doors}


async def wired(play: str, folder: Path) -> dict[str, str]:
    """Return the org and the source of a running sandbox as variables."""
    found = await wired_to(play, folder)
    return {
        f"ONHOOK_{section}__{name}__{key}".upper(): value if isinstance(value, str) else json.dumps(value)
        for section, named in found.items()
        for name, fields in named.items()
        for key, value in fields.items()
    }


def stand(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Put variables into this process' environment for one test."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


async def confer(client: httpx.AsyncClient, play: str, **switches: object) -> str:
    """Begin a conference at the sandbox, and return its id."""
    made = await client.post(f"{play}/sandbox/conversations", json={"scenario": "conference"})
    cid: str = made.json()["conversation_id"]
    (await client.put(f"{play}/sandbox/conversations/{cid}/switches", json=switches)).raise_for_status()
    return cid


async def present(client: httpx.AsyncClient, play: str, cid: str) -> list[str]:
    """Return who is really there."""
    people = (await client.get(f"{play}/sandbox/conversations/{cid}")).json()["participants"]
    return sorted(person["purpose"] for person in people if person["present"])


async def click(client: httpx.AsyncClient, door: str, folder: Path, cid: str, wait: int = 0) -> httpx.Response:
    """Send the webhook of a click, signed with the secret in the state directory."""
    body = json.dumps({"type": "caller.remove", "data": {"conversation_id": cid, "caller_phone": PHONE}}).encode()
    secret = secret_in((folder / "sandbox-secret").read_text().strip())
    headers = signed(secret, f"msg_{secrets.token_hex(8)}", time.time_ns() // 1_000_000, body)
    headers |= {"content-type": "application/json"} | ({"prefer": f"wait={wait}"} if wait else {})
    return await client.post(f"{door}/webhooks/sandbox", headers=headers, content=body)
