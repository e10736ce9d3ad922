"""The screen: plain lines without a terminal, and nothing of a note taken for markup."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console

from service.demo.screen import Screen, Unwatched
from service.demo.world import Conference, Json
from tests.demo.conftest import START_MS, Watched

CONFERENCE = Conference(3, "0f9a1d4e-0000-4000-8000-000000000001", "c", {"number": "INC0010114"})


def moment(ms: int) -> str:
    """Return a moment after the start as the door writes it."""
    return datetime.fromtimestamp((START_MS + ms) / 1000, UTC).isoformat(timespec="milliseconds")


def entry(verb: str, ms: int, **known: object) -> Json:
    """Return a line of a timeline."""
    return {"verb": verb, "at": moment(ms), "worker": "", "status": None, "note": ""} | known


def test_times(screen: Screen, stream: Watched) -> None:
    """Times count from the start: the moment of the line, or the one it is about."""
    screen.saw("now")
    screen.saw("then", at=START_MS + 1_500)
    assert stream.getvalue().splitlines() == ["   +0.25 s  now", "   +1.50 s  then"]


def test_wrapping(screen: Screen, stream: Watched) -> None:
    """A long sentence goes on under its beginning; text to be copied stays one line."""
    screen.scene(1, "A scene", "word " * 40)
    screen.verbatim("curl " * 40)
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["", "1. A scene"]
    assert lines[3].startswith(" " * 12 + "word")
    assert max(map(len, lines[:4])) <= 120
    assert len(lines[4]) == 200


def test_narrow_terminal() -> None:
    """In a terminal its own width counts, and a very narrow one does not break the lines to pieces."""
    stream = Watched()
    screen = Screen(Console(file=stream, force_terminal=True, width=20, color_system=None), lambda: START_MS)
    screen.saw("one two three four five six seven eight nine ten")
    assert len(stream.getvalue().splitlines()) == 2


def test_nobody_reads() -> None:
    """When whoever read has gone, that is an error like others and not the end of the program."""

    class Closed(Console):
        def print(self, *objects: object, **options: object) -> None:
            raise SystemExit(1)

    with pytest.raises(Unwatched):
        Screen(Closed(file=Watched()), lambda: START_MS).say("Hello?")


def test_people(screen: Screen, stream: Watched) -> None:
    """Who is there and who has gone stand apart."""
    there, gone = {"name": "Beth", "present": True}, {"name": "Caller", "present": False}
    screen.conference(CONFERENCE, [there, gone])
    screen.people([there, gone])
    screen.people([gone])
    screen.people([there])
    assert [line.partition("  ")[2].strip() for line in stream.getvalue().splitlines()] == [
        "+0.25 s  Conference 3, ticket INC0010114. On the call: Beth, Caller.",
        "+0.25 s  On the call: Beth. Gone: Caller.",
        "+0.25 s  On the call: nobody. Gone: Caller.",
        "+0.25 s  On the call: Beth.",
    ]


def test_timeline(screen: Screen, stream: Watched) -> None:
    """A timeline is one line of verbs, with statuses, in milliseconds from the accept."""
    screen.timeline([entry("verify", 0), entry("accept", 0), entry("look", 12, status=200), entry("settle", 40)])
    screen.step(entry("claim", 500, worker="w1", note="lapses 1", status=200))
    screen.step(entry("accept", 750))
    assert [line.strip() for line in stream.getvalue().splitlines()] == [
        "+0.25 s  verify, accept, look (200) +12, settle +40 ms",
        "+0.50 s  claim by w1, answered 200: lapses 1",
        "+0.75 s  accept",
    ]


def test_notes(screen: Screen, stream: Watched) -> None:
    """Notes stand as they were written, brackets and all; a ticket without one says so."""
    told = {"number": "INC1", "work_notes": [{"text": "Removed. [bold] [disconnected, acme.1]"}]}
    screen.notes([told, {"number": "INC2", "work_notes": []}])
    assert [line.split(maxsplit=1) for line in stream.getvalue().splitlines()] == [
        ["INC1", "Removed. [bold] [disconnected, acme.1]"],
        ["INC2", "(no note)"],
    ]


def test_calls(screen: Screen, stream: Watched) -> None:
    """Each call that could change something is shown with its conference; looks and the desk's are only counted out."""
    at, person = START_MS / 1000 + 2, "aaaaaaaa-0000-4000-8000-000000000001"
    path = f"/api/v2/conversations/{CONFERENCE.conversation_id}/participants/{person}"
    listed: list[Json] = [
        {"service": "genesys", "method": "GET", "path": path, "at": at, "status": 200, "effect": "none"},
        {"service": "genesys", "method": "PATCH", "path": path, "at": at, "status": 409, "effect": False},
        {"service": "genesys", "method": "PATCH", "path": path, "at": at, "status": 202, "effect": True},
        {"service": "genesys", "method": "POST", "path": "/elsewhere", "at": at, "status": 404, "effect": "none"},
        {"service": "desk", "method": "PATCH", "path": "/api/now", "at": at, "status": 200, "effect": True},
    ]
    screen.calls(listed, [CONFERENCE])
    short = "PATCH /api/v2/conversations/0f9a1d4e…/participants/aaaaaaaa…"
    assert [line.strip() for line in stream.getvalue().splitlines()] == [
        f"+2.00 s  conference 3: {short}, answered 409, nobody left",
        f"+2.00 s  conference 3: {short}, answered 202, somebody left",
        "+2.00 s  ?: POST /elsewhere, answered 404, nobody left",
        "+0.25 s  And 1 looks (GET), which change nothing.",
    ]
