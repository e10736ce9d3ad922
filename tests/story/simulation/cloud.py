"""The Genesys of the simulation: people in conversations, and a port `Genesys` that answers as the real one may."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field

from service.core import model as m
from service.core.errors import EgressRefused, StoreDown, Unreachable
from service.genesys.answers import answer_in
from service.outbound import Answered
from tests.story.simulation.chaos import Chaos
from tests.story.simulation.course import WHO, Course, CourseClock
from tests.story.simulation.ledger import Ledger, Patch

# Mark to sight is at most 2 (send) + 1.5 + 2.5 + 2 s; with 3 s of a clock set forward that is within what rules call
# quiet (2 + 5 + 5 s). Who is slower than that breaks an assumption of the rules, not the rules.
TRANSIT_SECONDS, CARRY_SECONDS, LAG_SECONDS = 1.5, 2.5, 2.0
_PAIR = 2
STRUCK = 0.7  # of removals, in the stormy part
BLIND = 0.12  # of looks

REMOVALS = (
    *("202 lag", "202 lag", "202 without effect", "404", "409 present", "409 gone", "429", "401", "403"),
    *("500 without effect", "500 with effect", "answer lost", "request lost", "unreachable", "slow 202"),
)
LOOKS = ("look 500", "look 429", "look timeout", "look slow", "look 403", "look 401")
_ANSWERS: dict[str, tuple[int, str]] = {
    "404": (404, "not.found"),
    "409 present": (409, "general.conflict"),
    "409 gone": (409, "general.conflict"),
    "401": (401, "bad.credentials"),
    "403": (403, "missing.permissions"),
    "500 without effect": (500, "internal.server.error"),
    "500 with effect": (500, "internal.server.error"),
    "429": (429, "too.many.requests.retry.after"),
}
_SILENT = {"answer lost", "request lost"}
_NO_EFFECT = {"202 without effect", "404", "409 present", "409 gone", "429", "401", "403", "500 without effect"} | {
    "request lost"
}


@dataclass
class Stay:
    """One participant entry: a person from joining to leaving."""

    id: str
    leg: str
    name: str
    purpose: str
    phone: str
    joined_at: int
    is_back: bool = False
    left_at: float | None = None
    cause: str = ""
    is_listed: bool = True


@dataclass
class Talk:
    """One conversation."""

    id: str
    lag: float
    opens_at: float
    org: str
    is_poison: bool = False  # whoever looks at it dies
    stays: list[Stay] = field(default_factory=list)

    def present(self) -> list[Stay]:
        """Return who is really there."""
        return [stay for stay in self.stays if stay.is_listed and stay.left_at is None]


class Cloud:
    """The truth about all conversations, and what Genesys does with removals."""

    def __init__(self, course: Course, clock: CourseClock, ledger: Ledger, chaos: Chaos, rng: random.Random) -> None:
        self.course, self.clock, self.ledger, self.chaos, self.rng = course, clock, ledger, chaos, rng
        self.talks: dict[str, Talk] = {}
        self.lonely: list[str] = []
        self.is_away = False

    def uuid(self) -> str:
        """Return a new id."""
        text = f"{self.rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def join(self, talk: Talk, name: str, purpose: str, phone: str, *, is_back: bool = False) -> Stay:
        """Let somebody join."""
        stay = Stay(self.uuid(), self.uuid(), name, purpose, phone, self.clock.now(), is_back)
        talk.stays.append(stay)
        return stay

    def leave(self, talk: Talk, stay: Stay, cause: str) -> None:
        """Let somebody leave; the last one's leg ends by itself."""
        stay.left_at, stay.cause = self.clock.monotonic(), cause
        self.ledger.tell(f"{stay.name} {stay.id} leaves by {cause}")
        if len(talk.present()) == 1:
            (last,) = talk.present()
            last.left_at, last.cause = self.clock.monotonic(), "peer"

    def merge(self, talk: Talk) -> None:
        """Let everybody there get another id and another leg."""
        for stay in talk.present():
            stay.is_listed = False
            talk.stays.append(
                Stay(self.uuid(), self.uuid(), stay.name, stay.purpose, stay.phone, stay.joined_at, stay.is_back)
            )

    def sight(self, conversation: str, org: str) -> m.Sight:
        """Return what a look sees right now: leavers are seen with a lag."""
        talk = self.talks.get(conversation)
        if talk is None or talk.org != org:
            return m.NotFound(m.Reply(404, "not.found"))
        now, people = self.clock.monotonic(), []
        for stay in talk.stays if now >= talk.opens_at else ():
            if stay.is_listed:
                is_ended = stay.left_at is not None and now >= stay.left_at + talk.lag
                state = "terminated" if is_ended else "connected"
                leg = m.Leg(stay.leg, m.Medium.VOICE, state, is_ended)
                who = m.Participant(stay.id, stay.purpose, (leg,), phone=stay.phone, joined_at=stay.joined_at)
                people.append(who)
        return m.Conversation(conversation, tuple(people))

    def removal_kind(self, participant: str) -> str:
        """Return what becomes of a removal that is handed over now."""
        if not self.chaos.is_calm and self.rng.random() < STRUCK:
            return self.rng.choice(REMOVALS)
        return "unreachable" if self.is_away else "202"

    def arrive(self, patch: Patch, kind: str, answer: asyncio.Future[m.Answer | None]) -> None:
        """A removal has arrived: it is carried out a little later, or not at all; the answer says what it says."""
        if kind == "409 gone" and (stay := self._there(patch)):
            self.leave(self.talks[patch.conversation], stay, "himself")
        if kind not in _NO_EFFECT:
            most = CARRY_SECONDS if kind == "202 lag" else 0.2
            self.course.later(self.rng.uniform(0.0, most), self.carry_out, patch)
        if kind not in _SILENT and not answer.done():
            answer.set_result(None)

    def carry_out(self, patch: Patch) -> None:
        """End the leg, if it is still there."""
        stay, talk = self._there(patch), self.talks[patch.conversation]
        if stay is None:
            return
        patch.is_effective = True
        self.leave(talk, stay, patch.action or "nobody knows whom")
        if len(talk.present()) < _PAIR:
            self.lonely.append(patch.conversation)

    def _there(self, patch: Patch) -> Stay | None:
        talk = self.talks.get(patch.conversation)
        return next((stay for stay in talk.present() if stay.id == patch.participant), None) if talk else None


class CloudPort:
    """The port `Genesys` of every process: it sees the conversations of one org."""

    def __init__(self, cloud: Cloud, org: str) -> None:
        self._cloud, self._org = cloud, org

    async def look(self, conversation_id: str) -> m.Sight:
        """Return what is seen, late or wrong as it may be."""
        cloud, rng = self._cloud, self._cloud.rng
        await self._struck("look")
        if conversation_id in cloud.talks and cloud.talks[conversation_id].is_poison:
            cloud.ledger.hit("poison")
            cloud.chaos.crash(WHO.get())
            await asyncio.sleep(0)
        is_stormy = not cloud.chaos.is_calm and rng.random() < BLIND
        is_stormy = is_stormy or (cloud.is_away and not cloud.chaos.is_calm)
        kind = "look 500" if cloud.is_away else rng.choice(LOOKS) if is_stormy else "look"
        if is_stormy:
            cloud.ledger.hit(kind)
        await cloud.clock.sleep(rng.uniform(0.02, 0.3))
        sight = cloud.sight(conversation_id, self._org)
        await cloud.clock.sleep({"look timeout": 4.6, "look slow": rng.uniform(1.0, 4.5)}.get(kind, 0.02))
        if await self._struck("look answer", "reply lost") == "reply":
            kind = "look timeout"
        cloud.ledger.tell(f"look {type(sight).__name__} {kind}")
        match kind:
            case "look 500" | "look timeout":
                return m.CannotSee(m.Reply(500 if kind == "look 500" else None))
            case "look 429":
                return m.CannotSee(m.Reply(429), 3.0)
            case "look 403":
                return m.Forbidden(m.Reply(403, "missing.permissions"))
            case "look 401":
                return m.NoSight(m.Reply(401, "bad.credentials"))
            case _:
                return sight

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        """Hand a removal over: from then on it goes its way, whatever becomes of who sent it."""
        cloud, rng = self._cloud, self._cloud.rng
        await self._struck("send")
        kind = cloud.removal_kind(target.participant_id)
        if cloud.clock.monotonic() >= deadline:
            cloud.ledger.hit("guard: too late to send")
            raise EgressRefused("past its deadline")
        if kind != "202":
            cloud.ledger.hit(f"removal {kind}")
        if kind == "unreachable":
            raise Unreachable("connection refused")
        patch = cloud.ledger.patch(conversation_id, target.participant_id)
        answer: asyncio.Future[m.Answer | None] = cloud.course.create_future()
        transit = TRANSIT_SECONDS if kind == "slow 202" else 0.3
        cloud.course.later(rng.uniform(0.01, transit), cloud.arrive, patch, kind, answer)
        if kind in _SILENT:
            cloud.course.later(4.9, _give_up, answer)
        await answer
        fate = await self._struck("send answer", "reply lost")
        if kind in _SILENT or fate == "reply":
            return m.Answer(m.AnswerKind.UNCLEAR, m.Reply(code="timeout"), cloud.clock.now())
        status, code = _ANSWERS.get(kind, (202, ""))
        body = json.dumps({"message": kind, "code": code, "status": status}).encode() if code else b""
        headers = (("retry-after", str(rng.randint(1, 4))),) if kind == "429" else ()
        return answer_in(Answered(status, headers, body), cloud.clock.now())

    async def _struck(self, name: str, *more: str) -> str:
        kinds = ("crash at", "freeze at", "slow at", *more)
        try:
            return await self._cloud.chaos.point(name, kinds if WHO.get() else ())
        except StoreDown as fault:  # the story is over: nothing leaves any more
            raise EgressRefused("the story is over") from fault


def _give_up(answer: asyncio.Future[m.Answer | None]) -> None:
    if not answer.done():
        answer.set_result(None)
