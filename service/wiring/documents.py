"""What commands say of actions, dead letters, the audit and a day, as documents of stable keys: see deploy/commands.md.

Whatever somebody else wrote is in them as it may be shown: one line, no number whole, nothing that turns a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from service.core import model as m
from service.core.wording import SHIPPED, Wording
from service.flow.review import Audited, cause_of, gone_within, summed
from service.telemetry import masked
from service.web.accounts import account_json
from service.web.answers import moment

Document: TypeAlias = Mapping[str, object]

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def action_line(action: m.Action) -> Document:
    """Return an action as one line of a list, and one row of a table: nothing in it is nested."""
    removal, outcome = action.removal, action.outcome
    return {
        "action": action.id,
        "org": action.org,
        "source": action.source,
        "received_at": moment(action.received_at),
        "settled_at": moment(action.settled_at),
        "seconds": seconds_of(action),
        "outcome": outcome.kind.value if outcome else m.OPEN,
        "reason": outcome.reason if outcome else None,
        "conversation": removal.conversation_id,
        "selector": removal.selector.kind.value,
        "person": masked(removal.selector.masked.value),
        "requester": _said(removal.requester),
        "ticket": _ticket(removal.ticket),
        "preview": removal.preview,
        "replay_of": action.replay_of or None,
    }


def account_document(account: m.Account, wording: Wording = SHIPPED) -> Document:
    """Return all there is to tell of one action: what its link shows, and what only an operator may read."""
    action = account.action
    shown = account_json(account, wording)
    of_operators = {"requester": _said(action.removal.requester), "why": _said(action.removal.reason)}
    return {**shown, **of_operators, "seconds": seconds_of(action)}


def letter_line(letter: m.DeadLetter) -> Document:
    """Return a dead letter as one line."""
    report, action = letter.report, letter.action
    return {
        "report": report.id,
        "action": action.id,
        "org": action.org,
        "source": report.source,
        "channel": report.channel,
        "ticket": _ticket(report.ticket),
        "died_at": moment(letter.died_at),
        "tries": report.tries,
        "error": _said(report.error),
        "cause": masked(cause_of(report.error)),
        "outcome": action.outcome.kind.value if action.outcome else None,
    }


def refusal_line(refusal: m.Refusal) -> Document:
    """Return a refused delivery as one line."""
    return {
        "source": refusal.source,
        "refused_at": moment(refusal.refused_at),
        "code": refusal.code,
        "reason": _said(refusal.reason),
        "size": refusal.size,
        "secret": refusal.secret_fingerprint or None,
    }


def audit_line(one: Audited) -> Document:
    """Return a line of the audit with what it refers to, as one line."""
    line, action = one.line, one.account.action if one.account else None
    removal = action.removal if action and not one.gap else None
    ticket = one.report.ticket if one.report else removal and removal.ticket
    return {
        "at": moment(line.at),
        "org": one.org,
        "deed": line.deed.value,
        "about": _said(line.of),
        "action": one.action_id or None,
        "source": line.source or (action.source if action else None),
        "requester": _said(removal.requester) if removal else None,
        "ticket": _ticket(ticket or None),
        "conversation": removal.conversation_id if removal else None,
        "person": masked(removal.selector.masked.value) if removal else None,
        "outcome": line.outcome or None,
        "reason": line.reason or None,
        "seconds": line.seconds if line.deed is m.Deed.SETTLE else None,
        "who": _said(line.who),
        "why": _said(line.why),
        "gap": one.gap or None,
    }


def stats_document(minutes: Mapping[str, Sequence[m.Minute]], now: int) -> Document:
    """Return how the last hour and the last day of each org went."""
    spans = {"hour": now - HOUR_MS, "day": now - DAY_MS}
    orgs = {org: {name: _span(its, since) for name, since in spans.items()} for org, its in minutes.items()}
    return {"at": moment(now), "orgs": orgs}


def seconds_of(action: m.Action) -> float | None:
    """Return the seconds from the click until an action ended; None while it is open."""
    return round((action.settled_at - action.clicked_at) / 1000, 3) if action.settled_at else None


def _span(minutes: Iterable[m.Minute], since_at: int) -> Document:
    total = summed(minutes, since_at)
    bounds: tuple[float | None, ...] = (*m.GONE_SECONDS, None)
    return {
        "since": moment(since_at),
        "accepted": dict(total.accepted),
        "refused": dict(total.refused),
        "outcomes": dict(total.outcomes),
        "gone": {
            "count": sum(total.gone),
            "within": [{"seconds": bound, "count": count} for bound, count in zip(bounds, total.gone, strict=True)],
            **{name: gone_within(total.gone, share) for name, share in SHARES.items()},
        },
    }


def _said(text: str) -> str | None:
    return masked(text) or None


def _ticket(ticket: m.Ticket | None) -> str | None:
    return _said(ticket.label or ticket.reference) if ticket else None
