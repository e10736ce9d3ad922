"""One click through the real flow, with a proxy between two of its parts that breaks one exchange; and what came of it.

Each click has a house of its own (keys, token, connections, worker), so that a fault is one click's and hundreds of
clicks can be played at the same time.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Sequence, Sized
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from service.core import model as m
from service.core.errors import StoreDown
from service.flow.intake import Intake
from service.flow.worker import Worker
from service.flow.workplace import Workplace
from service.genesys import GenesysCloud, GenesysOptions
from service.outbound import Caller, OpenTransport, Outgoing, Rule
from service.sources import Outside
from service.sources.servicenow import Options, ServiceNow
from service.sources.signing import signed
from service.store.client import Link, connect
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.store.script import Reply, Script
from service.store.waiter import WakeWaiter
from service.wiring.machine import SystemClock, SystemDice
from tests.story.faults.proxy import FaultProxy, Kind, Place, url_of
from tests.story.stage import CALLER, Stage, eventually

ORG, SOURCE = "play", "desk"
END_SECONDS = 60.0  # from the click to the told ticket: the longest road is two windows of a send, and their pauses
STOP_SECONDS = 15.0
_REDIS_EXCHANGES = 20  # about so many there are, connections' first words included; then a worker asks each second
_GENESYS_EXCHANGES = 4  # login, look, removal, confirming look
_T = TypeVar("_T")


class Pair(StrEnum):
    """Between which parts the proxy stands."""

    REDIS = "redis"
    GENESYS = "genesys"  # the API and the login
    DESK = "desk"


@dataclass(frozen=True)
class Case:
    """One click to play: between which parts, which fault, and the number by which its chance is seeded."""

    pair: Pair
    kind: Kind
    number: int

    def __str__(self) -> str:
        """Name it."""
        return f"{self.pair}, {self.kind}, {self.number}"

    def plan(self, dice: random.Random) -> dict[int, Kind]:
        """Return which exchange is broken how.

        The desk is asked once if all goes well. So that its look is broken too, and the second telling, the first
        telling is cut there two times of three: after it was done, or before.
        """
        if self.pair is Pair.REDIS:
            return {dice.randint(1, _REDIS_EXCHANGES): self.kind}
        if self.pair is Pair.GENESYS:
            return {dice.randint(1, _GENESYS_EXCHANGES): self.kind}
        return dice.choice(
            [{1: self.kind}, {1: Kind.CUT_AFTER, 2: self.kind}, {1: Kind.CUT_BEFORE, 3: self.kind}],
        )


@dataclass
class Stopwatch:
    """Measures calls at the ports.

    Attributes:
        took: over which pair, from when until when, by the clock of the loop.
    """

    took: list[tuple[Pair, float, float]] = field(default_factory=list)

    async def time(self, pair: Pair, work: Awaitable[_T]) -> _T:
        """Return what `work` returns, or raise what it raises, and note how long that took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await work
        finally:
            self.took.append((pair, began, loop.time()))


class TimedLink(Link):
    """The runner of production, with a stopwatch."""

    watch: Stopwatch

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        return await self.watch.time(Pair.REDIS, super().run(script, keys, args))

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        return await self.watch.time(Pair.REDIS, super().run_shared(script, keys, args))


class TimedCloud(GenesysCloud):
    """The client of production, with a stopwatch."""

    watch: Stopwatch

    async def look(self, conversation_id: str) -> m.Sight:
        return await self.watch.time(Pair.GENESYS, super().look(conversation_id))

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        return await self.watch.time(Pair.GENESYS, super().disconnect(conversation_id, target, deadline))


class TimedDesk(ServiceNow):
    """The source of production, with a stopwatch."""

    watch: Stopwatch

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        return await self.watch.time(Pair.DESK, super().is_told(report, action))

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        return await self.watch.time(Pair.DESK, super().tell(report, action, note, deadline))


@dataclass
class Played:
    """What came of one click."""

    case: Case
    outcome: str = ""
    struck: list[Kind] = field(default_factory=list)
    took: list[tuple[Pair, float, float]] = field(default_factory=list)
    seconds: float = 0.0
    notes: int = 0
    removals: int = 0
    findings: list[str] = field(default_factory=list)


@dataclass
class Player:
    """Plays clicks on one stage.

    Attributes:
        truth: a store's link that no fault touches.
        way_out: opens connections for all houses: one TLS context, which takes a while to make.
    """

    stage: Stage
    truth: Link
    way_out: OpenTransport
    seed: int
    clock: SystemClock = field(default_factory=SystemClock)

    async def play(self, case: Case) -> Played:
        """Click, wait until all is told, and compare with what truly happened."""
        dice = random.Random(f"{self.seed} {case}")  # noqa: S311 - a seed that can be run again, no secret
        played, watch = Played(case), Stopwatch()
        proxy = FaultProxy(self._server(case.pair), case.plan(dice), dice, may_repeat=case.pair is Pair.REDIS)
        name = f"{case.pair}-{list(Kind).index(case.kind)}-{case.number}"
        # every other click on Redis goes over a unix socket; a reset there is none
        path = self.stage.folder / f"{name}.s" if case.pair is Pair.REDIS and case.number % 2 else None
        began = self.clock.monotonic()
        try:
            async with proxy.open(path) as place:
                await self._click(case, proxy, place, watch, played, name)
                await eventually(lambda: _none(proxy.lines), STOP_SECONDS)
        except TimeoutError:
            played.findings.append(f"it did not end; {len(proxy.lines)} connections are open")
        played.seconds, played.struck, played.took = self.clock.monotonic() - began, proxy.struck, watch.took
        if proxy.plan:
            played.findings.append(f"the fault never struck: {proxy.plan} of {proxy.exchanges} exchanges")
        return played

    def _server(self, pair: Pair) -> Place:
        if pair is Pair.REDIS:
            return Path(self.stage.redis.url.removeprefix("unix://"))
        parts = urlsplit(self.stage.play)
        return str(parts.hostname), parts.port or 0

    async def _click(
        self, case: Case, proxy: FaultProxy, place: Place, watch: Stopwatch, played: Played, name: str
    ) -> None:
        stage = self.stage
        conversation, ticket = await stage.conversation(), await stage.ticket()
        before = await stage.people(conversation)
        urls = {pair: stage.redis.url if pair is Pair.REDIS else stage.play for pair in Pair}
        scheme = "redis" if case.pair is Pair.REDIS else "http"
        urls[case.pair] = url_of(place, scheme)
        keys = Keys(name)
        async with AsyncExitStack() as stack:
            house = self._house(urls, keys, watch, stack)
            worker = asyncio.create_task(Worker(house).run())
            try:
                intake = Intake(house.sources, house.store, self.clock, house.dice, house.terms_of)
                body = stage.webhook(conversation, ticket=ticket)
                receipt = await self._delivered(intake, json.dumps(body).encode())
                truth = RedisStore(self.truth, house.dice, keys=keys)
                if case.pair is Pair.REDIS:
                    await eventually(lambda: _none(proxy.plan), STOP_SECONDS)
                account = await eventually(lambda: _ended(truth, receipt.action_id), END_SECONDS)
            finally:
                house.stopping.set()
                await asyncio.wait_for(worker, STOP_SECONDS)
        played.findings += await self._lies(case, account, conversation, ticket, before, played)
        if (ids := await truth.action_ids(ORG)) != [receipt.action_id]:
            played.findings.append(f"one click, and the actions {ids}")

    def _house(self, urls: dict[Pair, str], keys: Keys, watch: Stopwatch, stack: AsyncExitStack) -> Workplace:
        """Open what a process opens."""
        said, clock, out = self.stage.environment, self.clock, Outgoing()
        dice = SystemDice(clock)
        link = TimedLink(connect(urls[Pair.REDIS]), clock)
        stack.push_async_callback(link.aclose)
        store = RedisStore(link, dice, keys=keys)
        waiter = WakeWaiter(urls[Pair.REDIS], clock, keys=keys)
        stack.push_async_callback(_closed, waiter)
        waiter.start()
        org = {"api_url": urls[Pair.GENESYS], "login_url": urls[Pair.GENESYS]}
        org |= {key: said[f"ONHOOK_ORGS__PLAY__{key.upper()}"] for key in ("client_id", "client_secret")}
        cloud = TimedCloud(GenesysOptions.model_validate(org), clock, out, transport=self.way_out)
        stack.push_async_callback(cloud.aclose)

        def open_caller(rules: Sequence[Rule]) -> Caller:
            caller = Caller(rules, clock, out, transport=self.way_out)
            stack.push_async_callback(caller.aclose)
            return caller

        desk = TimedDesk(SOURCE, self._desk(urls[Pair.DESK]), Outside(open_caller, clock))
        link.watch = cloud.watch = desk.watch = watch
        ports: dict[str, Any] = {"store": store, "budget": store, "waiter": waiter, "clock": clock, "dice": dice}
        return Workplace(
            worker=f"w-{keys.wake[:20]}:1:0",
            genesys={ORG: cloud},
            sources={SOURCE: desk},
            terms={ORG: m.Terms()},
            **ports,
        )

    def _desk(self, url: str) -> Options:
        said = self.stage.environment
        return Options(
            kind="servicenow",
            org=ORG,
            secrets=(SecretStr(said["ONHOOK_SOURCES__DESK__SECRETS"]),),
            instance_url=url,
            username=said["ONHOOK_SOURCES__DESK__USERNAME"],
            password=SecretStr(said["ONHOOK_SOURCES__DESK__PASSWORD"]),
        )

    async def _delivered(self, intake: Intake, body: bytes) -> m.Receipt:
        """Deliver it as a sender does: what is answered with 503 is sent again."""
        headers = signed(self.stage.secret, f"msg_{random.getrandbits(64):x}", self.clock.now(), body)
        sent = tuple((key.lower().encode(), value.encode()) for key, value in headers.items())

        async def taken() -> m.Receipt | None:
            try:
                receipt = await intake.take(m.Delivery(SOURCE, sent, body, self.clock.now()))
            except StoreDown:
                return None
            assert isinstance(receipt, m.Receipt)
            return receipt

        return await eventually(taken)

    async def _lies(
        self,
        case: Case,
        account: m.Account,
        conversation: str,
        ticket: str,
        before: Sequence[dict[str, Any]],
        played: Played,
    ) -> list[str]:
        """Return in sentences what of the account is not so."""
        stage, outcome, findings = self.stage, account.action.outcome, []
        assert outcome is not None
        played.outcome = outcome.kind.value
        caller = {one["id"] for one in before if CALLER in str(one["address"])}
        there = {one["id"] for one in before if one["present"]}
        left = there - {one["id"] for one in await stage.people(conversation) if one["present"]}
        calls = await stage.calls(conversation=conversation)
        removals = [call for call in calls if call["method"] != "GET"]
        effects = [call for call in removals if call["effect"] is True]
        allowed = {f"/api/v2/conversations/{conversation}/participants/{one}" for one in caller}
        played.removals = len(removals)
        # nothing stays broken, and nobody leaves by himself: whatever struck, this is what must have come of it
        if outcome.kind is not m.OutcomeKind.DISCONNECTED or left != caller or len(effects) != 1:
            said = f"{outcome.kind.value} ({outcome.reason})"
            findings.append(f"told {said}; gone are {len(left)}, the caller {left >= caller}; {len(effects)} effects")
        if {call["path"] for call in removals} != allowed or {call["method"] for call in removals} != {"PATCH"}:
            findings.append(f"asked of Genesys: {removals}")
        if outcome.vanished:
            findings.append(f"a bystander is said to have gone: {outcome.vanished}")
        played.notes = sum(account.action.id in note for note in await stage.notes(ticket))
        # a note that arrives when its call has ended, and the look for it too, cannot be seen by that look
        most = 2 if case.pair is Pair.DESK and case.kind is Kind.DELAY else 1
        if not 1 <= played.notes <= most or [report.state for report in account.reports] != [m.ReportState.TOLD]:
            findings.append(f"{played.notes} notes; reports {[report.state for report in account.reports]}")
        return findings


async def _ended(store: RedisStore, action_id: str) -> m.Account | None:
    account = await store.read(action_id)
    assert account is not None
    ended = {m.ReportState.TOLD, m.ReportState.DEAD}
    is_told = all(report.state in ended for report in account.reports)
    return account if account.action.outcome and is_told else None


async def _none(left: Sized) -> bool | None:
    return None if left else True


async def _closed(waiter: WakeWaiter) -> None:
    """Close it as the house does: it is told to end until it does."""
    closing = asyncio.create_task(waiter.aclose())
    while not (await asyncio.wait({closing}, timeout=0.5))[0]:
        closing.cancel()
