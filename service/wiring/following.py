"""What `onhook tail` and `onhook audit --follow` show as it happens: the store is asked each second what is new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

from service.core import model as m
from service.core.errors import StoreDown
from service.flow import operations
from service.flow.review import Audited, audited_page
from service.store.ledger import audit_from
from service.web.answers import moment
from service.wiring.documents import Document, action_line, audit_line
from service.wiring.lifetime import Stop
from service.wiring.moments import span_in
from service.wiring.watching import Watch, watching

EVERY_SECONDS = 1.0  # what a person takes for live, and a hundred who watch cost Redis nothing
PAGE = 200  # actions a question
# an id is minted before its action is stored: one may come this much later than another with a later id
LATE_MS = 10_000

Warn = Callable[[str], None]
T = TypeVar("T")


async def tail(org: str, source: str, warn: Warn, stop: Stop) -> AsyncGenerator[Document, None]:
    """Yield what is accepted and what settles from now on, until `stop` is said, by a signal or by the caller.

    A document is an action as in a list, with `event` (`accepted`, `settled`) and `at` before it. While Redis is away
    that is said to `warn`, once, and again when it is back; what happened meanwhile comes then.

    Raises:
        Misconfigured: there is no such org or source, or no Redis.
        StoreDown: Redis is away from the start.
    """
    with stop.listening():
        async with watching(org, source) as watch:
            news = _News(watch, source, watch.clock.now())
            async for event in _followed(news.look, warn, stop):
                yield event


async def audit(
    org: str, since: str, until: str, *, follow: tuple[Warn, Stop] | None = None
) -> AsyncGenerator[Document, None]:
    """Yield the lines of the audit, the oldest first; of one org, or of all ("").

    Args:
        org: whose.
        since: from when on, as `moments.moment_in` reads it; "" for its beginning.
        until: until when; "" for its end.
        follow: go on with what is written from then on, as `tail` does.

    Raises:
        Misconfigured: there is no such org, no such span of time, or no Redis.
        StoreDown: Redis is away.
    """
    warn, stop = follow or (_nobody, Stop())
    with stop.listening() if follow else nullcontext():
        async with watching(org) as watch:
            since_at, until_at = span_in(since, until, watch.clock.now())
            places = {name: audit_from(since_at) for name in watch.orgs}
            told = operations.audited(
                watch.archive, watch.store, watch.orgs, since_at=since_at, until_at=until_at, cursors=places
            )
            async with aclosing(told):
                async for one in told:
                    if stop.said.is_set():
                        return
                    yield audit_line(one)
            if follow is None:
                return
            async for one in _followed(_Lines(watch, places).new, warn, stop):
                yield audit_line(one)


def _nobody(_: str) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _Lines:
    """The audit of some orgs, read on from where it was read to."""

    watch: Watch
    places: MutableMapping[str, str]
    found: list[Audited] = field(default_factory=list)

    async def new(self) -> Sequence[Audited]:
        """Return what was written since, by org; what was found before StoreDown comes with the next answer."""
        for org in self.watch.orgs:
            before = None
            while before != self.places[org]:
                before = self.places[org]
                lines, self.places[org] = await audited_page(self.watch.archive, self.watch.store, org, before)
                self.found += lines
        found, self.found = self.found, []
        return found


class _News:
    """What was accepted and what settled since it was asked last."""

    def __init__(self, watch: Watch, source: str, began_at: int) -> None:
        self._watch, self._source, self._began_at = watch, source, began_at
        self._lines = _Lines(watch, {org: audit_from(began_at) for org in watch.orgs})
        self._since = began_at
        self._known: dict[str, int] = {}
        self._found: list[Document] = []

    async def look(self) -> Sequence[Document]:
        """Return what is new; what was found before StoreDown comes with the next answer."""
        for org in self._watch.orgs:
            for action in await self._newest(org):
                self._accepted(action)
        for line in await self._lines.new():
            self._settled(line)
        latest = max(self._known.values(), default=0)
        self._since = max(self._since, latest - LATE_MS)
        self._known = {one: at for one, at in self._known.items() if at >= self._since - LATE_MS}
        found, self._found = self._found, []
        return found

    async def _newest(self, org: str) -> Sequence[m.Action]:
        """Return what was accepted lately, the oldest first."""
        search, found = m.Search(source=self._source, since_at=self._since), list[m.Action]()
        after, is_last = "", False
        while not is_last:
            page = await self._watch.archive.find(org, search, PAGE, after)
            found += page.actions
            after, is_last = page.after, not page.after
        return found[::-1]

    def _accepted(self, action: m.Action) -> None:
        if action.id not in self._known and action.received_at >= self._began_at:
            self._known[action.id] = action.received_at
            begun = replace(action, outcome=None, settled_at=0)
            self._found.append(_event("accepted", action.received_at, begun))

    def _settled(self, one: Audited) -> None:
        is_ours = one.line.deed is m.Deed.SETTLE and self._source in {"", one.line.source}
        if one.account is not None and is_ours and one.line.at >= self._began_at:
            self._accepted(one.account.action)  # what came and went since we looked for what came
            self._found.append(_event("settled", one.line.at, one.account.action))


async def _followed(
    look: Callable[[], Awaitable[Sequence[T]]], warn: Warn, stop: Stop, every_seconds: float = EVERY_SECONDS
) -> AsyncGenerator[T, None]:
    """Yield what each look finds, until `stop` is said; see `tail` for what is said while Redis is away."""
    found, is_lost = await look(), False
    while True:
        for one in found:
            yield one
        saying = asyncio.ensure_future(stop.said.wait())
        await asyncio.wait({saying}, timeout=every_seconds)
        saying.cancel()
        if stop.said.is_set():
            return
        try:
            found = await look()
        except StoreDown as fault:
            if not is_lost:
                warn(f"Redis is away: {fault}; it is waited for")
            found, is_lost = (), True
        else:
            if is_lost:
                warn("Redis is back")
            is_lost = False


def _event(event: str, at: int, action: m.Action) -> Document:
    return {"event": event, "at": moment(at), **action_line(action)}
