"""The nouns of the house, as frozen values. The glossary in the README names each of them.

Moments end in `_at` and are whole milliseconds since the epoch; durations end in `_seconds`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.core.errors import Reply

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
ORG_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
ACTION_ID = re.compile(r"([a-z0-9][a-z0-9-]{0,31})\.([a-z0-9]{26})", re.ASCII)
# E.164 allows 15 digits; seven is the shortest national number with its country code that is in use
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PHONE_PUNCTUATION = re.compile(r"[ ()./\u00a0-]")


def uuid_in(text: str) -> str | None:
    """Return `text` as a lower-case UUID, or None when it is anything else (nothing is stripped or repaired)."""
    lowered = text.lower() if text.isascii() else ""
    return lowered if UUID.fullmatch(lowered) else None


def phone_in(text: str) -> str | None:
    """Return the E.164 number (`+` and digits) that `text` writes, or None.

    Takes the forms people and Genesys write: `+1 (415) 555-0123`, `tel:+1415…`, `sip:+1415…@host;user=phone`.
    A number without its `+` is not guessed at.
    """
    bare = text.strip()
    scheme, colon, rest = bare.partition(":")
    if colon and scheme.lower() in {"tel", "sip", "sips"}:
        bare = rest.partition("@")[0].partition(";")[0]
    bare = _PHONE_PUNCTUATION.sub("", bare)
    return bare if _E164.fullmatch(bare) else None


def org_of(action_id: str) -> str | None:
    """Return the org an action id carries, or None when `action_id` is not an action id."""
    found = ACTION_ID.fullmatch(action_id)
    return found.group(1) if found else None


class Medium(StrEnum):
    """The kinds of leg a participant can have; the value is the array's name in a Genesys conversation."""

    VOICE = "calls"
    CALLBACK = "callbacks"
    CHAT = "chats"
    COBROWSE = "cobrowsesessions"
    EMAIL = "emails"
    MESSAGE = "messages"
    INTERNAL_MESSAGE = "internalMessages"
    SCREEN_MONITORING = "screenMonitorings"
    SCREENSHARE = "screenshares"
    SOCIAL = "socialExpressions"
    VIDEO = "videos"


class SelectorKind(StrEnum):
    """The ways a webhook may name the person."""

    PARTICIPANT_ID = "participant_id"
    PHONE = "phone"
    USER_ID = "user_id"
    EXTERNAL_CONTACT_ID = "external_contact_id"


@dataclass(frozen=True, slots=True)
class Selector:
    """How the webhook names the person: a kind and its normalised value (lower-case UUID or E.164 number)."""

    kind: SelectorKind
    value: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook POST as it arrived.

    Attributes:
        source: the source's configured name, from the path.
        headers: (name, value) in order, names lower-case; repeated headers stand repeated.
        body: the raw bytes, never more than the cap.
        received_at: our clock when the body was complete.
    """

    source: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    received_at: int

    def header(self, name: bytes) -> bytes | None:
        """Return the header `name` (lower-case) if it stands exactly once, else None."""
        found = [value for key, value in self.headers if key == name]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a signature proved.

    Attributes:
        signed_id: the delivery id that stood inside the signed bytes, or "" where the scheme signs none.
        stamped_at: the moment inside the signed bytes, or None.
        secret_fingerprint: eight hex digits that name the secret that matched, fit for a log.
    """

    signed_id: str
    stamped_at: int | None
    secret_fingerprint: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """The record in the source that asked.

    Attributes:
        reference: what the source needs to find it again (`incident/9d38…`); one ticket, one reference.
        label: what people call it (`INC0010112`); may be "".
    """

    reference: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a ticket asks: this person out of this conversation.

    Attributes:
        conversation_id: lower-case UUID.
        selector: how the person is named.
        identity: a second way to name the same person, used when `selector` is an id that is no longer listed.
        medium: only a participant with a leg of this medium is meant; None for any.
        preview: nothing is to be sent; only say who would go.
        ticket: where the outcome is told, or None.
        requester: who clicked, in the source's words; may be "".
        reason: free text of the requester; may be "".
        event_at: when it was clicked, by a time inside the signed bytes; None for a source that has none.
        event_id: the delivery's id inside the signed body, or "".
    """

    conversation_id: str
    selector: Selector
    identity: Selector | None = None
    medium: Medium | None = None
    preview: bool = False
    ticket: Ticket | None = None
    requester: str = ""
    reason: str = ""
    event_at: int | None = None
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An authentic delivery that asks nothing of us (a ping, our own note's echo): answered, not stored."""

    reason: str


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """What the rules need to know of a source.

    Attributes:
        name: its configured name.
        org: the org it may act on: the only one.
        max_age_seconds: how long after the click a removal may still be done.
        channels: how its tickets are told (`ticket`, `webhook`); one report for each.
    """

    name: str
    org: str
    max_age_seconds: float
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An action as it is offered to the store: it becomes one, or joins one that is there.

    Attributes:
        action_id: the id it gets if it is new; carries the org.
        key: the unguessable key of its link, if it is new.
        delivery_key: hex digest that is the same for the same delivery, re-sent.
        body_hash: hex digest of the body alone: the same id with another hash is a conflict.
        is_hash_only: the delivery key rests on the body's hash alone, so it is remembered for two hours only.
        intent_key: hex digest that is the same for the same wish, or None where wishes are not shared (previews).
        max_age_seconds: not-after is the click (or the receipt, the earlier) and this.
        channels: one report for each, if the removal names a ticket or the channel needs none.
        entries: the timeline so far (verify, parse).
    """

    action_id: str
    org: str
    source: str
    key: str
    removal: Removal
    delivery_key: str
    body_hash: str
    is_hash_only: bool
    intent_key: str | None
    max_age_seconds: float
    channels: tuple[str, ...]
    entries: tuple[Entry, ...] = ()


class ActionState(StrEnum):
    """The two states of an action; who is working on it is said by the lease, not by a state."""

    PENDING = "pending"
    SETTLED = "settled"


class ReportState(StrEnum):
    """The four states of a report."""

    WAITING = "waiting"
    DUE = "due"
    TOLD = "told"
    DEAD = "dead"


class OutcomeKind(StrEnum):
    """How an action can end."""

    DISCONNECTED = "disconnected"
    ALREADY_GONE = "already_gone"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"
    PREVIEWED = "previewed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended.

    Attributes:
        kind: one of eight.
        reason: a word of `wording.REASONS`, never free text.
        reply: Genesys' own words where they are the reason.
        state_seen: the leg state last seen of the target (`connected`, `alerting`, …), or "".
        purpose: the target's purpose, or "".
        candidates: who the selector could have meant (`customer 3f2a…`), when it fits several.
        remaining: how many are still there, by purpose, as the last look saw it.
        vanished: bystanders present when we acted and gone at the last look, by purpose.
        is_back: the same person was there again, on a new leg or under a new id, and was left alone.
        allowed_by: the setting that would allow it, when a policy refused.
    """

    kind: OutcomeKind
    reason: str
    reply: Reply | None = None
    state_seen: str = ""
    purpose: str = ""
    candidates: tuple[str, ...] = ()
    remaining: Mapping[str, int] = field(default_factory=dict)
    vanished: Mapping[str, int] = field(default_factory=dict)
    is_back: bool = False
    allowed_by: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told.

    Attributes:
        joined: "" for a new action, `delivery` for a re-sent webhook, `intent` for the same wish asked again.
        outcome: how the action ended, if it has.
    """

    action_id: str
    key: str
    joined: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """A communication: one medium of one participant.

    Attributes:
        state: as Genesys wrote it, lower-case; unknown words are kept and count as present.
        is_ended: disconnected or terminated.
    """

    id: str
    medium: Medium
    state: str
    is_ended: bool


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant of a conversation, as a look saw it.

    Attributes:
        phone: E.164 number of its address, else of its ani; None where neither is a number.
        has_ended: `endTime` is set.
        joined_at: connected or started, the later that is known; 0 when neither is.
    """

    id: str
    purpose: str
    legs: tuple[Leg, ...]
    user_id: str = ""
    external_contact_id: str = ""
    phone: str | None = None
    has_ended: bool = False
    joined_at: int = 0

    @property
    def is_gone(self) -> bool:
        """Left: `endTime` is set, or it has legs and all of them ended."""
        return self.has_ended or (bool(self.legs) and all(leg.is_ended for leg in self.legs))

    @property
    def is_present(self) -> bool:
        """There: at least one leg has not ended. No legs yet is neither present nor gone."""
        return not self.has_ended and any(not leg.is_ended for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A sight: the conversation could be read."""

    id: str
    participants: tuple[Participant, ...]
    reply: Reply = Reply(status=200)


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
    """Who the selector resolved to, pinned: the participant and the legs that were present then."""

    participant_id: str
    leg_ids: tuple[str, ...]
    purpose: str = ""


class AnswerKind(StrEnum):
    """What Genesys' answer to a removal means for the next step."""

    ACCEPTED = "accepted"
    UNCLEAR = "unclear"
    REFUSED_FOR_NOW = "refused_for_now"
    REFUSED_FOR_GOOD = "refused_for_good"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one send."""

    kind: AnswerKind
    reply: Reply
    answered_at: int


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


class Absence(StrEnum):
    """The two ways in which nobody is found; two looks must agree on one."""

    CONVERSATION = "conversation"
    PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Progress:
    """What an action remembers from attempt to attempt, besides its sends.

    Attributes:
        pin: the target, once a look resolved it.
        was_unpinned: the pin was given up once, after a merge.
        bystanders: participant id → purpose of everybody else present when we last acted.
        absence: how nobody was found, and `absent_at` since when; None once somebody was seen.
        blind_looks: looks in a row that saw nothing.
        held_by: why it waits (`paused`, `busy`, `genesys_unreachable`), or "".
    """

    pin: Target | None = None
    was_unpinned: bool = False
    bystanders: Mapping[str, str] = field(default_factory=dict)
    absence: Absence | None = None
    absent_at: int = 0
    blind_looks: int = 0
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """The one promise we keep for a removal, however many deliveries asked.

    Attributes:
        not_after: past this moment nothing is sent.
        lapses: claims in a row that ended because a lease ran out.
        seen_at: the look on which the outcome rests; 0 where none was needed.
        replay_of: the action a person asked again, or "".
    """

    id: str
    org: str
    source: str
    removal: Removal
    received_at: int
    clicked_at: int
    not_after: int
    state: ActionState = ActionState.PENDING
    sends: tuple[Send, ...] = ()
    progress: Progress = Progress()
    lapses: int = 0
    outcome: Outcome | None = None
    settled_at: int = 0
    seen_at: int = 0
    replay_of: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's right to one action or report until a moment; every write carries it."""

    org: str
    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An action that this worker holds.

    Attributes:
        now_at: the store's clock at the claim: the one clock of all decisions.
        lease_until: the lease ends then, unless renewed.
        epoch: names who owned the conversation last; `mark_sent` refuses when it has changed.
    """

    lease: Lease
    action: Action
    now_at: int
    lease_until: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Report:
    """One outcome to be written on one ticket, by one channel.

    Attributes:
        tries: claims so far, this one included: above 1 the note may be there already.
        error: why the last try failed, or "".
        first_due_at: when it became due first: dead 24 h later.
    """

    id: str
    action_id: str
    source: str
    channel: str
    ticket: Ticket | None
    state: ReportState
    tries: int = 0
    error: str = ""
    first_due_at: int = 0


@dataclass(frozen=True, slots=True)
class ReportClaim:
    """A report that this worker holds, with the settled action it tells of."""

    lease: Lease
    report: Report
    action: Action
    now_at: int
    lease_until: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an action's timeline: a verb, its moment and what is known of it.

    Attributes:
        verb: one of the ten.
        at: the moment it began.
        duration_ms: how long it took.
        worker: who did it, or "".
        status: the HTTP status of the call, or None.
        correlation_id: Genesys' id of the call, or "".
        note: a few words: the decision, the code, the state seen.
    """

    verb: str
    at: int
    duration_ms: float = 0.0
    worker: str = ""
    status: int | None = None
    correlation_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """All there is to tell about one action: what `GET /actions/{id}` shows."""

    action: Action
    key: str
    timeline: tuple[Entry, ...]
    reports: tuple[Report, ...]


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
class Policy:
    """Who may be removed in an org.

    Attributes:
        purposes: participants with another purpose are refused.
        last_pair: `allow` or `refuse` a removal that leaves one person alone, which normally ends the call.
    """

    purposes: frozenset[str] = frozenset({"customer", "external"})
    last_pair: str = "allow"


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms an org's actions are decided right now: its policy, and whether it is live."""

    policy: Policy = Policy()
    is_live: bool = True
