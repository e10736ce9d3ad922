"""Deliveries of several events: each is taken, joined or refused for itself, and none twice however often they come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from service.core import model as m
from service.core.errors import BacklogFull, Conflicting, Refused, StoreDown, TooMany, Unreadable
from service.flow.intake import Intake
from service.sources.generic import Generic, Options
from tests.flow.meddler import Meddler, down, on, raising
from tests.flow.stage import ORG, PHONE, Stage
from tests.sources.layouts import arriving, by_hand
from tests.sources.senders import Outdoors

KEY = "a play secret of a system that sends lists"
PLAIN: dict[str, object] = {"header": "X-Sig", "encoding": "hex"}
WITH_ID: dict[str, object] = {"header": "X-Sig", "id_header": "X-Id", "content": "{id}.{body}"}
ASK: dict[str, object] = {"events": "", "conversation_id": "/c", "caller_phone": "/p", "timestamp": "/t"}
Taken = Sequence[m.Receipt | m.Ignored | Refused]


class Lists:
    """A source of lists, its sender, and an intake for it."""

    def __init__(self, stage: Stage, said: Mapping[str, object], store: object = None, backlog: int = 0) -> None:
        given: dict[str, object] = {"kind": "generic", "org": ORG, "secrets": [KEY], "signature": PLAIN, "ask": ASK}
        given |= {"rate": 0, "runaway": 0, **said}
        self.stage, self.options = stage, Options.model_validate(given)
        source = Generic("lists", self.options, Outdoors().outside)
        real: Any = store or stage.store
        self.intake = Intake({"lists": source}, real, stage.clock, stage.dice, stage.terms_of, backlog)
        self.secret = source.verify(self.delivery([])).secret_fingerprint

    def delivery(self, events: Sequence[object], delivery_id: str = "d-1") -> m.Delivery:
        """Return a signed list."""
        body, now, how = json.dumps(events).encode(), self.stage.clock.now(), self.options.signature
        assert how is not None
        delivery = arriving(by_hand(how, KEY.encode(), delivery_id, now, body), body, now)
        return m.Delivery("lists", delivery.headers, delivery.body, delivery.received_at)

    async def take(self, events: Sequence[object], delivery_id: str = "d-1") -> Taken:
        """Take a list in."""
        taken = await self.intake.take(self.delivery(events, delivery_id))
        assert isinstance(taken, list)
        return taken


def event(stage: Stage, number: int, **more: object) -> dict[str, object]:
    """Return the click that removes the caller from the conversation of that number."""
    at = stage.clock.now() // 1000 * 1000
    clicked = f"{at // 1000}"
    return {"c": str(UUID(int=number, version=4)), "p": PHONE, "t": int(clicked), **more}


SECONDS = {"ask": {**ASK, "timestamp_form": "seconds"}}


def said(taken: Taken) -> list[str]:
    """Return how each part fared."""
    return [one.joined or "new" if isinstance(one, m.Receipt) else type(one).__name__ for one in taken]


async def test_each_event_is_an_action(stage: Stage) -> None:
    """Each event of a list is an action of its own, in the list's order, and the list again is all duplicates."""
    lists = Lists(stage, SECONDS)
    events = [event(stage, number) for number in range(1, 5)]
    first, again = await lists.take(events), await lists.take(events)
    assert said(first) == ["new"] * 4
    assert said(again) == ["delivery"] * 4
    ids = [one.action_id for one in first if isinstance(one, m.Receipt)]
    assert ids == [one.action_id for one in again if isinstance(one, m.Receipt)]
    accounts = [await stage.account(action_id) for action_id in ids]
    assert [one.action.removal.conversation_id for one in accounts] == [one["c"] for one in events]
    assert stage.client.zcard(stage.keys.due_removals(ORG)) == 4


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stored", [0, 2, 3])
async def test_half_stored(stage: Stage, stored: int, when: str) -> None:
    """Where the store fails in the middle nothing is promised; the repeat finds what was stored and stores the rest."""
    seen: list[int] = []

    def fail() -> None:
        seen.append(1)
        if len(seen) == stored + 1:
            raise down()

    hook = {when: on("accept", fail, times=9)}
    lists = Lists(stage, SECONDS, Meddler(stage.store, **hook))
    events = [event(stage, number) for number in range(1, 5)]
    with pytest.raises(StoreDown):
        await lists.take(events)
    kept = stored + (when == "after")
    assert stage.client.zcard(stage.keys.due_removals(ORG)) == kept
    assert said(await lists.take(events)) == ["delivery"] * kept + ["new"] * (4 - kept)
    assert stage.client.zcard(stage.keys.due_removals(ORG)) == 4


async def test_a_refused_part_harms_no_other(stage: Stage) -> None:
    """An event that cannot be read, or is for nobody, is answered in its place; the secret that signed it is known."""
    ask = {**ASK, "timestamp_form": "seconds", "when": [{"at": "/e", "is": ["remove"]}]}
    lists = Lists(stage, {"ask": ask})
    events = [
        event(stage, 1, e="remove"),
        event(stage, 2, e="remove", c=".."),
        event(stage, 3, e="other"),
        {**event(stage, 4, e="remove"), "t": None},
        event(stage, 5, e="remove"),
    ]
    taken = await lists.take(events)
    assert said(taken) == ["new", "Unreadable", "Ignored", "Unreadable", "new"]
    refused = [one for one in taken if isinstance(one, Refused)]
    assert {one.secret_fingerprint for one in refused} == {lists.secret}
    assert stage.client.zcard(stage.keys.due_removals(ORG)) == 2


async def test_each_part_has_its_own_id(stage: Stage) -> None:
    """An event with an id is known by it in whatever list it comes; with another content it is a conflict."""
    lists = Lists(stage, {"ask": {**ASK, "timestamp_form": "seconds", "delivery_id": "/id"}})
    one, two, three = (event(stage, number, id=f"e-{number}") for number in (1, 2, 3))
    assert said(await lists.take([one, two])) == ["new"] * 2
    assert said(await lists.take([three, two, one])) == ["new", "delivery", "delivery"]
    changed = {**two, "c": str(UUID(int=9, version=4))}
    taken = await lists.take([changed, event(stage, 4, id="e-4")])
    assert said(taken) == ["Conflicting", "new"]
    assert isinstance(taken[0], Conflicting)
    assert taken[0].secret_fingerprint == lists.secret


async def test_without_an_id_a_part_is_known_by_its_content(stage: Stage) -> None:
    """Two equal events, in one list or in two, are one; whatever their list looks like."""
    lists = Lists(stage, SECONDS)
    one, two = event(stage, 1), event(stage, 2)
    taken = await lists.take([one, dict(reversed(one.items())), two])
    assert said(taken) == ["new", "delivery", "new"]
    assert said(await lists.take([two])) == ["delivery"]
    assert said(await lists.take([{**one, "x": 1}])) == ["intent"]


async def test_a_signed_id_is_each_parts_with_its_place(stage: Stage) -> None:
    """Where the list has a signed id its parts have that and their place: equal wishes join, and a repeat is known."""
    lists = Lists(stage, {**SECONDS, "signature": WITH_ID})
    one, two = event(stage, 1), event(stage, 2)
    assert said(await lists.take([one, one, two])) == ["new", "intent", "new"]
    assert said(await lists.take([one, one, two])) == ["delivery"] * 3
    assert said(await lists.take([one, two], "d-2")) == ["intent"] * 2
    # the same id with another list: what stands in the same place is the same, what does not is a conflict
    assert said(await lists.take([one, two], "d-1")) == ["delivery", "Conflicting"]


async def test_no_two_people_share_a_part(stage: Stage) -> None:
    """Parts that differ in who is meant are never one action, whatever else they share."""
    lists = Lists(stage, {"ask": {**ASK, "timestamp_form": "seconds", "changing": ["tries"]}})
    one = event(stage, 1, tries=1)
    other = {**one, "p": "+14155550199", "tries": 2}
    taken = await lists.take([one, other, {**one, "tries": 3}])
    assert said(taken) == ["new", "new", "delivery"]
    first, second, third = (it for it in taken if isinstance(it, m.Receipt))
    assert first.action_id == third.action_id != second.action_id


async def test_over_the_rate(stage: Stage) -> None:
    """A source over its rate is told when to come again; what was taken of its list is a duplicate then."""
    lists = Lists(stage, {**SECONDS, "rate": 100})
    events = [event(stage, number) for number in range(1, 61)]
    assert said(await lists.take(events)) == ["new"] * 60
    more = [event(stage, number) for number in range(61, 121)]
    with pytest.raises(TooMany) as caught:
        await lists.take(more)
    assert caught.value.secret_fingerprint == lists.secret
    assert caught.value.retry_after_seconds >= 1
    assert stage.client.zcard(stage.keys.due_removals(ORG)) == 100
    await stage.clock.sleep(60)
    assert said(await lists.take(more)) == ["delivery"] * 40 + ["new"] * 20


async def test_over_the_backlog(stage: Stage) -> None:
    """Where as many are open as may be, a list is refused with what is new in it; what is open already stays."""
    lists = Lists(stage, SECONDS, backlog=3)
    events = [event(stage, number) for number in range(1, 5)]
    with pytest.raises(BacklogFull) as caught:
        await lists.take(events)
    assert caught.value.secret_fingerprint == lists.secret
    assert said(await lists.take(events[:3])) == ["delivery"] * 3


async def test_a_list_that_is_none(stage: Stage) -> None:
    """A list that cannot be read at all is refused as a whole, and nothing of it is stored."""
    lists = Lists(stage, SECONDS)
    none: list[list[object]] = [[], [{}] * 101, [event(stage, 1), 7]]
    for events in none:
        with pytest.raises(Unreadable) as caught:
            await lists.take(events)
        assert caught.value.secret_fingerprint == lists.secret
    assert stage.client.keys("*") == []


async def test_a_whole_failure(stage: Stage) -> None:
    """A fault that nobody foresaw is not taken for a refused part."""
    lists = Lists(stage, SECONDS, Meddler(stage.store, before=on("accept", raising(ZeroDivisionError()))))
    with pytest.raises(ZeroDivisionError):
        await lists.take([event(stage, 1)])
