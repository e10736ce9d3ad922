"""One request of somebody who is in, as a page or an act is given it; and where in the console it leads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.core import model as m
from service.web.console.forms import Form
from service.web.console.pages import Pages, go_to, sent
from service.web.console.sessions import Role, Session

ROOT = "/console"
Around = Callable[[], Awaitable[Mapping[str, object]]]
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page or an act knows of the one request it answers.

    Attributes:
        around: asks for what every whole page shows beside its own; raises StoreDown.
        form: what was sent, of an act; it was sent by a page of ours, in this session.
        query: what stands behind the question mark; anybody may have made it up.
    """

    request: Request
    session: Session
    pages: Pages
    around: Around
    form: Form
    query: Form

    @property
    def is_operator(self) -> bool:
        """Whether he may act."""
        return self.session.role is Role.OPERATOR

    def operator(self) -> m.Operator:
        """Return who acts, and why: from the field `why` of the form."""
        return m.Operator(self.session.who, self.form.get("why"))

    async def page(self, template: str, status: int = 200, /, **context: object) -> Response:
        """Return a whole page: a template that extends `layout.html`, with what it shows.

        Raises:
            StoreDown: mode and pauses, which stand on each page, are not known.
        """
        shown = {**self._known(), **await self.around(), **context}
        return self.pages.page(status, template, shown, self.request.headers)

    def part(self, template: str, /, **context: object) -> Response:
        """Return a part of a page, for `live.js` to put where the last one stands."""
        return self.pages.page(200, template, {**self._known(), **context}, self.request.headers)

    def json(self, content: object) -> Response:
        """Return what a script of ours asks for."""
        return sent(200, orjson.dumps(content), _JSON, self.request.headers)

    def go(self, path: str) -> Response:
        """Lead on to a path below the console, as an act does when it is done: `/actions/…?done=replayed`.

        `path` is ours: whatever a person or a webhook wrote is quoted in it.
        """
        return go_to(ROOT + path)

    def _known(self) -> dict[str, object]:
        return {
            "session": self.session,
            "is_operator": self.is_operator,
            "path": self.request.scope["path"].rstrip("/"),
        }


@dataclass(frozen=True, slots=True)
class Place:
    """A page, or an act, and who may have it.

    Attributes:
        method: GET for what only shows, POST for what changes something; nothing else does.
        path: a pattern of what stands behind `/console`; it fits the whole of it. Its groups are given to `answer`.
        role: who may.
        answer: is given the visit and the groups. Refused and StoreDown become pages.
        is_patient: it waits for somebody else most of the time, and takes no turn from the pages that do not.
    """

    method: str
    path: str
    role: Role
    answer: Callable[..., Awaitable[Response]]
    is_patient: bool = False
