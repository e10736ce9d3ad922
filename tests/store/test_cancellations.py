"""Who asked is cancelled at any moment, over and over: nobody hears another's answer, and no connection is lost.

The two ways out of the process are put to the same trial: the one to Redis, and the one to Genesys and the desks.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import redis as blocking

from service.core.errors import Unreachable
from service.outbound import Asked, Caller, Outgoing, Rule, origin_in
from service.store.address import CONNECTIONS
from service.store.client import Link, connect
from service.store.embedded import EmbeddedRedis
from service.store.script import Script
from service.wiring.machine import SystemClock
from tests.findings import write_evidence
from tests.genesys.peers import peer, read_request
from tests.story.stage import eventually

SEED = 20
TASKS, MOST_SECONDS = 20, 0.020  # so many ask at a time, and each is cancelled after up to so long
STEADY = 4  # ask beside them and are left alone
CALLS = 8  # connections of one way out to Genesys or a desk
ECHO = Script("echo", "return ARGV[1]", "0" * 40)  # a digest that is not its own: so the text follows on NOSCRIPT
END_SECONDS = 5.0  # for one that was cancelled to end; it takes a turn of the loop
COMMAND = "uv run pytest -m slow tests/store/test_cancellations.py"

Ask = Callable[[str], Awaitable[object]]


@dataclass
class Trial:
    """Tasks that ask without end, each cancelled after a while, until enough were; and some that nobody cancels.

    All of it takes at most 60 ms a cancellation: this only ends a trial that hangs; they take three or four.
    """

    wanted: int
    ways: dict[str, Ask]
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a seed, no secret
    ends: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    async def run(self) -> Counter[str]:
        """Return how often what happened."""
        async with asyncio.timeout(self.wanted * 0.06), asyncio.TaskGroup() as group:
            for one in (*(self._seat() for _ in range(TASKS)), *(self._stay() for _ in range(STEADY))):
                group.create_task(one)
        return self.ends

    async def _seat(self) -> None:
        loop = asyncio.get_running_loop()
        while self.ends["cancelled"] < self.wanted:
            name = self.dice.choice(list(self.ways))
            task = asyncio.create_task(self._ask_on(name))
            loop.call_later(self.dice.uniform(0, MOST_SECONDS), task.cancel)
            await asyncio.wait({task}, timeout=END_SECONDS)
            assert task.cancelled(), f"{name}: {task}"
            self.ends["cancelled"] += 1
            self.ends[f"cancelled, {name}"] += 1

    async def _ask_on(self, name: str) -> None:
        while True:
            await self._ask_once(name, "answered")

    async def _stay(self) -> None:
        while self.ends["cancelled"] < self.wanted:
            await self._ask_once(self.dice.choice(list(self.ways)), "answered to those who stay")

    async def _ask_once(self, name: str, end: str) -> None:
        self.asked += 1
        value = str(self.asked)
        try:
            answer = await self.ways[name](value)
        except Unreachable:
            # it waited in a pool whose places cancelled calls had taken for good: not sent, so it may be repeated
            self.ends["never sent"] += 1
            return
        self.ends[end if answer == value else "crossed"] += 1


async def on_redis(server: EmbeddedRedis, client: blocking.Redis, wanted: int) -> Counter[str]:
    """Try the way to Redis; return what happened, new connections beyond the pool included."""
    link = Link(connect(server.url), SystemClock())
    before = _stat(client, "stats", "total_connections_received")
    ways: dict[str, Ask] = {
        "run": lambda value: link.run(ECHO, [], [value]),
        "run_shared": lambda value: link.run_shared(ECHO, [], [value]),
        "ask": lambda value: link.ask("ECHO", value),
    }
    ends = await Trial(wanted, ways).run()
    # as many as the pool has, at once: each connection is there, and each gives its own answer
    values = [f"after-{number}" for number in range(2 * CONNECTIONS)]
    whole = await asyncio.gather(*(link.run(ECHO, [], [value]) for value in values))
    ends["answered after"] = sum(map(str.__eq__, values, map(str, whole)))
    ends["connections made"] = _stat(client, "stats", "total_connections_received") - before
    await link.aclose()
    await eventually(lambda: _when(_stat(client, "clients", "connected_clients") == 1))
    return ends


async def on_calls(wanted: int) -> Counter[str]:
    """Try the way to Genesys and the desks; return what happened, the most connections at the end included."""
    there: set[asyncio.StreamWriter] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.add(writer)
        try:
            while request := await read_request(reader):
                path = request.split()[1]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)
        finally:
            there.discard(writer)

    async with peer(play) as url:
        rule = Rule("GET", origin_in(url), re.compile(rb"/[a-z0-9-]+"))
        caller = Caller([rule], SystemClock(), Outgoing(connect_seconds=4.0, total_seconds=20.0))

        async def ask(value: str) -> str:
            return (await caller.send(Asked("GET", f"{url}/{value}"))).body.decode()[1:]

        ends = await Trial(wanted, {"call": ask}).run()
        values = [f"after-{number}" for number in range(4 * CALLS)]
        ends["answered after"] = sum(map(str.__eq__, values, await asyncio.gather(*map(ask, values))))
        # pools that cancelled calls had to be given up with are closed, not left to the collector
        await eventually(lambda: _when(len(there) <= CALLS))
        await caller.aclose()
        await eventually(lambda: _when(not there))
    return ends


@pytest.mark.parametrize("wanted", [2_500, pytest.param(25_000, marks=pytest.mark.slow)], ids=["short", "full"])
async def test_cancelled_at_any_moment(redis_client: blocking.Redis, redis_server: EmbeddedRedis, wanted: int) -> None:
    """However often who asks is cancelled, no reply is crossed, no connection is lost, and all goes on in time."""
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
    redis_ends = await on_redis(redis_server, redis_client, wanted)
    call_ends = await on_calls(wanted)
    if wanted >= 25_000:
        write_evidence(
            "cancellations",
            command=COMMAND,
            counters={f"{way}: {name}": count for way, ends in _both(redis_ends, call_ends) for name, count in ends},
            findings=complaints,
            seed=SEED,
        )
    assert complaints == []
    for ends in (redis_ends, call_ends):
        assert ends["cancelled"] >= wanted
        assert ends["crossed"] == 0
        assert ends["answered to those who stay"] > wanted / 100
        assert ends["never sent"] < ends["answered to those who stay"] / 2
    assert min(redis_ends[f"cancelled, {way}"] for way in ("run", "run_shared", "ask")) > wanted / 10
    assert redis_ends["answered after"] == 2 * CONNECTIONS
    assert call_ends["answered after"] == 4 * CALLS
    assert redis_ends["connections made"] <= CONNECTIONS  # a question goes on without who asked: none was thrown away


def _both(redis_ends: Counter[str], call_ends: Counter[str]) -> list[tuple[str, list[tuple[str, int]]]]:
    return [("redis", list(redis_ends.items())), ("calls", list(call_ends.items()))]


async def _when(is_so: bool) -> bool | None:
    return True if is_so else None


def _stat(client: blocking.Redis, section: str, name: str) -> int:
    info = client.info(section)
    assert isinstance(info, dict)
    return int(info[name])
