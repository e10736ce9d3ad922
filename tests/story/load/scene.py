"""Where load is played: doors on one core, the sender on the other; and how much memory the doors need meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis as blocking

from service.store.embedded import EmbeddedRedis
from tests.story.stage import Running, Stage

LOOK_SECONDS = 0.25  # between two looks at the memory
QUIET = {"ONHOOK_LOG__LEVEL": "warning"}  # a line a webhook is cheap, and it is not what is measured


@dataclass
class Scene:
    """A process with doors, and its sender.

    Attributes:
        rest: megabytes that the doors take before anybody came.
        memory: megabytes, look by look, of each part that was played.
    """

    stage: Stage
    serving: Running
    cores: tuple[int, int] | None = None
    rest: float = 0.0
    memory: list[list[float]] = field(default_factory=list)

    async def play(self, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Let a sender play some parts, and return what it measured."""
        host, _, port = self.stage.door.removeprefix("http://").partition(":")
        desks = [[seat.source, seat.secret.hex()] for seat in self.stage.seats]
        description = json.dumps({"address": [host, int(port)], "desks": desks, "parts": parts})
        sender = await self.stage.start("load", description, module="tests.story.load")
        if self.cores:
            _pin(sender.process.pid, self.cores[1])
        return [await self._part(sender) for _ in parts]

    async def _part(self, sender: Running) -> dict[str, Any]:
        assert sender.process.stdout
        line, seen = asyncio.ensure_future(sender.process.stdout.readline()), [self._megabytes()]
        while not (await asyncio.wait({line}, timeout=LOOK_SECONDS))[0]:
            seen.append(self._megabytes())
        self.memory.append(seen)
        played: dict[str, Any] = json.loads(line.result())
        return played

    def _megabytes(self) -> float:
        status = Path(f"/proc/{self.serving.process.pid}/status").read_text(encoding="ascii")
        (kilobytes,) = [row.split()[1] for row in status.splitlines() if row.startswith("VmRSS:")]
        return round(int(kilobytes) / 1024, 1)


async def opened(stage: Stage, *, is_pinned: bool = False, **variables: str) -> Scene:
    """Start the doors; pinned, they and Redis share one core, and the sender has another, where there are two."""
    scene = Scene(stage, await stage.serve(**QUIET, **variables))
    cores = sorted(os.sched_getaffinity(0))
    if is_pinned and len(cores) > 1:
        scene.cores = cores[0], cores[1]
        assert isinstance(stage.redis, EmbeddedRedis)
        with blocking.Redis.from_url(stage.redis.url, protocol=2) as client:
            _pin(client.info("server")["process_id"], cores[0])
        _pin(scene.serving.process.pid, cores[0])
    scene.rest = scene._megabytes()
    return scene


def _pin(process: int, core: int) -> None:
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


@contextmanager
def few_files(number: int) -> Iterator[None]:
    """Let what is started in the block have so many open files to begin with, as most systems do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
