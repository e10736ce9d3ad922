"""How we prove to a ServiceNow instance who we are: by password, OAuth token or API key. None of it is ever shown."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlencode

from pydantic import SecretStr

from service.core.errors import Refused, Rejected, Reply, Throttled, Unclear, Unreachable, Upstream
from service.core.ports import Clock
from service.outbound import Answered, Asked, Caller, Origin, Rule
from service.sources.desk import reply_in
from service.sources.reading import json_object

_PATH: Final = "/oauth_token.do"
_FORM_TYPE: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_KEY_HEADER: Final = "x-sn-apikey"
_TOKEN: Final = re.compile(r"[!-~]{1,4096}", re.ASCII)  # what a header can carry
_ABSENT_SECONDS: Final = 300  # the life of a token that says none: far below the vendor's half an hour
_LONGEST_SECONDS: Final = 86_400
_EARLY: Final = 0.1  # of its life, so that no call has a token that ends on the way
_MOST_EARLY_SECONDS: Final = 60.0
_UNAUTHORIZED: Final = 401
_FIRST_ERROR: Final = 400
_NOT_KNOWN: Final = frozenset({400, 401, 403})  # a wrong client is answered with any of these
_NONE: Final = SecretStr("")
_WAYS: Final = "username and password; client_id and client_secret (OAuth); or api_key"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the settings say of our user.

    With `api_key` it is sent in each call. With `client_id` a token is: by the grant of client credentials, or by that
    of a password where there is one too. Else user name and password are. `username` is our user's name all the same.
    """

    username: str = ""
    password: SecretStr = _NONE
    client_id: str = ""
    client_secret: SecretStr = _NONE
    api_key: SecretStr = _NONE

    def fault(self) -> str:
        """Say in words why no call can be made with these, or nothing; what is missing altogether is no fault."""
        given = {name: bool(value) for name, value in self._values().items()}
        others = [name for name in ("password", "client_id", "client_secret") if given[name]]
        if given["api_key"] and others:
            return f"api_key: stands beside {' and '.join(others)}; name one way to log in: {_WAYS}"
        if given["client_id"] != given["client_secret"]:
            name = "client_secret" if given["client_id"] else "client_id"
            return f"{name}: is missing; OAuth takes client_id and client_secret"
        if not _TOKEN.fullmatch(self._values()["api_key"] or "x"):
            return "api_key: holds a space, or a character that no header can carry"
        if ":" in self.username and given["password"] and not given["client_id"]:
            return "username: a user name with a colon cannot be sent by HTTP Basic"
        return ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The settings without which nobody can log in and no echo of ours can be told."""
        given = self._values()
        has_other = given["client_id"] or given["api_key"]
        wanted = ("username",) if has_other else ("username", "password")
        return tuple(name for name in wanted if not given[name])

    @property
    def advice(self) -> str:
        """What a person is to check when ServiceNow does not know us."""
        if self.api_key.get_secret_value():
            return "check api_key, that its REST API access policy takes it here, and that its user is active"
        if self.client_id:
            return "check client_id and client_secret, and that the OAuth client and its user are active"
        return "check username and password, and that the user is active and not locked"

    @property
    def form(self) -> bytes:
        """The body by which a token is asked for, or nothing where there is none to ask for."""
        given = self._values()
        if not self.client_id:
            return b""
        client = {"client_id": self.client_id, "client_secret": given["client_secret"]}
        if not given["password"]:
            return urlencode({"grant_type": "client_credentials", **client}).encode()
        user = {"username": self.username, "password": given["password"]}
        return urlencode({"grant_type": "password", **client, **user}).encode()

    @property
    def header(self) -> dict[str, str]:
        """What a call without a token carries."""
        if key := self.api_key.get_secret_value():
            return {_KEY_HEADER: key}
        return {"Authorization": f"Basic {self._basic()}"}

    def secrets(self) -> Iterator[str]:
        """Yield what must never be shown, as it is sent."""
        given = self._values()
        yield from filter(None, (given["password"], given["client_secret"], given["api_key"]))
        yield self._basic()

    def _basic(self) -> str:
        return base64.b64encode(f"{self.username}:{self.password.get_secret_value()}".encode()).decode()

    def _values(self) -> dict[str, str]:
        hidden = {"password": self.password, "client_secret": self.client_secret, "api_key": self.api_key}
        shown = {"username": self.username, "client_id": self.client_id}
        return shown | {name: secret.get_secret_value() for name, secret in hidden.items()}


def login_rules(instance: Origin, credentials: Credentials) -> tuple[Rule, ...]:
    """Return the request for a token, exactly that one, where the credentials need it."""
    form = credentials.form

    def is_form(body: bytes) -> bool:  # a rule that held the bytes would show them in its repr
        return body == form

    return (Rule("POST", instance, re.compile(re.escape(_PATH).encode()), is_form),) if form else ()


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


class Login:
    """Sends requests as our user. However many wait for a token, one request for it is in flight."""

    def __init__(self, instance: Origin, credentials: Credentials, caller: Caller, clock: Clock) -> None:
        self._instance, self._credentials, self._caller, self._clock = instance, credentials, caller, clock
        self._token: _Token | None = None
        self._asking = asyncio.Lock()

    async def send(self, asked: Asked) -> Answered:
        """Return the answer to a request; a token that is not good any more is renewed once, and it is asked again.

        An answer of 401 did nothing, so asking again does nothing twice. An error that repeats a secret of ours comes
        back without its body.

        Raises:
            Rejected: ServiceNow gives no token for these credentials; a report waits then for somebody to mend it.
            Throttled: it gives none yet.
            Unreachable: no token for any other reason; nothing was asked.
            Unclear, EgressRefused: as `Caller.send`.
        """
        if not self._credentials.client_id:
            return self._discreet(await self._with(asked, self._credentials.header))
        token = await self._good("")
        answered = await self._with(asked, {"Authorization": f"Bearer {token}"})
        if answered.status == _UNAUTHORIZED:
            token = await self._good(token)
            answered = await self._with(asked, {"Authorization": f"Bearer {token}"})
        return self._discreet(answered, token)

    async def _with(self, asked: Asked, headers: dict[str, str]) -> Answered:
        return await self._caller.send(replace(asked, headers={**asked.headers, **headers}))

    async def _good(self, stale: str) -> str:
        """Return a token that is not `stale`: who waited while another asked takes what that one got."""
        async with self._asking:
            known = self._token
            if known is None or known.value == stale or self._clock.monotonic() >= known.renew_at:
                self._token = known = await self._fetch()
            return known.value

    async def _fetch(self) -> _Token:
        asked_at = self._clock.monotonic()  # its life is counted from before it began
        asked = Asked("POST", f"{self._instance}{_PATH}", _FORM_TYPE, self._credentials.form)
        try:
            answered = await self._caller.send(asked)
        except Unclear as error:  # a token changes nothing, so nobody need look what became of it
            raise Unreachable("the login did not answer", error.reply) from error
        if answered.status in _NOT_KNOWN:
            said = f"{answered.status}: ServiceNow gives no token: {self._credentials.advice}"
            raise Rejected(said, Reply(_UNAUTHORIZED, message=said))
        try:
            reply = reply_in(replace(answered, body=b""), {})  # what a login says may repeat what it was asked
        except Throttled:
            raise
        except Upstream as failure:
            raise Unreachable(f"the login answered {failure}", failure.reply) from None
        return _granted(answered, reply, asked_at)

    def _discreet(self, answered: Answered, *more: str) -> Answered:
        if answered.status < _FIRST_ERROR:
            return answered
        try:
            said = json.dumps(json_object(answered.body).values, ensure_ascii=False)
        except Refused:
            return answered  # nothing of it is ever shown
        hidden = [json.dumps(secret, ensure_ascii=False)[1:-1] for secret in (*self._credentials.secrets(), *more)]
        return replace(answered, body=b"") if any(secret in said for secret in hidden) else answered


def _granted(answered: Answered, reply: Reply, asked_at: float) -> _Token:
    try:
        given = json_object(answered.body).values
    except Refused:
        given = {}
    value, life = given.get("access_token"), given.get("expires_in")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise Unreachable(f"{reply.status}, but no token: is the instance asleep?", Reply(reply.status))
    seconds = life if isinstance(life, int) and not isinstance(life, bool) and life > 0 else _ABSENT_SECONDS
    seconds = min(seconds, _LONGEST_SECONDS)
    return _Token(value, asked_at + seconds - min(seconds * _EARLY, _MOST_EARLY_SECONDS))
