"""How long a sender waits for its yes when very much is remembered already, beside a store that is empty."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from uuid import UUID

import redis as blocking

from service.core import model as m
from service.core.rules import Minted, action_for
from service.store.budget import Rate
from service.store.client import Link, connect
from service.store.redis import RedisStore
from service.store.script import Reply, Script
from service.wiring.machine import SystemClock, SystemDice
from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.pressed import QUIET, Pressed, pressed, process_of
from tests.story.stage import Stage, staged

ORG, WORKER = "play", "w-bench:1:0000"
AT_ONCE = 100  # what one claim looks at
GONE = m.Outcome(m.OutcomeKind.ALREADY_GONE, "gone", state_seen="gone", purpose="customer")


@dataclass(frozen=True)
class Plan:
    """How much is remembered, and how long it is measured: so many rounds of so many seconds at each door."""

    actions: int
    rounds: int
    seconds: float
    warm_seconds: float


PLANS = {Size.QUICK: Plan(2_000, 1, 0.3, 0.1), Size.FULL: Plan(200_000, 9, 2.0, 0.5)}


class Sharing:
    """A `Runner` that brings all that is asked in one turn in one pipeline, whatever it is."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.ask = link.ask

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer."""
        return await self._link.run_shared(script, keys, args)

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer."""
        return await self._link.run_shared(script, keys, args)


@dataclass
class Past:
    """What a desk asked for before: each person was gone already, and no ticket wanted to hear of it.

    A desk that is told takes two notes at a time, so to tell it of all of them would be most of the time this takes.
    """

    store: RedisStore
    terms: m.SourceTerms
    dice: SystemDice
    clock: SystemClock
    made: int = field(default=0)

    async def make(self, actions: int) -> None:
        """Bring so many actions to their end by the scripts of production."""
        for first in range(0, actions, AT_ONCE):
            many = min(AT_ONCE, actions - first)
            await asyncio.gather(*(self.store.accept(self._offer()) for _ in range(many)))
            claims = await self.store.claim(ORG, WORKER, self.dice.token(), AT_ONCE)
            looked = m.Entry("look", self.clock.now(), 41.5, WORKER, 200, "3f1c4b52-0d1f-4a52", "gone")
            ended = [looked, m.Entry("settle", self.clock.now(), 0.2, WORKER, note="row 12, already_gone")]
            await asyncio.gather(*(self.store.settle(claim.lease, GONE, 0.0, ended) for claim in claims))

    def _offer(self) -> m.Offer:
        self.made += 1
        now, body = self.clock.now(), str(self.made).encode()
        removal = m.Removal(
            conversation_id=str(UUID(int=self.made)),
            selector=m.Selector(m.SelectorKind.PHONE, f"+1415{self.made:07d}"),
            ticket=m.Ticket(f"incident/{self.made:032x}", f"INC{self.made:07d}"),
            requester=f"agent {self.made % 40}",
            event_at=now,
        )
        verified = m.Verified(f"msg_past_{self.made}", now, "5d7cb70e")
        entries = (m.Entry("verify", now, 0.1, note="secret 5d7cb70e"), m.Entry("parse", now, 0.2, note="phone"))
        minted = Minted(self.dice.action_id(ORG), self.dice.token())
        delivery = m.Delivery(self.terms.name, (), body, now)
        return action_for(removal, delivery, verified, self.terms, m.Terms(), minted, entries)


async def measure(size: Size) -> Sequence[Row]:
    """Send one webhook after the other to two doors in turn, each with a Redis of its own."""
    plan, rounds = PLANS[size], list[tuple[Pressed, Pressed]]()
    async with AsyncExitStack() as stack:
        full, empty = [await stack.enter_async_context(staged()) for _ in range(2)]
        await remember(full, plan.actions)
        doors = [await _door(stage) for stage in (full, empty)]
        for number in range(plan.rounds):
            turn = doors if number % 2 else doors[::-1]
            took = {stage.door: await _press(stage, watched, plan) for stage, watched in turn}
            rounds.append((took[full.door], took[empty.door]))
    ours, theirs = zip(*rounds, strict=True)
    return [
        Row(
            f"accept by HTTP, p50, with {plan.actions:,} remembered",
            "ms",
            [one.p50_ms for one in ours],
            "with none",
            [one.p50_ms for one in theirs],
            Goal(Kind.RATIO, Better.LOWER, 1.15),
        ),
        Row(
            "CPU of Redis for one accept, one after the other",
            "µs",
            [one.cpu["redis"] for one in ours],
            "with none",
            [one.cpu["redis"] for one in theirs],
            digits=0,
        ),
    ]


async def _door(stage: Stage) -> tuple[Stage, Mapping[str, int]]:
    serving = await stage.serve(**QUIET)
    return stage, {"door": serving.process.pid, "redis": process_of(stage.redis.url)}


async def _press(stage: Stage, watched: Mapping[str, int], plan: Plan) -> Pressed:
    return await pressed(stage, stage.door, watched, at_once=1, seconds=plan.seconds, warm_seconds=plan.warm_seconds)


async def remember(stage: Stage, actions: int) -> None:
    """Let the Redis of a stage remember so many settled actions; while they are made nothing waits for a disk."""
    with blocking.Redis.from_url(stage.redis.url, protocol=2) as client:
        client.config_set("appendfsync", "no")
        # written anew in the middle it would be measured, and the empty one has nothing to write
        client.config_set("auto-aof-rewrite-percentage", "0")
        clock = SystemClock()
        dice = SystemDice(clock)
        terms = m.SourceTerms(stage.source, ORG, 120, ())
        async with aclosing(Link(connect(stage.redis.url), clock)) as link:
            rate = Rate(per_minute=60_000_000.0, burst=1_000_000)
            await Past(RedisStore(Sharing(link), dice, rate=rate), terms, dice, clock).make(actions)
        client.config_set("appendfsync", "always")
