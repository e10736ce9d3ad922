"""What happens in a story, thrown by its dice: people, clicks, and the blows that fall at a moment, not at a step."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import redis as blocking

from service.core.errors import StoreDown
from service.core.ports import Store
from tests.story.simulation.chaos import Chaos
from tests.story.simulation.cloud import LAG_SECONDS, Cloud, Talk
from tests.story.simulation.course import Course, CourseClock
from tests.story.simulation.desk import ORGS, Click, Desk, Sender
from tests.story.simulation.failover import Failover
from tests.story.simulation.ledger import Ledger

CALLER, OTHER, THIRD, STRANGER = "+14155550123", "+14155550188", "+14155550177", "+14155550999"
NAMES = {CALLER: "caller", OTHER: "other", THIRD: "third"}
SET_MOST = 3.0  # seconds in all: what the rules' grace has room for, see cloud.py


POISONED = 0.06  # of stories have an action that kills each worker that takes it up
FAILOVERS = 0.07  # of stories have some

WHO_IS_MEANT = (
    ("phone",) * 6
    + ("other",) * 4
    + ("third",) * 4
    + ("id", "id", "both", "stranger", "nowhere", "preview", "elsewhere")
)


@dataclass
class Scenes:
    """Throws the dice for one story, and puts what they show on the course."""

    rng: random.Random
    course: Course
    clock: CourseClock
    ledger: Ledger
    chaos: Chaos
    cloud: Cloud
    desks: dict[str, Desk]
    sender: Sender
    store: Store
    someone: Callable[[], str]
    retire: Callable[[str], None]
    client: blocking.Redis

    def begin(self, storm_seconds: float) -> None:
        """Lay out the whole story."""
        talks = [self._talk() for _ in range(self.rng.choice((2, 3, 3, 4)))]
        for number in range(self.rng.randint(4, 9)):
            self._clicks(number, self.rng.choice(talks), storm_seconds)
        if self.rng.random() < POISONED:
            poison = self._talk()
            poison.is_poison = True
            click = Click("poison", poison.id, ("phone", CALLER), f"incident/{'d' * 32}")
            click.source = next(source for source in self.desks if ORGS[source] == poison.org)
            self._sent(click, self.rng.uniform(0.5, 10.0), 0.0)
        self._blows(storm_seconds)

    def at(self, seconds: float, act: Callable[[], Awaitable[object]]) -> None:
        """Let the world do `act` in `seconds`, unless the storm is over by then."""

        async def acted() -> None:
            with contextlib.suppress(StoreDown):  # as an operator would: pauses are taken back when it is calm
                await act()

        self.course.later(seconds, lambda: self.course.start("", acted()))

    # --- people ------------------------------------------------------------------------------------------------------

    def _talk(self) -> Talk:
        rng, cloud = self.rng, self.cloud
        opens_at = self.clock.monotonic() + rng.choice((0.0, 0.0, rng.uniform(0.0, 6.0)))
        talk = Talk(
            cloud.uuid(),
            rng.choice((0.0, 0.3, rng.uniform(0.0, LAG_SECONDS))),
            opens_at,
            ORGS[rng.choice(list(self.desks))],
        )
        cloud.talks[talk.id] = talk
        cloud.join(talk, "caller", "customer", CALLER)
        cloud.join(talk, "agent", "agent", CALLER)
        if rng.random() < 0.85:
            cloud.join(talk, "other", "external", OTHER)
        if rng.random() < 0.7:
            cloud.join(talk, "third", "external", THIRD)
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            self.at(rng.uniform(0.5, 30.0), self._moves(talk))
        return talk

    def _moves(self, talk: Talk) -> Callable[[], Awaitable[object]]:
        async def moved() -> None:
            kind = self.rng.choice(("leaves", "leaves and is back", "leaves and is back", "merge"))
            there = [stay for stay in talk.present() if stay.name != "agent"]
            if not there:
                return
            self.ledger.hit(f"people: {kind}")
            if kind == "merge":
                self.cloud.merge(talk)
                return
            stay = self.rng.choice(there)
            self.cloud.leave(talk, stay, "himself")
            if kind == "leaves and is back":
                await self.clock.sleep(self.rng.uniform(0.1, 6.0))
                self.cloud.join(talk, stay.name, stay.purpose, stay.phone, is_back=True)

        return moved

    # --- clicks ------------------------------------------------------------------------------------------------------

    def _clicks(self, number: int, talk: Talk, storm_seconds: float) -> None:
        rng, at = self.rng, self.rng.uniform(0.5, storm_seconds - 8.0)
        click = Click(f"m{number}", talk.id, ("phone", CALLER), f"incident/{number:032x}")
        click.source = next(source for source in self.desks if ORGS[source] == talk.org)
        stay = rng.choice(talk.stays)
        match rng.choice(WHO_IS_MEANT):
            case "other":
                click.selector = ("phone", OTHER)
            case "third":
                click.selector = ("phone", THIRD)
            case "id":
                click.selector = ("participant_id", stay.id)
            case "both":
                click.selector, click.identity = ("participant_id", stay.id), CALLER
            case "stranger":
                click.selector = ("phone", STRANGER)
            case "nowhere":
                click.conversation = self.cloud.uuid()
            case "elsewhere":  # a conversation that may be another org's
                click.source = rng.choice(list(self.desks))
                if ORGS[click.source] != talk.org:
                    self.ledger.hit("a conversation of another org")
            case "preview":
                click.preview = True
            case _:
                pass
        age = rng.choice((0.0, 0.0, 0.0, rng.uniform(0.0, 30.0)))
        self._sent(click, at, age)
        for _ in range(rng.choice((0, 1, 1, 3))):
            self._again(click, at, age)

    def _sent(self, click: Click, at: float, age: float) -> None:
        async def sent() -> None:
            await self.sender.send(click)

        click.clicked_at = self.clock.now() + round((at - age) * 1000)
        self.at(at, sent)

    def _again(self, click: Click, at: float, age: float) -> None:
        rng, after = self.rng, at + self.rng.choice((0.0, 0.01, self.rng.uniform(0.0, 15.0)))
        other = replace(click)
        match rng.choice(("same", "same", "wish", "ticket", "conflict")):
            case "same":

                async def sent() -> None:
                    await self.sender.send(click)

                self.at(after, sent)
            case "conflict":
                other.ticket = "incident/" + "f" * 32

                async def clashed() -> None:
                    await self.sender.clash(other)

                self.at(after, clashed)
            case kind:
                other.message = f"{click.message}-{rng.getrandbits(32):08x}"
                if kind == "ticket":
                    other.ticket = f"incident/{rng.getrandbits(64):032x}"
                self._sent(other, after, 0.0 if after > at else age)

    # --- blows -------------------------------------------------------------------------------------------------------

    def _blows(self, storm_seconds: float) -> None:
        rng = self.rng
        blows = (
            self._crash,
            self._freeze,
            self._freeze,
            self._retire,
            self._redis,
            self._desk,
            self._pause,
            self._genesys,
        )
        for blow in blows:
            if rng.random() < 0.5:
                self.at(rng.uniform(1.0, storm_seconds - 6.0), blow)
        if rng.random() < FAILOVERS:
            for _ in range(3):
                self.at(rng.uniform(1.0, storm_seconds - 6.0), self._failover)
        if rng.random() < 0.5:
            first = rng.uniform(-SET_MOST, SET_MOST)
            self.at(rng.uniform(1.0, 15.0), self._set_clock(first))
            if first < 0 or rng.random() < 0.5:
                self.at(rng.uniform(16.0, 30.0), self._set_clock(-first))

    async def _crash(self) -> None:
        if who := self.someone():
            self.ledger.hit("crash at any moment")
            self.chaos.crash(who)

    async def _freeze(self) -> None:
        if who := self.someone():
            self.ledger.hit("freeze at any moment")
            self.course.freeze(who, self.rng.uniform(1.0, 12.0))

    async def _retire(self) -> None:
        if who := self.someone():
            self.ledger.hit("worker told to stop")
            self.retire(who)

    async def _redis(self) -> None:
        self.ledger.hit("redis goes away")
        self.chaos.is_redis_down = True
        await self.clock.sleep(self.rng.uniform(0.3, 5.0))
        self.chaos.is_redis_down = False

    async def _failover(self) -> None:
        failover = Failover(self.client, self.ledger)
        await self.clock.sleep(self.rng.uniform(0.02, 0.8))
        failover.happens()

    async def _desk(self) -> None:
        self.ledger.hit("desk goes down")
        desk = self.desks[self.rng.choice(list(self.desks))]
        desk.is_down = True
        await self.clock.sleep(self.rng.uniform(1.0, 15.0))
        desk.is_down = False

    async def _genesys(self) -> None:
        self.ledger.hit("genesys goes away")
        self.cloud.is_away = True
        await self.clock.sleep(self.rng.uniform(1.0, 12.0))
        self.cloud.is_away = False

    async def _pause(self) -> None:
        name = self.rng.choice(list(self.desks))
        source = self.rng.choice(("", name))
        self.ledger.hit("org paused" if not source else "source paused")
        await self.store.pause(ORGS[name], source)
        await self.clock.sleep(self.rng.uniform(1.0, 15.0))
        await self.store.resume(ORGS[name], source)

    def _set_clock(self, seconds: float) -> Callable[[], Awaitable[object]]:
        async def set_it() -> None:
            self.ledger.hit("clock set forward" if seconds > 0 else "clock set back")
            self.clock.ahead_ms += round(seconds * 1000)

        return set_it
