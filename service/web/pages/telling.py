"""How pages say what is the same on all of them: moments, durations, outcomes, people, tickets, others' text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from service.core import model as m
from service.telemetry import without_controls, without_numbers
from service.web.answers import moment

LONGEST = 300  # characters of others' text: what a person reads of one line; the record holds the rest
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

# how an outcome is coloured; the word stands beside the colour
_TONES: Mapping[str, str] = {
    m.OPEN: "info",
    m.OutcomeKind.DISCONNECTED: "good",
    m.OutcomeKind.ALREADY_GONE: "good",
    m.OutcomeKind.PREVIEWED: "dim",
    m.OutcomeKind.NOT_FOUND: "warn",
    m.OutcomeKind.REFUSED: "warn",
    m.OutcomeKind.EXPIRED: "warn",
    m.OutcomeKind.FAILED: "bad",
    m.OutcomeKind.UNKNOWN: "bad",
}
_WAYS: Mapping[m.SelectorKind, str] = {
    m.SelectorKind.PARTICIPANT_ID: "participant",
    m.SelectorKind.PHONE: "number",
    m.SelectorKind.USER_ID: "user",
    m.SelectorKind.EXTERNAL_CONTACT_ID: "external contact",
    m.SelectorKind.COMMUNICATION_ID: "the one leg",
    m.SelectorKind.PURPOSE: "whoever is the",
    m.SelectorKind.ATTRIBUTE: "attribute",
}


@dataclass(frozen=True, slots=True)
class When:
    """A moment as a page shows it.

    Attributes:
        iso: for programs, RFC 3339 with milliseconds.
        shown: for people, to the second, in UTC.
        ago: how far it is from now, coarse, so that a page does not change while nothing happens.
    """

    iso: str
    shown: str
    ago: str


@dataclass(frozen=True, slots=True)
class Badge:
    """One word in one colour: `good`, `dim`, `info`, `warn` or `bad`."""

    tone: str
    word: str


def when(at: int, now: int) -> When | None:
    """Return how the moment `at` is shown at `now`; None for 0, which means never."""
    iso = moment(at)
    if iso is None:
        return None
    shown = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return When(iso, shown, ago((now - at) / 1000))


def ago(seconds: float) -> str:
    """Return how long ago something was, in words; below zero it is still to come."""
    far = abs(seconds)
    if far < _MINUTE:
        return "just now" if seconds >= 0 else "within a minute"
    count, unit = next((int(far // size), name) for size, name in ((_DAY, "d"), (_HOUR, "h"), (1, "")) if far >= size)
    said = f"{count} {unit}" if unit else f"{int(far // _MINUTE)} min"
    return f"{said} ago" if seconds > 0 else f"in {said}"


def span(seconds: float) -> str:
    """Return a duration as a person reads it: `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 1:
        return f"{max(seconds, 0.0) * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, unit, less, smaller in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // less} {smaller}"
    return f"{whole // _MINUTE} min {whole % _MINUTE} s"


def safe(text: str, most: int = LONGEST) -> str:
    """Return somebody else's text as it may be shown: one line, no number whole, nothing that turns or hides, cut."""
    plain = without_numbers(without_controls(text))
    return plain if len(plain) <= most else f"{plain[:most]}…"


def badge(outcome: m.Outcome | str | None) -> Badge:
    """Return an action's outcome, or its kind, as one word; an action without one is open.

    A kind may be one that a newer version knows.
    """
    kind = outcome if isinstance(outcome, str) else outcome.kind.value if outcome else m.OPEN
    return Badge(_TONES.get(kind, "info"), spelled(safe(kind, 40)))


def spelled(word: str) -> str:
    """Return a word of ours as people write it."""
    return word.replace("_", " ")


def asked_for(removal: m.Removal) -> str:
    """Return who was asked for; of a number or an attribute's value no more than the last four characters."""
    said = _named(removal.selector)
    if removal.identity:
        said = f"{said}, or {_named(removal.identity)}"
    return f"{said}, by {spelled(removal.medium.name.lower())}" if removal.medium else said


def ticket_of(ticket: m.Ticket | None) -> str:
    """Return what people call a ticket, or ""."""
    return safe(ticket.label or ticket.reference) if ticket else ""


def people(counted: Mapping[str, int]) -> str:
    """Return people counted by purpose: `2 agent, 1 customer`; "nobody" where there is none."""
    return ", ".join(f"{count} {safe(purpose, 40)}" for purpose, count in counted.items()) or "nobody"


def _named(selector: m.Selector) -> str:
    return f"{_WAYS[selector.kind]} {safe(selector.masked.value)}"
