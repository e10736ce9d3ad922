"""A day in numbers: every minute is counted once, and where nobody was removed no time is made up."""

from __future__ import annotations

from typing import Any, cast

import pytest

from service.core import model as m
from service.web.pages import charts

HOUR, MINUTE = 3_600_000, 60_000
NOON = 1_795_132_800_000  # a whole hour
QUICK, SLOW = (0, 3, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 2)


def drawn(minutes: list[m.Minute], now: int) -> dict[str, Any]:
    """Return what the charts draw."""
    return cast("dict[str, Any]", charts.series(minutes, now))


def test_a_day_without_anything() -> None:
    """An empty day has a point each five minutes, at zero, and no times to gone."""
    shown = drawn([], NOON)
    assert [len(one["x"]) for one in shown.values()] == [288, 288, 288]
    assert set(shown["outcomes"]["lines"]["disconnected"]) == {0}
    assert set(shown["gone"]["lines"]["half of them within"]) == {None}
    assert charts.hours([], NOON) == []


def test_points_are_told_per_minute() -> None:
    """What happened in five minutes is one point, per minute; what is apart and the rest are all that happened."""
    minutes = [
        m.Minute(NOON - 4 * MINUTE, {"desk": 5}, {"desk": 10}, {"disconnected": 5, "refused": 10}, QUICK),
        m.Minute(NOON - MINUTE, {"desk": 5, "chat": 5}, {}, {"expired": 5}, (0,) * 7),
        m.Minute(NOON, {"desk": 1}, {}, {}, (0,) * 7),
    ]
    shown = drawn(minutes, NOON + 1)
    assert shown["deliveries"]["x"][-2:] == [(NOON - 5 * MINUTE) // 1000, NOON // 1000]
    assert shown["deliveries"]["lines"]["accepted"][-2:] == [3.0, 0.2]
    assert shown["deliveries"]["lines"]["refused"][-2:] == [2.0, 0]
    assert shown["outcomes"]["lines"]["disconnected"][-2:] == [1.0, 0]
    assert shown["outcomes"]["lines"]["others"][-2:] == [3.0, 0]
    assert shown["gone"]["lines"]["95 of 100 within"][-2:] == [1.0, None]


def test_beyond_the_last_bound() -> None:
    """Who took longer than is counted apart is drawn beyond that, never as nothing."""
    shown = drawn([m.Minute(NOON, gone=SLOW)], NOON)
    assert shown["gone"]["lines"]["half of them within"][-1] == charts.BEYOND_SECONDS


def test_what_is_older_than_a_day_is_left_out() -> None:
    """A minute before the first point is in none of them."""
    shown = drawn([m.Minute(NOON - 25 * HOUR, {"desk": 7})], NOON)
    assert sum(shown["deliveries"]["lines"]["accepted"]) == 0


def test_the_table_beside_the_charts() -> None:
    """Hours in which something happened are rows, the newest first, with every outcome."""
    minutes = [
        m.Minute(NOON - 3 * HOUR, {"desk": 2}, {"desk": 1}, {"disconnected": 2, "failed": 0}, QUICK),
        m.Minute(NOON + 5 * MINUTE, {}, {}, {"already_gone": 1}, (0,) * 7),
    ]
    assert charts.hours(minutes, NOON + 10 * MINUTE) == [
        charts.Hour(NOON, 0, 0, {"already_gone": 1}, "", ""),
        charts.Hour(NOON - 3 * HOUR, 2, 1, {"disconnected": 2}, "≤ 1 s", "≤ 1 s"),
    ]


@pytest.mark.parametrize(
    "gone, share, said",
    [((0,) * 7, 0.5, ""), (QUICK, 0.95, "≤ 1 s"), (SLOW, 0.5, "> 30 s"), ((9, *SLOW[1:]), 0.5, "≤ 0.5 s")],
)
def test_said_within(gone: tuple[int, ...], share: float, said: str) -> None:
    """A time to gone is said as the bound that it is known by."""
    assert charts.said_within(gone, share) == said
