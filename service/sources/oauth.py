"""Tokens of OAuth 2.0: one for all who wait, renewed before its end, asked for anew once after a 401, never shown."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from service.core.errors import Refused, Rejected, Reply, Throttled, Unclear, Unreachable, Upstream
from service.core.ports import Clock
from service.outbound import Answered, Asked, Caller, Origin, Rule
from service.sources.desk import reply_in
from service.sources.reading import json_object

TOKEN: Final = re.compile(r"[!-~]{1,4096}", re.ASCII)  # what a header can carry
_FORM_TYPE: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_ABSENT_SECONDS: Final = 300  # the life of a token that says none: far below the half an hour that most have
_LONGEST_SECONDS: Final = 86_400
_EARLY: Final = 0.1  # of its life, so that no call has a token that ends on the way
_MOST_EARLY_SECONDS: Final = 60.0
_UNAUTHORIZED: Final = 401
_FIRST_ERROR: Final = 400
_NOT_KNOWN: Final = frozenset({400, 401, 403})  # a wrong client is answered with any of these


@dataclass(frozen=True, slots=True)
class Grant:
    """How a token is asked for.

    Attributes:
        origin: of whoever gives it.
        path: where.
        form: the body.
        giver: what it is called in a sentence.
        advice: what a person is to check when there is no token for this.
        secrets: what stands in the form and must never be shown.
    """

    origin: Origin
    path: str
    form: bytes = field(repr=False)
    giver: str
    advice: str
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def rule(self) -> Rule:
        """Exactly that request."""

        def is_form(body: bytes) -> bool:  # a rule that held the bytes would show them in its repr
            return body == self.form

        return Rule("POST", self.origin, re.compile(re.escape(self.path).encode()), is_form)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


class Tokens:
    """Sends requests under a token. However many wait for one, one request for it is in flight."""

    def __init__(self, grant: Grant, caller: Caller, clock: Clock) -> None:
        """Take the way out `caller`, which allows `grant.rule`."""
        self._grant, self._caller, self._clock = grant, caller, clock
        self._token: _Token | None = None
        self._asking = asyncio.Lock()

    async def send(self, asked: Asked) -> Answered:
        """Return the answer to a request; a token that is not good any more is renewed once, and it is asked again.

        An answer of 401 did nothing, so asking again does nothing twice. An error that repeats a secret of ours comes
        back without its body.

        Raises:
            Rejected: no token is given for these credentials; a report waits then for somebody to mend it.
            Throttled: none yet.
            Unreachable: no token for any other reason; nothing was asked.
            Unclear, EgressRefused: as `Caller.send`.
        """
        token = await self._good("")
        answered = await self._with(asked, token)
        if answered.status == _UNAUTHORIZED:
            token = await self._good(token)
            answered = await self._with(asked, token)
        return discreet(answered, (*self._grant.secrets, token))

    async def _with(self, asked: Asked, token: str) -> Answered:
        return await self._caller.send(replace(asked, headers={**asked.headers, "Authorization": f"Bearer {token}"}))

    async def _good(self, stale: str) -> str:
        """Return a token that is not `stale`: who waited while another asked takes what that one got."""
        async with self._asking:
            known = self._token
            if known is None or known.value == stale or self._clock.monotonic() >= known.renew_at:
                self._token = known = await self._fetch()
            return known.value

    async def _fetch(self) -> _Token:
        asked_at = self._clock.monotonic()  # its life is counted from before it began
        grant = self._grant
        asked = Asked("POST", f"{grant.origin}{grant.path}", _FORM_TYPE, grant.form)
        try:
            answered = await self._caller.send(asked)
        except Unclear as error:  # a token changes nothing, so nobody need look what became of it
            raise Unreachable("the login did not answer", error.reply) from error
        if answered.status in _NOT_KNOWN:
            said = f"{answered.status}: {grant.giver} gives no token: {grant.advice}"
            raise Rejected(said, Reply(_UNAUTHORIZED, message=said))
        try:
            reply = reply_in(replace(answered, body=b""), {})  # what a login says may repeat what it was asked
        except Throttled:
            raise
        except Upstream as failure:
            raise Unreachable(f"the login answered {failure}", failure.reply) from None
        return _granted(answered, reply, asked_at)


def discreet(answered: Answered, secrets: Iterable[str]) -> Answered:
    """Return an answer, without its body where it is an error that repeats one of `secrets`."""
    if answered.status < _FIRST_ERROR:
        return answered
    try:
        said = json.dumps(json_object(answered.body).values, ensure_ascii=False)
    except Refused:
        return answered  # nothing of it is ever shown
    hidden = [json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets]
    return replace(answered, body=b"") if any(secret in said for secret in hidden) else answered


def _granted(answered: Answered, reply: Reply, asked_at: float) -> _Token:
    try:
        given = json_object(answered.body).values
    except Refused:
        given = {}
    value, life = given.get("access_token"), given.get("expires_in")
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        raise Unreachable(f"{reply.status}, but no token: is it asleep?", Reply(reply.status))
    seconds = life if isinstance(life, int) and not isinstance(life, bool) and life > 0 else _ABSENT_SECONDS
    seconds = min(seconds, _LONGEST_SECONDS)
    return _Token(value, asked_at + seconds - min(seconds * _EARLY, _MOST_EARLY_SECONDS))
