"""Bodies that settings describe: which events they hold, which of them count, what they ask, and in which words not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.core import model as m
from service.core.errors import Refused, Unreadable
from service.sources.asking import clicked_at, removal_in
from service.sources.pointed import AskOptions, Event, events_in, ignored_in, placed
from tests.sources.senders import CONVERSATION, NOW, PARTICIPANT, PHONE

LEAST: dict[str, object] = {"conversation_id": "/c", "caller_phone": "/p"}


def options(**said: object) -> AskOptions:
    """Return settings with at least what is needed."""
    return AskOptions.model_validate(LEAST | said)


def faults(**said: object) -> str:
    """Return what is said of settings that cannot be used."""
    with pytest.raises(ValidationError) as caught:
        AskOptions.model_validate(said)
    return str(caught.value)


def one(value: object) -> Event:
    """Return an event."""
    assert isinstance(value, dict)
    return Event(json.dumps(value).encode(), value)


EVERYTHING: dict[str, object] = {
    "conversation_id": "/call/id",
    "participant_id": "/call/who",
    "communication_id": "/call/leg",
    "external_contact_id": "/contact",
    "user_id": "/user",
    "caller_phone": {"at": "/text", "pattern": r"remove (\S+)"},
    "attribute": "/attribute",
    "purpose": "/purpose",
    "medium": "/medium",
    "preview": "/dry",
    "ticket": "/ticket/id",
    "number": "/ticket/number",
    "requested_by": "/agent",
    "actor": "/actor",
    "reason": "/why",
    "timestamp": "/at",
}


def test_everything_is_found_in_its_place() -> None:
    """Each field is read where the settings say that it stands, under the names of our own forms."""
    event = {
        "call": {"id": CONVERSATION.upper()},
        "text": f"please remove {PHONE} now",
        "attribute": {"key": "customerId", "value": "4711"},
        "medium": "voice",
        "dry": True,
        "ticket": {"id": 123, "number": "T-123"},
        "agent": "beth",
        "actor": "robot",
        "why": "abusive\ncaller",
        "at": "2026-11-20T09:00:00Z",
    }
    asked = AskOptions.model_validate(EVERYTHING).found(event)
    assert removal_in(asked, None, clicked_at(asked, None, None, may_be_untimed=False)) == m.Removal(
        conversation_id=CONVERSATION,
        selector=m.Selector(m.SelectorKind.PHONE, PHONE),
        identity=m.Selector(m.SelectorKind.ATTRIBUTE, "customerId=4711"),
        medium=m.Medium.VOICE,
        preview=True,
        requester="beth",
        reason="abusive caller",
        event_at=NOW,
    )
    assert (asked.fields.word("ticket", 9), asked.fields.word("number", 9), asked.actor) == ("123", "T-123", "robot")


@pytest.mark.parametrize(
    "name, value",
    [
        ("participant_id", PARTICIPANT), ("communication_id", PARTICIPANT), ("external_contact_id", PARTICIPANT),
        ("user_id", PARTICIPANT), ("caller_phone", PHONE), ("attribute", "k=v"), ("purpose", "customer"),
    ],
)  # fmt: skip
def test_each_way_to_name_somebody(name: str, value: str) -> None:
    """One place for who is to leave is enough, whichever way it names him."""
    ask = AskOptions.model_validate({"conversation_id": "/c", name: "/who"})
    selector = removal_in(ask.found({"c": CONVERSATION, "who": value}), None, NOW).selector
    assert selector == m.Selector(m.SelectorKind(name.removeprefix("caller_")), value)


@pytest.mark.parametrize("value", [7, True, 1.5, [], ["x"], {"a": 1}])
def test_what_is_no_text_names_nobody(value: object) -> None:
    """A number, a list or an object in the place of a person or a conversation is refused in words."""
    for event in ({"c": CONVERSATION, "p": value}, {"c": value, "p": PHONE}):
        with pytest.raises(Unreadable):
            removal_in(options().found(event), None, NOW)


def test_a_text_that_names_two() -> None:
    """A text that names two people, or two conversations, names nobody; the same one twice is one."""
    who = {"at": "/t", "pattern": r"(\+[0-9]+)"}
    ask = AskOptions.model_validate({"conversation_id": {"at": "/t", "pattern": "c=(\\S+)"}, "caller_phone": who})
    line = f"c={CONVERSATION} {PHONE}"
    found = removal_in(ask.found({"t": f"{line} {PHONE}"}), None, NOW)
    assert (found.conversation_id, found.selector.value) == (CONVERSATION, PHONE)
    for more, name in ((" +14155550124", "caller_phone"), (f" c={PARTICIPANT}", "conversation_id")):
        with pytest.raises(Unreadable, match=f"^{name} is said in more than one way in one text"):
            ask.found({"t": line + more})
    # what a text is about may well be said twice
    assert options(reason={"at": "/t", "pattern": "(a.)"}).found({"t": "ab ac"}).fields.word("reason", 9) == "ab"


def test_nothing_there() -> None:
    """What stands nowhere, is null or empty is absent: without a conversation or a person there is no removal."""
    for event in ({}, dict.fromkeys("cp"), dict.fromkeys("cp", ""), {"c": CONVERSATION}, {"p": PHONE}):
        with pytest.raises(Unreadable, match=r"conversation_id is missing|nobody is named"):
            removal_in(options().found(event), None, NOW)


FAULTS: list[tuple[dict[str, object], str]] = [
    ({}, "conversation_id"),
    ({"conversation_id": "/c"}, "says nowhere who is to leave"),
    ({"conversation_id": "/c", "medium": "/m", "ticket": "/t"}, "says nowhere who is to leave"),
    (LEAST | {"conversation_id": "c"}, "is a JSON pointer"),
    (LEAST | {"ticket": ""}, "is a JSON pointer"),
    (LEAST | {"when": [{"at": "/e"}]}, "is\n"),
    (LEAST | {"when": [{"at": "/e", "is": []}]}, "at least 1"),
    (LEAST | {"when": [{"at": "/e", "is": ["x"], "not": ["y"]}]}, "Extra inputs"),
    (LEAST | {"when": [{"at": "/e", "values": ["x"]}]}, "Extra inputs"),
    (LEAST | {"greetings": [{"at": "/e", "is": ["x"], "answer": {"challenge": "c"}}]}, "is a JSON pointer"),
    (LEAST | {"changing": ["n"]}, 'changing: is of events; where the body is the one event, say events = ""'),
    (LEAST | {"timestamp_form": "iso"}, "timestamp_form"),
    (LEAST | {"phone": "/p"}, "Extra inputs"),
]


@pytest.mark.parametrize("said, words", FAULTS)
def test_faults(said: dict[str, object], words: str) -> None:
    """Settings that name no place, or nobody, are a fault in words."""
    assert words in faults(**said)


def test_the_places_for_sentences() -> None:
    """The places are known by the names of our fields, and a refusal that begins with one says where it is read."""
    ask = options(ticket="/t/~1", events="/list")
    assert dict(ask.places) == {"events": "/list", "conversation_id": "/c", "caller_phone": "/p", "ticket": "/t/~1"}
    assert placed(ask, Unreadable("caller_phone is no phone number")).sentence == (
        "caller_phone is no phone number (this source reads caller_phone at /p)"
    )
    assert placed(ask, Unreadable("ticket: is odd")).sentence.endswith("(this source reads ticket at /t/~1)")
    assert placed(ask, Unreadable("nobody is named")).sentence == "nobody is named"


def test_when() -> None:
    """All conditions must hold, by one of their values each; else the delivery asks nothing, and it is said which."""
    ask = options(when=[{"at": "/type", "is": ["a", "b"]}, {"at": "/go", "is": ["true", "1"]}])
    for go in (True, 1, "1", "true"):
        assert ignored_in(ask, one({"type": "b", "go": go})) is None
    assert ignored_in(ask, one({"type": "c", "go": True})) == m.Ignored("/type is c; a removal is asked by a or b")
    for nothing in ({"type": "a"}, {"type": "a", "go": None}, {"type": "a", "go": {}}, {"type": "a", "go": 1.0}):
        assert ignored_in(ask, one(nothing)) == m.Ignored("/go is nothing; a removal is asked by true or 1")
    long = ignored_in(ask, one({"type": PHONE + "\u202e" + "x" * 900}))
    assert long is not None
    assert len(long.reason) < 200
    assert long.reason.isprintable()
    assert PHONE not in long.reason


@pytest.mark.parametrize("place", ["requested_by", "actor"])
def test_our_own_echo(place: str) -> None:
    """What our own note causes is ignored, however our name is cased; what others cause is not."""
    ask = options(ours=["Onhook", "4711"], **{place: "/who"})
    for ours in ("onhook", "ONHOOK", "4711", 4711):
        assert ignored_in(ask, one({"who": ours})) == m.Ignored("sent because of our own note: the actor is ourselves")
    for event in [{}, {"who": None}, {"who": ["onhook"]}, *({"who": other} for other in ("beth", "", "onhook2"))]:
        assert ignored_in(ask, one(event)) is None
    assert ignored_in(options(ours=["onhook"]), one({"who": "onhook"})) is None
    assert ignored_in(options(**{place: "/who"}), one({"who": "onhook"})) is None


MOMENTS = [
    ("rfc3339", "2026-11-20T09:00:00Z", NOW), ("rfc3339", "2026-11-20T10:00:00.5+01:00", NOW + 500),
    ("seconds", 1795165200, NOW), ("seconds", "1795165200", NOW), ("milliseconds", 1795165200123, NOW + 123),
    ("milliseconds", "1795165200123", NOW + 123), ("minutes", "2026-11-20T09:00Z", NOW),
    ("minutes", "2026-11-20T10:00+01:00", NOW), ("minutes", "2026-11-20T09:00:07Z", NOW + 7_000), ("seconds", 0, 0),
]  # fmt: skip


@pytest.mark.parametrize("form, said, at", MOMENTS)
def test_moments(form: str, said: object, at: int) -> None:
    """A click's time is read in each form that systems write."""
    asked = options(timestamp="/t", timestamp_form=form).found({"t": said})
    assert clicked_at(asked, None, None, may_be_untimed=False) == at


@pytest.mark.parametrize(
    "form, said, words",
    [
        ("rfc3339", 1795165200, "must be text"), ("rfc3339", "soon", "is not a time"),
        ("rfc3339", "2026-11-20T09:00:00", "says no offset"), ("seconds", "2026-11-20T09:00:00Z", "is not a time in"),
        ("seconds", -1, "is not a time in seconds"), ("seconds", 1.5, "is not a time in"),
        ("seconds", True, "not a time"),
        ("seconds", "1795165200.5", "not a time in"), ("seconds", "\u0661", "not a time in"),
        ("seconds", [], "not a time"),
        ("seconds", 10**13, "never was"), ("seconds", 10**16, "is not a time in"), ("seconds", "", "not a time in"),
        ("milliseconds", 10**14, "is not a time in milliseconds"),
        ("milliseconds", "x", "is not a time in milliseconds"),
        ("minutes", "2026-11-20T09:00", "says no offset"), ("minutes", 7, "must be text"),
        ("minutes", "9:00", "not a time"),
    ],
)  # fmt: skip
def test_moments_that_are_none(form: str, said: object, words: str) -> None:
    """A time in another form is refused in words, never guessed at."""
    with pytest.raises(Unreadable, match=words):
        clicked_at(options(timestamp="/t", timestamp_form=form).found({"t": said}), None, None, may_be_untimed=False)


def test_no_moment() -> None:
    """Where no time is sent, or none is looked for, there is none."""
    for form in ("rfc3339", "minutes", "seconds", "milliseconds"):
        asked = options(timestamp="/t", timestamp_form=form).found({"t": None})
        assert clicked_at(asked, None, None, may_be_untimed=True) is None
    assert clicked_at(options().found({"timestamp": "2026-11-20T09:00:00Z"}), None, None, may_be_untimed=True) is None


def test_ids_of_events() -> None:
    """An event's own id is a text or a number of at most 200 characters, or none."""
    ask = options(delivery_id="/id")
    values: list[object] = ["e-1", 7, None, "", {}, 1.5, "x" * 200]
    found = [ask.id_of({"id": value}) for value in values]
    assert found == ["e-1", "7", "", "", "", "", "x" * 200]
    assert options().id_of({"id": "e-1"}) == ""
    with pytest.raises(Unreadable, match="has 201 characters; at most 200"):
        ask.id_of({"id": "x" * 201})


WHOLE = AskOptions.model_validate(
    {**EVERYTHING, "events": "/events", "delivery_id": "/id", "ours": ["onhook"], "timestamp_form": "seconds"}
    | {"when": [{"at": "/type", "is": ["remove"]}], "greetings": [{"at": "/ping", "is": ["1"], "answer": {"a": "/b"}}]}
)
KEYS = st.sampled_from(
    [
        "events",
        "id",
        "type",
        "call",
        "who",
        "leg",
        "contact",
        "user",
        "text",
        "attribute",
        "dry",
        "ticket",
        "at",
        "ping",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=9)
    | st.sampled_from([CONVERSATION, PHONE, "remove", f"remove {PHONE}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(KEYS, VALUES, max_size=4) | VALUES.map(lambda it: {"events": [it, {"type": "remove"}]}))
def test_any_body(value: dict[str, object]) -> None:
    """Whatever stands where, the answer is events, a reason to ignore, a removal, or a refusal of ours."""
    try:
        found = events_in(WHOLE, json.dumps(value).encode())
        for event in () if isinstance(found, m.Ignored) else found:
            if ignored_in(WHOLE, event) is None:
                WHOLE.id_of(event.value)
                removal_in(WHOLE.found(event.value), None, NOW)
    except Refused as refused:
        refused.sentence.encode()
