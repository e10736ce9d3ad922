"""What happens, as it happens: accepted, settled, written down; and what becomes of it while Redis is away."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from service.core import model as m
from service.core.errors import Misconfigured, StoreDown
from service.flow import operations
from service.wiring import following as rooms
from service.wiring.documents import Document
from service.wiring.lifetime import Stop
from service.wiring.watching import Watch, watching
from tests.wiring.kept import OTHER, Kept

ANNA = m.Operator("anna", "flood")


def _told(documents: Sequence[Document], *keys: str) -> list[tuple[object, ...]]:
    return [tuple(one[key] for key in keys) for one in documents]


def _news(watch: Watch, source: str = "") -> rooms._News:
    return rooms._News(watch, source, watch.clock.now())


async def test_news(kept: Kept) -> None:
    """An action is told once when it is accepted and once when it settles, whole each time; what was before is not."""
    await kept.settled()
    async with watching() as watch:
        news = _news(watch)
        assert await news.look() == []
        action_id = await kept.accepted(requester="beth.anglin")
        (begun,) = await news.look()
        assert _told([begun], "event", "action", "outcome", "settled_at") == [("accepted", action_id, "open", None)]
        assert (begun["at"], begun["requester"]) == (begun["received_at"], "beth.anglin")
        assert await news.look() == []
        await kept.settle()
        (ended,) = await news.look()
        assert _told([ended], "event", "action", "outcome") == [("settled", action_id, "disconnected")]
        assert ended["at"] == ended["settled_at"]
        assert await news.look() == []


async def test_what_came_and_went(kept: Kept) -> None:
    """What settled before it was seen is told as accepted first; of one org after the other, however many there are."""
    async with watching() as watch:
        news = _news(watch)
        ids = await kept.many(rooms.PAGE + 5)
        assert _told(await news.look(), "event", "action") == [("accepted", one) for one in ids]
        quick = await kept.settled(OTHER)
        news._since = watch.clock.now() + 60_000  # as if it had been accepted right after we looked for that
        assert _told(await news.look(), "event", "action", "org") == [
            ("accepted", quick, OTHER),
            ("settled", quick, OTHER),
        ]


async def test_of_one_source(kept: Kept) -> None:
    """Who follows one source hears of no other, and nothing of what people did."""
    async with watching(source="jsm") as watch:
        news = _news(watch, "jsm")
        await kept.settled()
        await operations.pause(watch.store, [OTHER], by=ANNA)
        await operations.resume(watch.store, [OTHER], by=ANNA)
        ours = await kept.settled(OTHER)
        assert _told(await news.look(), "event", "action") == [("accepted", ours), ("settled", ours)]


async def test_nothing_is_lost_while_redis_is_away(kept: Kept) -> None:
    """What was found before Redis went away is told when it is back, once."""
    async with watching() as watch:
        news = _news(watch)
        action_id = await kept.settled()
        news._lines = _Failing(watch, news._lines.places)
        with pytest.raises(StoreDown):
            await news.look()
        assert _told(await news.look(), "event", "action") == [("accepted", action_id), ("settled", action_id)]


class _Failing(rooms._Lines):
    """Lines that cannot be read the first time."""

    asked = 0

    async def new(self) -> Sequence[operations.Audited]:
        self.asked += 1
        if self.asked == 1:
            raise StoreDown("away")
        return await super().new()


async def test_away_and_back() -> None:
    """That Redis is away is said once, and that it is back; then it goes on, until it is told to end."""
    stop, warned = Stop(), list[str]()
    answers: list[Sequence[Document] | StoreDown] = [[{"n": 1}], StoreDown("x"), StoreDown("x"), [{"n": 2}], [{"n": 3}]]

    async def look() -> Sequence[Document]:
        await asyncio.sleep(0)
        answer = answers.pop(0)
        if isinstance(answer, StoreDown):
            raise answer
        return answer

    told = []
    async with aclosing(rooms._followed(look, warned.append, stop, every_seconds=0.001)) as events:
        async for one in events:
            told.append(one["n"])
            if not answers:
                stop.said.set()
    assert told == [1, 2, 3]
    assert warned == ["Redis is away: x; it is waited for", "Redis is back"]


async def test_told_to_end_in_the_middle(kept: Kept) -> None:
    """Who follows a long audit and has seen enough need not wait for its end."""
    await kept.settled()
    await kept.settled()
    stop, told = Stop(), 0
    async with aclosing(rooms.audit("", "", "", follow=(print, stop))) as lines:
        async for _ in lines:
            told += 1
            stop.said.set()
    assert told == 1
    rooms._nobody("hears this")


async def _first(documents: AsyncIterator[Document]) -> Document:
    return await anext(documents)


async def test_tail_until_it_is_told_to_end(kept: Kept) -> None:
    """What is accepted from now on is told, until the signal of somebody who has seen enough."""
    made: set[str] = set()

    async def click() -> None:
        while True:
            made.add(await kept.accepted())
            await asyncio.sleep(0.2)  # real processes: it begins to follow when it likes

    clicking = asyncio.create_task(click())
    told = []
    async with aclosing(rooms.tail("", "", print, Stop())) as events:
        async for event in events:
            told.append(event["action"])
            os.kill(os.getpid(), signal.SIGINT)
    clicking.cancel()
    await asyncio.wait({clicking})
    assert told
    assert set(told) <= made


async def test_audit(kept: Kept) -> None:
    """The audit is told from its beginning or from a moment on, of all orgs or of one, and ends where it ends."""
    settled, other = await kept.settled(), await kept.settled(OTHER)
    async with watching() as watch:
        await operations.pause(watch.store, ["acme"], "desk", by=ANNA)
    told = [one async for one in rooms.audit("", "", "")]
    assert _told(told, "org", "deed", "about") == [
        ("acme", "settle", settled),
        ("beta", "settle", other),
        ("acme", "pause", "desk"),
    ]
    assert _told(told, "person", "who", "why")[0] == ("…0123", None, None)
    assert _told(told, "person", "who", "why")[2] == (None, "anna", "flood")
    assert _told([one async for one in rooms.audit("beta", "1h", "")], "about") == [(other,)]
    assert [one async for one in rooms.audit("", "", "1h")] == []
    with pytest.raises(Misconfigured, match="--since"):
        await _first(rooms.audit("", "soon", ""))


async def test_the_audit_goes_on(kept: Kept) -> None:
    """Who follows the audit hears of it to its end, and then of what is written from then on, once."""
    settled, stop, told = await kept.settled(), Stop(), list[Document]()
    async with watching() as watch, aclosing(rooms.audit("", "", "", follow=(print, stop))) as lines:
        async for line in lines:
            told.append(line)
            if len(told) == 1:
                await operations.pause(watch.store, ["acme"], by=ANNA)
                await operations.resume(watch.store, ["beta"], by=ANNA)
            if len(told) == 3:
                stop.said.set()
    assert _told(told, "deed", "org") == [("settle", "acme"), ("pause", "acme"), ("resume", "beta")]
    assert told[0]["action"] == settled
