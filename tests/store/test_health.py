"""What /readyz says of Redis, in words: each fault alone, what could not be asked, and that it never raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import redis
from redis.exceptions import ResponseError

from service.core.errors import StoreDown
from service.store.client import Link
from service.store.health import CLOCK_OFFSET_MOST, Topic, Verdict, examine
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.store.script import FOLDER, Reply, Script, names
from tests.store.stories import Story

FINE: dict[str, object] = {
    "redis_version": "7.2.4",
    "role": "master",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "maxmemory": 0,
    "used_memory": 5,
    "maxmemory_policy": "noeviction",
    "connected_slaves": 0,
}


@dataclass
class Told:
    """A runner that answers as a Redis would that is set up so."""

    info: dict[str, object]
    appendfsync: str | None = "always"
    probe: Sequence[str] | None = ("ok",)
    is_deaf: bool = False
    rereads: str | None = "OK"
    asked: list[str] = field(default_factory=list)

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Answer the dry-run."""
        self.asked.append(script.name)
        if self.probe is None:
            raise StoreDown("Redis said no: MISCONF")
        return list(self.probe)

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Answer the dry-run."""
        return await self.run(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Answer INFO, CONFIG GET, and what another user may do."""
        self.asked.append(words[0])
        if words[0] == "INFO":
            return self.info
        if words[:2] == ("ACL", "DRYRUN"):
            if self.rereads is None:
                raise StoreDown("Redis said no: NOPERM")
            return self.rereads
        if self.is_deaf:
            raise StoreDown("Redis did not answer")
        if self.appendfsync is None:
            raise StoreDown("Redis said no: NOPERM") from ResponseError("NOPERM")
        return ["appendfsync", self.appendfsync]


def test_what_redis_is_looked_at_for() -> None:
    """Each topic keeps its name: operators' rules, dashboards and scripts name it."""
    said = "settings reach version role replica durability eviction memory clock scripts wakes"
    assert [str(topic) for topic in Topic] == said.split()


async def test_the_embedded_redis_is_fine(store: RedisStore) -> None:
    """A Redis of our own has no fault, and nothing about it is unknown."""
    health = await store.health()
    assert (health.faults, health.unknowns, health.role, health.memory_share) == ((), (), "master", None)
    assert health.version[0].isdigit()


async def test_asked_over_the_network(link: Link, live_store: RedisStore) -> None:
    """Production asks the same and hears the same."""
    assert (await live_store.health()).faults == ()


@pytest.mark.parametrize(
    "changed, fault",
    [
        ({"redis_version": "6.0.16"}, "6.2 is the oldest"),
        ({"redis_version": ""}, "unknown"),
        ({"role": "slave"}, "not a master"),
        ({"maxmemory": 100, "used_memory": 81}, "81%"),
        ({"aof_enabled": 0}, "appendonly"),
        ({"aof_last_write_status": "err"}, "append-only file"),
        ({"maxmemory_policy": "volatile-lru"}, "volatile-lru"),
    ],
)
async def test_each_fault_is_said(changed: dict[str, object], fault: str) -> None:
    """Each thing that is wrong is one sentence, that says what to do."""
    health = await examine(Told(FINE | changed), Keys())
    assert len(health.faults) == 1
    assert fault in health.faults[0]


@pytest.mark.parametrize("changed", [{"redis_version": "6.2.0"}, {"maxmemory": 100, "used_memory": 80}, {}])
async def test_what_is_no_fault(changed: dict[str, object]) -> None:
    """At the edge of what is allowed there is no fault."""
    assert (await examine(Told(FINE | changed), Keys())).faults == ()


@pytest.mark.parametrize("policy", ["everysec", "no"])
async def test_a_lazy_disk_is_a_fault(policy: str) -> None:
    """What a power cut would lose is a fault, unless losing is allowed: then it is not even asked."""
    told = Told(FINE, appendfsync=policy)
    assert policy in (await examine(told, Keys())).faults[0]
    lossy = Told(FINE | {"aof_enabled": 0, "maxmemory_policy": "allkeys-lru"}, appendfsync=policy)
    assert (await examine(lossy, Keys(), allow_lossy=True)).faults == ()
    assert "CONFIG" not in lossy.asked


async def test_what_may_not_be_asked_is_unknown() -> None:
    """A managed Redis that forbids CONFIG has no fault for it; that nobody knows is said."""
    health = await examine(Told(FINE, appendfsync=None), Keys())
    assert health.faults == ()
    assert "appendfsync" in health.unknowns[0]


async def test_what_was_not_heard_is_no_pardon() -> None:
    """A Redis that did not answer whether it waits for its disk is not taken for one that may not be asked."""
    health = await examine(Told(FINE, appendfsync="everysec", is_deaf=True), Keys())
    assert "did not say whether it has appendfsync always" in health.faults[0]
    assert health.objection
    assert health.lasting == ()


@pytest.mark.parametrize(
    "changed, rereads, verdict",
    [
        ({"redis_version": "7.0.15"}, "OK", None),
        ({"redis_version": "7.0.15"}, "User default has no permissions to run the 'set' command", Verdict.LASTING),
        ({"redis_version": "7.0.15"}, None, Verdict.UNKNOWN),
        ({"redis_version": "7.0.15", "server_name": "another"}, "no", None),
        ({"redis_version": "7.2.0"}, "no", None),
    ],
)
async def test_a_file_that_would_not_be_read(
    changed: dict[str, object], rereads: str | None, verdict: Verdict | None
) -> None:
    """Redis 7.0 drops at its start what its user default may not do: said when all is looked at, and no start."""
    told = Told(FINE | changed, rereads=rereads)
    found = [one for one in (await examine(told, Keys(), is_thorough=True)).findings if one.verdict is not Verdict.FINE]
    assert [(one.topic, one.verdict) for one in found] == ([(Topic.DURABILITY, verdict)] if verdict else [])
    hasty, lossy = Told(FINE | changed, rereads=rereads), Told(FINE | changed, rereads=rereads)
    await examine(hasty, Keys())
    await examine(lossy, Keys(), is_thorough=True, allow_lossy=True)
    assert "ACL" not in (*hasty.asked, *lossy.asked)


async def test_a_replica_where_one_is_needed() -> None:
    """Where each 2xx waits for a replica there must be one."""
    assert "no replica" in (await examine(Told(FINE), Keys(), needs_replica=True)).faults[0]
    filling, there = {"slave0": {"state": "wait_bgsave"}}, {"slave0": {"state": "online"}}
    assert "no replica" in (await examine(Told(FINE | filling), Keys(), needs_replica=True)).faults[0]
    assert (await examine(Told(FINE | there), Keys(), needs_replica=True)).faults == ()


@pytest.mark.parametrize("said", [None, ["not what was written"]])
async def test_the_dry_run_is_a_script_that_writes(said: list[str] | None) -> None:
    """When a script cannot write, that is a fault, whatever INFO says."""
    health = await examine(Told(FINE, probe=said), Keys())
    assert "a script that writes" in health.faults[0]


async def test_the_dry_run_leaves_nothing(story: Story, redis_client: redis.Redis) -> None:
    """The dry-run's key is gone after a second."""
    await story.store.health()
    assert 0 < redis_client.pttl(story.keys.probe) <= 1_000


@pytest.mark.parametrize(
    "changed, topic, verdict",
    [
        ({"redis_version": "6.0.16"}, Topic.VERSION, Verdict.LASTING),
        ({"aof_enabled": 0}, Topic.DURABILITY, Verdict.LASTING),
        ({"maxmemory_policy": "allkeys-lru"}, Topic.EVICTION, Verdict.LASTING),
        ({"role": "slave"}, Topic.ROLE, Verdict.PASSING),
        ({"aof_last_write_status": "err"}, Topic.DURABILITY, Verdict.PASSING),
        ({"maxmemory": 100, "used_memory": 81}, Topic.MEMORY, Verdict.PASSING),
    ],
)
async def test_what_only_a_person_mends(changed: dict[str, object], topic: Topic, verdict: Verdict) -> None:
    """What is set wrong is told from what may pass by itself; and when no promise can be given, that is said."""
    health = await examine(Told(FINE | changed), Keys())
    assert [(one.topic, one.verdict) for one in health.findings if one.verdict is not Verdict.FINE] == [
        (topic, verdict)
    ]
    assert bool(health.lasting) == (verdict is Verdict.LASTING)
    no_promise = {Topic.DURABILITY, Topic.EVICTION, Topic.MEMORY}
    assert health.objection == (health.faults[0] if topic in no_promise else "")


async def test_a_redis_that_reads_its_file() -> None:
    """While Redis reads its file nothing else is asked: what it says of itself is not so yet."""
    told = Told(FINE | {"loading": 1, "aof_enabled": 0})
    health = await examine(told, Keys())
    assert (health.faults, health.lasting) == (("Redis is still reading its file: wait",), ())
    assert told.asked == ["INFO"]


@pytest.mark.parametrize("seconds", [-1.001, -1.0, 0.0, 1.0, 1.001])
async def test_a_clock_of_its_own(seconds: float) -> None:
    """A Redis whose clock is more than a second from ours is a fault, whichever is ahead."""

    @dataclass
    class Off(Told):
        async def ask(self, *words: str) -> object:
            return ("1000", "0") if words[0] == "TIME" else await Told.ask(self, *words)

    health = await examine(Off(FINE), Keys(), now=lambda: 1_000_000 - round(seconds * 1_000))
    assert len(health.faults) == (abs(seconds) > CLOCK_OFFSET_MOST)
    if health.faults:
        assert f"1.0 s {'ahead of' if seconds > 0 else 'behind'} ours" in health.faults[0]


async def test_a_slow_answer_is_no_offset() -> None:
    """How long Redis takes to say its time is no difference of the clocks."""

    @dataclass
    class Slow(Told):
        async def ask(self, *words: str) -> object:
            return ("1000", "0") if words[0] == "TIME" else await Told.ask(self, *words)

    moments = iter([999_000, 1_005_000])
    assert (await examine(Slow(FINE), Keys(), now=lambda: next(moments))).faults == ()


def test_the_dry_run_tries_every_command() -> None:
    """Each command that any script runs is tried before the first webhook: none is refused in the middle of a step."""
    used, tried = set[str](), set[str]()
    for name in ("prologue", *names()):
        text = (FOLDER / f"{name}.lua").read_text()
        used |= set(re.findall(r"redis\.p?call\('([A-Z]+)'", text))
        if name == "probe":
            tried = set(re.findall(r"'([A-Z]{3,})'", text))
    # the one stands before each script, this one too; a walk goes without the other where a user may not ask
    assert used - tried == {"TIME", "INFO"}
