"""One small story for each behaviour of Genesys, to be played once as it is, and once for each await with a blow there.

A caller is clicked away by two tickets at once, one of them sent twice, and another person of the same conversation by
a third; the desk throttles one note, refuses one, and is slow with one. So there is every step of the flow to strike.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import redis as blocking

from service.core import model as m
from service.store.budget import Rate
from tests.story.crashing.points import FREEZE_SECONDS, FREEZES, Point, Strike, Witness, worth_it
from tests.story.simulation.cloud import LAG_SECONDS, Cloud, Talk
from tests.story.simulation.desk import ORG, SOURCE, Click, Desk
from tests.story.simulation.ledger import Wish
from tests.story.simulation.promises import Broken, broken_in
from tests.story.simulation.scenes import CALLER, OTHER, THIRD
from tests.story.simulation.story import Circumstances, Kinds, Story

K = m.OutcomeKind
_T = TypeVar("_T")
SEED = 1  # of what chance is left: how long an answer takes

# What Genesys does with the first removal that reaches it, and how the action ends when nothing else goes wrong.
BEHAVIOURS: dict[str, K] = {
    "202": K.DISCONNECTED,
    "202 lag": K.DISCONNECTED,
    "202 without effect": K.DISCONNECTED,  # by the second removal, as every one that may be repeated
    "404": K.DISCONNECTED,
    "409 present": K.DISCONNECTED,
    "409 gone": K.ALREADY_GONE,
    "429": K.DISCONNECTED,
    "401": K.FAILED,
    "403": K.FAILED,
    "500 without effect": K.DISCONNECTED,
    "500 with effect": K.DISCONNECTED,
    "answer lost": K.DISCONNECTED,
}


class Case(NamedTuple):
    """One story: what Genesys does, and where a process is struck (None: nowhere)."""

    behaviour: str
    point: Point | None

    def __str__(self) -> str:
        if self.point is None:
            return self.behaviour
        return f"{self.behaviour} / {self.point.name} / {self.point.ordinal} / {self.point.fate}"

    @classmethod
    def named(cls, words: str) -> Case:
        """Return the case of such a name."""
        behaviour, *where = words.split(" / ")
        return cls(behaviour, Point(where[0], int(where[1]), where[2]) if where else None)


class OneCloud(Cloud):
    """A Genesys that misbehaves once: with the first removal of the caller."""

    behaviour = "202"
    _is_used = False

    def removal_kind(self, participant: str) -> str:
        """Return what becomes of a removal that is handed over now."""
        stays = [stay for talk in self.talks.values() for stay in talk.stays if stay.id == participant]
        if self._is_used or not stays or stays[0].name != "caller":
            return "202"
        self._is_used = True
        return self.behaviour


class OneDesk(Desk):
    """A desk that throttles the first note, refuses the second and is slow with the third."""

    _asked = 0

    def fault(self, what: str) -> str:
        """Return what this desk does wrong now, or ""."""
        if what != "tell":
            return ""
        self._asked += 1
        return {1: "desk throttles", 2: "desk refuses", 3: "desk slow"}.get(self._asked, "")


class CrashStory(Story):
    """The story of one case."""

    storm_seconds = 3.0
    hire_seconds = (0.5, 0.5)
    straggler_seconds = 2.0  # the next one has come, and the dead do nothing any more

    def __init__(self, case: Case, client: blocking.Redis) -> None:
        super().__init__(SEED, client, kinds=Kinds(Witness, Strike, OneCloud, OneDesk))
        self.strike, self.witness = _as(Strike, self.chaos), _as(Witness, self.ledger)
        if case.point and case.point.fate in FREEZES:
            self.straggler_seconds += FREEZE_SECONDS
        self.strike.plan, self.witness.strike = case.point, self.strike
        _as(OneCloud, self.cloud).behaviour = case.behaviour
        self.lag = LAG_SECONDS if case.behaviour == "202 lag" else 0.3

    def circumstances(self) -> Circumstances:
        """Nothing is left to chance."""
        return Circumstances(
            max_age_seconds=120.0, rate=Rate(300.0, 30), last_pair="allow", workers=1, sources=(SOURCE,)
        )

    def begin(self) -> None:
        """Lay out what is going to happen."""
        talk = Talk(self.cloud.uuid(), self.lag, self.clock.monotonic(), ORG)
        self.cloud.talks[talk.id] = talk
        people = (("caller", "customer", CALLER), ("agent", "agent", CALLER), ("other", "external", OTHER))
        for who in (*people, ("third", "external", THIRD)):
            self.cloud.join(talk, *who)
        first, beside, another = ("m0", CALLER, 0.5), ("m1", CALLER, 0.55), ("m2", OTHER, 0.6)
        for message, phone, at in (first, first, beside, another):
            click = Click(message, talk.id, ("phone", phone), f"incident/{int(message[1:]):032x}")
            click.clicked_at = self.clock.now() + round(at * 1000)
            self.course.later(at, self._click, click)

    def _click(self, click: Click) -> None:
        self.tasks.append(self.course.start("", self._sent(click)))

    async def _sent(self, click: Click) -> None:
        await self.sender.send(click)


@dataclass(frozen=True)
class Told:
    """What one case showed."""

    case: Case
    broken: tuple[Broken, ...]
    outcome: str
    hits: Counter[str]
    points: tuple[Point, ...]


def play(case: Case, client: blocking.Redis) -> Told:
    """Play one case on an emptied Redis, and ask all promises."""
    story = CrashStory(case, client)
    story.play()
    first = next(wish for wish in story.ledger.wishes if wish.message == "m0")
    last = next(wish for wish in story.ledger.wishes if wish.message == "m2")
    kinds = [_outcome(story, wish) for wish in (first, last)]
    broken = [*broken_in(story), *_unexpected(case, kinds), *_unstruck(case, story)]
    points = tuple(worth_it(story.witness, story.strike))
    return Told(case, tuple(broken), str(kinds[0]), story.ledger.hits, points)


def _unexpected(case: Case, kinds: list[K | None]) -> Iterator[Broken]:
    """A blow changes the end of a story only where a bare mark makes us look, and then do it."""
    fitting = {BEHAVIOURS[case.behaviour]} | ({K.DISCONNECTED} if case.point else set())
    if kinds[0] not in fitting:
        yield "the end that fits", f"{kinds[0]} instead of {sorted(fitting)}"
    if kinds[1] is not K.DISCONNECTED:
        yield "the end that fits", f"the other one is {kinds[1]}"


def _unstruck(case: Case, story: CrashStory) -> Iterator[Broken]:
    """A fault that never struck proves nothing."""
    if case.point and story.ledger.hits[f"{case.point.fate} {case.point.name}"] != 1:
        yield "the fault struck", str(case)
    if case.behaviour != "202" and story.ledger.hits[f"removal {case.behaviour}"] != 1:
        yield "the fault struck", f"{case}: Genesys did not misbehave"


def _outcome(story: Story, wish: Wish) -> K | None:
    account = story.accounts.get(wish.actions[0]) if wish.actions else None
    return account.action.outcome.kind if account and account.action.outcome else None


def _as(kind: type[_T], it: object) -> _T:
    assert isinstance(it, kind)
    return it


def discovered(client: blocking.Redis) -> tuple[list[Told], list[Case]]:
    """Play each behaviour once as it is; return that, and a case for each await that was met and each fate there.

    The cases come in an order of no meaning, but always the same: so that a part of them is a fair sample.
    """
    told = [play(Case(behaviour, None), client) for behaviour in BEHAVIOURS]
    cases = [Case(one.case.behaviour, point) for one in told for point in one.points]
    random.Random(SEED).shuffle(cases)  # noqa: S311 - a sample that is the same each time; nothing secret is made
    return told, cases


@dataclass
class Harvest:
    """What many cases showed."""

    cases: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    awaits: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, told: Told) -> None:
        """Take in one case."""
        self.cases += 1
        self.broken += [f"{told.case}: {promise}: {how}" for promise, how in told.broken]
        self.outcomes[f"{told.case.behaviour}: {told.outcome}"] += 1
        if point := told.case.point:
            self.struck[f"{point.fate} {point.name}"] += 1
            self.awaits = sorted({*self.awaits, f"{point.name} {point.ordinal}"})

    def join(self, other: Harvest) -> None:
        """Take in what another process found."""
        self.cases += other.cases
        self.struck += other.struck
        self.outcomes += other.outcomes
        self.awaits = sorted({*self.awaits, *other.awaits})
        self.broken += other.broken

    def words(self) -> str:
        """Return it as one line, for the process that asked for it."""
        return json.dumps(vars(self))

    @classmethod
    def read(cls, line: str) -> Harvest:
        """Return what `words` said."""
        said = json.loads(line)
        counted = (Counter(said["struck"]), Counter(said["outcomes"]))
        return cls(said["cases"], *counted, said["awaits"], said["broken"])
