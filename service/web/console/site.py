"""The console as one thing that answers every request below its root: who may ask, who answers, and what if not."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service import telemetry
from service.core.errors import StoreDown, UnknownVersion
from service.web.console import troubles
from service.web.console.entrance import LOGIN, LOGOUT, Entrance
from service.web.console.forms import Form, fields_in, read_form
from service.web.console.origin import is_from_us, is_ours
from service.web.console.pages import Pages, go_to
from service.web.console.sessions import Session
from service.web.console.troubles import TurnedAway, trouble_of
from service.web.console.turns import Turns
from service.web.console.visit import ROOT, Around, Place, Visit

FORM_TOKEN = "form_token"  # noqa: S105 - the name of the field that each form has, with its session's own value in it
LIVE = "x-onhook-live"  # a script of ours asks: it cannot show a page to log in


@dataclass(frozen=True, slots=True)
class Site:
    """The console.

    Attributes:
        around: asks for what every whole page shows beside its own: `standings`.
        hosts: the names by which browsers reach it, lower-case.
        turns: so many pages are made at the same time.
    """

    entrance: Entrance
    pages: Pages
    places: Sequence[Place]
    around: Around
    hosts: frozenset[str]
    turns: Turns = field(default_factory=Turns)

    async def answer(self, request: Request) -> Response:
        """Return the answer to one request whose path is the root or below it; whatever goes wrong is a page."""
        session: Session | None = None
        try:
            if not is_ours(request.headers, self.hosts):
                raise TurnedAway(troubles.FOREIGN_HOST)
            if asset := self.pages.assets.at(request.scope["path"]):
                _takes(request, "GET", "HEAD")
                return self.pages.asset(asset, request.headers)
            session = self.entrance.visitor(request)
            return await self._answered(request, session)
        except ClientDisconnect:
            raise
        except Exception as fault:  # noqa: BLE001 - a fault of ours is a page for one reader, and never text of its own
            trouble = trouble_of(fault)
            if trouble is troubles.UNEXPECTED:
                telemetry.emit_fault(fault, f"{request.method} {ROOT}")
            known = {"session": session, "path": request.scope["path"]}
            return self.pages.trouble(trouble, known)

    async def _answered(self, request: Request, session: Session | None) -> Response:
        path: str = request.scope["path"]
        if request.method == "POST" and not is_from_us(request.headers, self.hosts):
            raise TurnedAway(troubles.FOREIGN_PAGE)
        if path == LOGIN:
            _takes(request, "GET", "HEAD", "POST")
            return await self.entrance.enter(request) if request.method == "POST" else self.entrance.show(request)
        if path == LOGOUT:
            _takes(request, "POST")
        place, groups = (None, ()) if path == LOGOUT else self._place(request)
        if session is None:
            return self._arriving(request) if _is_from_elsewhere(request) else _shut_out(request)
        form = await _form(request, session)
        if place is None:
            return self.entrance.leave(request)
        if not session.role.covers(place.role):
            raise TurnedAway(troubles.FOR_OPERATORS)
        query = fields_in(request.scope["query_string"].decode("latin-1"))
        try:
            # an act is small, and whoever pauses an org must not wait for whoever reads
            is_free = place.is_patient or place.method == "POST"
            async with nullcontext() if is_free else self.turns.turn():
                return await place.answer(Visit(request, session, self.pages, self.around, form, query), *groups)
        except StoreDown as fault:
            if place.method == "POST" and not isinstance(fault, UnknownVersion):
                raise TurnedAway(troubles.STORE_LOST) from None
            raise

    def _arriving(self, request: Request) -> Response:
        """Return a page that asks for itself again: then the cookie comes along.

        A browser keeps it back (SameSite=Strict) when a link in a mail or on a ticket leads here; without this, whoever
        is in would be asked for a token at each alert.
        """
        answer = self.pages.page(200, "arriving.html", {"session": None}, request.headers)
        answer.headers["Refresh"] = "0"
        return answer

    def _place(self, request: Request) -> tuple[Place, Sequence[str]]:
        """Return what is at the path, and the groups in it.

        Raises:
            TurnedAway: there is nothing, or it takes another method.
        """
        path = request.scope["path"].removeprefix(ROOT)
        method = "GET" if request.method == "HEAD" else request.method
        allowed: list[str] = []
        for place in self.places:
            if found := re.fullmatch(place.path, path):
                if place.method == method:
                    return place, found.groups()
                allowed.extend(("GET", "HEAD") if place.method == "GET" else (place.method,))
        raise TurnedAway(troubles.wrong_method(", ".join(allowed)) if allowed else troubles.NOT_FOUND)


def _is_from_elsewhere(request: Request) -> bool:
    return request.method in {"GET", "HEAD"} and request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}


def _takes(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise TurnedAway(troubles.wrong_method(", ".join(methods)))


def _shut_out(request: Request) -> Response:
    """Lead to the login, and from there back; or say so to whom that would not help."""
    if request.method == "POST" or LIVE in request.headers:
        raise TurnedAway(troubles.ENDED)
    query: str = request.scope["query_string"].decode("latin-1")
    wanted = request.scope["path"] + (f"?{query}" if query else "")
    return go_to(LOGIN if wanted == ROOT else f"{LOGIN}?next={quote(wanted, safe='')}")


async def _form(request: Request, session: Session) -> Form:
    """Return the form of an act; it carries the token of this session.

    Raises:
        TurnedAway: it does not.
    """
    if request.method != "POST":
        return Form()
    form = await read_form(request)
    if not hmac.compare_digest(form.get(FORM_TOKEN).encode(), session.form_token.encode()):
        raise TurnedAway(troubles.OLD_FORM)
    return form
