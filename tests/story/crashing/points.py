"""Where a process can die: every await of a story, found by playing it; a chaos that strikes just one of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.store.script import Reply
from tests.story.simulation.chaos import Chaos
from tests.story.simulation.course import WHO, Course, CourseClock
from tests.story.simulation.ledger import Ledger

# What can be done to a process at an await: it dies; it stands still until another has finished, and goes on; or it
# gets no answer, for good (`down after`) or until it asks again (`reply lost`).
FREEZES = frozenset({"freeze at", "freeze before", "freeze after"})
FATES = FREEZES | {"crash at", "crash before", "crash after", "reply lost", "down after"}
FREEZE_SECONDS = 14.0  # more than two leases, and more than a sender's patience
# Asked each second, mostly for nothing: only those that took something, and the first ones, are awaits of their own.
IDLE = frozenset({"claim", "claim_reports", "wake"})
FIRST = 2
EMPTY_REPLY = 2  # a claim answers with two words before what it took


class Point(NamedTuple):
    """The nth time that something is asked for by this name, and what happens to who asks."""

    name: str
    ordinal: int
    fate: str

    @property
    def where(self) -> tuple[str, int]:
        """The await itself, whatever happens there."""
        return self.name, self.ordinal


class Strike(Chaos):
    """No chance: it counts every await of every process, and strikes at one, once."""

    def __init__(self, course: Course, clock: CourseClock, ledger: Ledger, rng: random.Random) -> None:
        super().__init__(course, clock, ledger, rng)
        self.freeze_seconds = (FREEZE_SECONDS, FREEZE_SECONDS)
        self.is_calm = True  # what looks here asks whether chance may strike: it may not
        self.plan: Point | None = None
        self.met: dict[Point, None] = {}
        self._asked: Counter[tuple[str, tuple[str, ...]]] = Counter()

    def drawn(self, name: str, kinds: Sequence[str]) -> str:
        """Return the fault that the plan has for this await, or ""."""
        fates = [fate for fate in dict.fromkeys(kinds) if fate in FATES]
        if not WHO.get() or not fates:
            return ""  # the world, which no fault stops
        self._asked[name, tuple(kinds)] += 1
        here = [Point(name, self._asked[name, tuple(kinds)], fate) for fate in fates]
        self.met |= dict.fromkeys(here)
        if self.plan is None or self.plan not in here:
            return ""
        if self.plan.fate in FREEZES:
            self.when_killed(WHO.get())  # as for who died, another one comes
        return self.plan.fate

    def calm(self) -> None:
        """Nothing to calm: who stands still goes on by himself, when another has finished."""

    def times(self, name: str) -> int:
        """Return how often something was asked for by this name so far."""
        return max((times for (asked, _), times in self._asked.items() if asked == name), default=0)


@dataclass
class Witness(Ledger):
    """A ledger that also knows which of the claims took something."""

    fruitful: set[tuple[str, int]] = field(default_factory=set)
    strike: Strike | None = None

    def step(self, name: str, keys: Sequence[str], args: Sequence[str], reply: Reply) -> None:
        """Write down a script that ran."""
        super().step(name, keys, args, reply)
        if name in IDLE and self.strike and isinstance(reply, list) and len(reply) > EMPTY_REPLY:
            self.fruitful.add((name, self.strike.times(name)))


def worth_it(witness: Witness, strike: Strike) -> list[Point]:
    """Return the points of a story that are to be struck: not the same idle question a hundred times."""
    is_news = {point: point.name not in IDLE or point.where in witness.fruitful for point in strike.met}
    return [point for point in strike.met if is_news[point] or point.ordinal <= FIRST]
