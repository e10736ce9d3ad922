"""What processes and their Redis cost, read from outside: memory, processor, sockets, commands, bytes on the disk."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import redis as blocking

_TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS, MOST_LOOKS = 1.0, 90  # of waiting until all orgs have been asked for the first time
CALM_SCRIPTS = 100  # in a second, of those that are not bound to the number of orgs
Figures = dict[str, float]


@dataclass
class Process:
    """One process, as the kernel tells of it."""

    number: int

    @property
    def megabytes(self) -> float:
        """How much memory it takes."""
        status = Path(f"/proc/{self.number}/status").read_text(encoding="ascii")
        (kilobytes,) = [row.split()[1] for row in status.splitlines() if row.startswith("VmRSS:")]
        return round(int(kilobytes) / 1024, 1)

    @property
    def seconds(self) -> float:
        """How much of a processor it has had since it began."""
        fields = Path(f"/proc/{self.number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def connections(self) -> int:
        """How many connections it has, to whomever."""
        rows = [Path(f"/proc/{self.number}/net/{kind}").read_text(encoding="ascii") for kind in ("tcp", "unix")]
        known = {row.split()[9] for row in rows[0].splitlines()[1:] if row.split()[3] == "01"}
        known |= {row.split()[6] for row in rows[1].splitlines()[1:] if row.split()[5] == "03"}
        return len(known & self._sockets())

    def _sockets(self) -> set[str]:
        there = [one for one in Path(f"/proc/{self.number}/fd").iterdir() if one.is_symlink()]
        return {str(one.readlink()).removeprefix("socket:[").removesuffix("]") for one in there}


@dataclass
class Watched:
    """Processes by name, beside the Redis they share."""

    url: str
    processes: dict[str, Process]
    client: blocking.Redis = field(init=False)

    def __enter__(self) -> Self:
        """Connect."""
        self.client = blocking.Redis.from_url(self.url, protocol=2, decode_responses=True)
        self.processes["redis"] = Process(int(self.client.info("server")["process_id"]))
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Disconnect."""
        self.client.close()

    async def rested(self) -> None:
        """Wait until all have begun: what is asked in a second hardly changes any more from one to the next."""
        asked, rate = self.totals()["scripts"], float("inf")
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(LOOK_SECONDS)  # real processes: they begin in their own time
            now = self.totals()["scripts"]
            if abs(now - asked - rate) <= CALM_SCRIPTS:
                return
            asked, rate = now, now - asked

    async def for_seconds(self, seconds: float) -> Figures:
        """Watch for some seconds; return what was used of a processor, and what Redis was asked, a second."""
        before = self.totals()
        await asyncio.sleep(seconds)  # real processes: what they do by themselves takes its time
        after = self.totals()
        passed = after.pop("moment") - before.pop("moment")
        return {name: round((after[name] - before[name]) / passed, 4) for name in before}

    def standing(self) -> Figures:
        """Return what is taken now: memory, connections, clients of Redis."""
        memory = {f"{name}_megabytes": one.megabytes for name, one in self.processes.items()}
        open_ = {f"{name}_connections": one.connections for name, one in self.processes.items() if name != "redis"}
        return memory | open_ | {"redis_clients": self.client.info("clients")["connected_clients"] - 1}

    def totals(self) -> Figures:
        """Return what was used so far, and the moment."""
        asked = self.client.info("commandstats")
        told = {f"{name}_cpu": one.seconds for name, one in self.processes.items()} | {"moment": time.monotonic()}
        counted = [asked.get(f"cmdstat_{name}", {}) for name in ("evalsha", "eval")]
        told |= {"scripts": float(sum(one.get("calls", 0) for one in counted))}
        told |= {"script_seconds": sum(one.get("usec", 0) for one in counted) / 1e6}
        return told | {"aof_bytes": float(self.client.info("persistence").get("aof_current_size", 0))}


async def timed(times: int, ask: Callable[[], Awaitable[object]]) -> Figures:
    """Return the median and the worst of how long an answer takes, in seconds."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        await ask()
        took.append(time.monotonic() - began)
    return {"median": round(statistics.median(took), 4), "most": round(max(took), 4)}
