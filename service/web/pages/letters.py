"""The page of dead letters: which tickets were never told how it ended, by cause, and how to tell them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.web.pages.telling import Badge, When, badge, safe, ticket_of, when

MOST = 200  # letters on the page, and told again at once: what a form holds, and a person answers for


@dataclass(frozen=True, slots=True)
class Letter:
    """One ticket that was not told."""

    report_id: str
    action_id: str
    outcome: Badge
    ticket: str
    source: str
    org: str
    tries: int
    error: str
    died: When | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Letters that could not be delivered for the same reason."""

    cause: str
    sources: tuple[str, ...]
    letters: Sequence[Letter]


def causes(grouped: Mapping[str, Sequence[m.DeadLetter]], now: int) -> Sequence[Cause]:
    """Return dead letters as the page shows them, in the order in which they are given."""
    return [
        Cause(safe(cause), tuple(dict.fromkeys(safe(one.report.source) for one in letters)), _letters(letters, now))
        for cause, letters in grouped.items()
    ]


def _letters(letters: Sequence[m.DeadLetter], now: int) -> Sequence[Letter]:
    return [
        Letter(
            report_id=one.report.id,
            action_id=one.action.id,
            outcome=badge(one.action.outcome),
            ticket=ticket_of(one.report.ticket) or safe(one.report.channel, 40),
            source=safe(one.report.source),
            org=one.action.org,
            tries=one.report.tries,
            error=safe(one.report.error),
            died=when(one.died_at, now),
        )
        for one in letters
    ]
