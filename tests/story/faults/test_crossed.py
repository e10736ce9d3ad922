"""However a wire breaks, nobody hears the answer to another's question: bytes left over end their connection."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import redis as blocking

from service.core.errors import StoreDown, Upstream
from service.outbound import Asked, Caller, Outgoing, Rule, origin_in
from service.store.client import Link, connect
from service.store.embedded import EmbeddedRedis
from service.store.script import Script
from service.wiring.machine import SystemClock
from tests.genesys.peers import peer, read_request
from tests.story.faults.proxy import FaultProxy, Kind, Place, url_of

SEED = 7
QUICK: list[Kind] = [
    kind for kind in Kind if kind not in {Kind.DELAY, Kind.DRIP, Kind.BLACK_HOLE, Kind.SWALLOWED_REPLY}
]
FAULTS, APART = 4 * len(QUICK), 7  # every seventh exchange is broken: to connect anew takes some, too
ECHO = Script("echo", "return ARGV[1]", "0" * 40)  # a digest that is not its own: so the text follows on NOSCRIPT
TOGETHER, EACH = 6, 300
OUTGOING = Outgoing(total_seconds=1.0)

Ask = Callable[[str], Awaitable[str]]


def proxy_to(server: Place) -> FaultProxy:
    """Give a proxy that breaks every seventh exchange, with the kinds in turn."""
    plan = {APART * (number + 1): QUICK[number % len(QUICK)] for number in range(FAULTS)}
    dice = random.Random(SEED)  # noqa: S311 - a seed that can be run again, no secret
    return FaultProxy(server, plan, dice, may_repeat=isinstance(server, Path))


async def asked_by_many(ask: Ask, lost: type[Exception]) -> Counter[str]:
    """Ask with values of which each is asked once; count what was answered, lost and crossed."""
    ends: Counter[str] = Counter()

    async def one(number: int) -> None:
        for turn in range(EACH):
            value = f"{number}-{turn}"
            try:
                answer = await ask(value)
            except lost as why:
                ends[f"lost: {why}"] += 1
            else:
                ends["answered" if answer == value else "crossed"] += 1

    await asyncio.gather(*(one(number) for number in range(TOGETHER)))
    return ends


def all_struck(proxy: FaultProxy) -> bool:
    """Whether each fault of the plan struck."""
    return not proxy.plan and Counter(proxy.struck) == dict.fromkeys(QUICK, FAULTS // len(QUICK))


@pytest.mark.parametrize("is_shared", [False, True])
async def test_redis_answers_are_not_crossed(
    redis_client: blocking.Redis, redis_server: EmbeddedRedis, is_shared: bool
) -> None:
    """Every question to Redis over a wire that keeps breaking is answered, with its own answer, within its time."""
    proxy = proxy_to(Path(redis_server.url.removeprefix("unix://")))
    async with proxy.open() as place:
        link = Link(connect(url_of(place, "redis")), SystemClock())
        run = link.run_shared if is_shared else link.run

        async def ask(value: str) -> str:
            return str(await run(ECHO, [], [value]))

        ends = await asked_by_many(ask, StoreDown)
        await link.aclose()
    assert all_struck(proxy)
    assert ends == {"answered": TOGETHER * EACH}


async def test_calls_are_not_crossed() -> None:
    """Every call over a wire that keeps breaking hears its own answer, or that it was lost."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            path = request.split()[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)

    async with peer(play) as server:
        host, _, port = server.removeprefix("http://").partition(":")
        proxy = proxy_to((host, int(port)))
        async with proxy.open() as place:
            url = url_of(place, "http")
            rule = Rule("GET", origin_in(url), re.compile(rb"/[0-9-]+"))
            caller = Caller([rule], SystemClock(), OUTGOING)

            async def ask(value: str) -> str:
                return (await caller.send(Asked("GET", f"{url}/{value}"))).body.decode()[1:]

            ends = await asked_by_many(ask, Upstream)
            await caller.aclose()
    assert all_struck(proxy)
    assert ends["crossed"] == 0
    assert ends["answered"] > TOGETHER * EACH - 2 * FAULTS  # a fault costs its own call, and perhaps the next one's
