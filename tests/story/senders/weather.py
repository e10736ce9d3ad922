"""Our side of the story: the public door over real HTTP, the worker, the real store; and what befalls them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.core.errors import StoreDown
from service.core.ports import Source
from service.flow.intake import Intake
from service.flow.worker import Worker
from service.outbound import Caller, Outgoing, Rule
from service.sources import KINDS, Outside
from service.store.redis import RedisStore
from service.store.script import Reply, Script
from service.web import protocol
from service.web.front import public_door
from tests.fixtures.redis import BlockingRunner, CountingDice, short_folder
from tests.flow.stage import ORG, SOURCE, URL, Stage
from tests.story.senders.letters import kind_of, settings_for
from tests.web.doors import Refused

_ACTION = re.compile(rb"acme\.[0-9]{26}")


@dataclass
class Weather:
    """What goes wrong right now.

    Attributes:
        bugs: how many deliveries meet a fault of ours before they are stored.
        losses: how many of our answers are lost on their way.
    """

    is_store_down: bool = False
    is_draining: bool = False
    bugs: int = 0
    losses: int = 0


@dataclass
class Shaky:
    """The way to a real Redis, which is cut while the store is down."""

    inner: BlockingRunner
    weather: Weather

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer."""
        self._reach()
        return await self.inner.run(script, keys, args)

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer."""
        self._reach()
        return await self.inner.run_shared(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Return the answer to a plain command."""
        self._reach()
        return await self.inner.ask(*words)

    def _reach(self) -> None:
        if self.weather.is_store_down:
            raise StoreDown("connection refused")


@dataclass
class Faulty:
    """Chance that counts, and that breaks while there are bugs left."""

    inner: CountingDice
    weather: Weather

    def action_id(self, org: str) -> str:
        """Return the next id."""
        if self.weather.bugs:
            self.weather.bugs -= 1
            raise ZeroDivisionError("a bug of the story")
        return self.inner.action_id(org)

    def token(self) -> str:
        """Return the next token."""
        return self.inner.token()

    def jitter(self) -> float:
        """Return the middle."""
        return self.inner.jitter()


@dataclass
class AnyDesk(httpx.AsyncBaseTransport):
    """A desk of any API that takes every note; whether the API is met is shown where each vendor's is written down."""

    notes: list[bytes] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take a note, or show all."""
        if request.method == "GET":
            return httpx.Response(200, json={"notes": [note.decode() for note in self.notes]})
        self.notes.append(request.content)
        return httpx.Response(200, json={"ok": True, "id": str(len(self.notes))})


@dataclass
class House:
    """A whole service with one source, as its sender sees it: an address."""

    stage: Stage
    weather: Weather
    desk: AnyDesk
    ticket: str
    client: httpx.AsyncClient

    async def post(self, content: bytes, headers: dict[str, str], patience: float) -> httpx.Response | None:
        """Post one try; None where no answer came in time."""
        try:
            return await self.client.post(f"/webhooks/{SOURCE}", content=content, headers=headers, timeout=patience)
        except httpx.TimeoutException:
            return None

    async def told(self) -> set[str]:
        """Return the ids of the actions that stand in notes."""
        notes = [*self.desk.notes, *(note.encode() for note in await self.stage.notes(self.ticket))]
        return {found.decode() for note in notes for found in _ACTION.findall(note)}

    def is_busy(self) -> bool:
        """Whether anything is to be done: an action is open, or a report."""
        keys = self.stage.keys
        due = (keys.due_removals(ORG), keys.due_reports(ORG, SOURCE))
        return any(self.stage.client.zcard(key) for key in due)

    def forget(self) -> None:
        """End every key whose time is over by our clock: Redis would by its own, and that one has not come so far."""
        client = self.stage.client
        seconds, micros = client.time()
        behind = self.stage.clock.now() - seconds * 1000 - micros // 1000
        gone = [key for key in client.scan_iter(count=1000) if 0 <= client.pttl(key) <= behind]
        if gone:
            client.delete(*gone)


@asynccontextmanager
async def opened(stage: Stage, name: str, **changes: object) -> AsyncIterator[House]:
    """Open the house for one sender; `changes` are settings of its source."""
    weather, desk, folder = Weather(), AnyDesk(), short_folder()
    stage.store = RedisStore(Shaky(stage.runner, weather), stage.dice, now_ms=stage.clock.now)
    stage.sources[SOURCE] = _source(stage, name, desk, changes)
    intake = Intake(stage.sources, stage.store, stage.clock, Faulty(stage.dice, weather), stage.terms_of)
    app = public_door(
        intake,
        stage.store,
        stage.bells,
        stage.clock,
        Refused(),
        public_url="https://onhook.test",
        is_draining=lambda: weather.is_draining,
    )
    listener = socket.socket(socket.AF_UNIX)  # nothing is ever on its way there: what was sent is there at once
    listener.bind(str(folder / "door"))
    listener.listen(512)
    server, place = protocol.server(app, listener), stage.place()
    running = [asyncio.create_task(server.serve()), asyncio.create_task(Worker(place).run())]
    try:
        async with _caller_of(str(folder / "door")) as client:
            yield House(stage, weather, desk, await stage.ticket(), client)
    finally:
        server.should_exit = True
        place.stopping.set()
        await asyncio.gather(*running)
        shutil.rmtree(folder)


def _caller_of(door: str) -> httpx.AsyncClient:
    """Return a client that opens a connection for each request; it speaks plain HTTP, and reads no certificates."""
    tls, once = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), httpx.Limits(max_keepalive_connections=0)
    way = httpx.AsyncHTTPTransport(verify=tls, uds=door, limits=once, trust_env=False)
    return httpx.AsyncClient(transport=way, base_url="http://onhook.test", trust_env=False)


def _source(stage: Stage, name: str, desk: AnyDesk, changes: dict[str, object]) -> Source:
    given = {"rate": 0, "runaway": 0, **settings_for(name, f"{URL}/hooks/outcomes"), **changes}
    if kind_of(name) == "servicenow":
        given.pop("outcome_url")
        return stage.source(**{key: value for key, value in given.items() if key not in {"kind", "org"}})

    def open_caller(rules: Sequence[Rule]) -> Caller:
        return Caller(rules, stage.clock, Outgoing(), transport=lambda: desk)

    kind = KINDS[kind_of(name)]
    return kind.build(SOURCE, kind.options.model_validate(given), Outside(open_caller, stage.clock))


def action_in(answer: Any, place: int) -> str:  # noqa: ANN401 - whatever JSON was answered
    """Return the action that an answer names for the click at a place of its delivery, or ""."""
    if not isinstance(answer, dict):
        return ""
    results = answer.get("results")
    one = results[place] if isinstance(results, list) else answer
    return str(one.get("action", ""))


def json_in(answer: httpx.Response) -> Any:  # noqa: ANN401 - whatever JSON was answered
    """Return the body of an answer, None where it has none."""
    return json.loads(answer.content) if answer.content else None
