"""What the console shows, page by page: each asks the ports, and prints what its view makes of the answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.core import model as m
from service.flow import operations
from service.flow.review import by_cause
from service.web.console import troubles
from service.web.console.pages import ALWAYS
from service.web.console.site import LIVE
from service.web.console.troubles import TurnedAway
from service.web.console.turns import Turns
from service.web.console.visit import Visit
from service.web.pages import charts
from service.web.pages.audits import DAY, day_in, day_of
from service.web.pages.found import OUTCOMES, PAGE, Found, Wanted, row, wanted
from service.web.pages.letters import MOST, causes
from service.web.pages.notices import notice_of
from service.web.pages.now import minutes_of, now_of
from service.web.pages.one import Around, One, one_of
from service.web.pages.refused import refused_of
from service.web.pages.telling import safe
from service.web.pages.watch import Watch

EXPORTS_AT_ONCE = 2  # each reads all there is, as fast as Redis gives it: who comes then asks again
KIN = 20  # other actions on one conversation: more than anybody compares
_FILES = {"jsonl": "application/x-ndjson; charset=utf-8", "csv": "text/csv; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Looking:
    """The pages that only show."""

    watch: Watch
    exports: Turns = field(default_factory=lambda: Turns(EXPORTS_AT_ONCE, 0))

    async def now(self, visit: Visit) -> Response:
        """Show how it stands; StoreDown where that is not known."""
        shown = await now_of(self.watch)
        if LIVE in visit.request.headers:
            return visit.part("now_part.html", now=shown)
        standings = await self.watch.standings()
        return await visit.page("now.html", now=shown, notice=notice_of(visit.query, standings))

    async def charts(self, visit: Visit) -> Response:
        """Return what the charts draw."""
        at = self.watch.clock.now()
        found = await minutes_of(self.watch, at)
        return visit.json(charts.series([one for minutes in found.values() for one in minutes], at))

    async def actions(self, visit: Visit) -> Response:
        """Show the actions that were looked for, the newest first."""
        watch, query = self.watch, visit.query
        said = {name: query.get(name) for name in ("q", "org", "source", "outcome", "since", "until")}
        asked = wanted(said, watch.orgs, tuple(watch.sources), query.get("after"))
        faults, after = list(asked.faults), ""
        rows: Sequence[Found] = ()
        if not faults:
            try:
                rows, after = await self._found(asked)
            except ValueError as fault:  # the place where the page begins is not one of ours
                faults.append(f"{str(fault)[:1].upper()}{safe(str(fault)[1:])}.")
        context = {"wanted": asked, "rows": rows, "after": after, "faults": faults}
        if LIVE in visit.request.headers:
            return visit.part("actions_part.html", **context)
        lists = {"orgs": watch.orgs, "sources": tuple(watch.sources), "outcomes": OUTCOMES}
        return await visit.page("actions.html", 400 if faults else 200, **context, **lists)

    async def action(self, visit: Visit, action_id: str) -> Response:
        """Show one action; TurnedAway where there is none."""
        shown = await self.one(action_id)
        if LIVE in visit.request.headers:
            return visit.part("action_part.html", one=shown)
        notice = notice_of(visit.query, (), shown)
        return await visit.page("action.html", one=shown, notice=notice)

    async def one(self, action_id: str) -> One:
        """Return an action as its page shows it; TurnedAway where there is none."""
        watch = self.watch
        account = await watch.store.read(action_id) if m.org_of(action_id) in watch.orgs else None
        if account is None:
            raise TurnedAway(troubles.NOT_FOUND)
        action = account.action
        search = m.Search(text=action.removal.conversation_id)
        kin = await watch.archive.find(action.org, search, KIN)
        around = Around(
            watch.clock.now(),
            watch.wording,
            watch.language,
            watch.apis[action.org],
            watch.public_url.rstrip("/"),
            is_paused=action.outcome is None and await self._is_paused(action),
        )
        return one_of(account, kin.actions, around)

    async def refusals(self, visit: Visit) -> Response:
        """Show what was refused, of one source or of all."""
        watch, name = self.watch, visit.query.get("source")
        names = [name] if name in watch.sources else list(watch.sources)
        at = watch.clock.now()
        found = await asyncio.gather(*(watch.refusals.refusals(source) for source in names))
        shown = [refused_of(source, refusals, at) for source, refusals in zip(names, found, strict=True)]
        context = {"shown": [one for one in shown if one.count or one.source == name], "chosen": name}
        return await visit.page("refusals.html", sources=tuple(watch.sources), **context)

    async def dead(self, visit: Visit) -> Response:
        """Show the dead letters, by cause."""
        watch, at = self.watch, self.watch.clock.now()
        found = await asyncio.gather(*(watch.archive.dead(org, MOST) for org in watch.orgs))
        letters = sorted((one for some in found for one in some), key=lambda one: one.died_at, reverse=True)
        shown = causes(by_cause(letters[:MOST]), at)
        count = min(len(letters), MOST)
        context = {"causes": shown, "count": count, "most": MOST}
        return await visit.page("dead.html", notice=notice_of(visit.query), **context)

    async def audit(self, visit: Visit) -> Response:
        """Show one day of the audit of one org."""
        watch, query, at = self.watch, visit.query, self.watch.clock.now()
        org = query.get("org") if query.get("org") in watch.orgs else watch.orgs[0]
        page = int(query.get("page")) if re.fullmatch("[1-9][0-9]{0,4}", query.get("page")) else 1
        began = day_in(query.get("day"), at)
        shown = await day_of(watch.archive, watch.store, org, began, page, at, place_of=watch.audit_from)
        return await visit.page("audit.html", audit=shown, orgs=watch.orgs)

    async def export(self, visit: Visit, form: str) -> Response:
        """Send the audit as a file: all of it, or of the days that are named."""
        since, until = (visit.query.get(name) for name in ("since", "until"))
        at = self.watch.clock.now()
        since_at = day_in(since, at) if since else 0
        until_at = day_in(until, at) + DAY if until else 0
        headers = {
            **ALWAYS,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="onhook-audit.{form}"',
        }
        pieces = self._in_turn(self.watch.exported(form, since_at, until_at))
        # asked for before anything is answered: where the store is away that is a page, and no half file
        first = await anext(pieces, b"")
        return _File(first, pieces, headers, _FILES[form])

    async def _in_turn(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async with self.exports.turn():
            async for piece in pieces:
                yield piece

    async def _is_paused(self, action: m.Action) -> bool:
        standings = await self.watch.standings()
        paused = {one.source for standing in standings if standing.org == action.org for one in standing.pauses}
        return bool(paused & {"", action.source})

    async def _found(self, asked: Wanted) -> tuple[Sequence[Found], str]:
        watch, at = self.watch, self.watch.clock.now()
        page = await operations.find(watch.archive, asked.orgs, asked.search, PAGE, asked.after)
        if not page.actions and m.Search(asked.search.text) == asked.search and not asked.after:
            page = m.Page(await self._by_id(asked), page.after)
        rows = [
            row(action, watch.wording.explanation(action.outcome) if action.outcome else "", at)
            for action in page.actions
        ]
        return rows, page.after

    async def _by_id(self, asked: Wanted) -> tuple[m.Action, ...]:
        """Return the action whose whole id was looked for, also one from before there was an index."""
        action_id = asked.search.text.lower()
        account = await self.watch.store.read(action_id) if m.org_of(action_id) in asked.orgs else None
        return (account.action,) if account else ()


class _File(StreamingResponse):
    """A file that is made while it is sent; what makes it ends with it, also when its reader has gone away."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], headers: Mapping[str, str], kind: str) -> None:
        self._rest = rest
        super().__init__(_joined(first, rest), headers=headers, media_type=kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
