"""One conformance suite for all kinds of source: whatever arrives is proved and read, or refused in our own words.

Each kind is asked by what its system sends: a preset by the sample in its file, a kind with code by its row in
`seats.py`. All understand our own form besides.
"""

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.errors import BadSignature, Malformed, Refused, Stale
from service.core.ports import Source
from service.sources import KINDS
from tests.sources.seats import Seat, asked, places, seat, with_value, without
from tests.sources.senders import CONVERSATION, NOW, PARTICIPANT, PHONE, VERIFIED, flat, own, with_header
from tests.sources.test_reading import EVIL_IDS

SEATS = {kind: seat(kind) for kind in KINDS}
EACH = pytest.mark.parametrize("kind", list(KINDS))
SIGNED = [kind for kind, one in SEATS.items() if one.signature.scheme == "hmac"]
IS_JSON = [kind for kind, one in SEATS.items() if one.body[:1] in {b"{", b"["}]
STAMPED = [kind for kind in SIGNED if SEATS[kind].signature.timestamp_header]
HIDING = {"Cc", "Cs", "Zl", "Zp"}  # what no line can hold
TIMED: dict[str, set[str]] = {"servicenow": {"timestamp is missing"}}
SOURCES = {kind: one.source() for kind, one in SEATS.items()}
HOSTILE: list[object] = [
    *EVIL_IDS, "", None, 0, -1, True, 1.5, [], {}, [PARTICIPANT], {"value": "x"}, "\x00", "\u202e" * 9,
    "caller.remove", "disconnect", "x" * 500, "2026-11-20T09:00:00", "1795165200", 10**17, "+1415555012x", "5",
]  # fmt: skip


def taken(source: Source, arriving: m.Delivery) -> m.Removal | m.Ignored | str:
    """Take a delivery of one event in as intake does: verify, then parse; a refusal is its sentence."""
    try:
        return asked(source.parse(arriving, source.verify(arriving)))
    except BadSignature:
        raise
    except Refused as refused:
        return refused.sentence


def is_clean(said: m.Removal | m.Ignored | str) -> bool:
    """Whether what came of a delivery can be shown and kept: no half characters, nothing that hides what is around."""
    match said:
        case str():
            return said.isprintable() and 0 < len(said) < 500
        case m.Ignored():
            return said.reason.isprintable() and len(said.reason) < 500
        case _:
            label = said.ticket.reference + said.ticket.label if said.ticket else ""
            return not {unicodedata.category(char) for char in label + said.requester + said.reason} & HIDING


@EACH
def test_the_sample_is_taken(kind: str) -> None:
    """What the system sends, as it proves itself, asks what stands beside its sample."""
    one = SEATS[kind]
    found = taken(SOURCES[kind], one.delivery())
    assert isinstance(found, m.Removal), found
    assert replace(found, ticket=None, reason="") == one.removal
    assert found.ticket is not None
    assert found.ticket.reference == one.asks["ticket"]


@EACH
def test_what_is_proved(kind: str) -> None:
    """The proof is the id and the time where they are signed, and which secret it was."""
    one = SEATS[kind]
    verified = SOURCES[kind].verify(one.delivery())
    assert verified.signed_id == ("msg_1" if one.signature.id_header else "")
    assert verified.stamped_at == (NOW if kind in STAMPED else None)
    assert {verified.secret_fingerprint} == one.options.fingerprints


@EACH
def test_secrets(kind: str) -> None:
    """Another source's secret opens nothing; during a rotation both secrets do, and each is named."""
    one = SEATS[kind]
    with pytest.raises(BadSignature):
        SOURCES[kind].verify(one.delivery(secret=one.other_secret))
    with pytest.raises(BadSignature):
        one.source(secrets=[one.other_secret]).verify(one.delivery())
    both = one.source(secrets=[one.other_secret, one.secret])
    names = {both.verify(one.delivery(secret=it)).secret_fingerprint for it in (one.secret, one.other_secret)}
    assert len(names) == 2


@pytest.mark.parametrize("kind", STAMPED)
def test_time(kind: str) -> None:
    """Where the time is signed a delivery is good for five minutes, and stale after that."""
    source, one = SOURCES[kind], SEATS[kind]
    for away in (-300_000, 300_000):
        assert source.verify(one.delivery(at=NOW + away)).stamped_at == NOW
    for away in (-300_001, 300_001, 86_400_000):
        with pytest.raises(Stale) as caught:
            source.verify(one.delivery(at=NOW + away))
        assert caught.value.secret_fingerprint == source.verify(one.delivery()).secret_fingerprint


def flipped(value: bytes) -> Iterator[bytes]:
    """Yield `value` with each of its bits turned over in turn."""
    for bit in range(len(value) * 8):
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def forged(one: Seat) -> Iterator[m.Delivery]:
    """Yield deliveries that were tampered with: each bit, each cut, each header of the proof missing or doubled."""
    good = one.delivery()
    names = [name.lower().encode() for name in one.proof(good.body, one.secret)[0]]
    if one.signature.scheme == "hmac":
        yield from (replace(good, body=body) for body in flipped(good.body))
        yield from (replace(good, body=good.body[:end]) for end in range(len(good.body)))
        for extra in (b" ", b"\n", b"\x00", b"{}"):
            yield replace(good, body=good.body + extra)
            yield replace(good, body=extra + good.body)
    for name in names:
        value = good.header(name) or b""
        # a scheme's own word has no case: `Basic` and `basic` are one
        is_word = one.signature.scheme in {"basic", "bearer"}
        for other in (*flipped(value), *(value[:end] for end in range(len(value)))):
            if not (is_word and other.lower() == value.lower()):
                yield with_header(good, name, other)
        for values in ((), (value, value), (value, b""), (b"", value), (b"\t" + value,), (b",",), (value * 2,)):
            yield with_header(good, name, *values)
        for another in names:
            if another != name:
                yield with_header(good, name, good.header(another) or b"")
    if good.query:
        yield from (replace(good, query=query) for query in flipped(good.query) if query.lower() != good.query.lower())
        yield from (replace(good, query=good.query[:end]) for end in range(len(good.query)))


@EACH
def test_forgeries(kind: str) -> None:
    """No delivery that was tampered with is taken: every bit, every cut, every header trick is a BadSignature."""
    source, tried = SOURCES[kind], 0
    for arriving in forged(SEATS[kind]):
        with pytest.raises(BadSignature):
            source.verify(arriving)
        tried += 1
    assert tried > (1_400 if kind in SIGNED else 400)


@EACH
def test_every_place_missing(kind: str) -> None:
    """Whatever is left out of the sample, nobody else is meant; without what must be there it is refused in words."""
    source, one, said = SOURCES[kind], SEATS[kind], set[str]()
    for place, value in places(one.body).items():
        found = taken(source, one.delivery(without(one.body, place)))
        assert is_clean(found), (place, found)
        if isinstance(found, m.Removal):
            assert (found.conversation_id, found.selector) == (CONVERSATION, m.Selector(m.SelectorKind.PHONE, PHONE))
            assert CONVERSATION not in str(value)
            assert PHONE not in str(value)
        else:
            said.add(found.reason if isinstance(found, m.Ignored) else found)
    if kind in IS_JSON:
        # ServiceNow's script stamps once for a click, so there a body needs no time
        wanted = {"conversation_id is missing", "nobody is named", "timestamp is missing"} - TIMED.get(kind, set())
        told = {words for words in wanted if any(words in sentence for sentence in said)}
        # one text may say who and where and that it is for us; without it a delivery is for nobody
        is_text = any("is nothing; a removal is asked by" in sentence for sentence in said)
        assert told == wanted or (is_text and "timestamp is missing" in told)


@EACH
def test_hostile_values_in_every_place(kind: str) -> None:
    """Whatever stands in any place of the sample, the same person is meant, or nobody, and said in clean words."""
    source, one = SOURCES[kind], SEATS[kind]
    good = taken(source, one.delivery())
    for place, value in places(one.body).items():
        matters = taken(source, one.delivery(without(one.body, place))) != good
        for evil in HOSTILE if matters else HOSTILE[::9]:
            found = taken(source, one.delivery(with_value(one.body, place, evil)))
            assert is_clean(found), (place, evil, found)
            if isinstance(found, m.Removal):
                assert (found.conversation_id, found.selector) == (
                    CONVERSATION,
                    m.Selector(m.SelectorKind.PHONE, PHONE),
                )
                assert value not in {CONVERSATION, PHONE}


@EACH
def test_our_own_form_is_always_understood(kind: str) -> None:
    """Our own form asks the same of every kind, a preview too, in the body where the proof covers it."""
    one, changes = SEATS[kind], {"table": None, "sys_id": None, "number": None}
    ticket = {"ticket": one.asks["ticket"]} if kind not in {"servicenow", "standard", "generic"} else {}
    for preview in (False, True):
        body = own(preview=preview, **changes, **ticket)
        found = taken(one.source(reports=[]), one.delivery(body))
        assert isinstance(found, m.Removal), found
        assert (found.conversation_id, found.selector.value, found.event_at, found.preview) == (
            CONVERSATION, PHONE, NOW, preview,
        )  # fmt: skip


@EACH
def test_verified_is_not_yet_read(kind: str) -> None:
    """A body that is proved and is not UTF-8, empty, or not strict JSON is Malformed."""
    source, one = SOURCES[kind], SEATS[kind]
    for body in (b"", b"\xff\xfenot utf8", b'{"a":1,"a":1}', b'{"a":NaN}', b"{", b'{"a":"\\ud800"}'):
        arriving = one.delivery(body)
        verified = source.verify(arriving)
        with pytest.raises(Malformed):
            source.parse(arriving, verified)


@pytest.mark.parametrize("kind", ["servicenow", "standard", "generic", "salesforce"])
def test_other_things_are_not_done(kind: str) -> None:
    """A signed wish for anything but a removal is refused or ignored."""
    source, one = SOURCES[kind], SEATS[kind]
    assert "does one thing" in str(taken(source, one.delivery(flat(action="transfer"))))
    assert isinstance(taken(source, one.delivery(b'{"type":"ping"}')), m.Ignored)
    assert "caller.remove" in str(taken(source, one.delivery(b'{"hello":"world"}')))


NAMES = st.sampled_from(
    sorted(
        {name for one in SEATS.values() for name in one.proof(b"", one.secret)[0]}
        | {"content-type", "svix-id", "svix-timestamp", "svix-signature", "x-slack-retry-num"}
    )
).map(lambda name: name.lower().encode())


@EACH
@settings(deadline=None, max_examples=20)  # a busy machine is no failure
@given(st.lists(st.tuples(NAMES, st.binary(max_size=60)), max_size=6), st.binary(max_size=60), st.binary(max_size=40))
def test_any_headers_are_a_refusal(kind: str, headers: list[tuple[bytes, bytes]], body: bytes, query: bytes) -> None:
    """Whatever bytes arrive, the answer is BadSignature and never another exception."""
    with pytest.raises(BadSignature):
        SOURCES[kind].verify(m.Delivery("desk", tuple(headers), body, NOW, query))


FIELDS = [
    "conversation_id", "participant_id", "external_contact_id", "user_id", "caller_phone", "phone", "medium", "table",
    "sys_id", "ticket", "number", "requested_by", "actor", "reason", "preview", "timestamp", "action", "type", "data",
    "communication_id", "purpose", "attribute", "conversationId", "participantId", "link", "value", "payload", "text",
]  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from([*EVIL_IDS[:-3], CONVERSATION, PHONE, "disconnect", "caller.remove", "2026-11-20T09:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=5,
)
CLEAN: dict[m.SelectorKind, Callable[[str], str | None]] = {
    m.SelectorKind.PHONE: m.phone_in,
    m.SelectorKind.PURPOSE: lambda text: text.lower() if text.isascii() and text.isprintable() else None,
    m.SelectorKind.ATTRIBUTE: lambda text: text if all(text.partition("=")) and len(text) <= 357 else None,
}


def is_read_cleanly(kind: str, body: bytes) -> None:
    """Assert that a body that is proved is read as a clean removal, ignored, or refused by us."""
    try:
        found = SOURCES[kind].parse(SEATS[kind].delivery(body), VERIFIED)
    except Refused as refused:
        refused.sentence.encode()
        return
    for part in [it.asked for it in found.parts] if isinstance(found, m.Batch) else [found]:
        if isinstance(part, m.Removal):
            assert m.uuid_in(part.conversation_id) == part.conversation_id
            for selector in filter(None, (part.selector, part.identity)):
                assert CLEAN.get(selector.kind, m.uuid_in)(selector.value) == selector.value
        assert is_clean(part)


@EACH
@settings(deadline=None, max_examples=20)  # a busy machine is no failure
@given(st.data())
def test_any_fields(kind: str, data: st.DataObject) -> None:
    """Whatever stands in any places of the sample, or of our own forms, the answer is clean, or a refusal of ours."""
    body = SEATS[kind].body
    found = places(body)
    for place in data.draw(st.lists(st.sampled_from(sorted(found, key=str)), max_size=4, unique=True)):
        body = with_value(body, place, data.draw(VALUES))
    is_read_cleanly(kind, body)
    fields = data.draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
    is_read_cleanly(kind, own(**fields))
    is_read_cleanly(kind, json.dumps(fields).encode())


@EACH
@settings(deadline=None, max_examples=20)  # a busy machine is no failure
@given(st.binary(max_size=120) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body(kind: str, body: bytes) -> None:
    """Whatever bytes are proved, the answer is a reading or a refusal of ours."""
    arriving = SEATS[kind].delivery(body)
    SOURCES[kind].verify(arriving)
    is_read_cleanly(kind, body)


def test_a_new_kind_is_taken_up() -> None:
    """Every kind in the register has its seat, with settings that work and a sample that names them all."""
    assert SEATS.keys() == KINDS.keys()
    for one in SEATS.values():
        wanted: dict[str, Any] = dict(one.asks)
        assert {"conversation_id", "caller_phone", "ticket", "requester", "event_at"} <= wanted.keys()
