"""What the store says of the work that waits, put into the metrics whenever they are asked for."""

from __future__ import annotations

from functools import partial

from service import telemetry
from service.core.errors import StoreDown
from service.flow.crowd import of_each
from service.settings import Settings
from service.store.burden import Burden
from service.store.redis import RedisStore


async def measure(said: Settings, store: RedisStore, *, is_reached: bool) -> None:
    """Set the gauges that tell of the store; those of an org that cannot be asked are not there until it can.

    Where Redis did not answer last time (`is_reached` False) it is not asked: a scrape has seconds, and what was true
    a while ago would pass for what is.
    """
    orgs = list(said.orgs) if is_reached else []
    found = await of_each(orgs, partial(_asked, store))
    # no await from here until they are read: two who ask at once see whole sets
    for gauge in telemetry.OF_THE_STORE:
        gauge.clear()
    for org, burden in zip(orgs, found, strict=True):
        if burden is not None:
            _show(org, burden, [name for name, one in said.sources.items() if one.org == org])


async def _asked(store: RedisStore, org: str) -> Burden | None:
    try:
        return await store.burden(org)
    except StoreDown:
        return None


def _show(org: str, burden: Burden, sources: list[str]) -> None:
    """Show it for the configured sources alone: labels come from the settings."""
    telemetry.OPEN_ACTIONS.labels(org).set(burden.actions)
    telemetry.OVERDUE_SECONDS.labels(org, "removals").set(burden.actions_overdue_seconds)
    telemetry.OVERDUE_SECONDS.labels(org, "reports").set(burden.reports_overdue_seconds)
    telemetry.BUDGET_CALLS.labels(org).set(burden.calls)
    telemetry.NEWER_RECORDS.labels(org).set(burden.newer)
    for source in ("", *sources):
        telemetry.PAUSED.labels(org, source).set(source in burden.paused)
    for source in sources:
        telemetry.OPEN_REPORTS.labels(org, source).set(burden.reports.get(source, 0))
        telemetry.DEAD_REPORTS.labels(org, source).set(burden.dead.get(source, 0))
