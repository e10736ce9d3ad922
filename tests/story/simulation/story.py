"""One simulated story: what is going to happen by the seed, who takes part, and how it is played to its end."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis as blocking
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import StoreDown
from service.core.ports import Genesys, Source, Store
from service.flow.intake import Intake
from service.flow.worker import Worker
from service.flow.workplace import Workplace
from service.store.budget import Rate
from service.store.keys import Keys
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice
from tests.story.simulation.chaos import Chaos, Passage
from tests.story.simulation.cloud import Cloud, CloudPort
from tests.story.simulation.course import Course, CourseClock
from tests.story.simulation.desk import ORGS, SOURCE, Desk, Sender
from tests.story.simulation.ledger import Ledger
from tests.story.simulation.scenes import Scenes

STORM_SECONDS = 35.0  # faults until then
ALONE = 0.7  # of stories have one org; with two there is twice as much to ask Redis
MOST_SECONDS = 1200.0  # the verify budget (15 min), and five more


def _dice(what: str, seed: int) -> random.Random:
    """Return chance of its own for each part of a story, so that a change in one leaves the others as they were."""
    return random.Random(f"{what} {seed}")  # noqa: S311 - a story is repeated by its seed; nothing secret is made


def _as_it_is(port: Any) -> Any:  # noqa: ANN401 - whichever port
    return port


@dataclass(frozen=True)
class Bend:
    """Ports as a mutant has them; by default as they are."""

    store: Callable[[RedisStore, Ledger, blocking.Redis], Store] = lambda store, _, __: store
    genesys: Callable[[Genesys], Genesys] = _as_it_is
    source: Callable[[Source], Source] = _as_it_is


class Rests:
    """The clock of a process, which may die or stand still also while it waits."""

    def __init__(self, clock: CourseClock, chaos: Chaos) -> None:
        self._clock, self._chaos = clock, chaos
        self.now, self.monotonic = clock.now, clock.monotonic

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        with contextlib.suppress(StoreDown):  # the story is over
            await self._chaos.point("rest", ("crash before", "freeze before"))
            await self._clock.sleep(seconds)
            await self._chaos.point("rested", ("crash after", "freeze after"))


class Bells:
    """A waiter that is woken when it is lucky: a lost wake costs at most the time asked for."""

    def __init__(self, clock: CourseClock, chaos: Chaos, rng: random.Random) -> None:
        self._clock, self._chaos, self._rng = clock, chaos, rng

    async def for_due(self, org: str, kind: str, seconds: float) -> None:
        """Return when something may be due, or after `seconds`."""
        await self._clock.sleep(seconds * self._rng.choice((1.0, 1.0, 1.0, self._rng.random())))
        with contextlib.suppress(StoreDown):  # the story is over
            await self._chaos.point("wake", ("crash at", "freeze at"))

    async def for_settled(self, action_id: str, seconds: float) -> None:
        """Return after `seconds`: nobody of the story waits for an outcome."""
        await self._clock.sleep(seconds)


@dataclass(frozen=True)
class Circumstances:
    """What a story is given from outside."""

    max_age_seconds: float
    rate: Rate
    last_pair: str
    workers: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Kinds:
    """Of which kind the parts of a story are."""

    ledger: type[Ledger] = Ledger
    chaos: type[Chaos] = Chaos
    cloud: type[Cloud] = Cloud
    desk: type[Desk] = Desk


class Story:
    """Everything real but the world: the flow, the rules, the scripts and Redis are those of production."""

    storm_seconds = STORM_SECONDS
    hire_seconds = (0.5, 4.0)  # until somebody comes for who died
    straggler_seconds = 12.0  # two leases: what one that stood still would do after the end

    def __init__(self, seed: int, client: blocking.Redis, bend: Bend | None = None, kinds: Kinds | None = None) -> None:
        bend, kinds = bend or Bend(), kinds or Kinds()
        self.seed, self.client, self.keys = seed, client, Keys()
        self.rng = _dice("story", seed)
        self.course = Course(_dice("order", seed))
        self.clock = CourseClock(self.course)
        self.ledger = kinds.ledger(self.clock)
        self.chaos = kinds.chaos(self.course, self.clock, self.ledger, _dice("chaos", seed))
        self.chaos.when_killed = self._hire_later
        self.cloud = kinds.cloud(self.course, self.clock, self.ledger, self.chaos, _dice("cloud", seed))
        self.given = self.circumstances()
        max_age = self.given.max_age_seconds
        world = (self.clock, self.ledger, self.chaos)
        self.desks: dict[str, Desk] = {
            source: kinds.desk(source, *world, _dice(source, seed), max_age_seconds=max_age)
            for source in self.given.sources
        }
        passage = Passage(client, self.clock, self.ledger, self.chaos)
        self.dice = CountingDice()
        self.real = RedisStore(passage, self.dice, rate=self.given.rate, now_ms=self.clock.redis_now)
        self.store = bend.store(self.real, self.ledger, client)
        self.genesys = {ORGS[source]: bend.genesys(CloudPort(self.cloud, ORGS[source])) for source in self.desks}
        self.sources = {source: bend.source(desk) for source, desk in self.desks.items()}
        self.terms = m.Terms(m.Policy(last_pair=self.given.last_pair))
        intake = Intake(self.sources, self.store, self.clock, self.dice, lambda *_: self.terms)
        self.sender = Sender(intake, self.course, self.clock, self.ledger, self.chaos, max_age_seconds=max_age)
        parts = (self.clock, self.ledger, self.chaos, self.cloud, self.desks, self.sender, self.real)
        self.scenes = Scenes(self.rng, self.course, *parts, self.someone, self.retire, client)
        self.accounts: dict[str, m.Account] = {}
        self.places: dict[str, Workplace] = {}
        self.hired = 0
        self.tasks: list[asyncio.Task[None]] = []

    def circumstances(self) -> Circumstances:
        """Throw the dice for what is given from outside."""
        rng = self.rng
        rate = Rate(*rng.choice(((300.0, 30), (300.0, 30), (120.0, 5))))
        last_pair, workers = rng.choice(("allow", "allow", "refuse")), rng.choice((2, 2, 3))
        sources = (SOURCE,) if rng.random() < ALONE else tuple(ORGS)
        return Circumstances(rng.uniform(12.0, 45.0), rate, last_pair, workers, sources)

    def begin(self) -> None:
        """Lay out what is going to happen."""
        self.scenes.begin(self.storm_seconds)

    # --- processes ---------------------------------------------------------------------------------------------------

    def hire(self) -> None:
        """Start another worker process."""
        self.hired += 1
        name = f"w{self.hired}"
        place = Workplace(
            worker=name,
            store=self.store,
            budget=self.real,
            waiter=Bells(self.clock, self.chaos, self.rng),
            clock=Rests(self.clock, self.chaos),
            dice=self.dice,
            genesys=self.genesys,
            sources=self.sources,
            terms=dict.fromkeys(self.genesys, self.terms),
        )
        self.places[name] = place
        self.tasks.append(self.course.start(name, Worker(place).run()))

    def _hire_later(self, who: str) -> None:
        if self.places.pop(who, None) is None:
            return  # a receiver: the next delivery has its own
        self.course.later(self.rng.uniform(*self.hire_seconds), self.hire)

    def someone(self) -> str:
        """Return the name of a worker that lives and moves, or "" when there is none."""
        able = sorted(set(self.places) - self.course.still)
        return self.rng.choice(able) if able else ""

    def retire(self, who: str) -> None:
        """Ask a worker to stop in good order, as SIGTERM does."""
        self.places[who].stopping.set()
        self._hire_later(who)

    # --- the play ----------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play it all, and collect what Redis says in the end."""
        self.client.flushdb()
        with capture_logs() as logs:
            try:
                self.course.run_until_complete(self.course.start("", self._acts()))
            finally:
                self.chaos.is_over = True
                self.course.bury()
        for line in logs:
            if line["event"] == "fault.raised" and "story is over" not in str(line["message"]):
                self.ledger.breach("no fault of ours", f"{line['fault']}: {line['message']} at {line['at']}")

    async def _acts(self) -> None:
        for _ in range(self.given.workers):
            self.hire()
        self.begin()
        await self.clock.sleep(self.storm_seconds)
        self.chaos.calm()
        self.cloud.is_away = False
        for source, desk in self.desks.items():
            desk.is_down = False
            await self.real.resume(ORGS[source], source)
            await self.real.resume(ORGS[source])
        self.ledger.tell("calm")
        while not self._is_settled():
            await self.clock.sleep(1.0)
            if self.clock.monotonic() > MOST_SECONDS + 1000.0:
                self.ledger.breach("everything ends", "something is still open")
                break
        await self.clock.sleep(self.straggler_seconds)
        for action in self.ledger.conversations:
            account = await self.real.read(action)
            if account is not None:
                self.accounts[action] = account

    def _is_settled(self) -> bool:
        due = [self.keys.due_removals(org) for org in self.genesys]
        due += [self.keys.due_reports(ORGS[source], source) for source in self.desks]
        return self.sender.unsent == 0 and not self.client.exists(*due)
