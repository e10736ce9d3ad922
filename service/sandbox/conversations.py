"""Who is really in which conversation: the truth the API shows late and the tests compare with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from service.sandbox.switches import Conduct, LocalSwitches, Switches

# medium → the array it stands in, as on the vendor's participant
MEDIA: Final = {
    "call": "calls",
    "callback": "callbacks",
    "chat": "chats",
    "cobrowsesession": "cobrowsesessions",
    "email": "emails",
    "message": "messages",
    "internalMessage": "internalMessages",
    "screenMonitoring": "screenMonitorings",
    "screenshare": "screenshares",
    "socialExpression": "socialExpressions",
    "video": "videos",
}
BEGINS: Final = {"screenMonitoring": "none"}  # nobody's screen rings
OPENING: Final = ("alerting", "dialing", "contacting", "offering", "scheduled", "none")
ENDED: Final = ("disconnected", "terminated")
_ENDS_ONCE: Final = ("email", "message", "internalMessage", "screenMonitoring")  # their enums have no `terminated`
# the media that know only these ways to end; the first stands for all others
_ENDS_AS: Final = {"internalMessage": ("client", "system", "peer", "transfer"), "screenMonitoring": ("system",)}
_SYSTEM: Final = frozenset(
    ("acd", "ivr", "botflow", "flow", "voicemail", "workflow", "dialer", "campaign", "api", "fax", "voicesurveyflow")
)
_TERMINATED_AFTER: Final = 0.5  # seconds from disconnected to terminated: "sub-second", no published figure

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Division:
    """A part of the org; who may do something may do it in named divisions only."""

    id: str
    name: str


HOME: Final = Division("0e000000-0000-4000-8000-000000000001", "Home")  # the vendor's name for the one that always is


@dataclass(slots=True)
class Leg:
    """One communication of one participant; its state is a function of time, nothing ever has to tick."""

    id: str
    medium: str
    started_at: float
    connected_at: float | None
    opening: str = "alerting"
    steady: str = "connected"
    ended_at: float | None = None
    seen_ended_at: float | None = None
    disconnect_type: str | None = None
    wraps_up: bool = True
    error_code: str | None = None  # what a command that was accepted ran into afterwards
    flags: dict[str, bool] = field(default_factory=dict)

    def is_present(self, at: float) -> bool:
        """Say whether the leg is really there."""
        return self.started_at <= at and (self.ended_at is None or at < self.ended_at)

    def seems_ended(self, at: float) -> bool:
        """Say whether readers see it ended by now."""
        return self.seen_ended_at is not None and at >= self.seen_ended_at

    def was_answered(self, at: float) -> bool:
        """Say whether it was connected at any time up to now."""
        until = at if self.ended_at is None else min(at, self.ended_at)
        return self.connected_at is not None and self.connected_at <= until

    def state(self, at: float) -> str:
        """Return the state as readers see it."""
        if self.seen_ended_at is not None and at >= self.seen_ended_at:
            is_over = self.medium not in _ENDS_ONCE and at >= self.seen_ended_at + _TERMINATED_AFTER
            return "terminated" if is_over else "disconnected"
        return self.steady if self.was_answered(at) else self.opening

    def end(self, at: float, seen_at: float, how: str, *, wraps_up: bool = True) -> bool:
        """End it and say whether there was anything to end."""
        if not self.is_present(at):
            return False
        known = _ENDS_AS.get(self.medium, (how,))
        self.ended_at, self.seen_ended_at, self.wraps_up = at, seen_at, wraps_up
        self.disconnect_type = how if how in known else known[0]
        return True


@dataclass(slots=True)
class Participant:
    """One participant; the same person can be several of them."""

    id: str
    purpose: str
    started_at: float
    name: str | None = None
    address: str | None = None
    ani: str | None = None
    dnis: str | None = None
    user_id: str | None = None
    external_contact_id: str | None = None
    queue_id: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    media_roles: list[str] = field(default_factory=lambda: ["full"])
    relations: dict[str, str] = field(default_factory=dict)  # the vendor's field → the other participant's id
    legs: list[Leg] = field(default_factory=list)
    is_wrapped_up: bool = False

    @property
    def is_system(self) -> bool:
        """Say whether this is a queue, a flow or the like, and no person."""
        return self.purpose in _SYSTEM

    @property
    def is_party(self) -> bool:
        """Say whether this is somebody the others talk with: whoever only listens in keeps no call alive."""
        return not self.is_system and bool({"full", "barge"} & set(self.media_roles))

    def is_present(self, at: float) -> bool:
        """Say whether the participant is really there, on any medium."""
        return self.started_at <= at and any(leg.is_present(at) for leg in self.legs)

    def legs_of(self, medium: str | None, at: float | None = None) -> list[Leg]:
        """Return the legs on one medium, or all; only those that have begun by `at` when that is given."""
        return [leg for leg in self.legs if medium in {None, leg.medium} and (at is None or leg.started_at <= at)]


@dataclass(slots=True)
class Conversation:
    """One conversation: its participants, the dead ones included, and its own switches."""

    id: str
    started_at: float
    participants: list[Participant] = field(default_factory=list)
    divisions: list[Division] = field(default_factory=lambda: [HOME])
    scenario: str | None = None
    switches: LocalSwitches = field(default_factory=LocalSwitches)

    def listed(self, at: float) -> list[Participant]:
        """Return who has shown up by now."""
        return [person for person in self.participants if person.started_at <= at]

    def find(self, participant_id: str, at: float) -> Participant | None:
        """Return the listed participant with this id."""
        return next((person for person in self.listed(at) if person.id == participant_id.lower()), None)

    def end(
        self, legs: Iterable[Leg], at: float, lag: float, how: str, *, wraps_up: bool = True, alone_stays: bool = False
    ) -> bool:
        """End legs, seen so after `lag` seconds, and say whether there was anything to end.

        When that leaves one person alone, that person's legs end by themselves with `peer`, unless `alone_stays`.
        """
        before = self._people(at)
        ended = [leg for leg in legs if leg.end(at, at + lag, how, wraps_up=wraps_up)]
        left = self._people(at)
        if len(left) < len(before) and len(left) <= (0 if alone_stays else 1):
            for person in self.listed(at):  # the partner, and a queue or flow that now has nobody to serve
                for leg in person.legs:
                    leg.end(at, at + lag, "peer")
        return bool(ended)

    def legs(self, medium: str | None = None) -> list[Leg]:
        """Return everybody's legs, on one medium or on all."""
        return [leg for person in self.participants for leg in person.legs_of(medium)]

    def _people(self, at: float) -> list[Participant]:
        return [person for person in self.participants if person.is_present(at) and person.is_party]


class World:
    """All conversations, and the events that happen to them without any command of ours."""

    def __init__(self, new_id: NewId, switches: Switches) -> None:
        self.new_id = new_id
        self.switches = switches
        self.conversations: dict[str, Conversation] = {}

    def find(self, conversation_id: str | None) -> Conversation | None:
        """Return the conversation with this id."""
        return self.conversations.get((conversation_id or "").lower())

    def begin(self, conversation_id: str | None, at: float, divisions: Iterable[Division]) -> Conversation:
        """Begin a conversation without anybody in it yet."""
        conversation = Conversation(conversation_id or self.new_id(), at, divisions=list(divisions))
        self.conversations[conversation.id] = conversation
        return conversation

    def conduct(self, conversation: Conversation) -> Conduct:
        """Return how commands on this conversation go, as its own switches and else the global ones say."""
        return self.switches.conduct(conversation.switches)

    def rejoin(self, conversation: Conversation, person: Participant, at: float) -> Participant:
        """Let the same person come back as a new participant; the old one is gone, if it was not before."""
        media = dict.fromkeys(leg.medium for leg in person.legs)  # each once, in order
        for leg in person.legs:
            leg.end(at, at, "endpoint")
        back = replace(
            person,
            id=self.new_id(),
            started_at=at,
            is_wrapped_up=False,
            legs=[self.new_leg(medium, at) for medium in media],
        )
        conversation.participants.append(back)
        return back

    def replace(self, conversation: Conversation, person: Participant) -> Participant:
        """Give a participant another id; the old one is not listed any more."""
        other = replace(person, id=self.new_id())
        conversation.participants[conversation.participants.index(person)] = other
        return other

    def merge(self, source: Conversation, target: Conversation, at: float) -> list[tuple[str, Participant]]:
        """Move everybody present to `target` under new ids; return them with the ids they had."""
        moved = []
        for person in [person for person in source.participants if person.is_present(at)]:
            legs = [replace(leg, id=self.new_id()) for leg in person.legs if leg.is_present(at)]
            there = replace(person, id=self.new_id(), legs=legs)
            source.participants.remove(person)
            target.participants.append(there)
            moved.append((person.id, there))
        return moved

    def new_leg(self, medium: str, at: float) -> Leg:
        """Return a leg that is connected from now on."""
        return Leg(self.new_id(), medium, at, at, BEGINS.get(medium, OPENING[0]))
