"""What an operator does: each act is one operation, written into the audit, and leads to a page that says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from service.core import model as m
from service.core.errors import Unreadable
from service.core.rules import Minted
from service.flow import operations
from service.web.console import troubles
from service.web.console.troubles import TurnedAway
from service.web.console.visit import Visit
from service.web.pages.letters import MOST
from service.web.pages.looking import Looking
from service.web.pages.telling import safe
from service.web.pages.watch import Watch

WITHIN_MOST = 3600  # seconds: who wants somebody removed later than within an hour clicks again then
WHY_MOST = 300  # characters: a sentence or two
PREVIEW_SECONDS = 4.0  # for which a page waits: two looks three seconds apart fit; few pages are made at once
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Acting:
    """The acts, and the page that prepares one."""

    watch: Watch
    looking: Looking

    async def pause(self, visit: Visit) -> Response:
        """Pause an org, or one source of it."""
        org, source = self._meant(visit)
        await operations.pause(self.watch.store, [org], source, by=_by(visit, needs_reason=True))
        return visit.go(_done("", done="paused", org=org, source=source))

    async def resume(self, visit: Visit) -> Response:
        """Take a pause back."""
        org, source = self._meant(visit)
        await operations.resume(self.watch.store, [org], source, by=_by(visit))
        return visit.go(_done("", done="resumed", org=org, source=source))

    async def retell(self, visit: Visit) -> Response:
        """Tell dead letters again, one or many."""
        by = _by(visit)
        chosen = list(dict.fromkeys(visit.form.all("report")))
        if not chosen:
            raise Unreadable("No letter was chosen: mark at least one.")
        if len(chosen) > MOST:
            raise Unreadable(f"No more than {MOST} letters are told again at once.")
        told = [await operations.retell(self.watch.store, report_id, by=by) for report_id in chosen]
        return visit.go(_done("/dead", done="retold", told=str(sum(told)), left=str(len(told) - sum(told))))

    async def drop(self, visit: Visit, action_id: str) -> Response:
        """End an open action of which nothing was sent."""
        by = _by(visit, needs_reason=True)
        if not await operations.drop(self.watch.store, action_id, by=by):
            raise TurnedAway(troubles.NOT_FOUND)
        return visit.go(_done(f"/actions/{action_id}", done="dropped"))

    async def rehearse(self, visit: Visit, action_id: str) -> Response:
        """Ask who would go if an action were asked again; nobody is removed, and no ticket told."""
        minted = self.watch.minted(await self._org(action_id))
        by = m.Operator(visit.session.who, f"before a replay of {action_id}")
        receipt = await operations.rehearse(self.watch.store, self.watch.clock, minted, action_id, by=by)
        if receipt is None:
            raise TurnedAway(troubles.NOT_FOUND)
        return visit.go(_done(f"/actions/{action_id}/replay", preview=receipt.action_id))

    async def prepare(self, visit: Visit, action_id: str) -> Response:
        """Show what a replay would do, and ask for the reason and for how long it may take."""
        watch = self.watch
        shown = await self.looking.one(action_id)
        preview_id = visit.query.get("preview")
        preview = None
        if m.org_of(preview_id) == shown.org:
            await operations.outcome_of(watch.store, watch.waiter, watch.clock, preview_id, PREVIEW_SECONDS)
            found = await self.looking.one(preview_id)
            # anybody can write an address: what is shown as who would go is a preview, and of this conversation
            preview = found if found.is_preview and found.conversation == shown.conversation else None
        # the form names the new action, so that one that is sent twice is the same replay
        minted = watch.minted(shown.org)
        context = {"one": shown, "preview": preview, "minted": minted, "within_most": WITHIN_MOST}
        return await visit.page("replay.html", **context)

    async def replay(self, visit: Visit, action_id: str) -> Response:
        """Ask again for what an action asked."""
        by, org = _by(visit, needs_reason=True), await self._org(action_id)
        minted = Minted(visit.form.get("new"), visit.form.get("key"))
        if m.org_of(minted.action_id) != org or not _KEY.fullmatch(minted.key):
            raise Unreadable("The form is not whole: open the page of the replay again.")
        within = _seconds(visit.form.get("within"))
        store, clock = self.watch.store, self.watch.clock
        receipt = await operations.replay(store, clock, minted, action_id, by=by, max_age_seconds=within)
        if receipt is None:
            raise TurnedAway(troubles.NOT_FOUND)
        return visit.go(_done(f"/actions/{receipt.action_id}", done="replayed"))

    async def _org(self, action_id: str) -> str:
        org = m.org_of(action_id)
        if org is None or org not in self.watch.orgs:
            raise TurnedAway(troubles.NOT_FOUND)
        return org

    def _meant(self, visit: Visit) -> tuple[str, str]:
        """Return the org, and the source of it or "", that a form names; Unreadable where there is no such thing."""
        org, _, source = visit.form.get("what").partition("/")
        if org not in self.watch.orgs or (source and source not in self.watch.of_org(org)):
            raise Unreadable(f"There is no {safe(f'source {source} of org {org}' if source else f'org {org}', 100)}.")
        return org, source


def _by(visit: Visit, *, needs_reason: bool = False) -> m.Operator:
    """Return who acts, and why; Unreadable where the reason is missing, or too long."""
    by = visit.operator()
    # the audit leaves out what cannot be seen: a reason of nothing else would be none there
    by = m.Operator(by.who, "".join(filter(str.isprintable, by.why)).strip())
    if needs_reason and not by.why:
        raise Unreadable("Say why: the reason stands in the audit.")
    if len(by.why) > WHY_MOST:
        raise Unreadable(f"The reason has more than {WHY_MOST} characters: say it in a sentence or two.")
    return by


def _seconds(text: str) -> int:
    """Return a number of seconds that somebody typed; Unreadable, in words, where it is none."""
    # so few digits that int() takes them all: with zeros before it a number of any length begins small
    if not (_SECONDS.fullmatch(text) and 0 < int(text) <= WITHIN_MOST):
        raise Unreadable(f"Say within how many seconds it is to be done: a whole number from 1 to {WITHIN_MOST}.")
    return int(text)


def _done(path: str, **said: str) -> str:
    return f"{path}?{urlencode({name: value for name, value in said.items() if value})}"
