"""The ticketing system of the simulation: who clicks, what is sent again and again, and where notes are written."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass

from service.core import model as m
from service.core.errors import Conflicting, EgressRefused, Rejected, StoreDown, Throttled, Unclear, Unreachable
from service.flow.intake import Intake
from tests.story.simulation.chaos import RECEIVER, Chaos
from tests.story.simulation.course import Course, CourseClock
from tests.story.simulation.ledger import Ledger, Wish

ORG, SOURCE = "acme", "desk"
ORGS = {SOURCE: ORG, "counter": "beta"}  # whose source is whose
PATIENCE_SECONDS = 10.0  # of who sends a webhook, before the same is sent again
STRUCK = 0.15  # of notes and of looks for them

FAULTS = ("desk refuses", "desk throttles", "desk writes and is not heard", "desk cut before", "desk slow")


class Desk:
    """The port `Source`."""

    media_types = frozenset({"application/json"})
    success_status = 202

    def __init__(
        self,
        source: str,
        clock: CourseClock,
        ledger: Ledger,
        chaos: Chaos,
        rng: random.Random,
        *,
        max_age_seconds: float,
    ) -> None:
        self._clock, self._ledger, self._chaos, self._rng = clock, ledger, chaos, rng
        self.terms = m.SourceTerms(source, ORGS[source], max_age_seconds, ("ticket",))
        self.is_down = False

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Take the message id for proved."""
        return m.Verified(json.loads(delivery.body)["message"], None, "00000000")

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal:
        """Read what is asked."""
        said = json.loads(delivery.body)
        kind, value = said["selector"]
        identity = said["identity"]
        return m.Removal(
            said["conversation"],
            m.Selector(m.SelectorKind(kind), value),
            m.Selector(m.SelectorKind.PHONE, identity) if identity else None,
            preview=said["preview"],
            ticket=m.Ticket(said["ticket"]),
            event_at=said["clicked_at"],
        )

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether the note stands there."""
        if await self._reached("is told") == "reply lost":
            raise Unclear("no answer")
        return any(note.report == report.id for note in self._ledger.notes)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Write the note, or fail in one of the ways of a desk."""
        fault = await self._reached("tell")
        if fault == "desk refuses":
            raise Rejected("no such ticket", m.Reply(404))
        if fault == "desk throttles":
            raise Throttled("later", retry_after_seconds=self._rng.uniform(1.0, 5.0))
        if fault == "desk cut before":
            raise Unclear("cut")
        if deadline is not None and self._clock.monotonic() >= deadline:
            self._ledger.hit("guard: too late to tell")
            raise EgressRefused("past its deadline")
        self._ledger.note(report.id, report.ticket.reference if report.ticket else "")
        fate = await self._chaos.point("note", ("crash after", "freeze after", "reply lost"))
        await self._clock.sleep(self._rng.uniform(1.0, 4.5) if fault == "desk slow" else 0.1)
        if fault == "desk writes and is not heard" or fate == "reply":
            raise Unclear("no answer")
        return m.Reply(200)

    async def _reached(self, what: str) -> str:
        if self._chaos.is_over:
            raise Unreachable("the story is over")
        if self.is_down:
            self._ledger.hit("desk down")
            await self._clock.sleep(0.2)
            raise Unreachable("the desk is down")
        if await self._chaos.point(what, ("crash at", "freeze at", "reply lost")) == "reply":
            return "desk writes and is not heard" if what == "tell" else "reply lost"
        return self.fault(what)

    def fault(self, what: str) -> str:
        """Return what this desk does wrong now, or ""."""
        if self._chaos.is_calm or self._rng.random() >= STRUCK:
            return ""
        fault = "desk slow" if what == "is told" else self._rng.choice(FAULTS)
        if fault != "desk refuses" or self._rng.random() < STRUCK:
            self._ledger.hit(fault)
            return fault
        return ""


@dataclass
class Click:
    """One press of the button, with everything that its webhook says."""

    message: str
    conversation: str
    selector: tuple[str, str]
    ticket: str
    clicked_at: int = 0
    identity: str = ""
    preview: bool = False
    source: str = SOURCE

    def body(self) -> bytes:
        """Return the webhook's body."""
        return json.dumps(vars(self), sort_keys=True).encode()


class Sender:
    """Who sends webhooks, and still owns them until a receiver says that they are taken.

    Each delivery is taken by a receiver of its own, a process that may die or stand still anywhere in it.
    """

    def __init__(
        self,
        intake: Intake,
        course: Course,
        clock: CourseClock,
        ledger: Ledger,
        chaos: Chaos,
        *,
        max_age_seconds: float,
    ) -> None:
        self._intake, self._course, self._clock = intake, course, clock
        self._ledger, self._chaos, self._max_age = ledger, chaos, max_age_seconds
        self.unsent = 0
        self.posts = 0
        self._receivers: list[asyncio.Task[None]] = []  # a loop holds its tasks weakly

    async def send(self, click: Click) -> Wish:
        """Send it until it is taken; the same message again is the same delivery."""
        known = next((one for one in self._ledger.wishes if one.message == click.message), None)
        ticket = "" if click.preview else click.ticket
        named = (click.conversation, click.selector, click.identity)
        told = known or Wish(click.message, *named, click.clicked_at, self._max_age, ticket, ORGS[click.source])
        if known is None:
            self._ledger.wishes.append(told)
        self.unsent += 1
        while (taken := await self._posted(click)) is None:
            await self._clock.sleep(1.0)
        told.actions.append(taken.action_id)
        self._ledger.hit(f"delivery {taken.joined or 'new'}")
        self._ledger.tell(f"{click.message} is {taken.action_id}")
        self.unsent -= 1
        return told

    async def _posted(self, click: Click) -> m.Receipt | None:
        """Post it once; None: no answer, or a 503."""
        self.posts += 1
        heard: asyncio.Future[m.Receipt | None] = self._course.create_future()
        self._receivers.append(self._course.start(f"{RECEIVER}{self.posts}", self._taken(click, heard)))
        self._course.later(PATIENCE_SECONDS, self._unheard, heard)
        return await heard

    async def _taken(self, click: Click, heard: asyncio.Future[m.Receipt | None]) -> None:
        """Take one delivery, as a receiver does, and answer."""
        taken = None
        try:
            await self._chaos.point("post", ("crash at", "freeze at"))
            found = await self._intake.take(m.Delivery(click.source, (), click.body(), self._clock.now()))
            assert isinstance(found, m.Receipt)
            taken = found
            if await self._chaos.point("2xx", ("crash before", "freeze before", "reply lost")) == "reply":
                return
        except StoreDown:
            self._ledger.hit("sender told 503")
        if not heard.done():
            heard.set_result(taken)

    def _unheard(self, heard: asyncio.Future[m.Receipt | None]) -> None:
        if not heard.done():
            self._ledger.hit("sender not answered")
            heard.set_result(None)

    async def clash(self, click: Click) -> None:
        """Send the id of a message with another body: once it is stored, that is refused."""
        stored = any(one.message == click.message and one.actions for one in self._ledger.wishes)
        if not stored:
            return
        try:
            await self._intake.take(m.Delivery(click.source, (), click.body(), self._clock.now()))
        except Conflicting:
            self._ledger.hit("delivery conflicts")
        except StoreDown:
            return
        else:
            self._ledger.breach("the same delivery, the same action", f"{click.message} was taken with another body")
