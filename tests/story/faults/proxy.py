"""A proxy between two parts of the service: it breaks chosen exchanges in one of fourteen ways, and else is a wire."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

Place: TypeAlias = "Path | tuple[str, int]"
Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_MOST = 65_536
_GATHER_SECONDS = 0.05  # an answer that pauses for longer is taken for whole
_DARK_SECONDS = 2.5  # of a black hole: longer than a question to Redis may take
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: what closes then is a reset


class Kind(StrEnum):
    """What befalls one exchange: a request and its answer on one connection."""

    DELAY = "delay"  # the request arrives late, perhaps when nobody waits any more
    JITTER = "jitter"  # request and answer arrive in pieces, each after a pause of its own
    DRIP = "drip"  # the answer comes byte by byte
    CUT_BEFORE = "cut before"  # the connection ends before any of the request is handed on
    CUT_MID_REQUEST = "cut mid-request"  # half of the request is handed on
    CUT_AFTER = "cut after the request"  # the server did it, and nothing of the answer comes
    CUT_MID_REPLY = "cut mid-reply"  # a part of the answer comes
    SWALLOWED_REPLY = "swallowed reply"  # the server did it; the connection stays, and is silent for good
    HALF_CLOSE = "half-close"  # the server did it; its side of the connection ends, ours may go on talking
    RST = "RST"  # the server did it; the connection is reset
    BLACK_HOLE = "black hole"  # for a while nothing passes, whatever the connection; what was sent is lost
    DOUBLED = "doubled bytes"  # the answer comes twice; or the request, where that is asked for
    GARBAGE = "garbage"  # bytes of nobody come instead of the answer, or behind it
    SLOW_CLOSE = "slow close"  # after the answer the connection takes requests, hands none on, and ends late


def url_of(place: Place, scheme: str) -> str:
    """Return how a client names where a proxy listens; `scheme` is for a port."""
    return f"unix://{place}" if isinstance(place, Path) else f"{scheme}://{place[0]}:{place[1]}"


class _Over(Exception):
    """The connection ends here."""


@dataclass
class FaultProxy:
    """Stands before one server.

    Attributes:
        server: where that listens: the path of a unix socket, or host and port.
        plan: which exchange (the first is 1, over all connections) is broken how; what struck is taken out.
        dice: for the moments and sizes within a fault.
        may_repeat: doubled bytes may be the request's: the server is asked the same twice.
        struck: the faults that struck, in order.
        exchanges: how many began.
        lines: the connections that are open.
    """

    server: Place
    plan: dict[int, Kind]
    dice: random.Random
    may_repeat: bool = False
    struck: list[Kind] = field(default_factory=list)
    exchanges: int = 0
    lines: set[asyncio.Task[None]] = field(default_factory=set)
    dark_until: float = 0.0

    @asynccontextmanager
    async def open(self, path: Path | None = None) -> AsyncIterator[Place]:
        """Listen on a unix socket at `path`, or on a free port; yield where."""
        if path is not None:
            listener = await asyncio.start_unix_server(self._meet, path)
            place: Place = path
        else:
            listener = await asyncio.start_server(self._meet, "127.0.0.1", 0)
            place = ("127.0.0.1", listener.sockets[0].getsockname()[1])
        try:
            yield place
        finally:
            listener.close()
            for line in self.lines:
                line.cancel()
            await asyncio.gather(*self.lines, return_exceptions=True)

    def begin(self) -> Kind | None:
        """Count an exchange, and return what befalls it."""
        self.exchanges += 1
        kind = self.plan.pop(self.exchanges, None)
        if kind is not None:
            self.struck.append(kind)
        return kind

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.get_running_loop().create_task(self._carry((reader, writer)))
        self.lines.add(line)
        line.add_done_callback(self.lines.discard)

    async def _carry(self, near: Ends) -> None:
        try:
            far = await (
                asyncio.open_unix_connection(self.server)
                if isinstance(self.server, Path)
                else asyncio.open_connection(*self.server)
            )
        except OSError:
            near[1].transport.abort()
            return
        try:
            await _Line(self, near, far).run()
        finally:
            for _, writer in (near, far):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()


class _Line:
    """One connection: what the client says goes one way, what the server says the other."""

    def __init__(self, proxy: FaultProxy, near: Ends, far: Ends) -> None:
        self._proxy, self._dice = proxy, proxy.dice
        self._hears, self._near = near
        self._reads, self._far = far
        self._kind: Kind | None = None
        self._is_answered = True  # so what the client says next begins an exchange
        self._is_silent = False  # nothing passes any more, for good
        self._is_deaf = False  # requests are taken and not handed on

    async def run(self) -> None:
        """Carry until one side is at its end."""
        ways = {asyncio.create_task(self._ask()), asyncio.create_task(self._answer())}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ends = await asyncio.gather(*ways, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, (_Over, OSError, asyncio.CancelledError)):
                raise end

    # ------------------------------------------------------------------------------------------ what the client says

    async def _ask(self) -> None:
        while piece := await self._hears.read(_MOST):
            if self._is_silent or self._is_dark():
                self._is_silent = True
                continue
            if self._is_deaf:
                continue
            is_first = self._is_answered
            if is_first:
                self._is_answered = False
                self._kind = self._proxy.begin()
            await self._hand_on(piece, is_first=is_first)

    async def _hand_on(self, piece: bytes, *, is_first: bool) -> None:
        match self._kind:
            case Kind.CUT_BEFORE:
                raise _Over
            case Kind.CUT_MID_REQUEST:
                await _send(self._far, piece[: max(1, len(piece) // 2)])
                raise _Over
            case Kind.BLACK_HOLE:
                self._proxy.dark_until = asyncio.get_running_loop().time() + _DARK_SECONDS
                self._is_silent = True
                return
            case Kind.DELAY if is_first:
                await asyncio.sleep(self._dice.uniform(0.2, 6.0))  # real processes: the bytes are on their way so long
            case Kind.DOUBLED if is_first and self._proxy.may_repeat and self._dice.random() < 0.5:
                self._kind = None  # the answers are the server's own then
                piece += piece
            case Kind.JITTER:
                await self._in_pieces(self._far, piece)
                return
            case _:
                pass
        await _send(self._far, piece)

    def _is_dark(self) -> bool:
        return asyncio.get_running_loop().time() < self._proxy.dark_until

    # ------------------------------------------------------------------------------------------ what the server says

    async def _answer(self) -> None:
        while piece := await self._reads.read(_MOST):
            if self._is_silent or self._is_dark():
                continue
            is_first, self._is_answered = not self._is_answered, True
            if self._kind is None or self._kind is Kind.DELAY:
                await _send(self._near, piece)
            else:
                await self._give_back(piece, is_first=is_first)

    async def _give_back(self, piece: bytes, *, is_first: bool) -> None:
        match self._kind:
            case Kind.CUT_AFTER:
                raise _Over
            case Kind.RST:
                _reset(self._near)
                raise _Over
            case Kind.SWALLOWED_REPLY:
                self._is_silent = True
            case Kind.HALF_CLOSE:
                self._is_silent = True
                self._near.write_eof()
                await asyncio.Event().wait()  # until the client ends its side, too
            case Kind.CUT_MID_REPLY:
                whole = await self._whole(piece)
                await _send(self._near, whole[: self._dice.randrange(1, len(whole))])
                raise _Over
            case Kind.JITTER:
                await self._in_pieces(self._near, piece)
            case Kind.DRIP:
                await self._in_drops(piece)
            case Kind.SLOW_CLOSE:
                await self._close_slowly(piece)
            case Kind.DOUBLED if is_first:
                whole = await self._whole(piece)
                await _send(self._near, whole + whole)
            case Kind.GARBAGE if is_first:
                whole = await self._whole(piece)
                noise = b"\xff" + self._dice.randbytes(self._dice.randint(1, 40)) + b"\r\n"
                await _send(self._near, self._dice.choice((noise, noise + whole, whole + noise)))
            case _:
                await _send(self._near, piece)

    async def _whole(self, piece: bytes) -> bytes:
        """Return the answer that begins with `piece`, once no more of it comes."""
        whole = piece
        with contextlib.suppress(TimeoutError):
            while more := await asyncio.wait_for(self._reads.read(_MOST), _GATHER_SECONDS):
                whole += more
        return whole

    async def _in_pieces(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        while piece:
            size = self._dice.randint(1, max(1, len(piece)))
            await _send(writer, piece[:size])
            piece = piece[size:]
            await asyncio.sleep(self._dice.uniform(0, 0.1))  # real processes: the next bytes are on their way so long

    async def _in_drops(self, piece: bytes) -> None:
        pause = self._dice.uniform(0.005, 0.3)
        for byte in piece:
            await _send(self._near, bytes([byte]))
            await asyncio.sleep(pause)  # real processes: so slowly they come

    async def _close_slowly(self, piece: bytes) -> None:
        self._is_deaf = True
        await _send(self._near, await self._whole(piece))
        await asyncio.sleep(self._dice.uniform(0.2, 1.5))  # real processes: so late the end comes
        raise _Over


async def _send(writer: asyncio.StreamWriter, piece: bytes) -> None:
    writer.write(piece)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    if sock.family != socket.AF_UNIX:  # a unix socket knows no reset: there it is a cut
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
