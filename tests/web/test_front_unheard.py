"""Whom the answer is for: some senders show it to a person, some show nothing, and none waits for a slow store."""

import asyncio
from dataclasses import dataclass, replace
from typing import cast

import httpx
import pytest

from service.core import model as m
from service.core.ports import Source, Store
from service.flow.intake import Intake
from service.web.front import public_door
from tests.web.doors import PHONE, PUBLIC, CountingDice, Desk, Shelf, ToySource, client_on

ACTION = f"acme.{1:026}"
BUTTON = b'{"remove": "+14155550123", "by": "a button"}'


@dataclass
class Chat(ToySource):
    """A system of people who are shown what we answer, but not where they pressed a button."""

    @property
    def terms(self) -> m.SourceTerms:
        return replace(super().terms, answer={"text": "{text}"}, unreadable_status=200, unheard=b'{"remove"')


@dataclass
class Slow(Shelf):
    """A store that takes some seconds to take an offer."""

    seconds: float = 0.0

    async def accept(self, offer: m.Offer) -> m.Receipt:
        await self.clock.sleep(self.seconds)
        return await super().accept(offer)


@dataclass
class Stuck(Slow):
    """One that is never heard of again after that."""

    async def read(self, action_id: str) -> m.Account | None:
        self.reads += 1
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")


@pytest.fixture(autouse=True)
def chat(desk: Desk) -> None:
    """Put the system of people in the place of the desk's source."""
    desk.sources["desk"] = Chat(success_status=200)


async def test_nobody_is_told_nothing(desk: Desk) -> None:
    """Who shows nobody our answer gets an empty 200, the first time and again, and the action is there all the same."""
    for _ in range(2):
        answer = await desk.post(BUTTON)
        assert (answer.status_code, answer.content) == (200, b"")
        assert "location" not in answer.headers
    assert list(desk.shelf.accounts) == [ACTION]


async def test_what_is_shown_is_said(desk: Desk) -> None:
    """Other deliveries of the same source get words, also the one that cannot be read."""
    assert (await desk.post(b' {"remove": "+14155550123"}')).json()["text"].startswith("The click has arrived")
    answer = await desk.post({"nothing": 1})
    assert (answer.status_code, answer.json()) == (200, {"text": "Say whom to remove."})
    assert (await desk.post({"ping": 1})).json() == {"text": "a ping"}


async def test_an_unheard_ping(desk: Desk) -> None:
    """A click that is not for us is answered by nothing too."""

    class Elsewhere(Chat):
        def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Ignored:
            return m.Ignored("another button")

    desk.sources["desk"] = Elsewhere()
    assert (await desk.post(BUTTON)).content == b""


async def test_an_unheard_mistake(desk: Desk) -> None:
    """A button that cannot be read is refused by its status: a quiet 200 would look as if it was done."""
    answer = await desk.post({"remove": None})
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable")


async def answered(desk: Desk, shelf: Shelf, wait: int) -> httpx.Response:
    """Send a click to a door before another store, of a source that lets its sender wait."""
    sources: dict[str, Source] = {"desk": ToySource(success_status=200, wait=wait)}
    store = cast("Store", shelf)
    intake = Intake(sources, store, desk.clock, CountingDice(), lambda *_: m.Terms())
    door = public_door(
        intake, store, desk.waiter, desk.clock, desk.refused, public_url=PUBLIC, is_draining=lambda: False
    )
    async with client_on(door) as client:
        return await client.post("/webhooks/desk", json={"remove": PHONE}, headers={"x-toy": "right"})


async def test_the_wait_counts_from_the_beginning(desk: Desk) -> None:
    """What a slow store took before is not waited for a second time: the sender counts from when it sent."""
    answer = await answered(desk, Slow(desk.clock, seconds=1.75), wait=3)
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert sum(desk.waiter.waits) == 1.25


async def test_a_store_that_does_not_say(desk: Desk) -> None:
    """A store that hangs when it is asked for the outcome keeps nobody waiting longer than half a second more."""
    stuck = Stuck(desk.clock, seconds=1.0)
    answer = await answered(desk, stuck, wait=1)
    assert (answer.status_code, answer.json()["outcome"], stuck.reads) == (200, None, 1)
