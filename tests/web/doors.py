"""What the tests of the doors stand on: ports made by hand, and a client on the public door."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import httpx
from starlette.types import ASGIApp

from service import telemetry
from service.core import errors
from service.core import model as m
from service.core.errors import BadSignature, Conflicting, Malformed, Stale, StoreDown, Unreadable
from service.core.ports import Source, Store
from service.flow.intake import Intake
from service.web.front import public_door

CONVERSATION = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
PHONE = "+14155550123"
NOW = 1_795_165_200_123
PUBLIC = "https://onhook.test/in"
SIGNED = {"content-type": "application/json", "x-toy": "right"}
GONE = m.Outcome(m.OutcomeKind.DISCONNECTED, "", purpose="customer", remaining={"agent": 1})


@dataclass
class HandClock:
    """Time that stands still until it is moved."""

    at: int = NOW

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1000

    async def sleep(self, seconds: float) -> None:
        self.at += round(seconds * 1000)


class CountingDice:
    """Chance that counts."""

    def __init__(self) -> None:
        self.thrown = 0

    def action_id(self, org: str) -> str:
        self.thrown += 1
        return f"{org}.{self.thrown:026}"

    def token(self) -> str:
        return f"{self.thrown:032x}"

    def jitter(self) -> float:
        return 0.0


@dataclass
class ToySource:
    """A ticketing system whose signature is one word, and whose body is JSON or fails on demand."""

    name: str = "desk"
    success_status: int = 202
    media_types: frozenset[str] = frozenset({"application/json"})
    language: str = "en"
    wait: int = 0

    @property
    def terms(self) -> m.SourceTerms:
        return m.SourceTerms(self.name, "acme", 120.0, ("ticket",), self.language, wait=self.wait)

    def verify(self, delivery: m.Delivery) -> m.Verified:
        word = delivery.header(b"x-toy")
        if word == b"old":
            raise Stale("stamped 400 seconds ago")
        if word != b"right":
            raise BadSignature("the word is wrong")
        return m.Verified((delivery.header(b"x-id") or b"").decode(), None, "abcd1234")

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored | m.Batch:
        try:
            asked = json.loads(delivery.body)
        except ValueError as fault:
            raise Malformed("The body is not JSON.") from fault
        match asked:
            case {"ping": _}:
                return m.Ignored("a ping")
            case {"bug": _}:
                raise ZeroDivisionError("canary-in-a-bug")
            case {"remove": str(phone)}:
                ticket = m.Ticket("incident/1", "INC1")
                return m.Removal(CONVERSATION, m.Selector(m.SelectorKind.PHONE, phone), ticket=ticket)
            case _:
                raise Unreadable("Say whom to remove.")

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        raise NotImplementedError

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        raise NotImplementedError


@dataclass
class Shelf:
    """A store in memory: it takes offers and shows accounts, and can be told to be down or to settle at a read."""

    clock: HandClock
    offers: list[m.Offer] = field(default_factory=list)
    accounts: dict[str, m.Account] = field(default_factory=dict)
    is_down: bool = False
    refuses: errors.Refused | None = None
    reads: int = 0
    at_read: Callable[[int], None] = lambda _: None

    async def accept(self, offer: m.Offer) -> m.Receipt:
        self._up()
        if self.refuses:
            raise self.refuses
        for known in self.offers:
            if known.delivery_key == offer.delivery_key:
                if known.body_hash != offer.body_hash:
                    raise Conflicting("This delivery id came before with another body.")
                account = self.accounts[known.action_id]
                return m.Receipt(known.action_id, known.key, "delivery", account.action.outcome)
        self.offers.append(offer)
        not_after = NOW + round(offer.max_age_seconds * 1000)
        action = m.Action(offer.action_id, offer.org, offer.source, offer.removal, NOW, NOW, not_after)
        report = m.Report("r1", action.id, offer.source, "ticket", offer.removal.ticket, m.ReportState.WAITING)
        self.accounts[action.id] = m.Account(action, offer.key, offer.entries, (report,))
        return m.Receipt(offer.action_id, offer.key, "")

    async def read(self, action_id: str) -> m.Account | None:
        self.reads += 1
        self.at_read(self.reads)
        self._up()
        return self.accounts.get(action_id)

    def settle(self, action_id: str, outcome: m.Outcome = GONE) -> None:
        """End an action now."""
        account = self.accounts[action_id]
        action = replace(
            account.action, state=m.ActionState.SETTLED, outcome=outcome, settled_at=self.clock.now(), seen_at=NOW
        )
        self.accounts[action_id] = replace(account, action=action)

    def _up(self) -> None:
        if self.is_down:
            raise StoreDown("connection refused")


@dataclass
class HandWaiter:
    """Waits by moving the clock; what a test wants to happen meanwhile happens first."""

    clock: HandClock
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    gate: asyncio.Event | None = None

    async def for_due(self, org: str, kind: str, seconds: float) -> None:
        raise NotImplementedError

    async def for_settled(self, action_id: str, seconds: float) -> None:
        self.waits.append(seconds)
        self.meanwhile()
        if self.gate is not None:
            await self.gate.wait()
        await self.clock.sleep(seconds)


class Refused:
    """What the door noted of refused deliveries, in order."""

    def __init__(self) -> None:
        self.noted: list[m.Refusal] = []

    def note(self, refusal: m.Refusal) -> None:
        self.noted.append(refusal)

    async def refusals(self, source: str) -> list[m.Refusal]:
        raise NotImplementedError


class Desk:
    """A public door with one source of JSON and one of forms, and a client on it."""

    def __init__(self, log: io.BytesIO) -> None:
        self.log = log
        self.clock = HandClock()
        self.shelf = Shelf(self.clock)
        self.waiter = HandWaiter(self.clock)
        self.is_draining = False
        self.source = ToySource()
        form = ToySource("chat", 200, frozenset({"application/x-www-form-urlencoded"}))
        self.sources: dict[str, Source] = {"desk": self.source, "chat": form}
        store = cast("Store", self.shelf)
        intake = Intake(self.sources, store, self.clock, CountingDice(), lambda *_: m.Terms())
        self.refused = Refused()
        self.door = public_door(
            intake,
            store,
            self.waiter,
            self.clock,
            self.refused,
            public_url=f"{PUBLIC}/",
            is_draining=lambda: self.is_draining,
        )
        self.http = client_on(self.door)

    async def post(
        self, body: object = None, headers: Mapping[str, str] | None = None, source: str = "desk", **more: str
    ) -> httpx.Response:
        """Send a webhook, signed unless `headers` say otherwise; `more` headers are added."""
        content = body if isinstance(body, bytes) else json.dumps(body or {"remove": PHONE}).encode()
        sent = {**(SIGNED if headers is None else headers), **{k.replace("_", "-"): v for k, v in more.items()}}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        return await self.http.post(f"/webhooks/{source}", content=content, headers=raw)

    def lines(self) -> list[dict[str, Any]]:
        """Return every line logged so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def client_on(app: ASGIApp) -> httpx.AsyncClient:
    """Return a client on an app; what the app raises, the test sees."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://door")


def counted(source: str, result: str) -> float:
    """Return how many deliveries of a source ended that way so far."""
    labels = {"source": source, "result": result}
    return telemetry.REGISTRY.get_sample_value("onhook_deliveries_total", labels) or 0.0


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    """Send a body in pieces, so that no length is declared."""
    for piece in pieces:
        yield piece


def digest(body: bytes) -> str:
    """Return what the store knows a body by."""
    return hashlib.sha256(body).hexdigest()
