"""How somebody gets into the console, and out: the page for a token, the cookie, and what wrong tokens cost.

A stranger who sends wrong tokens hears 429 after a few, so that he can neither fill the log nor take our time. A right
one is taken also then: nobody guesses 32 bytes of chance, and a stranger must not keep out who is on call.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from math import ceil

from starlette.requests import Request
from starlette.responses import Response

from service import telemetry
from service.core.ports import Clock, Dice
from service.web.console.forms import fields_in, read_form
from service.web.console.pages import Pages, go_to
from service.web.console.proxy import Proxy
from service.web.console.sessions import COOKIE, Session, Sessions
from service.web.console.troubles import TurnedAway, too_many
from service.web.console.visit import ROOT

WRONG_MOST = 10  # wrong tokens a minute, all together: a person mistypes a few times, and pastes the wrong one twice
_MINUTE = 60.0
LOGIN = f"{ROOT}/login"
LOGOUT = f"{ROOT}/logout"
# a path of ours, perhaps with a query; two slashes, or a backslash, would be another host's to a browser
_NEXT = re.compile(rf"{ROOT}(?:/[A-Za-z0-9._~%-]+)*/?(?:\?[A-Za-z0-9._~%&=+:,@-]*)?", re.ASCII)


def next_in(text: str) -> str:
    """Return where somebody goes who is in: what he wanted, where that is a page of ours, else the first one."""
    is_ours = _NEXT.fullmatch(text) and not re.search(r"/\.{1,2}(?:/|\?|$)", text) and not text.startswith(LOGIN)
    return text if is_ours else ROOT


@dataclass(slots=True)
class Entrance:
    """Who comes in.

    Attributes:
        proxy: who may say who somebody is, or None.
    """

    sessions: Sessions
    clock: Clock
    dice: Dice
    pages: Pages
    proxy: Proxy | None = None
    _wrong: deque[float] = field(default_factory=deque, init=False)

    def visitor(self, request: Request) -> Session | None:
        """Return who asks, or None: nobody we know.

        Raises:
            TurnedAway: somebody says who he is, and may not.
        """
        named = self.proxy and self.proxy.named(request)
        if named:
            return self.sessions.lent(*named)
        return self.sessions.session(request.cookies.get(COOKIE, ""), self.clock.now())

    def show(self, request: Request) -> Response:
        """Return the page that asks for a token."""
        query = fields_in(request.scope["query_string"].decode("latin-1"))
        return self._page(request, 200, next_in(query.get("next")))

    async def enter(self, request: Request) -> Response:
        """Let in whoever has a token, and lead him to where he was going.

        Raises:
            TurnedAway: too many wrong ones.
        """
        form = await read_form(request)
        onward = next_in(form.get("next"))
        holder = self.sessions.holder_of(form.get("token"))
        if holder is None:
            self._count_wrong()
            telemetry.emit(telemetry.Event.SESSION_REFUSED, "warning", peer=request.client and request.client.host)
            return self._page(request, 403, onward, is_wrong=True)
        telemetry.emit(telemetry.Event.SESSION_OPENED, who=holder.name, role=holder.role.value)
        cookie = self.sessions.cookie(holder, self.clock.now(), self.dice.token())
        return go_to(onward, {"Set-Cookie": self._cookie(request, cookie, self.sessions.seconds)})

    def leave(self, request: Request) -> Response:
        """Make the browser forget the session."""
        return go_to(LOGIN, {"Set-Cookie": self._cookie(request, "", 0)})

    def _page(self, request: Request, status: int, onward: str, *, is_wrong: bool = False) -> Response:
        ways = {"has_tokens": not self.sessions.is_empty, "has_proxy": self.proxy is not None}
        shown = {"session": None, "next": onward, "is_wrong": is_wrong, **ways}
        return self.pages.page(status, "login.html", shown, request.headers)

    def _count_wrong(self) -> None:
        now = self.clock.monotonic()
        while self._wrong and self._wrong[0] <= now - _MINUTE:
            self._wrong.popleft()
        if len(self._wrong) >= WRONG_MOST:
            raise TurnedAway(too_many(ceil(self._wrong[0] + _MINUTE - now)))
        self._wrong.append(now)

    @staticmethod
    def _cookie(request: Request, value: str, seconds: int) -> str:
        # the browser says how it reached us: where that is https, if a proxy ends it too, the cookie never goes without
        secure = "; Secure" if request.headers.get("origin", "").startswith("https:") else ""
        return f"{COOKIE}={value}; Path={ROOT}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
