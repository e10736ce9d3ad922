"""Play seeds: one, or many with everything they hit and broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import redis as blocking

from tests.story.simulation.promises import broken_in
from tests.story.simulation.story import Bend, Story


@dataclass(frozen=True)
class Played:
    """What is kept of one story."""

    seed: int
    trace: str
    lines: tuple[str, ...]
    hits: Counter[str]
    outcomes: Counter[str]
    broken: tuple[tuple[str, str], ...]


@dataclass
class Season:
    """What is kept of many."""

    seeds: list[int] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Season) -> None:
        """Take another season's findings in."""
        self.seeds += other.seeds
        self.hits += other.hits
        self.outcomes += other.outcomes
        self.broken += other.broken


def run_seed(seed: int, client: blocking.Redis, bend: Bend | None = None) -> Played:
    """Play one seed on an emptied Redis."""
    story = Story(seed, client, bend)
    story.play()
    outcomes = Counter(f"{end.outcome} {end.reason}" for ends in story.ledger.ends.values() for end in ends)
    ledger = story.ledger
    outcomes["removed"] = sum(patch.is_effective for patch in ledger.patches)
    outcomes["PATCH"] = len(ledger.patches)
    return Played(seed, ledger.trace, tuple(ledger.lines), ledger.hits, +outcomes, tuple(broken_in(story)))


def run_seeds(seeds: Iterable[int], client: blocking.Redis, bend: Bend | None = None) -> Season:
    """Play many seeds; each broken promise is kept with the seed that broke it."""
    season = Season()
    for seed in seeds:
        played = run_seed(seed, client, bend)
        season.seeds.append(seed)
        season.hits += played.hits
        season.outcomes += played.outcomes
        season.broken += [f"seed {seed}: {promise}: {how}" for promise, how in played.broken]
    return season
