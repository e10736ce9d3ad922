"""What both doors do alike: find who answers a path, and turn whatever goes wrong into a problem document.

Plain ASGI, no framework's middleware: it cost six times the whole request when it was measured.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service import telemetry
from service.web import problems


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers a path.

    Attributes:
        method: `POST`, or `GET`, which answers HEAD too.
        path: fits the whole decoded path; an encoded slash is a slash. Its groups are given to `answer`.
        answer: is given the request and the groups.
    """

    method: str
    path: re.Pattern[str]
    answer: Callable[..., Awaitable[Response]]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of HTTP it takes."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


Inside = Callable[[Request], Awaitable[Response]]


class Door:
    """An ASGI app over a few routes. It never redirects, and no answer holds text of an error nobody expected.

    Args:
        routes: who answers what.
        rooms: who answers everything at or below a path, whatever the method; faults included.
    """

    def __init__(self, routes: Sequence[Route], rooms: Mapping[str, Inside] | None = None) -> None:
        self._routes = tuple(routes)
        self._rooms = dict(rooms or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:  # nobody is left to answer
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        allowed: list[str] = []
        path: str = request.scope["path"]
        for root, inside in self._rooms.items():
            if path == root or path.startswith(f"{root}/"):
                return await inside(request)
        for route in self._routes:
            found = route.path.fullmatch(path)
            if found and request.method in route.methods:
                return await _tried(route, request, found.groups())
            if found:
                allowed.extend(route.methods)
        problem = problems.wrong_method(", ".join(allowed)) if allowed else problems.NOT_FOUND
        return problem.response()


async def _tried(route: Route, request: Request, groups: Sequence[str]) -> Response:
    try:
        return await route.answer(request, *groups)
    except ClientDisconnect:
        raise
    except Exception as fault:  # noqa: BLE001 - a fault of ours is a 500 for one caller, and never text of its own
        problem = problems.problem_of(fault)
        if problem is problems.UNEXPECTED:
            telemetry.emit_fault(fault, f"{route.method} {route.path.pattern}")
        return problem.response()
