"""What `onhook check` finds: the settings as they were understood, their Redis, each org's Genesys Cloud, each desk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from service import settings
from service.core.errors import Misconfigured
from service.outbound import Outgoing
from service.settings import Settings
from service.store.health import Finding, Topic, Verdict
from service.store.keys import Keys
from service.store.waiter import WakeWaiter
from service.wiring.asking_genesys import asked_of
from service.wiring.checked import HERE, Line
from service.wiring.house import opened_store
from service.wiring.machine import SystemClock, SystemDice
from service.wiring.readiness import asked

WAKE_SECONDS = 2.0  # to connect and subscribe takes milliseconds; so long anything else may take too


async def check() -> Sequence[Line]:
    """Return everything that was looked at; nothing is changed, and no process has to run.

    Raises:
        Misconfigured: the settings cannot be used, or name neither an org nor a Redis and no `onhook up` runs.
    """
    said, clock = settings.read(), SystemClock()
    dice, outgoing = SystemDice(clock), Outgoing(said.outbound.proxy or None, said.outbound.ca_file or None)
    redis, *orgs = await asyncio.gather(
        _redis(said, clock),
        *(asked_of(name, org, outgoing, clock, dice.token()) for name, org in said.orgs.items()),
    )
    return [_understood(said), *redis, *(line for lines in orgs for line in lines)]


def _understood(said: Settings) -> Line:
    orgs = [f"org {name} ({org.mode})" for name, org in said.orgs.items()]
    own = {name: ", shadow" for name, source in said.sources.items() if source.mode == "shadow"}
    sources = [f"source {name} (for {source.org}{own.get(name, '')})" for name, source in said.sources.items()]
    named = ", ".join([*orgs, *sources]) or "neither org nor source: enough for `onhook up --sandbox` only"
    lossy = "; allow_lossy: Redis may forget what it confirmed" if said.redis.allow_lossy else ""
    return Line(HERE, Topic.SETTINGS.value, Verdict.FINE, named + lossy)


async def _redis(said: Settings, clock: SystemClock) -> list[Line]:
    try:
        async with opened_store(said, may_start=False) as (store, _, url):
            health = await store.health(**asked(said.redis, clock, is_thorough=True))
            wakes = [await _wakes(url, said, clock)] if health.is_reached else []
            return [Line.of_redis(_placed(one, url)) for one in (*health.findings, *wakes)]
    except Misconfigured:
        if said.redis.url.get_secret_value() or not said.orgs:
            raise
        # the first day: nothing runs yet, and what can be asked of Genesys is worth asking all the same
        none = "no redis.url, and no `onhook up` runs here: it brings a Redis of its own; `serve` and `work` need one"
        return [Line.of_redis(Finding(Topic.REACH, Verdict.UNKNOWN, none))]


def _placed(finding: Finding, url: str) -> Finding:
    """Return a finding that nobody answers with where he was looked for, without the password."""
    if finding.topic is not Topic.REACH or not finding.is_fault:
        return finding
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2] or parts.path
    return replace(finding, sentence=f"{finding.sentence}; it was looked for at {place}, where redis.url leads")


async def _wakes(url: str, said: Settings, clock: SystemClock) -> Finding:
    keys = Keys(said.redis.prefix)
    async with WakeWaiter(url, clock, keys=keys, is_cluster=said.redis.cluster or None) as waiter:
        began = clock.monotonic()
        await waiter.for_due("any", "removals", WAKE_SECONDS)  # to be subscribed wakes everybody once
        is_heard = clock.monotonic() - began < WAKE_SECONDS
    if is_heard:
        return Finding(Topic.WAKES, Verdict.FINE, f"the channel {keys.wake} can be heard")
    slow = "what is accepted is noticed up to a second later"
    return Finding(
        Topic.WAKES,
        Verdict.LASTING,
        f"the user in redis.url may not SUBSCRIBE to {keys.wake}: let it; until then {slow}",
    )
