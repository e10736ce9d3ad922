"""What a command opens to look at what a running service keeps: its settings, the store, and the archive beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured, OnhookError
from service.settings import Settings
from service.store.archive import RedisArchive
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.wiring.house import lives_of, opened_store, sources_of
from service.wiring.machine import SystemClock, SystemDice


class NotDone(OnhookError):
    """Nothing was done of what was asked; its sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is open, and which orgs are meant.

    Attributes:
        url: where Redis is, for who wants to be woken.
    """

    said: Settings
    store: RedisStore
    archive: RedisArchive
    clock: SystemClock
    dice: SystemDice
    url: str
    orgs: Sequence[str]


@asynccontextmanager
async def watching(org: str = "", source: str = "") -> AsyncIterator[Watch]:
    """Open what a command looks at, of one org, of the org of one source, or of all that are configured.

    Raises:
        Misconfigured: the settings cannot be used, there is no such org or source, or no Redis.
        StoreDown: Redis is away.
    """
    said = settings.read()
    orgs = orgs_meant(said, org, source)
    async with opened_store(said, may_start=False) as (store, link, url):
        clock = SystemClock()
        archive = RedisArchive(link, keys=Keys(said.redis.prefix), lives=lives_of(said))
        yield Watch(said, store, archive, clock, SystemDice(clock), url, orgs)


def orgs_meant(said: Settings, org: str, source: str) -> list[str]:
    """Return the names of the orgs that are meant: the one that is named, that of a source, or all there are.

    Raises:
        Misconfigured: there is no such org or source, or none at all, or the source asks of another org.
    """
    asks = sources_of(said)
    orgs = list(dict.fromkeys([*said.orgs, *asks.values()]))
    for name, known, section in ((org, orgs, "orgs"), (source, asks, "sources")):
        if name and name not in known:
            raise Misconfigured([f"there is no [{section}.{name}]; there is {', '.join(known) or 'none'}"])
    if org and source and asks[source] != org:
        raise Misconfigured([f"sources.{source} acts on org {asks[source]}, not on {org}: leave --org out"])
    if not orgs:
        raise Misconfigured(["orgs: there is none; run this where the settings of the service are"])
    return [asks[source]] if source else [org] if org else orgs


def org_meant(watch: Watch, action_id: str) -> str:
    """Return the org of an action id that may belong to one of the settings.

    Raises:
        Misconfigured: it is no action id, or that of an org that is not in the settings; in words.
    """
    org = m.org_of(action_id)
    known = ", ".join(f"{name}.…" for name in watch.orgs)
    if org is None:
        raise Misconfigured(
            [f"“{action_id[:80]}” is no action's id: that is its org, a full stop and 26 characters, {known}"]
        )
    if org not in watch.orgs:
        raise Misconfigured([f"there is no [orgs.{org}], with which the id begins; here they begin with {known}"])
    return org
