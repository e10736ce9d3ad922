"""What is asked: sources, deliveries, removals, and the ways to write an id or a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
ORG_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
ACTION_ID = re.compile(r"([a-z0-9][a-z0-9-]{0,31})\.([a-z0-9]{26})", re.ASCII)
# E.164 allows 15 digits; seven is the shortest national number with its country code that is in use
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
# of RFC 3966: several people stand behind one number
_SHARED = re.compile(r"(?:^|;)(?:ext|isub)=", re.ASCII | re.IGNORECASE)
_PHONE_PUNCTUATION = re.compile(r"[ ()./\u00a0-]")


def uuid_in(text: str) -> str | None:
    """Return `text` as a lower-case UUID, or None when it is anything else (nothing is stripped or repaired)."""
    lowered = text.lower() if text.isascii() else ""
    return lowered if UUID.fullmatch(lowered) else None


def phone_in(text: str) -> str | None:
    """Return the E.164 number (`+` and digits) that `text` writes, or None.

    Takes the forms people and Genesys write: `+1 (415) 555-0123`, `tel:+1415…`, `sip:+1415…@host;user=phone`.
    A number without its `+`, or with a `(0)`, is not guessed at, and one with an extension is not cut to the number
    it shares.
    """
    bare = text.strip()
    scheme, colon, rest = bare.partition(":")
    if colon and scheme.lower() in {"tel", "sip", "sips"}:
        bare, _, parameters = rest.partition("@")[0].partition(";")
        if _SHARED.search(parameters):
            return None
    if "(0)" in bare:  # +49 (0)30 …: the trunk prefix is not dialled from abroad, and reading it makes another number
        return None
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
    COMMUNICATION_ID = "communication_id"
    PURPOSE = "purpose"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Selector:
    """How the webhook names the person.

    Attributes:
        kind: the way.
        value: normalised: a lower-case UUID, an E.164 number, a purpose in lower case, or an attribute as `key=value`
            (the key ends at the first `=`). A communication id means that leg alone, not the person's other legs.
    """

    kind: SelectorKind
    value: str

    @property
    def masked(self) -> Selector:
        """The same as it may be kept and shown: of a number or an attribute's value the last four characters at most.

        What is masked already stays as it is; ids and purposes stay whole.
        """
        if self.value == _CUT:
            return self
        match self.kind:
            case SelectorKind.PHONE:
                return Selector(self.kind, _cut(self.value))
            case SelectorKind.ATTRIBUTE:
                key, equals, said = self.value.partition("=")
                return Selector(self.kind, f"{key}{equals}{_cut(said)}")
            case _:
                return self

    @property
    def is_masked(self) -> bool:
        """Whether it names nobody any more, because its value was cut."""
        return self.value == _CUT or (self.kind in _PERSONAL and self.masked == self)

    @property
    def forgotten(self) -> Selector:
        """The same when somebody asked to be forgotten: nothing of the value is left, an id's neither."""
        return Selector(self.kind, _CUT)


# What may be, or hold, somebody's number or name.
_PERSONAL = frozenset({SelectorKind.PHONE, SelectorKind.ATTRIBUTE})
_CUT = "…"
_RECOGNISED = 4  # characters by which somebody who knows the number knows it again
_TELLING = 8  # four of fewer than these would tell most of it


def _cut(text: str) -> str:
    if text.startswith(_CUT) and len(text) <= len(_CUT) + _RECOGNISED:
        return text
    return _CUT + (text[-_RECOGNISED:] if len(text) >= _TELLING else "")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook POST as it arrived.

    Attributes:
        source: the source's configured name, from the path.
        headers: (name, value) in order, names lower-case; repeated headers stand repeated.
        body: the raw bytes, never more than the cap.
        received_at: our clock when the body was complete.
        query: what stood behind the `?` of the path, as it came; some systems can only put their secret there.
    """

    source: str
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)  # some systems show their secret in one
    body: bytes = field(repr=False)  # numbers and names of people
    received_at: int
    query: bytes = field(default=b"", repr=False)

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
        reply_to: where this one click is answered, for a system that says so with each (Slack): whoever knows it can
            write there, so it is shown nowhere, and is no part of what the ticket is; else "".
    """

    reference: str
    label: str = ""
    reply_to: str = field(default="", repr=False, compare=False)


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
    """An authentic delivery that asks nothing of us (a ping, our own note's echo): answered, not stored.

    Attributes:
        reason: why, in words.
        answer: what the system wants to read, where a greeting has an answer of its own; None for ours.
    """

    reason: str
    answer: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that one delivery asks.

    Attributes:
        body: its own bytes, by which it is known again where it has no id.
        asked: the removal, why it asks nothing of us, or in words why it cannot be read.
    """

    body: bytes
    asked: Removal | Ignored | str


@dataclass(frozen=True, slots=True)
class Batch:
    """A delivery of several events, in their order; each is taken, joined or refused for itself."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A delivery that was not taken, as an operator may read of it: never its body.

    Attributes:
        source: the configured source it named.
        refused_at: our clock.
        code: the problem's, the same that the sender heard.
        reason: what was wrong, in words; of a bad signature too, which the sender is not told.
        size: bytes read.
        secret_fingerprint: of the secret that had signed it, or "" where none had.
    """

    source: str
    refused_at: int
    code: str
    reason: str
    size: int
    secret_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person at the console or the command line, and why she does what she does; both stand in the audit."""

    who: str
    why: str = ""


# who did not say who she is
SOMEBODY = Operator("somebody")


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """What the rules need to know of a source.

    Attributes:
        name: its configured name.
        org: the org it may act on: the only one.
        max_age_seconds: how long after the click a removal may still be done.
        channels: how its tickets are told (`ticket`, `webhook`); one report for each.
        language: in which they are told.
        rate: deliveries a minute that are taken of it; 0 for any number.
        runaway: removals that one requester asks for within a minute and that pause it; 0 for any number.
        wait: seconds for which its sender is kept waiting for the outcome where it does not say how long.
        unreadable_status: the HTTP status for what is authentic and cannot be read: 422, or 200.
        answer: the JSON that its sender wants to read, with `{text}`, `{status}` and `{action}`; None for our receipt.
        unheard: what the bodies begin with whose answer nobody is shown; they are answered by nothing, and by an error
            where they cannot be read. b"" where there are none.
    """

    name: str
    org: str
    max_age_seconds: float
    channels: tuple[str, ...]
    language: str = "en"
    rate: int = 0
    runaway: int = 0
    wait: int = 0
    unreadable_status: int = 422
    answer: Mapping[str, object] | None = None
    unheard: bytes = b""

    def is_unheard(self, body: bytes) -> bool:
        """Whether nobody is shown the answer to `body`."""
        return bool(self.unheard) and body.startswith(self.unheard)
