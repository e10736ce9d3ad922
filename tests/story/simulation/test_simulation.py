"""The promises over whole stories: real flow, rules, scripts and Redis; time, order, people and faults by seed."""

from __future__ import annotations

import os
from collections import Counter

import pytest
import redis

from tests.findings import write_evidence
from tests.story.simulation.chaos import AFTER, BEFORE, REFUSALS
from tests.story.simulation.playing import PROCESSES, Season, run_apart, run_seed

# What CI plays, on two processes; in pieces, because no test may take two minutes on a busy machine.
SEEDS, PIECES = 500, 10
# Each fault at least so often. Any change in the flow deals all stories anew, and must not turn the short run red by
# that; the long run holds the hundred.
LEAST, LEAST_LONG = 3, 100

LONG_SEEDS = int(os.environ.get("SIMULATION_SEEDS", "20000"))  # about half an hour on two quiet cores
LONG_PIECE = 1_000  # so that what was found until then is not lost with an interrupted run
FIRST_LONG = 100_000  # other seeds than the short run's

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
    "guard: too late to tell",
    *("people: leaves", "people: leaves and is back", "people: merge", "org paused", "source paused"),
    *("delivery new", "delivery delivery", "delivery intent", "delivery conflicts"),
    *("crash at post", "freeze at post", "crash before accept", "crash after accept", "freeze before accept"),
    *("crash before 2xx", "freeze before 2xx", "reply lost 2xx", "sender not answered", "sender told 503"),
    *("noscript before", "refused before", *(f"redis says {code}" for code in REFUSALS)),
    *("crash before rest", "crash after rested", "freeze before rest", "freeze after rested", "crash at wake"),
    *("freeze at wake", "reply lost look answer", "reply lost send answer", "reply lost is told", "reply lost tell"),
    *("reply lost note", "crash after note", "freeze after note", "crash at tell", "crash at is told", "poison"),
    *("failover lost writes", "a conversation of another org"),
)
# in the long run every fault at every step of the store
STEPS = (
    *("accept", "claim", "renew", "spend", "pin", "mark_sent", "answered", "unsent", "throttle", "put_back", "settle"),
    *("claim_reports", "end_report"),
)
EVERYWHERE = tuple(f"{fault} {step}" for step in STEPS for fault in sorted({*BEFORE, *AFTER}))


def rare_faults(hits: Counter[str], least: int, faults: tuple[str, ...] = FAULTS) -> dict[str, int]:
    """Return the faults that were hit less than `least` times."""
    found = {fault: sum(n for name, n in hits.items() if name.startswith(fault)) for fault in faults}
    return {fault: number for fault, number in found.items() if number < least}


class Playbill:
    """What was played of the short run so far; what is missing is played when it is asked for."""

    def __init__(self) -> None:
        self._pieces: dict[int, Season] = {}

    def piece(self, number: int) -> Season:
        """Return one piece."""
        if number not in self._pieces:
            size = SEEDS // PIECES
            self._pieces[number] = run_apart(number * size, size)
        return self._pieces[number]

    def whole(self) -> Season:
        """Return all of it."""
        season = Season()
        for number in range(PIECES):
            season.add(self.piece(number))
        return season


@pytest.fixture(scope="module")
def playbill() -> Playbill:
    """Play each seed once for all tests."""
    return Playbill()


@pytest.mark.parametrize("piece", range(PIECES))
def test_no_promise_is_broken(playbill: Playbill, piece: int) -> None:
    """Whatever strikes, in whatever order: each action ends once and truly, once done, on time, told, nothing left."""
    # one of them alone: python -m tests.story.simulation SEED
    assert playbill.piece(piece).broken == []


def test_every_fault_was_met(playbill: Playbill) -> None:
    """No fault is only drawn on paper: each has struck often enough to prove something."""
    assert rare_faults(playbill.whole().hits, LEAST) == {}


def test_every_end_was_seen(playbill: Playbill) -> None:
    """The stories end in all eight ways, so that no check waits for what never comes."""
    season = playbill.whole()
    ends = {name.split()[0] for name in season.outcomes}
    kinds = {"disconnected", "already_gone", "not_found", "refused", "expired", "failed", "unknown", "previewed"}
    assert kinds <= ends
    assert {"failed poison", "expired paused"} <= set(season.outcomes)
    assert season.outcomes["removed"] > SEEDS / 2
    assert sorted(season.seeds) == list(range(SEEDS))


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_same_seed_same_story(quick_client: redis.Redis, seed: int) -> None:
    """What a seed told once it tells again, to the last step: a failure can be looked at."""
    once, again = run_seed(seed, quick_client), run_seed(seed, quick_client)
    assert once.lines == again.lines
    assert once.trace == again.trace


def test_other_seed_other_story(quick_client: redis.Redis) -> None:
    """Another seed is another story."""
    assert run_seed(1, quick_client).trace != run_seed(2, quick_client).trace


@pytest.mark.slow
def test_no_promise_is_broken_for_long() -> None:
    """The same over thousands of other seeds, with every fault at every step; it writes down what it found."""
    season = Season()
    for first in range(FIRST_LONG, FIRST_LONG + LONG_SEEDS, LONG_PIECE):
        season.add(run_apart(first, min(LONG_PIECE, FIRST_LONG + LONG_SEEDS - first)))
    seeds = {"first": min(season.seeds), "last": max(season.seeds), "number": len(season.seeds)}
    write_evidence(
        "simulation",
        command=f"SIMULATION_SEEDS={LONG_SEEDS} pytest -m slow tests/story/simulation",
        counters=season.hits,
        findings=season.broken,
        seeds=seeds,
        processes=PROCESSES,
        outcomes=dict(sorted(season.outcomes.items())),
    )
    assert season.broken == []
    assert rare_faults(season.hits, LEAST_LONG, (*FAULTS, *EVERYWHERE)) == {}
