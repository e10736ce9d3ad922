"""What is wrong anywhere is wrong, and said by name; what is fine is fine everywhere."""

from __future__ import annotations

import pytest

from service.core.errors import StoreDown
from service.store.health import Finding, Health, Topic, Verdict
from service.store.keys import Keys
from service.store.redis import RedisStore
from service.store.script import Runner
from service.store.survey import examine_all, together
from tests.fixtures.redis import BlockingRunner, CountingDice
from tests.store.stories import offered


def _health(version: str, share: float | None, *findings: tuple[Topic, Verdict, str]) -> Health:
    return Health(tuple(Finding(*finding) for finding in findings), version, "master", share)


FINE = _health(
    "7.0", None, (Topic.REACH, Verdict.FINE, "it answers"), (Topic.DURABILITY, Verdict.FINE, "it is on disk")
)
LOSSY = _health(
    "8.0", 0.5, (Topic.REACH, Verdict.FINE, "it answers"), (Topic.DURABILITY, Verdict.LASTING, "it forgets")
)
SHY = _health("", 0.2, (Topic.REACH, Verdict.UNKNOWN, "it is shy"), (Topic.DURABILITY, Verdict.UNKNOWN, "who knows"))
GONE = _health("", None, (Topic.REACH, Verdict.PASSING, "it is gone"))


def test_one_server_is_as_it_is() -> None:
    """Where there is one server, what is known of it is what is known."""
    assert together({"": FINE}) == FINE


def test_the_worst_counts() -> None:
    """A fault of one of several masters is a fault, with its name; the others' being fine mends nothing."""
    found = together({"a:1": FINE, "b:2": LOSSY, "c:3": FINE})
    assert found.faults == found.lasting == ("b:2: it forgets",)
    assert found.objection == "b:2: it forgets"
    assert [one.topic for one in found.findings] == [Topic.REACH, Topic.DURABILITY]
    assert (found.version, found.memory_share) == ("7.0 and 8.0", 0.5)


def test_each_is_said() -> None:
    """Two that are wrong are two sentences; what one does not let us ask is unknown."""
    found = together({"a:1": LOSSY, "b:2": LOSSY, "c:3": SHY})
    assert found.faults == ("a:1: it forgets", "b:2: it forgets")
    assert found.unknowns == ("c:3: it is shy", "c:3: who knows")


def test_one_that_is_gone_is_not_reached() -> None:
    """While a master does not answer Redis counts as not reached: what was known before holds."""
    found = together({"a:1": LOSSY, "b:2": GONE})
    assert not found.is_reached
    assert found.findings[0].sentence == "b:2: it is gone"


def test_one_that_is_shy_hides_no_other() -> None:
    """A master that does not let us ask does not hide that another does not answer."""
    assert not together({"a:1": SHY, "b:2": GONE}).is_reached


async def test_while_one_is_gone_another_may_not_forget(runner: BlockingRunner, dice: CountingDice) -> None:
    """A master that begins to lose what it confirms is objected to also while another master does not answer."""

    class Gone(BlockingRunner):
        async def ask(self, *words: str) -> object:
            raise StoreDown("it is gone")

    class Two(BlockingRunner):
        async def masters(self) -> dict[str, Runner]:
            return {"a:1": Gone(self.client), "b:2": runner}

    store = RedisStore(Two(runner.client), dice)
    runner.client.config_set("appendfsync", "everysec")
    try:
        await store.health()
        with pytest.raises(StoreDown, match=r"b:2: .* appendfsync everysec"):
            await store.accept(offered(dice))
        runner.client.config_set("appendfsync", "always")
        await store.health()
        with pytest.raises(StoreDown, match="appendfsync everysec"):
            await store.accept(offered(dice))
    finally:
        runner.client.config_set("appendfsync", "always")


async def test_a_runner_of_one(runner: BlockingRunner) -> None:
    """Who knows of one server only is asked for that."""
    assert (await examine_all(runner, Keys())).faults == ()


async def test_nobody_can_say(runner: BlockingRunner) -> None:
    """Where nobody can say which servers there are, that is the fault."""

    class Lost(BlockingRunner):
        async def masters(self) -> dict[str, Runner]:
            raise StoreDown("Redis did not answer: TimeoutError")

    found = await examine_all(Lost(runner.client), Keys())
    assert found.faults == ("Redis did not answer: TimeoutError",)
    assert not found.is_reached


@pytest.mark.parametrize("name", ["a:1", ""])
async def test_each_server_is_asked(runner: BlockingRunner, name: str) -> None:
    """Each server is asked by itself, and only where there are several is it named."""
    runner.client.config_set("maxmemory-policy", "allkeys-lru")

    class Two(BlockingRunner):
        async def masters(self) -> dict[str, Runner]:
            return {name: BlockingRunner(self.client)}

    try:
        (fault,) = (await examine_all(Two(runner.client), Keys())).faults
    finally:
        runner.client.config_set("maxmemory-policy", "noeviction")
    assert "allkeys-lru" in fault
    assert fault.startswith("a:1: ") == bool(name)
