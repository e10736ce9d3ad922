"""How a participant is described, by a scenario, by a test or by a person: in the same words."""

from collections.abc import Sequence
from typing import Final

from service.sandbox.conversations import BEGINS, ENDED, MEDIA, OPENING, Conversation, Division, Leg, NewId, Participant
from service.sandbox.fields import Fields, Unusable

_FIELDS: Final = (
    "id", "purpose", "name", "address", "ani", "dnis", "user_id", "external_contact_id", "queue_id", "attributes",
    "media", "media_roles", "state", "held", "start_offset_seconds", "end_offset_seconds", "connects_after_seconds",
    "legs_after_seconds", "answered", "disconnect_type", "error_code", "monitors", "coaches", "barges_in_on",
    "consults_about",
)  # fmt: skip
# a relation in the words of the control → the field in which the vendor has the other one's id
_RELATIONS: Final = {
    "monitors": "monitoredParticipantId",
    "coaches": "coachedParticipantId",
    "barges_in_on": "bargedParticipantId",
    "consults_about": "consultParticipantId",
}
_CROWD: Final = 100  # more than any conference takes; a limit so that a typing error cannot fill the memory
_MONTH: Final = 2_592_000


def fill(conversation: Conversation, cast: Sequence[object], at: float, new_id: NewId) -> list[Participant]:
    """Put participants into a conversation and return them; all or, when one cannot be read, none."""
    if len(conversation.participants) + len(cast) > _CROWD:
        raise Unusable(f"a conversation here has at most {_CROWD} participants.")
    people: list[Participant] = []
    for spec in cast:
        people.append(_read(spec, [*conversation.participants, *people], at, new_id))
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


def read_divisions(given: list[object] | None, new_id: NewId) -> list[Division] | None:
    """Return the divisions described, None when none are."""
    if given is None:
        return None
    described = [Fields(one, "a division", ("id", "name")) for one in given]
    return [Division(one.uuid("id") or new_id(), one.text("name") or "Nameless") for one in described]


def _read(given: object, others: list[Participant], at: float, new_id: NewId) -> Participant:
    """Return the participant a person described, or raise Unusable with what is wrong about it."""
    fields = Fields(given, "a participant", _FIELDS)
    started_at = at + (fields.number("start_offset_seconds", -_MONTH, _MONTH) or 0.0)
    roles, own_id = fields.items("media_roles"), fields.uuid("id")
    if own_id in {other.id for other in others}:
        raise Unusable("there is a participant with this id already.")
    return Participant(
        id=own_id or new_id(),
        purpose=fields.text("purpose") or "customer",
        started_at=started_at,
        name=fields.text("name"),
        address=fields.text("address"),
        ani=fields.text("ani"),
        dnis=fields.text("dnis"),
        user_id=fields.uuid("user_id"),
        external_contact_id=fields.uuid("external_contact_id"),
        queue_id=fields.uuid("queue_id"),
        attributes=fields.texts("attributes") or {},
        media_roles=["full"] if roles is None else [str(role) for role in roles],
        relations=_read_relations(fields, others),
        legs=[_read_leg(fields, medium, started_at, at, new_id()) for medium in read_media(fields.items("media"))],
    )


def _read_relations(fields: Fields, others: list[Participant]) -> dict[str, str]:
    """Return whom this one listens to, coaches, interrupts or asks about; they are named, and came before."""
    relations = {}
    for word, vendors in _RELATIONS.items():
        name = fields.text(word)
        if name is None:
            continue
        known = [other.id for other in others if other.name == name]
        if not known:
            raise Unusable(f"{word} must be the name of a participant described before.")
        relations[vendors] = known[-1]
    return relations


def _read_leg(fields: Fields, medium: str, started_at: float, at: float, leg_id: str) -> Leg:
    """Return a leg that came about as the fields tell; a state nobody knows is taken as it is."""
    state = fields.matching("state", r"[A-Za-z_.]+", "a word") or "connected"
    rings = state in OPENING or fields.flag("answered") is False
    wait = fields.number("connects_after_seconds", 0, _MONTH)
    begins_at = started_at + (fields.number("legs_after_seconds", 0, _MONTH) or 0.0)
    leg = Leg(leg_id, medium, begins_at, None if rings else begins_at, BEGINS.get(medium, OPENING[0]))
    leg.error_code = fields.text("error_code")
    if fields.flag("held"):
        leg.flags["held"] = True
    if state in OPENING:
        leg.opening = state
        leg.connected_at = None if wait is None else begins_at + wait
    elif state in ENDED:
        ended_at = max(begins_at, at + (fields.number("end_offset_seconds", -_MONTH, 0) or 0.0))
        leg.end(ended_at, ended_at, fields.text("disconnect_type") or "endpoint")
    else:
        leg.steady = state
    return leg
