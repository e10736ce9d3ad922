"""What the proofs under fire share: a sender that repeats until it hears a yes, and the judgement at the end.

The sender is an honest one: it sends the same delivery until it gets a 2xx, and remembers each that it was given. The
judgement looks from outside only: at who is still on the calls, at what the desk has, at `GET /actions`, at Redis.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import httpx
import redis as blocking

from service.sources.signing import secret_in
from service.store.keys import Keys
from tests.findings import write_evidence
from tests.story.stage import Answer, Stage, T, eventually, staged

SEED = 20261125  # of all that is left to chance in a story
STAYING = ["agent", "agent", "external"]  # of the conference, when its caller is gone
HONEST_SECONDS = 4.0  # the two in which a 503 must come, and as much again for a machine with other things to do
CALM_SECONDS = 1.0  # between the clicks that have nothing to do with a fault
AGAIN_SECONDS = 0.2  # until a sender repeats
QUIET_SECONDS = 75.0  # for what a killed worker held, twice over, and for the confirm window
AT_ONCE = 20  # questions at the end


@dataclass(frozen=True)
class Desk:
    """A source and its org: each org has a budget of its own, so more of them carry more load."""

    org: str
    source: str
    secret: bytes


@dataclass
class Click:
    """One delivery: how it is sent, and what its sender was told."""

    desk: Desk
    conversation: str
    ticket: str
    body: Answer
    webhook_id: str
    receipt: Answer | None = None
    is_alone: bool = True
    was_cut: bool = False


@dataclass
class Fire:
    """A stage under load, and what was seen there.

    Attributes:
        doors: where the sender may go, in turn; those that are dead among them.
        counters: how often each thing happened.
        findings: every promise that was seen broken.
    """

    stage: Stage
    desks: Sequence[Desk]
    dice: random.Random
    doors: list[str] = field(default_factory=list)
    clicks: list[Click] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    turn: Iterable[int] = field(default_factory=count)

    # --- the sender -----------------------------------------------------------------------------------------------

    async def clicked(self, desk: Desk | None = None, *, people: int = 1) -> list[Click]:
        """Return what somebody's click on a new call sends, which is not sent yet; with two people, what both send.

        They click at the same moment, each on a ticket of their own: whichever comes later joins the other.
        """
        at = desk or self.desks[len(self.clicks) % len(self.desks)]
        conversation, *tickets = await asyncio.gather(
            self.stage.conversation(), *(self.stage.ticket() for _ in range(people))
        )
        moment = self.stage.webhook(conversation)
        clicks = []
        for ticket in tickets:
            body = {**self.stage.webhook(conversation, ticket=ticket), "timestamp": moment["timestamp"]}
            webhook_id = f"msg_{secrets.token_hex(8)}"
            clicks.append(Click(at, conversation, ticket, body, webhook_id, is_alone=people == 1))
        self.clicks.extend(clicks)
        return clicks

    async def deliver(self, click: Click, *, door: str = "", wait: int = 0) -> None:
        """Send a click until there is a 2xx: to `door` first, then to the doors in turn."""
        while click.receipt is None:
            began = time.monotonic()
            try:
                answer = await self.stage.post(
                    click.body,
                    webhook_id=click.webhook_id,
                    wait=wait,
                    secret=click.desk.secret,
                    source=click.desk.source,
                    door=door or self.doors[next(iter(self.turn)) % len(self.doors)],
                )
            except httpx.TimeoutException:
                self.findings.append(f"no answer in {time.monotonic() - began:.0f} s to {click.webhook_id}")
            except httpx.ConnectError:
                self.counters["connections refused"] += 1
            except httpx.TransportError:
                self.counters["connections cut"] += 1
                click.was_cut = True
            else:
                self._heard(click, answer, time.monotonic() - began)
            door = ""
            if click.receipt is None:
                await asyncio.sleep(AGAIN_SECONDS)  # real processes: what was refused now is taken later

    def _heard(self, click: Click, answer: httpx.Response, seconds: float) -> None:
        said = answer.json()
        if answer.is_success:
            click.receipt = said
            self.counters["2xx"] += 1
            if click.was_cut and click.is_alone:
                was_there = said["status"] == "duplicate"
                self.counters["cut: was stored" if was_there else "cut: was not stored"] += 1
            return
        self.counters[f"{answer.status_code} {said['code']}"] += 1
        self.slowest["503"] = round(max(self.slowest.get("503", 0.0), seconds), 3)
        if answer.status_code != 503 or not 1 <= int(answer.headers.get("retry-after", "0")) <= 30:
            self.findings.append(f"{answer.status_code} {said} {dict(answer.headers)}")
        if seconds > HONEST_SECONDS:
            self.findings.append(f"a 503 took {seconds:.1f} s")

    # --- the judgement --------------------------------------------------------------------------------------------

    async def judge(self, expected: str = "disconnected", seconds: float = QUIET_SECONDS) -> None:
        """Wait until nothing is open, then compare what everybody was told with what is true."""
        self._expect(all(click.receipt for click in self.clicks), "a sender never heard a yes")
        await self.quiet(seconds)
        self.findings.extend(self._redis_says())
        if self.findings:
            return  # what is lost or open has no account that could be judged
        shown = (await self.stage.client.get(f"{self.stage.play}/sandbox/conversations")).json()["conversations"]
        people = {one["conversation_id"]: one["participants"] for one in shown}
        calls: dict[str, list[Answer]] = {}
        for call in await self.stage.calls():
            if call["method"] != "GET":
                calls.setdefault(call["path"].split("/")[4], []).append(call)
        accounts = await self.each(self.clicks, self.account)
        for click, account in zip(self.clicks, accounts, strict=True):
            self.findings.extend(
                f"{click.conversation}: {fault}"
                for fault in _faults(account, people[click.conversation], calls.get(click.conversation, []), expected)
            )
        for click, notes in zip(self.clicks, await self.each(self.clicks, self._notes), strict=True):
            self._expect(len(notes) == 1, f"{click.ticket} has {len(notes)} notes")
        self.counters |= Counter(actions=len({account["action"] for account in accounts}), clicks=len(self.clicks))

    async def each(self, clicks: Iterable[Click], ask: Callable[[Click], Awaitable[T]]) -> list[T]:
        """Return what `ask` returns for each click, a few at a time."""
        few = asyncio.Semaphore(AT_ONCE)

        async def one(click: Click) -> T:
            async with few:
                return await ask(click)

        return list(await asyncio.gather(*(one(click) for click in clicks)))

    async def account(self, click: Click) -> dict[str, Any]:
        """Return what `GET /actions/{id}` shows to who sent a click."""
        return await self.stage.account(click.receipt or {})

    async def _notes(self, click: Click) -> list[str]:
        return await self.stage.notes(click.ticket)

    def _expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.findings.append(otherwise)

    async def quiet(self, seconds: float = QUIET_SECONDS, *, is_untold: bool = False) -> None:
        """Wait until no action is open and, but with `is_untold`, no report is due; what stays so is a finding."""

        async def nothing() -> bool | None:
            return None if self.open(is_untold=is_untold) else True

        try:
            await eventually(nothing, seconds)
        except TimeoutError:
            self.findings.append(f"open after {seconds} s: {self.open(is_untold=is_untold)}")

    def open(self, *, is_untold: bool = False) -> dict[str, int]:
        """Return how many actions are open and, but with `is_untold`, how many reports are due, by key, if any."""
        keys = Keys()
        names = [keys.due_removals(desk.org) for desk in self.desks]
        if not is_untold:
            names += [keys.due_reports(desk.org, desk.source) for desk in self.desks]
        with blocking.Redis.from_url(self.stage.redis.url, protocol=2) as client:
            return {name: number for name in names if (number := int(client.zcard(name)))}

    def stored(self) -> dict[str, str]:
        """Return the state of each action that stands in Redis, by its id."""
        keys = Keys()
        with blocking.Redis.from_url(self.stage.redis.url, protocol=2, decode_responses=True) as client:
            found = [name for desk in self.desks for name in client.scan_iter(keys.actions(desk.org), count=1000)]
            return {name.partition("action:")[2]: str(client.hget(name, "state")) for name in found}

    def _redis_says(self) -> list[str]:
        """Each call has one action, each 2xx stands there, and nothing is open."""
        stored = self.stored()
        by_call: dict[str, set[str]] = {}
        for click in self.clicks:
            by_call.setdefault(click.conversation, set()).add((click.receipt or {}).get("action", ""))
        told = set().union(*by_call.values())
        return [
            *(f"{call} has the actions {ids}" for call, ids in by_call.items() if len(ids) != 1),
            *(f"{one} was promised and is lost" for one in told - stored.keys()),
            *(f"{one} stands there and nobody was told" for one in stored.keys() - told),
            *(f"{one} is {state}" for one, state in stored.items() if state != "settled"),
        ]

    def leave(self, name: str, command: str, **figures: float) -> None:
        """Write down a full run."""
        figures |= {f"slowest_{what}_seconds".replace(" ", "_"): seconds for what, seconds in self.slowest.items()}
        write_evidence(name, command=command, counters=self.counters, findings=self.findings, seed=SEED, **figures)

    def events(self, log: str) -> Counter[str]:
        """Return how often each event stands in what the processes of one command logged."""
        lines = (self.stage.folder / f"{log}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        # the last line of one that was killed may be cut
        return Counter(json.loads(line)["event"] for line in lines if line.startswith("{") and line.endswith("}"))


def _faults(account: Answer, people: Sequence[Answer], calls: Sequence[Answer], expected: str) -> list[str]:
    """Return what is wrong about one action: its end, who is there, what was sent, who was told."""
    outcome = account["outcome"] or {}
    there = sorted(one["purpose"] for one in people if one["present"])
    is_done = expected == "disconnected"
    effects = [call for call in calls if call["effect"] is True]
    caller = next(one["id"] for one in people if one["purpose"] == "customer")
    path = f"/api/v2/conversations/{account['conversation']}/participants/{caller}"
    wrong = {
        f"ended as {outcome}": outcome.get("kind") != expected,
        f"{outcome.get('vanished')} are said to have gone too": bool(outcome.get("vanished")),
        f"there are {there}": there != (STAYING if is_done else sorted([*STAYING, "customer"])),
        f"{len(effects)} removals took effect": len(effects) != is_done,
        "something else was sent": any((call["method"], call["path"]) != ("PATCH", path) for call in calls),
        "not settled once": [entry["verb"] for entry in account["timeline"]].count("settle") != 1,
        f"told: {account['reports']}": any(report["state"] != "told" for report in account["reports"]),
    }
    return [fault for fault, is_so in wrong.items() if is_so]


@asynccontextmanager
async def calm_load(fire: Fire) -> AsyncIterator[None]:
    """Click now and then while the block runs; each second time two people click on the same call."""
    is_over = asyncio.Event()

    async def clicking() -> None:
        async with asyncio.TaskGroup() as group:
            for number in count():
                for click in await fire.clicked(people=1 + number % 2):
                    group.create_task(fire.deliver(click))
                try:
                    async with asyncio.timeout(CALM_SECONDS):
                        await is_over.wait()
                except TimeoutError:
                    continue
                return

    load = asyncio.create_task(clicking())
    try:
        yield
    finally:
        is_over.set()
        await load


async def volley(fire: Fire, number: int) -> list[Click]:
    """Return new clicks that are ready to be sent at the same time."""
    return [click for clicks in await asyncio.gather(*(fire.clicked() for _ in range(number))) for click in clicks]


@asynccontextmanager
async def on_fire(orgs: int) -> AsyncIterator[Fire]:
    """Give a stage with so many orgs, each with a desk of its own, on which no process of ours runs yet."""
    # a connection that was idle for long may be closed by its server just when it is used again
    limits = httpx.Limits(keepalive_expiry=1.0)
    async with staged() as made, httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:
        stage = replace(made, client=client)
        await stage.switch(rate_limit=1_000_000)  # our own budget is what holds us back here
        desks = [_opened(stage, f"org{number}", f"desk{number}") for number in range(orgs)]
        yield Fire(stage, desks, random.Random(SEED))  # noqa: S311 - repeated by its seed; no secret is made


def _opened(stage: Stage, org: str, source: str) -> Desk:
    """Say in the stage's settings that there is one more org, and a desk that acts on it."""
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    said = stage.environment
    for ours, theirs in (("ORGS__PLAY__", f"ORGS__{org}__"), ("SOURCES__DESK__", f"SOURCES__{source}__")):
        model = {name: value for name, value in said.items() if name.startswith(f"ONHOOK_{ours}")}
        said |= {name.replace(ours, theirs.upper()): value for name, value in model.items()}
    said |= {f"ONHOOK_SOURCES__{source.upper()}__SECRETS": secret, f"ONHOOK_SOURCES__{source.upper()}__ORG": org}
    return Desk(org, source, secret_in(secret))
