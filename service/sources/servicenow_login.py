"""How we prove to a ServiceNow instance who we are: by password, OAuth token or API key. None of it is ever shown."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from pydantic import SecretStr

from service.core.ports import Clock
from service.outbound import Answered, Asked, Caller, Origin, Rule
from service.sources.oauth import TOKEN, Grant, Tokens, discreet

_PATH: Final = "/oauth_token.do"
_KEY_HEADER: Final = "x-sn-apikey"
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
        if not TOKEN.fullmatch(self._values()["api_key"] or "x"):
            return "api_key: holds a space, or a character that no header can carry"
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
        """The body by which a token is asked for, where there is a client."""
        given = self._values()
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

    def grant_of(self, instance: Origin) -> Grant | None:
        """How a token is asked for at `instance`; None where none is."""
        if not self.client_id:
            return None
        return Grant(instance, _PATH, self.form, "ServiceNow", self.advice, tuple(self.secrets()))


def login_rules(instance: Origin, credentials: Credentials) -> tuple[Rule, ...]:
    """Return the request for a token, exactly that one, where the credentials need it."""
    grant = credentials.grant_of(instance)
    return (grant.rule,) if grant else ()


class Login:
    """Sends requests as our user; what an error of theirs repeats of our secrets is not passed on."""

    def __init__(self, instance: Origin, credentials: Credentials, caller: Caller, clock: Clock) -> None:
        """Take the way out `caller`, which allows `login_rules`."""
        self._credentials, self._caller = credentials, caller
        grant = credentials.grant_of(instance)
        self._tokens = Tokens(grant, caller, clock) if grant else None

    async def send(self, asked: Asked) -> Answered:
        """Return the answer to a request; raises as `Tokens.send` where a token is needed, else as `Caller.send`."""
        if self._tokens is not None:
            return await self._tokens.send(asked)
        answered = await self._caller.send(replace(asked, headers={**asked.headers, **self._credentials.header}))
        return discreet(answered, self._credentials.secrets())
