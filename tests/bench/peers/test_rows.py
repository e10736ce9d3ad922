"""The rows of the peers' tables: which peer we are held against, and what is said of each."""

from __future__ import annotations

import pytest

from tests.bench import peers_duplicates, peers_enqueue, peers_killed
from tests.bench.peers.known import KNOWN
from tests.bench.pressed import Pressed

SLOW, FAST, *REST = KNOWN


def press(a_second: float) -> Pressed:
    """Return a press that took so many a second."""
    return Pressed(100, a_second, 1.0, {"door": 1e6 / a_second, "redis": 50})


def test_the_fastest_peer_is_the_measure() -> None:
    """The goal is held against whoever takes the most, by the median, in the same rounds."""
    theirs = {SLOW: [press(1), press(500), press(2)], FAST: [press(100), press(50), press(120)]}
    rows = peers_enqueue.rows_of([press(200)] * 3, theirs, {SLOW: {"redis": "1.0"}, FAST: {}})
    assert rows[0].against == f"the fastest peer: {FAST.titled}"
    assert (rows[0].value, rows[0].is_met) == (2.0, True)
    assert "5000 µs of door and 50 µs of redis, them 10000 µs of door" in rows[0].note
    assert [row.against for row in rows[1:]] == [SLOW.titled, FAST.titled] * 3
    assert SLOW.sameness in rows[1].note
    assert "redis 1.0" in rows[1].note


@pytest.mark.parametrize("number, expected", [(1, 1), (25, 25), (100, 99), (200, 198)])
def test_one_in_a_hundred(number: int, expected: float) -> None:
    """Of fewer than a hundred it is the largest; else one in a hundred is larger."""
    assert peers_killed.p99([float(value) for value in range(number, 0, -1)]) == expected


def test_the_best_peer_as_installed() -> None:
    """The goal is ours alone; beside it stands the peer that is quickest as it is installed."""
    theirs = {
        (SLOW, False): [90.0, 90.0],
        (FAST, False): [61.0, 62.0],
        (SLOW, True): [9.0, 8.0],
        (FAST, True): [3.0, 2.0],
    }
    rows = peers_killed.rows_of([[5.0, 6.0], [7.0, 4.0]], theirs, 90)
    assert (rows[0].against, rows[0].value, rows[0].theirs) == (f"the best peer as installed: {FAST.titled}", 7, [62.0])
    assert rows[0].is_met
    assert rows[0].note.endswith(f"the best peer is {FAST.titled} with 3.0 s")
    assert [row.against.rpartition(", ")[2] for row in rows[1:]] == ["as installed"] * 2 + ["set to be quick"] * 2
    assert rows[1].note.endswith("not within 90 s in 2 of 2 kills")
    assert "not within" not in rows[2].note
    assert rows[1].ours == [6.0, 7.0]


def test_the_most_careful_peer() -> None:
    """Executions are counted beside the peer that has the fewest."""
    rows = peers_duplicates.rows_of([1, 1], {SLOW: [51, 51], FAST: [1, 2]}, 50)
    assert rows[0].against == f"the most careful peer: {FAST.titled}"
    assert rows[0].is_met
    assert [row.theirs for row in rows] == [[1, 2], [51, 51], [1, 2]]
    missed = peers_duplicates.rows_of([1, 2, 2], {SLOW: [51, 51, 51]}, 50)
    assert missed[0].is_met is False
