"""Very many actions age out as they should: by Redis itself, to the last key, and its memory is what it was before."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
import redis as blocking

from service.core import model as m
from service.core.errors import LeaseLost
from service.store.budget import Rate
from service.store.client import Link, connect
from service.store.keys import Lives
from service.store.redis import RedisStore
from tests.findings import write_evidence
from tests.fixtures.redis import CountingDice, HandClock
from tests.store.servers import server
from tests.store.stories import GONE, LOOKED, ORG, digest, offered, uuid

AT_ONCE = 100  # what one claim looks at
DESKS = 50  # each bears two reports at once: a claim of a hundred
# bytes: tables that are not small again yet, and buffers of clients; a hundredth of 200,000 would be ten times that
MARGIN = 1_000_000
AGEING_SECONDS = 300.0  # beyond their life: Redis spends a quarter of its time on this at most
LOOK_SECONDS = 0.1
LEASE_SECONDS = 3.0  # what was claimed is remembered so long: the last key to end
FIRST = 10**9  # of those that go before


class Sharing:
    """A runner that brings all that is asked in one turn in one pipeline, whatever it is."""

    def __init__(self, link: Link) -> None:
        self.run = self.run_shared = link.run_shared
        self.ask = link.ask


@dataclass
class Size:
    """How large a Redis is, at its largest too."""

    client: blocking.Redis
    memory: int = 0
    keys: int = 0

    def look(self) -> tuple[int, int]:
        """Return the memory it uses and how many keys it has."""
        memory = cast("int", self.client.info("memory")["used_memory"])
        keys = self.client.dbsize()
        self.memory, self.keys = max(self.memory, memory), max(self.keys, keys)
        return memory, keys


@dataclass
class Crowd:
    """Very many actions, brought to their end by the scripts of production."""

    store: RedisStore
    size: Size
    dice: CountingDice = field(default_factory=CountingDice)
    done: Counter[str] = field(default_factory=Counter)

    async def accept(self, numbers: Sequence[int]) -> None:
        """Accept an action of each number; every tenth twice, every fourth known by its body alone."""
        offers = [self._offer(number) for number in numbers]
        receipts = await asyncio.gather(*(self.store.accept(offer) for offer in offers))
        self.done["accepted"] += sum(not receipt.joined for receipt in receipts)
        again = [self._offer(number, digest(("again", number))) for number in numbers if number % 10 == 0]
        joined = await asyncio.gather(*(self.store.accept(offer) for offer in again))
        self.done["joined"] += sum(receipt.joined == "intent" for receipt in joined)
        self.size.look()

    def _offer(self, number: int, delivery: str = "") -> m.Offer:
        more: dict[str, object] = {"delivery_key": delivery} if delivery else {}
        more |= {"conversation_id": uuid(number), "source": f"desk{number % DESKS}", "is_hash_only": number % 4 == 0}
        return offered(self.dice, number, **more)

    async def settle(self, *, is_telling: bool) -> None:
        """Claim, send and settle all there are, a hundred at a time; of every other hundred the tickets are told."""
        while claims := await self.store.claim(ORG, "w1", self.dice.token(), AT_ONCE):
            await asyncio.gather(*(self._end(claim) for claim in claims))
            self.done["settled"] += len(claims)
            if is_telling and self.done["settled"] // AT_ONCE % 2:
                await self._tell()
            self.size.look()

    async def _end(self, claim: m.Claim) -> None:
        await self.store.mark_sent(claim.lease, claim.epoch, m.Progress(), [LOOKED, LOOKED])
        await self.store.settle(claim.lease, GONE, 0.0, [LOOKED, LOOKED])

    async def _tell(self) -> None:
        """Tell of what is due; every fifth report becomes a dead letter."""
        claims = await self.store.claim_reports(ORG, "w1", self.dice.token(), AT_ONCE)
        await asyncio.gather(*(self._end_report(claim, is_dead=n % 5 == 0) for n, claim in enumerate(claims)))

    async def _end_report(self, claim: m.ReportClaim, *, is_dead: bool) -> None:
        try:
            if is_dead:
                await self.store.bury(claim.lease, "the desk will not have it")
            else:
                await self.store.told(claim.lease, [LOOKED])
        except LeaseLost:
            self.done["aged out while told"] += 1
        else:
            self.done["buried" if is_dead else "told"] += 1


@pytest.fixture
def quick() -> Iterator[blocking.Redis]:
    """Give a Redis of its own, which does not wait for a disk: what is on disk is no matter here."""
    with server() as url, blocking.Redis.from_url(url, decode_responses=True, protocol=2) as client:
        yield client


@asynccontextmanager
async def crowded(client: blocking.Redis, life_ms: int) -> AsyncIterator[Crowd]:
    """Give a store whose settled actions live so long, and all else of them a little less."""
    lives = Lives(
        action=life_ms,
        delivery=life_ms * 3 // 4,
        hash_only=life_ms // 2,
        ownership=life_ms // 4,
        step=1_000,
    )
    path = str(client.connection_pool.connection_kwargs["path"])
    link = Link(connect(f"unix://{path}"), HandClock())
    rate = Rate(per_minute=60_000_000.0, burst=1_000_000)
    yield Crowd(
        RedisStore(Sharing(link), CountingDice(), lives=lives, rate=rate, lease_seconds=LEASE_SECONDS), Size(client)
    )
    await link.aclose()


@pytest.mark.parametrize(
    "actions, life_ms",
    # fewer than a tenth in CI: making twenty thousand takes half a minute of two busy cores
    [(2_000, 2_000), pytest.param(200_000, 300_000, marks=pytest.mark.slow)],
    ids=["short", "full"],
)
async def test_all_of_it_ages_out(quick: blocking.Redis, actions: int, life_ms: int) -> None:
    """Settled actions with all that hangs on them end by themselves; no key, no member and no memory is left."""
    async with crowded(quick, life_ms) as crowd:
        # once round with a few, so that what a Redis keeps for good (scripts, tables, buffers) is there before
        await _round(crowd, range(FIRST, FIRST + AT_ONCE), is_telling=False)
        await _aged(crowd, life_ms)
        before, crowd.done, crowd.size = crowd.size.look(), Counter(), Size(quick)
        began = time.monotonic()
        await _round(crowd, range(actions), is_telling=True)
        made = time.monotonic()
        largest = (crowd.size.memory, crowd.size.keys)
        aged = await _aged(crowd, life_ms)
        after = crowd.size.look()
    done = crowd.done
    assert (done["accepted"], done["joined"], done["settled"]) == (actions, actions // 10, actions)
    assert done["told"] >= actions // 10  # on a slow machine more of them age out first
    assert done["buried"] >= actions // 40
    assert done["aged out untold"] > 0
    assert largest[1] > 6 * actions  # all were there before the first was settled
    assert largest[0] > before[0] + 2_000 * actions
    assert after[1] == before[1] == 0
    assert after[0] <= before[0] + MARGIN
    if actions >= 200_000:
        figures = {"before": before, "largest": largest, "after": after}
        write_evidence(
            "retention",
            command="python -m pytest -m slow tests/store/test_retention_mass.py",
            counters={**done, "actions": actions},
            findings=[],
            bytes_and_keys=figures,
            life_seconds=life_ms / 1_000,
            made_seconds=round(made - began, 1),
            aged_out_seconds=round(aged, 1),
            bytes_an_action=round((largest[0] - before[0]) / actions),
        )


async def _round(crowd: Crowd, numbers: range, *, is_telling: bool) -> None:
    for first in range(numbers.start, numbers.stop, AT_ONCE):
        await crowd.accept(range(first, min(first + AT_ONCE, numbers.stop)))
    await crowd.settle(is_telling=is_telling)


async def _aged(crowd: Crowd, life_ms: int) -> float:
    """Wait until nothing is left, as a worker waits that asks each second for what is due; return how long it took."""
    began = time.monotonic()
    # the audit and the minutes of a day end long after what they tell of: they have an end, and go at once here
    for key in [*crowd.size.client.scan_iter("*:audit:*"), *crowd.size.client.scan_iter("*:minutes:*")]:
        assert crowd.size.client.pttl(key) > 0
        crowd.size.client.delete(key)
    while crowd.size.look()[1]:
        await asyncio.sleep(LOOK_SECONDS)  # real processes: Redis ends what is over when it likes
        # only due sets are left, of reports that were told nobody: they are no more, which is seen when they come due
        if crowd.size.client.dbsize() <= DESKS + 1:
            due = sum(crowd.size.client.zcard(key) for key in crowd.size.client.scan_iter("*:due:reports:*"))
            crowd.done["aged out untold"] = max(crowd.done["aged out untold"], due)
            assert await crowd.store.claim_reports(ORG, "w2", crowd.dice.token(), AT_ONCE) == []
        assert time.monotonic() - began < life_ms / 1_000 + AGEING_SECONDS, crowd.size.look()
    return time.monotonic() - began
