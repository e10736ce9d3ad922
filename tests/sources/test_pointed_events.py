"""Deliveries that settings describe: which events one holds, forms and lists, and how a system says hello."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from service.core import model as m
from service.core.errors import Malformed, Unreadable
from service.sources.pointed import MOST_PARTS, AskOptions, Event, events_in, json_in
from tests.sources.test_pointed import options


def events(ask: AskOptions, value: object) -> list[Any]:
    """Return the events that a body holds."""
    found = events_in(ask, json.dumps(value).encode())
    assert isinstance(found, tuple)
    return [event.value for event in found]


def test_one_event() -> None:
    """Where no list is said the body is the one event, known by its bytes as they came."""
    body = b'{ "c": 1 }'
    assert events_in(options(), body) == (Event(body, {"c": 1}),)
    for bad in (b"[]", b"7", b"", b"{", b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}'):
        with pytest.raises(Malformed):
            events_in(options(), bad)


@pytest.mark.parametrize(
    "at, value, found",
    [
        ("/list", {"list": [{"a": 1}, {"b": 2}]}, [{"a": 1}, {"b": 2}]),
        ("/list", {"list": {"a": 1}}, [{"a": 1}]),
        ("", [{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]),
        ("", {"a": 1}, [{"a": 1}]),
        ("/0/list", {"0": {"list": [{"a": 1}]}}, [{"a": 1}]),
    ],
)
def test_several_events(at: str, value: object, found: list[object]) -> None:
    """A list of events is where the settings say, or the whole body; one event alone may stand there too."""
    assert events(options(events=at), value) == found


@pytest.mark.parametrize(
    "at, value, words",
    [
        ("/list", {}, "there is no list of events at /list"), ("/list", {"list": []}, "no list of events at /list"),
        ("/list", {"list": "x"}, "no list of events"), ("/list", {"list": 7}, "no list of events"),
        ("", [], "no list of events at the top of the body"), ("", "x", "no list of events"), ("", None, "no list"),
        ("", [{}] * (MOST_PARTS + 1), "there are 101 events; at most 100"), ("", [{}, 7], "an event is no object"),
        ("", [[{}]], "an event is no object"), ("", [None], "an event is no object"),
    ],
)  # fmt: skip
def test_lists_that_are_none(at: str, value: object, words: str) -> None:
    """No list, an empty one, one that is too long or holds something else is refused in words."""
    with pytest.raises(Unreadable, match=words):
        events_in(options(events=at), json.dumps(value).encode())
    assert len(events(options(events=""), [{}] * MOST_PARTS)) == MOST_PARTS


def test_events_are_known_again() -> None:
    """An event has the same bytes however its list is written and wherever it stands, but for what always changes."""
    ask = options(events="", changing=["tries"])

    def bodies(text: str) -> list[bytes]:
        found = events_in(ask, text.encode())
        assert isinstance(found, tuple)
        return [event.body for event in found]

    first = bodies('[{"a": "\u00e9", "b": {"c": 1}, "tries": 0}, {"a": 2}]')
    again = bodies('[{"a":2,"tries":3},{"tries":1,"b":{"c":1},"a":"\\u00e9"}]')
    assert first == again[::-1]
    assert len(set(first) | set(bodies('[{"a":"\u00e9","b":{"c":2}},{"a":2,"x":{"tries":1}}]'))) == 4
    (event,) = bodies('[{"c":1,"tries":5}]')
    assert json.loads(event) == {"c": 1}


def test_forms() -> None:
    """JSON that stands in a field of a form is read from there, escaped as forms are, once."""
    body = urlencode({"token": "x", "payload": '{"c":"\u00e9&="}', "": ""}).encode()
    assert json_in(body, "payload").decode() == '{"c":"\u00e9&="}'
    assert json_in(b"anything", "") == b"anything"
    assert events_in(options(form="payload"), b"payload=%7B%22c%22:1%7D") == (
        Event(b"payload=%7B%22c%22:1%7D", {"c": 1}),
    )


@pytest.mark.parametrize(
    "body, words",
    [
        (b"", "has 0 fields called payload"), (b"x=1", "has 0 fields called payload"), (b"{}", "has 0 fields called"),
        (b"payload={}&payload={}", "has 2 fields called payload"),
        (b"payload={}&payload", "has 2 fields called payload"),
        (b"\xff=1", "no form in UTF-8"), (b"payload=%ff", "no form in UTF-8"), (b"a&" * 101, "no form in UTF-8"),
        (b"payload=", "not JSON"), (b"payload=[]", "not an object"), (b"payload=%7B%22a%22:1,%22a%22:2%7D", "twice"),
        (quote_plus('payload={"c":1}').encode(), "has 0 fields"),
    ],
)  # fmt: skip
def test_forms_that_are_none(body: bytes, words: str) -> None:
    """A form without that field, with two of it, or with something else in it is malformed."""
    with pytest.raises(Malformed, match=words):
        events_in(options(form="payload"), body)


def test_greetings() -> None:
    """A greeting is answered with what its system wants to read, and is never an event."""
    ask = options(
        events="/events",
        greetings=[
            {"at": "/type", "is": ["hello"], "answer": {"challenge": "/challenge", "none": "/nowhere"}},
            {"at": "/type", "is": ["ping", "pong"]},
        ],
    )
    hello = events_in(ask, b'{"type":"hello","challenge":"c-1"}')
    assert hello == m.Ignored("a greeting", {"challenge": "c-1", "none": None})
    assert events_in(ask, b'{"type":"pong"}') == m.Ignored("a greeting")
    with pytest.raises(Unreadable, match="no list"):
        events_in(ask, b'{"type":"Hello"}')
    assert events_in(options(greetings=[{"at": "/0/x", "is": ["7"]}], events=""), b'[{"x":7}]') == m.Ignored(
        "a greeting"
    )
