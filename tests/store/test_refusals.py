"""Refused deliveries are remembered: the newest, for a while, at no cost for who is refused."""

from __future__ import annotations

import asyncio
import contextlib

import redis

from service.core import model as m
from service.core.errors import StoreDown
from service.store.keys import Keys, Lives
from service.store.refusals import MOST, REASON_CHARS, RefusalBook
from service.store.script import Reply, Script
from tests.fixtures.redis import BlockingRunner, CountingDice, HandClock
from tests.store.stories import ORG

ORGS = {"desk": ORG, "other": "north"}


def _refusal(number: int, source: str = "desk", reason: str = "no signature fits") -> m.Refusal:
    return m.Refusal(source, 1_000 + number, "unauthorized", reason, 40 + number, "abcd1234")


class Outage(BlockingRunner):
    """A runner whose Redis can be away."""

    is_away = False

    async def run(self, script: Script, keys: object, args: object) -> Reply:
        if self.is_away:
            raise StoreDown("away")
        return await super().run(script, keys, args)  # type: ignore[arg-type] # handed on as it came


async def test_the_newest_of_each_source(runner: BlockingRunner, dice: CountingDice, redis_client: redis.Redis) -> None:
    """Each source's refusals come back as they were noted, the newest first; nobody waits for them to be written."""
    book = RefusalBook(runner, dice, ORGS)
    noted = [_refusal(number) for number in range(3)]
    for one in (*noted, _refusal(9, "other"), _refusal(10, "stranger")):
        book.note(one)
    assert runner.asked == []
    await book.write()
    assert await book.refusals("desk") == tuple(reversed(noted))
    assert await book.refusals("other") == (_refusal(9, "other"),)
    assert await book.refusals("stranger") == ()
    assert len(redis_client.keys("*refusals*")) == 2
    asked = len(runner.asked)
    await book.write()
    assert len(runner.asked) == asked


async def test_no_more_than_so_many(runner: BlockingRunner, dice: CountingDice, redis_client: redis.Redis) -> None:
    """However many are refused, one writing costs one step, and no more than the newest are kept, for a week."""
    book = RefusalBook(runner, dice, ORGS)
    for number in range(3 * MOST):
        book.note(_refusal(number))
    await book.write()
    assert len(runner.asked) == 1
    book.note(_refusal(3 * MOST))
    await book.write()
    kept = await book.refusals("desk")
    assert len(kept) == MOST
    assert (kept[0], kept[-1]) == (_refusal(3 * MOST), _refusal(2 * MOST + 1))
    life = Lives().refusals
    assert life - 60_000 < redis_client.pttl(Keys().refusals(ORG, "desk")) <= life


async def test_a_long_reason_is_cut(runner: BlockingRunner, dice: CountingDice) -> None:
    """What a stranger makes us say about him is bounded."""
    book = RefusalBook(runner, dice, ORGS)
    book.note(_refusal(1, reason="x" * 10_000))
    await book.write()
    (kept,) = await book.refusals("desk")
    assert kept.reason == "x" * REASON_CHARS


async def test_a_line_of_a_newer_version(runner: BlockingRunner, dice: CountingDice, redis_client: redis.Redis) -> None:
    """What a newer version writes behind what is known here is left out."""
    redis_client.rpush(Keys().refusals(ORG, "desk"), '[1,"unauthorized","no signature fits",41,"f","more"]')
    (kept,) = await RefusalBook(runner, dice, ORGS).refusals("desk")
    assert kept == m.Refusal("desk", 1, "unauthorized", "no signature fits", 41, "f")


async def test_an_outage_loses_the_oldest_first(redis_client: redis.Redis, dice: CountingDice) -> None:
    """While Redis is away they stay in memory, no more than are kept; afterwards they are written in their order."""
    runner = Outage(redis_client)
    book = RefusalBook(runner, dice, ORGS)
    runner.is_away = True
    for number in range(MOST):
        book.note(_refusal(number))
    await book.write()
    for number in range(MOST, MOST + 50):
        book.note(_refusal(number))
    await book.write()
    runner.is_away = False
    await book.write()
    kept = await book.refusals("desk")
    assert [one.size - 40 for one in reversed(kept)] == list(range(50, MOST + 50))


async def test_written_each_second(runner: BlockingRunner, dice: CountingDice, hand_clock: HandClock) -> None:
    """Without anybody asking, what was noted is written within a second or so."""
    book = RefusalBook(runner, dice, ORGS)
    book.note(_refusal(1))
    keeping = asyncio.create_task(book.keep(hand_clock))
    async with asyncio.timeout(10):
        while not await book.refusals("desk"):  # noqa: ASYNC110 - a task that writes rings no bell
            await asyncio.sleep(0)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
