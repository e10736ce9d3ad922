"""Any system by settings: every fault in words that name the setting, and what its deliveries ask."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from service.core import model as m
from service.core.errors import BadSignature, Malformed, Rejected, Unreadable
from service.sources.generic import Generic, Options
from service.sources.pointed import MOST_PARTS
from tests.sources.senders import (
    CONVERSATION,
    NOTE,
    NOW,
    OTHER_SECRET,
    PARTICIPANT,
    PHONE,
    REPORT,
    SECRET,
    SETTLED,
    VERIFIED,
    Outdoors,
    delivery,
    flat,
    key_of,
    own,
)

KEY = "a play secret of a generic source"
LEAST: dict[str, object] = {"kind": "generic", "org": "acme", "secrets": [KEY], "signature": {"header": "X-Sig"}}
STANDARD: dict[str, object] = {"kind": "generic", "org": "acme", "secrets": [SECRET]}
ASK: dict[str, object] = {"conversation_id": "/c", "caller_phone": "/p", "timestamp": "/t"}
TELL: dict[str, object] = {"path": "/notes/{ticket}", "body": {"text": "{note}"}}
DESK = "http://127.0.0.1:8090"
OUTCOME = {"outcome_url": f"{DESK}/hooks/outcomes", "outcome_secret": OTHER_SECRET}
CLICK: dict[str, object] = {"c": CONVERSATION, "p": PHONE, "t": "2026-11-20T09:00:00Z"}


def options(base: Mapping[str, object] = LEAST, /, **more: object) -> Options:
    """Return the options of a source."""
    return Options.model_validate({**base, **more})


def faults(base: Mapping[str, object] = LEAST, /, **more: object) -> str:
    """Return what is said of options that cannot be used."""
    with pytest.raises(ValidationError) as caught:
        options(base, **more)
    return str(caught.value)


def parse(body: object, **more: object) -> m.Removal | m.Ignored | m.Batch:
    """Return what a body asks of a source that reads `ASK`, and more."""
    source = Generic("desk", options(**({"ask": ASK} | more)), Outdoors().outside)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return source.parse(m.Delivery("desk", (), raw, NOW), VERIFIED)


FAULTS: list[tuple[dict[str, object], str]] = [
    ({"secrets": ["short"]}, "secrets: secret 1 of 1: the secret has 5 bytes"),
    ({"secrets": [KEY, ""]}, "secrets: secret 2 of 2: the secret is empty"),
    ({"signature": {}}, "signature\n  Value error, header: needed by the scheme hmac"),
    ({"signature": {"headr": "x"}}, "signature.headr"),
    ({"signature": "x-sig"}, "signature"),
    ({"ask": {}}, "ask.conversation_id"),
    ({"ask": {"conversation_id": "/c"}}, "says nowhere who is to leave"),
    ({"reports": ["ticket"]}, "tell: says how a ticket is told; set it, or leave ticket out of reports"),
    ({"reports": ["webhook"]}, "outcome_url: needed to post outcomes"),
    ({"reports": ["page"]}, "reports"),
    ({"tell": TELL, "reports": ["ticket"]}, "desk_url: needed to tell its tickets"),
    ({"tell": TELL, "desk_url": "http://desk.example"}, "desk_url: is written https://host:port"),
    ({"tell": {"path": "/x", "body": {}}, "desk_url": DESK}, "body: has no {note}"),
    ({"tell": {**TELL, "auth": "basic"}, "desk_url": DESK}, "desk_user and desk_secret: needed"),
    ({"outcome_url": f"{DESK}/x"}, "outcome_secret: needed to sign outcomes"),
    ({"outcome_url": "http://desk.example/x", "outcome_secret": OTHER_SECRET}, "outcome_url"),
    ({"outcome_secret": "short"}, "outcome_secret"),
    ({"ask": {**ASK, "events": "/list"}, "rate": MOST_PARTS - 1}, "rate: each event of a list counts"),
    (
        {"ask": {**ASK, "form": "payload"}, "signature": {"header": "x", "id_header": "y", "content": "{id}.{body}"}},
        "signature.content: holds no {id} where ask.form is said",
    ),
    ({"desk": DESK}, "desk\n  Extra inputs"),
]


@pytest.mark.parametrize("more, words", FAULTS)
def test_faults(more: dict[str, object], words: str) -> None:
    """Options that cannot be used say which setting it is, and why."""
    assert words in faults(**more)


def test_a_list_fits_the_rate() -> None:
    """A source of lists takes as many at once as a list may hold, or any number; one of single events any rate."""
    for rate in (0, MOST_PARTS, 600):
        assert options(ask={**ASK, "events": "/list"}, rate=rate).rate == rate
    assert options(ask=ASK, rate=1).rate == 1


def test_an_id_beside_json_is_fine() -> None:
    """Where the body is JSON, or there is no form, an id may be signed."""
    said = {"header": "x", "id_header": "y", "content": "{id}.{body}"}
    assert options(signature=said, ask=ASK).ask is not None
    assert options(STANDARD, ask={**ASK, "form": "payload"}).signature is None


def test_no_secret_is_shown() -> None:
    """What options print holds no secret, no key in an address and none in a header; nor does a fault about them."""
    canary = "canary-of-nobody"
    whole = options(
        secrets=[f"{canary}-1"],
        tell={**TELL, "auth": "bearer", "headers": {"X-Key": f"{canary}-2"}},
        desk_url=DESK,
        desk_secret=f"{canary}-3",
        **{**OUTCOME, "outcome_url": f"{DESK}/x?key={canary}-4"},
    )
    for shown in (repr(whole), str(whole), repr(whole.access)):
        assert canary not in shown
    keyed = f"https://desk.example:port/{canary}"
    for more in (
        {"tell": TELL, "desk_url": keyed}, {"tell": {"body": {"t": "{note}"}}, "desk_url": keyed},
        {"tell": TELL, "desk_url": f"https://{canary}@desk.example"}, {"outcome_url": keyed, "outcome_secret": SECRET},
        {"tell": TELL, "desk_url": f"https://ho st/{canary}"}, {"secrets": [canary], "signature": {"key": "base64"}},
        {"desk_secret": [canary]}, {"desk_secret": canary, "tell": {**TELL, "auth": "token"},
        "desk_url": DESK + "\u00e9"},
    ):  # fmt: skip
        with pytest.raises(ValidationError) as caught:
            options(**more)
        assert canary not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "more, channels",
    [
        ({}, ()), ({"tell": TELL}, ()), ({"tell": TELL, "desk_url": DESK}, ("ticket",)), (OUTCOME, ("webhook",)),
        ({"tell": TELL, "desk_url": DESK, **OUTCOME}, ("ticket", "webhook")),
        ({"tell": TELL, "desk_url": DESK, **OUTCOME, "reports": []}, ()),
        ({"tell": TELL, "desk_url": DESK, **OUTCOME, "reports": ["webhook"]}, ("webhook",)),
        ({"tell": TELL, "desk_url": DESK, "reports": ["ticket"]}, ("ticket",)), ({"tell": TELL, "reports": []}, ()),
    ],
)  # fmt: skip
def test_how_it_is_told(more: dict[str, object], channels: tuple[str, ...]) -> None:
    """It is told by all that can, or by what is said; a way out is opened for each of these and no other."""
    outdoors = Outdoors()
    source = Generic("desk", options(**more), outdoors.outside)
    assert source.terms.channels == channels
    assert len(outdoors.rules) == len(channels)


async def test_what_it_does_not_tell() -> None:
    """A report by a channel that the settings leave out is final, and was not told."""
    source = Generic("desk", options(**OUTCOME), Outdoors().outside)
    assert not await source.is_told(REPORT, SETTLED)
    with pytest.raises(Rejected, match="by ticket"):
        await source.tell(REPORT, SETTLED, NOTE)


def test_without_a_signature_it_speaks_standard_webhooks() -> None:
    """A source that says nothing of signatures takes Standard Webhooks, and signs its outcomes with the same secret."""
    made = options(STANDARD, outcome_url=OUTCOME["outcome_url"])
    source = Generic("desk", made, Outdoors().outside)
    assert source.verify(delivery(own())).stamped_at == NOW
    assert (made.outcome_key, options(STANDARD, **OUTCOME).outcome_key) == (key_of(SECRET), key_of(OTHER_SECRET))
    with pytest.raises(BadSignature):
        Generic("desk", options(), Outdoors().outside).verify(delivery(own()))


@pytest.mark.parametrize("ask", [None, ASK, {**ASK, "form": "payload"}, {**ASK, "events": "/list"}])
def test_our_own_form_is_always_understood(ask: dict[str, object] | None) -> None:
    """Whatever else a source sends, a body in our own form is read as one."""
    found = parse(own(), ask=ask)
    assert isinstance(found, m.Removal)
    assert (found.conversation_id, found.requester, found.event_at) == (CONVERSATION, "beth.anglin", NOW)


def test_our_own_form_stands_alone() -> None:
    """Our form beside the fields of a system's own template may be somebody's text: it counts for nothing."""
    smuggled = json.loads(own(participant_id=PARTICIPANT, caller_phone=None))
    found = parse(CLICK | smuggled)
    assert isinstance(found, m.Removal)
    assert found.selector == m.Selector(m.SelectorKind.PHONE, PHONE)
    with pytest.raises(Unreadable, match="both forms"):
        parse(json.dumps({**json.loads(flat()), **smuggled}).encode(), ask=None)
    assert isinstance(parse({**smuggled, "preview": True}), m.Removal)


def test_our_flat_form_is_understood_where_nothing_is_said() -> None:
    """Without places our two forms are read, and nothing else."""
    assert isinstance(parse(flat(), ask=None), m.Removal)
    with pytest.raises(Unreadable, match="timestamp is missing"):
        parse(flat())
    assert parse(b'{"type":"ping"}', ask=None) == m.Ignored(
        "events of type ping are not for this service; caller.remove is"
    )


def test_one_event() -> None:
    """A body is read by the places, with the event's own id, and refused with the place of what is wrong."""
    found = parse({**CLICK, "id": 7, "k": "T-1"}, ask={**ASK, "delivery_id": "/id", "ticket": "/k"})
    assert found == m.Removal(
        CONVERSATION,
        m.Selector(m.SelectorKind.PHONE, PHONE),
        ticket=m.Ticket("T-1"),
        event_at=NOW,
        event_id="7",
    )
    with pytest.raises(Unreadable, match=r"^conversation_id is missing.*\(this source reads conversation_id at /c\)$"):
        parse({"p": PHONE, "t": "2026-11-20T09:00:00Z"})
    with pytest.raises(Malformed):
        parse(b"{")


def test_times() -> None:
    """A time without an offset wants a zone, and none at all wants to be allowed: then it counts from receipt."""
    bare = {**CLICK, "t": "2026-11-20T10:00:00"}
    with pytest.raises(Unreadable, match=r"timestamp says no offset.*\(this source reads timestamp at /t\)"):
        parse(bare)
    found = parse(bare, time_zone="Europe/Berlin")
    assert isinstance(found, m.Removal)
    assert found.event_at == NOW
    with pytest.raises(Unreadable, match="timestamp is missing"):
        parse({**CLICK, "t": None})
    untimed = parse({**CLICK, "t": None}, untimed="accept")
    assert isinstance(untimed, m.Removal)
    assert untimed.event_at is None


def test_several_events() -> None:
    """Each event of a list is read for itself: one that is refused or for nobody does not harm the others."""
    ask = {**ASK, "events": "/list", "when": [{"at": "/e", "is": ["remove"]}], "delivery_id": "/id"}
    events: list[dict[str, Any]] = [
        {**CLICK, "e": "remove", "id": "a"}, {**CLICK, "e": "other"}, {"e": "remove"}, {**CLICK, "e": "remove",
        "id": "b"},
        {**CLICK, "e": "remove", "id": "x" * 201}, {**CLICK, "e": "remove", "p": "nobody"},
    ]  # fmt: skip
    found = parse({"list": events}, ask=ask)
    assert isinstance(found, m.Batch)
    asked = [part.asked for part in found.parts]
    first = m.Removal(CONVERSATION, m.Selector(m.SelectorKind.PHONE, PHONE), event_at=NOW, event_id="a")
    assert asked[0] == first
    assert asked[1] == m.Ignored("/e is other; a removal is asked by remove")
    assert asked[3] == replace(first, event_id="b")
    said = [str(asked[place]) for place in (2, 4, 5)]
    assert said[0].startswith("timestamp is missing") or said[0].startswith("conversation_id is missing")
    assert said[1] == "the event's id has 201 characters; at most 200 are taken"
    assert said[2].endswith("(this source reads caller_phone at /p)")
    assert [json.loads(part.body) for part in found.parts] == events


def test_greetings_and_forms() -> None:
    """A greeting is answered; a source of forms takes forms besides JSON, and no other does."""
    greeting = {"at": "/hello", "is": ["1"], "answer": {"challenge": "/x"}}
    assert parse({"hello": 1, "x": "y"}, ask={**ASK, "greetings": [greeting]}) == m.Ignored(
        "a greeting", {"challenge": "y"}
    )
    form = Generic("desk", options(ask={**ASK, "form": "payload"}), Outdoors().outside)
    assert form.media_types == {"application/json", "application/x-www-form-urlencoded"}
    assert Generic("desk", options(ask=ASK), Outdoors().outside).media_types == {"application/json"}


def test_tickets_of_the_desk() -> None:
    """A ticket is what the desk calls one; anything else could be a piece of a path, and is refused at once."""
    told = {"tell": {**TELL, "ticket": "[A-Z]+-[0-9]+"}, "desk_url": DESK, "ask": {**ASK, "ticket": "/k"}}
    found = parse({**CLICK, "k": "OPS-7"}, **told)
    assert isinstance(found, m.Removal)
    assert found.ticket == m.Ticket("OPS-7")
    for evil in ("ops-7", "../OPS-7", "OPS-7/..", "OPS-7?x", "%2e", "OPS-7\u2028", "x" * 150):
        with pytest.raises(Unreadable):
            parse({**CLICK, "k": evil}, **told)
    free = parse({**CLICK, "k": "any thing/at all"}, ask={**ASK, "ticket": "/k"})
    assert isinstance(free, m.Removal)
    assert isinstance(parse(CLICK, **told), m.Removal)


@pytest.mark.parametrize("given", [None, 7, "generic", ["kind"], {"kind": ["pagerduty"]}, {"kind": 7}, {"kind": {}}])
def test_what_is_no_table_is_a_fault(given: object) -> None:
    """Options that are no table, or have a kind that is no name, are a fault and no exception."""
    with pytest.raises(ValidationError):
        Options.model_validate(given)
