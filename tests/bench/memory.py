"""What an action takes of Redis' memory for the month that it is remembered: its record and all that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import redis as blocking

from service.store.budget import Rate
from service.store.client import Link, connect
from service.store.embedded import ROOMY
from service.store.redis import RedisStore
from service.store.tags import Tags
from service.wiring.machine import SystemClock, SystemDice
from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.removed import ORG, Removed
from tests.fixtures.redis import HandClock
from tests.store.servers import programs, server
from tests.store.test_retention_mass import Sharing

KB = 1_000
GOAL = Goal(Kind.PLAIN, Better.LOWER, 3)
NAMED = {"redis": "Redis {}", "redis-6.2": "Redis {}", "valkey": "Valkey {}"}
# these end within the hour: who owned a conversation, what was claimed, rates
PASSING = ("claim", "conversation", "requester", "step", "floor", "window")
# of each so many are weighed one by one
SAMPLE = 200
SEEN = 0.005  # kB an action: what takes less is one key for all


@dataclass(frozen=True)
class Plan:
    """So many rounds of so many actions each, on top of those before."""

    rounds: int
    actions: int


PLANS = {Size.QUICK: Plan(1, 300), Size.FULL: Plan(5, 4_000)}


@dataclass
class Weighed:
    """What one server showed: kB an action, one value a round, and at the end by kind of key."""

    name: str
    all_in: list[float]
    dataset: list[float]
    first_hour: list[float]
    kinds: dict[str, float]


async def measure(size: Size) -> Sequence[Row]:
    """Make the same actions on each Redis there is, as we recommend to set it up and as it comes."""
    found, plan = programs(), PLANS[size]
    name, program = next(iter(found.items()))
    shorter = Plan(1, plan.actions)
    first = await _weighed(name, program, ROOMY, plan)
    rows = [_goal(first), *_explained(first)]
    rows.append(_beside(await _weighed(name, program, (), shorter), "as it comes, without our setting"))
    others = [await _weighed(other, found[other], ROOMY, shorter) for other in list(found)[1:]]
    return [*rows, *(_beside(other, "with our setting") for other in others)]


def _goal(weighed: Weighed) -> Row:
    return Row(
        "memory per remembered action, all in",
        "kB",
        weighed.all_in,
        goal=GOAL,
        note=f"{weighed.name} with hash-max-listpack-value 1024, as deploy/redis/redis.conf has it; used_memory",
    )


def _explained(weighed: Weighed) -> Iterator[Row]:
    yield Row("the same by used_memory_dataset", "kB", weighed.dataset)
    yield Row("the same within its first hour", "kB", weighed.first_hour, note="with who owned the conversation last")
    seen = {kind: kilobytes for kind, kilobytes in weighed.kinds.items() if kilobytes >= SEEN}
    for kind, kilobytes in sorted(seen.items(), key=lambda pair: -pair[1]):
        yield Row(
            f"of it {kind}", "kB", [kilobytes], note="MEMORY USAGE" if kind != OTHER else "tables of keys and ends"
        )


def _beside(weighed: Weighed, how: str) -> Row:
    return Row(f"memory per remembered action, {weighed.name}", "kB", weighed.all_in, note=how)


OTHER = "the rest"


async def _weighed(name: str, program: Path, words: Sequence[str], plan: Plan) -> Weighed:
    with server(*words, program=program) as url, _looking(url) as client:
        link = Link(connect(url), HandClock())
        rate = Rate(per_minute=60_000_000.0, burst=1_000_000)
        tags = Tags({ORG: "a client secret, obviously fake"})
        clock = HandClock(SystemClock().now())
        store = RedisStore(Sharing(link), SystemDice(SystemClock()), rate=rate, tags=tags, now_ms=clock.now)
        removed = Removed(store, clock)
        try:
            # what a Redis keeps for good (scripts, buffers, tables of a size) is there before
            await removed.make(100)
            client.flushall()
            before, weighed = _memory(client), Weighed("", [], [], [], {})
            for turn in range(1, plan.rounds + 1):
                await removed.make(plan.actions)
                made = turn * plan.actions  # so far: tables grow by doubling
                weighed.first_hour.append((_memory(client)[0] - before[0]) / made / KB)
                _passed(client)
                now = _memory(client)
                weighed.all_in.append((now[0] - before[0]) / made / KB)
                weighed.dataset.append((now[1] - before[1]) / made / KB)
            made = plan.rounds * plan.actions
            weighed.kinds = _by_kind(client, made)
            weighed.kinds[OTHER] = weighed.all_in[-1] - sum(weighed.kinds.values())
            info = client.info("server")
            weighed.name = NAMED[name].format(info.get("valkey_version", info["redis_version"]))
            return weighed
        finally:
            await link.aclose()


@contextmanager
def _looking(url: str) -> Iterator[blocking.Redis]:
    with blocking.Redis.from_url(url, decode_responses=True, protocol=2) as client:
        yield client


def _memory(client: blocking.Redis) -> tuple[int, int]:
    said = client.info("memory")
    return cast("int", said["used_memory"]), cast("int", said["used_memory_dataset"])


def _kind_of(key: str) -> str:
    return key.rpartition("}:")[2].partition(":")[0]


def _passed(client: blocking.Redis) -> None:
    """Let an hour pass: what lives no longer is taken out, instead of waiting for it."""
    for key in client.scan_iter("*", count=1_000):
        if _kind_of(key) in PASSING:
            client.delete(key)


def _by_kind(client: blocking.Redis, made: int) -> dict[str, float]:
    """Return kB an action by the first word of the key: the mean of some, times how many there are."""
    keys: dict[str, list[str]] = {}
    for key in client.scan_iter("*", count=1_000):
        keys.setdefault(_kind_of(key), []).append(key)
    weighed = {}
    for kind, some in keys.items():
        sample = some[:SAMPLE]
        mean = sum(cast("int", client.memory_usage(key, samples=0)) for key in sample) / len(sample)
        weighed[kind] = mean * len(some) / made / KB
    return weighed
