"""Many calls, a Genesys that ends exactly what it is told to end, and a desk: the truth, whatever Redis forgets."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from service.core import model as m
from service.core.errors import EgressRefused
from service.core.ports import Clock
from tests.store.stories import ORG, PHONE, uuid

SOURCE = "desk"
LAG_SECONDS = (0.0, 0.5)  # from leaving to being seen gone
ANSWER_SECONDS = (0.005, 0.06)
BACK_SECONDS = (0.1, 1.0)
COMES_BACK = 3  # one of so many callers calls again


@dataclass
class Talk:
    """One call: an agent and a caller, who may call again when he was removed.

    Attributes:
        patches: how many removals of the caller reached Genesys.
        wrong: whoever else a removal was for.
    """

    number: int
    joined_at: int
    lag: float
    left: float | None = None
    back_at: int | None = None
    patches: int = 0
    effects: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The conversation's id."""
        return uuid(self.number * 10)

    @property
    def caller(self) -> str:
        """The participant id of the caller, as clicked on."""
        return uuid(self.number * 10 + 1)

    def people(self, now: float) -> Iterator[m.Participant]:
        """Give everybody, as a look sees them."""
        is_gone = self.left is not None and now >= self.left + self.lag
        yield self._person(1, "customer", self.joined_at, is_gone=is_gone)
        yield self._person(2, "agent", self.joined_at)
        yield self._person(3, "external", self.joined_at)
        if self.back_at is not None:
            yield self._person(4, "customer", self.back_at)

    def _person(self, place: int, purpose: str, joined_at: int, *, is_gone: bool = False) -> m.Participant:
        leg = m.Leg(
            uuid(self.number * 10 + place + 5), m.Medium.VOICE, "terminated" if is_gone else "connected", is_gone
        )
        phone = PHONE.value if purpose == "customer" else None
        return m.Participant(uuid(self.number * 10 + place), purpose, (leg,), phone=phone, joined_at=joined_at)


class Town:
    """All calls; meets the ports `Genesys` and, as `desk`, `Source`.

    Attributes:
        counters: what happened here, by name.
        notes: how often each report was written on its ticket.
    """

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock, self.talks = clock, dict[str, Talk]()
        self.counters: Counter[str] = Counter()
        self.desk = Desk()
        self._dice = random.Random(seed)  # noqa: S311 - the same town each time; no secret is made
        self._tasks: set[asyncio.Task[None]] = set()

    def call(self) -> Talk:
        """Let somebody call."""
        talk = Talk(len(self.talks) + 1, self.clock.now(), self._dice.uniform(*LAG_SECONDS))
        self.talks[talk.id] = talk
        return talk

    async def look(self, conversation_id: str) -> m.Sight:
        """Show who is there, as far as Genesys has heard."""
        await self.clock.sleep(self._dice.uniform(*ANSWER_SECONDS))
        self.counters["looks"] += 1
        return m.Conversation(conversation_id, tuple(self.talks[conversation_id].people(self.clock.monotonic())))

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        """Remove who it is for: once he is gone it is only said again."""
        if self.clock.monotonic() >= deadline:
            self.counters["too late to send"] += 1
            raise EgressRefused("past its deadline")
        talk = self.talks[conversation_id]
        self.counters["removals sent"] += 1
        if target.participant_id != talk.caller:
            talk.wrong.append(target.participant_id)
        else:
            self._remove(talk)
        await self.clock.sleep(self._dice.uniform(*ANSWER_SECONDS))
        return m.Answer(m.AnswerKind.ACCEPTED, m.Reply(status=202), self.clock.now())

    def _remove(self, talk: Talk) -> None:
        talk.patches += 1
        if talk.left is not None:
            self.counters["removals of who was gone"] += 1
            return
        talk.effects += 1
        talk.left = self.clock.monotonic()
        if talk.number % COMES_BACK == 0:
            task = asyncio.get_running_loop().create_task(self._call_again(talk))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _call_again(self, talk: Talk) -> None:
        await self.clock.sleep(self._dice.uniform(*BACK_SECONDS))
        talk.back_at = self.clock.now()
        self.counters["callers back"] += 1

    def findings(self) -> list[str]:
        """Return what nobody may ever do here."""
        found = [
            f"{talk.id}: {talk.wrong} removed, who was not asked for" for talk in self.talks.values() if talk.wrong
        ]
        return found + [f"{talk.id}: removed {talk.effects} times" for talk in self.talks.values() if talk.effects > 1]


class Desk:
    """The port `Source`: tickets that take every note, and count them."""

    terms = m.SourceTerms(SOURCE, ORG, 120.0, ("ticket",))
    success_status = 202
    media_types = frozenset({"application/json"})

    def __init__(self) -> None:
        self.notes: Counter[str] = Counter()

    def verify(self, delivery: m.Delivery) -> NoReturn:
        """Nobody posts here: what is asked goes straight to the store."""
        raise NotImplementedError

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> NoReturn:
        """Nobody posts here."""
        raise NotImplementedError

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether the note stands there."""
        return self.notes[report.id] > 0

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Write it."""
        self.notes[report.id] += 1
        return m.Reply(status=200)
