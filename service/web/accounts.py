"""What may be told of an action to whoever holds its link: everything but who was on the call."""

from __future__ import annotations

from collections.abc import Mapping

from service.core import model as m
from service.core.wording import SHIPPED, Wording
from service.telemetry import masked
from service.web.answers import moment


def account_json(account: m.Account, wording: Wording = SHIPPED, language: str = "en") -> Mapping[str, object]:
    """Return all there is to tell of an action as it is told: numbers to their last four, the key left out.

    `explanation` is what the ticket reads, `operator` what whoever runs this service needs to know of the same end.
    """
    action = account.action
    removal = action.removal
    outcome = action.outcome
    return {
        "action": action.id,
        "state": action.state,
        "org": action.org,
        "source": action.source,
        "conversation": removal.conversation_id,
        "outcome": _outcome(outcome) if outcome else None,
        "explanation": wording.explanation(outcome, language) if outcome else None,
        "operator": wording.advice(action, language) or None,
        "received_at": moment(action.received_at),
        "clicked_at": moment(action.clicked_at),
        "not_after": moment(action.not_after),
        "settled_at": moment(action.settled_at),
        "ticket": _ticket(removal.ticket) if removal.ticket else None,
        "preview": removal.preview,
        "replay_of": action.replay_of or None,
        # a link may be forwarded; the last four let a person recognise the number, and no more
        "selector": {"kind": removal.selector.kind, "value": removal.selector.masked.value},
        "sends": [_send(send) for send in action.sends],
        "timeline": [_entry(entry) for entry in account.timeline],
        "reports": [_report(report) for report in account.reports],
    }


def _outcome(outcome: m.Outcome) -> Mapping[str, object]:
    return {
        "kind": outcome.kind,
        "reason": outcome.reason,
        "state_seen": outcome.state_seen,
        "purpose": outcome.purpose,
        "candidates": [masked(one) for one in outcome.candidates],
        "bystanders": dict(outcome.bystanders),
        "remaining": dict(outcome.remaining),
        "vanished": dict(outcome.vanished),
        "is_back": outcome.is_back,
        "allowed_by": outcome.allowed_by,
        "reply": _reply(outcome.reply) if outcome.reply else None,
    }


def _reply(reply: m.Reply) -> Mapping[str, object]:
    return {
        "status": reply.status,
        "code": reply.code,
        "message": masked(reply.message),
        "correlation_id": reply.correlation_id,
    }


def _ticket(ticket: m.Ticket) -> Mapping[str, object]:
    return {"reference": ticket.reference, "label": ticket.label}


def _send(send: m.Send) -> Mapping[str, object]:
    answer = send.answer
    return {
        "number": send.number,
        "marked_at": moment(send.marked_at),
        "deadline_at": moment(send.deadline_at),
        "answer": {"kind": answer.kind, "answered_at": moment(answer.answered_at), **_reply(answer.reply)}
        if answer
        else None,
    }


def _entry(entry: m.Entry) -> Mapping[str, object]:
    return {
        "verb": entry.verb,
        "at": moment(entry.at),
        "duration_ms": entry.duration_ms,
        "worker": entry.worker,
        "status": entry.status,
        "correlation_id": entry.correlation_id,
        "note": masked(entry.note),
    }


def _report(report: m.Report) -> Mapping[str, object]:
    return {
        "channel": report.channel,
        "ticket": _ticket(report.ticket) if report.ticket else None,
        "state": report.state,
        "tries": report.tries,
        "error": masked(report.error),
    }
