"""What it costs to accept a webhook: CPU beside an endpoint that stores nothing, and how many are taken a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.pressed import QUIET, Pressed, pressed, process_of
from tests.story.stage import Running, Stage, staged

AT_ONCE = 50


@dataclass(frozen=True)
class Plan:
    """How long it is measured: so many rounds of so many seconds at each door."""

    rounds: int
    seconds: float
    warm_seconds: float


PLANS = {Size.QUICK: Plan(1, 0.3, 0.2), Size.FULL: Plan(15, 2.0, 0.7)}


async def measure(size: Size) -> Sequence[Row]:
    """Press three doors in turn: ours, ours without a store, and one that only puts into a list."""
    plan, rounds = PLANS[size], list[tuple[Pressed, Pressed, Pressed]]()
    async with staged() as stage:
        ours = await stage.serve(**QUIET)
        kept = stage.door
        unkept, enqueued = await _beside(stage)
        redis = process_of(stage.redis.url)
        for _ in range(plan.rounds):
            rounds.append(
                (
                    await _press(stage, plan, kept, ours, redis),
                    await _press(stage, plan, *unkept, redis),
                    await _press(stage, plan, *enqueued, redis),
                )
            )
    return _rows(rounds)


async def _beside(stage: Stage) -> tuple[tuple[str, Running], tuple[str, Running]]:
    unkept = await stage.start("unkept", module="tests.bench.unkept")
    listed = await stage.start(stage.secret.hex(), stage.redis.url, module="tests.bench.enqueued")
    return (await unkept.url("public"), unkept), (await listed.url("public"), listed)


async def _press(stage: Stage, plan: Plan, door: str, process: Running, redis: int) -> Pressed:
    watched = {"door": process.process.pid, "redis": redis}
    return await pressed(stage, door, watched, at_once=AT_ONCE, seconds=plan.seconds, warm_seconds=plan.warm_seconds)


def _rows(rounds: Sequence[tuple[Pressed, Pressed, Pressed]]) -> list[Row]:
    kept, unkept, enqueued = zip(*rounds, strict=True)
    return [
        Row(
            "CPU per accepted webhook (verified, parsed, stored, on disk)",
            "µs",
            [one.cpu["door"] for one in kept],
            "the same endpoint without a store",
            [one.cpu["door"] for one in unkept],
            Goal(Kind.RATIO, Better.LOWER, 1.6),
            note="between them: seventy words for the script, a question to Redis, its answer, and the wake it sends",
        ),
        Row(
            f"accepted per second, one process, {AT_ONCE} connections",
            "/s",
            [one.a_second for one in kept],
            "the least that enqueues: same HMAC, SET and LPUSH, same fsync",
            [one.a_second for one in enqueued],
            Goal(Kind.RATIO, Better.HIGHER, 1.2),
            note="it reads nothing, knows no duplicate and stores two words, at a third of our CPU and a seventh of "
            "Redis'; the figure is the nearest that was reached. The peers' own queues: peers_enqueue",
        ),
        Row(
            "CPU per webhook of the door",
            "µs",
            [one.cpu["door"] for one in kept],
            "of the least that enqueues",
            [one.cpu["door"] for one in enqueued],
        ),
        Row(
            "CPU per webhook of Redis",
            "µs",
            [one.cpu["redis"] for one in kept],
            "of the least that enqueues",
            [one.cpu["redis"] for one in enqueued],
        ),
    ]
