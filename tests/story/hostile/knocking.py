"""Knocks on the public door as the server hands requests on: with bytes in headers and path that no client sends."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from starlette.types import ASGIApp, Message

from service import telemetry
from service.core import model as m
from service.core.ports import Source, Store, Waiter
from service.flow.intake import Intake
from service.sources import KINDS
from service.web.front import public_door
from tests.fixtures.redis import CountingDice
from tests.sources.senders import OPTIONS, OTHER_SECRET, SECRET, HandClock, Outdoors

Headers = Sequence[tuple[bytes, bytes]]
# each source, its kind, and what it says that the others do not
SEATS: dict[str, tuple[str, dict[str, object]]] = {
    "desk": ("servicenow", {"secrets": [SECRET]}),
    "hooks": ("standard", {"secrets": [OTHER_SECRET], "org": "bravo"}),
}
PUBLIC = "https://onhook.test"


@dataclass(frozen=True)
class Answer:
    """What was answered, to the byte."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """The document it holds."""
        return dict(json.loads(self.body))


@dataclass
class Shelf:
    """A store that only counts: what it accepted, and how often it was read."""

    accepted: list[m.Offer] = field(default_factory=list)
    reads: int = 0

    async def accept(self, offer: m.Offer) -> m.Receipt:
        self.accepted.append(offer)
        return m.Receipt(offer.action_id, offer.key, "")

    async def read(self, action_id: str) -> m.Account | None:
        self.reads += 1
        return None


class Book:
    """What the door noted of refused deliveries."""

    def __init__(self) -> None:
        self.noted: list[m.Refusal] = []

    def note(self, refusal: m.Refusal) -> None:
        self.noted.append(refusal)

    async def refusals(self, source: str) -> list[m.Refusal]:
        return [one for one in self.noted if one.source == source]


class House:
    """A public door before real sources; behind it a store that counts, or another one."""

    def __init__(self, store: object = None, sources: dict[str, Source] | None = None) -> None:
        self.clock = HandClock()
        self.shelf = Shelf()
        self.book = Book()
        self.sources = sources or {
            name: KINDS[kind].build(name, KINDS[kind].options.model_validate(OPTIONS[kind] | more), Outdoors().outside)
            for name, (kind, more) in SEATS.items()
        }
        behind = cast("Store", store or self.shelf)
        self.intake = Intake(self.sources, behind, self.clock, CountingDice(), lambda *_: m.Terms())
        self.door = public_door(
            self.intake,
            behind,
            cast("Waiter", None),  # nobody asks to wait here
            self.clock,
            self.book,
            public_url=PUBLIC,
            is_draining=lambda: False,
        )

    async def take(self, delivery: m.Delivery) -> Answer:
        """Post a delivery at the moment it says."""
        self.clock.at = delivery.received_at
        return await knock(self.door, f"/webhooks/{delivery.source}", delivery.headers, delivery.body)


async def knock(
    app: ASGIApp, path: str, headers: Headers = (), body: bytes = b"", *, method: str = "POST", query: bytes = b""
) -> Answer:
    """Send one request, and return the whole answer; what the app raises, the test sees."""
    given: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        given.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": query,
        "headers": list(headers),
        "server": ("door", 80),
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    begun, *parts = given
    return Answer(begun["status"], tuple(begun["headers"]), b"".join(part.get("body", b"") for part in parts))


@contextlib.contextmanager
def overheard() -> Iterator[io.BytesIO]:
    """Catch the log of this process, as it would leave it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.handlers.clear()  # else they are closed, and they are pytest's
    stream = io.BytesIO()
    telemetry.configure("debug", stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root.handlers[:] = before
        root.setLevel(level)
