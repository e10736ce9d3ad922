"""Their JSON into our nouns, pure. Nothing that Genesys could write raises.

What may differ is taken as it comes: unknown fields, unknown words, missing arrays, nulls. What cannot be understood
(an array that is none, a leg that is no object, another conversation's id, one participant id twice) makes the whole
document unreadable, and that means "cannot see": of half a document one might say that somebody is gone who is not.
What says nothing of who is there (attributes, media roles, divisions) is left out where it cannot be understood: it
then fits no selector and no rule of a policy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from service.core import model as m
from service.outbound import printable

_ENDED = frozenset({"disconnected", "terminated"})  # voice ends in both, one after the other; other media in the first
_LONGEST_WORD = 64  # of an id, a purpose or a state: theirs have at most 36, and nobody is made to read more
# An attribute that is longer than a source may name is left out whole: cut, it would read as another one.
_MOST_ATTRIBUTES, _LONGEST_KEY, _LONGEST_VALUE = 500, 256, 1024
_MOST_ROLES = 8  # theirs are four
# a participant who watches over another one names that one here, also where the role is not listed
_WATCHING = {"monitoredParticipantId": "monitor", "coachedParticipantId": "coach", "bargedParticipantId": "barge"}
_MOST_DIVISIONS, _LONGEST_NAME = 100, 256
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class _Unreadable(Exception):
    """The document has another shape than a conversation."""


def json_in(body: bytes) -> object:
    """Return what `body` says as UTF-8 JSON, or None for everything else (and for `null`)."""
    try:
        content: object = json.loads(body.decode())
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number of 5,000 digits; nested too deep to read
        return None
    return content


def conversation_in(content: object, conversation_id: str, reply: m.Reply) -> m.Conversation | None:
    """Return the conversation that a generic GET answered, or None when it is not readably that one.

    Args:
        content: the parsed JSON.
        conversation_id: the one that was asked for, lower-case.
        reply: what is kept of the answer.
    """
    try:
        document = _object(content)
        if m.uuid_in(_text(document, "id")) != conversation_id:
            return None
        people = tuple(_participant(_object(one)) for one in _items(document, "participants"))
    except _Unreadable:
        return None
    named = [one.id for one in people if m.UUID.fullmatch(one.id)]
    if len(set(named)) < len(named):
        return None  # one id twice: which of the two is meant, and is he there or gone?
    return m.Conversation(conversation_id, people, reply, _divisions(document))


def _participant(given: Mapping[str, object]) -> m.Participant:
    """Read one participant.

    Someone whose id is no UUID stays in the list under that id: he is somebody present, whom the last-pair rule and
    the bystanders count. Nobody can remove him: ids are held against the UUID form again at the call and by the guard.
    """
    raw_id = _text(given, "id")
    return m.Participant(
        id=m.uuid_in(raw_id) or _word(raw_id),
        purpose=_word(_text(given, "purpose")),
        legs=tuple(_leg(medium, _object(leg)) for medium in m.Medium for leg in _items(given, medium.value)),
        user_id=m.uuid_in(_text(given, "userId")) or "",
        external_contact_id=m.uuid_in(_text(given, "externalContactId")) or "",
        phone=m.phone_in(_text(given, "address")) or m.phone_in(_text(given, "ani")),
        has_ended=bool(_text(given, "endTime")),
        joined_at=max(_moment(_text(given, "connectedTime")), _moment(_text(given, "startTime"))),
        queue_id=m.uuid_in(_text(given, "queueId")) or "",
        attributes=_attributes(given.get("attributes")),
        media_roles=_roles(given),
        left_at=_moment(_text(given, "endTime")),
    )


def _leg(medium: m.Medium, given: Mapping[str, object]) -> m.Leg:
    """Read one communication; a state that is unknown or missing has not ended."""
    state = _word(_text(given, "state"))
    began = [at for name in ("startAlertingTime", "connectedTime") if (at := _moment(_text(given, name)))]
    return m.Leg(_word(_text(given, "id")), medium, state, state in _ENDED, min(began, default=0))


def _attributes(given: object) -> tuple[tuple[str, str], ...]:
    """Read attributes: texts under texts, the same ones in whatever order they came."""
    pairs = given.items() if isinstance(given, dict) else ()
    fit = [(k, v) for k, v in pairs if isinstance(v, str) and len(k) <= _LONGEST_KEY and len(v) <= _LONGEST_VALUE]
    return tuple(sorted(fit)[:_MOST_ATTRIBUTES])


def _roles(given: Mapping[str, object]) -> tuple[str, ...]:
    listed = given.get("mediaRoles")
    words = [_word(one) for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    told = [role for name, role in _WATCHING.items() if _text(given, name)]
    return tuple(dict.fromkeys([*told, *words]))[:_MOST_ROLES]


def _divisions(document: Mapping[str, object]) -> tuple[m.Division, ...]:
    """Read the divisions that the conversation belongs to; a membership without a division says nothing."""
    given = document.get("divisions")
    found = [one.get("division") for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    named = [
        m.Division(_word(_text(one, "id")), printable(_text(one, "name"), _LONGEST_NAME))
        for one in found[:_MOST_DIVISIONS]
        if isinstance(one, dict)
    ]
    return tuple(one for one in named if one.id or one.name)


def _object(given: object) -> Mapping[str, object]:
    if not isinstance(given, dict):
        raise _Unreadable
    return given


def _items(given: Mapping[str, object], name: str) -> list[object]:
    """Return the array called `name`; one that is missing or null is empty."""
    found = given.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _Unreadable
    return found


def _text(given: Mapping[str, object], name: str) -> str:
    found = given.get(name)
    return found if isinstance(found, str) else ""


def _word(text: str) -> str:
    return printable(text, _LONGEST_WORD).lower()


def _moment(text: str) -> int:
    """Return an RFC 3339 time in milliseconds, or 0 when it is none or lies before 1970."""
    if not _MOMENT.fullmatch(text):
        return 0
    try:
        return max(int(datetime.fromisoformat(text).timestamp() * 1000), 0)
    except (ValueError, OverflowError):  # a 30 February; an offset that leads out of the calendar
        return 0
