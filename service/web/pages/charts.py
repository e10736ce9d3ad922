"""The last day in numbers, as the charts draw them and as the tables beside them say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.flow.review import gone_within, summed

DAY_SECONDS = 86_400
STEP_SECONDS = 300  # a point of a chart: 288 a day, as many as a small chart has room for
HOUR_SECONDS = 3600
# how most actions end, and what is not well; the rest are one line, so that a chart stays legible
_APART: Mapping[str, str] = {
    m.OutcomeKind.DISCONNECTED: "disconnected",
    m.OutcomeKind.ALREADY_GONE: "already gone",
    m.OutcomeKind.FAILED: "failed",
    m.OutcomeKind.UNKNOWN: "unknown",
}
_REST = "others"
# beyond the last bound nothing is counted apart, so a line that ends there would say less than it was
BEYOND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Hour:
    """A row of the table that says what the charts draw."""

    began_at: int
    accepted: int
    refused: int
    outcomes: Mapping[str, int]
    median: str
    most: str


def series(minutes: Sequence[m.Minute], now: int) -> Mapping[str, object]:
    """Return what the charts draw of the last day: for each the seconds of its points, and its lines by name.

    A point is what happened in five minutes, told per minute. Where nobody was removed there is no time to gone: null.
    """
    step = STEP_SECONDS * 1000
    last = now - now % step
    starts = range(last - DAY_SECONDS * 1000 + step, last + step, step)
    sums = _summed_by(minutes, starts, step)
    seconds = [start // 1000 for start in starts]
    per_minute = 60 / STEP_SECONDS
    named = {kind: [round(one.outcomes.get(kind, 0) * per_minute, 2) for one in sums] for kind in _APART}
    rest = [
        round(sum(count for kind, count in one.outcomes.items() if kind not in _APART) * per_minute, 2) for one in sums
    ]
    return {
        "outcomes": {"x": seconds, "lines": {**{_APART[kind]: line for kind, line in named.items()}, _REST: rest}},
        "deliveries": {
            "x": seconds,
            "lines": {
                "accepted": [round(sum(one.accepted.values()) * per_minute, 2) for one in sums],
                "refused": [round(sum(one.refused.values()) * per_minute, 2) for one in sums],
            },
        },
        "gone": {
            "x": seconds,
            "lines": {
                "half of them within": [_within(one.gone, 0.5) for one in sums],
                "95 of 100 within": [_within(one.gone, 0.95) for one in sums],
            },
        },
    }


def hours(minutes: Sequence[m.Minute], now: int) -> Sequence[Hour]:
    """Return the hours of the last day in which something happened, the newest first."""
    step = HOUR_SECONDS * 1000
    last = now - now % step
    starts = range(last - DAY_SECONDS * 1000, last + step, step)
    rows = [_hour(one) for one in _summed_by(minutes, starts, step)]
    return [row for row in reversed(rows) if row.accepted or row.refused or row.outcomes]


def _hour(one: m.Minute) -> Hour:
    outcomes = {kind: count for kind, count in sorted(one.outcomes.items()) if count}
    accepted, refused = sum(one.accepted.values()), sum(one.refused.values())
    return Hour(one.at, accepted, refused, outcomes, said_within(one.gone, 0.5), said_within(one.gone, 0.95))


def said_within(gone: Sequence[int], share: float) -> str:
    """Return within how many seconds a share of those removed were gone, in words; "" where nobody was removed."""
    seconds = gone_within(gone, share)
    if seconds is not None:
        return f"≤ {seconds:g} s"
    return f"> {m.GONE_SECONDS[-1]:g} s" if sum(gone) else ""


def _within(gone: Sequence[int], share: float) -> float | None:
    if not sum(gone):
        return None
    return gone_within(gone, share) or BEYOND_SECONDS


def _summed_by(minutes: Iterable[m.Minute], starts: range, step: int) -> Sequence[m.Minute]:
    """Return the sum of each step; minutes outside of all are left out."""
    inside: dict[int, list[m.Minute]] = {start: [] for start in starts}
    for minute in minutes:
        start = minute.at - minute.at % step
        if start in inside:
            inside[start].append(minute)
    return [summed(found, start) for start, found in inside.items()]
