"""A way out whose calls say of which trace they are part, for whom the settings name."""

from __future__ import annotations

import httpx

from service.core import model as m
from service.outbound import OpenTransport
from service.traces import ON_THE_WAY


class Carrier(httpx.AsyncBaseTransport):
    """Puts `traceparent` on each request, which the guard has seen by then: nothing else of it is changed."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on with the span of whoever asks, if there is one."""
        if trace := ON_THE_WAY.get():
            request.headers[m.TRACEPARENT] = trace
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what is behind it."""
        await self._inner.aclose()


def carrying(opened: OpenTransport) -> OpenTransport:
    """Return what opens the same connections, by which our calls say their trace."""
    return lambda: Carrier(opened())
