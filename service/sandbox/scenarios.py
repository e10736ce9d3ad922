"""Named situations to begin with, and how a participant is described: both in the same words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.sandbox.conversations import ENDED, MEDIA, OPENING, Conversation, Leg, NewId, Participant
from service.sandbox.fields import Fields, Unusable

PHONE: Final = r"\+[1-9][0-9]{6,14}"
_FIELDS: Final = (
    "purpose", "name", "address", "ani", "user_id", "external_contact_id", "queue_id", "attributes", "media",
    "media_roles", "state", "start_offset_seconds", "end_offset_seconds", "connects_after_seconds", "answered",
    "disconnect_type",
)  # fmt: skip
_CROWD: Final = 100  # more than any conference takes; a limit so that a typing error cannot fill the memory
_MONTH: Final = 2_592_000
_CALLER: Final = "+14155550123"
_QUEUE: Final = "b4c3a1de-55a0-4c7e-9f5e-0d0a5a1c0001"

Spec = dict[str, object]

_CUSTOMER: Final[Spec] = {
    "purpose": "customer",
    "name": "Unhappy Caller",
    "address": f"tel:{_CALLER}",
    "ani": f"tel:{_CALLER}",
    "external_contact_id": "c0ffee00-1111-4222-8333-444455556666",
    "attributes": {"ticket": "INC0010112"},
    "start_offset_seconds": -120,
}
_ACD: Final[Spec] = {
    "purpose": "acd",
    "name": "Service Desk",
    "queue_id": _QUEUE,
    "ani": f"tel:{_CALLER}",
    "state": "terminated",
    "disconnect_type": "transfer",
    "start_offset_seconds": -118,
    "end_offset_seconds": -95,
}
_BETH: Final[Spec] = {
    "purpose": "agent",
    "name": "Beth Anglin",
    "address": "sip:beth.anglin@agents.example",
    "ani": f"tel:{_CALLER}",
    "user_id": "be700000-0000-4000-8000-00000000be70",
    "queue_id": _QUEUE,
    "start_offset_seconds": -95,
}
_OMAR: Final[Spec] = {
    "purpose": "agent",
    "name": "Omar Haddad",
    "address": "sip:omar.haddad@agents.example",
    "ani": f"tel:{_CALLER}",
    "user_id": "03a00000-0000-4000-8000-0000000003a0",
    "queue_id": _QUEUE,
    "start_offset_seconds": -60,
}
_EXTERNAL: Final[Spec] = {
    "purpose": "external",
    "name": "Field Engineer",
    "address": "tel:+493012345678",
    "start_offset_seconds": -30,
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cast with a name: one sentence for people, and the participants in the words of the control."""

    sentence: str
    cast: Sequence[Spec]


_GONE: Final[Spec] = {"state": "terminated", "end_offset_seconds": -20}
_ON_MESSAGE: Final[Spec] = {"media": ["message"], "address": None, "ani": None}
SCENARIOS: Final = {
    "conference": Scenario(
        "Four voices in one call: the caller, the agents Beth and Omar, an outside engineer; the queue leg is over.",
        (_CUSTOMER, _ACD, _BETH, _OMAR, _EXTERNAL),
    ),
    "pair": Scenario("The caller and one agent: when one leaves, the call is over.", (_CUSTOMER, _ACD, _BETH)),
    "starting": Scenario("Nobody is listed yet, until a join event adds somebody.", ()),
    "ringing": Scenario(
        "The caller waits while Beth's phone rings; she answers after five seconds.",
        (_CUSTOMER, _ACD, _BETH | {"state": "alerting", "connects_after_seconds": 5, "start_offset_seconds": 0}),
    ),
    "twice": Scenario(
        "Beth stands there twice: once as an alert she did not answer, once present.",
        (
            _CUSTOMER,
            _ACD,
            _BETH
            | {"answered": False, "disconnect_type": "transfer.noanswer", "state": "terminated"}
            | {"end_offset_seconds": -70},
            _BETH | {"start_offset_seconds": -50},
            _OMAR,
        ),
    ),
    "ended": Scenario(
        "Everybody has hung up; the conversation can still be read.",
        (_CUSTOMER | _GONE | {"disconnect_type": "endpoint"}, _ACD, _BETH | _GONE | {"disconnect_type": "peer"}),
    ),
    "messages": Scenario(
        "The customer writes messages to Beth; nobody speaks.",
        (_CUSTOMER | _ON_MESSAGE, _BETH | {"media": ["message"]}),
    ),
    "mixed": Scenario(
        "A conference whose caller also writes messages: one person on two media.",
        (_CUSTOMER | {"media": ["call", "message"]}, _BETH | {"media": ["call", "message"]}, _OMAR),
    ),
}


def cast_of(name: str, caller_phone: str | None) -> list[object]:
    """Return a scenario's participants in the words of the control, with another caller if one is given."""
    if caller_phone is None:
        return list(SCENARIOS[name].cast)
    ours, theirs = f"tel:{_CALLER}", f"tel:{caller_phone}"
    return [{key: theirs if value == ours else value for key, value in spec.items()} for spec in SCENARIOS[name].cast]


def fill(conversation: Conversation, cast: Sequence[object], at: float, new_id: NewId) -> list[Participant]:
    """Put participants into a conversation and return them; all or, when one cannot be read, none."""
    if len(conversation.participants) + len(cast) > _CROWD:
        raise Unusable(f"a conversation here has at most {_CROWD} participants.")
    people = [read_participant(spec, at, new_id) for spec in cast]
    conversation.participants.extend(people)
    conversation.started_at = min([conversation.started_at, *(person.started_at for person in people)])
    return people


def read_media(given: list[object] | None) -> list[str]:
    """Return the media named, a call when none are."""
    media = ["call"] if given is None else given
    for medium in media:
        if not isinstance(medium, str) or medium not in MEDIA:
            raise Unusable(f"media must be a list of {', '.join(MEDIA)}.")
    return [str(medium) for medium in media]


def read_participant(given: object, at: float, new_id: NewId) -> Participant:
    """Return the participant a person described, or raise Unusable with what is wrong about it."""
    fields = Fields(given, "a participant", _FIELDS)
    started_at = at + (fields.number("start_offset_seconds", -_MONTH, _MONTH) or 0.0)
    roles = fields.items("media_roles")
    return Participant(
        id=new_id(),
        purpose=fields.text("purpose") or "customer",
        started_at=started_at,
        name=fields.text("name"),
        address=fields.text("address"),
        ani=fields.text("ani"),
        user_id=fields.uuid("user_id"),
        external_contact_id=fields.uuid("external_contact_id"),
        queue_id=fields.uuid("queue_id"),
        attributes=fields.texts("attributes") or {},
        media_roles=["full"] if roles is None else [str(role) for role in roles],
        legs=[_read_leg(fields, medium, started_at, at, new_id()) for medium in read_media(fields.items("media"))],
    )


def _read_leg(fields: Fields, medium: str, started_at: float, at: float, leg_id: str) -> Leg:
    """Return a leg that came about as the fields tell; a state nobody knows is taken as it is."""
    state = fields.matching("state", r"[A-Za-z_.]+", "a word") or "connected"
    rings = state in OPENING or fields.flag("answered") is False
    wait = fields.number("connects_after_seconds", 0, _MONTH)
    leg = Leg(leg_id, medium, started_at, None if rings else started_at)
    if state in OPENING:
        leg.opening = state
        leg.connected_at = None if wait is None else started_at + wait
    elif state in ENDED:
        ended_at = max(started_at, at + (fields.number("end_offset_seconds", -_MONTH, 0) or 0.0))
        leg.end(ended_at, ended_at, fields.text("disconnect_type") or "endpoint")
    else:
        leg.steady = state
    return leg
