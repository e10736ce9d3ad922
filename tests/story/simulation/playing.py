"""Play seeds: one, or many with everything they hit and broke; here, or in processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis as blocking

from service.store.embedded import EmbeddedRedis
from tests.fixtures.redis import short_folder
from tests.story.simulation.promises import broken_in
from tests.story.simulation.story import Bend, Story

PROCESSES = 2  # as many as the smallest machine has cores


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

    def words(self) -> str:
        """Return it as one line, for the process that asked for it."""
        return json.dumps(vars(self))

    @classmethod
    def read(cls, line: str) -> Season:
        """Return what `words` said."""
        said = json.loads(line)
        return cls(said["seeds"], Counter(said["hits"]), Counter(said["outcomes"]), said["broken"])


@contextmanager
def quick_redis() -> Iterator[blocking.Redis]:
    """Give a Redis of one's own that does not wait for the disk: what is on disk is no matter here."""
    folder = short_folder()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        server = stack.enter_context(EmbeddedRedis(folder))
        options = {"decode_responses": True, "protocol": 2, "single_connection_client": True}
        client = stack.enter_context(blocking.Redis.from_url(server.url, **options))
        client.config_set("appendonly", "no")
        yield client


def play_apart(module: str, many: Sequence[Sequence[str]]) -> list[str]:
    """Run `python -m module` with each list of words, all at once; return the last line that each printed."""
    top = Path(__file__).parents[3]
    with ExitStack() as stack:
        players = []
        for words in many:
            command = (sys.executable, "-m", module, *words)
            player = stack.enter_context(subprocess.Popen(command, cwd=top, stdout=subprocess.PIPE, text=True))
            stack.callback(player.kill)  # whatever happens to us, nobody plays on
            players.append(player)
        said = [player.communicate()[0].splitlines() for player in players]
        assert [player.returncode for player in players] == [0] * len(players)
    return [lines[-1] for lines in said]


def run_apart(first: int, number: int) -> Season:
    """Play `number` seeds from `first` on, in as many processes as there are cores, each with a Redis of its own."""
    shares = [(str(first + one), str(first + number), str(PROCESSES)) for one in range(PROCESSES)]
    season = Season()
    for line in play_apart("tests.story.simulation", shares):
        season.add(Season.read(line))
    return season


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
