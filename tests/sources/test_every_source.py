"""One conformance suite for all kinds of source: whatever arrives is proved and read, or refused in our own words."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.errors import BadSignature, Malformed, Refused, Stale, Unreadable
from service.core.ports import Source
from service.sources import KINDS
from tests.sources.senders import (
    CONVERSATION,
    NOW,
    OTHER_SECRET,
    SECRET,
    VERIFIED,
    built,
    delivery,
    flat,
    own,
    with_header,
)
from tests.sources.test_reading import EVIL_IDS

SIGNED = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
FORMS: dict[str, Callable[..., bytes]] = {"own": own, "flat": flat}
FIELDS = (
    "conversation_id", "participant_id", "external_contact_id", "user_id", "caller_phone", "phone", "medium", "table",
    "sys_id", "ticket", "number", "requested_by", "actor", "reason", "preview", "timestamp", "action", "type", "data",
    "communication_id", "purpose", "attribute",
)  # fmt: skip
ID_FIELDS = (
    "conversation_id", "participant_id", "external_contact_id", "user_id", "communication_id", "caller_phone", "medium",
)  # fmt: skip

# how a value reads that needs no more care
CLEAN: dict[m.SelectorKind, Callable[[str], str | None]] = {
    m.SelectorKind.PHONE: m.phone_in,
    m.SelectorKind.PURPOSE: lambda text: text.lower() if text.isascii() and text.isprintable() else None,
    m.SelectorKind.ATTRIBUTE: lambda text: text if all(text.partition("=")) and len(text) <= 357 else None,
}


@pytest.fixture(params=list(KINDS))
def source(request: pytest.FixtureRequest) -> Source:
    """Give each kind in turn."""
    return built(request.param)


@pytest.fixture(params=list(FORMS))
def form(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    """Give each form in turn."""
    return FORMS[request.param]


def taken(source: Source, arriving: m.Delivery) -> m.Removal | m.Ignored | m.Batch:
    """Take a delivery in as intake does: verify, then parse."""
    return source.parse(arriving, source.verify(arriving))


def test_what_is_signed_is_taken(source: Source, form: Callable[..., bytes]) -> None:
    """A signed sample of either form becomes a removal from the conversation it names."""
    found = taken(source, delivery(form()))
    assert isinstance(found, m.Removal)
    assert (found.conversation_id, found.event_at, found.preview) == (CONVERSATION, NOW, False)


def test_proof(source: Source) -> None:
    """What was proved is the id, the time and which secret it was."""
    verified = source.verify(delivery(own(), webhook_id=b"INC0010112:9d385017:3"))
    assert (verified.signed_id, verified.stamped_at) == ("INC0010112:9d385017:3", NOW)
    assert len(bytes.fromhex(verified.secret_fingerprint)) == 4


def test_preview_stands_in_the_signed_body(source: Source, form: Callable[..., bytes]) -> None:
    """A preview is asked for in the body, where the signature covers it."""
    found = taken(source, delivery(form(preview=True)))
    assert isinstance(found, m.Removal)
    assert found.preview


def forged() -> Iterator[m.Delivery]:
    """Yield deliveries that were tampered with: each bit, each truncation, each header missing, doubled or swapped."""
    good = delivery(flat())
    for bit in range(len(good.body) * 8):
        changed = bytearray(good.body)
        changed[bit // 8] ^= 1 << bit % 8
        yield replace(good, body=bytes(changed))
    for end in range(len(good.body)):
        yield replace(good, body=good.body[:end])
    for extra in (b" ", b"\n", b"\x00", b"{}"):
        yield replace(good, body=good.body + extra)
        yield replace(good, body=extra + good.body)
    for name in SIGNED:
        value = good.header(name) or b""
        for bit in range(len(value) * 8):
            turned = bytearray(value)
            turned[bit // 8] ^= 1 << bit % 8
            yield with_header(good, name, bytes(turned))
        for end in range(len(value)):
            yield with_header(good, name, value[:end])
        for values in ((), (value, value), (value, b""), (b"", value), (value + b" ",) if name != SIGNED[2] else ()):
            yield with_header(good, name, *values)
        for other in SIGNED:
            if other != name:
                yield with_header(good, name, good.header(other) or b"")


def test_forgeries(source: Source) -> None:
    """No delivery that was tampered with is taken: every bit, every cut, every header trick is a BadSignature."""
    tried = 0
    for arriving in forged():
        with pytest.raises(BadSignature):
            source.verify(arriving)
        tried += 1
    assert tried > 1_400


def test_time(source: Source) -> None:
    """A delivery is good for five minutes, and stale after that though it is signed."""
    for away in (-300_000, 300_000):
        assert source.verify(delivery(own(), at=NOW + away)).stamped_at == NOW
    for away in (-300_001, 300_001, 86_400_000):
        with pytest.raises(Stale) as caught:
            source.verify(delivery(own(), at=NOW + away))
        assert caught.value.secret_fingerprint == source.verify(delivery(own())).secret_fingerprint


@pytest.mark.parametrize("kind", list(KINDS))
def test_secrets(kind: str) -> None:
    """Another source's secret opens nothing; during a rotation both secrets do."""
    with pytest.raises(BadSignature):
        built(kind).verify(delivery(own(), secret=OTHER_SECRET))
    with pytest.raises(BadSignature):
        built(kind, secrets=[OTHER_SECRET]).verify(delivery(own()))
    both = built(kind, secrets=[OTHER_SECRET, SECRET])
    names = {both.verify(delivery(own(), secret=secret)).secret_fingerprint for secret in (SECRET, OTHER_SECRET)}
    assert len(names) == 2


def test_evil_ids(source: Source, form: Callable[..., bytes]) -> None:
    """What is no id is refused in every field that names somebody or something, in words that can be shown."""
    for name in ID_FIELDS:
        for evil in EVIL_IDS:
            with pytest.raises(Unreadable) as caught:
                source.parse(delivery(form(**{name: evil, _camel(name): None})), VERIFIED)
            caught.value.sentence.encode()
            assert caught.value.sentence.isprintable()
            assert len(caught.value.sentence) < 400


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    camel = head + "".join(part.capitalize() for part in tail)
    return camel if camel != name else "no_such_field"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from([*EVIL_IDS[:-3], CONVERSATION, "disconnect", "caller.remove", "2026-11-20T09:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "link", "value"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", list(KINDS))
@settings(deadline=None)  # a busy machine is no failure
@given(
    st.dictionaries(st.sampled_from([*FIELDS, *map(_camel, FIELDS)]), VALUES, max_size=8), st.sampled_from(list(FORMS))
)
def test_any_fields(kind: str, fields: dict[str, object], form: str) -> None:
    """Whatever stands in the fields, the answer is a clean removal or a refusal of ours."""
    try:
        found = built(kind).parse(delivery(FORMS[form](**fields)), VERIFIED)
    except Refused as refused:
        refused.sentence.encode()
        return
    if isinstance(found, m.Removal):
        assert m.uuid_in(found.conversation_id) == found.conversation_id
        for selector in filter(None, (found.selector, found.identity)):
            assert CLEAN.get(selector.kind, m.uuid_in)(selector.value) == selector.value
        assert found.ticket is None or found.ticket.reference.isprintable()


@pytest.mark.parametrize("kind", list(KINDS))
@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=120) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body(kind: str, body: bytes) -> None:
    """Whatever bytes are signed, the answer is a reading or a refusal of ours."""
    source = built(kind)
    arriving = delivery(body)
    verified = source.verify(arriving)
    try:
        assert isinstance(source.parse(arriving, verified), m.Removal | m.Ignored)
    except Refused as refused:
        refused.sentence.encode()


def test_verified_is_not_yet_read(source: Source) -> None:
    """A signed body that is not UTF-8, or empty, is proved, and then Malformed."""
    for body in (b"", b"\xff\xfenot utf8", b"[1]", b'{"a":1,"a":1}', b'{"a":NaN}'):
        arriving = delivery(body)
        verified = source.verify(arriving)
        with pytest.raises(Malformed):
            source.parse(arriving, verified)


def test_other_things_are_not_done(source: Source) -> None:
    """A signed wish for anything but a removal is refused or ignored."""
    with pytest.raises(Unreadable, match="does one thing"):
        taken(source, delivery(flat(action="transfer")))
    assert isinstance(taken(source, delivery(b'{"type":"ping"}')), m.Ignored)
    with pytest.raises(Unreadable, match=r"caller\.remove"):
        taken(source, delivery(b'{"hello":"world"}'))
