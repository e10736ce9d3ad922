"""The arithmetic of the table: a wrong ratio would be quoted for ever."""

from __future__ import annotations

import pytest

from tests.bench.figures import Better, Goal, Kind, Row

AT_MOST = Better.LOWER
AT_LEAST = Better.HIGHER


@pytest.mark.parametrize(
    "goal, ours, theirs, said, wanted, is_met",
    [
        (Goal(Kind.RATIO, AT_MOST, 1.6), (3, 4, 8), (2, 2, 2), "2.00 × (1.50 to 4.00)", "≤ 1.6 ×", False),
        (Goal(Kind.RATIO, AT_LEAST, 1.2), (3, 4, 8), (2, 2, 2), "2.00 × (1.50 to 4.00)", "≥ 1.2 ×", True),
        (Goal(Kind.DIFFERENCE, AT_MOST, 3), (5, 9, 6), (2, 2, 4), "+3.00 ms (2.00 to 7.00)", "≤ +3 ms", True),
        (Goal(Kind.PLAIN, AT_MOST, 1), (0.5,), (), "0.50 ms", "≤ 1 ms", True),
        (None, (1, 2, 3), (), "2.00 ms (1.00 to 3.00)", "", None),
    ],
)
def test_each_kind_of_goal(
    goal: Goal | None,
    ours: tuple[float, ...],
    theirs: tuple[float, ...],
    said: str,
    wanted: str,
    *,
    is_met: bool | None,
) -> None:
    """A figure is the median of what the rounds say one by one, and is held against the goal on its right side."""
    row = Row("something", "ms", ours, "something else" if theirs else "", theirs, goal)
    assert (row.said, row.wanted, row.is_met) == (said, wanted, is_met)


def test_a_ratio_is_made_within_a_round() -> None:
    """Round by round, so that a machine that was slow for one of them spoils that round and not the figure."""
    row = Row("something", "ms", (1, 20, 3), "something else", (1, 20, 3), Goal(Kind.RATIO, AT_MOST, 1))
    assert row.compared == [1, 1, 1]


@pytest.mark.parametrize(
    "ours, theirs, goal",
    [((), (), None), ((1, 2), (1,), None), ((1,), (), Goal(Kind.RATIO, AT_MOST, 1))],
)
def test_rounds_that_do_not_belong_together(
    ours: tuple[float, ...], theirs: tuple[float, ...], goal: Goal | None
) -> None:
    """What was not measured side by side is not set side by side."""
    with pytest.raises(ValueError, match="something"):
        Row("something", "ms", ours, "", theirs, goal)
