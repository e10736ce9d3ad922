"""The faults that strike processes and Redis: at every step, by seeded chance, until it is told to be calm."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import cast

import redis as blocking

from service.core.errors import StoreDown
from service.store.script import Reply, Script
from tests.fixtures.redis import BlockingRunner
from tests.story.simulation.course import WHO, Course, CourseClock
from tests.story.simulation.ledger import Ledger

# How often a step is struck. Claims are asked each second, most of them for nothing; it hurts around a send.
STRUCK = 0.04
STRUCK_AT = {"claim": 0.005, "claim_reports": 0.004, "renew": 0.05, "spend": 0.02, "look": 0.03, "accept": 0.08}
STRUCK_AT |= {"throttle": 0.6, "put_back": 0.1, "pin": 0.1, "pause": 0.15, "end_report": 0.08}
STRUCK_AT |= {"rest": 0.004, "rested": 0.006, "wake": 0.001, "post": 0.05, "2xx": 0.08}
STRUCK_AT |= {"mark_sent": 0.2, "send": 0.15, "send answer": 0.15, "answered": 0.15, "unsent": 0.5, "settle": 0.12}
LINK_SECONDS = 2.0  # so long `store.client.Link` asks; then it is StoreDown, and nothing is asked any more
MOST_CRASHES = 6  # in one story: else most actions end as poison, which teaches little
FREEZE_SECONDS = (0.5, 14.0)  # up to more than two leases

# twice, what needs a second one to show: a frozen one whose lease another takes, a step that is asked for again
BEFORE = ("crash before", *("freeze before",) * 2, "down before", "slow before", "refused before", "noscript before")
AFTER = ("crash after", "freeze after", "down after", "slow after", "reply lost", "reply lost")

RECEIVER = "r"  # the names of receivers begin with it: they die alone, and their sender sends again

# How Redis is brought to say no by itself, and how it is brought to say yes again.
_Words = tuple[str, ...]
REFUSALS: dict[str, tuple[_Words, _Words]] = {
    "OOM": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "READONLY": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "NOREPLICAS": (("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0")),
}

READ: dict[str, Callable[[blocking.Redis, str], object]] = {
    "hash": lambda client, name: client.hgetall(name),
    "list": lambda client, name: client.lrange(name, 0, -1),
    "set": lambda client, name: client.smembers(name),
    "string": lambda client, name: client.get(name),
    "zset": lambda client, name: client.zrange(name, 0, -1, withscores=True),
}


class Chaos:
    """Strikes where it is asked to."""

    def __init__(self, course: Course, clock: CourseClock, ledger: Ledger, rng: random.Random) -> None:
        self._course, self._clock, self._ledger, self._rng = course, clock, ledger, rng
        self.is_calm = False
        self.is_over = False
        self.is_redis_down = False
        self.crashes = 0
        self.freeze_seconds = FREEZE_SECONDS
        self.when_killed: Callable[[str], None] = lambda _: None

    def calm(self) -> None:
        """No more faults; who stands still goes on."""
        self.is_calm, self.is_redis_down = True, False
        for who in sorted(self._course.still):
            self._course.thaw(who)

    def drawn(self, name: str, kinds: Sequence[str]) -> str:
        """Return the fault that strikes here, or ""."""
        if self.is_calm or not kinds or self._rng.random() >= STRUCK_AT.get(name, STRUCK):
            return ""
        return self._rng.choice(kinds)

    async def point(self, name: str, kinds: Sequence[str]) -> str:
        """Let whatever strikes here happen; return what it was, when the caller has to do it himself.

        Raises:
            StoreDown: the simulation is over.
        """
        if self.is_over:
            raise StoreDown("the story is over")
        who, fault = WHO.get(), self.drawn(name, kinds)
        kind = fault.partition(" ")[0]
        too_many = self.crashes >= MOST_CRASHES and not who.startswith(RECEIVER)
        if (kind in {"crash", "freeze"} and not who) or (kind == "crash" and too_many):
            return ""
        if fault:
            self._ledger.hit(f"{fault} {name}")
        if kind == "crash":
            self.crash(who)
            await asyncio.sleep(0)
        elif kind == "freeze":
            self._course.freeze(who, self._rng.uniform(*self.freeze_seconds))
            await asyncio.sleep(0)
        elif kind == "slow":
            await self._clock.sleep(self._rng.uniform(0.01, 1.5))
        return kind if kind in {"down", "reply", "refused", "noscript"} else ""

    def refusal(self) -> str:
        """Return what Redis is going to say instead of a yes."""
        return self._rng.choice(sorted(REFUSALS))

    def crash(self, who: str) -> None:
        """End a process, in the middle of whatever it does."""
        self.crashes += not who.startswith(RECEIVER)
        self._course.kill(who)
        self.when_killed(who)

    async def outage(self) -> None:
        """Raise StoreDown while Redis is away, as late as a client notices.

        Raises:
            StoreDown: it is away.
        """
        if self.is_redis_down:
            self._ledger.hit("redis away")
            await self._clock.sleep(self._rng.uniform(0.0, 2.0))
            raise StoreDown("Redis is away")


class Passage:
    """A `Runner`: one blocking call a script, with faults before it, after it, and on the way back."""

    def __init__(self, client: blocking.Redis, clock: CourseClock, ledger: Ledger, chaos: Chaos) -> None:
        self._client, self._blocking = client, BlockingRunner(client)
        self._clock, self._ledger, self._chaos = clock, ledger, chaos

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer; a reply that was lost is asked for again, as `client.Link` does."""
        began = self._clock.monotonic()
        await self._chaos.outage()
        fate = await self._chaos.point(script.name, BEFORE)
        if fate == "down":
            raise StoreDown("it never arrived")
        self._patient(began)
        if fate == "noscript":
            self._client.script_flush()
        reply = self._refused(script, keys, args) if fate == "refused" else self._once(script, keys, args)
        fate = await self._chaos.point(script.name, AFTER)
        if fate == "down":
            raise StoreDown("it ran, and nobody said so")
        if fate == "reply":
            await self._clock.sleep(0.05)
            self._patient(began)
            return self._once(script, keys, args)
        return reply

    def _patient(self, began: float) -> None:
        if self._clock.monotonic() > began + LINK_SECONDS:
            raise StoreDown("it took too long to get through")

    def _refused(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Let Redis itself say no, and see that nothing was half written; a step that only reads it lets pass."""
        code = self._chaos.refusal()
        no, yes = REFUSALS[code]
        say = cast("Callable[..., object]", self._client.execute_command)
        before = self._everything()
        say(*no)
        try:
            return self._once(script, keys, args)
        except blocking.ResponseError as fault:
            self._ledger.hit(f"redis says {code}")
            after = self._everything()
            if changed := [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]:
                self._ledger.breach(
                    "nothing half written", f"{script.name} wrote {sorted(changed)} and Redis said {code}"
                )
            raise StoreDown(f"Redis said no: {code}") from fault
        finally:
            say(*yes)

    def _everything(self) -> dict[str, object]:
        """Return what stands in Redis, by key; not as DUMP shows it, whose order is another after a mere look."""
        names = sorted(str(name) for name in self._client.scan_iter(count=1000))
        kinds = [str(self._client.type(name)) for name in names]
        return {name: READ[kind](self._client, name) for name, kind in zip(names, kinds, strict=True)}

    def _once(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        # by the clock of Redis when it runs, not when it was asked
        words = (str(self._clock.redis_now()), *args[1:])
        reply = self._blocking.repeat((script, tuple(keys), words))
        self._ledger.step(script.name, keys, words, reply)
        return reply

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Return the script's answer; there is nobody to share with."""
        return await self.run(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Return the answer to a plain command."""
        return await self._blocking.ask(*words)
