"""SIGTERM in a loop under load, and a worker that comes late: what ends in good order loses nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import pytest

from tests.story.fire import Click, Fire, calm_load, on_fire, volley
from tests.story.stage import Answer, Running

ORGS = 8
FULL, FULL_BACKLOG = 100, 2_000
END_SECONDS = 10.0  # after which an orchestrator kills
BUSY_SECONDS = 5.0  # and as much more where the machine has other things to do
LAG_SECONDS = 1.0  # the platform shows the caller so long, so there is always a look to come when the signal does
MAX_AGE_SECONDS = 5.0  # the shortest that may be set
EXPIRE_SECONDS = 30.0
COMMAND = "uv run pytest -m slow tests/story/test_sigterm.py"


async def told_to_end(fire: Fire, running: Running) -> None:
    """Send SIGTERM; the process must end by itself, in time, and well."""
    began = time.monotonic()
    code = await running.end()
    took = time.monotonic() - began
    fire.slowest["end"] = round(max(took, fire.slowest.get("end", 0.0)), 3)
    if code != 0 or took > END_SECONDS + BUSY_SECONDS:
        fire.findings.append(f"ended with {code} after {took:.1f} s")


async def doors_in_turn(fire: Fire, first: Running, cycles: int, group: asyncio.TaskGroup) -> None:
    """Let receivers follow each other, as a rolling update does; the last one stays."""

    async def leave(serving: Running, door: str, clicks: list[Click]) -> None:
        sent = [group.create_task(fire.deliver(click, door=door)) for click in clicks]
        await told_to_end(fire, serving)
        fire.doors.remove(door)
        fire.counters["receivers ended"] += 1
        fire.counters["taken while it ended"] += sum(it.done() for it in sent)

    serving = first
    for _ in range(cycles):
        old = fire.stage.door
        following, clicks = await asyncio.gather(fire.stage.serve(), volley(fire, 2))
        fire.doors.append(fire.stage.door)
        group.create_task(leave(serving, old, clicks))  # while the next one starts already
        serving = following


async def workers_in_turn(fire: Fire, cycles: int, group: asyncio.TaskGroup, ended: dict[str, float]) -> None:
    """Let workers follow each other; each has something in its hands when it is told to end. The last one stays."""

    async def leave(working: Running, clicks: list[Click]) -> None:
        for click in clicks:
            group.create_task(fire.deliver(click))
        await asyncio.sleep(fire.dice.uniform(0.05, 0.4))  # real processes: into the work on them
        await told_to_end(fire, working)
        ended[str(working.process.pid)] = time.time()
        fire.counters["workers ended"] += 1

    working = await fire.stage.work()
    for _ in range(cycles):
        following, clicks = await asyncio.gather(fire.stage.work(), volley(fire, 3))
        group.create_task(leave(working, clicks))
        working = following


def handed_on(account: Answer, ended: dict[str, float]) -> Iterator[float]:
    """Yield, for each time that a worker ended with the action unfinished, the seconds until another claimed it."""
    claims = [entry for entry in account["timeline"] if entry["verb"] == "claim"]
    for one, other in pairwise(claims):
        pid = one["worker"].split(":")[1]
        if pid in ended and other["worker"] != one["worker"]:
            yield datetime.fromisoformat(other["at"]).timestamp() - ended[pid]


@pytest.mark.parametrize("cycles", [20, pytest.param(FULL, marks=pytest.mark.slow)])
async def test_told_to_end_under_load(cycles: int) -> None:
    """Workers and receivers are told to end under load: in time, with code 0, nothing lost, all leases given back."""
    ended: dict[str, float] = {}
    async with on_fire(ORGS) as fire:
        await fire.stage.switch(lag_seconds=LAG_SECONDS)
        first = await fire.stage.serve()
        fire.doors = [fire.stage.door]
        async with calm_load(fire), asyncio.TaskGroup() as group:
            group.create_task(doors_in_turn(fire, first, cycles // 2, group))
            group.create_task(workers_in_turn(fire, cycles // 2, group, ended))
        await fire.judge()
        accounts = await fire.each(fire.clicks, fire.account)
    entries = [entry for account in accounts for entry in account["timeline"]]
    fire.counters["leases that ran out"] = sum("lapses" in entry["note"] for entry in entries)
    waits = sorted(seconds for account in accounts for seconds in handed_on(account, ended))
    fire.counters["actions handed on"] = len(waits)
    if cycles == FULL:
        fire.leave("sigterm", COMMAND, longest_seconds_until_claimed_again=waits[-1])
    assert fire.findings == []
    assert fire.slowest["end"] <= END_SECONDS or cycles < FULL
    assert fire.counters["receivers ended"] + fire.counters["workers ended"] == cycles
    assert fire.counters["leases that ran out"] == 0
    assert fire.counters["actions handed on"] > 0
    assert fire.counters["taken while it ended"] > 0
    assert waits[len(waits) // 2] < 2


@pytest.mark.parametrize("backlog", [200, pytest.param(FULL_BACKLOG, marks=pytest.mark.slow)])
async def test_stale_backlog(backlog: int) -> None:
    """What was accepted while no worker ran, and is too late now, expires within half a minute; nobody is removed."""
    async with on_fire(1) as fire:
        max_age = {f"ONHOOK_SOURCES__{desk.source}__MAX_AGE".upper(): str(MAX_AGE_SECONDS) for desk in fire.desks}
        await fire.stage.serve(**max_age)
        fire.doors = [fire.stage.door]
        for _ in range(0, backlog, 20):
            clicks = await volley(fire, 20)
            await asyncio.gather(*(fire.deliver(click) for click in clicks))
        fire.counters["open before"] = sum(fire.open(is_untold=True).values())
        await asyncio.sleep(MAX_AGE_SECONDS)  # real processes: so long no worker runs
        await fire.stage.work()
        began = time.monotonic()
        await fire.quiet(2 * EXPIRE_SECONDS, is_untold=True)
        took = fire.slowest["all expired"] = round(time.monotonic() - began, 3)
        await fire.judge("expired")
        fire.counters["removals sent"] = len(await fire.stage.calls("PATCH"))
    if backlog == FULL_BACKLOG:
        fire.leave("stale_backlog", COMMAND)
    assert fire.findings == []
    assert fire.counters["open before"] == fire.counters["actions"] == backlog
    assert fire.counters["removals sent"] == 0
    assert took <= EXPIRE_SECONDS
