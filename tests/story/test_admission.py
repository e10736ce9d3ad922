"""How much is taken in, and what stops who runs away: through two doors and a worker, as a service is run."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service import telemetry
from tests.story.stage import Running, Stage, eventually, staged

RUNAWAY, RATE, BACKLOG = 6, 30, 100
LOUD = 10  # times its rate


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Give a stage with two orgs, each with a source, on which no process of ours runs yet."""
    async with staged(orgs=("play", "next")) as it:
        yield it


async def doors_of(stage: Stage, **variables: str) -> tuple[list[str], list[Running]]:
    """Start two receivers at once; return where their public doors are, and the processes."""
    running = await asyncio.gather(*(stage.start("serve", **variables) for _ in range(2)))
    doors = list(await asyncio.gather(*(one.url("public") for one in running)))
    stage.door = doors[0]
    return doors, list(running)


async def clicked(stage: Stage, door: str, wait: int = 0) -> tuple[httpx.Response, str, str]:
    """Click as one technical user on the caller of a new conversation; return answer, conversation and ticket."""
    conversation, ticket = await stage.conversation(), await stage.ticket()
    click = stage.webhook(conversation, ticket=ticket, caller_phone="+14155550123", requested_by="svc.onhook")
    return await stage.post(click, door=door, wait=wait), conversation, ticket


async def test_who_runs_away_is_stopped(stage: Stage) -> None:
    """Through whatever door: the source stands still, its neighbour goes on, an operator hears of it and resumes."""
    (doors, serving), _ = await asyncio.gather(
        doors_of(stage, ONHOOK_SOURCES__DESK__RUNAWAY=str(RUNAWAY), ONHOOK_SOURCES__DESK__MAX_AGE="8"), stage.work()
    )
    private = [await one.url("private") for one in serving]
    await stage.client.get(f"{private[0]}/readyz")
    # all at once: some may be on their way to Genesys before the last of them is counted
    first = await asyncio.gather(*(clicked(stage, doors[at % 2]) for at in range(RUNAWAY)))
    assert {answer.status_code for answer, *_ in first} == {202}
    late = await asyncio.gather(*(clicked(stage, doors[at % 2]) for at in range(3)))
    assert {answer.status_code for answer, *_ in late} == {202}
    for door in private:
        ready = await stage.client.get(f"{door}/readyz")
        assert (ready.status_code, ready.json()["orgs"]["play"]["paused"]) == (200, ["desk"])
        assert ready.json()["orgs"]["next"]["paused"] == []
    metrics = [(await stage.client.get(f"{door}/metrics")).text for door in private]
    counts = [
        float(n)
        for text in metrics
        for n in re.findall(r'^onhook_runaways_total\{source="desk"\} (\S+)', text, re.MULTILINE)
    ]
    assert sum(counts) == 1.0
    lines = [json.loads(line) for line in (stage.folder / "serve.log").read_text().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["event"] == telemetry.Event.SOURCE_PAUSED]
    assert (line["level"], line["source"], line["org"]) == ("error", "desk", "play")
    assert line["action"] in {answer.json()["action"] for answer, *_ in first}
    # the neighbour is served meanwhile
    (neighbour,) = [seat for seat in stage.seats if seat.source == "next-desk"]
    answer, conversation, _ = await clicked(neighbour, doors[1])
    assert (await stage.settled(answer.json()))["outcome"]["kind"] == "disconnected"
    for answer, conversation, ticket in late:
        account = await stage.settled(answer.json())
        assert (account["outcome"]["kind"], account["outcome"]["reason"]) == ("expired", "runaway")
        (note,) = await stage.notes(ticket)
        assert "more removals were asked for within a minute than people click" in note
        assert await stage.calls("", conversation) == []
    resume = await stage.start("resume", "--source", "desk")
    assert await resume.process.wait() == 0
    ready = await stage.client.get(f"{private[0]}/readyz")
    assert ready.json()["orgs"]["play"]["paused"] == []


async def test_a_loud_source_and_its_neighbour(stage: Stage) -> None:
    """At ten times its rate a source is refused what is over it, exactly; its neighbour is refused nothing."""
    rate = {"ONHOOK_SOURCES__DESK__RATE": str(RATE), "ONHOOK_SOURCES__NEXT_DESK__RATE": str(RATE)}
    doors, _ = await doors_of(stage, **rate)
    (quiet,) = [seat for seat in stage.seats if seat.source == "next-desk"]
    bodies = [stage.webhook(f"0f9a1d4e-5b7c-4d21-9e3a-{at:012d}") for at in range(RATE * LOUD)]
    began = time.monotonic()
    loud = asyncio.gather(*(stage.post(body, door=doors[at % 2]) for at, body in enumerate(bodies)))
    calm = [await quiet.post(body, door=doors[at % 2]) for at, body in enumerate(bodies[: RATE // 2])]
    answers = await loud
    took = time.monotonic() - began
    assert Counter(answer.status_code for answer in calm) == {202: RATE // 2}
    went = Counter(answer.status_code for answer in answers)
    room = RATE + int(took / (60 / RATE)) + 1  # what a slow machine lets through meanwhile
    assert RATE <= went[202] <= room
    assert went[429] == len(answers) - went[202] > 0
    over: list[Any] = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["code"] for answer in over} == {"too_many"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 // RATE for answer in over)
    # who waits so long is taken, where nobody takes his place meanwhile: so it is asked when all the others are through
    while (refused := await stage.post(bodies[-1], door=doors[1])).status_code == 202:
        pass
    await asyncio.sleep(int(refused.headers["retry-after"]))  # real processes: the time that the door asked for
    assert (await stage.post(bodies[-1], door=doors[1])).status_code == 202


async def test_a_full_backlog(stage: Stage) -> None:
    """While nobody works, no more than the backlog is taken in; then work makes room again."""
    doors, _ = await doors_of(stage, ONHOOK_LIMITS__BACKLOG=str(BACKLOG), ONHOOK_SOURCES__DESK__MAX_AGE="5")
    bodies = [stage.webhook(f"0f9a1d4e-5b7c-4d21-9e3a-{at:012d}") for at in range(BACKLOG + 20)]
    answers = await asyncio.gather(
        *(stage.post(body, webhook_id=f"msg_{at}", door=doors[at % 2]) for at, body in enumerate(bodies))
    )
    assert Counter(answer.status_code for answer in answers) == {202: BACKLOG, 503: len(bodies) - BACKLOG}
    (full,) = {(it.json()["code"], it.headers["retry-after"]) for it in answers if it.status_code == 503}
    assert full == ("backlog_full", "15")
    taken = next(at for at, answer in enumerate(answers) if answer.status_code == 202)
    again = await stage.post(bodies[taken], webhook_id=f"msg_{taken}", door=doors[1])
    assert (again.status_code, again.json()["status"]) == (202, "duplicate")
    (neighbour,) = [seat for seat in stage.seats if seat.source == "next-desk"]
    assert (await neighbour.post(bodies[-1])).status_code == 202
    await stage.work()

    async def taken_in() -> bool | None:
        return (await stage.post(stage.webhook(await stage.conversation()))).status_code == 202 or None

    assert await eventually(taken_in)
