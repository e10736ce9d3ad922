"""The front of the sandbox: finds out who is asked, notes the call, and spoils the answer as the switches say."""

import asyncio
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Way
from starlette.types import Receive, Scope, Send

from service.sandbox.calls import CallLog
from service.sandbox.control import Control
from service.sandbox.conversations import Conversation, World
from service.sandbox.desk import OWN_PATHS, Desk
from service.sandbox.diagnosis import explain
from service.sandbox.events import Events
from service.sandbox.exchange import Answer, Asked, Route
from service.sandbox.fields import Unusable
from service.sandbox.genesys import Genesys
from service.sandbox.login import Credentials, Login
from service.sandbox.switches import WORLDS, Rule, Switches, is_command, take_rule

_HOOK: Final = re.compile(r"/sandbox/desk/hooks/([A-Za-z0-9._-]{1,80})")
_EXPLANATION: Final = "Onhook-Explanation"  # the header that tells a foreign script what it is doing
_CONTROL: Final = re.compile(r"/sandbox(/.*)?", re.DOTALL)


class ConnectionCut(ConnectionError):
    """The connection ends here without an answer, where there is no real connection to close."""


def create_app(
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    dice: random.Random | None = None,
    world: str = WORLDS[0],
) -> Starlette:
    """Return a new sandbox with a world, credentials and switches of its own.

    `now` gives seconds since 1970 and is all that moves anything in here, so whoever moves it moves the world;
    `sleep` is only used for answers that a rule makes slow; ids and secrets come from `dice`. The `world` is "vendor",
    where everything is as the vendor's SDK says, or "reported", where what people reported is answered as they saw it;
    ValueError for any other.
    """
    if world not in WORLDS:
        raise ValueError(f"there is no world {world!r}; there is {' and '.join(WORLDS)}")
    return Starlette(routes=[Way("/{path:path}", Front(now, sleep, dice or random.SystemRandom(), world))])


class Front:
    """One sandbox as an ASGI app."""

    def __init__(
        self, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]], dice: random.Random, world: str
    ) -> None:
        self._now, self._sleep, self._dice = now, sleep, dice
        self._switches, self._calls = Switches(world), CallLog()
        self._world = World(self._new_id, self._switches)
        self._events = Events(self._world)
        credentials = Credentials.made_by(dice, self._new_id())
        self._login = Login(credentials, self._switches, dice)
        self._genesys = Genesys(self._world, self._login)
        self._desk = Desk(credentials, self._new_id)
        self._control = Control(self._world, self._login, self._desk, self._calls, self._events)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            asked = await self._read(Request(scope, receive))
        except ClientDisconnect:  # nobody is left to answer
            return
        hook = _HOOK.fullmatch(asked.path) if asked.method == "POST" else None
        if _CONTROL.fullmatch(asked.path) and not hook:
            await _respond(self._control.answer(asked))(scope, receive, send)
            return
        answer = await self._serve(asked, hook and hook[1])
        if answer is None:
            await _cut(receive)
        else:
            await _respond(answer)(scope, receive, send)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    async def _read(self, request: Request) -> Asked:
        # the raw path: a server decodes %2e and %2f, and what they hide must stay an unknown path
        path = bytes(request.scope["raw_path"]).decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        body = await request.body()
        return Asked(request.method, path, query, request.headers, body, self._now(), self._new_id())

    def _route(self, asked: Asked, hook: str | None) -> tuple[str, Route]:
        if hook:
            return "hook", self._desk.receive(hook, asked)
        if asked.path == "/oauth/token":
            return "login", self._login.route(asked)
        if asked.path.startswith("/api/now/") or asked.path in OWN_PATHS:
            return "desk", self._desk.route(asked)
        return "genesys", self._genesys.route(asked)

    async def _serve(self, asked: Asked, hook: str | None) -> Answer | None:
        """Do what is asked, or what a rule says instead; None when the connection is to be cut."""
        service, route = self._route(asked, hook)
        call = self._calls.open(service, asked)
        call.authorized = route.authorized
        call.explanation = _explained(asked) if service in {"genesys", "login"} else ""
        conversation = self._world.find(route.conversation_id)
        own = conversation.switches.answers if conversation else []
        rule = take_rule(route.kind, own, self._switches.answers) if route.kind else None
        done = route.act() if rule is None or rule.is_obeyed else None
        answer = rule.answer(route, done) if rule else done
        effect = done.effect if done else None
        call.effect = (False if is_command(route.kind) else "none") if effect is None else effect
        call.status = answer.status if answer else None
        if conversation and rule:
            call.then = self._let_happen(conversation, rule, asked.at)
        if rule and rule.delay_seconds:  # what is done is done before: only the answer is slow
            await self._sleep(rule.delay_seconds)
        told = {_EXPLANATION: call.explanation} if call.explanation else {}
        return answer and replace(answer, headers={**route.headers, **told, **answer.headers})

    def _let_happen(self, conversation: Conversation, rule: Rule, at: float) -> str | None:
        """Let happen what a rule says comes after its call, and say what it was."""
        if rule.then is None:
            return None
        try:
            self._events.happen(conversation, rule.then, at)
        except Unusable as unusable:
            return f"nothing: {unusable}"
        return str(rule.then["event"])


def _explained(asked: Asked) -> str:
    """Return what is to say to a script that makes a call which does not remove just one participant."""
    found = explain(asked.method, f"{asked.path}?{asked.query}", asked.body.decode("utf-8", "replace"))
    return "" if found.row.is_right else found.line


def _respond(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.content_type:  # as a header, so that nothing adds a charset to it
        headers["content-type"] = answer.content_type
    return Response(answer.body, answer.status, headers)


async def _cut(receive: Receive) -> None:
    """Close the connection under the server, or raise ConnectionCut when there is none.

    ASGI has no way to say this. Under uvicorn `receive` is bound to the request's cycle, which holds the transport;
    abort() drops it unanswered, and the next event is the disconnect, which tells uvicorn that nothing is missing.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionCut
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
