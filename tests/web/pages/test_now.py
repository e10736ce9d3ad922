"""The first page says in words and colours what a person on call has to know, and never less than there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.core import model as m
from service.web.pages import now
from service.web.pages.watch import Pause, Standing
from tests.web.doors import NOW

LIVE = Standing("acme", "live", calls=15)
HOUR = 3_600_000
HERE = m.Attendance("w1", NOW - 1000, NOW - 900, 2, NOW + 3_600_000)


def shown(
    standing: Standing = LIVE, minutes: Sequence[m.Minute] = (), crew: Sequence[m.Attendance] = (HERE,)
) -> now.OrgNow:
    """Return an org with one source as the page shows it."""
    return now.org_now(standing, minutes, crew, ("desk",), NOW)


def test_all_is_well() -> None:
    """An org that is live, has workers and nothing to do is green."""
    org = shown()
    assert [org.mode.tone, org.backlog.tone, org.reports.tone, org.budget.tone] == ["good"] * 4
    assert (org.no_crew, org.held, org.outcomes_hour, org.gone_hour) == ("", [], {}, "")


def test_nobody_works() -> None:
    """An org without workers says what that means."""
    assert "nobody is removed" in shown(crew=()).no_crew


@pytest.mark.parametrize(
    "change, tone, words",
    [
        ({"mode": "shadow"}, "warn", "shadow: everything but the removal, so nobody is removed"),
        ({"shadow": ("desk",)}, "warn", "live; these sources only watch: desk"),
    ],
)
def test_mode(change: dict[str, object], tone: str, words: str) -> None:
    """Whoever only watches says that nobody is removed."""
    assert shown(replace(LIVE, **change)).mode == now.Line(tone, words)  # type: ignore[arg-type]  # fields of a table


def test_pauses() -> None:
    """What is paused says since when, by whom and why; a pause of the service's own says what it is."""
    pauses = [
        Pause("", m.Pause(NOW - 120_000, m.Operator("beth", "desk is\nflooding"))),
        Pause("desk", m.Pause(NOW - 120_000)),
    ]
    org, source = shown(replace(LIVE, pauses=pauses)).held
    assert (org.source, org.by, org.why) == ("", "beth", "desk is�flooding")
    assert org.since is not None
    assert org.since.ago == "2 min ago"
    assert (source.by, source.why) == ("this service", "one requester asked for more than people click")
    assert shown(replace(LIVE, pauses=pauses)).heard[0].is_paused


@pytest.mark.parametrize(
    "overdue, tone, words",
    [
        (0.5, "dim", "3 open; the oldest has been due for 500 ms"),
        (70, "bad", "3 open; the oldest has been due for 1 min 10 s"),
    ],
)
def test_backlog(overdue: float, tone: str, words: str) -> None:
    """What waits longer than is promised is red."""
    assert shown(replace(LIVE, open_actions=3, overdue_seconds=overdue)).backlog == now.Line(tone, words)


@pytest.mark.parametrize("overdue, tone", [(1, "dim"), (60, "warn")])
def test_reports(overdue: float, tone: str) -> None:
    """Tickets that wait are counted over all sources."""
    org = shown(replace(LIVE, open_reports={"desk": 2, "chat": 1}, reports_overdue_seconds=overdue))
    assert org.reports.tone == tone
    assert org.reports.words.startswith("3 still to be told")
    assert org.heard[0].open_reports == 2


def test_budget() -> None:
    """A budget that is used up says what that means."""
    assert shown(replace(LIVE, calls=0)).budget.tone == "warn"


@pytest.mark.parametrize(
    "minutes, tone, words",
    [
        ([], "dim", "nothing came within the last day"),
        ([m.Minute(NOW - 60_000, {"desk": 1})], "good", "heard"),
        ([m.Minute(NOW - 60_000, {"desk": 1}, {"desk": 1})], "warn", "some of what it sent was refused"),
        (
            [m.Minute(NOW - 2 * HOUR, {"desk": 9}), m.Minute(NOW - 60_000, {}, {"desk": 1})],
            "bad",
            "everything it sent within the last hour was refused",
        ),
        (
            [m.Minute(NOW - 2 * HOUR, {}, {"desk": 1})],
            "bad",
            "everything it sent within the last day was refused",
        ),
        ([m.Minute(NOW - 60_000, {"chat": 1}, {"chat": 1})], "dim", "nothing came within the last day"),
    ],
)
def test_heard(minutes: list[m.Minute], tone: str, words: str) -> None:
    """A source that is only refused is red, and another's deliveries are not its own."""
    assert shown(minutes=minutes).heard[0].state == now.Line(tone, words)


def test_the_last_hour() -> None:
    """How actions ended within the last hour is counted, and what is older is not."""
    minutes = [
        m.Minute(NOW - 2 * HOUR, outcomes={"failed": 1}),
        m.Minute(NOW - HOUR // 2, {"desk": 3}, {}, {"already_gone": 1, "disconnected": 2}, (2, 0, 0, 0, 0, 0, 0)),
    ]
    org = shown(minutes=minutes)
    assert org.outcomes_hour == {"already_gone": 1, "disconnected": 2}
    assert org.gone_hour == "≤ 0.5 s"


@pytest.mark.parametrize(
    "change, state, token",
    [
        ({}, ("good", "at work"), ("good", "a token for another 1 h 0 min")),
        ({"seen_at": NOW - 20_000}, ("bad", "not heard of for 20.0 s"), ("good", "a token for another 1 h 0 min")),
        (
            {"claimed_at": NOW - 60_000, "token_until": 0},
            ("warn", "has not asked for work for 1 min 0 s"),
            ("dim", "no token needed yet"),
        ),
        (
            {"claimed_at": 0},
            ("dim", "has not asked for work yet"),
            ("good", "a token for another 1 h 0 min"),
        ),
        ({"token_fault": "401 from login"}, ("good", "at work"), ("bad", "no token: 401 from login")),
        (
            {"token_until": NOW - 1},
            ("good", "at work"),
            ("dim", "its token has ended; a new one is fetched with the next call"),
        ),
    ],
)
def test_crew(change: dict[str, object], state: tuple[str, str], token: tuple[str, str]) -> None:
    """A worker says whether it works, and whether Genesys lets it in."""
    crew = now.crew_of(replace(HERE, **change), NOW)  # type: ignore[arg-type]  # fields of a table
    assert (crew.state, crew.token) == (now.Line(*state), now.Line(*token))
