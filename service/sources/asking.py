"""What a body asks, as far as all kinds of source agree: its two forms, and who is to leave which conversation.

The own form `{"type":"caller.remove","timestamp":…,"data":{…}}` and the flat form
`{"conversationId":…,"participantId":…,"action":"disconnect"}` say the same things under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from service.core import model as m
from service.core.errors import Unreadable
from service.sources.reading import EXAMPLE_ID, Fields, json_object, shown

TYPE: Final = "caller.remove"
ACTION: Final = "disconnect"
OWN_FORM: Final = f'{{"type":"{TYPE}","timestamp":…,"data":{{"conversation_id":…,"caller_phone":…}}}}'
FLAT_FORM: Final = f'{{"conversationId":…,"participantId":…,"action":"{ACTION}"}}'

_REASON_CHARS: Final = 500  # what an agent writes in a hurry; the rest stands on the ticket
_NAME_CHARS: Final = 100  # the longest user name a ticket desk allows; also e-mail addresses of nearly everybody
_TYPE_CHARS: Final = 128  # an event's name
# How a ticketing system, and people, call a medium.
MEDIA: Final[Mapping[str, m.Medium]] = {
    "voice": m.Medium.VOICE,
    "call": m.Medium.VOICE,
    "phone": m.Medium.VOICE,
    "callback": m.Medium.CALLBACK,
    "chat": m.Medium.CHAT,
    "webchat": m.Medium.CHAT,
    "cobrowse": m.Medium.COBROWSE,
    "email": m.Medium.EMAIL,
    "message": m.Medium.MESSAGE,
    "internalmessage": m.Medium.INTERNAL_MESSAGE,
    "screenmonitoring": m.Medium.SCREEN_MONITORING,
    "screenshare": m.Medium.SCREENSHARE,
    "social": m.Medium.SOCIAL,
    "video": m.Medium.VIDEO,
} | {medium.value.lower(): medium for medium in m.Medium}


@dataclass(frozen=True, slots=True)
class Asked:
    """One body of either form.

    Attributes:
        fields: where conversation, person and ticket stand.
        head: where the timestamp stands: the same fields in the flat form.
    """

    fields: Fields
    head: Fields

    @property
    def requester(self) -> str:
        """Who clicked, in the source's words, or ""."""
        return self.fields.word("requested_by", _NAME_CHARS) or self.actor

    @property
    def actor(self) -> str:
        """Who made the source send this, where that is said apart from who clicked, or ""."""
        return self.fields.word("actor", _NAME_CHARS)


def asked_in(body: bytes) -> Asked | m.Ignored:
    """Return what `body` asks; Ignored when it is an event of another type.

    Raises:
        Malformed: not strict JSON.
        Unreadable: neither of the two forms.
    """
    fields = json_object(body)
    if fields.has("type"):
        event = fields.word("type", _TYPE_CHARS)
        if event != TYPE:
            return m.Ignored(f"events of type {shown(event)} are not for this service; {TYPE} is")
        if not fields.has("data"):
            raise Unreadable(f"data is missing; send {OWN_FORM}")
        if fields.has("conversation_id") or fields.has("action"):
            # a system that puts texts into a body unescaped lets their author write the other form beside its own
            raise Unreadable(f"this is both forms in one body; send {OWN_FORM} or {FLAT_FORM}")
        return Asked(fields.inside("data"), fields)
    if not (fields.has("conversation_id") or fields.has("action")):
        raise Unreadable(f"this asks nothing that is known here; send {OWN_FORM} or {FLAT_FORM}")
    return Asked(fields, fields)


def removal_in(asked: Asked, ticket: m.Ticket | None, event_at: int | None) -> m.Removal:
    """Return the removal that is asked for.

    Raises:
        Unreadable: it does not say who is to leave which conversation, or says it in a way that could mean two people.
    """
    fields = asked.fields
    action = fields.word("action", _TYPE_CHARS)
    is_flat = asked.head is fields  # there it is what tells the form; in the own form the type does
    if action != ACTION and (action or is_flat):
        raise Unreadable(f'this service does one thing: action "{ACTION}"')
    conversation_id = fields.uuid("conversation_id", "conversation")
    if not conversation_id:
        raise Unreadable(
            f"conversation_id is missing; send the id of the Genesys conversation, like {EXAMPLE_ID} "
            "(in ServiceNow it is OpenFrame's clientSessionId)"
        )
    selector, identity = _person(fields)
    return m.Removal(
        conversation_id=conversation_id,
        selector=selector,
        identity=identity,
        medium=_medium(fields),
        # beside the data as well as in it: who wrote it at the wrong place meant that nobody is to go
        preview=any([fields.flag("preview"), asked.head.flag("preview")]),
        ticket=ticket,
        requester=asked.requester,
        reason=fields.prose("reason", _REASON_CHARS),
        event_at=event_at,
    )


def clicked_at(asked: Asked, stamped_at: int | None, zone: tzinfo | None, *, may_be_untimed: bool) -> int | None:
    """Return when it was clicked: the body's own time, else `stamped_at`, else None where that is allowed.

    Raises:
        Unreadable: the time cannot be read, or there is none and the source does not say `untimed = "accept"`.
    """
    moment = asked.head.moment("timestamp", zone)
    event_at = stamped_at if moment is None else moment
    if event_at is None and not may_be_untimed:
        raise Unreadable(
            "timestamp is missing: without the time of the click nobody can tell when it is too late. Send it, or set "
            'untimed = "accept" for this source'
        )
    return event_at


def _person(fields: Fields) -> tuple[m.Selector, m.Selector | None]:
    """Return how the person is named, and a second way if one is given.

    In this order, whatever the body's: communication_id (that leg alone), participant_id, external_contact_id,
    user_id, caller_phone (or phone), attribute, purpose. The first given is the selector, the next the identity; a
    look refuses them when they are two people. A third could not be held against the other two, so it is refused:
    nobody leaves while the ticket names somebody else as well.
    """
    phones = {name: fields.phone(name) for name in ("caller_phone", "phone")}
    if all(phones.values()) and len(set(phones.values())) > 1:
        raise Unreadable("caller_phone and phone differ; send one of them")
    instead = "; name the person by caller_phone, user_id or external_contact_id"
    named = {
        m.SelectorKind.COMMUNICATION_ID: fields.uuid("communication_id", "communication", instead),
        m.SelectorKind.PARTICIPANT_ID: fields.uuid("participant_id", "participant", instead),
        m.SelectorKind.EXTERNAL_CONTACT_ID: fields.uuid("external_contact_id", "external contact"),
        m.SelectorKind.USER_ID: fields.uuid("user_id", "user"),
        m.SelectorKind.PHONE: phones["caller_phone"] or phones["phone"],
        m.SelectorKind.ATTRIBUTE: fields.attribute("attribute"),
        m.SelectorKind.PURPOSE: fields.purpose("purpose"),
    }
    given = [m.Selector(kind, value) for kind, value in named.items() if value]
    if not given:
        raise Unreadable(
            "nobody is named; send participant_id, caller_phone, user_id or external_contact_id "
            "(or communication_id for one leg, an attribute as key=value, or a purpose like customer)"
        )
    if len(given) > 2:  # noqa: PLR2004 - one to find the person, one to check
        raise Unreadable(
            f"the person is named in {len(given)} ways ({', '.join(it.kind for it in given)}); send at most two, "
            "so that a look can tell whether they are the same person"
        )
    return given[0], given[1] if given[1:] else None


def _medium(fields: Fields) -> m.Medium | None:
    word = fields.word("medium", _NAME_CHARS)
    if not word:
        return None
    medium = MEDIA.get(word.lower().replace("_", "").replace(" ", ""))
    if medium is None:
        raise Unreadable(
            f"medium {shown(word)} is unknown; send voice, message, email, chat, callback, cobrowse or video"
        )
    return medium
