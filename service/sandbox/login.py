"""Who may talk to the play API: its credentials, its tokens, and what each token may spend in a minute."""

import base64
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from urllib.parse import parse_qs

from service.sandbox.errors import login_error
from service.sandbox.exchange import Answer, Asked, Route, json_answer
from service.sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything a client of this sandbox needs to log in; made anew for each app."""

    client_id: str
    client_secret: str
    desk_user: str
    desk_password: str
    desk_client_id: str
    desk_client_secret: str
    desk_api_key: str

    @classmethod
    def made_by(cls, dice: Random, client_id: str) -> "Credentials":
        """Return fresh credentials; the desk's further ones cost no chance, so that a seed plays what it played."""
        secret, password = f"{dice.getrandbits(128):032x}", f"{dice.getrandbits(96):024x}"
        more = [hashlib.sha256(f"{what} {password}".encode()).hexdigest()[:32] for what in ("client", "secret", "key")]
        return cls(client_id, secret, "onhook.integration", password, *more)


@dataclass(slots=True)
class Token:
    """One token: until when it is good, and what it spent in the running window, a minute with the vendor."""

    expires_at: float
    window_at: float = -math.inf
    spent: int = 0

    def spend(self, at: float, window_seconds: float) -> float:
        """Count one request and return how many seconds are left of its window."""
        if at >= self.window_at + window_seconds:
            self.window_at, self.spent = at, 0
        self.spent += 1
        return self.window_at + window_seconds - at


def basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return user and password of HTTP Basic, None when there are none to read."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if scheme.lower() == "basic" and colon else None


class Login:
    """The token endpoint, and the judge of every token it gave out."""

    def __init__(self, credentials: Credentials, switches: Switches, dice: Random) -> None:
        self.credentials = credentials
        self._switches = switches
        self._dice = dice
        self._tokens: dict[str, Token] = {}

    def judge(self, headers: Mapping[str, str], at: float) -> Token | str:
        """Return the token a request carries, or the code of why it carries none that is good."""
        scheme, _, name = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not name:
            return "authentication.required"
        token = self._tokens.get(name.strip())
        if token is None:
            return "bad.credentials"
        return token if at < token.expires_at else "credentials.expired"

    def shorten(self, at: float, seconds: int) -> None:
        """Let no token given out so far live longer than this from now."""
        for token in self._tokens.values():
            token.expires_at = min(token.expires_at, at + seconds)

    def refresh_budgets(self) -> None:
        """Let every token begin a new window."""
        for token in self._tokens.values():
            token.window_at = -math.inf

    def route(self, asked: Asked) -> Route:
        """Return what the token endpoint does about a request."""
        given = basic(asked.headers)
        known = given is not None and given[0] == self.credentials.client_id
        is_good = known and given == (self.credentials.client_id, self.credentials.client_secret)

        def act() -> Answer:
            if asked.method != "POST":
                return login_error(405, "invalid_request", "only POST gives a token")
            if not is_good:
                return login_error(401, None, None) if known else login_error(400, None, "client not found")
            if parse_qs(asked.body.decode("utf-8", "replace")).get("grant_type") != ["client_credentials"]:
                return login_error(400, "unsupported_grant_type", "grant_type must be client_credentials")
            return self._give(asked.at)

        return Route(
            "token", act, login_error, is_good, None, {self._switches.correlation_header: asked.correlation_id}
        )

    def _give(self, at: float) -> Answer:
        name, seconds = f"{self._dice.getrandbits(256):064x}", self._switches.token_seconds
        self._tokens[name] = Token(at + seconds)
        return json_answer(200, {"access_token": name, "token_type": "bearer", "expires_in": seconds})
