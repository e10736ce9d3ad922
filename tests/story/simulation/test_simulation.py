"""The promises over whole stories: real flow, rules, scripts and Redis; time, order, people and faults by seed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import redis

from tests.story.simulation.playing import Season, run_seed, run_seeds

# As many as the README's test command has time for: one takes about 130 ms, and the whole is to end in five minutes.
SEEDS = 120
# Each fault at least so often. The rarest is expected ten times in the short run: any change in the flow deals all
# stories anew, and must not turn red by that; the long run holds the hundred.
LEAST, LEAST_LONG = 3, 100

LONG_SEEDS, CHUNKS = 5_000, 20  # nine minutes; in chunks, because no test may take two
FIRST_LONG = 100_000  # other seeds than the short run's
EVIDENCE = Path(__file__).parents[2] / "evidence" / "simulation.json"

# every fault that there is, by what its name begins with
FAULTS = (
    *("crash before", "crash after", "crash at look", "crash at send", "crash at any", "worker told to stop"),
    *(
        "freeze before",
        "freeze after",
        "freeze at look",
        "freeze at send",
        "freeze at any",
        "slow before",
        "slow after",
    ),
    *("crash before mark_sent", "crash after mark_sent", "crash before settle", "crash after settle"),
    *("freeze before mark_sent", "freeze before settle", "reply lost mark_sent", "reply lost settle"),
    *("reply lost accept", "reply lost claim", "reply lost end_report", "down before", "down after"),
    *("redis goes away", "redis away", "clock set forward", "clock set back", "genesys goes away"),
    *("look 500", "look 429", "look timeout", "look slow", "look 403", "look 401", "guard: too late to send"),
    *("removal 202 lag", "removal 202 without effect", "removal 404", "removal 409 present", "removal 409 gone"),
    *("removal 429", "removal 401", "removal 403", "removal 500 without effect", "removal 500 with effect"),
    *("removal answer lost", "removal request lost", "removal unreachable", "removal slow 202"),
    *("desk goes down", "desk down", "desk throttles", "desk writes and is not heard", "desk cut before", "desk slow"),
    *("people: leaves", "people: leaves and is back", "people: merge", "org paused", "source paused"),
    *("delivery new", "delivery delivery", "delivery intent", "delivery conflicts"),
)


def rare_faults(hits: Counter[str], least: int) -> dict[str, int]:
    """Return the faults that were hit less than `least` times."""
    found = {fault: sum(n for name, n in hits.items() if name.startswith(fault)) for fault in FAULTS}
    return {fault: number for fault, number in found.items() if number < least}


@pytest.fixture(scope="module")
def season(quick_client: redis.Redis) -> Season:
    """Play all seeds once."""
    return run_seeds(range(SEEDS), quick_client)


def test_no_promise_is_broken(season: Season) -> None:
    """Whatever strikes, in whatever order: each action ends once and truly, once done, on time, told, nothing left."""
    # one of them alone: python -m tests.story.simulation SEED
    assert season.broken == []


def test_every_fault_was_met(season: Season) -> None:
    """No fault is only drawn on paper: each has struck often enough to prove something."""
    assert rare_faults(season.hits, LEAST) == {}


def test_every_end_was_seen(season: Season) -> None:
    """The stories end in all eight ways, so that no check waits for what never comes."""
    ends = {name.split()[0] for name in season.outcomes}
    kinds = {"disconnected", "already_gone", "not_found", "refused", "expired", "failed", "unknown", "previewed"}
    assert kinds <= ends
    assert season.outcomes["removed"] > SEEDS / 2


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_same_seed_same_story(quick_client: redis.Redis, seed: int) -> None:
    """What a seed told once it tells again, to the last step: a failure can be looked at."""
    once, again = run_seed(seed, quick_client), run_seed(seed, quick_client)
    assert once.lines == again.lines
    assert once.trace == again.trace


def test_other_seed_other_story(quick_client: redis.Redis) -> None:
    """Another seed is another story."""
    assert run_seed(1, quick_client).trace != run_seed(2, quick_client).trace


@pytest.fixture(scope="module")
def long_season() -> Season:
    """Gather what the chunks of the long run find."""
    return Season()


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_promise_is_broken_for_long(quick_client: redis.Redis, long_season: Season, chunk: int) -> None:
    """The same over thousands of other seeds."""
    size = LONG_SEEDS // CHUNKS
    first = FIRST_LONG + chunk * size
    played = run_seeds(range(first, first + size), quick_client)
    long_season.add(played)
    assert played.broken == []


@pytest.mark.slow
def test_long_run_leaves_evidence(long_season: Season) -> None:
    """A full run writes down what it played, hit and found."""
    assert len(long_season.seeds) == LONG_SEEDS, "this test gathers what the chunks before it played"
    git = ("git", "rev-parse", "HEAD")
    commit = subprocess.run(git, capture_output=True, text=True, check=True, cwd=Path(__file__).parent).stdout.strip()
    written = {
        "commit": commit,
        "command": "pytest -m slow tests/story/simulation",
        "python": sys.version.split()[0],
        "seeds": {"first": min(long_season.seeds), "last": max(long_season.seeds), "number": len(long_season.seeds)},
        "outcomes": dict(sorted(long_season.outcomes.items())),
        "faults": dict(sorted(long_season.hits.items())),
        "findings": long_season.broken,
    }
    EVIDENCE.parent.mkdir(exist_ok=True)
    EVIDENCE.write_text(json.dumps(written, indent=1) + "\n")
    assert rare_faults(long_season.hits, LEAST_LONG) == {}
