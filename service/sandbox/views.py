"""A conversation as JSON: as the API's two views show it, late, and as it really is."""

from datetime import UTC, datetime
from typing import Final

from service.sandbox.conversations import MEDIA, Conversation, Leg, Participant

Json = dict[str, object]

_TYPES: Final = {
    "customer": "External", "external": "External", "agent": "Internal", "user": "Internal", "acd": "ACD", "ivr": "IVR",
}  # fmt: skip
_VOICE_ONLY: Final = ("muted", "confined", "recording", "recordingState", "self")
_WORK: Final = ("afterCallWork", "afterCallWorkRequired")
# what the vendor's model of that medium does not have
_LACKS: Final = {
    "callback": ("errorInfo",),
    "chat": ("errorInfo",),
    "cobrowsesession": ("held", "direction", "self", "errorInfo"),
    "video": ("held", "direction", "segments", "self", "errorInfo"),
    "screenshare": ("held", "direction", "errorInfo"),
    "socialExpression": ("direction", "initialState", "errorInfo"),
    "internalMessage": ("held", "direction", *_WORK, "errorInfo"),
    "screenMonitoring": ("held", "direction", "peerId", "startAlertingTime", *_WORK, "errorInfo"),
}


def to_iso(at: float | None) -> str | None:
    """Return a moment the way the vendor writes it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def generic(conversation: Conversation, at: float) -> Json:
    """Return the generic view: media arrays with communication ids, and no participant state."""
    people = conversation.listed(at)
    return _filled(
        id=conversation.id,
        startTime=to_iso(conversation.started_at),
        endTime=to_iso(_end(conversation.legs(), at)) if people == conversation.participants else None,
        address=next((person.address for person in people if person.purpose == "customer"), None),
        participants=[_participant(conversation, person, at) for person in people],
        conversationIds=[],
        recordingState="NONE",
        divisions=_divisions(conversation),
        recentTransfers=[],
        securePause=False,
        selfUri=f"/api/v2/conversations/{conversation.id}",
    )


def flat(conversation: Conversation, medium: str, at: float) -> Json:
    """Return the view of one medium: participants with a state, and no communication ids."""
    return {
        "id": conversation.id,
        "participants": [
            _media_participant(person, legs[-1], at)
            for person in conversation.listed(at)
            if (legs := person.legs_of(medium, at))
        ],
        "otherMediaUris": [],
        "recentTransfers": [],
        "divisions": _divisions(conversation),
        "recordingState": "none",
        "securePause": False,
        "selfUri": f"/api/v2/conversations/{MEDIA[medium]}/{conversation.id}",
    }


def truth(conversation: Conversation, at: float) -> Json:
    """Return who is really there, without lag."""
    return {
        "conversation_id": conversation.id,
        "scenario": conversation.scenario,
        "participants": [
            {
                **introduction(person),
                "present": person.is_present(at),
                "disconnect_type": None if person.is_present(at) else _how(person),
                "ended_at": None
                if person.is_present(at)
                else max((leg.ended_at for leg in person.legs if leg.ended_at is not None), default=None),
                "seen_states": [leg.state(at) for leg in person.legs],
                "media": [leg.medium for leg in person.legs],
                "flags": [leg.flags for leg in person.legs],
            }
            for person in conversation.listed(at)
        ],
    }


def introduction(person: Participant) -> Json:
    """Return who a participant is and by which ids it is reached."""
    return {
        "id": person.id,
        "purpose": person.purpose,
        "name": person.name,
        "address": person.address,
        "user_id": person.user_id,
        "external_contact_id": person.external_contact_id,
        "communication_ids": [leg.id for leg in person.legs],
    }


def _filled(**fields: object) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _how(person: Participant) -> str | None:
    return person.legs[-1].disconnect_type if person.legs else None


def _divisions(conversation: Conversation) -> list[Json]:
    return [{"division": {"id": one.id, "name": one.name}, "entities": []} for one in conversation.divisions]


def _end(legs: list[Leg], at: float) -> float | None:
    ends = [leg.ended_at for leg in legs if leg.ended_at is not None and leg.seems_ended(at)]
    return max(ends) if ends and len(ends) == len(legs) else None


def _wrap_up_began(person: Participant, at: float) -> float | None:
    wraps_up = person.purpose == "agent" and any(leg.wraps_up and leg.was_answered(at) for leg in person.legs)
    return _end(person.legs, at) if wraps_up else None


def _who(person: Participant, at: float) -> Json:
    """Return what both views say about a person."""
    began = _wrap_up_began(person, at)
    return _filled(
        id=person.id,
        name=person.name,
        address=person.address,
        ani=person.ani,
        dnis=person.dnis,
        purpose=person.purpose,
        startTime=to_iso(person.started_at),
        connectedTime=to_iso(next((leg.connected_at for leg in person.legs if leg.was_answered(at)), None)),
        endTime=to_iso(_end(person.legs, at)),
        startAcwTime=to_iso(began),
        endAcwTime=to_iso(began) if person.is_wrapped_up else None,
        wrapupRequired=began is not None and not person.is_wrapped_up,
        mediaRoles=person.media_roles,
        attributes=person.attributes,
        **person.relations,
    )


def _participant(conversation: Conversation, person: Participant, at: float) -> Json:
    arrays: Json = {
        array: [_leg(conversation, person, leg, at) for leg in person.legs_of(medium, at)]
        for medium, array in MEDIA.items()
    }
    ids = _filled(
        userId=person.user_id,
        userUri=person.user_id and f"/api/v2/users/{person.user_id}",
        externalContactId=person.external_contact_id,
        queueId=person.queue_id,
        participantType=_TYPES.get(person.purpose),
    )
    return _who(person, at) | ids | arrays | {"evaluations": []}


def _media_participant(person: Participant, leg: Leg, at: float) -> Json:
    return _who(person, at) | _filled(
        state=leg.state(at),
        direction=_direction(person),
        disconnectType=leg.disconnect_type if leg.seems_ended(at) else None,
        held=leg.flags.get("held", False),
        muted=leg.flags.get("muted", False) if leg.medium == "call" else None,
        errorInfo=_error(leg),
        provider=_provider(leg),
        user=person.user_id and {"id": person.user_id, "selfUri": f"/api/v2/users/{person.user_id}"},
        queue=person.queue_id and {"id": person.queue_id},
        externalContact=person.external_contact_id and {"id": person.external_contact_id},
    )


def _leg(conversation: Conversation, person: Participant, leg: Leg, at: float) -> Json:
    is_over = leg.seems_ended(at)
    view = _filled(
        id=leg.id,
        state=leg.state(at),
        initialState=leg.opening,
        direction=_direction(person),
        recording=leg.flags.get("recording", False),
        recordingState="none",
        muted=leg.flags.get("muted", False),
        confined=leg.flags.get("confined", False),
        held=leg.flags.get("held", False),
        segments=_segments(leg, at),
        startAlertingTime=to_iso(leg.started_at),
        connectedTime=to_iso(leg.connected_at) if leg.was_answered(at) else None,
        disconnectedTime=to_iso(leg.ended_at) if is_over else None,
        disconnectType=leg.disconnect_type if is_over else None,
        errorInfo=_error(leg),
        afterCallWork=_work(person, leg, at),
        afterCallWorkRequired=_owes_work(person, leg, at),
        provider=_provider(leg),
        peerId=_peer(conversation, person, leg),
        self=_filled(name=person.name, addressNormalized=person.address, addressRaw=person.address),
    )
    lacks = _LACKS.get(leg.medium, ()) + (() if leg.medium == "call" else _VOICE_ONLY)
    return {name: value for name, value in view.items() if name not in lacks}


def _error(leg: Leg) -> Json | None:
    return None if leg.error_code is None else {"code": leg.error_code, "message": "The session is not active."}


def _owes_work(person: Participant, leg: Leg, at: float) -> bool:
    return person.purpose == "agent" and leg.wraps_up and leg.was_answered(at)


def _work(person: Participant, leg: Leg, at: float) -> Json | None:
    """Return an agent's work after this leg, once it is over."""
    if not leg.seems_ended(at):
        return None
    if not _owes_work(person, leg, at):
        return {"state": "notApplicable"}
    is_done = person.is_wrapped_up
    return _filled(
        state="complete" if is_done else "pending",
        startTime=to_iso(leg.ended_at),
        endTime=to_iso(leg.ended_at) if is_done else None,
    )


def _segments(leg: Leg, at: float) -> list[Json]:
    """Return the ringing, if there was any, and the talking."""
    ended = leg.ended_at if leg.seems_ended(at) else None
    spans = [("Alert", leg.started_at, leg.connected_at if leg.was_answered(at) else ended)]
    if leg.was_answered(at) and leg.connected_at is not None:
        spans = [*(spans if leg.connected_at > leg.started_at else []), ("Interact", leg.connected_at, ended)]
    return [
        _filled(
            type=kind,
            startTime=to_iso(start),
            endTime=to_iso(end),
            howEnded=None if end is None else "Interact" if end != ended else "Disconnect",
            disconnectType=leg.disconnect_type if end is not None and end == ended else None,
        )
        for kind, start, end in spans
    ]


def _peer(conversation: Conversation, person: Participant, leg: Leg) -> str | None:
    others = (other for other in conversation.participants if other is not person and not other.is_system)
    return next((theirs.id for other in others for theirs in other.legs_of(leg.medium)), None)


def _direction(person: Participant) -> str:
    return "inbound" if person.purpose == "customer" else "outbound"


def _provider(leg: Leg) -> str:
    return "Edge" if leg.medium == "call" else "PureCloud Messaging"
