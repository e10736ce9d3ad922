"""What a person may do, in one place: the console and the commands both call this."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import replace

from service import telemetry
from service.core import model as m
from service.core.errors import Unreadable
from service.core.ports import Clock, Store, Waiter
from service.core.rules import Minted
from service.flow.finding import find
from service.flow.review import Audited, audited, by_cause

# what a person finds, and reads afterwards, has files of its own, and stands here as well
__all__ = ["Audited", "audited", "by_cause", "find"]
# the person was seen gone
_DONE = frozenset({m.OutcomeKind.DISCONNECTED, m.OutcomeKind.ALREADY_GONE})


async def show(store: Store, action_id: str, key: str) -> m.Account | None:
    """Return all there is to tell of an action, or None: no such action, or not its key (nobody learns which)."""
    if m.org_of(action_id) is None:
        return None
    account = await store.read(action_id)
    if account is None or not hmac.compare_digest(account.key.encode(), key.encode()):
        return None
    return account


async def outcome_of(store: Store, waiter: Waiter, clock: Clock, action_id: str, seconds: float) -> m.Outcome | None:
    """Return the outcome of an action as soon as it has one, or None after `seconds`."""
    until = clock.monotonic() + seconds
    while True:
        account = await store.read(action_id)
        if account is None or account.action.outcome is not None:
            return account.action.outcome if account else None
        left = until - clock.monotonic()
        if left <= 0:
            return None
        # a settle between the read and the subscription costs at most this second
        await waiter.for_settled(action_id, min(left, 1.0))


async def pause(store: Store, orgs: Iterable[str], source: str = "", *, by: m.Operator) -> None:
    """Stop claiming for `orgs`, or for one source of theirs. Clicks that wait too long expire and say so."""
    for org in orgs:
        await store.pause(org, source, by=by)


async def resume(store: Store, orgs: Iterable[str], source: str = "", *, by: m.Operator) -> None:
    """Take a pause back; what is still in time is done now."""
    for org in orgs:
        await store.resume(org, source, by=by)


async def retell(store: Store, report_id: str, *, by: m.Operator) -> bool:
    """Make a dead letter due again, for a day like a new one; the ticket is asked first whether it has the note.

    Returns:
        False when there is nothing to tell again: no such report, or it is no dead letter (also: asked twice).

    Raises:
        StoreDown: the store is away.
    """
    try:
        return await store.retell(report_id, by=by)
    except ValueError:
        return False  # no report id at all


async def drop(store: Store, action_id: str, *, by: m.Operator) -> bool:
    """End an open action of which nothing was sent; its ticket is told that somebody called it off.

    Whoever works on it right now loses it before it can send: either it was sent, and this is refused, or nothing is.

    Returns:
        False when there is no such action.

    Raises:
        Unreadable: in words: it has ended, or something was sent.
        StoreDown: the store is away; ask again, and see.
    """
    is_dropped = await store.drop(action_id, by=by)
    if is_dropped:
        telemetry.OUTCOMES.labels(action_id.partition(".")[0], m.OutcomeKind.REFUSED.value).inc()
    return is_dropped


async def replay(
    store: Store, clock: Clock, minted: Minted, action_id: str, *, by: m.Operator, max_age_seconds: float | None = None
) -> m.Receipt | None:
    """Ask again for what an action asked: always a new action, which joins nothing and is joined by nothing.

    It goes the way of any other: looked at, decided by the rules and the policy of now, and told on the same ticket.

    Args:
        store: where the old action stands, and the new one will.
        clock: for the moment in the timeline.
        minted: id (of the same org) and key of the new action; asked again with the same ones, it is the same action.
        action_id: the old one, open or settled.
        by: the person who asks, for the timeline and the audit.
        max_age_seconds: without it the click stays the old one, and what was too late stays too late; with it the
            person says that it is to be done all the same, within so many seconds from now.

    Returns:
        None when there is no such action.

    Raises:
        Unreadable: nobody can tell any more who was meant; or it was done, and nobody said how long it may take anew.
        StoreDown: not stored.
    """
    account = await store.read(action_id)
    if account is None:
        return None
    old = account.action
    is_fresh = max_age_seconds is not None
    if not is_fresh and old.outcome is not None and old.outcome.kind in _DONE:
        # who is there now came back since, and an old click is not for who came back
        raise Unreadable("the person was gone when this ended; say within how many seconds it is to be done again")
    removal = replace(_meant(old), event_id="", event_at=None if is_fresh else old.clicked_at)
    max_age = (old.not_after - old.clicked_at) / 1000 if max_age_seconds is None else max_age_seconds
    channels = {report.channel: None for report in account.reports if report.source == old.source}
    terms = m.SourceTerms(old.source, old.org, max_age, tuple(channels))
    offer = _offer(removal, terms, minted, f"replay of {old.id}", clock.now(), by)
    return await store.accept(replace(offer, replay_of=old.id))


async def rehearse(store: Store, clock: Clock, minted: Minted, action_id: str, *, by: m.Operator) -> m.Receipt | None:
    """Ask who would go if an action were replayed now, or why nobody: nothing is sent, and no ticket is told.

    It is a preview of whom the old one meant, as `preview` is; see `replay` for the arguments.

    Returns:
        None when there is no such action.

    Raises:
        Unreadable: nobody can tell any more who was meant.
        StoreDown: not stored.
    """
    account = await store.read(action_id)
    if account is None:
        return None
    old = account.action
    terms = m.SourceTerms(old.source, old.org, (old.not_after - old.clicked_at) / 1000, ())
    return await preview(store, clock, minted, replace(_meant(old), ticket=None), terms, by=by)


async def preview(
    store: Store, clock: Clock, minted: Minted, removal: m.Removal, terms: m.SourceTerms, *, by: m.Operator
) -> m.Receipt:
    """Ask who would go and who would stay, or why nobody: the removal as any other, but that nothing is ever sent.

    Always an action of its own, which joins nothing and is joined by nothing. The policy is the same as for a click:
    of the requester that `removal` names.

    Args:
        store: where the action will stand.
        clock: for the moment in the timeline.
        minted: id (of the source's org) and key of the action; asked again with the same ones, it is the same action.
        removal: who is meant; its ticket is told, if it names one, and nobody else.
        terms: of the source as which it is asked.
        by: the person who asks, for the timeline and the audit.

    Raises:
        StoreDown: not stored.
    """
    asked = replace(removal, preview=True, event_id="", event_at=None)
    told = terms if removal.ticket else replace(terms, channels=())
    return await store.accept(_offer(asked, told, minted, "preview", clock.now(), by))


def _offer(removal: m.Removal, terms: m.SourceTerms, minted: Minted, written: str, at: int, by: m.Operator) -> m.Offer:
    """Return what a person offers: a delivery of its own kind, whose wish nobody shares."""
    return m.Offer(
        action_id=minted.action_id,
        org=terms.org,
        source=terms.name,
        key=minted.key,
        removal=removal,
        delivery_key=hashlib.sha256(f"{written} by {minted.action_id}".encode()).hexdigest(),
        body_hash=hashlib.sha256(written.encode()).hexdigest(),
        is_hash_only=False,
        intent_key=None,
        max_age_seconds=terms.max_age_seconds,
        channels=terms.channels,
        entries=(m.Entry("accept", at, note=f"{written}, asked by {by.who}"),),
        by=by,
    )


def _meant(action: m.Action) -> m.Removal:
    """Return the removal with its numbers whole: after the end they are cut, and then the pin alone says who it was.

    Also a purpose: it means somebody else as soon as that one is gone.
    """
    removal, pin = action.removal, action.progress.pin
    is_cut = any(one and one.is_masked for one in (removal.selector, removal.identity))
    if pin is None and is_cut:
        raise Unreadable(
            "what named the person was cut when the action ended, and nobody was found by it; click again on the ticket"
        )
    if pin is None or not (is_cut or removal.selector.kind is m.SelectorKind.PURPOSE):
        return removal
    leg = m.Selector(m.SelectorKind.COMMUNICATION_ID, pin.communication_id)
    person = m.Selector(m.SelectorKind.PARTICIPANT_ID, pin.participant_id)
    return replace(removal, selector=leg if pin.communication_id else person, identity=None)
