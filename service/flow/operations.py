"""What a person may do, in one place: the console and the commands both call this."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from service.core import model as m
from service.core.ports import Clock, Store, Waiter


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


async def pause(store: Store, orgs: Iterable[str], source: str = "") -> None:
    """Stop claiming for `orgs`, or for one source of theirs. Clicks that wait too long expire and say so."""
    for org in orgs:
        await store.pause(org, source)


async def resume(store: Store, orgs: Iterable[str], source: str = "") -> None:
    """Take a pause back; what is still in time is done now."""
    for org in orgs:
        await store.resume(org, source)


async def retell(store: Store, report_id: str) -> bool:
    """Make a dead letter due again, for a day like a new one; the ticket is asked first whether it has the note.

    Returns:
        False when there is nothing to tell again: no such report, or it is no dead letter (also: asked twice).

    Raises:
        StoreDown: the store is away.
    """
    try:
        return await store.retell(report_id)
    except ValueError:
        return False  # no report id at all
