"""What is the same on all pages is said in one way, and never as somebody else wrote it."""

import pytest

from service.core import model as m
from service.web.pages import telling
from tests.web.doors import CONVERSATION, NOW, PHONE

PERSON = "3f2a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0, "just now"),
        (59.9, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_400, "1 d ago"),
        (900_000, "10 d ago"),
        (-1, "within a minute"),
        (-61, "in 1 min"),
        (-7300, "in 2 h"),
    ],
)
def test_ago(seconds: float, said: str) -> None:
    """How long ago something was is said in the largest whole unit, and what is to come as to come."""
    assert telling.ago(seconds) == said


@pytest.mark.parametrize(
    "seconds, said",
    [
        (-1, "0 ms"),
        (0.34, "340 ms"),
        (4.24, "4.2 s"),
        (185, "3 min 5 s"),
        (7500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_span(seconds: float, said: str) -> None:
    """A duration is told in the two largest units that say something, and never as less than nothing."""
    assert telling.span(seconds) == said


def test_when() -> None:
    """A moment is told to programs with milliseconds, to people to the second; no moment is none."""
    assert telling.when(NOW - 90_000, NOW) == telling.When(
        "2026-11-20T08:58:30.123Z", "2026-11-20 08:58:30 UTC", "1 min ago"
    )
    assert telling.when(0, NOW) is None


@pytest.mark.parametrize(
    "text, shown",
    [
        ("call +1 (415) 555-0123 now", "call …0123 now"),
        ("a\nb\x1b[31m", "a�b�[31m"),
        ("abc\u202edef\u200b", "abc�def�"),
        ("<script>{{7*7}}", "<script>{{7*7}}"),
        ("x" * 301, "x" * 300 + "…"),
        ("x" * 300, "x" * 300),
    ],
)
def test_safe(text: str, shown: str) -> None:
    """Others' text loses what turns or hides it, whole numbers and its end when it is long; the template escapes it."""
    assert telling.safe(text) == shown


@pytest.mark.parametrize("kind", list(m.OutcomeKind))
def test_every_outcome_has_a_badge(kind: m.OutcomeKind) -> None:
    """Each outcome is a word in a colour, and the word alone says which."""
    shown = telling.badge(m.Outcome(kind, ""))
    assert shown.word == kind.value.replace("_", " ")
    assert shown.tone in {"good", "dim", "warn", "bad"}


def test_open_has_a_badge() -> None:
    """What has not ended says so."""
    assert telling.badge(None) == telling.Badge("info", "open")


@pytest.mark.parametrize("kind", list(m.SelectorKind))
def test_every_way_to_name_somebody_is_said(kind: m.SelectorKind) -> None:
    """However a person is named, the page has words for it."""
    removal = m.Removal(CONVERSATION, m.Selector(kind, "agent"))
    words = telling.asked_for(removal).split()
    assert len(words) > 1
    assert words[-1] in {"agent", "agent…", "…"}


def test_an_attribute_is_never_shown_whole() -> None:
    """Of an attribute's value the page shows the last four characters: it may hold a name or a number."""
    removal = m.Removal(CONVERSATION, m.Selector(m.SelectorKind.ATTRIBUTE, "customer=Anna Schmidt"))
    assert telling.asked_for(removal) == "attribute customer=…midt"


def test_a_number_is_never_shown_whole() -> None:
    """Of a number asked for the page shows the last four digits, also where it is the second way."""
    by_both = m.Removal(
        CONVERSATION,
        m.Selector(m.SelectorKind.PARTICIPANT_ID, PERSON),
        m.Selector(m.SelectorKind.PHONE, PHONE),
        m.Medium.VOICE,
    )
    assert telling.asked_for(by_both) == f"participant {PERSON}, or number …0123, by voice"


@pytest.mark.parametrize(
    "ticket, shown",
    [
        (None, ""),
        (m.Ticket("incident/1", "INC1"), "INC1"),
        (m.Ticket("incident/1"), "incident/1"),
    ],
)
def test_ticket(ticket: m.Ticket | None, shown: str) -> None:
    """A ticket is called as people call it, else by what its system knows it by."""
    assert telling.ticket_of(ticket) == shown


def test_people() -> None:
    """People are counted by purpose, and nobody is said to be nobody."""
    assert telling.people({"agent": 2, "customer": 1}) == "2 agent, 1 customer"
    assert telling.people({}) == "nobody"
