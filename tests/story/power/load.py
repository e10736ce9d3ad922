"""Who clicks and who works while a Redis fails: real store, real flow, and the record of what was promised to whom."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from service.core import model as m
from service.core.errors import StoreDown
from service.flow.worker import Worker
from service.flow.workplace import Workplace
from service.store.budget import Rate
from service.store.client import Durability, Link, connect
from service.store.redis import RedisStore
from service.store.waiter import WakeWaiter
from service.wiring.machine import SystemClock, SystemDice
from tests.fixtures.redis import CountingDice
from tests.store.stories import ORG, offered
from tests.story.power.town import SOURCE, Talk, Town

CLICKERS = 4
WORKERS = 3
PACE_SECONDS = 0.05  # between two clicks of one clicker
AGAIN_SECONDS = 0.1  # a sender that heard no 2xx repeats
END_SECONDS = 60.0
RATE = Rate(60_000, 1_000)  # the budget is no matter here


class Load:
    """One town, one address of Redis, and all who use it.

    Attributes:
        promised: by action id, each accept that was acknowledged and may still be asked for.
        counters: what was seen, by name.
        findings: every promise that was seen broken.
    """

    def __init__(self, url: str, seed: int, durability: Durability = "local") -> None:
        self.clock, self.url = SystemClock(), url
        self.dice = SystemDice(self.clock)
        self.town = Town(self.clock, seed)
        self.link = Link(connect(url), self.clock, durability=durability)
        self.store = RedisStore(self.link, self.dice, rate=RATE)
        self.promised: dict[str, Talk] = {}
        self.counters: Counter[str] = Counter()
        self.findings: list[str] = []
        self._is_over = False

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        """Click and work while the block runs."""
        stopping = asyncio.Event()
        async with WakeWaiter(self.url, self.clock) as waiter:
            places = [self._place(f"w{number}", waiter, stopping) for number in range(WORKERS)]
            async with asyncio.TaskGroup() as work:
                for place in places:
                    work.create_task(Worker(place).run())
                try:
                    yield
                finally:
                    stopping.set()
        await self.link.aclose()

    @asynccontextmanager
    async def clicking(self) -> AsyncIterator[None]:
        """Click while the block runs; afterwards each click has its answer."""
        self._is_over = False
        async with asyncio.TaskGroup() as clickers:
            for _ in range(CLICKERS):
                clickers.create_task(self._click())
            try:
                yield
            finally:
                self._is_over = True

    def _place(self, name: str, waiter: WakeWaiter, stopping: asyncio.Event) -> Workplace:
        terms = {ORG: m.Terms()}
        desk, genesys = {SOURCE: self.town.desk}, {ORG: self.town}
        ports = (self.store, self.store, waiter, self.clock, self.dice)
        return Workplace(name, *ports, genesys, desk, terms, stopping)

    async def _click(self) -> None:
        while not self._is_over:
            talk = self.town.call()
            while True:
                try:
                    receipt = await self.store.accept(self.offer(talk))
                except StoreDown:
                    self.counters["503"] += 1
                    await asyncio.sleep(AGAIN_SECONDS)  # real processes: the sender still owns it
                    continue
                break
            self.counters["acknowledged"] += 1
            self.counters[f"joined {receipt.joined or 'nothing'}"] += 1
            self.promised[receipt.action_id] = talk
            await asyncio.sleep(PACE_SECONDS)  # real processes: the next click

    def offer(self, talk: Talk) -> m.Offer:
        """Return what this call's webhook offers; each time it is sent, the same delivery."""
        made = offered(CountingDice(), talk.number, conversation_id=talk.id)
        return replace(made, action_id=self.dice.action_id(ORG))

    async def accounts(self) -> dict[str, m.Account]:
        """Return everything that is stored, by conversation; whatever cannot be read is a finding."""
        found: dict[str, m.Account] = {}
        for action_id in await self.store.action_ids(ORG):
            account = await self.store.read(action_id)
            verbs = [entry.verb for entry in account.timeline] if account else []
            if account is None or "accept" not in verbs or not account.reports:
                self.findings.append(f"{action_id} is there by half: {verbs}")
                continue
            conversation = account.action.removal.conversation_id
            if conversation in found:
                self.findings.append(f"{conversation} has two actions")
            found[conversation] = account
        return found

    async def missing(self) -> list[str]:
        """Return what was promised and is not there; it is not asked for again."""
        promised = set(self.promised)  # before it is looked for: what is promised meanwhile is another matter
        gone = sorted(promised - set(await self.store.action_ids(ORG)))
        for action_id in gone:
            del self.promised[action_id]
        return gone

    async def ended(self) -> dict[str, m.Account]:
        """Wait until everything stored has its outcome and its report is told; return it."""
        ends = self.clock.monotonic() + END_SECONDS
        while True:
            accounts = await self.accounts()
            open_ones = [one for one in accounts.values() if not _is_over(one)]
            if not open_ones or self.clock.monotonic() > ends:
                self.findings += [f"{one.action.id} is not over: {one}" for one in open_ones]
                return accounts
            await asyncio.sleep(0.2)  # real processes: the workers are at it


def _is_over(account: m.Account) -> bool:
    return account.action.outcome is not None and all(report.state is m.ReportState.TOLD for report in account.reports)
