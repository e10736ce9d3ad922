"""The budget of an org, kept by whole processes before a sandbox that enforces it; in a minute that takes a minute."""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
import redis as blocking

from tests.findings import write_evidence
from tests.story.stage import Stage, staged

COMMAND = "uv run pytest -n 0 -m slow tests/story/test_budget.py"
ALLOWED = 240  # calls a minute: fewer than anybody assumes who was not told
RETRY_AFTER = 3
UNDER_WAY_SECONDS = 0.5  # a call that left before the 429 of another one came back, on a busy machine
FULL = 200
REPEATED = 2  # each click comes twice
END_SECONDS = 200.0
Account = Mapping[str, Any]


async def storm(stage: Stage, clicks: int, seconds: float) -> list[Account]:
    """Click evenly, each click twice: the same delivery again, or another one for the same person; return receipts."""
    receipts: list[Account] = []
    pause = seconds / clicks
    refusal = {"on": "look", "status": 429, "headers": {"Retry-After": str(RETRY_AFTER)}}
    for number in range(clicks // REPEATED):
        conversation, ticket = await stage.conversation(), await stage.ticket()
        await stage.switch(conversation, lag_seconds=0.0)
        if number % 40 == 5:
            await stage.switch(conversation, answers=[refusal])
        body = stage.webhook(conversation, ticket=ticket)
        for time in range(REPEATED):
            name = f"{conversation}-{time * (number % 2)}"
            answer = await stage.post(body, webhook_id=name)
            assert answer.status_code == 202, answer.text
            receipts.append({"conversation": conversation, "ticket": ticket, **answer.json()})
            await asyncio.sleep(pause)  # real processes: people click in their own time
    return receipts


async def took(stage: Stage, clicks: int, pause: float) -> list[float]:
    """Click now and then on a quiet org; return the seconds from each receipt to its outcome."""
    seconds = []
    for _ in range(clicks):
        receipt = (await stage.post(stage.webhook(await stage.conversation()))).json()
        account = await stage.settled(receipt)
        assert account["outcome"]["kind"] == "disconnected"
        at = {entry["verb"]: datetime.fromisoformat(entry["at"]) for entry in account["timeline"]}
        seconds.append((at["settle"] - at["accept"]).total_seconds())
        await asyncio.sleep(pause)  # real processes: as above
    return seconds


def lies(receipts: Sequence[Account], accounts: Sequence[Account], calls: Sequence[Account]) -> list[str]:
    """Return in sentences what was broken: a removal that was not one, a wrong ending, a call before its time."""
    findings = []
    effects = Counter(call["path"].split("/")[4] for call in calls if call["effect"] is True)
    gone = {one["conversation"] for one in receipts}
    findings += [f"{effects[one]} removals in {one}" for one in gone if effects[one] != 1]
    kinds = {account["outcome"]["kind"] for account in accounts}
    findings += [f"an end that nobody asked for: {kind}" for kind in kinds - {"disconnected", "already_gone"}]
    for at in [call["at"] for call in calls if call["status"] == 429]:
        early = [one["at"] - at for one in calls if at + UNDER_WAY_SECONDS < one["at"] < at + RETRY_AFTER - 0.01]
        findings += [f"a call {seconds:.2f} s after a 429 that asked for {RETRY_AFTER}" for seconds in early]
    return findings


@pytest.mark.parametrize(
    "clicks, seconds", [(20, 6.0), pytest.param(FULL, 60.0, marks=pytest.mark.slow)], ids=["short", "full"]
)
async def test_clicks_before_a_budget_that_is_enforced(clicks: int, seconds: float) -> None:
    """Half of the clicks duplicates: each person goes once, hardly a 429, none ignored; another org does not notice."""
    async with staged(orgs=("play", "calm")) as stage:
        await stage.serve()
        await stage.work()
        await stage.switch(rate_limit=ALLOWED)
        stormy, calm = stage.seats
        alone = await took(calm, max(3, clicks // 20), 0.2)
        began = await stage.calls()
        receipts, beside = await asyncio.gather(storm(stormy, clicks, seconds), took(calm, clicks // 7, 0.2))
        accounts = [await stormy.settled(receipt, END_SECONDS) for receipt in receipts]
        ours = {one["conversation"] for one in receipts}
        calls = [call for call in (await stage.calls())[len(began) :] if call["path"].split("/")[4] in ours]
        with blocking.Redis.from_url(stage.redis.url, decode_responses=True, protocol=2) as client:
            learned = {org: client.get(f"onhook:{{{org}}}:allowance") for org in ("play", "calm")}
    refused = sum(call["status"] == 429 for call in calls)
    findings = lies(receipts, accounts, calls)
    figures = {
        "calls_of_a_removal": round(len(calls) / len(ours), 2),
        "settled_after_p50_alone": statistics.median(alone),
        "settled_after_p50_beside": statistics.median(beside),
    }
    counters = {"clicks": clicks, "people": len(ours), "calls": len(calls), "calls_refused_429": refused}
    counters |= Counter(account["outcome"]["kind"] for account in accounts)
    sys.stdout.write(f"{counters} {figures} {learned}\n")
    if clicks == FULL:
        write_evidence("budget", command=COMMAND, counters=counters, findings=findings, figures=figures)
    assert findings == []
    assert learned == {"play": str(ALLOWED), "calm": str(ALLOWED)}
    assert 0 < refused <= max(1, 0.02 * len(calls))
    assert figures["settled_after_p50_beside"] <= figures["settled_after_p50_alone"] * 2 + 0.5


@pytest.mark.parametrize(
    "clicks, max_age", [(50, 5), pytest.param(500, 30, marks=pytest.mark.slow)], ids=["short", "full"]
)
async def test_a_pause_that_outlives_its_clicks(clicks: int, max_age: int) -> None:
    """Pause, click, resume when all are too late: Genesys is not asked to remove anybody, and each ticket says why."""
    async with staged() as stage:
        await stage.serve(ONHOOK_SOURCES__DESK__MAX_AGE=str(max_age))
        await stage.work(ONHOOK_SOURCES__DESK__MAX_AGE=str(max_age))
        pausing = await stage.start("pause")
        assert await pausing.process.wait() == 0
        receipts = []
        for _ in range(clicks):
            conversation, ticket = await stage.conversation(), await stage.ticket()
            answer = await stage.post(stage.webhook(conversation, ticket=ticket))
            assert answer.status_code == 202, answer.text
            receipts.append({"ticket": ticket, **answer.json()})
        await asyncio.sleep(max_age)  # real processes: the last click must be too late
        resuming = await stage.start("resume")
        assert await resuming.process.wait() == 0
        accounts = [await stage.settled(receipt, END_SECONDS) for receipt in receipts]
        notes = [await stage.notes(receipt["ticket"]) for receipt in receipts]
        asked = await stage.calls()
    ends = {(account["outcome"]["kind"], account["outcome"]["reason"]) for account in accounts}
    assert ends == {("expired", "paused")}
    assert asked == []
    assert all(len(of_one) == 1 and "paused" in of_one[0] for of_one in notes)
