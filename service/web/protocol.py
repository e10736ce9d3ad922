"""How bytes become requests: every phase of a connection has a deadline, and only one way to write a request is taken.

uvicorn alone waits for ever for half a head, half a body, or a peer that does not read its answer. Here exactly one
deadline holds for each connection at any moment:

    receiving   from the first byte (of a new connection: from the start) to the end of the body
    answering   from there until the answer was handed to the transport
    idle        until the next first byte (uvicorn's own keep-alive timer comes first; ours bounds a slow closing)
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, cast

import httptools
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.loops.auto import auto_loop_factory
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service import telemetry
from service.core.errors import Misconfigured
from service.web import problems
from service.web.answers import plain
from service.web.heads import fault_in
from service.web.whole import Whole


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server grants its callers.

    Attributes:
        receive_seconds: for head and body together; a sender of 64 KiB needs less than one, also through a proxy.
        answer_seconds: for an answer: the longest `Prefer: wait` (20), and Redis' own deadlines before and after.
        idle_seconds: between two requests on one connection.
        stop_seconds: how long a stop waits for answers under way.
        in_flight: whole requests being answered at once; the next ones hear 503.
        connections: open at once; the next ones are cut. Twice the slow callers that must not keep out honest ones
            (1,500), each of whom lives for `receive_seconds`.
        pipelined: requests that wait behind the one that is being answered, of a connection; a read may hold thousands.
        headers, head_bytes, url_bytes: nothing a ticketing system or a proxy sends comes near.
        message_bytes: read and thrown away of a body that was refused already, so that the sender hears why.
    """

    receive_seconds: float = 5.0
    answer_seconds: float = 30.0
    idle_seconds: int = 5
    stop_seconds: int = 8
    in_flight: int = 512
    connections: int = 4096
    pipelined: int = 16
    headers: int = 64
    head_bytes: int = 16 * 1024
    url_bytes: int = 2 * 1024
    message_bytes: int = 1024 * 1024


# uvloop takes in one connection a turn and socket, so under load, when turns are long, who comes new would wait behind
# everything that is sent by those who came before: nine seconds were measured. So it is given the socket so many times
ACCEPTS = 32


class _NotTaken(Exception):
    """A request that is not written the one way that is taken; its text is the reason."""


_CLOSE = (b"connection", b"close")
_OVERLOADED = telemetry.DELIVERIES.labels(problems.UNKNOWN_SOURCE, problems.OVERLOADED.code)
_TURNED_AWAY = plain(problems.OVERLOADED.response())


@dataclass(slots=True)
class _Answered:
    """Stands where the request under way does, when that was answered without an app and only its body is to come."""

    response_started: bool = True
    response_complete: bool = True
    message_event: asyncio.Event = field(default_factory=asyncio.Event)


_ANSWERED = cast("RequestResponseCycle", _Answered())  # nobody waits for it, so one is enough for all


class Guarded(HttpToolsProtocol):
    """One connection."""

    limits = Limits()
    receiving: ClassVar[set[Guarded]] = set()  # of this server: an app waits for the rest of its request

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._open_app = self.app
        self._timer: asyncio.TimerHandle | None = None
        self._ends_at = 0.0
        self._is_idle = False
        self._is_receiving = False  # a message began and is not complete
        self._is_in_head = False
        self._is_refused = False
        self._messages = 0
        self._head_bytes = 0
        self._message_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the base does
        """Begin the first deadline, or cut what is too much."""
        self._whole = Whole(transport, self.loop)
        super().connection_made(self._whole)
        if len(self.connections) > self.limits.connections:
            transport.abort()
            return
        self._arm(self.limits.receive_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the timer with the connection."""
        if self._timer is not None:
            self._timer.cancel()
        self.receiving.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what is too long or not to be parsed. What follows a refusal is read and thrown away."""
        self._unset_keepalive_if_required()
        if self._is_idle:  # any byte counts, also an empty line, which begins no message
            self._is_idle = False
            self._arm(self.limits.receive_seconds)
        message = self._messages
        if not self._is_refused:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError as fault:
                self._refuse(str(fault.__context__ if isinstance(fault.__context__, _NotTaken) else fault))
        if self._messages == message and (self._is_receiving or self._is_refused):
            self._count(len(data))

    def _count(self, size: int) -> None:
        # a name or value that does not end is shown to no callback, so the bytes are counted where they come in; the
        # read in which the message began is not: it may hold others before it, and is no longer than a read is
        self._message_bytes += size
        if self._message_bytes > self.limits.message_bytes:
            self.transport.abort()
        elif self._is_in_head and self._message_bytes > self.limits.head_bytes and not self._is_refused:
            self._refuse("the head is too long")

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        if self._is_idle:  # in the same read as the end of a body that was answered before it came
            self._is_idle = False
            self._arm(self.limits.receive_seconds)
        self._messages += 1
        self._is_receiving = self._is_in_head = True
        self._head_bytes = self._message_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the target, up to its cap."""
        super().on_url(url)
        if len(self.url) > self.limits.url_bytes:
            raise _NotTaken("the URL is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, up to the caps. One after the body would pass for one that was checked with the head."""
        if not self._is_in_head:
            raise _NotTaken("trailers are not taken")
        self._head_bytes += len(name) + len(value)
        if len(self.headers) >= self.limits.headers or self._head_bytes > self.limits.head_bytes:
            raise _NotTaken("the head is too long")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let an app answer; or while too many answers are under way, say so."""
        if len(self.pipeline) >= self.limits.pipelined:
            raise _NotTaken("too many requests at once")
        version, is_upgrade = self.parser.get_http_version(), self.parser.should_upgrade()
        if fault := fault_in(self.headers, version, self.url, is_upgrade=is_upgrade):
            raise _NotTaken(fault)
        self._is_in_head = False
        if version == "1.0":
            self.expect_100_continue = False  # it knows none (RFC 9110, 10.1.1)
        is_free = len(self.tasks) - len(self.receiving) < self.limits.in_flight  # half a body keeps out nobody
        cycle: RequestResponseCycle | None = self.cycle  # the newest; None before the first
        is_plain = (cycle is None or cycle.response_complete) and self.parser.get_method() != b"HEAD"
        if is_plain and not is_free:
            self._turn_away()
            return
        self.app = self._open_app if is_free else _overloaded
        super().on_headers_complete()
        if not self.pipeline:
            self.receiving.add(self)

    def _turn_away(self) -> None:
        """Say the 503 without an app, a task or a response object: what is refused must not cost those who are served.

        Under five times the load there are four refusals to an answer; at a fifth of its price each, they would leave
        nothing for it.
        """
        _OVERLOADED.inc()
        is_kept = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        own = self.server_state.default_headers if is_kept else [*self.server_state.default_headers, _CLOSE]
        self.transport.write(_turned_away(*own))
        self.cycle = _ANSWERED
        if not is_kept:
            self.transport.close()
        self._answered()

    def on_message_complete(self) -> None:
        """Begin the deadline of the answer, or, where it was answered before its body came, wait for the next one."""
        super().on_message_complete()
        self.receiving.discard(self)
        self._is_receiving = False
        if self.cycle.response_complete:
            self._rest()
        elif not self.pipeline:  # else an earlier one is being answered, and has its deadline
            self._arm(self.limits.answer_seconds)

    def on_response_complete(self) -> None:
        """Let the answer leave, and begin the next phase: the next answer, the rest of a message, or idleness."""
        self._whole.flush()
        super().on_response_complete()
        self.receiving.discard(self)
        # the app has the next one now; of the newest perhaps only half came
        if self._is_receiving and not (self._is_in_head or self.pipeline or self.cycle.response_complete):
            self.receiving.add(self)
        self._answered()

    def _answered(self) -> None:
        is_answering = not self.cycle.response_complete  # the newest; they are answered in turn
        is_whole = not self._is_receiving or self._is_in_head or bool(self.pipeline)
        if self.transport.is_closing():
            self._rest()
        elif is_answering and is_whole:
            self._arm(self.limits.answer_seconds)
        elif not is_answering and self._is_receiving and not self._is_in_head and self.expect_100_continue:
            # it asked whether to send the body and heard no; what comes next may be the body or a request: nobody knows
            self._is_refused = True
            self._hang_up()
        elif self._is_receiving:
            self._arm(self.limits.receive_seconds)
        else:
            self._rest()

    def _rest(self) -> None:
        self._is_idle = True
        self._arm(self.timeout_keep_alive + self.limits.receive_seconds)

    def _arm(self, seconds: float) -> None:
        # a timer that comes first is left alone: it sees that there is more time. Each request has three phases
        self._ends_at = self.loop.time() + seconds
        if self._timer is None or self._timer.when() > self._ends_at:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(self._ends_at, self._expire)

    def _expire(self) -> None:
        if self.loop.time() < self._ends_at:
            self._set_timer()
            return
        # no farewell: half a request deserves no answer, and a peer that does not read would not read one
        self.transport.abort()

    def _refuse(self, reason: str) -> None:
        """Answer 400 and hang up, after the answers of earlier requests, where those are under way."""
        self._is_refused = True
        self.receiving.discard(self)
        problems.note_refusal(problems.UNKNOWN_SOURCE, "bad_request", reason, self._message_bytes)
        cycle: RequestResponseCycle | None = self.cycle  # the newest; None before the first
        if cycle is not None and self._is_receiving and not self._is_in_head:
            self._refuse_body(cycle, reason)
        elif cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False  # the last whole one closes the connection; the bad one gets no answer
        else:
            self.send_400_response(reason)

    def _refuse_body(self, cycle: RequestResponseCycle, reason: str) -> None:
        """Refuse the rest of a request that an app has been given already."""
        if self.pipeline or cycle.response_started:
            self.transport.abort()  # there is no place for a 400 between or behind the answers
        else:
            cycle.disconnected = True  # the app waits for a body that will not come
            cycle.message_event.set()
            self.send_400_response(reason)

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong, and hang up."""
        answer = plain(problems.bad_request(msg).response())
        self.transport.write(answer.written(*self.server_state.default_headers, _CLOSE))
        self._hang_up()

    def _hang_up(self) -> None:
        """Close our half; the peer, or the deadline that runs, ends it: a full close would throw the answer away."""
        self.transport.write_eof()


@lru_cache(maxsize=4)  # the date is another one each second
def _turned_away(*headers: tuple[bytes, bytes]) -> bytes:
    return _TURNED_AWAY.written(*headers)


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    _OVERLOADED.inc()
    await problems.OVERLOADED.response()(scope, receive, send)


class Server(uvicorn.Server):
    """One server on one socket. Set `should_exit` to stop it: answers under way are finished, then `serve` returns."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop; the socket is closed then."""
        more = [self._listener.dup() for _ in range(ACCEPTS - 1)]
        await super().serve([self._listener, *more, *(sockets or ())])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; the date that answers have is set before the first."""
        await self.on_tick(0)
        await super().startup(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: wiring owns them, and two servers in one process would take them from each other."""
        yield


def listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` (an address, or a name of this machine) and `port` (0: any free one).

    Raises:
        Misconfigured: the port is taken or the address is not ours, said in words.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)  # as many as may come in while the loop does something else
    except OSError as fault:
        sock.close()
        raise Misconfigured([f"cannot listen on {host}, port {port}: {fault.strerror or fault}"]) from fault
    return sock


def server(app: ASGIApp, sock: socket.socket, limits: Limits | None = None) -> Server:
    """Return a server of `app` on a listening socket; nothing is answered before `serve`."""
    granted = limits or Limits()

    class Connection(Guarded):
        limits = granted
        receiving: ClassVar[set[Guarded]] = set()

    config = Config(
        app,
        loop="auto",
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,  # telemetry owns the log
        access_log=False,  # one line a delivery is written by the door, with what it became
        proxy_headers=False,  # nothing here depends on who asked
        forwarded_allow_ips="",  # given, so that uvicorn does not read the environment
        workers=1,  # as above
        server_header=False,
        backlog=2048,
        timeout_keep_alive=granted.idle_seconds,
        timeout_graceful_shutdown=granted.stop_seconds,
    )
    return Server(config, sock)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop: uvloop's where it is installed, else asyncio's."""
    return auto_loop_factory()
