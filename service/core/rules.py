"""What is decided, and nothing of how it is done: `decide` as a table, first row that fits.

The table is data (`ROWS`); its numbers are those of the design and of every log line. *Ours* means a send that was
accepted or never answered, a bare mark included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from service.core import model as m
from service.core.policy import Asked, refusal
from service.core.selection import View, bystanders, select
from service.core.situation import (
    AGREE_SECONDS,
    BLIND_FIRST_SECONDS,
    BLIND_MOST_SECONDS,
    CALL_TIMEOUT_SECONDS,
    CONFIRM_EVERY_SECONDS,
    CONFIRM_LOOKS_SECONDS,
    CONFIRM_WINDOW_SECONDS,
    GRACE_SECONDS,
    POISON_LAPSES,
    VERIFY_BUDGET_SECONDS,
    Situation,
)

REPORT_FIRST_SECONDS, REPORT_MOST_SECONDS = 1.0, 15 * 60.0  # between tries of a report: doubling
REPORT_LIFE_SECONDS = 24 * 3600.0  # a desk down for a night; then a person looks
LEASE_SECONDS = 6.0  # a killed worker's action is another's within 8 s; two renewals may fail
DESK_CALLS = 2  # in flight per desk, of all workers: ServiceNow has four inbound REST threads a node


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Remove exactly `target` now."""

    target: m.Target
    row: int = 0


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Look at the conversation `after_seconds` from now; first give up the pin if `unpin`."""

    after_seconds: float
    unpin: bool = False
    row: int = 0


@dataclass(frozen=True, slots=True)
class Settle:
    """The action ends like this."""

    outcome: m.Outcome
    row: int = 0


Decision = Disconnect | LookAgain | Settle


class Sends(Enum):
    """The sends column."""

    ANY = "any"
    NONE = "none"
    SOME = "some"
    NOTHING_OURS = "nothing of ours"
    OURS = "ours"

    def fits(self, situation: Situation) -> bool:
        """Whether the action's sends are of this kind."""
        sends, ours = bool(situation.action.sends), bool(situation.ours)
        return {
            Sends.ANY: True,
            Sends.NONE: not sends,
            Sends.SOME: sends,
            Sends.NOTHING_OURS: not ours,
            Sends.OURS: ours,
        }[self]


class Row(NamedTuple):
    """One row: it fits when the view is one of `views` (empty: any), the sends are, and `when` holds."""

    number: int
    views: frozenset[View]
    sends: Sends
    when: Callable[[Situation], bool]
    then: Callable[[Situation], Decision]


def _always(_: Situation) -> bool:
    return True


def _settle(kind: m.OutcomeKind, reason: str) -> Callable[[Situation], Decision]:
    return lambda s: Settle(s.end(kind, reason))


def _expired(s: Situation) -> Decision:
    return Settle(s.end(m.OutcomeKind.EXPIRED, s.action.progress.held_by or "late"))


def _until_quiet(s: Situation) -> Decision:
    last = max(send.deadline_at for send in s.ours)
    return LookAgain((last - s.now) / 1000 + CALL_TIMEOUT_SECONDS + GRACE_SECONDS)


def _blind(s: Situation) -> Decision:
    doubled = min(BLIND_MOST_SECONDS, BLIND_FIRST_SECONDS * 2.0 ** max(0, min(s.action.progress.blind_looks, 9) - 1))
    floor = s.sight.retry_after_seconds if isinstance(s.sight, m.CannotSee) else 0.0
    return LookAgain(max(doubled, floor))


def _until_agreed(s: Situation) -> Decision:
    left = AGREE_SECONDS - (s.now - s.action.progress.absent_at) / 1000
    # all of it again where the first of the two looks is not there to agree with, or the clock stepped back
    return LookAgain(left if 0 < left < AGREE_SECONDS else AGREE_SECONDS)


def _confirm(s: Situation) -> Decision:
    gone_by = s.since_last_send_seconds
    following = next((at for at in CONFIRM_LOOKS_SECONDS if at > gone_by), None)
    # never later than every 2.4 s, though the clock may have stepped back since the send
    return LookAgain(CONFIRM_EVERY_SECONDS if following is None else min(CONFIRM_EVERY_SECONDS, following - gone_by))


def _instead(s: Situation) -> m.Reply | None:
    """Return what Genesys said instead of showing the conversation."""
    return None if s.sight is None or isinstance(s.sight, m.Conversation) else s.sight.reply


def _not_seen(s: Situation) -> Decision:
    reason = "forbidden" if s.selection.view is View.FORBIDDEN else "rejected"
    return Settle(s.end(m.OutcomeKind.FAILED, reason, reply=_instead(s)))


def _lost_sight(s: Situation) -> Decision:
    return Settle(s.end(m.OutcomeKind.UNKNOWN, "cannot_see", reply=_instead(s)))


def _not_found(s: Situation) -> Decision:
    if barred := s.barred:
        return Settle(barred)
    absent = m.Absence.CONVERSATION if s.selection.view is View.NO_CONVERSATION else m.Absence.PARTICIPANT
    return Settle(s.end(m.OutcomeKind.NOT_FOUND, absent))


def _several(s: Situation) -> Decision:
    return Settle(s.end(m.OutcomeKind.REFUSED, "contradictory" if s.selection.is_contradictory else "ambiguous"))


def _gone(s: Situation) -> Decision:
    if not s.ours:
        return Settle(s.end(m.OutcomeKind.ALREADY_GONE, "gone"))
    return Settle(s.end(m.OutcomeKind.DISCONNECTED, "confirmed"))


def _first(s: Situation) -> Decision:
    if forbidden := s.forbidden_by:
        return Settle(forbidden)
    if s.action.removal.preview:
        return Settle(s.end(m.OutcomeKind.PREVIEWED, "preview"))
    if not s.is_live:
        return Settle(s.end(m.OutcomeKind.PREVIEWED, "shadow"))
    return _disconnect(s)


def _disconnect(s: Situation) -> Decision:
    pin = s.action.progress.pin or s.selection.target
    if pin is None:
        message = "a present view has a person"
        raise AssertionError(message)
    return Disconnect(pin)


def _give_up(s: Situation) -> Decision:
    last = s.action.sends[-1]
    if forbidden := s.forbidden_by:
        return Settle(replace(forbidden, kind=m.OutcomeKind.FAILED))
    if last.answer is not None and not last.is_ours:
        return Settle(s.end(m.OutcomeKind.FAILED, "genesys_refused", reply=last.answer.reply))
    unclear = last.answer.reply if last.answer is not None and last.answer.kind is m.AnswerKind.UNCLEAR else None
    return Settle(s.end(m.OutcomeKind.FAILED, "no_effect", reply=unclear))


def _is_asker_refused(s: Situation) -> bool:
    return s.refused_asker is not None


def _is_place_refused(s: Situation) -> bool:
    return s.refused_place is not None


def _views(*views: View) -> frozenset[View]:
    return frozenset(views)


_UNREADABLE = _views(View.CANNOT_SEE, View.FORBIDDEN, View.REJECTED, View.NO_LEGS)
_ABSENT = _views(View.NO_CONVERSATION, View.NOBODY)
_LOST = _views(View.UNLISTED, View.ONLY_GONE, View.SEVERAL)
_PRESENT = _views(View.PRESENT)
_NAMED = _views(View.NOBODY, View.ONLY_GONE, View.SEVERAL)


def _in_verify_budget(s: Situation) -> bool:
    return s.since_last_send_seconds < VERIFY_BUDGET_SECONDS


def _is_poison(s: Situation) -> bool:
    return s.action.lapses >= POISON_LAPSES


def _last_is_in_window(s: Situation) -> bool:
    return s.action.sends[-1].is_ours and s.since_last_send_seconds < CONFIRM_WINDOW_SECONDS


# Rows 0 are what the prose around the table says: poison, who may not ask, the look that comes before any decision, and
# where nobody may be removed.
ROWS: tuple[Row, ...] = (
    Row(0, _views(), Sends.NONE, _is_poison, _settle(m.OutcomeKind.FAILED, "poison")),
    Row(0, _views(), Sends.SOME, lambda s: _is_poison(s) and s.is_quiet, _settle(m.OutcomeKind.UNKNOWN, "poison")),
    Row(0, _views(), Sends.OURS, _is_poison, _until_quiet),
    # who may not ask is told so, and not to click again; nothing has to be seen for it
    Row(0, _views(), Sends.NONE, _is_asker_refused, _first),
    Row(1, _views(), Sends.NONE, lambda s: s.is_late, _expired),
    Row(0, _views(View.UNSEEN), Sends.ANY, _always, lambda _: LookAgain(0.0)),
    Row(2, _views(View.CANNOT_SEE, View.NO_LEGS), Sends.NONE, _always, _blind),
    Row(3, _views(View.FORBIDDEN, View.REJECTED), Sends.NONE, _always, _not_seen),
    Row(4, _UNREADABLE, Sends.SOME, _in_verify_budget, _blind),
    Row(4, _UNREADABLE, Sends.SOME, _always, _lost_sight),
    # of a conversation that is out of bounds nobody learns who is in it
    Row(0, _NAMED, Sends.NONE, _is_place_refused, _first),
    # a Genesys that never agrees with itself: the verify budget ends that too
    Row(5, _ABSENT, Sends.ANY, lambda s: not s.is_agreed and _in_verify_budget(s), _until_agreed),
    Row(6, _ABSENT, Sends.NOTHING_OURS, _always, _not_found),
    Row(7, _ABSENT, Sends.OURS, lambda s: not s.is_quiet, _confirm),
    Row(7, _ABSENT, Sends.OURS, _always, _settle(m.OutcomeKind.UNKNOWN, "conversation_not_found")),
    Row(8, _views(View.ONLY_GONE), Sends.NOTHING_OURS, _always, _gone),
    Row(9, _views(View.SEVERAL), Sends.NOTHING_OURS, _always, _several),
    Row(
        10,
        _views(View.UNLISTED),
        Sends.NOTHING_OURS,
        lambda s: not s.action.progress.was_unpinned,
        lambda _: LookAgain(0.0, unpin=True),
    ),
    Row(11, _LOST, Sends.ANY, lambda s: not s.is_quiet, _confirm),
    Row(11, _LOST, Sends.ANY, _always, _settle(m.OutcomeKind.UNKNOWN, "participant_lost")),
    Row(12, _views(View.GONE, View.BACK), Sends.ANY, _always, _gone),
    Row(13, _PRESENT, Sends.NONE, _always, _first),
    Row(14, _PRESENT, Sends.OURS, _last_is_in_window, _confirm),
    Row(
        15,
        _PRESENT,
        Sends.SOME,
        lambda s: s.may_send_again and s.back_off_left_seconds > 0,
        lambda s: LookAgain(s.back_off_left_seconds),
    ),
    Row(16, _PRESENT, Sends.SOME, lambda s: s.may_send_again, _disconnect),
    Row(17, _PRESENT, Sends.SOME, lambda s: not s.is_quiet, _confirm),
    Row(18, _PRESENT, Sends.SOME, _always, _give_up),
)


def situation_of(action: m.Action, sight: m.Sight | None, terms: m.Terms, now: int) -> Situation:
    """Return what a decision about `action` rests on, `now` being the store's clock."""
    # by the org's policy alone: to look among fewer would make one of several who fit the only one
    selection = select(action.removal, sight, action.progress.pin, terms.policy, action.clicked_at)
    return Situation(action, sight, terms, now, selection)


def decide(situation: Situation) -> Decision:
    """Return what to do now: the first row that fits. Total: every situation has a row."""
    row = next(
        row
        for row in ROWS
        if (not row.views or situation.selection.view in row.views)
        and row.sends.fits(situation)
        and row.when(situation)
    )
    return replace(row.then(situation), row=row.number)


def remember(situation: Situation) -> m.Progress:
    """Return what the action keeps of this look: the pin, who else was there, how nobody was found, blindness."""
    progress, view = situation.action.progress, situation.selection.view
    if view is View.UNSEEN:
        return progress
    if view in _ABSENT:
        kind = m.Absence.CONVERSATION if view is View.NO_CONVERSATION else m.Absence.PARTICIPANT
        absent_at = progress.absent_at if progress.absence is kind else situation.now
        return replace(progress, absence=kind, absent_at=absent_at, blind_looks=0, held_by="")
    if view in _UNREADABLE:
        # a 429 is no silence: it sees us, and we ask too much
        is_throttled = isinstance(situation.sight, m.CannotSee) and situation.sight.retry_after_seconds > 0
        held_by = ("busy" if is_throttled else "genesys_unreachable") if view is View.CANNOT_SEE else ""
        return replace(progress, blind_looks=progress.blind_looks + 1, held_by=held_by)
    pin, others = progress.pin or situation.selection.target, progress.bystanders
    # once something of ours is out they stay as they were: whom it took along is seen against them
    if pin and view is View.PRESENT and not situation.ours:
        others = bystanders(situation.sight, pin.participant_id, pin.communication_id)
    return replace(progress, pin=pin, bystanders=others, absence=None, absent_at=0, blind_looks=0, held_by="")


def _digest(*parts: str) -> str:
    # each part with its length, so that no two lists of parts read the same
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()


def _person(removal: m.Removal) -> tuple[str, ...]:
    # the second way is part of it: who is named in two ways that do not agree must not end with who is named in one
    first, second = removal.selector, removal.identity
    return (first.kind, first.value, *((second.kind, second.value) if second else ("", "")), removal.medium or "")


def _narrowed(limits: m.Limits) -> str:
    """Return what a source refuses that its org allows: what it refuses must not end another source's wish with it."""
    purposes = None if limits.purposes is None else sorted(limits.purposes)
    return repr((purposes, sorted(limits.queues), sorted(limits.divisions), limits.last_pair, limits.supervisors))


class Minted(NamedTuple):
    """What chance gave a new action: its id and the key of its link."""

    action_id: str
    key: str


def action_for(
    removal: m.Removal,
    delivery: m.Delivery,
    verified: m.Verified,
    terms: m.SourceTerms,
    under: m.Terms,
    minted: Minted,
    entries: tuple[m.Entry, ...] = (),
) -> m.Offer:
    """Return the action that a delivery asks for, with the two keys of sameness.

    The delivery key holds something signed: the signed id, else the event id in the body, else the body's hash.
    A wish is shared by those who may ask it, and not by a click that counts with one that only shows what it would do.
    """
    body_hash = hashlib.sha256(delivery.body).hexdigest()
    signed = verified.signed_id or removal.event_id
    mode = () if under.may_send else ("shadow",)
    wish = _digest(terms.org, removal.conversation_id, *_person(removal), _narrowed(under.narrowed_by), *mode)
    may_ask = refusal(under, terms.org, terms.name, Asked(removal.requester)) is None
    is_shared, rate = may_ask and not removal.preview, under.requester_rate
    asker = _digest(terms.name, removal.requester.casefold()) if is_shared and rate else ""
    return m.Offer(
        action_id=minted.action_id,
        org=terms.org,
        source=terms.name,
        key=minted.key,
        removal=removal,
        delivery_key=_digest(terms.name, *(("id", signed) if signed else ("body", body_hash))),
        body_hash=body_hash,
        is_hash_only=not signed,
        intent_key=wish if is_shared else None,
        max_age_seconds=terms.max_age_seconds,
        channels=terms.channels,
        entries=entries,
        is_shadow=not under.may_send,
        requester_key=asker,
        requester_rate=rate,
        delivery_id=signed,
    )


def report_wait_seconds(tries: int, age_seconds: float, floor_seconds: float = 0.0) -> float | None:
    """Return how long to wait before a report is tried again, or None when it is dead.

    Args:
        tries: how often it was tried.
        age_seconds: since it became due first.
        floor_seconds: what the desk asked for by Retry-After.
    """
    if age_seconds >= REPORT_LIFE_SECONDS:
        return None
    doubled = REPORT_FIRST_SECONDS * 2.0 ** min(max(tries, 1) - 1, 20)
    return max(floor_seconds, min(REPORT_MOST_SECONDS, doubled))


OUTCOME_EXIT_CODES: Mapping[m.OutcomeKind, int] = {
    m.OutcomeKind.DISCONNECTED: 0,
    m.OutcomeKind.ALREADY_GONE: 0,
    m.OutcomeKind.PREVIEWED: 0,
    m.OutcomeKind.NOT_FOUND: 10,
    m.OutcomeKind.REFUSED: 11,
    m.OutcomeKind.EXPIRED: 12,
    m.OutcomeKind.FAILED: 13,
    m.OutcomeKind.UNKNOWN: 14,
}
