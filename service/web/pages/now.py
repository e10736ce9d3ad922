"""The first page: whether it works, what waits, who works on it, which source is heard, and how the day went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.flow.crowd import of_each
from service.flow.review import summed
from service.web.pages import charts
from service.web.pages.telling import When, safe, span, when
from service.web.pages.watch import Pause, Standing, Watch

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400
LATE_SECONDS = 10.0  # the promise is that accepted clicks end within that
QUIET_SECONDS = 15.0  # a worker says each five seconds that it is there


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: its words, and whether they are `good`, `dim`, `warn` or `bad`."""

    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Held:
    """Something that is paused, as the page says it."""

    source: str
    since: When | None
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Crew:
    """A worker as the page shows it."""

    name: str
    state: Line
    claimed: When | None
    busy: int
    token: Line


@dataclass(frozen=True, slots=True)
class Heard:
    """A source as the page shows it: what was taken of it and what not, in the last hour and the last day."""

    name: str
    state: Line
    accepted_hour: int
    refused_hour: int
    accepted_day: int
    refused_day: int
    open_reports: int
    is_paused: bool


@dataclass(frozen=True, slots=True)
class OrgNow:
    """One org as the page shows it.

    Attributes:
        mode: what it does, in words.
        dead: how many tickets could not be told.
        outcomes_hour: how actions ended within the last hour, by kind.
        gone_hour: within how many seconds 95 of 100 were gone, within the last hour; "" where nobody was removed.
    """

    name: str
    mode: Line
    held: Sequence[Held]
    backlog: Line
    reports: Line
    dead: int
    budget: Line
    crew: Sequence[Crew]
    no_crew: str
    heard: Sequence[Heard]
    outcomes_hour: Mapping[str, int]
    gone_hour: str


@dataclass(frozen=True, slots=True)
class Now:
    """The whole page: each org, and the hours of the last day of all of them together."""

    orgs: Sequence[OrgNow]
    hours: Sequence[charts.Hour]
    hour_names: Mapping[int, When | None]


async def now_of(watch: Watch) -> Now:
    """Read what the first page shows; raises StoreDown."""
    at = watch.clock.now()
    standings = await watch.standings()
    minutes = await minutes_of(watch, at)
    crews = await of_each([one.org for one in standings], watch.archive.workers)
    orgs = [
        org_now(one, minutes.get(one.org, ()), crew, watch.of_org(one.org), at)
        for one, crew in zip(standings, crews, strict=True)
    ]
    hours = charts.hours([one for found in minutes.values() for one in found], at)
    return Now(orgs, hours, {hour.began_at: when(hour.began_at, at) for hour in hours})


async def minutes_of(watch: Watch, now: int) -> Mapping[str, Sequence[m.Minute]]:
    """Return the minutes of the last day, by org; raises StoreDown."""
    since = now - DAY_SECONDS * 1000
    found = await of_each(watch.orgs, lambda org: watch.archive.minutes(org, since))
    return dict(zip(watch.orgs, found, strict=True))


def org_now(
    standing: Standing, minutes: Sequence[m.Minute], crew: Sequence[m.Attendance], sources: Sequence[str], now: int
) -> OrgNow:
    """Return how one org is shown."""
    hour, day = summed(minutes, now - HOUR_SECONDS * 1000), summed(minutes, 0)
    paused = {one.source for one in standing.pauses}
    return OrgNow(
        name=standing.org,
        mode=_mode(standing),
        held=[_held(one, now) for one in standing.pauses],
        backlog=_backlog(standing),
        reports=_reports(standing),
        dead=sum(standing.dead.values()),
        budget=_budget(standing),
        crew=[crew_of(one, now) for one in crew],
        no_crew="" if crew else "No worker was there within the last minutes, so nobody is removed and no ticket told.",
        heard=[heard(name, hour, day, standing, is_paused=name in paused) for name in sources],
        outcomes_hour={kind: count for kind, count in sorted(hour.outcomes.items()) if count},
        gone_hour=charts.said_within(hour.gone, 0.95),
    )


def heard(name: str, hour: m.Minute, day: m.Minute, standing: Standing, *, is_paused: bool) -> Heard:
    """Return how one source is shown; one of which everything is refused is red, for its sender may not look."""
    accepted, refused = hour.accepted.get(name, 0), hour.refused.get(name, 0)
    accepted_day, refused_day = day.accepted.get(name, 0), day.refused.get(name, 0)
    if refused and not accepted:
        state = Line("bad", "everything it sent within the last hour was refused")
    elif refused_day and not accepted_day:
        state = Line("bad", "everything it sent within the last day was refused")
    elif refused:
        state = Line("warn", "some of what it sent was refused")
    elif accepted_day:
        state = Line("good", "heard")
    else:
        state = Line("dim", "nothing came within the last day")
    reports = standing.open_reports.get(name, 0)
    return Heard(name, state, accepted, refused, accepted_day, refused_day, reports, is_paused)


def crew_of(one: m.Attendance, now: int) -> Crew:
    """Return how one worker is shown."""
    quiet, asked = (now - one.seen_at) / 1000, (now - one.claimed_at) / 1000
    if quiet > QUIET_SECONDS:
        state = Line("bad", f"not heard of for {span(quiet)}")
    elif not one.claimed_at:
        state = Line("dim", "has not asked for work yet")
    elif asked > QUIET_SECONDS:
        state = Line("warn", f"has not asked for work for {span(asked)}")
    else:
        state = Line("good", "at work")
    return Crew(safe(one.worker), state, when(one.claimed_at, now), one.busy, _token(one, now))


def _token(one: m.Attendance, now: int) -> Line:
    left = (one.token_until - now) / 1000
    if one.token_fault:
        return Line("bad", f"no token: {safe(one.token_fault)}")
    if not one.token_until:
        return Line("dim", "no token needed yet")
    if left <= 0:
        return Line("dim", "its token has ended; a new one is fetched with the next call")
    return Line("good", f"a token for another {span(left)}")


def _mode(standing: Standing) -> Line:
    if standing.mode != "live":
        return Line("warn", "shadow: everything but the removal, so nobody is removed")
    if standing.shadow:
        return Line("warn", f"live; these sources only watch: {', '.join(standing.shadow)}")
    return Line("good", "live")


def _held(one: Pause, now: int) -> Held:
    by = one.why.by
    if by is None:
        return Held(one.source, when(one.why.at, now), "this service", "one requester asked for more than people click")
    return Held(one.source, when(one.why.at, now), safe(by.who), safe(by.why))


def _backlog(standing: Standing) -> Line:
    if not standing.open_actions:
        return Line("good", "nothing waits")
    waits = f"{standing.open_actions} open"
    if standing.overdue_seconds > LATE_SECONDS:
        return Line("bad", f"{waits}; the oldest has been due for {span(standing.overdue_seconds)}")
    return Line("dim", f"{waits}; the oldest has been due for {span(standing.overdue_seconds)}")


def _reports(standing: Standing) -> Line:
    count = sum(standing.open_reports.values())
    if not count:
        return Line("good", "none waits to be told")
    waits = f"{count} still to be told"
    late = standing.reports_overdue_seconds
    return Line("warn" if late > LATE_SECONDS else "dim", f"{waits}; the oldest has been due for {span(late)}")


def _budget(standing: Standing) -> Line:
    if standing.calls <= 0:
        return Line("warn", "used up: Genesys is not asked anything new until there is room again")
    return Line("good", f"{standing.calls} more first looks at once")
