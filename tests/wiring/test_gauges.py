"""The metrics say what waits in the store as it is now, and nothing of a store that does not answer."""

from __future__ import annotations

from pathlib import Path

import redis as blocking

from service import settings, telemetry
from service.store.embedded import EmbeddedRedis
from service.wiring.gauges import measure
from service.wiring.house import opened
from tests.wiring.running import own
from tests.wiring.test_house import OTHER
from tests.wiring.test_processes import OFFLINE


def shown() -> set[str]:
    """Return every series of the store's gauges, with its value."""
    names = {one.name for gauge in telemetry.OF_THE_STORE for one in gauge.collect()}
    lines = telemetry.exposition().decode().splitlines()
    return {line for line in lines if line.partition("{")[0] in names}


IDLE = {
    'onhook_open_actions{org="ORG"} 0.0',
    'onhook_open_reports{org="ORG",source="SOURCE"} 0.0',
    'onhook_dead_reports{org="ORG",source="SOURCE"} 0.0',
    'onhook_overdue_seconds{kind="removals",org="ORG"} 0.0',
    'onhook_overdue_seconds{kind="reports",org="ORG"} 0.0',
    'onhook_paused{org="ORG",source=""} 0.0',
    'onhook_paused{org="ORG",source="SOURCE"} 0.0',
    'onhook_budget_calls{org="ORG"} 15.0',
    'onhook_newer_records{org="ORG"} 0.0',
}


def idle(org: str, source: str) -> set[str]:
    """Return what is shown of an org in which nothing waits."""
    return {line.replace("ORG", org).replace("SOURCE", source) for line in IDLE}


async def test_gauges(folder: Path, redis_server: EmbeddedRedis, redis_client: blocking.Redis) -> None:
    """Each org and source is shown by its configured name; an org that cannot be asked, and a store away, are not."""
    said = settings.read(own(folder) | OFFLINE | OTHER | {"ONHOOK_REDIS__URL": redis_server.url})
    both = idle("acme", "desk") | idle("other", "jira")
    async with opened(said, print, may_start=False) as house:
        await house.measure()
        assert shown() == both
        await house.store.pause("acme", "desk")
        redis_client.hset("onhook:{other}:paused", "a source that was taken out", "1")
        await house.measure()
        paused = 'onhook_paused{org="acme",source="desk"} '
        assert shown() == both - {f"{paused}0.0"} | {f"{paused}1.0"}
        redis_client.set("onhook:{acme}:due:removals", "no set of ours")
        await house.measure()
        assert shown() == idle("other", "jira")
        await measure(said, house.store, is_reached=False)
        assert shown() == set()


async def test_zeros(folder: Path, redis_server: EmbeddedRedis) -> None:
    """Before anything has happened, what must not be missed stands at zero for each org and source."""
    said = settings.read(own(folder) | OFFLINE | OTHER | {"ONHOOK_REDIS__URL": redis_server.url})
    async with opened(said, print, may_start=False):
        lines = telemetry.exposition().decode()
    for series in (
        'onhook_bystanders_lost_total{org="other"}',
        'onhook_leases_lost_total{org="other"}',
        'onhook_outcomes_total{org="other",outcome="unknown"}',
        'onhook_settle_seconds_count{org="other",outcome="expired"}',
        'onhook_runaways_total{source="jira"}',
        'onhook_reports_total{result="dead",source="jira"}',
    ):
        assert f"\n{series} 0.0\n" in lines
