"""What the flow says in a trace: of a delivery, of an attempt, of a report, each made of what is known at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.traces import Fact, Name, Said, Span

_FIRST_ERROR = 400
# what each of these is called, as OpenTelemetry has it where nothing came back
_CALLS, _UNANSWERED = frozenset({Name.LOOK, Name.DISCONNECT, Name.CONFIRM}), "no_answer"
# attributes that the log line of an attempt has as well, by its names
_SUMMED: Mapping[Said, str] = {
    Said.ACTION: "action",
    Said.ORG: "org",
    Said.SOURCE: "source",
    Said.LAPSES: "lapses",
    Said.SENDS: "sends",
    Said.OUTCOME: "outcome",
    Said.REASON: "reason",
}


@dataclass(frozen=True, slots=True)
class Spent:
    """When each part of taking a delivery was done, in milliseconds from when its signature was looked at.

    Attributes:
        offered: when the store was asked.
        ended: when it had answered.
    """

    verified: float
    parsed: float
    offered: float
    ended: float


def accepting(offer: m.Offer) -> m.Trace:
    """Return the span that accepts an offer: what comes of the action hangs below it."""
    return offer.asked_in or m.trace_of(offer.action_id)


def of_delivery(
    offer: m.Offer, came: m.Trace | None, received_at: int, spent: Spent, taken: m.Receipt | Exception
) -> Iterator[Span]:
    """Say how a delivery became an action, joined one, or was not taken.

    Args:
        offer: what the store was asked.
        came: the span that its sender named, or None.
        received_at: when it was complete.
        spent: how long it took.
        taken: what the store said.
    """
    facts: dict[Said, Fact] = {Said.ORG: offer.org, Said.SOURCE: offer.source}
    fault = type(taken).__name__ if isinstance(taken, Exception) else ""
    if isinstance(taken, m.Receipt):
        facts |= {Said.ACTION: taken.action_id, Said.JOINED: taken.joined}
    accept = accepting(offer)
    place = accept.within("delivery", offer.action_id)
    whole = Span(Name.DELIVERY, place, came.span_id if came else "", received_at, spent.ended, facts, fault)
    yield whole
    yield whole.below(Name.VERIFY, 1, 0.0, spent.verified)
    selector = {Said.SELECTOR: offer.removal.selector.kind.value}
    yield whole.below(Name.PARSE, 2, spent.verified, spent.parsed - spent.verified, selector)
    began, lasted = received_at + spent.offered, spent.ended - spent.offered
    yield Span(Name.ACCEPT, accept, place.span_id, began, lasted, fault=fault)


def place_of(name: Name, lease: m.Lease, action: m.Action) -> m.Trace:
    """Return the span of one claim. It is known before anything is called, so that a call can say it."""
    return action.trace.within(name, lease.id, lease.token)


def of_attempt(
    claim: m.Claim, claimed_ms: float, trail: Sequence[m.Entry], summary: Mapping[str, object], fault: str
) -> Iterator[Span]:
    """Say what was done in an attempt, from when it was asked for.

    Args:
        claim: what the store handed out.
        claimed_ms: how long that took.
        trail: what was done, in order.
        summary: as the attempt's line in the log says it, with the worker.
        fault: what ended it, if not itself.
    """
    facts = {said: value for said, key in _SUMMED.items() if isinstance(value := summary[key], str | int)}
    facts[Said.WORKER] = str(summary["worker"])
    place = place_of(Name.ATTEMPT, claim.lease, claim.action)
    lasted = float(str(summary["duration_ms"]))
    whole = Span(Name.ATTEMPT, place, claim.action.trace.span_id, claim.now_at, lasted, facts, fault)
    yield whole
    yield whole.below(Name.CLAIM, 0, 0.0, claimed_ms)
    for number, entry in enumerate(trail, 1):
        yield _done(whole, number, entry)


def _done(whole: Span, number: int, entry: m.Entry) -> Span:
    name = Name(entry.verb)
    facts: dict[Said, Fact] = {Said.NOTE: entry.note}
    if entry.status is not None:
        facts[Said.STATUS] = entry.status
    if entry.correlation_id:
        facts[Said.CORRELATION_ID] = entry.correlation_id
    fault = ""
    if name in _CALLS and (entry.status is None or entry.status >= _FIRST_ERROR):
        fault = _UNANSWERED if entry.status is None else str(entry.status)
    return whole.below(name, number, entry.at - whole.began_at, entry.duration_ms, facts, fault)


def of_report(claim: m.ReportClaim, lasted_ms: float, worker: str, result: str, fault: str) -> Iterator[Span]:
    """Say what became of a try to tell a ticket.

    Args:
        claim: what the store handed out.
        lasted_ms: how long it took.
        worker: who tried.
        result: `told`, `delayed`, `dead`, or `given_back`; "" where something else ended it, which `fault` names.
        fault: that.
    """
    report, action = claim.report, claim.action
    facts: dict[Said, Fact] = {
        Said.ACTION: action.id,
        Said.ORG: action.org,
        Said.SOURCE: report.source,
        Said.WORKER: worker,
        Said.CHANNEL: report.channel,
        Said.TRIES: report.tries,
        Said.RESULT: result,
    }
    place = place_of(Name.REPORT, claim.lease, action)
    failed = fault or ("" if result in {"told", "given_back"} else result)
    yield Span(Name.REPORT, place, action.trace.span_id, claim.now_at, lasted_ms, facts, failed)
