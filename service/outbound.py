"""How we call other people's HTTP: what may leave the process, how long it may take, and which failure means what.

Everything leaves through a `Caller`. It works on httpx's transport, not on `httpx.AsyncClient`: so there are no
cookies, no redirects, no authentication flow, nothing from the environment, and a `Location` is never even parsed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import sys
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from importlib.util import find_spec
from typing import Any, cast

import httpx

from service.core.errors import EgressRefused, OnhookError, Reply, Unclear, Unreachable
from service.core.ports import Clock

# httpcore 1.0.9 imports it four times a call; where it is missing that is a search of every folder, 1/8 of a removal
sys.modules.update({} if find_spec("sniffio") else {"sniffio": None})  # type: ignore[dict-item] # typeshed has no None

MOST_BYTES = 1_000_000  # of an answer: a conversation with 20 people is some 100 kB
_MOST_CONNECTIONS = 8  # httpx's pool scan grows with them: 50 slots brought 57-69 calls/s of 500, 10 brought 91 of 100
_KEEPALIVE_SECONDS = 15.0  # well under the 60 s after which a load balancer drops an idle connection
_SILENCE = 0.9  # of the total: a silent peer then ends inside httpx, and only a dripping one has to be cut
_MOST_CHARACTERS = 500  # of somebody else's sentence: enough for support, too short to flood a ticket
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, invisible and right-to-left marks, surrogates, line ends
DEADLINE = "deadline"  # the request extension: a moment of Clock.monotonic after which no byte leaves
OpenTransport = Callable[[], httpx.AsyncBaseTransport]
_EXTENSIONS = frozenset({"timeout", DEADLINE})
# headers by which a gateway would take the request for another one than the guard saw
_STEERING = ("transfer-encoding", "upgrade", "x-http-method", "x-http-method-override", "x-method-override")

# Which failure means what. Unreachable stands only where every place that raises the class comes before the first byte
# of the request (httpcore 1.0.9): ConnectError and ConnectTimeout in connect_tcp and start_tls, TLS failures included;
# PoolTimeout in wait_for_connection; UnsupportedProtocol at the pool's door; ProxyError when CONNECT was refused. A
# LocalProtocolError comes before the head and in mid-call: no proof. InvalidURL is our mistake; the rest is Unclear.
FAILURES: Mapping[type[Exception], tuple[type[Unreachable | Unclear | EgressRefused], str]] = {
    httpx.ConnectError: (Unreachable, "cannot_connect"),
    httpx.ConnectTimeout: (Unreachable, "connect_timeout"),
    httpx.PoolTimeout: (Unreachable, "pool_timeout"),
    httpx.ProxyError: (Unreachable, "proxy_refused"),
    httpx.UnsupportedProtocol: (Unreachable, "unsupported_protocol"),
    httpx.InvalidURL: (EgressRefused, "invalid_url"),
    httpx.ReadTimeout: (Unclear, "timeout"),
    **dict.fromkeys((httpx.WriteTimeout, httpx.TimeoutException), (Unclear, "timeout")),
    TimeoutError: (Unclear, "timeout"),
    **dict.fromkeys((httpx.ReadError, httpx.WriteError), (Unclear, "connection_cut")),
    **dict.fromkeys((httpx.CloseError, httpx.NetworkError), (Unclear, "connection_cut")),
    **dict.fromkeys((httpx.RemoteProtocolError, httpx.LocalProtocolError, httpx.ProtocolError), (Unclear, "not_http")),
    httpx.DecodingError: (Unclear, "undecodable"),
    httpx.TooManyRedirects: (Unclear, "redirected"),
    httpx.HTTPStatusError: (Unclear, "status"),
    **dict.fromkeys((httpx.TransportError, httpx.RequestError, httpx.HTTPError, Exception), (Unclear, "failed")),
    **dict.fromkeys((httpx.StreamError, *httpx.StreamError.__subclasses__()), (Unclear, "failed")),
    httpx.CookieConflict: (Unclear, "failed"),
}


def failure_of(error: Exception, status: int | None = None) -> OnhookError:
    """Return our error for a call that ended in `error`; with a `status` already read it is always Unclear."""
    made, code = next(FAILURES[kind] for kind in type(error).__mro__ if kind in FAILURES)
    message = printable(f"{type(error).__name__}: {error}")
    if made is EgressRefused:
        return EgressRefused(message)
    return (Unclear if status is not None or made is Unclear else Unreachable)(message, Reply(status, code, message))


def printable(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return somebody else's text fit for logs, tickets and UTF-8: cut, and what no line can hold made U+FFFD."""
    cut = text[:most]
    if cut.isascii() and cut.isprintable():  # nearly always; one by one costs as much as all else that a look reads
        return cut
    return "".join("\ufffd" if unicodedata.category(one) in _UNFIT else one for one in cut)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: the part of a URL that is configured and never taken from a request."""

    scheme: str
    host: str
    port: int | None = None

    def __str__(self) -> str:
        """Write it as a URL without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port is None else f":{self.port}")

    @classmethod
    def of(cls, url: httpx.URL) -> Origin:
        """Return the origin of `url`; a scheme's own port is no port."""
        return cls(url.scheme, url.raw_host.decode("ascii"), url.port)

    @property
    def is_trusted(self) -> bool:
        """Nobody on the way can read along: https, or http that does not leave this machine."""
        return bool(self.host) and (self.scheme == "https" or (self.scheme == "http" and _is_loopback(self.host)))


def origin_in(text: str) -> Origin:
    """Return the origin that a setting names, such as `https://api.mypurecloud.de` or `http://127.0.0.1:8090/`.

    Raises:
        ValueError: it is not one; the message is a sentence for the operator.
    """
    try:
        url = httpx.URL(text)
        origin = Origin.of(url)
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError(f"{printable(text, 100)!r} is no URL; write one like https://api.mypurecloud.de.") from None
    if url.userinfo:
        raise ValueError("the URL carries a user name or password; leave them out, there are settings for those.")
    if not origin.is_trusted:  # before what follows, so that a name alone is told what is missing
        raise ValueError("the URL must begin with https://; http:// is for this machine only (localhost, 127.0.0.1).")
    if url.path != "/" or "?" in text or "#" in text:
        raise ValueError("write only scheme, host and port, without a path, a `?` or a `#`.")
    return origin


def _is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its name or address alone; nothing is looked up."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape of request that may leave the process.

    Attributes:
        path: must match the whole raw path; a `%` in it is refused whatever this says.
        body: the exact bytes, or a predicate over them.
        query: must match everything behind the `?`; None: there must be no `?`.
    """

    method: str
    origin: Origin
    path: re.Pattern[bytes]
    body: bytes | Callable[[bytes], bool] = b""
    query: re.Pattern[bytes] | None = None

    def allows(self, request: httpx.Request, body: bytes) -> bool:
        """Whether `request` with `body` has this shape."""
        if (request.method, Origin.of(request.url)) != (self.method, self.origin):
            return False
        path, mark, query = request.url.raw_path.partition(b"?")
        is_query_right = not mark if self.query is None else bool(self.query.fullmatch(query))
        is_body_right = body == self.body if isinstance(self.body, bytes) else self.body(body)
        return bool(self.path.fullmatch(path)) and is_query_right and is_body_right


class EgressGuard(httpx.AsyncBaseTransport):
    """The last line: nothing reaches `inner` but a request that one of `rules` allows, before its deadline."""

    def __init__(self, inner: httpx.AsyncBaseTransport, rules: Sequence[Rule], clock: Clock) -> None:
        self._inner, self._rules, self._clock = inner, tuple(rules), clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass `request` on.

        Raises:
            EgressRefused: no rule allows it, or its deadline is over; no byte of it left.
        """
        body = await request.aread()
        if objection := self._objection(request, body):
            where = f"{request.method} {request.url.host}{request.url.raw_path!r}"
            raise EgressRefused(f"{objection}: {printable(where, 200)}")
        self._hold(deadline := request.extensions.get(DEADLINE))
        request.extensions = {**request.extensions, "trace": self._watch(deadline)}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what is behind the guard."""
        await self._inner.aclose()

    def _objection(self, request: httpx.Request, body: bytes) -> str:
        """Say what is wrong with `request`, or nothing."""
        url = request.url
        if not set(request.extensions) <= _EXTENSIONS:  # `target` and `sni_hostname` would send it elsewhere
            return "an extension that steers"
        if url.userinfo or url.fragment:
            return "a user name or a fragment in the URL"
        if request.headers.get_list("host") != [url.netloc.decode("ascii")]:
            return "another Host than the URL's"
        if any(name in request.headers for name in _STEERING):
            return "a header that steers"
        if not Origin.of(url).is_trusted:
            return "neither https nor this machine"
        if b"%" in url.raw_path.partition(b"?")[0]:
            return "an escaped path"
        return "" if any(rule.allows(request, body) for rule in self._rules) else "no rule allows this"

    def _hold(self, deadline: float | None) -> None:
        """Refuse what is late; `not <` because no deadline that is no number may pass."""
        if deadline is not None and not self._clock.monotonic() < deadline:
            raise EgressRefused("the deadline was over before the request left")

    def _watch(self, deadline: float | None) -> Callable[[str, Mapping[str, object]], Awaitable[None]]:
        """Look at the clock again when httpcore is about to write: waiting for a slot, TCP and TLS took their time.

        An error raised in it ends the call there, and the connection: https://www.encode.io/httpcore/extensions/#trace
        """

        async def before(event: str, _: Mapping[str, object]) -> None:
            if event == "http11.send_request_headers.started":
                self._hold(deadline)

        return before


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How we reach the outside.

    Attributes:
        proxy: URL of an HTTP proxy, or None.
        ca_file: PEM file of authorities that are trusted besides the public ones, or None.
        connect_seconds: for TCP, and again for TLS.
        total_seconds: for the whole call; shorter than a lease (6 s).
    """

    proxy: str | None = field(default=None, repr=False)  # it may carry a password
    ca_file: str | None = None
    connect_seconds: float = 2.0
    total_seconds: float = 5.0


def transport_of(outgoing: Outgoing) -> OpenTransport:
    """Return what opens one small connection pool after another, all on one TLS context.

    Raises:
        OSError: `ca_file` cannot be read, or holds no certificate (`ssl.SSLError` is one).
    """
    tls = httpx.create_ssl_context(trust_env=False)
    tls.keylog_filename = None  # type: ignore[assignment] # typeshed knows no None; else SSLKEYLOGFILE writes our keys
    if outgoing.ca_file is not None:
        tls.load_verify_locations(cafile=outgoing.ca_file)
    secure = tls if (outgoing.proxy or "").lower().startswith("https:") else None
    proxy = outgoing.proxy and httpx.Proxy(outgoing.proxy, ssl_context=secure)
    limits = httpx.Limits(max_connections=_MOST_CONNECTIONS, keepalive_expiry=_KEEPALIVE_SECONDS)
    return partial(httpx.AsyncHTTPTransport, verify=tls, trust_env=False, limits=limits, proxy=proxy)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of ours.

    Attributes:
        headers: besides Accept, Accept-Encoding, User-Agent, Host and Content-Length, which are added.
        deadline: a moment of `Clock.monotonic` after which no byte leaves, or None.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # they carry credentials
    body: bytes = field(default=b"", repr=False)
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back.

    Attributes:
        headers: (name, value) in order, names lower-case.
        body: the bytes as they came, at most `MOST_BYTES`.
        is_complete: False when the body went on beyond that.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_complete: bool = True

    def header(self, name: str) -> str | None:
        """Return the first header called `name` (lower-case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    def retry_after_seconds(self, absent: float, most: float) -> float:
        """Return the seconds of Retry-After, 1 (a 0 would be a loop) to `most`; `absent` where it says no number."""
        given = (self.header("retry-after") or "").strip()
        return min(max(float(given), 1.0), most) if re.fullmatch(r"[0-9]+", given) else absent


def _drop_if_more(response: httpx.Response) -> None:
    """Let a connection go that brought more than its answer: httpcore 1.0.9 takes the rest for the next call's.

    It lies in h11, or unread over the socket in anyio 4: as a record of TLS, or behind the most that one read brings.
    """
    connection = _inside(response.stream, "_httpcore_stream", "_stream", "_connection")
    state, layer = _inside(connection, "_h11_state"), _inside(connection, "_network_stream", "_stream")
    is_more = state is not None and state.trailing_data[0]
    while layer is not None and not is_more:
        is_more = _inside(layer, "_read_bio", "pending") or _inside(layer, "_protocol", "read_queue")
        layer = _inside(layer, "transport_stream")
    if is_more:
        state.send_failed()  # to h11 it is broken then, and httpcore closes it


def _inside(part: Any, *names: str) -> Any:  # noqa: ANN401 - private parts of others, to which no public way leads
    """Return what is called so in `part`, one inside the other, or None."""
    return reduce(lambda outer, name: getattr(outer, name, None), names, part)


@dataclass(slots=True)
class _Lane:
    """One connection pool, and how many calls are on it."""

    transport: httpx.AsyncBaseTransport
    calls: int = 0
    is_retired: bool = False


class Caller:
    """One org's, or one desk's, way out: guarded, small, and never stuck.

    A call that httpx has in flight costs its slot in the pool for good when it is cancelled (0.28.1, measured). So time
    runs out inside httpx; where the total has to cut a call, or somebody cancels it, new calls get a new pool, and the
    old one is closed when its last call has ended.
    """

    def __init__(
        self, rules: Sequence[Rule], clock: Clock, outgoing: Outgoing, *, transport: OpenTransport | None = None
    ) -> None:
        """Let out what `rules` allow; `transport` opens another way out than the network (tests: ASGITransport)."""
        self._outgoing = outgoing
        self._open = transport or transport_of(outgoing)
        self._rules, self._clock = tuple(rules), clock
        self._lane = self._new_lane()

    async def send(self, asked: Asked) -> Answered:
        """Return the answer, whatever its status; a redirect is an answer.

        Raises:
            EgressRefused: it did not leave: no rule allows it, or its deadline was over.
            Unreachable: it did not leave.
            Unclear: it may have arrived; `reply.status` says how far the answer came.
        """
        began: list[int] = []  # the status, as soon as it is known
        lane = self._lane
        lane.calls += 1
        try:
            async with asyncio.timeout(self._outgoing.total_seconds):
                return await self._exchange(lane.transport, asked, began)
        except BaseException as error:
            if isinstance(error, (TimeoutError, asyncio.CancelledError)):
                self._retire(lane)
            if isinstance(error, OnhookError) or not isinstance(error, Exception):
                raise
            raise failure_of(error, *began) from error  # after the hand-over, what nobody foresaw may have acted too
        finally:
            lane.calls -= 1
            if lane.is_retired and not lane.calls:
                await lane.transport.aclose()

    async def aclose(self) -> None:
        """Close the connections; calls in flight end as Unclear."""
        await self._lane.transport.aclose()

    def _new_lane(self) -> _Lane:
        return _Lane(EgressGuard(self._open(), self._rules, self._clock))

    def _retire(self, lane: _Lane) -> None:
        lane.is_retired = True
        if self._lane is lane:
            self._lane = self._new_lane()

    async def _exchange(self, transport: httpx.AsyncBaseTransport, asked: Asked, began: list[int]) -> Answered:
        """Hand over the request and read the answer up to the cap."""
        response = await transport.handle_async_request(self._request(asked))
        began.append(response.status_code)
        body = bytearray()
        try:
            async for part in cast("httpx.AsyncByteStream", response.stream):  # raw: an encoding is not undone
                body += part
                if len(body) > MOST_BYTES:
                    break
        finally:
            _drop_if_more(response)
            await response.aclose()
        headers = tuple((key.lower(), value) for key, value in response.headers.multi_items())
        return Answered(response.status_code, headers, bytes(body[:MOST_BYTES]), is_complete=len(body) <= MOST_BYTES)

    def _request(self, asked: Asked) -> httpx.Request:
        """Build the request with our own headers and time limits."""
        connect, silence = self._outgoing.connect_seconds, self._outgoing.total_seconds * _SILENCE
        ours = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "onhook", **asked.headers}
        # half a connect for a slot: with TCP and TLS it fits the total, so a call that never left is not cut as unclear
        limits = {"pool": connect / 2, "connect": connect, "write": silence, "read": silence}
        extensions = {"timeout": limits, DEADLINE: asked.deadline}
        return httpx.Request(asked.method, asked.url, headers=ours, content=asked.body, extensions=extensions)
