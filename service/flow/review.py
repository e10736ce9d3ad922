"""What a person reads afterwards: the audit with what it refers to, dead letters by their cause, how a day went."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import TypeAlias

from service.core import model as m
from service.core.errors import UnknownVersion
from service.core.ports import Archive, Store

PAGE = 100  # lines of the audit that are read, and joined, at once: a few milliseconds of Redis
# asked for at the same time: a page's worth at once would be before every webhook that is to be stored
READ_AT_ONCE = 20
UNSAID = "nothing was said about why"
# a word with a digit in it is an id, a number, a ticket or a moment; what it stands in is the cause
_NUMBERED = re.compile(r"""[^\s"'“”‘’()\[\]{}<>,;:=/]*[0-9](?:[^\s"'“”‘’()\[\]{}<>,;:=/]|:(?=[0-9]))*""")
_STATUS = re.compile(r"[1-5][0-9][0-9]")  # says more of a cause than most sentences
_STEP_MS = 3_600_000  # a clock that stepped back by no more hides no line from whoever asks for a span of time
_OF_ACTIONS = frozenset({m.Deed.SETTLE, m.Deed.REPLAY, m.Deed.PREVIEW, m.Deed.DROP, m.Deed.RETELL})


@dataclass(frozen=True, slots=True)
class Audited:
    """One line of the audit with what it refers to.

    Attributes:
        account: the action it is about, as far as it is kept; None for a line about none, and for one that is gone.
        gap: why who was removed and who asked cannot be told, in words; "" where it can, or where it is about none.
    """

    org: str
    line: m.AuditLine
    account: m.Account | None = None
    gap: str = ""

    @property
    def action_id(self) -> str:
        """The id of the action it is about, or "": a line about a report is about its action."""
        return _action_of(self.line)

    @property
    def report(self) -> m.Report | None:
        """The report it is about, or None."""
        reports = self.account.reports if self.account else ()
        return next((one for one in reports if one.id == self.line.of), None)


_Head: TypeAlias = tuple[int, int, Audited, AsyncIterator[Audited]]


async def audited(
    archive: Archive,
    store: Store,
    orgs: Iterable[str],
    *,
    since_at: int = 0,
    until_at: int = 0,
    cursors: MutableMapping[str, str] | None = None,
) -> AsyncGenerator[Audited, None]:
    """Yield the audit of `orgs`, the oldest line first, each with what it refers to as it stands now.

    It ends where the audit ends; of each org no more than a page is held at a time.

    Args:
        archive: where the audit stands.
        store: where the actions stand.
        orgs: whose audit.
        since_at: only what happened then or later; 0 for all.
        until_at: only what happened before then; 0 for all.
        cursors: where to begin, by org; moved on, so that whoever gives the same again after the end gets what is new.

    Raises:
        StoreDown: the store is away.
    """
    places = {} if cursors is None else cursors
    async with AsyncExitStack() as stack:
        heads: list[_Head] = []
        for rank, org in enumerate(orgs):
            its = await stack.enter_async_context(aclosing(_joined(archive, store, org, places)))
            await _push(heads, rank, its)
        while heads:
            at, rank, head, lines = heapq.heappop(heads)
            if until_at and at >= until_at + _STEP_MS:
                continue  # of this org nothing earlier comes
            if at >= since_at and not (until_at and at >= until_at):
                yield head
            await _push(heads, rank, lines)


async def audited_page(archive: Archive, store: Store, org: str, after: str = "") -> tuple[Sequence[Audited], str]:
    """Return the next lines of the audit of one org, each with what it refers to, and where to go on.

    There is nothing more yet when that is where it began. A place is only told with its lines: whoever hears StoreDown
    asks again from where he was, and misses nothing.
    """
    lines, place = await archive.audit(org, PAGE, after)
    ids = list(dict.fromkeys(filter(None, map(_action_of, lines))))
    found: dict[str, tuple[m.Account | None, str]] = {"": (None, "")}
    for first in range(0, len(ids), READ_AT_ONCE):
        some = ids[first : first + READ_AT_ONCE]
        found.update(zip(some, await asyncio.gather(*(_read(store, one) for one in some)), strict=True))
    return [Audited(org, line, *found[_action_of(line)]) for line in lines], place


def by_cause(letters: Iterable[m.DeadLetter]) -> Mapping[str, Sequence[m.DeadLetter]]:
    """Return dead letters by why they could not be delivered, the most frequent cause first, of each the newest first.

    A cause is the desk's sentence without what differs from ticket to ticket: ids, numbers and moments are `…`. The
    status of an answer stays.
    """
    found: dict[str, list[m.DeadLetter]] = {}
    for letter in sorted(letters, key=lambda one: one.died_at, reverse=True):
        found.setdefault(cause_of(letter.report.error), []).append(letter)
    return dict(sorted(found.items(), key=lambda cause: len(cause[1]), reverse=True))


def cause_of(error: str) -> str:
    """Return the cause that `by_cause` groups under."""
    return _NUMBERED.sub(lambda word: word[0] if _STATUS.fullmatch(word[0]) else "…", error).strip() or UNSAID


def summed(minutes: Iterable[m.Minute], since_at: int) -> m.Minute:
    """Return what happened in those of `minutes` that began at `since_at` or later, as one; it begins there."""
    accepted, refused, outcomes = Counter[str](), Counter[str](), Counter[str]()
    gone = [0] * (len(m.GONE_SECONDS) + 1)
    for minute in minutes:
        if minute.at >= since_at:
            accepted.update(minute.accepted)
            refused.update(minute.refused)
            outcomes.update(minute.outcomes)
            gone = [one + more for one, more in zip(gone, minute.gone, strict=True)]
    return m.Minute(since_at, dict(accepted), dict(refused), dict(outcomes), tuple(gone))


def gone_within(gone: Sequence[int], share: float) -> float | None:
    """Return the first of GONE_SECONDS within which `share` of those removed were gone.

    None where it took them longer than the last, and where nobody was removed.
    """
    needed, so_far = share * sum(gone), 0
    for seconds, count in zip(m.GONE_SECONDS, gone, strict=False):
        so_far += count
        if so_far and so_far >= needed:
            return seconds
    return None


async def _push(heads: list[_Head], rank: int, lines: AsyncIterator[Audited]) -> None:
    """Take the next of `lines`, if there is one; at one moment the orgs come in the order in which they were named."""
    head = await anext(lines, None)
    if head is not None:
        heapq.heappush(heads, (head.line.at, rank, head, lines))


async def _joined(
    archive: Archive, store: Store, org: str, cursors: MutableMapping[str, str]
) -> AsyncGenerator[Audited, None]:
    while True:
        before = cursors.get(org, "")
        lines, after = await audited_page(archive, store, org, before)
        for line in lines:
            yield line
        cursors[org] = after
        if after == before:
            return


def _action_of(line: m.AuditLine) -> str:
    """Return the id of the action a line is about, or ""; a report's begins with its action's."""
    action_id = ".".join(line.of.split(".")[:2])
    return action_id if line.deed in _OF_ACTIONS and m.org_of(action_id) else ""


async def _read(store: Store, action_id: str) -> tuple[m.Account | None, str]:
    """Return an action, as far as it is kept, and why who was removed and who asked cannot be told, or ""."""
    try:
        account = await store.read(action_id)
    except UnknownVersion:
        return None, "its record was written by a newer version of this service"
    if account is None:
        return None, "its record is no longer kept (retention.actions_days)"
    selector = account.action.removal.selector
    return account, "its record was forgotten on request" if selector == selector.forgotten else ""
