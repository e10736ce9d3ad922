"""Us and a peer, side by side: each with a Redis, a door and workers of its own, before the same play Genesys Cloud."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from service.store.embedded import EmbeddedRedis
from tests.bench.peers.inside.place import Place
from tests.bench.peers.inside.roles import READY
from tests.bench.peers.known import Peer
from tests.fixtures.redis import short_folder
from tests.story.stage import ROOT, START_SECONDS, Running, Stage

WORKERS = 2


class Side(Protocol):
    """Whoever takes webhooks at a door and does what they ask for.

    Attributes:
        stage: the play as it is seen from here: `stage.door` is the side's own.
        redis: the URL of its Redis.
        serving: the process with the door.
        workers: the processes that work, by their number.
    """

    stage: Stage
    redis: str
    serving: Running
    workers: dict[int, Running]

    async def hire(self) -> None:
        """Start one more worker, and return when it works."""
        ...

    async def holder(self, conversation: str, receipt: Mapping[str, Any]) -> int | None:
        """Return the number of the process that does the job now, or None while that is not known."""
        ...


@dataclass
class Ours:
    """`onhook serve` and `onhook work`."""

    stage: Stage
    redis: str
    serving: Running
    workers: dict[int, Running] = field(default_factory=dict)

    async def hire(self) -> None:
        """Start one more worker."""
        worker = await self.stage.work()
        self.workers[worker.process.pid] = worker

    async def holder(self, conversation: str, receipt: Mapping[str, Any]) -> int | None:
        """Return who claimed the action last: a worker's name holds the number of its process."""
        timeline = (await self.stage.account(receipt))["timeline"]
        names = [entry["worker"] for entry in timeline if entry["verb"] == "claim"]
        found = re.fullmatch(r".*:(\d+):[0-9a-f]+", names[-1]) if names else None
        return int(found[1]) if found else None


@dataclass
class Theirs:
    """A peer's door and workers, each in the peer's own environment."""

    stage: Stage
    redis: str
    peer: Peer
    python: Path
    place: Place
    folder: Path
    cast: AsyncExitStack
    serving: Running = field(init=False)
    workers: dict[int, Running] = field(default_factory=dict)

    async def open(self) -> None:
        """Start the door."""
        self.serving = await self._start("serve")
        self.stage = replace(self.stage, door=await self.serving.url("public"))

    async def hire(self) -> None:
        """Start one more worker."""
        worker = await self._start("work")
        assert worker.process.stdout
        async with asyncio.timeout(START_SECONDS):
            said = (await worker.process.stdout.readline()).decode().strip()
        if said != READY:
            log = (self.folder / "work.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"a worker of {self.peer.titled} did not start: {said} {log[-2000:]}")
        self.workers[worker.process.pid] = worker

    async def holder(self, conversation: str, receipt: Mapping[str, Any]) -> int | None:
        """Return which process noted last that it runs the job."""
        ran = [run["process"] for run in self.runs() if run["conversation"] == conversation]
        return ran[-1] if ran else None

    def runs(self) -> list[dict[str, Any]]:
        """Return each run of a job so far, in order."""
        file = Path(self.place.runs)
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    async def _start(self, role: str) -> Running:
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with (self.folder / f"{role}.log").open("ab") as log:
            # standard input: when we are gone, however that came, its other end is closed, and they end as well
            process = await asyncio.create_subprocess_exec(
                str(self.python), "-m", self.peer.module, role,
                env=environment | self.place.as_environment(), cwd=ROOT,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        running = Running(process)
        self.cast.push_async_callback(running.end, signal.SIGKILL)
        return running


@asynccontextmanager
async def ours_on(stage: Stage, variables: Mapping[str, str] | None = None, *, workers: int = 0) -> AsyncIterator[Ours]:
    """Start our door, and so many workers; they end with the stage."""
    serving = await stage.serve(**(variables or {}))
    side = Ours(stage, stage.redis.url, serving)
    for _ in range(workers):
        await side.hire()
    yield side


@asynccontextmanager
async def theirs_on(
    stage: Stage, peer: Peer, python: Path, *, workers: int = 0, is_quick: bool = False
) -> AsyncIterator[Theirs]:
    """Start a Redis, the peer's door and so many workers, and end them with the block, also when it fails.

    Args:
        stage: where the play is, and whose secret the sender has.
        peer: which one.
        python: the one of its environment.
        workers: how many.
        is_quick: with the settings that bring back a killed worker's job soon.
    """
    credentials = (await stage.client.get(f"{stage.play}/sandbox/credentials")).json()
    async with AsyncExitStack() as cast:
        folder = short_folder()
        cast.callback(shutil.rmtree, folder, ignore_errors=True)
        redis = cast.enter_context(EmbeddedRedis(folder))
        place = Place(
            redis=redis.url,
            secret=stage.secret,
            play=stage.play,
            client_id=credentials["client_id"],
            client_secret=credentials["client_secret"],
            runs=str(folder / "runs"),
            is_quick=is_quick,
        )
        side = Theirs(stage, redis.url, peer, python, place, folder, cast)
        await side.open()
        for _ in range(workers):
            await side.hire()
        yield side
