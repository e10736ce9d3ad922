"""The two calls there are beside the login: look at a conversation, and take one participant out of it."""

from __future__ import annotations

from service.core import model as m
from service.core.errors import Rejected, Throttled, Unclear, Unreachable
from service.core.ports import Clock, Token, Told
from service.genesys.answers import answer_in, sight_in
from service.genesys.limits import Limits
from service.genesys.options import GenesysOptions
from service.genesys.routes import CONVERSATIONS, DISCONNECT, Routes, conversation_rules, held
from service.genesys.token import Login, token_rule, without
from service.outbound import Answered, Asked, Caller, OpenTransport, Outgoing

_UNAUTHORIZED = 401


class GenesysCloud:
    """One org's Genesys Cloud, as the port `Genesys` promises it."""

    def __init__(
        self,
        options: GenesysOptions,
        clock: Clock,
        outgoing: Outgoing,
        *,
        transport: OpenTransport | None = None,
    ) -> None:
        """Connect nothing yet; `transport` is another way out than the network, see `Caller`."""
        self._clock = clock
        self._api = options.api
        self._limits = Limits(clock)
        rules = (token_rule(options.login), *conversation_rules(options))
        self._caller = Caller(rules, clock, outgoing, transport=transport)
        self._login = Login(options, self._caller, clock)
        self._routes = Routes(options)

    async def log_in(self) -> float:
        """Return for how many seconds a token is good when it is given; fetch one where there is none.

        Raises:
            Throttled: not before its time is over.
            Rejected: the client id or secret is wrong.
            Unreachable: no token for any other reason.
        """
        return await self._login.life_seconds()

    async def look(self, conversation_id: str) -> m.Sight:
        """Read the conversation. Never raises for what Genesys answers or fails to answer.

        Raises:
            EgressRefused: `conversation_id` is no lower-case UUID; nothing was asked.
        """
        path = f"{CONVERSATIONS}/{held(conversation_id)}"
        try:
            answered = await self._ask("GET", path)
        except Rejected as error:
            return m.NoSight(error.reply)
        except Throttled as error:
            return m.CannotSee(error.reply, error.retry_after_seconds)
        except (Unreachable, Unclear) as error:
            return m.CannotSee(error.reply)
        return sight_in(answered, conversation_id)

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        """Ask for the removal of exactly `target`; `deadline` is a moment of `Clock.monotonic`.

        An answer of kind UNCLEAR may have taken effect; its reply says how far it came. After a 401, which means "not
        done", it is asked once more, under a new token and before the same deadline. After a `not.a.user`, which means
        that too, it is refused for now where another route is left: the next send takes that one. Where there is no
        call for `target` at all it is refused for good, in words of ours, and nothing leaves.

        Raises:
            Throttled: not done (429, of the login too).
            Unreachable: not done: it, or the request for a token, never arrived.
            EgressRefused: not done: past `deadline`, or an id that is no UUID.
        """
        ways = self._routes.ways(conversation_id, target)
        if not ways:
            return m.Answer(m.AnswerKind.REFUSED_FOR_GOOD, self._routes.refusal(target), self._clock.now())
        try:
            answered = await self._ask("PATCH", ways[0].path, DISCONNECT, deadline)
        except Rejected as error:
            return m.Answer(m.AnswerKind.REFUSED_FOR_GOOD, error.reply, self._clock.now())
        except Unclear as error:
            return m.Answer(m.AnswerKind.UNCLEAR, error.reply, self._clock.now(), ways[0].name)
        return self._routes.learned(ways, answer_in(answered, self._clock.now()))

    def told(self) -> Told | None:
        """Return what the answers said of the budget since this was asked last; None when that was nothing."""
        return self._limits.told()

    def token(self) -> Token:
        """Return how long the token is still good for, and why there is none, in words; nothing is asked."""
        return self._login.standing()

    async def aclose(self) -> None:
        """Close the connections; what is still in flight ends as Unclear."""
        await self._login.aclose()
        await self._caller.aclose()

    async def _ask(self, method: str, path: str, body: bytes = b"", deadline: float | None = None) -> Answered:
        """Send it under the current token; refused as unauthorized, once more under a new one.

        Raises:
            Throttled, Rejected, Unreachable: also of the login: then nothing of this request was done.
            Unclear: of this request alone.
        """
        try:
            self._limits.hold()
            token = await self._login.token()
            answered = await self._send(self._asked(method, path, body, deadline, token), token)
            if answered.status == _UNAUTHORIZED:
                token = await self._login.token(stale=token)
                answered = await self._send(self._asked(method, path, body, deadline, token), token)
        except Throttled as error:
            self._limits.keep(error)  # the login's Retry-After is a floor for these calls too
            raise
        return answered

    async def _send(self, asked: Asked, token: str) -> Answered:
        self._limits.hold()
        answered = without(await self._caller.send(asked), token)
        self._limits.heed(answered)
        return answered

    def _asked(self, method: str, path: str, body: bytes, deadline: float | None, token: str) -> Asked:
        headers = {"Authorization": f"Bearer {token}"}
        if body:
            headers["Content-Type"] = "application/json"
        return Asked(method, f"{self._api}{path}", headers, body, deadline)
