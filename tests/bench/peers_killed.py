"""How long a removal waits whose worker was killed with kill -9 in the middle of it, here and with five queues."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import signal
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.peers.environments import built
from tests.bench.peers.known import KNOWN, Peer
from tests.bench.peers.sides import WORKERS, Side, ours_on, theirs_on
from tests.story.stage import Stage, eventually, staged

GOAL = Goal(Kind.PLAIN, Better.LOWER, 8)
HELD_SECONDS = 4.0  # the answer to the PATCH takes so long, and the kill comes meanwhile; a call may take five
CLICK_SECONDS = 2.0  # between two clicks that have nothing to do with the kill, on each side
TRIES = 3  # of a click that is not answered
LOOK_SECONDS = 0.25  # between two looks at what came to Genesys; the moment itself is Genesys' own


@dataclass(frozen=True)
class Plan:
    """How much is killed.

    Attributes:
        rounds: in each, every peer's worker is killed once.
        kills: of ours in a round.
        patience: seconds after which a job counts as not run again.
    """

    rounds: int
    kills: int
    patience: float


PLANS = {Size.QUICK: Plan(1, 1, 15.0), Size.FULL: Plan(5, 5, 90.0)}


async def measure(size: Size) -> Sequence[Row]:
    """Kill on all sides at the same time: they mostly wait, and each has a Redis of its own."""
    plan = PLANS[size]
    # a connection that was idle for long may be closed by its server just when it is used again
    limits = httpx.Limits(keepalive_expiry=1.0)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60, limits=limits))
        stage = replace(await stack.enter_async_context(staged()), client=client)
        await stage.switch(rate_limit=1_000_000)  # Genesys' budget is not what is asked here
        sides: list[Side] = [await stack.enter_async_context(ours_on(stage, workers=WORKERS))]
        lanes = [(peer, is_quick) for is_quick in (False, True) for peer in KNOWN]
        for peer, is_quick in lanes:
            sides.append(
                await stack.enter_async_context(theirs_on(stage, peer, built(peer), workers=WORKERS, is_quick=is_quick))
            )
        await stack.enter_async_context(clicked_at(*sides))
        counts = [plan.rounds * plan.kills, *(plan.rounds for _ in lanes)]
        waits = await asyncio.gather(
            *(_killed(side, number, plan.patience) for side, number in zip(sides, counts, strict=True))
        )
    ours = [waits[0][number :: plan.rounds] for number in range(plan.rounds)]
    return rows_of(ours, dict(zip(lanes, waits[1:], strict=True)), plan.patience)


async def _killed(side: Side, number: int, patience: float) -> list[float]:
    return [await killed(side, patience) for _ in range(number)]


async def killed(side: Side, patience: float) -> float:
    """Kill who does a job, after its look and while its PATCH is under way; return the seconds until it runs again.

    That is when the next look of the same conversation comes to Genesys. The other worker was there all the time; in
    the place of the killed one a new one starts afterwards. When nobody looks again, it is `patience`.
    """
    while True:
        conversation, receipt = await _held(side)
        victim = await eventually(lambda: side.holder(conversation, receipt))  # noqa: B023 - awaited right here
        sent_at = (await side.stage.calls("PATCH", conversation))[0]["at"]
        killed_at = time.time()
        await side.workers.pop(victim).end(signal.SIGKILL)
        was_amid = killed_at < sent_at + HELD_SECONDS  # on a very busy machine the answer may have come before
        again_at = await _again(side, conversation, killed_at, patience) if was_amid else None
        await side.hire()
        if was_amid:
            return patience if again_at is None else again_at - killed_at


async def _held(side: Side) -> tuple[str, Mapping[str, Any]]:
    """Click, and return once the PATCH is at Genesys, which takes its time to answer."""
    stage = side.stage
    conversation = await stage.conversation()
    slow = {"on": "disconnect", "delay_seconds": HELD_SECONDS, "times": 1}
    await stage.switch(conversation, answers=[slow])
    receipt = await _clicked(stage, conversation)

    async def is_sent() -> bool | None:
        return True if await stage.calls("PATCH", conversation) else None

    await eventually(is_sent, 60)
    return conversation, receipt


async def _clicked(stage: Stage, conversation: str) -> Mapping[str, Any]:
    """Post one click, and again where no answer came, as every sender does; return the receipt."""
    body, webhook_id = stage.webhook(conversation), f"msg_{secrets.token_hex(8)}"
    for _ in range(TRIES - 1):
        # a kept connection may be closed just when it is used
        with contextlib.suppress(httpx.TransportError):
            return _receipt(await stage.post(body, webhook_id=webhook_id))
    return _receipt(await stage.post(body, webhook_id=webhook_id))


def _receipt(answer: httpx.Response) -> Mapping[str, Any]:
    receipt: dict[str, Any] = answer.raise_for_status().json()
    return receipt


async def _again(side: Side, conversation: str, after: float, patience: float) -> float | None:
    until = after + patience
    while time.time() < until:
        looks = [call["at"] for call in await side.stage.calls("GET", conversation) if call["at"] > after]
        if looks:
            return float(looks[0])
        await asyncio.sleep(LOOK_SECONDS)  # real processes: there is nothing else to wait for
    return None


@asynccontextmanager
async def clicked_at(*sides: Side) -> AsyncIterator[None]:
    """Click on other conversations now and then: some queues look after what was lost only when something comes."""

    async def clicking(side: Side) -> None:
        while True:
            stage = side.stage
            conversation = await stage.conversation()
            await _clicked(stage, conversation)
            await asyncio.sleep(CLICK_SECONDS)  # real processes: people click now and then

    # when a click fails, the group cancels what is in the block
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(clicking(side)) for side in sides]
        yield
        for task in tasks:
            task.cancel()


def p99(values: Sequence[float]) -> float:
    """Return the value that one in a hundred is above: of fewer than a hundred the largest."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def _best(theirs: Mapping[tuple[Peer, bool], Sequence[float]], *, is_quick: bool) -> tuple[Peer, Sequence[float]]:
    """Return the peer with the shortest p99 among those set so, and its waits."""
    those = {peer: waits for (peer, set_so), waits in theirs.items() if set_so is is_quick}
    return min(those.items(), key=lambda one: (p99(one[1]), statistics.median(one[1])))


def rows_of(
    ours: Sequence[Sequence[float]], theirs: Mapping[tuple[Peer, bool], Sequence[float]], patience: float
) -> list[Row]:
    """Return the goal's row, and then one for each peer as installed and one as quick as its settings make it.

    Args:
        ours: the waits of each round.
        theirs: a wait a round of each peer, as installed and quick.
        patience: the seconds after which a wait was given up.
    """
    every = [wait for one in ours for wait in one]
    best, best_waits = _best(theirs, is_quick=False)
    quickest, quickest_waits = _best(theirs, is_quick=True)
    note = (
        f"{len(every)} kills, p50 {statistics.median(every):.1f} s; lease 6 s. Each side has {WORKERS} workers and "
        f"a click each {CLICK_SECONDS:.0f} s; the killed one had looked, and its PATCH was under way. Set to be "
        f"quick, the best peer is {quickest.titled} with {p99(quickest_waits):.1f} s"
    )
    what = "kill -9 → the removal runs again"
    rows = [
        Row(
            f"{what}, p99",
            "s",
            [p99(every)],
            f"the best peer as installed: {best.titled}",
            [p99(best_waits)],
            GOAL,
            note,
            1,
        )
    ]
    slowest = [max(one) for one in ours]
    for (peer, is_quick), waits in theirs.items():
        never = sum(wait >= patience for wait in waits)
        settings = peer.quick if is_quick else peer.installed
        given_up = f"; not within {patience:.0f} s in {never} of {len(waits)} kills" if never else ""
        against = f"{peer.titled}, {'set to be quick' if is_quick else 'as installed'}"
        rows.append(
            Row(f"{what}, slowest of a round", "s", slowest, against, waits, note=settings + given_up, digits=1)
        )
    return rows
