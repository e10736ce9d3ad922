"""What each system sends, as its vendor shows it and signed as its vendor says: read as the preset says, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from service.core import model as m
from service.core.errors import BadSignature, Stale
from service.core.ports import Source
from service.sources import KINDS
from service.sources.presets import NAMES, preset
from tests.sources.presets.vendors import settings_of, signed
from tests.sources.senders import NOW, Outdoors

ALL = sorted(NAMES)
SHOWN = {name for name in ALL if preset(name).options["signature"].get("scheme", "hmac") != "hmac"}
STAMPED = {name for name in ALL if "{timestamp}" in preset(name).options["signature"].get("content", "")}


def built(name: str, **changes: object) -> Source:
    """Return a source of this kind."""
    kind = KINDS[name]
    return kind.build("desk", kind.options.model_validate(settings_of(name) | changes), Outdoors().outside)


def sent(name: str, change: Callable[[str], str] = str, at: int = NOW) -> m.Delivery:
    """Return a sample as its system sends it, signed after it was changed."""
    sample = preset(name).sample
    body = change(str(sample["body"]).strip()).encode()
    headers = {**sample.get("headers", {}), **signed(name, body, at)}
    raw = tuple((key.lower().encode(), value.encode()) for key, value in headers.items())
    return m.Delivery("desk", raw, body, at)


def read(source: Source, delivery: m.Delivery) -> m.Removal | m.Ignored | str:
    """Verify and parse; of a batch the one that is in it."""
    found = source.parse(delivery, source.verify(delivery))
    if isinstance(found, m.Batch):
        (part,) = found.parts
        return part.asked
    return found


def swapped(old: str, new: str) -> Callable[[str], str]:
    """Return the change of a body that puts `new` in the place of `old`, which is there."""

    def change(body: str) -> str:
        assert old in body
        return body.replace(old, new)

    return change


@pytest.mark.parametrize("name", ALL)
def test_it_asks_what_it_says(name: str) -> None:
    """A sample asks for the removal that is written beside it."""
    asks = preset(name).sample["asks"]
    found = read(built(name), sent(name))
    assert isinstance(found, m.Removal), found
    assert found.conversation_id == asks["conversation_id"]
    assert (found.selector, found.identity) == (m.Selector(m.SelectorKind.PHONE, asks["caller_phone"]), None)
    assert found.ticket
    assert (found.ticket.reference, found.requester) == (asks["ticket"], asks["requester"])
    assert found.event_at == datetime.fromisoformat(asks["event_at"]).timestamp() * 1000 == NOW
    assert found.event_id == asks.get("event_id", "")


@pytest.mark.parametrize("name", ALL)
def test_nobody_else_asks(name: str) -> None:
    """A delivery without its proof, with another's, or changed after it was signed, is not from the system."""
    source, good = built(name), sent(name)
    wrong = {name.lower().encode() for name in signed(name, b"", NOW)}
    bare = tuple((key, value) for key, value in good.headers if key not in wrong)
    other = tuple((key, value[:-6] + b"aaaaaa" if key in wrong else value) for key, value in good.headers)
    tampered = [replace(good, headers=bare), replace(good, headers=other)]
    if name not in SHOWN:
        tampered.append(replace(good, body=good.body.replace(b"+14155550123", b"+14155550124")))
    for delivery in tampered:
        with pytest.raises(BadSignature):
            source.verify(delivery)


@pytest.mark.parametrize("name", ALL)
def test_time(name: str) -> None:
    """Where the time is signed, a captured delivery is stale after five minutes; elsewhere it is late by its body."""
    old = replace(sent(name), received_at=NOW + 300_001)
    if name in STAMPED:
        with pytest.raises(Stale):
            built(name).verify(old)
    else:
        found = read(built(name), old)
        assert isinstance(found, m.Removal)
        assert found.event_at == NOW


OTHERS = [
    ("jira", swapped('"toString":"Yes"', '"toString":"No"')),
    ("jira", swapped('"field":"Remove caller"', '"field":"status"')),
    ("jira", swapped("jira:issue_updated", "comment_created")),
    ("pagerduty", swapped("incident.custom_field_values.updated", "incident.annotated")),
    ("pagerduty", swapped('"name":"remove_caller"', '"name":"region"')),
    ("teams", swapped("remove", "hello")),
    ("hubspot", swapped('"propertyName":"remove_caller"', '"propertyName":"subject"')),
    ("hubspot", swapped("remove 0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10 +14155550123", "")),
    ("hubspot", swapped("ticket.propertyChange", "ticket.creation")),
    ("intercom", swapped("#remove-caller", "Remove Caller: done.")),
    ("intercom", swapped("conversation.admin.noted", "conversation.admin.replied")),
    ("opsgenie", swapped('"Remove caller"', '"AddNote"')),
]


@pytest.mark.parametrize("name, change", OTHERS)
def test_what_else_it_sends(name: str, change: Callable[[str], str]) -> None:
    """What a system sends besides, our own notes' echo among it, asks nothing of us and is no mistake."""
    assert isinstance(read(built(name), sent(name, change)), m.Ignored)


GREETINGS = {
    "pagerduty": '{"event":{"id":"01CHC1WMF4ZZ6Q5WZ3Y1XQ7TWZ","event_type":"pagey.ping","resource_type":"pagey",'
    '"occurred_at":"2026-11-20T09:00:00.000Z","agent":null,"client":null,'
    '"data":{"message":"Hello from your friend Pagey!","type":"ping"}}}',
    "intercom": '{"type":"notification_event","app_id":"i6wc9ipe","data":{"type":"notification_event_data","item":'
    '{"type":"ping","message":"something something interzen"}},"id":null,"topic":"ping","created_at":1795165200}',
}


@pytest.mark.parametrize("name", sorted(GREETINGS))
def test_greetings(name: str) -> None:
    """What a system sends to see whether we are there is answered, and asks nothing."""
    source, delivery = built(name), sent(name, lambda _: GREETINGS[name])
    assert source.parse(delivery, source.verify(delivery)) == m.Ignored("a greeting")


@pytest.mark.parametrize(
    "name, ours", [("zendesk", "Beth Anglin"), ("intercom", "1957471"), ("jira", "5B10a2844c20165700ede21g")]
)
def test_our_own_doing(name: str, ours: str) -> None:
    """What our own user causes there is ignored where the settings name him, whatever his writing in capitals."""
    ask = {"ask": {"ours": [ours]}}
    assert isinstance(read(built(name, **ask), sent(name)), m.Ignored)


@pytest.mark.parametrize(
    "name, old, new",
    [("hubspot", 'attemptNumber":0', 'attemptNumber":3'), ("intercom", 'delivery_attempts":1', 'delivery_attempts":2')],
)
def test_its_repeats_are_the_same(name: str, old: str, new: str) -> None:
    """A system that counts its tries in the body is known again: only what its repeats have too makes the event."""
    source, bodies = built(name), []
    for change in (str, swapped(old, new), swapped("+14155550123", "+14155550124")):
        delivery = sent(name, change)
        found = source.parse(delivery, source.verify(delivery))
        assert isinstance(found, m.Batch)
        bodies.append(found.parts[0].body)
    assert bodies[0] == bodies[1] != bodies[2]


def test_a_batch_of_hubspot() -> None:
    """HubSpot's events are read one by one: one that asks nothing or cannot be read spoils none of the others."""
    good, other, bad = (json.loads(preset("hubspot").sample["body"])[0] for _ in range(3))
    other["propertyName"], bad["propertyValue"] = "subject", "remove somebody"
    delivery = sent("hubspot", lambda _: json.dumps([good, other, bad]))
    source = built("hubspot")
    found = source.parse(delivery, source.verify(delivery))
    assert isinstance(found, m.Batch)
    first, second, third = (part.asked for part in found.parts)
    assert isinstance(first, m.Removal)
    assert isinstance(second, m.Ignored)
    assert isinstance(third, str)
    assert third.startswith("conversation_id is missing")
    assert third.endswith("(this source reads conversation_id at /propertyValue)")


def test_the_minute_of_zendesk() -> None:
    """Zendesk's time without seconds is the first of its minute, before any click in it; with seconds it is exact."""
    for text, at in (("09:00Z", NOW), ("09:00:07Z", NOW + 7000), ("10:00+01:00", NOW)):
        found = read(built("zendesk"), sent("zendesk", swapped("09:00Z", text)))
        assert isinstance(found, m.Removal)
        assert found.event_at == at
