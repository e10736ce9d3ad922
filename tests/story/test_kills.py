"""Kill -9 in a loop under load, of receivers and of Redis: what was promised stands, and nothing happens twice."""

from __future__ import annotations

import asyncio
import signal

import pytest
import redis as blocking

from tests.story.fire import Fire, calm_load, on_fire, volley

ORGS = 6  # their budgets together carry the load
FULL = 100
INTO_VOLLEY = ((0.0, 0.01), (0.02, 0.12))  # seconds: before the body is there, or while it is stored, and after
NOBODY = "http://127.0.0.1:1"  # a door that is always shut
LONG_OUTAGE = 2.6  # longer than the two seconds in which a restart goes unnoticed
COMMAND = "uv run pytest -m slow tests/story/test_kills.py"


async def fall(fire: Fire, slot: int, times: int, senders: asyncio.TaskGroup) -> None:
    """Let a receiver live for one volley, again and again; the last one lives on."""
    for left in range(times, 0, -1):
        clicks, serving = await asyncio.gather(volley(fire, 3), fire.stage.start("serve"))
        fire.doors[slot] = door = await serving.url("public")
        # one hears nothing before its outcome is there: it is stored, and then its answer is lost
        for wait, click in zip((20, 0, 0), clicks, strict=True):
            senders.create_task(fire.deliver(click, door=door, wait=wait))
        await asyncio.sleep(fire.dice.uniform(*INTO_VOLLEY[left % 2]))  # real processes: it is killed in the middle
        assert await serving.end(signal.SIGKILL) == -signal.SIGKILL
        fire.counters["receivers killed"] += 1
    await fire.stage.serve()
    fire.doors[slot] = fire.stage.door


@pytest.mark.parametrize("kills", [20, pytest.param(FULL, marks=pytest.mark.slow)])
async def test_receivers_killed(kills: int) -> None:
    """Receivers are killed while they take deliveries: a repeat is the same action, and each 2xx is kept."""
    async with on_fire(ORGS) as fire:
        fire.doors = [NOBODY, NOBODY]
        # doors that are hardly ever open keep a sender waiting for long: what is too late has a proof of its own
        fire.stage.environment.update({f"ONHOOK_SOURCES__{it.source}__MAX_AGE".upper(): "900" for it in fire.desks})
        await fire.stage.work()
        async with asyncio.TaskGroup() as senders, calm_load(fire):
            await asyncio.gather(*(fall(fire, slot, kills // 2, senders) for slot in (0, 1)))
        await fire.judge()
    if kills == FULL:
        fire.leave("kill_receivers", COMMAND)
    assert fire.findings == []
    assert fire.counters["receivers killed"] == kills
    for fault in ("connections refused", "connections cut", "cut: was stored", "cut: was not stored"):
        assert fire.counters[fault] > 0, fire.counters


async def outage(fire: Fire, seconds: float) -> None:
    """Kill Redis, start it again on the same files after so long, and look for what was promised before."""
    with blocking.Redis.from_url(fire.stage.redis.url, protocol=2) as client:
        errors = client.info("errorstats")
    fire.counters["scripts loaded again"] += errors.get("errorstat_NOSCRIPT", {}).get("count", 0)
    promised = {click.receipt["action"] for click in fire.clicks if click.receipt}
    await asyncio.to_thread(fire.stage.kill_redis)
    fire.counters["Redis killed"] += 1
    await asyncio.sleep(seconds)  # real processes: so long nobody starts it
    await asyncio.to_thread(fire.stage.redis.start)
    stored = fire.stored().keys()
    fire.counters["promises looked for"] += len(promised)
    fire.findings.extend(f"{one} was promised, and is not there after the restart" for one in promised - stored)


@pytest.mark.parametrize("kills", [20, pytest.param(FULL, marks=pytest.mark.slow)])
async def test_redis_killed(kills: int) -> None:
    """Redis is killed under load: an honest 503 while it is away, and what got a 2xx is there when it is back."""
    async with on_fire(ORGS) as fire:
        serving, working, other = await asyncio.gather(fire.stage.serve(), fire.stage.work(), fire.stage.work())
        fire.doors = [fire.stage.door]
        async with asyncio.TaskGroup() as senders, calm_load(fire):
            for kill in range(kills):
                for click in await volley(fire, 3):
                    senders.create_task(fire.deliver(click))
                await asyncio.sleep(fire.dice.uniform(*INTO_VOLLEY[kill % 2]))  # real processes: in the middle
                await outage(fire, LONG_OUTAGE if kill % 4 == 3 else fire.dice.uniform(0, 0.5))
        await fire.judge()
        fire.findings.extend(f"a process ended: {one}" for one in (serving, working, other) if one.process.returncode)
        events = fire.events("work")
        fire.counters |= {"workers without Redis": events["store.lost"], "workers carried on": events["store.found"]}
        fire.counters["faults of ours"] = events["fault.raised"] + fire.events("serve")["fault.raised"]
    if kills == FULL:
        fire.leave("kill_redis", COMMAND)
    assert fire.findings == []
    assert fire.counters["Redis killed"] == kills
    assert fire.counters["faults of ours"] == 0
    for fault in ("503 store_down", "scripts loaded again", "promises looked for", "workers carried on"):
        assert fire.counters[fault] > 0, fire.counters
    assert set(fire.counters) & {"500 unexpected", "connections refused", "connections cut"} == set()
