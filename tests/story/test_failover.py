"""A replica takes over behind a cut link, again and again, under load: what is promised then, and what is not."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from service.core.errors import StoreDown
from service.store.client import Durability, Link, connect
from service.store.redis import RedisStore
from tests.findings import write_evidence
from tests.fixtures.redis import CountingDice, HandClock
from tests.fixtures.servers import BRANDS, program_of
from tests.store.stories import offered
from tests.story.power.load import Load
from tests.story.power.pair import Pair, paired

SEED = 20261125
FULL = 30
MOMENT_SECONDS = (0.1, 0.4)  # from the first click until the replica hears nothing any more
ROUND_SECONDS = 5.0  # the most for each; one takes about a second
GAP_SECONDS = (0.02, 0.3)  # from then until the master is lost
NOT_IF_REPLICATED = ("lost", "outcome already_gone", "notes twice")  # all of it is our own work
COMMAND = "uv run pytest -m slow tests/story/test_failover.py"


async def fail_over(pair: Pair, load: Load, dice: random.Random) -> None:
    """Let the replica take over while it lacks the last writes; the old master is cut off, or turned into a replica."""
    await asyncio.sleep(dice.uniform(*MOMENT_SECONDS))  # real processes: at any moment
    known = pair.link.held_bytes
    pair.link.hold()
    await asyncio.sleep(dice.uniform(*GAP_SECONDS))  # real processes: so long only the old master hears what is written
    load.counters["bytes the replica lacks"] += pair.link.held_bytes - known
    await pair.promote()
    if is_cut := dice.choice((True, False)):
        pair.door.cut()
    load.counters["cut off" if is_cut else "turned into a replica"] += 1
    # who is still connected to the old master hears READONLY from now on
    await pair.follow()
    load.counters["failovers"] += 1


async def fail_over_again_and_again(load: Load, pair: Pair, rounds: int) -> None:
    """Fail over so often under load; look each time for what was promised, and at the end for how everything ended."""
    dice = random.Random(SEED)  # noqa: S311 - repeated by its seed; no secret is made
    async with load.under_way():
        for _ in range(rounds):
            async with load.clicking():
                await fail_over(pair, load, dice)
            load.counters["promises looked for"] += len(load.promised)
            load.counters["lost"] += len(await load.missing())
        accounts = await load.ended()
    load.findings += load.town.findings()
    load.counters["notes twice"] += sum(times > 1 for times in load.town.desk.notes.values())
    outcomes = (account.action.outcome for account in accounts.values())
    load.counters.update(f"outcome {outcome.kind}" for outcome in outcomes if outcome)


@dataclass
class Mode:
    """What one mode of durability showed."""

    durability: Durability
    brand: str
    counters: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    async def play(self, rounds: int) -> None:
        """Play all rounds."""
        async with paired(program_of(self.brand)) as pair, asyncio.timeout(ROUND_SECONDS * rounds):
            load = Load(pair.url, SEED, self.durability)
            await fail_over_again_and_again(load, pair, rounds)
        self.counters = load.counters + load.town.counters
        self.counters.update(dict.fromkeys(NOT_IF_REPLICATED, 0))  # a zero is said too
        self.findings = load.findings


EVERYWHERE = [pytest.param(brand, FULL, marks=pytest.mark.slow) for brand in BRANDS]


@pytest.mark.parametrize("brand, rounds", [("redis-7", 20), *EVERYWHERE])
async def test_failover(brand: str, rounds: int) -> None:
    """A replica takes over: replicated loses nothing; else accepts may be lost, but nobody goes twice or by mistake."""
    replicated, local = modes = Mode("replicated", brand), Mode("local", brand)
    await asyncio.gather(*(mode.play(rounds) for mode in modes))
    findings = [*replicated.findings, *local.findings]
    findings += [f"{what} although replicated" for what in NOT_IF_REPLICATED if replicated.counters[what]]
    if rounds == FULL:
        seen: dict[str, object] = {mode.durability: dict(sorted(mode.counters.items())) for mode in modes}
        write_evidence(f"failover_{brand}", command=COMMAND, counters=seen, findings=findings, seed=SEED)
    assert findings == []
    for mode in modes:
        assert mode.counters["failovers"] == rounds
        for fault in ("bytes the replica lacks", "cut off", "turned into a replica", "promises looked for"):
            assert mode.counters[fault] > 0, mode
        assert mode.counters["callers back"] > 0
    assert replicated.counters["503"] > 0, replicated
    # a failover that took nothing back would prove nothing
    assert local.counters["lost"] > 0, local


@pytest.mark.parametrize("brand", BRANDS)
async def test_a_repeat_is_no_proof(brand: str, dice: CountingDice) -> None:
    """What no replica has is not promised when it is asked again either, over whatever connection."""
    async with paired(program_of(brand)) as pair:
        offer = offered(dice)
        pair.link.hold()
        for _ in ("new", "asked again"):
            async with aclosing(Link(connect(pair.url), HandClock(), durability="replicated")) as link:
                with pytest.raises(StoreDown, match=r"no replica|did not answer"):
                    await RedisStore(link, dice).accept(offer)
        assert pair.link.held_bytes > 0


@pytest.mark.parametrize("brand", BRANDS)
async def test_receivers_leave_an_old_master(brand: str, dice: CountingDice) -> None:
    """Who only accepts, and hears READONLY from an old master, finds the new one where the address leads to it."""
    async with paired(program_of(brand)) as pair, aclosing(Link(connect(pair.url), HandClock())) as link:
        store = RedisStore(link, dice)
        await store.accept(offered(dice, 1))
        await pair.promote()
        await pair.follow()
        with pytest.raises(StoreDown, match=r"ReadOnly|READONLY"):
            await store.accept(offered(dice, 2))
        assert (await store.accept(offered(dice, 3))).joined == ""
