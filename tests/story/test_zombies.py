"""Workers that stand still longer than their lease, exactly where it hurts, and wake up when another has finished."""

from __future__ import annotations

import asyncio
import re
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.story.fire import Click, Desk, Fire, on_fire
from tests.story.fire_zombie import POINTS
from tests.story.stage import Running, Stage, eventually

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, to see who stands still")

FULL = 25
CATCH_SECONDS = 0.7  # between two clicks, until the zombie gets one before the worker does
LONGEST_SECONDS = 60.0  # the lease, and the confirm window after a mark that was never answered, four times over
STARTS_AT_ONCE = 3  # a cold start is all work: more of them at once take each as much longer
COMMAND = "uv run pytest -m slow tests/story/test_zombies.py"


@dataclass
class Zombie:
    """A worker for one org that stops itself at one point."""

    point: str
    desk: Desk
    running: Running
    door: str
    refusals: int = 0

    @property
    def stands_still(self) -> bool:
        """Whether the kernel has it stopped."""
        return Path(f"/proc/{self.running.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    async def refused(self, stage: Stage) -> int | None:
        """Return how many of its writes were refused since the last time, because the lease was gone; None for none."""
        shown = (await stage.client.get(f"{self.door}/metrics")).text
        found = re.search(rf'^onhook_leases_lost_total{{org="{self.desk.org}"}} (\S+)$', shown, re.MULTILINE)
        before, self.refusals = self.refusals, int(float(found[1])) if found else 0
        return self.refusals - before or None


async def risen(fire: Fire, point: str, desk: Desk) -> Zombie:
    """Start a zombie that knows one org only, so that none has more than one in its hands that matters."""
    ours = (f"ONHOOK_ORGS__{desk.org}__".upper(), f"ONHOOK_SOURCES__{desk.source}__".upper())
    environment = {
        name: value
        for name, value in fire.stage.environment.items()
        if name.startswith(ours) or not name.startswith(("ONHOOK_ORGS__", "ONHOOK_SOURCES__"))
    }
    running = await replace(fire.stage, environment=environment).start(point, module="tests.story.fire_zombie")
    return Zombie(point, desk, running, await running.url("private"))


async def stood_still(fire: Fire, zombie: Zombie) -> None:
    """Click until the zombie stops with something in its hands; let it go on when all has ended without it."""
    clicks: list[Click] = []

    async def told() -> list[dict[str, Any]]:
        return [await fire.stage.account(click.receipt or {}) for click in clicks]

    while not zombie.stands_still:
        clicks += await fire.clicked(zombie.desk)
        await fire.deliver(clicks[-1])
        for _ in range(10):
            if not zombie.stands_still:
                await asyncio.sleep(CATCH_SECONDS / 10)  # real processes: the zombie gets it, or the worker does
    fire.counters[f"stopped {zombie.point}"] += 1
    for click in clicks:
        await fire.stage.settled(click.receipt or {}, LONGEST_SECONDS)
    before = await told()
    assert zombie.stands_still
    zombie.running.process.send_signal(signal.SIGCONT)
    refused = await eventually(lambda: zombie.refused(fire.stage), LONGEST_SECONDS)
    fire.counters[f"refused {zombie.point}"] += refused
    if await told() != before:
        fire.findings.append(f"who woke up {zombie.point} changed {before} to {await told()}")


async def haunt(fire: Fire, point: str, desk: Desk, times: int, starts: asyncio.Semaphore) -> None:
    """Let one zombie stand still so many times."""
    async with starts:
        zombie = await risen(fire, point, desk)
    for _ in range(times):
        await stood_still(fire, zombie)
    assert zombie.running.process.returncode is None


@pytest.mark.parametrize("zombies, times", [(2, 3), pytest.param(5, 5, marks=pytest.mark.slow)], ids=["short", "full"])
async def test_a_frozen_worker_changes_nothing(zombies: int, times: int) -> None:
    """Workers stop at each point until another has finished; awake again, each stale write is refused and counted."""
    async with on_fire(zombies * len(POINTS)) as fire:
        await asyncio.gather(fire.stage.serve(), fire.stage.work())
        fire.doors = [fire.stage.door]
        places = zip(sorted(POINTS) * zombies, fire.desks, strict=True)
        starts = asyncio.Semaphore(STARTS_AT_ONCE)
        await asyncio.gather(*(haunt(fire, point, desk, times, starts) for point, desk in places))
        await fire.judge()
        fire.counters["faults of ours"] = sum(fire.events(log)["fault.raised"] for log in ("work", *POINTS))
    if zombies * times == FULL:
        fire.leave("zombies", COMMAND)
    assert fire.findings == []
    assert fire.counters["faults of ours"] == 0
    for point in POINTS:
        assert fire.counters[f"stopped {point}"] == zombies * times
        assert fire.counters[f"refused {point}"] >= zombies * times
