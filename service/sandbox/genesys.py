"""The play Genesys Cloud: the conversation calls the vendor has, and a 404 for everything people believe it has."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from service.sandbox import views
from service.sandbox.conversations import MEDIA, Conversation, Leg, Participant, World
from service.sandbox.errors import api_error
from service.sandbox.exchange import JSON, UUID, Answer, Asked, Route, json_answer, read_json
from service.sandbox.login import Login

_PREFIX: Final = "/api/v2/conversations"
_BODY_LIMIT: Final = 512_000  # the vendor's request.bytes.max
_MEDIUM_OF: Final = {array: medium for medium, array in MEDIA.items()}
# the vendor's list; `terminated` and the like are legal to send and do nothing
_STATES: Final = (
    "alerting", "dialing", "contacting", "offering", "connected", "disconnected", "terminated", "converting",
    "uploading", "transmitting", "parked", "none",
)  # fmt: skip
_COMMANDS: Final = ("muted", "held", "confined", "recording", "wrapupSkipped")
# the media whose own view says more than `not.found` about an unknown conversation
_SAYS_MORE: Final = ("calls", "emails", "messages")

Ids = Mapping[str, str]


class _Refused(Exception):
    """The request is answered with this error."""

    def __init__(self, status: int, code: str | None = None, **params: str) -> None:
        super().__init__(code)
        self.status, self.code, self.params = status, code, params


class Genesys:
    """The API behind one prefix; every answer carries a correlation id and, with a good token, its budget."""

    def __init__(self, world: World, login: Login) -> None:
        self._world = world
        self._login = login

    def route(self, asked: Asked) -> Route:
        """Return what the API does about a request: who it is and what it may spend come before everything else."""
        headers = {"ININ-Correlation-Id": asked.correlation_id}
        token = self._login.judge(asked.headers, asked.at)
        if isinstance(token, str):
            return self._refusing(asked, headers, _Refused(401, token), authorized=False)
        seconds = str(math.ceil(token.spend(asked.at)))
        limit = self._world.switches.rate_limit
        headers |= {"inin-ratelimit-count": str(token.spent), "inin-ratelimit-allowed": str(limit)}
        headers |= {"inin-ratelimit-reset": seconds}
        if token.spent > limit:
            return self._refusing(asked, headers, _Refused(429, seconds=seconds))
        if len(asked.body) > _BODY_LIMIT:
            return self._refusing(asked, headers, _Refused(413))
        for method, path, kind, act in _ROUTES:
            if asked.method == method and (match := path.fullmatch(asked.path)):
                return self._leading(asked, headers, kind, act, match.groupdict())
        return self._refusing(asked, headers, _Refused(404))

    def _refusing(self, asked: Asked, headers: Ids, refused: _Refused, *, authorized: bool = True) -> Route:
        def fail(status: int, code: str | None, message: str | None) -> Answer:
            return api_error(status, code, message, asked.correlation_id, **refused.params)

        return Route(None, lambda: fail(refused.status, refused.code, None), fail, authorized, None, headers)

    def _leading(self, asked: Asked, headers: Ids, kind: str | None, act: "_Act", ids: Ids) -> Route:
        need = "view" if kind == "look" else "disconnect"
        params = {"conversation": ids["cid"], "permission": f"conversation:communication:{need}"}

        def fail(status: int, code: str | None, message: str | None) -> Answer:
            return api_error(status, code, message, asked.correlation_id, **params)

        def obey() -> Answer:
            try:
                return act(self, asked, ids)
            except _Refused as refused:
                return api_error(refused.status, refused.code, None, asked.correlation_id, **refused.params)

        return Route(kind, obey, fail, authorized=True, conversation_id=ids["cid"], headers=headers)

    def look(self, asked: Asked, ids: Ids) -> Answer:
        """Answer the generic view."""
        return json_answer(200, views.generic(self._conversation(ids), asked.at))

    def look_flat(self, asked: Asked, ids: Ids) -> Answer:
        """Answer the view of one medium; a conversation without any such leg has none."""
        conversation, medium = self._conversation(ids, is_view=True), _MEDIUM_OF[ids["medium"]]
        if conversation.listed(asked.at) and not conversation.legs(medium):
            raise _unknown_conversation(ids, is_view=True)
        return json_answer(200, views.flat(conversation, medium, asked.at))

    def change_participant(self, asked: Asked, ids: Ids) -> Answer:
        """Obey a command on one participant: 202 whether or not it changes anything."""
        command = _read_command(asked)
        conversation = self._conversation(ids)
        person = self._participant(conversation, ids, asked.at)
        if "uid" in ids and all(one.user_id != ids["uid"].lower() for one in conversation.listed(asked.at)):
            raise _Refused(404, "conversation.error.not.conversation.participant")
        medium = _MEDIUM_OF.get(ids.get("medium", ""))
        legs = person.legs_of(medium)
        if medium and not legs:
            raise _Refused(404)
        return Answer(202, effect=self._obey(conversation, legs, command, asked.at))

    def change_leg(self, asked: Asked, ids: Ids) -> Answer:
        """Obey a command on one communication: it can only be disconnected, and nobody wraps up because of it."""
        command = _read_command(asked)
        if command.get("state") != "disconnected":
            raise _Refused(400, "communication.state.required")
        conversation = self._conversation(ids)
        person = self._participant(conversation, ids, asked.at)
        legs = [leg for leg in person.legs_of(_MEDIUM_OF[ids["medium"]]) if leg.id == ids["leg"].lower()]
        if not legs:
            raise _Refused(404)
        return json_answer(200, {}, effect=self._obey(conversation, legs, command, asked.at, wraps_up=False))

    def drop_medium(self, asked: Asked, ids: Ids) -> Answer:
        """Drop everyone from one medium."""
        command, medium = _read_command(asked), _MEDIUM_OF[ids["medium"]]
        conversation = self._conversation(ids, is_view=ids["medium"] == "calls")
        effect = False
        if command.get("state") == "disconnected":
            effect = self._obey(conversation, conversation.legs(medium), command, asked.at)
        return json_answer(200, views.generic(conversation, asked.at), effect=effect)

    def drop_everyone(self, asked: Asked, ids: Ids) -> Answer:
        """Drop everyone from everything; the POST wraps the agents up as well."""
        conversation = self._conversation(ids)
        effect = self._obey(conversation, conversation.legs(), {"state": "disconnected"}, asked.at)
        if asked.method == "DELETE":
            return Answer(200, effect=effect)
        for person in conversation.participants:
            person.is_wrapped_up = person.is_wrapped_up or effect
        return json_answer(202, "", effect=effect)

    def _obey(
        self,
        conversation: Conversation,
        legs: list[Leg],
        command: Mapping[str, object],
        at: float,
        *,
        wraps_up: bool = True,
    ) -> bool:
        """Do to these legs what the command says, and say whether that changed anything."""
        present = [leg for leg in legs if leg.is_present(at)]
        if self._world.loses(conversation) or not present:
            return False
        flags = {name: bool(command[name]) for name in _COMMANDS if command.get(name) is not None}
        ringing = [leg for leg in present if command.get("state") == "connected" and not leg.was_answered(at)]
        for leg in present:
            leg.flags |= flags
        for leg in ringing:
            leg.connected_at = at
        ends = command.get("state") == "disconnected" and conversation.end(
            present, at, self._world.lag(conversation), "client", wraps_up=wraps_up
        )
        return ends or bool(flags or ringing)

    def _conversation(self, ids: Ids, *, is_view: bool = False) -> Conversation:
        conversation = self._world.find(ids["cid"])
        if conversation is None:
            raise _unknown_conversation(ids, is_view=is_view)
        return conversation

    def _participant(self, conversation: Conversation, ids: Ids, at: float) -> Participant:
        person = conversation.find(ids["pid"], at)
        if person is None:
            raise _Refused(404)
        return person


_Act = Callable[[Genesys, Asked, Ids], Answer]


def _unknown_conversation(ids: Ids, *, is_view: bool) -> _Refused:
    says_more = is_view and ids.get("medium") in _SAYS_MORE
    return _Refused(404, "conversation.error.conversation.not.found" if says_more else "not.found")


def _read_command(asked: Asked) -> dict[str, object]:
    """Return the body of a command, or refuse it the way the vendor does."""
    if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise _Refused(415)
    try:
        command = read_json(asked.body)
    except ValueError:
        raise _Refused(400) from None
    if not isinstance(command, dict):
        raise _Refused(400)
    if any(not isinstance(command.get(name), bool | None) for name in _COMMANDS):
        raise _Refused(400)
    state = command.get("state")
    if state is not None and state not in _STATES:
        raise _Refused(400, "invalid.value", value=str(state), type="State", allowed=", ".join(_STATES))
    return command


def _at(method: str, path: str, kind: str | None, act: _Act) -> tuple[str, re.Pattern[str], str | None, _Act]:
    """Return one row of the table: a path of fixed words and UUIDs, nothing encoded, nothing relative."""
    for name in ("cid", "pid", "uid", "leg"):
        path = path.replace(f"{{{name}}}", f"(?P<{name}>{UUID})")
    path = path.replace("{medium}", "(?P<medium>calls|callbacks|emails|messages|cobrowsesessions)")
    return method, re.compile(_PREFIX + path.replace("{calls}", "(?P<medium>calls)")), kind, act


_ROUTES: Final = (
    _at("GET", "/{cid}", "look", Genesys.look),
    _at("GET", "/{medium}/{cid}", "look", Genesys.look_flat),
    _at("PATCH", "/{cid}/participants/{pid}", "disconnect_generic", Genesys.change_participant),
    _at("PATCH", "/{medium}/{cid}/participants/{pid}", "disconnect_medium", Genesys.change_participant),
    _at("PATCH", "/{calls}/{cid}/participants/{pid}/user/{uid}", "disconnect_user", Genesys.change_participant),
    _at("PATCH", "/{medium}/{cid}/participants/{pid}/communications/{leg}", "disconnect_leg", Genesys.change_leg),
    _at("PATCH", "/{medium}/{cid}", None, Genesys.drop_medium),
    _at("DELETE", "/{cid}", None, Genesys.drop_everyone),
    _at("POST", "/{cid}/disconnect", None, Genesys.drop_everyone),
)
