"""A month of actions is searched in the blink of an eye, and the index costs an accept, and a memory, little."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import cast

import pytest
import redis as blocking

from service.core import model as m
from service.store.archive import RedisArchive
from service.store.budget import Rate
from service.store.client import Link, connect
from service.store.redis import RedisStore
from service.store.script import Reply, Script
from service.store.terms import moment
from tests.findings import write_evidence
from tests.fixtures.redis import CountingDice, HandClock
from tests.store.servers import server
from tests.store.stories import LOOKED, ORG, digest, uuid

COMMAND = "python -m pytest -n 0 -m slow tests/story/test_search_at_size.py"
AT_ONCE = 100  # what one claim looks at
SOURCES, REQUESTERS, PERSONS = 5, 200, 10_000
TIMES = 60  # searches of each kind
PAGE = 50  # actions a page of the console
MONTH_MS = 29 * 86_400_000  # a day less than they are kept: the oldest must not age out meanwhile
SAMPLE = 300  # keys of each kind that are weighed
OUTCOMES = (m.OutcomeKind.DISCONNECTED,) * 7 + (m.OutcomeKind.ALREADY_GONE, m.OutcomeKind.REFUSED, m.OutcomeKind.FAILED)


@dataclass(frozen=True)
class Size:
    """How much is stored, in how many seconds a search and a first page answer, and how large the index is."""

    actions: int
    search_seconds: float
    page_seconds: float
    accepts: int
    index_bytes: int


# a tenth of a tenth in CI, with bounds that a busy machine keeps; so few in a month that each row has a key of its own
# (100 ms since the index takes a tenth of the memory: it is read, in steps, from the newest action to the one sought)
CI, FULL = Size(2_000, 0.25, 0.6, 150, 400), Size(200_000, 0.1, 0.3, 3_000, 250)


@dataclass
class Unindexed:
    """A runner over another one that knows of no index when it is told so: what an accept cost before there was one."""

    link: Link
    is_unindexed: bool = False
    seen: dict[str, Script] = field(default_factory=dict)

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Ask what is asked; of an accept that knows of no index, without what it writes there."""
        return await self.link.run_shared(self._as_told(script), keys, args)

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Ask likewise, in one pipeline with what else is asked."""
        return await self.run_shared(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Ask a plain command."""
        return await self.link.ask(*words)

    def _as_told(self, script: Script) -> Script:
        if not self.is_unindexed:
            return script
        if script.name not in self.seen:
            text = script.text.replace("  begin_index(id, ARGV[14], terms)\n", "")
            assert text != script.text
            self.seen[script.name] = Script(script.name, text, hashlib.sha1(text.encode()).hexdigest())  # noqa: S324 - how Redis names a script
        return self.seen[script.name]


@dataclass
class MonthDice(CountingDice):
    """Chance that counts, but for the moments of its ids: they lie over the month, as those of a month's clicks do."""

    apart_ms: int = 0
    made: int = 0
    begins_at: int = field(default_factory=lambda: int(time.time() * 1000) - MONTH_MS)

    def action_id(self, org: str) -> str:
        """Return the next id."""
        self.made += 1
        return f"{org}.{moment(self.begins_at + self.made * self.apart_ms)}{self.made:016d}"


@dataclass
class Month:
    """Very many settled actions in one Redis, and what they are found by."""

    client: blocking.Redis
    runner: Unindexed
    store: RedisStore
    archive: RedisArchive
    dice: MonthDice

    def offer(self, number: int) -> m.Offer:
        """Return an offer as a source has it: a number, a ticket, who asked, and the delivery's id."""
        phone = f"+1415{number % PERSONS + 5_550_000:07d}"
        removal = m.Removal(
            uuid(number),
            m.Selector(m.SelectorKind.PHONE, phone),
            ticket=m.Ticket(f"incident/{digest(number)[:32]}", f"INC{number:07d}"),
            requester=f"agent.{number % REQUESTERS}",
            reason="abusive caller",
            event_id=f"evt_{number}",
        )
        return m.Offer(
            action_id=self.dice.action_id(ORG),
            org=ORG,
            source=f"desk{number % SOURCES}",
            key=self.dice.token(),
            removal=removal,
            delivery_key=digest(number),
            body_hash=digest(("body", number)),
            is_hash_only=False,
            intent_key=digest(("intent", number)),
            max_age_seconds=86_400,
            channels=("ticket",),
            entries=(m.Entry("verify", 1, 0.1, note="secret 0a1b2c3d"), m.Entry("parse", 2, 0.1, note="phone")),
            delivery_id=f"evt_{number}",
        )

    async def fill(self, numbers: range) -> None:
        """Accept, pin, settle and tell of an action of each number."""
        for first in range(numbers.start, numbers.stop, AT_ONCE):
            some = range(first, min(first + AT_ONCE, numbers.stop))
            await asyncio.gather(*(self.store.accept(self.offer(number)) for number in some))
            claims = await self.store.claim(ORG, "w1", self.dice.token(), AT_ONCE)
            await asyncio.gather(*(self._end(claim) for claim in claims))
            due = await self.store.claim_reports(ORG, "w1", self.dice.token(), AT_ONCE)
            await asyncio.gather(*(self.store.told(claim.lease, [LOOKED]) for claim in due))

    async def _end(self, claim: m.Claim) -> None:
        number = int(claim.action.removal.conversation_id[-12:])
        pin = m.Target(uuid(10**9 + number), (uuid(2 * 10**9 + number),), "customer", m.Medium.VOICE)
        progress = m.Progress(pin=pin, bystanders={uuid(3 * 10**9 + number): "agent"})
        await self.store.pin(claim.lease, progress, [LOOKED])
        kind = OUTCOMES[number % len(OUTCOMES)]
        await self.store.settle(
            claim.lease, m.Outcome(kind, "confirmed", remaining={"agent": 1}), 0.0, [LOOKED, LOOKED]
        )

    async def first(self, **asked: str) -> m.Page:
        """Return the first page of a search."""
        return await self.archive.find(ORG, m.Search(**asked), PAGE)  # type: ignore[arg-type] # only words are asked


@pytest.fixture
def quick() -> Iterator[blocking.Redis]:
    """Give a Redis of its own, which does not wait for a disk: what is on disk is no matter here."""
    with server() as url, blocking.Redis.from_url(url, decode_responses=True, protocol=2) as client:
        yield client


KINDS: Mapping[str, Callable[[int], dict[str, str]]] = {
    "conversation": lambda n: {"text": uuid(n)},
    "participant": lambda n: {"text": uuid(10**9 + n)},
    "ticket": lambda n: {"text": digest(n)[:32]},
    "label": lambda n: {"text": f"inc{n:07d}"},
    "requester": lambda n: {"text": f"AGENT.{n % REQUESTERS}"},
    "delivery": lambda n: {"text": f"evt_{n}"},
    "last four": lambda n: {"text": f"{n % PERSONS:04d}"},
    "source": lambda n: {"source": f"desk{n % SOURCES}"},
    "outcome": lambda n: {"outcome": OUTCOMES[n % len(OUTCOMES)].value},
    "open": lambda _: {"outcome": m.OPEN},
    "requester who failed": lambda n: {"text": f"agent.{n % REQUESTERS}", "outcome": "failed"},
    "source and outcome": lambda n: {"source": f"desk{n % SOURCES}", "outcome": "failed"},
    "nobody": lambda n: {"text": f"nobody {n}"},
}


async def _timed(ask: Awaitable[m.Page]) -> tuple[float, m.Page]:
    began = time.perf_counter()
    page = await ask
    return time.perf_counter() - began, page


async def _searched(month: Month, size: Size) -> dict[str, dict[str, float]]:
    """Search by each kind, and return how long that took, in milliseconds."""
    taken: dict[str, dict[str, float]] = {}
    for kind, words in KINDS.items():
        seconds = []
        for place in range(TIMES):
            number = place * 7_919 % size.actions
            took, page = await _timed(month.first(**words(number)))
            seconds.append(took)
            if kind in {"conversation", "participant", "ticket", "label", "delivery"}:
                assert [action.removal.conversation_id for action in page.actions] == [uuid(number)]
            else:
                assert bool(page.actions) != (kind in {"nobody", "open"} or not _exists(words(number), size)), kind
        taken[kind] = {"p50": round(median(seconds) * 1e3, 2), "p95": round(quantiles(seconds, n=20)[-1] * 1e3, 2)}
    return taken


def _exists(asked: Mapping[str, str], size: Size) -> bool:
    """Whether any of what is stored is meant by a requester, a source and an outcome at once."""
    whose = asked.get("text", "").partition(".")[2]
    return any(
        (not whose or number % REQUESTERS == int(whose))
        and (not asked.get("source") or number % SOURCES == int(asked["source"][4:]))
        and (not asked.get("outcome") or OUTCOMES[number % len(OUTCOMES)].value == asked["outcome"])
        for number in range(min(size.actions, REQUESTERS * SOURCES * len(OUTCOMES)))
    )


async def _accepted(month: Month, size: Size) -> tuple[float, float]:
    """Accept one after another, with and without the index in turns; return the middle of each, in milliseconds."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * size.accepts):
        month.runner.is_unindexed = number % 2 == 1
        offer = month.offer(10**8 + number)
        began = time.perf_counter()
        await month.store.accept(offer)
        seconds[month.runner.is_unindexed].append(time.perf_counter() - began)
    month.runner.is_unindexed = False
    return median(seconds[False]) * 1e3, median(seconds[True]) * 1e3


def _weighed(client: blocking.Redis, actions: int) -> dict[str, float]:
    """Return how many bytes of each kind of key an action takes: its share of the index, of the others a sample."""
    many, weighed, heavy = Counter[str](), Counter[str](), Counter[str]()
    for key in client.scan_iter("*", count=1_000):
        kind = str(key).rpartition("}:")[2].partition(":")[0]
        many[kind] += 1
        if weighed[kind] < SAMPLE:
            weighed[kind] += 1
            samples = 0 if kind == "terms" else 5
            heavy[kind] += cast("int", client.memory_usage(key, samples=samples))
    return {kind: round(heavy[kind] / weighed[kind] * many[kind] / actions, 1) for kind in sorted(many)}


@pytest.mark.parametrize("size", [CI, pytest.param(FULL, marks=pytest.mark.slow)], ids=["short", "full"])
async def test_search_at_size(quick: blocking.Redis, size: Size) -> None:
    """Every kind of search answers in time however much is stored, and the index is a bounded part of what it costs."""
    path = str(quick.connection_pool.connection_kwargs["path"])
    link = Link(connect(f"unix://{path}"), HandClock())
    runner, rate = Unindexed(link), Rate(per_minute=60_000_000.0, burst=1_000_000)
    dice = MonthDice(apart_ms=MONTH_MS // (size.actions + AT_ONCE * 3))
    month = Month(quick, runner, RedisStore(runner, CountingDice(), rate=rate), RedisArchive(runner), dice)
    try:
        await month.fill(range(-AT_ONCE * 3 + 10**9, 10**9))  # scripts, tables and buffers are there before
        before = cast("int", quick.info("memory")["used_memory"])
        began = time.perf_counter()
        await month.fill(range(size.actions))
        made = time.perf_counter() - began
        bytes_an_action = (cast("int", quick.info("memory")["used_memory"]) - before) / size.actions
        weighed = _weighed(quick, size.actions + AT_ONCE * 3)
        page_seconds, page = await _timed(month.first())
        searched = await _searched(month, size)
        indexed, unindexed = await _accepted(month, size)
    finally:
        await link.aclose()
    assert len(page.actions) == PAGE
    assert page_seconds < size.page_seconds
    assert not {kind: took for kind, took in searched.items() if took["p95"] >= size.search_seconds * 1e3}
    assert 50 < weighed["terms"] < size.index_bytes  # a row or two of some ten words each
    if size is FULL:
        write_evidence(
            "search",
            command=COMMAND,
            counters={"actions": size.actions, "searches of a kind": TIMES, "accepts of a kind": size.accepts},
            findings=[],
            milliseconds=searched,
            first_page_milliseconds=round(page_seconds * 1e3, 2),
            accept_milliseconds={"indexed": round(indexed, 3), "unindexed": round(unindexed, 3)},
            accept_ratio=round(indexed / unindexed, 3),
            bytes_an_action={
                "all": round(bytes_an_action),
                "all but the index": round(bytes_an_action - weighed["terms"]),
            },
            bytes_of_keys=weighed,
            made_seconds=round(made, 1),
        )
