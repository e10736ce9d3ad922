"""The page of actions: what was looked for, as the address says it, and what was found, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from service.core import model as m
from service.web.pages.telling import Badge, When, asked_for, badge, safe, span, spelled, ticket_of, when

PAGE = 50  # rows: what a person looks through before he narrows the search
LONGEST_TEXT = 200  # characters that are looked for: longer than any id, ticket or address that people copy
OUTCOMES = (m.OPEN, *(kind.value for kind in m.OutcomeKind))
_FORMS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
_FIELDS = ("q", "org", "source", "outcome", "since", "until")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for.

    Attributes:
        said: each field as it was written, for the form.
        orgs: whose actions.
        faults: what of it cannot be used, in words; then nothing is looked for.
    """

    search: m.Search
    orgs: tuple[str, ...]
    said: dict[str, str]
    after: str = ""
    faults: tuple[str, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether nothing was narrowed."""
        return not any(self.said.values())

    def address(self, **changes: str) -> str:
        """Return the query of the same page with some fields changed; it begins again at the newest."""
        fields = {name: value for name, value in {**self.said, **changes}.items() if value}
        return f"?{urlencode(fields)}" if fields else "?"


@dataclass(frozen=True, slots=True)
class Found:
    """One action as a row.

    Attributes:
        reason: the word for it; "" where the outcome says all.
        took: from the click until it ended, or until now.
        marks: what is particular about it: a replay, a preview, only watched.
    """

    id: str
    at: When | None
    outcome: Badge
    reason: str
    explanation: str
    asked: str
    conversation: str
    ticket: str
    requester: str
    org: str
    source: str
    took: str
    marks: tuple[str, ...]


def wanted(said: dict[str, str], orgs: Sequence[str], sources: Sequence[str], after: str = "") -> Wanted:
    """Read what the address asks for; whatever is wrong with it is said, all at once."""
    said = {name: said.get(name, "").strip() for name in _FIELDS}
    faults = []
    if len(said["q"]) > LONGEST_TEXT:
        faults.append(f"The search is longer than {LONGEST_TEXT} characters: look for one whole id.")
    for name, known in (("org", orgs), ("source", sources), ("outcome", OUTCOMES)):
        if said[name] and said[name] not in known:
            faults.append(f"There is no {name} “{safe(said[name], 40)}”; there is {', '.join(known) or 'none'}.")
    moments = {}
    for name in ("since", "until"):
        moments[name] = _moment_in(said[name])
        if moments[name] is None:
            faults.append(f"“{safe(said[name], 40)}” is no moment: write it as 2026-11-20T09:00, in UTC.")
    since, until = moments["since"] or 0, moments["until"] or 0
    if since and until and since >= until:
        faults.append("“From” is not before “until”, so nothing can be found.")
    search = m.Search(said["q"], said["source"], said["outcome"], since, until)
    return Wanted(search, (said["org"],) if said["org"] else tuple(orgs), said, after, tuple(faults))


def row(action: m.Action, explanation: str, now: int) -> Found:
    """Return an action as a row; `explanation` is what its ticket reads, "" while it is open."""
    outcome, removal = action.outcome, action.removal
    return Found(
        id=action.id,
        at=when(action.received_at, now),
        outcome=badge(outcome),
        reason=spelled(outcome.reason) if outcome else spelled(action.progress.held_by),
        explanation=safe(explanation),
        asked=asked_for(removal),
        conversation=removal.conversation_id,
        ticket=ticket_of(removal.ticket),
        requester=safe(removal.requester, 80),
        org=action.org,
        source=safe(action.source, 80),
        took=took(action, now),
        marks=marks(action),
    )


def took(action: m.Action, now: int) -> str:
    """Return how long it took from the click, or how long it has taken so far."""
    return span(((action.settled_at or now) - action.clicked_at) / 1000)


def marks(action: m.Action) -> tuple[str, ...]:
    """Return what is particular about an action, a word or two each."""
    said = {
        "preview": action.removal.preview,
        "replay": bool(action.replay_of),
        "only watched": action.is_shadow,
        "over his rate": action.is_over_rate,
    }
    return tuple(mark for mark, holds in said.items() if holds)


def _moment_in(text: str) -> int | None:
    """Return a moment that was typed or picked, in milliseconds; 0 for none, None for what is no moment."""
    if not text:
        return 0
    plain = text.removesuffix("Z").strip()
    for form in _FORMS:
        try:
            at = datetime.strptime(plain, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return max(int(at.timestamp() * 1000), 0)
    return None
