"""The simulation can fail: with any one safeguard taken away, it sees a promise broken."""

from __future__ import annotations

import pytest
import redis

from tests.story.simulation.mutants import MUTANTS
from tests.story.simulation.playing import run_seed

# Most are seen within twenty seeds, and the search ends with the first; four times the worst, so that a change in the
# flow, which deals all stories anew, makes no mutant slip through.
SEEDS = 120


@pytest.mark.parametrize("safeguard", MUTANTS)
def test_missing_safeguard_is_seen(quick_client: redis.Redis, safeguard: str) -> None:
    """Without this safeguard a promise that rests on it is seen broken."""
    bend, promise = MUTANTS[safeguard]
    broken = (run_seed(seed, quick_client, bend).broken for seed in range(SEEDS))
    assert any(promise in {name for name, _ in found} for found in broken)
