"""The page of one action: what was asked, what became of it, who was there, what each ticket reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.core.wording import Wording
from service.web.pages.found import marks, took
from service.web.pages.hints import hints
from service.web.pages.telling import Badge, When, asked_for, badge, people, safe, spelled, ticket_of, when
from service.web.pages.timeline import Share, Step, shares, steps

LONGEST_NOTE = 3000  # a note names each candidate; this is more than any has
LONGEST_REASON = 1000  # characters that a page has room for; the record holds the rest
_STATES = {
    m.ReportState.WAITING: Badge("info", "waits for the end"),
    m.ReportState.DUE: Badge("warn", "still to be told"),
    m.ReportState.TOLD: Badge("good", "told"),
    m.ReportState.DEAD: Badge("bad", "dead letter"),
}
_HELD = {
    "paused": "It waits because its org or source is paused.",
    "runaway": "It waits because its source is paused: one requester asked for more than people click.",
    "busy": "It waits for its turn: the call budget is used up, or another action holds the conversation.",
    "genesys_unreachable": "It waits because Genesys could not be asked.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What one ticket is told, by one channel.

    Attributes:
        note: the text as this service words it; "" while there is none.
        at: when it was told; None where that is not known, or has not happened.
    """

    report_id: str
    source: str
    channel: str
    ticket: str
    reference: str
    state: Badge
    tries: int
    error: str
    note: str
    at: When | None
    is_dead: bool


@dataclass(frozen=True, slots=True)
class Present:
    """Who was there, by purpose, in words; "" where it is not known or says nothing."""

    target: str
    before: str
    after: str
    vanished: str
    is_back: bool
    candidates: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sent:
    """One removal that was handed to Genesys."""

    number: int
    at: When | None
    answer: Badge
    said: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Kin:
    """Another action on the same conversation; `how` is what it is to this one, or ""."""

    id: str
    at: When | None
    outcome: Badge
    asked: str
    how: str


@dataclass(frozen=True, slots=True)
class One:
    """The whole page of one action.

    Attributes:
        waits: why it has not ended, in words; "" when it has.
        joined: how many deliveries joined it, as far as its timeline tells, and when.
        may_drop: it is open, and nothing was sent for it.
        is_moving: it has not ended, or a ticket of it is still to be told.
    """

    id: str
    org: str
    source: str
    outcome: Badge
    reason: str
    marks: tuple[str, ...]
    is_preview: bool
    took: str
    clicked: When | None
    received: When | None
    not_after: When | None
    settled: When | None
    asked: str
    pin: str
    conversation: str
    ticket: str
    reference: str
    requester: str
    why: str
    explanation: str
    advice: str
    hints: tuple[str, ...]
    waits: str
    present: Present
    sends: Sequence[Sent]
    steps: Sequence[Step]
    shares: Sequence[Share]
    joined: Sequence[When]
    told: Sequence[Told]
    replay_of: str
    kin: Sequence[Kin]
    curl_status: str
    curl_look: str
    may_drop: bool
    is_moving: bool
    max_age_seconds: int


@dataclass(frozen=True, slots=True)
class Around:
    """What an action's page needs to know beside the action.

    Attributes:
        now: our clock.
        wording: how outcomes are told.
        language: in which language the tickets of a source are told.
        place: the address of its org's Genesys API; "" for an org that is not configured any more.
        public_url: of the public door.
        is_paused: its org or source is paused at this moment.
    """

    now: int
    wording: Wording
    language: Callable[[str], str]
    place: str
    public_url: str
    is_paused: bool = False


def one_of(account: m.Account, kin: Sequence[m.Action], around: Around) -> One:
    """Return how an action is shown.

    Args:
        account: all that is known of it.
        kin: the actions on its conversation, itself perhaps included.
        around: what else the page needs.
    """
    action, removal = account.action, account.action.removal
    outcome, now, wording = action.outcome, around.now, around.wording
    return One(
        id=action.id,
        org=action.org,
        source=safe(action.source),
        outcome=badge(outcome),
        reason=spelled(outcome.reason) if outcome else "",
        marks=marks(action),
        is_preview=removal.preview,
        took=took(action, now),
        clicked=when(action.clicked_at, now),
        received=when(action.received_at, now),
        not_after=when(action.not_after, now),
        settled=when(action.settled_at, now),
        asked=asked_for(removal),
        pin=_pinned(action),
        conversation=removal.conversation_id,
        ticket=ticket_of(removal.ticket),
        reference=safe(removal.ticket.reference) if removal.ticket else "",
        requester=safe(removal.requester),
        why=safe(removal.reason, LONGEST_REASON),
        explanation=safe(wording.explanation(outcome), LONGEST_NOTE) if outcome else "",
        advice=safe(wording.advice(action), LONGEST_NOTE),
        hints=tuple(safe(hint, LONGEST_NOTE) for hint in hints(action)),
        waits="" if outcome else _waits(action, now, is_paused=around.is_paused),
        present=_present(action),
        sends=[_sent(send, now) for send in action.sends],
        steps=steps(action, account.timeline, now),
        shares=shares(action, account.timeline),
        joined=[at for entry in account.timeline if _is_join(entry) and (at := when(entry.at, now))],
        told=[_told(report, account, around) for report in account.reports],
        replay_of=action.replay_of,
        kin=[_kin(other, action, now) for other in kin if other.id != action.id],
        # neither holds what would open anything: the key stands in the sender's receipt, the token is who asks's own
        curl_status=f"curl -sS '{around.public_url}/actions/{action.id}?key='\"$KEY\"",
        curl_look=_curl(around.place, removal.conversation_id),
        may_drop=outcome is None and not action.sends,
        is_moving=outcome is None or any(one.state is m.ReportState.DUE for one in account.reports),
        max_age_seconds=max(round((action.not_after - action.clicked_at) / 1000), 1),
    )


def _curl(place: str, conversation: str) -> str:
    return (
        f"curl -sS -H \"Authorization: Bearer $TOKEN\" '{place}/api/v2/conversations/{conversation}'" if place else ""
    )


def _pinned(action: m.Action) -> str:
    """Return whom the looks found, in words; "" for nobody yet."""
    pin = action.progress.pin
    if pin is None:
        return ""
    leg = f", its leg {pin.communication_id}" if pin.communication_id else ""
    return safe(f"{pin.purpose or 'participant'} {pin.participant_id}{leg}")


def _waits(action: m.Action, now: int, *, is_paused: bool) -> str:
    held = _HELD.get(action.progress.held_by or ("paused" if is_paused else ""), "")
    if action.sends:
        return "The removal was sent; it is being looked whether it took effect."
    late = "It is past its not-after: the next worker ends it as expired." if now > action.not_after else ""
    return " ".join(filter(None, (held, late))) or "It is being worked on, or waits for a worker."


def _present(action: m.Action) -> Present:
    outcome, bystanders = action.outcome, Counter(action.progress.bystanders.values())
    if outcome is None:
        return Present("", people(bystanders) if bystanders else "", "", "", is_back=False, candidates=())
    was_sent, was_seen = bool(outcome.bystanders or action.sends), bool(outcome.remaining or action.seen_at)
    return Present(
        target=safe(outcome.purpose, 80),
        before=people(outcome.bystanders) if was_sent else "",
        after=people(outcome.remaining) if was_seen else "",
        vanished=people(outcome.vanished) if outcome.vanished else "",
        is_back=outcome.is_back,
        candidates=[safe(one) for one in outcome.candidates],
    )


def _sent(send: m.Send, now: int) -> Sent:
    answer = send.answer
    if answer is None:
        return Sent(send.number, when(send.marked_at, now), Badge("warn", "no answer is known"), "", "")
    tone = "good" if answer.kind is m.AnswerKind.ACCEPTED else "warn"
    reply = answer.reply
    said = " ".join(str(part) for part in (reply.status, reply.code, reply.message) if part)
    word = Badge(tone, spelled(answer.kind))
    return Sent(send.number, when(send.marked_at, now), word, safe(said), safe(reply.correlation_id, 100))


def _is_join(entry: m.Entry) -> bool:
    return entry.verb == "accept" and entry.note.startswith("joined")


def _told(report: m.Report, account: m.Account, around: Around) -> Told:
    ticket = report.ticket
    name = (ticket.label or ticket.reference) if ticket else report.channel
    entries = [one for one in account.timeline if one.verb == "report" and one.note.startswith(f"{name}: ")]
    is_told = report.state is m.ReportState.TOLD
    has_ended = account.action.outcome is not None
    note = around.wording.note(account.action, around.language(report.source)) if has_ended else ""
    return Told(
        report_id=report.id,
        source=safe(report.source),
        channel=safe(report.channel, 40),
        ticket=ticket_of(ticket),
        reference=safe(ticket.reference) if ticket else "",
        state=_STATES[report.state],
        tries=report.tries,
        error=safe(report.error),
        note=safe(note, LONGEST_NOTE),
        at=when(entries[-1].at, around.now) if entries and is_told else None,
        is_dead=report.state is m.ReportState.DEAD,
    )


def _kin(other: m.Action, action: m.Action, now: int) -> Kin:
    how = ""
    if other.replay_of == action.id:
        how = "asks this one again"
    elif action.replay_of == other.id:
        how = "was asked again by this one"
    elif other.removal.preview:
        how = "a preview"
    return Kin(other.id, when(other.received_at, now), badge(other.outcome), asked_for(other.removal), how)
