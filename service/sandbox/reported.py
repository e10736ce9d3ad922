"""The other world: what people reported of calls the vendor does not have, answered exactly as they saw it.

Nobody knows why they saw it; whoever has such a script sees here what they saw, and that it does not help.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from service.sandbox.conversations import World
from service.sandbox.errors import api_error
from service.sandbox.exchange import Answer, Asked, json_answer, read_json

_PREFIX: Final = "/api/v2/conversations"
_CONFLICT: Final = "The requested action cannot be completed because of the current state of the resource."
_Act = Callable[[], Answer]


def reported(asked: Asked, world: World) -> _Act | None:
    """Return what this request does and is answered in the world of the reports; None where nobody reported it."""
    try:
        body = read_json(asked.body)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    for method, path, answered in _REPORTS:
        if asked.method == method and (match := re.fullmatch(_PREFIX + path, asked.path)):
            return answered(asked, world, body, match["id"] if match.groups() else "")
    return None


def _participants_on_a_call(asked: Asked, _: World, body: Mapping[str, object], _id: str) -> _Act | None:
    """Report 1: a list of participants on the call."""
    if not _actions(body):
        return None
    sentence = "Participant is not in the conversation."
    return lambda: api_error(409, "general.conflict", sentence, asked.correlation_id)


def _disconnect_of_one(_asked: Asked, _: World, body: Mapping[str, object], _id: str) -> _Act | None:
    """Report 2: the call that drops everyone, with a participant named in its body."""
    ids = body.get("participantIds")
    named = ids[0] if isinstance(ids, list) and ids else body.get("participantId")
    if not isinstance(named, str):
        return None
    sentence = f"Cannot disconnect participant {named}: Participant is not in a disconnectable state"
    return lambda: json_answer(409, {"message": sentence, "errors": []})


def _participants_on_a_conversation(
    asked: Asked, world: World, body: Mapping[str, object], conversation_id: str
) -> _Act | None:
    """Report 3: one participant in a list ended the call for everyone; several were refused as conflicting."""
    actions, conversation = _actions(body), world.find(conversation_id)
    if not actions or conversation is None:
        return None
    if len(actions) > 1:
        return lambda: api_error(400, "bad.request", "Conflicting actions.", asked.correlation_id)
    lag = world.conduct(conversation).lag_seconds
    return lambda: Answer(204, effect=conversation.end(conversation.legs(), asked.at, lag, "client"))


def _participants_of_a_voice(_asked: Asked, _: World, body: Mapping[str, object], _id: str) -> _Act | None:
    """Report 5: a participant and an action sent to a path without the conversation."""
    if "action" not in body:
        return None
    return lambda: json_answer(409, {"code": "conflict", "message": _CONFLICT})


def _actions(body: Mapping[str, object]) -> list[object]:
    """Return the actions of a `participants` list, none when it is not such a list."""
    listed = body.get("participants")
    entries = listed if isinstance(listed, list) else []
    return [entry["action"] for entry in entries if isinstance(entry, dict) and "action" in entry]


_Reported = Callable[[Asked, World, Mapping[str, object], str], _Act | None]
# report 4, a path without the conversation, is a 404 in both worlds
_REPORTS: Final[tuple[tuple[str, str, _Reported], ...]] = (
    ("PATCH", "/calls/[^/]+", _participants_on_a_call),
    ("POST", "/[^/]+/disconnect", _disconnect_of_one),
    ("PATCH", "/conversations/(?P<id>[^/]+)", _participants_on_a_conversation),
    ("POST", "/voice/participants", _participants_of_a_voice),
)
