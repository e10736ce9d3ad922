"""What `onhook actions` does: actions are found, shown, written out, asked again, and given up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.core.errors import Misconfigured, Unreadable
from service.core.rules import Minted
from service.flow import operations
from service.store.keys import Keys
from service.store.waiter import WakeWaiter
from service.wiring.documents import Document, account_document, action_line
from service.wiring.moments import span_in
from service.wiring.watching import NotDone, Watch, org_meant, watching

PAGE = 200  # actions that are read at once while all are written out
ALIKE = 10  # so many are named where more than one fits


@dataclass(frozen=True, slots=True)
class Wish:
    """Which actions are looked for, as a person says it; what is empty lets any through."""

    text: str = ""
    org: str = ""
    source: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that a person asked for, and what became of it.

    Attributes:
        ended: how, as one action is told; None where it has not in time.
    """

    action_id: str
    ended: Document | None


async def listed(wish: Wish, limit: int, after: str) -> Document:
    """Return the newest actions that fit, and where to go on.

    Raises:
        Misconfigured: the wish cannot be read, in words; or there is no Redis.
        StoreDown: Redis is away.
    """
    async with watching(wish.org, wish.source) as watch:
        page = await _page(watch, _search(watch, wish), limit, after)
    return {"actions": [action_line(one) for one in page.actions], "after": page.after or None}


async def exported(wish: Wish) -> AsyncGenerator[Document, None]:
    """Yield all actions that fit, the newest first; no more than a page of them is held at a time.

    Raises as `listed`.
    """
    async with watching(wish.org, wish.source) as watch:
        search, after, is_last = _search(watch, wish), "", False
        while not is_last:
            page = await _page(watch, search, PAGE, after)
            for one in page.actions:
                yield action_line(one)
            after, is_last = page.after, not page.after


async def shown(text: str) -> Document:
    """Return all there is to tell of the one action that `text` means: its id, or whatever it is found by.

    Raises:
        NotDone: there is none, or more than one; in words.
        Misconfigured, StoreDown: as `listed`.
    """
    async with watching() as watch:
        account = await _found(watch, text)
    return account_document(account, watch.said.wording.wording)


async def drop(action_id: str, by: m.Operator) -> None:
    """End an open action of which nothing was sent; its tickets are told.

    Raises:
        NotDone: there is no such action, or it has ended, or something was sent; in words.
        Misconfigured: it is no id, or there is no Redis.
        StoreDown: Redis is away.
    """
    async with watching() as watch:
        org_meant(watch, action_id)
        try:
            is_there = await operations.drop(watch.store, action_id, by=by)
        except Unreadable as why:
            raise NotDone(f"{action_id} was not dropped: {why}") from None
    if not is_there:
        raise _unknown(action_id)


async def rehearse(action_id: str, by: m.Operator, seconds: float) -> Asked:
    """Ask who would go if an action were asked again now, and wait for what comes of it; nobody is removed.

    Raises as `replay`.
    """
    async with watching() as watch:
        minted = _minted(watch, action_id)
        try:
            receipt = await operations.rehearse(watch.store, watch.clock, minted, action_id, by=by)
        except Unreadable as why:
            raise NotDone(f"{action_id} cannot be asked again: {why}") from None
        return await _ended(watch, action_id, receipt, seconds)


async def replay(action_id: str, within: float | None, by: m.Operator, seconds: float) -> Asked:
    """Ask again for what an action asked, and wait for what comes of it.

    Args:
        action_id: the old one.
        within: it may be done so many seconds from now; None for as long as the old click still lets it.
        by: who asks, and why.
        seconds: how long to wait.

    Raises:
        NotDone: there is no such action, or nobody can tell any more who was meant; in words.
        Misconfigured: it is no id, or there is no Redis.
        StoreDown: Redis is away.
    """
    async with watching() as watch:
        minted = _minted(watch, action_id)
        try:
            receipt = await operations.replay(
                watch.store, watch.clock, minted, action_id, by=by, max_age_seconds=within
            )
        except Unreadable as why:
            raise NotDone(f"{action_id} was not asked again: {why}") from None
        return await _ended(watch, action_id, receipt, seconds)


async def _ended(watch: Watch, asked: str, receipt: m.Receipt | None, seconds: float) -> Asked:
    if receipt is None:
        raise _unknown(asked)
    said, action_id = watch.said, receipt.action_id
    waiter = WakeWaiter(watch.url, watch.clock, keys=Keys(said.redis.prefix), is_cluster=said.redis.cluster or None)
    async with waiter:
        outcome = await operations.outcome_of(watch.store, waiter, watch.clock, action_id, seconds)
    account = await watch.store.read(action_id) if outcome else None
    return Asked(action_id, account_document(account, said.wording.wording) if account else None)


def _minted(watch: Watch, action_id: str) -> Minted:
    return Minted(watch.dice.action_id(org_meant(watch, action_id)), watch.dice.token())


def _search(watch: Watch, wish: Wish) -> m.Search:
    since_at, until_at = span_in(wish.since, wish.until, watch.clock.now())
    return m.Search(wish.text, wish.source, wish.outcome, since_at, until_at)


async def _page(watch: Watch, search: m.Search, limit: int, after: str) -> m.Page:
    try:
        return await operations.find(watch.archive, watch.orgs, search, limit, after)
    except ValueError as why:
        raise Misconfigured([str(why)]) from None


async def _found(watch: Watch, text: str) -> m.Account:
    action_id = text if m.org_of(text) else await _only(watch, text)
    org_meant(watch, action_id)
    account = await watch.store.read(action_id)
    if account is None:
        raise _unknown(action_id)
    return account


async def _only(watch: Watch, text: str) -> str:
    """Return the id of the one action that is found by `text`."""
    found: list[m.Action] = []
    after, is_last = "", False
    while len(found) <= ALIKE and not is_last:
        page = await _page(watch, m.Search(text), ALIKE + 1, after)
        found += page.actions
        after, is_last = page.after, not page.after
    if len(found) == 1:
        return found[0].id
    if found:
        raise NotDone(_which(text, found))
    where = " or ".join(f"{org}.…" for org in watch.orgs)
    raise NotDone(
        f"nothing is found by “{text[:80]}”. An action's id begins with its org ({where}); it is found as well by the"
        " whole id of a conversation, participant, ticket, requester or delivery, or by a number's last four digits"
    )


def _which(text: str, found: Sequence[m.Action]) -> str:
    lines = [action_line(one) for one in found[:ALIKE]]
    named = "\n".join(f"  {one['action']}  {one['received_at']}  {one['outcome']}" for one in lines)
    count = len(found) if len(found) <= ALIKE else f"more than {ALIKE}"
    return f"“{text[:80]}” fits {count} actions; say which, by its id:\n{named}"


def _unknown(action_id: str) -> NotDone:
    return NotDone(f"there is no action {action_id}; what has ended is kept for retention.actions_days")
