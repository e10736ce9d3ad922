"""How often a removal is sent whose webhook comes fifty times at once and once later, here and with five queues."""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from service.sources.signing import signed
from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.peers.environments import built
from tests.bench.peers.known import KNOWN, Peer
from tests.bench.peers.sides import WORKERS, Side, ours_on, theirs_on
from tests.story.stage import staged

GOAL = Goal(Kind.PLAIN, Better.LOWER, 1)
QUIET_SECONDS = 3.0  # longer than any of them takes to notice a job, or to look again
PATIENCE = 60.0


@dataclass(frozen=True)
class Plan:
    """How often it is tried, and how many come at once."""

    rounds: int
    at_once: int


PLANS = {Size.QUICK: Plan(1, 5), Size.FULL: Plan(5, 50)}


async def measure(size: Size) -> Sequence[Row]:
    """Send them to all sides at the same time: nothing is clocked here, and each has a Redis of its own."""
    plan, rounds = PLANS[size], list[list[int]]()
    async with staged() as stage, AsyncExitStack() as stack:
        await stage.switch(rate_limit=1_000_000)  # Genesys' budget is not what is asked here
        us = await stack.enter_async_context(ours_on(stage, workers=WORKERS))
        them = [await stack.enter_async_context(theirs_on(stage, peer, built(peer), workers=WORKERS)) for peer in KNOWN]
        sides: list[Side] = [us, *them]
        for _ in range(plan.rounds):
            rounds.append(await asyncio.gather(*(sent_for(side, plan.at_once) for side in sides)))
    ours, *theirs = zip(*rounds, strict=True)
    return rows_of(ours, dict(zip(KNOWN, theirs, strict=True)), plan.at_once)


async def sent_for(side: Side, at_once: int, quiet_seconds: float = QUIET_SECONDS) -> int:
    """Send one delivery so many times at once and, when all is done, once more; return how many removals were sent.

    Raises:
        RuntimeError: one of them was not taken, or nobody was removed.
    """
    stage = side.stage
    conversation = await stage.conversation()
    raw = json.dumps(stage.webhook(conversation)).encode()
    headers = {"content-type": "application/json"}
    headers |= signed(stage.secret, f"msg_{secrets.token_hex(8)}", int(time.time() * 1000), raw)
    # a connection for each, the late one too: one that was kept may be closed just when it is used again
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=0)
    async with httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as client:

        async def post() -> None:
            answer = await client.post(f"{stage.door}/webhooks/{stage.source}", content=raw, headers=headers)
            if not answer.is_success:
                raise RuntimeError(f"{answer.status_code} {answer.text}")

        await asyncio.gather(*(post() for _ in range(at_once)))
        await _quiet(side, conversation, quiet_seconds)
        await post()
        return await _quiet(side, conversation, quiet_seconds)


async def _quiet(side: Side, conversation: str, seconds: float) -> int:
    """Wait until nothing comes to Genesys any more, and return how many removals have come."""
    seen, since, until = 0, time.monotonic(), time.monotonic() + PATIENCE
    while time.monotonic() < until:
        calls = await side.stage.calls(conversation=conversation)
        if len(calls) != seen:
            seen, since = len(calls), time.monotonic()
        sent = len([call for call in calls if call["method"] == "PATCH"])
        if sent and time.monotonic() > since + seconds:
            return sent
        await asyncio.sleep(0.1)  # real processes: there is nothing else to wait for
    raise RuntimeError(f"after {PATIENCE:.0f} s {seen} calls had come, and it was not quiet")


def rows_of(ours: Sequence[int], theirs: Mapping[Peer, Sequence[int]], at_once: int) -> list[Row]:
    """Return the goal's row, against the most careful peer, and then one of each."""
    careful = min(theirs, key=lambda peer: statistics.mean(theirs[peer]))
    what = f"removals sent for {at_once} deliveries at once and one late"
    note = "the same id, body and signature; the late one comes when the others are done"
    mine = [float(one) for one in ours]

    def row(peer: Peer, against: str, goal: Goal | None, said: str) -> Row:
        return Row(what, "sent", mine, against, [float(one) for one in theirs[peer]], goal, said, 0)

    goal = row(careful, f"the most careful peer: {careful.titled}", GOAL, note)
    return [goal, *(row(peer, peer.titled, None, f"known by {peer.sameness}") for peer in theirs)]
