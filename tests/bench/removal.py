"""How long after a click the removal is on its way, beside a script that only removes; how long until it is seen."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import redis as blocking

from tests.bench.clicking import QUIET, Clicker, Gone, Script, percentile
from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.story.stage import Stage, staged

LAG_SECONDS = 0.25  # what the field reports of the platform: some hundred milliseconds
PAUSE_SECONDS = (0.05, 0.25)


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: of each kind.
        clicks: in each round, of each side.
        lagging: clicks of a round under a platform that lags.
        cold: first clicks after an idle time.
        idle_seconds: the sandbox hangs up after five without a word.
    """

    rounds: int
    clicks: int
    lagging: int
    cold: int
    idle_seconds: float


PLANS = {Size.QUICK: Plan(1, 1, 1, 1, 0.1), Size.FULL: Plan(7, 15, 5, 15, 6.0)}


@dataclass
class Seen:
    """What the rounds gave, one figure each, in milliseconds and seconds."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    lagging: list[float] = field(default_factory=list)
    cold: list[Gone] = field(default_factory=list)


async def measure(size: Size) -> Sequence[Row]:
    """Click on a warm and idle service, then under a platform that lags, then on a cold one."""
    plan, seen, dice = PLANS[size], Seen(), random.Random(8)  # noqa: S311 - pauses, and no secret
    async with staged() as stage:
        await stage.serve(**QUIET)
        await stage.work(**QUIET)
        await stage.switch(lag_seconds=0.0, rate_limit=3_000)  # what it costs is asked here, not what is allowed
        clicker, script = Clicker(stage), await Script.started(stage)
        for _ in range(plan.clicks):
            await _both(clicker, script, dice)
        for _ in range(plan.rounds):
            pairs = [await _both(clicker, script, dice) for _ in range(plan.clicks)]
            seen.ours.append(statistics.median(gone.sent for gone, _ in pairs) * 1000)
            seen.theirs.append(statistics.median(theirs for _, theirs in pairs) * 1000)
            seen.told.append(percentile([gone.told for gone, _ in pairs], 0.95))
            await stage.switch(lag_seconds=LAG_SECONDS)
            lagging = [await _warm(clicker, dice) for _ in range(plan.lagging)]
            seen.lagging.append(max(gone.told for gone in lagging) - LAG_SECONDS)
            await stage.switch(lag_seconds=0.0)
        seen.cold.extend([await _cold(stage, clicker, plan.idle_seconds) for _ in range(plan.cold)])
        await clicker.hang_up()
    return _rows(seen)


async def _both(clicker: Clicker, script: Script, dice: random.Random) -> tuple[Gone, float]:
    """Click once and let the script do the same, in either order."""
    if dice.random() < 1 / 2:
        return await _warm(clicker, dice), await _scripted(script, dice)
    theirs = await _scripted(script, dice)
    return await _warm(clicker, dice), theirs


async def _warm(clicker: Clicker, dice: random.Random) -> Gone:
    conversation = await clicker.seat.conversation()
    await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))  # real processes: who clicks keeps no step with anything
    return await clicker.gone(conversation)


async def _scripted(script: Script, dice: random.Random) -> float:
    conversation = await script.seat.conversation()
    await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))  # real processes: as above
    return await script.sent(conversation)


async def _cold(stage: Stage, clicker: Clicker, idle_seconds: float) -> Gone:
    """Click after an idle time that left nothing: no connection to Genesys, to Redis or to the door, and no token."""
    conversation = await stage.conversation()
    await stage.switch(token_seconds=0)
    await stage.switch(token_seconds=86_400)
    await asyncio.sleep(idle_seconds)  # real processes: the sandbox hangs up by itself
    with blocking.Redis.from_url(stage.redis.url, protocol=2) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await clicker.hang_up()
    return await clicker.gone(conversation)


def _rows(seen: Seen) -> list[Row]:
    return [
        Row(
            "webhook → removal sent, p50, idle",
            "ms",
            seen.ours,
            "a warmed script that only does GET and PATCH",
            seen.theirs,
            Goal(Kind.DIFFERENCE, Better.LOWER, 3),
            note="what is between: verify and parse, and three trips through Redis that each wait for the disk (accept,"
            " claim, mark); it was half as much again with three trips more, see profile_removal.md",
        ),
        Row(
            "click → seen gone, p95",
            "s",
            seen.told,
            goal=Goal(Kind.PLAIN, Better.LOWER, 0.5),
            note="most of it is the first look's rest of 0.3 s after the removal",
        ),
        Row(
            f"click → seen gone, where the platform lags {LAG_SECONDS} s: beyond that, the slowest of a round",
            "s",
            seen.lagging,
            goal=Goal(Kind.PLAIN, Better.LOWER, 0.5),
        ),
        Row(
            "click → removal sent, first click after an idle time",
            "s",
            [gone.sent for gone in seen.cold],
        ),
        Row(
            "click → seen gone, first click after an idle time",
            "s",
            [gone.told for gone in seen.cold],
            goal=Goal(Kind.PLAIN, Better.LOWER, 1.5),
        ),
    ]
