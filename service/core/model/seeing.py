"""What Genesys shows and answers: sights, participants, targets, sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from service.core.errors import Reply
from service.core.model.asking import Medium


@dataclass(frozen=True, slots=True)
class Leg:
    """A communication: one medium of one participant.

    Attributes:
        state: as Genesys wrote it, lower-case; unknown words are kept and count as present.
        is_ended: disconnected or terminated.
        began_at: when it began to alert or was connected, the earlier that is known; 0 when neither is.
    """

    id: str
    medium: Medium
    state: str
    is_ended: bool
    began_at: int = 0


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant of a conversation, as a look saw it.

    Attributes:
        phone: E.164 number of its address, else of its ani; None where neither is a number.
        queue_id: the queue that brought it here, or "".
        attributes: its attributes as (key, value), sorted by key.
        media_roles: `full`, `monitor`, `coach`, `barge`; unknown words are kept.
        has_ended: `endTime` is set.
        joined_at: connected or started, the later that is known; 0 when neither is.
        left_at: when it left, by its `endTime`; 0 when that is not known.
    """

    id: str
    purpose: str
    legs: tuple[Leg, ...]
    user_id: str = ""
    external_contact_id: str = ""
    phone: str | None = None
    has_ended: bool = False
    joined_at: int = 0
    queue_id: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    media_roles: tuple[str, ...] = ()
    left_at: int = 0

    @property
    def is_gone(self) -> bool:
        """Left: `endTime` is set, or it has legs and all of them ended."""
        return self.has_ended or (bool(self.legs) and all(leg.is_ended for leg in self.legs))

    @property
    def is_present(self) -> bool:
        """There: at least one leg has not ended. No legs yet is neither present nor gone."""
        return not self.has_ended and any(not leg.is_ended for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Division:
    """A division that a conversation belongs to; its name may be ""."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A sight: the conversation could be read."""

    id: str
    participants: tuple[Participant, ...]
    reply: Reply = field(default_factory=lambda: Reply(status=200))
    divisions: tuple[Division, ...] = ()


@dataclass(frozen=True, slots=True)
class NotFound:
    """A sight: Genesys knows no such conversation (404)."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A sight: not allowed to read it (403)."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class CannotSee:
    """A sight: no answer, a late one, or one that says nothing (429, 5xx, timeout, not JSON).

    `retry_after_seconds` is a floor for the next look where the answer set one, else 0.
    """

    reply: Reply
    retry_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class NoSight:
    """A sight: Genesys turned the question down for good (400, or 401 after the token was renewed)."""

    reply: Reply


Sight = Conversation | NotFound | Forbidden | CannotSee | NoSight


@dataclass(frozen=True, slots=True)
class Target:
    """Who the selector resolved to, pinned.

    Attributes:
        participant_id: whom the removal addresses.
        leg_ids: the legs that were present then; only the one, where one leg is meant.
        purpose: the participant's.
        medium: of the leg by which the participant is taken for the routes that want one; None where it is not known.
        user_id: on whose behalf the removal may be asked, for the route that wants one; "" for who is no user.
        communication_id: the one leg to remove; "" for the participant as a whole.
    """

    participant_id: str
    leg_ids: tuple[str, ...]
    purpose: str = ""
    medium: Medium | None = None
    user_id: str = ""
    communication_id: str = ""


class AnswerKind(StrEnum):
    """What Genesys' answer to a removal means for the next step."""

    ACCEPTED = "accepted"
    UNCLEAR = "unclear"
    REFUSED_FOR_NOW = "refused_for_now"
    REFUSED_FOR_GOOD = "refused_for_good"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one send.

    Attributes:
        route: by which call it was asked, in the timeline's words (`generic`, `medium calls`, …); "" where none left.
    """

    kind: AnswerKind
    reply: Reply
    answered_at: int
    route: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """One removal handed to Genesys (or marked as such: it may or may not have left).

    Attributes:
        number: counts from 1 within the action.
        deadline_at: no byte of it leaves after this.
        answer: None while nobody knows: then it counts as ours.
    """

    number: int
    marked_at: int
    deadline_at: int
    answer: Answer | None = None

    @property
    def is_ours(self) -> bool:
        """May have taken effect: accepted, unclear, or never answered."""
        return self.answer is None or self.answer.kind in {AnswerKind.ACCEPTED, AnswerKind.UNCLEAR}


@dataclass(frozen=True, slots=True)
class Marked:
    """`mark_sent` said yes: this send may leave, for `left_seconds` from before it was asked."""

    send: Send
    left_seconds: float


@dataclass(frozen=True, slots=True)
class Owned:
    """`mark_sent` said no: the conversation belongs, or since the last look belonged, to another action."""

    epoch: str


@dataclass(frozen=True, slots=True)
class TooLate:
    """`mark_sent` said no: not-after is over."""


@dataclass(frozen=True, slots=True)
class OverBudget:
    """`mark_sent` said no: the budget of the org has no call left for so long."""

    after_seconds: float
