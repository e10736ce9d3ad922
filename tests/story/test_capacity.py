"""Many orgs in one house: what one door and one worker cost with 1, 100 and 1,000 of them, and that clicks are done.

deploy/capacity.md quotes the figures of the full run. What is asserted is counted, not timed: of an org in which
nothing happens Redis hears little, however many there are.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from typing import Any

import httpx
import pytest

from tests.bench.clicking import QUIET, percentile
from tests.findings import write_evidence
from tests.story.capacity.measuring import Figures, Process, Watched, timed
from tests.story.capacity.town import clicked, settled_by
from tests.story.stage import Running, Stage, eventually

COMMAND = "uv run pytest -n 0 -m slow tests/story/test_capacity.py"
FULL, FULL_CLICKS = (1, 100, 1_000), 60
AWAY_SECONDS, END_SECONDS = 5.0, 60.0
IDLE_SCRIPTS = 0.35  # of an org, a second: that a worker is there (0.2), and who rests looks around by himself (0.05)
OWN_SCRIPTS = 8.0  # of the processes themselves: rounds, readiness, what was refused; and one org asked by itself
NO_ANSWER = 599
PROBES = ("/livez", "/readyz", "/metrics")
PAGES = ("", "/actions", "/audit", "/dead", "/refusals")


@pytest.mark.parametrize(
    "sizes, seconds, clicks",
    [((30,), 3.0, 2), pytest.param(FULL, 60.0, FULL_CLICKS, marks=pytest.mark.slow)],
    ids=["short", "full"],
)
async def test_what_orgs_cost(sizes: tuple[int, ...], seconds: float, clicks: int) -> None:
    """One door and one worker serve so many orgs: what an idle one asks of Redis is bounded, and clicks are done."""
    found = {str(orgs): await measured(orgs, seconds, clicks) for orgs in sizes}
    sys.stdout.write(f"{found}\n")
    findings = [
        f"{orgs} orgs: {one['idle']['scripts']} scripts a second while nothing happens"
        for orgs, one in found.items()
        if one["idle"]["scripts"] > OWN_SCRIPTS + IDLE_SCRIPTS * int(orgs)
    ]
    findings += [
        f"{orgs} orgs: {where} answers {status}"
        for orgs, one in found.items()
        for where, status in one["statuses"].items()
        if status != httpx.codes.OK
    ]
    if sizes == FULL:
        counters = {"clicks": clicks * len(sizes), "orgs": sum(sizes)}
        load = round(os.getloadavg()[2], 2)  # of the quarter of an hour: figures of a busy machine are no figures
        write_evidence("capacity", command=COMMAND, counters=counters, findings=findings, load=load, orgs=found)
    assert findings == []


async def measured(orgs: int, seconds: float, clicks: int) -> dict[str, Any]:
    """Return what one door and one worker for so many orgs take and give."""
    async with settled_by(orgs) as stage:
        token = stage.admit("operator")
        took = {}
        serving, took["serve"] = await _begun(stage, "serve")
        working, took["work"] = await _begun(stage, "work")
        stage.door = _door(serving, "public")
        watched = Watched(
            stage.redis.url, {"serve": Process(serving.process.pid), "work": Process(working.process.pid)}
        )
        told: dict[str, Any] = {"start_seconds": took, "idle": {}, "answers": {}, "statuses": {}}
        with watched:
            await watched.rested()
            told |= {"standing": watched.standing(), "idle": await watched.for_seconds(seconds)}
            doors = {"serve": _door(serving, "private"), "work": _door(working, "private")}
            for name, door in doors.items():
                for path in PROBES:
                    await _ask(told, f"{name}{path}", stage.client, f"{door}{path}")
            async with httpx.AsyncClient(base_url=doors["serve"], trust_env=False, timeout=60) as person:
                await person.post("/console/login", data={"token": token}, headers={"Origin": doors["serve"]})
                for page in PAGES:
                    await _ask(told, f"console{page}", person, f"/console{page}")
            await stage.switch(lag_seconds=0.0)
            told["clicks"] = await _clicks(stage, clicks, watched, told["idle"])
            told["after"] = watched.standing()
        if clicks == FULL_CLICKS:
            told["outage"] = await _outage(stage)
            told["end_seconds"] = {
                "serve": (await timed(1, serving.end))["most"],
                "work": (await timed(1, working.end))["most"],
            }
        return told


async def _outage(stage: Stage) -> dict[str, float]:
    """Kill Redis, start it again after some seconds, and click; return when that is done, and what is logged."""
    log = stage.folder / "work.log"
    before = len(log.read_bytes().splitlines())
    stage.kill_redis()
    await asyncio.sleep(AWAY_SECONDS)  # real processes: they notice in their own time
    stage.redis.start()
    seat, conversation, began = stage.seats[0], await stage.conversation(), time.monotonic()

    async def accepted() -> httpx.Response | None:
        answer = await seat.post(seat.webhook(conversation))
        return answer if answer.status_code == httpx.codes.ACCEPTED else None

    account = await seat.settled((await eventually(accepted, END_SECONDS)).json(), END_SECONDS)
    assert account["outcome"]["kind"] == "disconnected", account
    done = round(time.monotonic() - began, 2)
    return {"settled_after_seconds": done, "lines_of_the_worker": len(log.read_bytes().splitlines()) - before}


async def _begun(stage: Stage, command: str) -> tuple[Running, float]:
    """Start a process; return it when its last door is open, and how many seconds that took."""
    begun: list[Running] = []

    async def begin() -> None:
        begun.append(await stage.start(command, **QUIET))
        await begun[0].url("private")

    took = await timed(1, begin)
    return begun[0], took["most"]


def _door(running: Running, door: str) -> str:
    (url,) = [found[1] for line in running.said if (found := re.match(rf"The {door} door is at (\S+)", line))]
    return url


async def _ask(told: dict[str, Any], name: str, client: httpx.AsyncClient, url: str) -> None:
    answers: list[httpx.Response] = []

    async def ask() -> None:
        try:
            answers.append(await client.get(url))
        except httpx.HTTPError as fault:  # a door that hangs up is a finding, and the rest is measured all the same
            answers.append(httpx.Response(NO_ANSWER, text=f"{fault}"))

    told["answers"][name] = {**await timed(3, ask), "kilobytes": round(len(answers[-1].content) / 1000, 1)}
    told["statuses"][name] = max(answer.status_code for answer in answers)


async def _clicks(stage: Stage, clicks: int, watched: Watched, idle: Figures) -> dict[str, float]:
    """Let people click in orgs by chance; return how long it took, and what each cost beyond an idle time."""
    before = watched.totals()
    gone = await clicked(stage, clicks)
    after = watched.totals()
    seconds = after["moment"] - before["moment"]
    cost = {name: (after[name] - before[name] - idle[name] * seconds) / clicks for name in idle}
    sent, told = [one.sent for one in gone], [one.told for one in gone]
    return {
        **{f"{name}_milliseconds": round(cost[f"{name}_cpu"] * 1000, 1) for name in ("serve", "work", "redis")},
        "sent_p50": round(percentile(sent, 0.5), 4),
        "sent_p95": round(percentile(sent, 0.95), 4),
        "gone_p50": round(percentile(told, 0.5), 4),
        "gone_p95": round(percentile(told, 0.95), 4),
        "scripts": round(cost["scripts"], 1),
        "aof_bytes": round(cost["aof_bytes"]),
    }
