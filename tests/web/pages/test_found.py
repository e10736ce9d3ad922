"""What is looked for stands in the address, and what is wrong with it is said in words, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core import model as m
from service.web.pages import found
from tests.web.doors import CONVERSATION, NOW, PHONE
from tests.web.samples import ACTION, SETTLED

ORGS, SOURCES = ("acme", "other"), ("desk",)


def asked(after: str = "", **said: str) -> found.Wanted:
    """Read an address."""
    return found.wanted(said, ORGS, SOURCES, after)


def test_nothing_is_asked() -> None:
    """An address without a question asks for everything of all orgs."""
    wanted = asked()
    assert (wanted.search, wanted.orgs, wanted.faults) == (m.Search(), ORGS, ())
    assert wanted.is_any
    assert wanted.address() == "?"


def test_everything_is_asked() -> None:
    """Each field narrows, and the same address can be made again from what was read, with one of them changed."""
    wanted = asked(
        q=" INC 1&x ", org="acme", source="desk", outcome="open", since="2026-11-20T09:00", until="2026-11-21"
    )
    assert wanted.search == m.Search("INC 1&x", "desk", "open", 1_795_165_200_000, 1_795_219_200_000)
    assert wanted.orgs == ("acme",)
    assert not wanted.is_any
    address = wanted.address(outcome="failed", after="x")
    assert address.startswith("?q=INC+1%26x&org=acme&source=desk&outcome=failed&since=2026-11-20T09%3A00")
    assert address.endswith("&after=x")


@pytest.mark.parametrize(
    "text, at",
    [
        ("2026-11-20T09:00:01", 1_795_165_201_000),
        ("2026-11-20 09:00", 1_795_165_200_000),
        ("2026-11-20 09:00:01Z", 1_795_165_201_000),
        ("1969-01-01", 0),
    ],
)
def test_moments(text: str, at: int) -> None:
    """A moment is taken as a browser or a person writes it, in UTC."""
    wanted = asked(since=text)
    assert (wanted.search.since_at, wanted.faults) == (at, ())


@pytest.mark.parametrize(
    "said, words",
    [
        ({"q": "x" * 201}, "longer than 200 characters"),
        ({"org": "evil\u202e"}, "There is no org “evil�”; there is acme, other."),
        ({"source": "none"}, "There is no source"),
        ({"outcome": "won"}, "There is no outcome"),
        ({"since": "yesterday"}, "“yesterday” is no moment"),
        ({"since": "2026-11-21", "until": "2026-11-20"}, "not before"),
    ],
)
def test_faults(said: dict[str, str], words: str) -> None:
    """What cannot be looked for is said, with what can be."""
    (fault,) = asked(**said).faults
    assert words in fault


def test_all_faults_at_once() -> None:
    """Whoever made three mistakes hears of three."""
    assert len(asked(org="x", source="y", until="z").faults) == 3


def test_no_source_is_configured() -> None:
    """Where there is nothing to choose from, the fault says that there is none."""
    assert "there is none" in found.wanted({"source": "desk"}, (), ()).faults[0]


def test_an_ended_action_as_a_row() -> None:
    """A row tells when, how it ended and why, who was asked for (no whole number), by whom, and how long it took."""
    row = found.row(SETTLED, f"call {PHONE}", NOW)
    assert (row.outcome.word, row.reason, row.took) == ("failed", "genesys refused", "10.0 s")
    assert (row.asked, row.requester, row.ticket) == ("number …0123", "beth.anglin", "INC1")
    assert (row.conversation, row.explanation, row.marks) == (CONVERSATION, "call …0123", ())


def test_an_open_action_as_a_row() -> None:
    """While it is open, a row tells why it waits, for how long so far, and what is particular about it."""
    held = replace(
        ACTION,
        progress=m.Progress(held_by="genesys_unreachable"),
        replay_of="acme.0",
        is_shadow=True,
        is_over_rate=True,
        removal=replace(ACTION.removal, preview=True),
    )
    row = found.row(held, "", NOW + 4000)
    assert (row.outcome.word, row.reason, row.took) == ("open", "genesys unreachable", "5.0 s")
    assert row.marks == ("preview", "replay", "only watched", "over his rate")
