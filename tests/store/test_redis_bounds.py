"""What is not taken, or stops its source, decided inside `accept`: the rate, the backlog, and who runs away."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import BacklogFull, Conflicting, TooMany
from service.store.client import Link, connect
from service.store.embedded import EmbeddedRedis
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice, HandClock
from tests.store.stories import GONE, ORG, Story, digest, offered, uuid

RATE = 6  # a minute: one each ten seconds after that
BETH, JOE = digest("beth"), digest("joe")


def bounds(rate: int = 0, backlog: int = 0, runaway: int = 0, clicker: str = BETH) -> m.Bounds:
    """Return bounds."""
    return m.Bounds(rate, backlog, runaway, clicker if runaway else "")


async def wait_of(story: Story, word: object, rate: int = RATE, **changes: object) -> int:
    """Accept an offer of a source with a rate: return 0, or the seconds after which it may come again."""
    try:
        await story.store.accept(offered(story.dice, word, bounds=bounds(rate), **changes))
    except TooMany as fault:
        return fault.retry_after_seconds
    return 0


# ----------------------------------------------------------------------------------------------- the rate of a source


async def test_so_many_at_once_and_then_one_each(story: Story) -> None:
    """Up to the rate at once all are taken; the next is told when there is room, and not before is there any."""
    assert [await wait_of(story, word) for word in range(RATE + 2)] == [0] * RATE + [10, 10]
    story.clock.move(9.999)
    assert await wait_of(story, "too early") == 1
    story.clock.move(0.001)
    assert [await wait_of(story, "in time"), await wait_of(story, "and no other")] == [0, 10]
    story.clock.move(600)
    assert [await wait_of(story, ("rested", word)) for word in range(RATE + 1)] == [0] * RATE + [10]


@pytest.mark.parametrize("rate", [1, 7, 600, 60_000])
async def test_who_waits_so_long_is_taken(story: Story, rate: int) -> None:
    """Whatever the rate and the moment, who comes again after Retry-After is taken, and a second earlier he is not."""
    story.clock.move(0.123)
    key = story.keys.rate(ORG, "desk")
    for number in range(7):
        # as after a minute's worth, a part of an interval ago: sooner than by sending it all
        full = (story.clock.ms + 60_000) * 1_000 - number * 60_000_000 // rate // 7
        story.client.set(key, full)
        wait = await wait_of(story, number, rate)
        assert wait >= 1
        if wait > 1:
            story.clock.move(wait - 1)
            assert await wait_of(story, number, rate) == 1
        story.clock.move(min(wait, 1))
        assert await wait_of(story, number, rate) == 0


async def test_what_is_refused_leaves_nothing(story: Story) -> None:
    """What is over the rate writes nothing, so it may come again for as long as it likes and nobody waits for it."""
    for word in range(RATE):
        await story.accepted(word, bounds=bounds(RATE))
    before = story.state()
    assert [await wait_of(story, ("more", word)) for word in range(20)] == [10] * 20
    assert story.state() == before


async def test_what_comes_again_counts_too(story: Story) -> None:
    """A duplicate, the same wish and a preview each take one from the rate; a conflict is not stored and takes none."""
    await story.accepted(1, bounds=bounds(4))
    assert (await story.store.accept(offered(story.dice, 1, bounds=bounds(4)))).joined == "delivery"
    same = offered(story.dice, 1, delivery_key=digest("other"), bounds=bounds(4))
    assert (await story.store.accept(same)).joined == "intent"
    with pytest.raises(Conflicting):
        await story.store.accept(offered(story.dice, 1, body_hash=digest("another body"), bounds=bounds(4)))
    assert await wait_of(story, 2, 4, preview=True, intent_key=None) == 0
    assert await wait_of(story, 1, 4) == 15
    story.clock.move(15)
    assert await wait_of(story, 1, 4) == 0


async def test_a_neighbour_is_not_refused(story: Story) -> None:
    """While one source sends ten times its rate, another one at its own is refused nothing; nor is who has none."""
    went: Counter[tuple[str, bool]] = Counter()
    for second in range(120):
        for number in range(10):
            went["loud", await wait_of(story, ("loud", second, number), 60, source="loud") > 0] += 1
        went["quiet", await wait_of(story, ("quiet", second), 60, source="quiet") > 0] += 1
        went["free", await wait_of(story, ("free", second), 0, source="free") > 0] += 1
        story.clock.move(1)
    # so many at once, and then one each second
    assert went == {("loud", False): 60 + 119, ("loud", True): 1200 - 179, ("quiet", False): 120, ("free", False): 120}


async def test_a_clock_that_stepped_back_forgives(story: Story) -> None:
    """A rate that was used up by a clock an hour ahead locks no source out."""
    story.clock.move(3_600)
    assert [await wait_of(story, word) for word in range(RATE + 1)][-1] == 10
    story.clock.move(-3_600)
    assert await wait_of(story, "after") == 0
    # by a little: what is used up stays so, and nobody waits longer than for a whole minute's worth
    assert [await wait_of(story, ("full", word)) for word in range(RATE)][-1] == 10
    story.clock.move(-30)
    assert await wait_of(story, "again") <= 40


async def test_one_rate_for_all_receivers(redis_server: EmbeddedRedis, story: Story) -> None:
    """Over several connections at once, as receivers have them, exactly the rate is taken and all others are told."""
    rate, receivers, each = 40, 4, 30
    async with AsyncExitStack() as stack:
        links = [Link(connect(redis_server.url), HandClock()) for _ in range(receivers)]
        for link in links:
            stack.push_async_callback(link.aclose)
        stores = [
            RedisStore(link, CountingDice(1_000 * (at + 1)), now_ms=story.clock.now) for at, link in enumerate(links)
        ]

        async def post(store: RedisStore, word: object) -> int:
            try:
                await store.accept(offered(CountingDice(hash(word) % 10**9), word, bounds=bounds(rate)))
            except TooMany as fault:
                return fault.retry_after_seconds
            return 0

        words = [(at, number) for number in range(each) for at in range(receivers)]
        waits = Counter(await asyncio.gather(*(post(stores[at], (at, number)) for at, number in words)))
        assert waits == {0: rate, 2: receivers * each - rate}
        assert story.client.zcard(story.keys.due_removals(ORG)) == rate
        story.clock.move(1.5)
        waits = Counter(await asyncio.gather(*(post(store, ("later", at)) for at, store in enumerate(stores))))
        assert waits == {0: 1, 2: receivers - 1}


async def test_counts_have_a_life(story: Story) -> None:
    """What was counted ends when it no longer counts: neither sources nor requesters leave anything behind."""
    for word in range(3):
        await story.accepted(word, bounds=bounds(RATE, runaway=9))
    state = story.state()
    assert state[story.keys.rate(ORG, "desk")][1] == story.clock.ms + 3 * 10_000 + 1_000
    assert state[story.keys.clicks(ORG, BETH)][1] == story.clock.ms + 60_000


# --------------------------------------------------------------------------------------------------------- the backlog


async def test_a_full_backlog_takes_nothing_new(story: Story) -> None:
    """As many as the bound are open, no more; one that ends makes room for one, and what is refused leaves nothing."""
    for word in range(3):
        await story.accepted(word, bounds=bounds(backlog=3))
    before = story.state()
    with pytest.raises(BacklogFull) as caught:
        await story.accepted("new", bounds=bounds(RATE, 3, 9))
    assert (story.state(), caught.value.retry_after_seconds) == (before, 15)
    claim = (await story.claim())[0]
    with pytest.raises(BacklogFull):
        await story.accepted("new", preview=True, intent_key=None, bounds=bounds(backlog=3))
    await story.store.settle(claim.lease, GONE, 0.0, ())
    await story.accepted("new", bounds=bounds(backlog=3))
    with pytest.raises(BacklogFull):
        await story.accepted("newer", bounds=bounds(backlog=3))


async def test_a_duplicate_is_answered_though_it_is_full(story: Story) -> None:
    """What is open, or has ended, is answered for whoever asks again, and what a person asks is always taken."""
    ended, first = await story.settled(0), await story.accepted(1)
    full = bounds(backlog=1)
    assert (await story.store.accept(offered(story.dice, 1, bounds=full))).action_id == first
    same = offered(story.dice, 1, delivery_key=digest("other"), bounds=full)
    assert (await story.store.accept(same)).action_id == first
    assert (await story.store.accept(offered(story.dice, 0, bounds=full))).outcome == GONE
    assert ended != first
    assert (await story.store.accept(offered(story.dice, "a replay"))).joined == ""


async def test_each_org_has_a_backlog_of_its_own(story: Story) -> None:
    """Where one org's backlog is full another one's is not."""
    await story.accepted(1, bounds=bounds(backlog=1))
    dice, other = story.dice, "other"
    offer = offered(dice, 2, org=other, action_id=dice.action_id(other), bounds=bounds(backlog=1))
    assert (await story.store.accept(offer)).joined == ""


# ------------------------------------------------------------------------------------------------------- who runs away


async def clicked(story: Story, word: object, runaway: int = 3, clicker: str = BETH, **changes: object) -> bool:
    """Accept an offer of a requester; return whether it paused its source."""
    bound = bounds(runaway=runaway, clicker=clicker)
    offer = offered(story.dice, word, conversation_id=uuid(story.dice.thrown), bounds=bound, **changes)
    return (await story.store.accept(offer)).is_runaway


async def test_who_runs_away_is_stopped(story: Story) -> None:
    """The last of so many within a minute pauses its source and no other one; it is kept, and nothing of it is done."""
    assert [await clicked(story, word) for word in range(3)] == [False, False, True]
    assert await story.store.paused(ORG) == {"desk"}
    assert await story.claim() == []
    assert not (await story.store.accept(offered(story.dice, 2))).is_runaway  # the same delivery again: it is told once
    # said once: what follows changes nothing, and after a resume it goes on to be one too many
    assert not await clicked(story, "more")
    await story.store.resume(ORG, "desk")
    story.clock.move(1)  # the re-check of what is paused
    assert len(await story.claim()) == 4
    assert await clicked(story, "still")
    assert await story.store.paused(ORG) == {"desk"}


async def test_a_minute_is_a_minute(story: Story) -> None:
    """Any minute counts, not the one by the clock: so many in 60 seconds are no runaway, in a moment less they are."""
    moments = (0, 59.9, 0.1, 59.899)  # each third one is a minute, or a moment less, after the one two before it
    went = []
    for number, seconds in enumerate(moments):
        story.clock.move(seconds)
        went.append(await clicked(story, number))
    assert went == [False, False, False, True]


async def test_each_requester_is_counted_by_himself(story: Story) -> None:
    """What others asked is not added to it, in the same minute."""
    for number in range(2):
        assert not await clicked(story, ("beth", number))
        assert not await clicked(story, ("joe", number), clicker=JOE)
    assert not await clicked(story, "whoever", 0)
    assert await clicked(story, "third")


async def test_only_new_removals_are_counted(story: Story) -> None:
    """A duplicate, the same wish again, a preview, and what is over the requester's own rate are no further removal."""
    over: dict[str, Any] = {"requester_key": BETH, "requester_rate": 1}
    assert not await clicked(story, 0, **over)
    assert not await clicked(story, "over", **over)
    for number in range(4):
        again = await story.store.accept(offered(story.dice, 0, bounds=bounds(runaway=3)))
        other = offered(story.dice, 0, delivery_key=digest(("again", number)), bounds=bounds(runaway=3))
        assert (again.joined, (await story.store.accept(other)).joined) == ("delivery", "intent")
        assert not await clicked(story, ("preview", number), 0, preview=True, intent_key=None)
    assert [await clicked(story, 1), await clicked(story, 2)] == [False, True]


async def test_what_waits_is_said_to_wait_for_that(story: Story) -> None:
    """An action knows whether a person paused its source or a requester who ran away; the first pause counts."""
    for number in range(3):
        await clicked(story, number)
    waiting = await story.accepted("waiting")

    async def held_by() -> str:
        await story.claim()
        story.clock.move(1)
        return (await story.action(waiting)).progress.held_by

    assert await held_by() == "runaway"
    await story.store.pause(ORG, "desk")
    assert await held_by() == "runaway"
    await story.store.pause(ORG)
    assert await held_by() == "paused"
    await story.store.resume(ORG)
    await story.store.resume(ORG, "desk")
    await story.store.pause(ORG, "desk")
    assert not await clicked(story, "while it is paused")
    await story.store.pause(ORG)
    assert await held_by() == "paused"


async def test_who_ran_away_by_another_clock_is_forgiven(story: Story) -> None:
    """Clicks that a clock an hour ahead has counted are none of this minute."""
    story.clock.move(3_600)
    assert not await clicked(story, 0)
    assert not await clicked(story, 1)
    story.clock.move(-3_600)
    assert [await clicked(story, number) for number in (2, 3, 4)] == [False, False, True]
