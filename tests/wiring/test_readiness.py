"""What a process does about a Redis that cannot keep its promises: not begin; or begin, say so, and go on later."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import pytest
import redis as blocking
from structlog.testing import capture_logs

from service import settings, telemetry
from service.core.errors import Misconfigured, StoreDown
from service.settings import RedisSettings
from service.store.client import Link, connect
from service.store.health import Health, Topic
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.wiring.house import opened
from service.wiring.machine import SystemClock
from service.wiring.processes import serve, up, work
from service.wiring.readiness import Readiness
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.store.servers import DURABLE, server
from tests.store.stories import offered
from tests.wiring.running import click, own, running, stand
from tests.wiring.test_processes import OFFLINE, Process

Lines = pytest.CaptureFixture[bytes]


def _said(captured: Lines) -> list[tuple[str, str]]:
    """Return what the log says of readiness: the event, and what is wrong."""
    lines = [json.loads(line) for line in captured.readouterr().err.splitlines() if line.startswith(b"{")]
    return [(line["event"], " ".join(line.get("faults", ()))) for line in lines if "readiness." in line["event"]]


def _counted() -> set[str]:
    """Return the topics in which the metrics say that Redis falls short."""
    (faults,) = telemetry.FAULTS.collect()
    assert {one.labels["topic"] for one in faults.samples} == set(Topic)
    return {one.labels["topic"] for one in faults.samples if one.value}


@pytest.fixture(scope="module")
def durable() -> Iterator[str]:
    """Give the URL of a Redis that is set up as it should be."""
    with server(*DURABLE) as url:
        yield url


@pytest.fixture
def its(durable: str) -> Iterator[blocking.Redis]:
    """Give who sets it up otherwise, and leaves it as it should be."""
    with blocking.Redis.from_url(durable, decode_responses=True, protocol=2) as made:
        made.flushall()
        yield made
        for name, right in (("appendfsync", "always"), ("maxmemory", "0"), ("maxmemory-policy", "noeviction")):
            made.config_set(name, right)


@pytest.fixture
def configured(folder: Path, durable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have settings for one org and one source, on that Redis."""
    stand(monkeypatch, own(folder) | OFFLINE | {"ONHOOK_REDIS__URL": durable})


LASTING = [("appendfsync", "everysec", "a power cut loses"), ("maxmemory-policy", "volatile-lru", "it may drop")]


@pytest.mark.parametrize("process", [serve, work, up])
@pytest.mark.parametrize("name, wrong, why", LASTING)
@pytest.mark.usefixtures("configured")
async def test_no_beginning(its: blocking.Redis, process: Process, name: str, wrong: str, why: str) -> None:
    """On a Redis that only a person can mend no process begins; it says what is wrong and what to do."""
    its.config_set(name, wrong)
    with pytest.raises(Misconfigured, match=why):
        async with asyncio.timeout(30):
            await process(print)


@pytest.mark.usefixtures("configured")
async def test_lossy_on_purpose(its: blocking.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """With allow_lossy a process begins all the same, and is ready."""
    its.config_set("appendfsync", "no")
    its.config_set("maxmemory-policy", "allkeys-lru")
    monkeypatch.setenv("ONHOOK_REDIS__ALLOW_LOSSY", "true")
    async with opened(settings.read(), print, may_start=False) as house:
        assert await house.faults() == []


@dataclass
class Stand:
    """Readiness on a Redis, with a clock that can be set, and what plants and mends a fault."""

    readiness: Readiness
    store: RedisStore
    client: blocking.Redis
    clock: OffsetClock

    def replica(self, *, is_wrong: bool) -> None:
        """Make Redis a replica of nobody that answers."""
        self.client.replicaof(*(("127.0.0.1", "9") if is_wrong else ("NO", "ONE")))

    def memory(self, *, is_wrong: bool) -> None:
        """Let Redis be nearly full."""
        used = self.client.info("memory")["used_memory"]
        assert isinstance(used, int)
        self.client.config_set("maxmemory", round(used * 1.1) if is_wrong else 0)

    def time(self, *, is_wrong: bool) -> None:
        """Set our clock half a minute ahead."""
        self.clock.offset_ms = 30_000 if is_wrong else 0

    def disk(self, *, is_wrong: bool) -> None:
        """Let Redis not wait for its disk."""
        self.client.config_set("appendfsync", "no" if is_wrong else "always")


@dataclass
class OffsetClock(HandClock):
    """The time of this machine, or another one."""

    offset_ms: int = 0

    def now(self) -> int:
        """Return it."""
        return SystemClock().now() + self.offset_ms


@asynccontextmanager
async def standing(client: blocking.Redis, url: str, redis: RedisSettings | None = None) -> AsyncIterator[Stand]:
    """Give readiness that looks at `url`."""
    clock = OffsetClock()
    link = Link(connect(url), clock)
    store = RedisStore(link, CountingDice())
    yield Stand(Readiness(redis or RedisSettings(), store, clock), store, client, clock)
    await link.aclose()


PASSING = [
    (Stand.replica, "is a slave, not a master"),
    (Stand.memory, "of its memory"),
    (Stand.time, "30.0 s behind ours"),
]


@pytest.mark.parametrize("plant, why", PASSING)
async def test_what_passes_by_itself(
    durable: str, its: blocking.Redis, capfdbinary: Lines, plant: Callable[..., None], why: str
) -> None:
    """What may pass by itself does not keep a process from beginning; it is said once, and once that it has passed."""
    telemetry.configure()
    async with standing(its, durable) as it:
        plant(it, is_wrong=True)
        try:
            await it.readiness.begin()
            for _ in range(3):
                assert why in (await it.readiness.look()).faults[0]
            assert {Stand.replica: "role", Stand.memory: "memory", Stand.time: "clock"}[plant] in _counted()
        finally:
            plant(it, is_wrong=False)
        for _ in range(2):
            assert (await it.readiness.look()).faults == ()
        assert _counted() == set()
    (first, what), second = _said(capfdbinary)
    assert (first, second) == ("readiness.lost", ("readiness.gained", ""))
    assert why in what


async def test_no_replica_yet(durable: str, its: blocking.Redis, capfdbinary: Lines) -> None:
    """Where a 2xx waits for a replica a process begins before there is one, and says so."""
    telemetry.configure()
    async with standing(its, durable, RedisSettings(durability="replicated")) as it:
        await it.readiness.begin()
    ((event, why),) = _said(capfdbinary)
    assert (event, "no replica" in why) == ("readiness.lost", True)


async def test_another_fault(durable: str, its: blocking.Redis, capfdbinary: Lines) -> None:
    """When something else is wrong too, that is said; that it is still so is not."""
    telemetry.configure()
    async with standing(its, durable) as it:
        it.time(is_wrong=True)
        await it.readiness.begin()
        it.memory(is_wrong=True)
        await it.readiness.look()
        await it.readiness.look()
    assert [(event, "memory" in why) for event, why in _said(capfdbinary)] == [
        ("readiness.lost", False),
        ("readiness.lost", True),
    ]


@pytest.mark.parametrize("plant", [Stand.disk, Stand.memory])
async def test_nothing_is_promised(durable: str, its: blocking.Redis, plant: Callable[..., None]) -> None:
    """While Redis may lose it or has no room nothing is accepted, though Redis would say yes; afterwards it is."""
    async with standing(its, durable) as it:
        await it.readiness.begin()
        offer = offered(CountingDice())
        plant(it, is_wrong=True)
        health = await it.readiness.look()
        with pytest.raises(StoreDown) as caught:
            await it.store.accept(offer)
        assert str(caught.value) == health.faults[0]
        assert its.exists(Keys().action(offer.action_id)) == 0
        plant(it, is_wrong=False)
        await it.readiness.look()
        assert (await it.store.accept(offer)).action_id == offer.action_id


async def test_away_is_no_pardon() -> None:
    """A Redis that was found to lose what it confirms, and then does not answer, is not taken for a good one."""
    with server(*DURABLE) as url, blocking.Redis.from_url(url, protocol=2) as its:
        async with standing(its, url) as it:
            it.disk(is_wrong=True)
            await it.readiness.look()
            its.config_set("requirepass", "changed")
            its.execute_command("CLIENT", "KILL", "TYPE", "normal")
            assert not (await it.readiness.look()).is_reached
            with pytest.raises(StoreDown, match="appendfsync no"):
                await it.store.accept(offered(CountingDice()))


async def test_the_watch_goes_on() -> None:
    """A look that fails in a way that nobody foresaw is logged, and two seconds later the next one is taken."""
    looks: list[int] = []

    class Odd:
        async def health(self, **_: object) -> Health:
            looks.append(1)
            if len(looks) > 2:
                raise asyncio.CancelledError
            raise RuntimeError("what is this")

    class Quick(OffsetClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0)

    readiness = Readiness(RedisSettings(), cast("RedisStore", Odd()), Quick())
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await readiness.watch()
    assert [line["event"] for line in logs] == ["fault.raised", "fault.raised"]


async def test_rights_are_tried_until_they_are_there() -> None:
    """A right that is missing at the first look is still looked for at the next; one that was there is not again."""
    with server(*DURABLE) as url, blocking.Redis.from_url(url, protocol=2) as its:
        rights = ("ACL", "SETUSER", "onhook", "on", ">pass", "allkeys", "allchannels", "+@all")
        its.execute_command(*rights, "-zadd")
        async with standing(its, url.replace("unix://", "unix://onhook:pass@")) as it:
            for _ in range(2):
                assert "ZADD" in (await it.readiness.look()).lasting[0]
            with pytest.raises(Misconfigured, match="may not run ZADD"):
                await it.readiness.begin()
            its.execute_command(*rights)
            for _ in range(3):
                assert (await it.readiness.look()).faults == ()
            stats = its.info("commandstats")
            assert isinstance(stats, dict)
            assert stats["cmdstat_publish"]["calls"] == 4


def _for_click(folder: Path, url: str) -> dict[str, str]:
    """Return settings with a source that `click` speaks for, on a Redis at `url`."""
    (folder / "sandbox-secret").write_text(OFFLINE["ONHOOK_SOURCES__DESK__SECRETS"])
    source = {name.replace("DESK", "SANDBOX"): value for name, value in OFFLINE.items()}
    return own(folder) | source | {"ONHOOK_REDIS__URL": url, "ONHOOK_SOURCES__SANDBOX__UNTIMED": "accept"}


async def _until_answered(ask: Callable[[], Awaitable[httpx.Response]], status: int) -> httpx.Response:
    async with asyncio.timeout(20):
        while True:
            answer = await ask()
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.05)  # real processes: Redis is looked at every other second


async def test_under_way(
    folder: Path, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, capfdbinary: Lines
) -> None:
    """`serve` begins while Redis is away, and takes webhooks when it is there, as long as it keeps what it takes."""
    place = short_folder()
    stand(monkeypatch, _for_click(folder, f"unix://{place}/s"))
    async with running(serve) as it:
        public, private = await it.door("public"), await it.door("private")
        posted = partial(click, client, public, folder, str(uuid4()))
        asked = partial(client.get, f"{private}/readyz")
        away = (await asked()).json()
        # not asked for the two seconds of each command: an orchestrator waits for one
        assert away["faults"][0] == "Redis has not answered for 0.5 s"
        assert away["faults"][1:] == ["the store did not answer: what is paused is not known"]
        assert (await posted()).status_code == 503
        with server(*DURABLE, folder=place) as url, blocking.Redis.from_url(url, protocol=2) as its:
            await _until_answered(asked, 200)
            assert (await posted()).status_code == 202
            its.config_set("appendfsync", "everysec")
            assert (await _until_answered(posted, 503)).headers["retry-after"]
            assert "appendfsync everysec" in (await asked()).json()["faults"][0]
            its.config_set("appendfsync", "always")
            await _until_answered(posted, 202)
        assert await it.end() == 0
    shutil.rmtree(place)
    told = [(event, "appendfsync" in why) for event, why in _said(capfdbinary)]
    assert told[:4] == [
        ("readiness.lost", False),
        ("readiness.gained", False),
        ("readiness.lost", True),
        ("readiness.gained", False),
    ]
