"""The token that opens an org: fetched once for all who wait for it, renewed before it ends, shown to nobody."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field, replace

from service.core.errors import Rejected, Throttled, Unclear, Unreachable
from service.core.ports import Clock, Token
from service.genesys.answers import reply_in, throttled_in
from service.genesys.options import GenesysOptions
from service.genesys.wire import json_in
from service.outbound import Answered, Asked, Caller, Origin, Rule

_PATH = "/oauth/token"
_FORM = b"grant_type=client_credentials"
_SHORTEST_SECONDS = 300  # the shortest life the vendor offers; taken where the answer does not say one
_LONGEST_SECONDS = 172_800  # 48 h, the longest the vendor offers; nothing is believed beyond
_EARLY = 0.1  # of its life: then it is renewed beside the calls, so that none has to wait for it
_MOST_EARLY_SECONDS = 60.0  # more than any call and its waiting take
_PAUSE_SECONDS = 5.0  # between renewals that fail while the token is good: it takes more than one to miss the end
_FIRST_ERROR = 400
_MASK = "***"
_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)  # of JSON, for what a credential is made of
_TOKEN = re.compile(r"[!-~]{1,4096}", re.ASCII)  # what a header can carry


def token_rule(login: Origin) -> Rule:
    """Return the one request that may go to `login`."""
    return Rule("POST", login, re.compile(re.escape(_PATH).encode()), _FORM)


@dataclass(frozen=True, slots=True)
class _Token:
    """A token, from when it is renewed, when it ends (`Clock.monotonic`), and how long it was good for when given."""

    value: str = field(repr=False)
    renew_at: float
    ends_at: float
    life_seconds: float


class Login:
    """Gives out the current token. However many ask at once, one request is in flight for them all.

    That request is a task of its own: who asks may be cancelled, the others still get the token. Nobody waits for it
    while the token that there is is still good: so a login that is down for a minute holds up nobody.
    """

    def __init__(self, options: GenesysOptions, caller: Caller, clock: Clock) -> None:
        self._options, self._caller, self._clock = options, caller, clock
        self._token: _Token | None = None
        self._flight: asyncio.Task[_Token] | None = None
        self._again_at = 0.0  # no renewal before, after one that failed
        self._fault = ""  # why the last one failed

    async def token(self, stale: str | None = None) -> str:
        """Return a token that is not `stale`, the one that Genesys has just refused.

        Raises:
            Throttled: not before its time is over.
            Rejected: the client id or secret is wrong; `reply` says which.
            Unreachable: no token for any other reason. A token changes nothing in any conversation, so a call whose end
                nobody knows is safe to repeat too.
        """
        return (await self._current(stale)).value

    async def life_seconds(self) -> float:
        """Return how long the current token was good for when it was given; errors as of `token`."""
        return (await self._current(None)).life_seconds

    def standing(self) -> Token:
        """Return how long the token is still good for, and why there is none; asks nobody."""
        left = self._token.ends_at - self._clock.monotonic() if self._token else 0.0
        return (left, "") if left > 0 else (0.0, self._fault)

    async def aclose(self) -> None:
        """End a fetch that nobody waits for any more."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])

    async def _current(self, stale: str | None) -> _Token:
        known, now = self._token, self._clock.monotonic()
        if known is not None and known.value != stale and now < known.ends_at:
            if now >= max(known.renew_at, self._again_at):
                _ = self._flown()  # nobody waits for it
            return known
        return await asyncio.shield(self._flown())

    def _flown(self) -> asyncio.Task[_Token]:
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch(), name="token")
            self._flight.add_done_callback(self._landed)
        return self._flight

    def _landed(self, flight: asyncio.Task[_Token]) -> None:
        """Keep the token; look at the error even if all who waited are gone, or asyncio would complain to the log."""
        self._flight = None
        if flight.cancelled():
            return
        error = flight.exception()
        self._fault = "" if error is None else str(error)
        if error is None:
            self._token = flight.result()
        else:
            pause = error.retry_after_seconds if isinstance(error, Throttled) else _PAUSE_SECONDS
            self._again_at = self._clock.monotonic() + pause

    async def _fetch(self) -> _Token:
        asked_at = self._clock.monotonic()  # its life is counted from before it began
        try:
            answered = without(await self._caller.send(self._asked()), *self._secrets())
        except Unclear as error:
            raise Unreachable("the login did not answer", error.reply) from error
        return _token_in(answered, asked_at)

    def _secrets(self) -> tuple[str, str]:
        secret = self._options.client_secret.get_secret_value()
        return base64.b64encode(f"{self._options.client_id}:{secret}".encode()).decode(), secret

    def _asked(self) -> Asked:
        """Build the request: HTTP Basic and a form (https://developer.genesys.cloud, Client Credentials Grant)."""
        basic, _ = self._secrets()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        return Asked("POST", f"{self._options.login}{_PATH}", headers, _FORM)


def without(answered: Answered, *secrets: str) -> Answered:
    """Return an answer without `secrets`: an error may repeat what was asked, and what it says is kept."""
    if answered.status < _FIRST_ERROR:
        return answered
    body, headers = _plain(answered.body), answered.headers
    for secret in secrets:
        for spelled in (_spelled(secret), secret):
            body = body.replace(spelled.encode(), _MASK.encode())
        headers = tuple((name, value.replace(secret, _MASK)) for name, value in headers)
    return replace(answered, body=body, headers=headers)


def _plain(body: bytes) -> bytes:
    """Return JSON without the escapes that it could do without: to whoever reads it, an escaped slash is a slash."""
    return _ESCAPE.sub(_unescaped, body)


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return _spelled(chr(int(found[1], 16))).encode()  # a quote and a backslash need theirs
    return b"/" if found[0] == rb"\/" else found[0]


def _spelled(secret: str) -> str:
    return json.dumps(secret, ensure_ascii=False)[1:-1]


def _token_in(answered: Answered, asked_at: float) -> _Token:
    """Read the token endpoint's answer, whose errors have a shape of their own: {"error", "description"}."""
    match answered.status:
        case 200:
            return _granted(answered, asked_at)
        case 429:
            raise throttled_in(answered)
        # 400 and 401: published clients disagree on which of them a wrong secret gets
        case 400 | 401 | 403:
            raise Rejected("the login refused the client id or secret", reply_in(answered))
        case _:
            raise Unreachable("the login did not answer as a login", reply_in(answered))


def _granted(answered: Answered, asked_at: float) -> _Token:
    content = json_in(answered.body) if answered.is_complete else None
    given = content if isinstance(content, dict) else {}
    value, life = given.get("access_token"), given.get("expires_in")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise Unreachable("the login gave no token", reply_in(answered))
    if isinstance(life, bool) or not isinstance(life, int) or life < 0:
        life = _SHORTEST_SECONDS
    life = min(life, _LONGEST_SECONDS)
    ends_at = asked_at + life
    return _Token(value, ends_at - min(life * _EARLY, _MOST_EARLY_SECONDS), ends_at, life)
