"""Each fault of a Redis that the start and /readyz object to, planted in a real one: what is said, and that it ends."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis

from service.store.client import Link, connect
from service.store.health import Asked, Finding, Health, Topic, Verdict
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice, HandClock, short_folder
from tests.store.servers import DURABLE, programs, server
from tests.store.stories import ORG, offered


@asynccontextmanager
async def looking(url: str) -> AsyncIterator[RedisStore]:
    """Give a store as production has it."""
    link = Link(connect(url), HandClock())
    yield RedisStore(link, CountingDice())
    await link.aclose()


async def look(url: str, asked: Asked | None = None) -> Health:
    """Examine the Redis at `url`, thoroughly."""
    async with looking(url) as store:
        return await store.health(**{"is_thorough": True} | (asked or {}))


def found(health: Health) -> list[tuple[Topic, Verdict]]:
    """Return what is not fine."""
    return [(one.topic, one.verdict) for one in health.findings if one.verdict is not Verdict.FINE]


@pytest.fixture(scope="module")
def durable() -> Iterator[str]:
    """Give the URL of a Redis that is set up as it should be."""
    with server(*DURABLE) as url:
        yield url


@pytest.fixture
def client(durable: str) -> Iterator[redis.Redis]:
    """Give who sets it up otherwise."""
    with redis.Redis.from_url(durable, decode_responses=True, protocol=2) as made:
        yield made


SETTINGS = [
    ("appendonly", "no", "yes", Topic.DURABILITY, "appendonly no: a restart loses what was accepted; set it to yes"),
    ("appendfsync", "everysec", "always", Topic.DURABILITY, "appendfsync everysec: a power cut loses"),
    ("appendfsync", "no", "always", Topic.DURABILITY, "appendfsync no: a power cut loses"),
    ("no-appendfsync-on-rewrite", "yes", "no", Topic.DURABILITY, "during a rewrite of its file"),
    ("maxmemory-policy", "allkeys-lru", "noeviction", Topic.EVICTION, "it may drop what was accepted"),
]


@pytest.mark.parametrize("name, wrong, right, topic, sentence", SETTINGS)
async def test_a_setting(
    durable: str, client: redis.Redis, name: str, wrong: str, right: str, topic: Topic, sentence: str
) -> None:
    """Each setting that may lose what was accepted is a fault that only a person mends, unless losing is allowed."""
    client.config_set(name, wrong)
    try:
        health, lossy = await look(durable), await look(durable, {"allow_lossy": True})
    finally:
        client.config_set(name, right)
    assert found(health) == [(topic, Verdict.LASTING)]
    assert sentence in health.lasting[0]
    assert health.objection == health.faults[0]
    assert found(lossy) == []
    assert found(await look(durable)) == []


async def test_as_it_starts() -> None:
    """A Redis with the settings it comes with is not durable, and that is said."""
    with server() as url:
        assert found(await look(url)) == [(Topic.DURABILITY, Verdict.LASTING)]


async def test_memory(durable: str, client: redis.Redis) -> None:
    """A Redis that is nearly full is a fault that may pass; one that is full refuses the dry-run too."""
    used = client.info("memory")["used_memory"]
    assert isinstance(used, int)
    for most, faults in ((used * 1.15, {Topic.MEMORY}), (used / 2, {Topic.MEMORY, Topic.SCRIPTS})):
        client.config_set("maxmemory", round(most))
        try:
            health = await look(durable)
        finally:
            client.config_set("maxmemory", 0)
        assert {topic for topic, _ in found(health)} == faults
        assert health.lasting == ()
        assert "webhooks are refused from 80% on" in health.objection
    assert found(await look(durable)) == []


async def test_a_replica(durable: str, client: redis.Redis) -> None:
    """A Redis that became a replica takes no writes: not ready, and ready again when it is a master."""
    client.replicaof("127.0.0.1", "9")
    try:
        health = await look(durable)
    finally:
        client.replicaof("NO", "ONE")
    assert found(health) == [(Topic.ROLE, Verdict.PASSING), (Topic.SCRIPTS, Verdict.PASSING)]
    assert health.role == "slave"
    assert found(await look(durable)) == []


async def test_no_replica(durable: str) -> None:
    """Where each 2xx waits for a replica, a Redis without one is not ready."""
    assert found(await look(durable, {"needs_replica": True})) == [(Topic.REPLICA, Verdict.PASSING)]


@pytest.mark.parametrize("seconds, way", [(-30, "30.0 s ahead of ours"), (0, ""), (30, "30.0 s behind ours")])
async def test_a_clock_that_is_off(durable: str, client: redis.Redis, seconds: int, way: str) -> None:
    """A Redis whose clock is not ours is a fault that may pass, and says by how much; half a minute either way."""

    def ours() -> int:
        whole, micros = client.time()
        return whole * 1_000 + micros // 1_000 + seconds * 1_000

    health = await look(durable, {"now": ours})
    assert found(health) == ([(Topic.CLOCK, Verdict.PASSING)] if way else [])
    assert way in "".join(health.faults)


async def test_away(tmp_path: Path) -> None:
    """A Redis that is not there is one fault, that may pass."""
    health = await look(f"unix://{tmp_path}/nobody")
    assert found(health) == [(Topic.REACH, Verdict.PASSING)]
    assert "did not answer" in health.faults[0]


async def test_not_let_in(durable: str) -> None:
    """A Redis that takes neither user nor password is a fault that only a person mends."""
    health = await look(durable.replace("unix://", "unix://onhook:wrong@"))
    assert found(health) == [(Topic.REACH, Verdict.LASTING)]
    assert health.faults[0].startswith("Redis does not let us in: ")
    assert "wrong" not in health.faults[0].replace("WRONGPASS", "")


async def test_loading() -> None:
    """A Redis that still reads its file is a fault that passes."""
    folder = short_folder()
    with (
        server(*DURABLE, folder=folder) as url,
        redis.Redis.from_url(url, protocol=2) as client,
        client.pipeline(transaction=False) as pipe,
    ):
        for number in range(4_000):
            pipe.set(str(number), "x")
        pipe.execute()
    # so many µs for each key, that it takes some seconds; between two thousand of them it answers
    with server(*DURABLE, "--key-load-delay", "2000", folder=folder) as url:
        assert found(await look(url)) == [(Topic.REACH, Verdict.PASSING)]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(url.removeprefix("unix://"))
            connection.sendall(b"CONFIG SET key-load-delay 0\r\n")
            assert connection.recv(64) == b"+OK\r\n"
        while found(await look(url)):
            pass
    shutil.rmtree(folder)


async def test_a_disk_that_is_full() -> None:
    """A Redis that could not write its file is a fault that may pass, and no webhook is accepted meanwhile."""
    folder = short_folder()
    script = folder / "limited"
    script.write_text(f'#!/bin/sh\ntrap "" XFSZ\nulimit -f 64\nexec "{next(iter(programs().values()))}" "$@"\n')
    script.chmod(0o700)
    # with always a Redis that cannot write ends itself
    with server("--appendonly", "yes", program=script) as url, redis.Redis.from_url(url, protocol=2) as client:
        while client.info("persistence")["aof_last_write_status"] == "ok":
            try:
                client.set("k", "x" * 10_000)
            except redis.ResponseError as fault:
                assert "MISCONF" in str(fault)  # noqa: PT017 - it may be refused before it is seen
        health = await look(url)
    assert (Topic.DURABILITY, Verdict.PASSING) in found(health)
    assert (Topic.SCRIPTS, Verdict.PASSING) in found(health)
    assert "could not write its append-only file" in health.objection
    shutil.rmtree(folder)


RIGHTS: list[tuple[str, Topic, Verdict, str]] = [
    ("-zadd", Topic.SCRIPTS, Verdict.LASTING, "may not run ZADD: let it"),
    ("-pexpireat -hset", Topic.SCRIPTS, Verdict.LASTING, "may not run HSET, PEXPIREAT: let it"),
    ("-del -set", Topic.SCRIPTS, Verdict.LASTING, "may not run DEL, SET: let it"),
    ("-publish", Topic.SCRIPTS, Verdict.LASTING, "may not run PUBLISH"),
    ("resetchannels", Topic.SCRIPTS, Verdict.LASTING, "may not run PUBLISH"),
    ("-evalsha", Topic.SCRIPTS, Verdict.LASTING, "a script that writes could not be run"),
    ("resetkeys ~else:*", Topic.SCRIPTS, Verdict.LASTING, "a script that writes could not be run"),
    ("-config", Topic.DURABILITY, Verdict.UNKNOWN, "whether Redis has appendfsync always"),
]


@pytest.fixture(scope="module", params=programs())
def each_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a durable Redis of each kind."""
    with server(*DURABLE, program=programs()[request.param]) as url:
        yield url


@pytest.fixture
def user(each_kind: str) -> Iterator[Callable[[str], str]]:
    """Give what makes a user with other rights than all, and returns the URL as it."""
    with redis.Redis.from_url(each_kind, protocol=2) as client:

        def make(rights: str) -> str:
            words = ("on", ">pass", "allkeys", "allchannels", "+@all", *rights.split())
            client.execute_command("ACL", "SETUSER", "onhook", *words)
            return each_kind.replace("unix://", "unix://onhook:pass@")

        yield make


@pytest.mark.parametrize("rights, topic, verdict, sentence", RIGHTS)
async def test_rights(user: Callable[[str], str], rights: str, topic: Topic, verdict: Verdict, sentence: str) -> None:
    """A user without a right that is needed is a fault that only a person mends; it is named, and nothing is left."""
    url = user(rights)
    health = await look(url)
    assert found(health) == [(topic, verdict)]
    assert sentence in (health.unknowns or health.lasting)[0]
    assert found(await look(user("allkeys"))) == []


async def test_nothing_may_be_asked(user: Callable[[str], str]) -> None:
    """A user who may ask nothing, and run all that the scripts need, has no fault: what nobody knows is said."""
    url = user("-info -config")
    health = await look(url)
    assert health.faults == ()
    assert [one.topic for one in health.findings if one.verdict is Verdict.UNKNOWN] == [Topic.REACH, Topic.DURABILITY]


async def test_a_walk_where_nothing_may_be_asked(user: Callable[[str], str], dice: CountingDice) -> None:
    """Such a user walks through all keys as well."""
    offer = offered(dice)
    async with looking(user("-info -config")) as store:
        await store.accept(offer)
        assert await store.action_ids(ORG) == [offer.action_id]


async def test_no_clock(user: Callable[[str], str]) -> None:
    """A user who may not ask the time cannot run a script either: they all do."""
    health = await look(user("-time"), {"now": HandClock().now})
    assert found(health) == [(Topic.CLOCK, Verdict.UNKNOWN), (Topic.SCRIPTS, Verdict.LASTING)]


def test_a_finding() -> None:
    """What is unknown is no fault."""
    assert not Finding(Topic.CLOCK, Verdict.UNKNOWN, "").is_fault
