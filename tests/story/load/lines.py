"""One connection to the public door, kept for one request after the other, and the webhooks that are sent over it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple
from uuid import UUID

from service.sources.signing import signed

IDLE_SECONDS = 2.0  # the doors close what is idle for five
GIVEN_UP = 0  # the status of what was never answered: the connection was cut


class Answer(NamedTuple):
    """What one webhook came to."""

    status: int
    retry_after: int  # seconds; 0 where nothing was said
    asked_at: float  # of the monotonic clock
    seconds: float
    code: str = ""  # of the problem


Told = Callable[[Answer], None]


@dataclass
class Mill:
    """Makes webhooks of one source, each on a conversation of its own, each signed; `more` stands in all of them."""

    host: str
    source: str
    secret: bytes
    first: int = 0
    more: Mapping[str, object] = field(default_factory=dict)
    made: count[int] = field(init=False)

    def __post_init__(self) -> None:
        self.made = count(self.first)

    def webhook(self) -> bytes:
        """Return the bytes of one more."""
        number = next(self.made)
        data = {"conversation_id": str(UUID(int=number)), "caller_phone": "+14155550123", "requested_by": "svc.onhook"}
        body = json.dumps({"type": "caller.remove", "data": {**data, **self.more}}).encode()
        headers = {
            "host": self.host,
            "content-type": "application/json",
            "content-length": str(len(body)),
            **signed(self.secret, f"msg_{number}", int(time.time() * 1000), body),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /webhooks/{self.source} HTTP/1.1\r\n{lines}\r\n".encode() + body


class Line(asyncio.Protocol):
    """One connection. It tells who asked; `spare` is where it waits for the next who does."""

    def __init__(self, spare: list[Line]) -> None:
        self._spare = spare
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self._told: Told | None = None
        self._asked_at = 0.0
        self._idle_since = time.monotonic()

    @property
    def is_usable(self) -> bool:
        """Whether it is open, and was used a moment ago: an idle one may be closed just when it is used again."""
        is_open = self._transport is not None and not self._transport.is_closing()
        return is_open and time.monotonic() < self._idle_since + IDLE_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # a stream's is of this kind
        self._transport = transport

    def ask(self, webhook: bytes, asked_at: float, told: Told) -> None:
        """Send one; `told` is called once. The time counts from `asked_at`."""
        assert self._transport is not None
        self._told, self._asked_at = told, asked_at
        self._transport.write(webhook)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if end and len(body) >= _number(head, b"content-length: "):
            self._heard = b""
            code = body.partition(b'"code":"')[2].partition(b'"')[0].decode()
            self._tell(int(head[9:12]), _number(head, b"retry-after: "), code)
            self._idle_since = time.monotonic()
            self._spare.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell(GIVEN_UP, 0)

    def close(self) -> None:
        """Close it; who still waits is told."""
        if self._transport is not None:
            self._transport.abort()

    def _tell(self, status: int, retry_after: int, code: str = "") -> None:
        told, self._told = self._told, None
        if told is not None:
            told(Answer(status, retry_after, self._asked_at, time.monotonic() - self._asked_at, code))


def _number(head: bytes, name: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\n" + name)
    return int(rest.partition(b"\r\n")[0]) if found else 0


@dataclass
class Lines:
    """The connections of one sender, taken in turn; a new one is opened when all are busy, or for each webhook."""

    address: tuple[str, int]
    most: int
    is_fresh: bool = False
    spare: list[Line] = field(default_factory=list)
    opened: list[Line] = field(default_factory=list)

    async def open(self) -> Line:
        """Return a new connection."""
        _, line = await asyncio.get_running_loop().create_connection(lambda: Line(self.spare), *self.address)
        self.opened.append(line)
        return line

    def take(self) -> Line | None:
        """Return one that waits, or None."""
        while self.spare:
            line = self.spare.pop()
            if line.is_usable and not self.is_fresh:
                return line
            line.close()
            self.opened.remove(line)
        return None

    def close(self) -> None:
        """Close all."""
        for line in self.opened:
            line.close()
        self.opened.clear()
        self.spare.clear()
