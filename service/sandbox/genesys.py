"""The play Genesys Cloud: the conversation calls the vendor has, and a 404 for everything people believe it has."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from service.sandbox import views
from service.sandbox.conversations import MEDIA, Conversation, Leg, Participant, World
from service.sandbox.errors import CODES, api_error
from service.sandbox.exchange import JSON, UUID, Answer, Asked, Route, json_answer, read_json
from service.sandbox.login import Login
from service.sandbox.reported import reported
from service.sandbox.switches import MEDIUM_PATHS, SESSION_INACTIVE

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
        headers = {self._world.switches.correlation_header: asked.correlation_id}
        token = self._login.judge(asked.headers, asked.at)
        if isinstance(token, str):
            return self._refusing(asked, headers, _Refused(401, token), authorized=False)
        limit, window = self._world.switches.rate_limit, self._world.switches.rate_window_seconds
        seconds = str(math.ceil(token.spend(asked.at, window)))
        headers |= {"inin-ratelimit-count": str(token.spent), "inin-ratelimit-allowed": str(limit)}
        headers |= {"inin-ratelimit-reset": seconds}
        if token.spent > limit:
            return self._refusing(asked, headers, _Refused(429, seconds=seconds))
        if len(asked.body) > _BODY_LIMIT:
            return self._refusing(asked, headers, _Refused(413))
        if self._world.switches.world == "reported" and (told := reported(asked, self._world)):
            return Route(
                None, told, self._refusing(asked, headers, _Refused(404)).fail, authorized=True, headers=headers
            )
        for method, path, kind, act in _ROUTES:
            if asked.method == method and (match := path.fullmatch(asked.path)):
                return self._leading(asked, headers, kind, act, match.groupdict())
        return self._refusing(asked, headers, _Refused(404))

    def _refusing(self, asked: Asked, headers: Ids, refused: _Refused, *, authorized: bool = True) -> Route:
        def fail(status: int, code: str | None, message: str | None) -> Answer:
            return api_error(status, code, message, asked.correlation_id, **refused.params)

        return Route(None, lambda: fail(refused.status, refused.code, None), fail, authorized, None, headers)

    def _leading(self, asked: Asked, headers: Ids, kind: str | None, act: "_Act", ids: Ids) -> Route:
        if kind and "medium" in ids and kind != "disconnect_user":
            kind = f"{kind}_{ids['medium']}"
        need = "view" if kind and kind.startswith("look") else "disconnect"
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
        self._refuse_the_gone(conversation, legs, command, asked.at)
        effect = self._obey(conversation, legs, command, asked.at)
        if command.get("wrapup") and not self._world.conduct(conversation).lost:
            person.is_wrapped_up = effect = True
        return Answer(202, effect=effect)

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
        self._refuse_the_gone(conversation, legs, command, asked.at)
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

    def _refuse_the_gone(
        self, conversation: Conversation, legs: list[Leg], command: Mapping[str, object], at: float
    ) -> None:
        """Answer a removal of what is gone as the switch says; usually it is accepted and does nothing."""
        code = self._world.conduct(conversation).on_gone
        if command.get("state") != "disconnected" or any(leg.is_present(at) for leg in legs):
            return
        if code in CODES:
            raise _Refused(CODES[code][0], code, conversation=conversation.id)
        for leg in legs:
            leg.error_code = SESSION_INACTIVE if code == SESSION_INACTIVE else leg.error_code

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
        conduct = self._world.conduct(conversation)
        if conduct.lost or not present:
            return False
        flags = {name: bool(command[name]) for name in _COMMANDS if command.get(name) is not None}
        ringing = [leg for leg in present if command.get("state") == "connected" and not leg.was_answered(at)]
        for leg in present:
            leg.flags |= flags
        for leg in ringing:
            leg.connected_at = at
        ends = command.get("state") == "disconnected" and conversation.end(
            present,
            at + conduct.effect_seconds,
            conduct.lag_seconds,
            "client",
            wraps_up=wraps_up,
            alone_stays=conduct.alone_stays,
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
    if not isinstance(command, dict) or not isinstance(command.get("wrapup"), dict | None):
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
    path = path.replace("{medium}", f"(?P<medium>{'|'.join(MEDIUM_PATHS)})")
    return method, re.compile(_PREFIX + path.replace("{calls}", "(?P<medium>calls)")), kind, act


_ROUTES: Final = (
    _at("GET", "/{cid}", "look_generic", Genesys.look),
    _at("GET", "/{medium}/{cid}", "look_medium", Genesys.look_flat),
    _at("PATCH", "/{cid}/participants/{pid}", "disconnect_generic", Genesys.change_participant),
    _at("PATCH", "/{medium}/{cid}/participants/{pid}", "disconnect_medium", Genesys.change_participant),
    _at("PATCH", "/{calls}/{cid}/participants/{pid}/user/{uid}", "disconnect_user", Genesys.change_participant),
    _at("PATCH", "/{medium}/{cid}/participants/{pid}/communications/{leg}", "disconnect_leg", Genesys.change_leg),
    _at("PATCH", "/{medium}/{cid}", None, Genesys.drop_medium),
    _at("DELETE", "/{cid}", None, Genesys.drop_everyone),
    _at("POST", "/{cid}/disconnect", None, Genesys.drop_everyone),
)
