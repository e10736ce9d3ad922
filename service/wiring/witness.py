"""What really goes over the wire while somebody checks: each call and how it was answered, without any secret.

It stands between the guard and the network, so it sees what left the process and nothing that was stopped before; and
of that it keeps the path, the status and a few headers. Never a body, never what we log in with.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.core.ports import Clock
from service.outbound import OpenTransport, Outgoing, printable, transport_of

RATE_HEADERS = ("inin-ratelimit-count", "inin-ratelimit-allowed", "inin-ratelimit-reset", "retry-after")
CORRELATION_HEADERS = ("genesys-correlation-id", "inin-correlation-id")
_KEPT = frozenset({"date", "content-type", *RATE_HEADERS, *CORRELATION_HEADERS})
_HEADER_CHARS = 100  # a correlation id has 36; nobody is made to keep more


@dataclass(frozen=True, slots=True)
class Peer:
    """Who answered.

    Attributes:
        address: the one that was connected to: the proxy's, where there is one.
        tls: the version of TLS, or "" where there was none.
        names: whom the certificate is for.
        issuer: who vouches for it.
        good_until: when it ends, in the certificate's own words.
    """

    address: str = ""
    tls: str = ""
    names: tuple[str, ...] = ()
    issuer: str = ""
    good_until: str = ""


@dataclass(frozen=True, slots=True)
class Overheard:
    """One call.

    Attributes:
        during: what was being done, as `Witness.doing` said.
        status: of the answer, or None where none came.
        headers: the few that are kept, names lower-case.
        began_at: our wall clock in milliseconds, before; `ended_at` after.
        fault: why no answer came.
    """

    during: str
    method: str
    url: str
    status: int | None
    began_at: int
    ended_at: int
    headers: Mapping[str, str] = field(default_factory=dict)
    peer: Peer = field(default_factory=Peer)
    fault: BaseException | None = None

    @property
    def path(self) -> str:
        """The path that was asked."""
        return httpx.URL(self.url).path

    @property
    def rate(self) -> dict[str, str]:
        """What was said of the budget of calls."""
        return {name: self.headers[name] for name in RATE_HEADERS if name in self.headers}

    @property
    def correlation(self) -> tuple[str, str]:
        """The name and the value of the header that support asks for; ("", "") where there was none."""
        return next(((name, self.headers[name]) for name in CORRELATION_HEADERS if name in self.headers), ("", ""))


class Witness:
    """Keeps what goes over the wire.

    Attributes:
        doing: what is being done now; the calls are filed under it.
        calls: all so far, in order.
    """

    def __init__(self, outgoing: Outgoing, clock: Clock, *, transport: OpenTransport | None = None) -> None:
        """Connect nothing yet; `transport` is another way out than the network, see `Caller`."""
        self._open, self._clock = transport or transport_of(outgoing), clock
        self.doing = ""
        self.calls: list[Overheard] = []

    @property
    def transport(self) -> OpenTransport:
        """The way out to give to a client."""
        return lambda: _Ear(self._open(), self, self._clock)

    def during(self, doing: str) -> list[Overheard]:
        """Return the calls that were made while that was done."""
        return [call for call in self.calls if call.during == doing]


class _Ear(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, witness: Witness, clock: Clock) -> None:
        self._inner, self._witness, self._clock = inner, witness, clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        began, doing = self._clock.now(), self._witness.doing
        url = str(request.url)
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as fault:  # cut by the total time, or cancelled, it did leave all the same
            call = Overheard(doing, request.method, url, None, began, self._clock.now(), fault=fault)
            self._witness.calls.append(call)
            raise
        kept = {name.lower(): printable(value, _HEADER_CHARS) for name, value in response.headers.items()}
        kept = {name: value for name, value in kept.items() if name in _KEPT}
        peer, ended = _peer(response), self._clock.now()
        call = Overheard(doing, request.method, url, response.status_code, began, ended, kept, peer)
        self._witness.calls.append(call)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _peer(response: httpx.Response) -> Peer:
    stream = response.extensions.get("network_stream")
    if stream is None:
        return Peer()
    address, tls = stream.get_extra_info("server_addr"), stream.get_extra_info("ssl_object")
    where = f"{address[0]}:{address[1]}" if address else ""
    return _of_tls(where, tls) if isinstance(tls, ssl.SSLObject) else Peer(where)


def _of_tls(address: str, tls: ssl.SSLObject) -> Peer:
    shown: Mapping[str, Any] = tls.getpeercert() or {}
    names = tuple(printable(str(name)) for _, name in shown.get("subjectAltName", ()))
    issuer = dict(pair for part in shown.get("issuer", ()) for pair in part)
    named = issuer.get("organizationName") or issuer.get("commonName") or ""
    return Peer(address, tls.version() or "", names, printable(str(named)), str(shown.get("notAfter", "")))


def causes_of(fault: BaseException) -> Iterator[BaseException]:
    """Give a fault and all that led to it, groups taken apart."""
    seen: set[int] = set()
    left: list[BaseException | None] = [fault]
    while left:
        one = left.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            left.extend(one.exceptions)
        left += [one.__cause__, one.__context__]
