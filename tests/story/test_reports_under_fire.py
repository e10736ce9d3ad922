"""Thousands of notes that are due must not delay a caller: whole processes, with such a backlog and without."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
import redis as blocking

from service.core import model as m
from service.store.client import Link, connect
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.wiring.machine import SystemClock, SystemDice
from tests.findings import write_evidence
from tests.fixtures.redis import CountingDice
from tests.store.stories import GONE, offered
from tests.story.stage import Stage, staged

ORG, SOURCE = "play", "desk"
NOTE_SECONDS = 0.2  # what a ServiceNow takes for one
TOGETHER = 10  # fewer than the budget lets a worker claim at once
COMMAND = "uv run pytest -m slow tests/story/test_reports_under_fire.py"


@asynccontextmanager
async def store_of(stage: Stage) -> AsyncIterator[RedisStore]:
    """Give the store of a stage, as its processes have it."""
    clock = SystemClock()
    link = Link(connect(stage.redis.url), clock)
    try:
        yield RedisStore(link, SystemDice(clock))
    finally:
        await link.aclose()


async def leave_due(stage: Stage, number: int) -> None:
    """Leave this many settled actions whose tickets are to be told; no worker runs yet."""
    dice = SystemDice(SystemClock())
    async with store_of(stage) as store:
        for _ in range(number // TOGETHER):
            tickets = await asyncio.gather(*(stage.ticket() for _ in range(TOGETHER)))
            offers = [_offer(dice.action_id(ORG), m.Ticket(ticket)) for ticket in tickets]
            await asyncio.gather(*(store.accept(offer) for offer in offers))
            claims = await store.claim(ORG, "before", dice.token(), TOGETHER)
            await asyncio.gather(*(store.settle(claim.lease, GONE, 0.0, ()) for claim in claims))


def _offer(action_id: str, ticket: m.Ticket) -> m.Offer:
    of_removal = {"ticket": ticket}
    of_offer = {"action_id": action_id, "org": ORG, "source": SOURCE, "intent_key": None}
    return offered(CountingDice(), action_id, **of_removal, **of_offer)


async def settle_seconds(stage: Stage) -> float:
    """Click, and return the seconds from the receipt to the outcome, by the clock of Redis."""
    conversation = await stage.conversation()
    receipt = (await stage.post(stage.webhook(conversation))).json()
    account = await stage.settled(receipt)
    assert account["outcome"]["kind"] == "disconnected"
    at = {entry["verb"]: datetime.fromisoformat(entry["at"]) for entry in account["timeline"]}
    return (at["settle"] - at["accept"]).total_seconds()


@pytest.mark.parametrize(
    "due, clicks", [(500, 12), pytest.param(5_000, 100, marks=pytest.mark.slow)], ids=["short", "full"]
)
async def test_removals_are_not_delayed(due: int, clicks: int) -> None:
    """While thousands of notes are due at a desk, a removal takes no longer than beside it with none due."""
    async with staged() as loaded, staged() as idle:
        await leave_due(loaded, due)
        await loaded.switch(answers=[{"on": "note", "delay_seconds": NOTE_SECONDS, "times": None}])
        await asyncio.gather(*(stage.serve() for stage in (loaded, idle)))
        await asyncio.gather(*(stage.work() for stage in (loaded, idle)))
        took: dict[str, list[float]] = {"with a backlog": [], "without": []}
        for _ in range(clicks):  # in turn, so that both see the same machine
            took["with a backlog"].append(await settle_seconds(loaded))
            took["without"].append(await settle_seconds(idle))
        with_it, without = (statistics.median(seconds) for seconds in took.values())
        with blocking.Redis.from_url(loaded.redis.url, protocol=2) as client:
            left = client.zcard(Keys().due_reports(ORG, SOURCE))
    assert clicks <= due - left < due  # the desk took notes all the while, and had not taken all in the end
    if due >= 5_000:
        figures = {"median_seconds_with_5000_due": with_it, "median_seconds_with_none": without}
        write_evidence(
            "reports",
            command=COMMAND,
            counters={"clicks": 2 * clicks, "reports due": due, "reports still due at the end": left},
            findings=[],
            **figures,
            ratio=round(with_it / without, 2),
        )
    assert with_it <= 2 * without + 0.5
