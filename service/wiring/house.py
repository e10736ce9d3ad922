"""Every object built once, opened in order, closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from service import telemetry
from service.core.errors import Misconfigured, StoreDown
from service.core.ports import Source
from service.flow.workplace import Workplace
from service.genesys import GenesysCloud
from service.outbound import Caller, OpenTransport, Outgoing, Rule, transport_of
from service.settings import Settings
from service.sources import KINDS, Outside
from service.store.address import is_of_cluster
from service.store.agenda import TOGETHER, RedisAgenda
from service.store.archive import RedisArchive
from service.store.budget import RedisBudget
from service.store.client import Link, connect
from service.store.embedded import EmbeddedRedis, attach
from service.store.keys import DAY, Keys, Lives
from service.store.redis import RedisStore
from service.store.refusals import RefusalBook
from service.store.script import read_all
from service.store.tags import Tags
from service.store.waiter import WakeWaiter
from service.wiring.carrying import carrying
from service.wiring.exporting import exported
from service.wiring.gauges import measure
from service.wiring.lifetime import Say, Stop
from service.wiring.machine import SystemClock, SystemDice, worker_name
from service.wiring.readiness import Readiness
from service.wiring.secret import SANDBOX, was_played

_Ways = Callable[[str], OpenTransport]

AGAIN_SECONDS = 0.2  # some of these fit into the ten in which a process ends


@dataclass(frozen=True, slots=True)
class House:
    """What one process has open."""

    said: Settings
    place: Workplace
    store: RedisStore
    agenda: RedisAgenda
    archive: RedisArchive
    readiness: Readiness
    refusals: RefusalBook
    stop: Stop
    say: Say

    async def faults(self) -> list[str]:
        """Say in words why this process is not ready; empty when it is."""
        leaving = ["is about to end"] if self.stop.is_leaving else []
        return [*leaving, *await self.readiness.faults()]

    async def standing(self) -> dict[str, dict[str, object]]:
        """Return by org its mode, what is paused ("" for the whole org), and which of its sources are in shadow.

        StoreDown at once where Redis is away.
        """
        if not self.readiness.is_reached:
            raise StoreDown("what is paused is not known")
        paused = await self.agenda.paused(tuple(self.said.orgs))
        shadow: dict[str, list[str]] = {org: [] for org in self.said.orgs}
        for name, source in sorted(self.said.sources.items()):
            if source.mode == "shadow":
                shadow[source.org].append(name)
        return {
            org: {"mode": terms.mode, "paused": sorted(paused[org]), "shadow": shadow[org]}
            for org, terms in self.said.orgs.items()
        }

    async def measure(self) -> None:
        """Let the metrics say what waits in the store."""
        await measure(self.said, self.store, is_reached=self.readiness.is_reached)


def redis_url(said: Settings, stack: AsyncExitStack, *, may_start: bool) -> str:
    """Return where Redis is: as configured, else our own embedded one.

    With `may_start` an embedded one is started, and stopped with `stack`; otherwise only a running `up`'s will do.

    Raises:
        Misconfigured: there is none, or it cannot be started.
    """
    configured = said.redis.url.get_secret_value()
    if configured:
        return configured
    if may_start:
        embedded = EmbeddedRedis(said.state_dir)
        embedded.start()
        stack.callback(embedded.stop)
        return embedded.url
    running = attach(said.state_dir)
    if running is None:
        why = "redis.url: is not set, and no `onhook up` runs with this state directory"
        raise Misconfigured([f"{why}; set redis.url (ONHOOK_REDIS__URL), or start `onhook up`"])
    return running


@asynccontextmanager
async def opened_store(said: Settings, *, may_start: bool) -> AsyncIterator[tuple[RedisStore, Link, str]]:
    """Open the store, its connection and its address, and close them."""
    async with AsyncExitStack() as stack:
        url = redis_url(said, stack, may_start=may_start)
        clock = SystemClock()
        client = connect(url, is_cluster=said.redis.cluster or None)
        link = Link(client, clock, durability=said.redis.durability)
        stack.push_async_callback(link.aclose)
        lives, tags = lives_of(said), tags_of(said)
        yield RedisStore(link, SystemDice(clock), keys=Keys(said.redis.prefix), lives=lives, tags=tags), link, url


@asynccontextmanager
async def opened(
    said: Settings, say: Say, *, may_start: bool, through: Callable[[Workplace], Workplace] | None = None
) -> AsyncIterator[House]:
    """Open everything the flow needs, in order; close it in reverse. Signals say stop from before that until after.

    Raises:
        Misconfigured: there is no Redis, or one that cannot keep our promises until a person mends it.
    """
    stop = Stop()
    read_all()
    async with AsyncExitStack() as stack:
        stack.enter_context(stop.listening())
        store, link, url = await stack.enter_async_context(opened_store(said, may_start=may_start))
        clock = SystemClock()
        readiness = Readiness(said.redis, store, clock)
        await readiness.begin()
        stack.push_async_callback(_end, asyncio.create_task(readiness.watch()))
        refusals = refusal_book(said, link, clock)
        stack.push_async_callback(refusals.write)
        stack.push_async_callback(_end, asyncio.create_task(refusals.keep(clock)))
        waiter = WakeWaiter(url, clock, keys=Keys(said.redis.prefix), is_cluster=said.redis.cluster or None)
        stack.push_async_callback(_close, waiter)
        waiter.start()
        outgoing, worker = Outgoing(said.outbound.proxy or None, said.outbound.ca_file or None), worker_name()
        spans = await stack.enter_async_context(exported(said, clock, outgoing, worker))
        way = _ways(said, outgoing)
        agenda = _agenda(said, link, url)
        orgs = _orgs(said, clock, outgoing, way, stack, store)
        place = Workplace(
            worker=worker,
            store=store,
            budget=store,
            waiter=waiter,
            clock=clock,
            dice=SystemDice(clock),
            genesys=orgs,
            sources=_sources(said, clock, outgoing, way, stack),
            terms={name: org.terms for name, org in said.orgs.items()},
            narrowings={name: source.limits for name, source in said.sources.items()},
            wording=said.wording.wording,
            spans=spans,
            tokens={name: cloud.token for name, cloud in orgs.items()},
            agenda=agenda,
        )
        telemetry.begin(said.orgs, said.sources)
        archive = RedisArchive(link, keys=Keys(said.redis.prefix), lives=lives_of(said))
        used = through(place) if through else place
        yield House(said, used, store, agenda, archive, readiness, refusals, stop, say)


async def _end(task: asyncio.Task[NoReturn]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _close(waiter: WakeWaiter) -> None:
    """Close it. While it connects, redis-py may swallow that it was told to end: so it is told again until it does."""
    closing = asyncio.create_task(waiter.aclose())
    while not (await asyncio.wait({closing}, timeout=AGAIN_SECONDS))[0]:
        closing.cancel()


def _agenda(said: Settings, link: Link, url: str) -> RedisAgenda:
    """Return who knows where something is due; of a Cluster each org is on a server of its own."""
    together = 1 if is_of_cluster(url, is_cluster=said.redis.cluster or None) else TOGETHER
    return RedisAgenda(link, keys=Keys(said.redis.prefix), together=together)


def _orgs(
    said: Settings, clock: SystemClock, outgoing: Outgoing, way: _Ways, stack: AsyncExitStack, budget: RedisBudget
) -> dict[str, GenesysCloud]:
    orgs: dict[str, GenesysCloud] = {}
    for name, options in said.orgs.items():
        orgs[name] = cloud = GenesysCloud(options, clock, outgoing, transport=way(f"orgs.{name}"))
        stack.push_async_callback(cloud.aclose)
        budget.listen(name, cloud.told)
    return orgs


def _sources(
    said: Settings, clock: SystemClock, outgoing: Outgoing, way: _Ways, stack: AsyncExitStack
) -> dict[str, Source]:
    def outside(name: str) -> Outside:
        def open_caller(rules: Sequence[Rule]) -> Caller:
            caller = Caller(rules, clock, outgoing, transport=way(f"sources.{name}"))
            stack.push_async_callback(caller.aclose)
            return caller

        return Outside(open_caller, clock)

    build = {kind.options: kind.build for kind in KINDS.values()}
    return {name: build[type(options)](name, options, outside(name)) for name, options in said.sources.items()}


def _ways(said: Settings, outgoing: Outgoing) -> _Ways:
    """Return how calls to what a section of the settings names leave; to those named for it they say their trace.

    All on one TLS context: each would take 30 ms of the start and 0.7 MB, which a thousand orgs have a thousand times.
    """
    usual = transport_of(outgoing)
    carried = carrying(usual)
    return lambda section: carried if section in said.traces.propagate else usual


def sources_of(said: Settings) -> dict[str, str]:
    """Return by source the org it asks of, that of a sandbox wired in with this state directory included."""
    asks = {name: options.org for name, options in said.sources.items()}
    if was_played(said.state_dir):
        asks.setdefault(SANDBOX, SANDBOX)
    return asks


def refusal_book(said: Settings, link: Link, clock: SystemClock) -> RefusalBook:
    """Return where refused deliveries of the configured sources are remembered."""
    keys = Keys(said.redis.prefix)
    return RefusalBook(link, SystemDice(clock), sources_of(said), keys=keys, lives=lives_of(said))


def lives_of(said: Settings) -> Lives:
    """Return how long things stay in Redis."""
    days = said.retention
    return Lives(
        action=days.actions_days * DAY,
        delivery=days.deliveries_days * DAY,
        refusals=days.refusals_days * DAY,
        audit=days.audit_days * DAY,
    )


def tags_of(said: Settings) -> Tags:
    """Return by what numbers are found again after they were cut: each org's by its client secret."""
    return Tags({name: org.client_secret.get_secret_value() for name, org in said.orgs.items()})
