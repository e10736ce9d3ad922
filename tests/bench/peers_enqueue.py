"""How many webhooks are taken a second, beside five queues that put the same webhook into the same kind of Redis."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.peers.environments import built, releases
from tests.bench.peers.known import KNOWN, Peer
from tests.bench.peers.sides import Side, ours_on, theirs_on
from tests.bench.pressed import QUIET, Pressed, pressed, process_of
from tests.story.stage import Stage, staged

AT_ONCE = 50
CLIENTS = ("redis", "coredis", "hiredis")
GOAL = Goal(Kind.RATIO, Better.HIGHER, 1.2)


@dataclass(frozen=True)
class Plan:
    """How long it is measured: so many rounds of so many seconds at each door."""

    rounds: int
    seconds: float
    warm_seconds: float


PLANS = {Size.QUICK: Plan(1, 0.3, 0.2), Size.FULL: Plan(7, 2.0, 0.5)}


async def measure(size: Size) -> Sequence[Row]:
    """Press all doors in turn, round by round; only one is pressed at a time."""
    plan, ours, theirs = PLANS[size], list[Pressed](), {peer: list[Pressed]() for peer in KNOWN}
    async with staged() as stage, AsyncExitStack() as stack:
        us = await stack.enter_async_context(ours_on(stage, QUIET))
        them = {peer: await stack.enter_async_context(theirs_on(stage, peer, built(peer))) for peer in KNOWN}
        for _ in range(plan.rounds):
            ours.append(await _press(stage, us, plan))
            for peer in KNOWN:
                theirs[peer].append(await _press(stage, them[peer], plan))
    return rows_of(ours, theirs, {peer: releases(built(peer), CLIENTS) for peer in KNOWN})


async def _press(stage: Stage, side: Side, plan: Plan) -> Pressed:
    watched = {"door": side.serving.process.pid, "redis": process_of(side.redis)}
    return await pressed(
        stage, side.stage.door, watched, at_once=AT_ONCE, seconds=plan.seconds, warm_seconds=plan.warm_seconds
    )


def rows_of(
    ours: Sequence[Pressed], theirs: Mapping[Peer, Sequence[Pressed]], clients: Mapping[Peer, Mapping[str, str]]
) -> list[Row]:
    """Return the goal's row, against whoever is the fastest, and then two of each peer.

    Args:
        ours: a press a round.
        theirs: as many of each peer.
        clients: which releases of Redis clients each peer's environment has.
    """
    fastest = max(theirs, key=lambda peer: statistics.median(one.a_second for one in theirs[peer]))
    rows = [
        Row(
            f"accepted per second, one process, {AT_ONCE} connections",
            "/s",
            [one.a_second for one in ours],
            f"the fastest peer: {fastest.titled}",
            [one.a_second for one in theirs[fastest]],
            GOAL,
            note=_reason(ours, theirs[fastest]),
            digits=2,
        )
    ]
    for peer, pressed_ones in theirs.items():
        client = ", ".join(f"{name} {release}" for name, release in clients[peer].items())
        said = [one.a_second for one in pressed_ones]
        note = f"a delivery is known by {peer.sameness}. Client: {client}"
        rows.append(
            Row("accepted per second", "/s", [one.a_second for one in ours], peer.titled, said, note=note, digits=0)
        )
    for what, name in (("of the door", "door"), ("of Redis", "redis")):
        rows += [
            Row(
                f"CPU per webhook {what}",
                "µs",
                [one.cpu[name] for one in ours],
                peer.titled,
                [one.cpu[name] for one in pressed_ones],
                digits=0,
            )
            for peer, pressed_ones in theirs.items()
        ]
    return rows


def _reason(ours: Sequence[Pressed], theirs: Sequence[Pressed]) -> str:
    """Return what each side spends on a webhook, so that a miss is explained by the same rounds."""
    spent = [
        " and ".join(
            f"{statistics.median(one.cpu[name] for one in side):.0f} µs of {name}" for name in ("door", "redis")
        )
        for side in (ours, theirs)
    ]
    return (
        f"a webhook costs us {spent[0]}, them {spent[1]}. We store the action, its delivery, its intent, its report, "
        "its timeline, a place in the backlog and in the index, after limits and policy; they one job"
    )
