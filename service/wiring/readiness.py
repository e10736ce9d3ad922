"""Whether Redis can keep our promises: looked at before a process takes anything, and every other second after it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NoReturn

from service import telemetry
from service.core.errors import Misconfigured
from service.core.ports import Clock
from service.settings import RedisSettings
from service.store.health import Asked, Health, Topic
from service.store.redis import RedisStore

# as often as an orchestrator asks; so long at most webhooks are accepted by a Redis that was set otherwise under us
LOOK_SECONDS = 2.0
# an orchestrator waits a second for a probe by default; a Redis that does not answer is asked for two
ANSWER_SECONDS = 0.5


def asked(redis: RedisSettings, clock: Clock, *, is_thorough: bool) -> Asked:
    """Return what is wanted of a Redis that is set so."""
    return {
        "allow_lossy": redis.allow_lossy,
        "needs_replica": redis.durability == "replicated",
        "now": clock.now,
        "is_thorough": is_thorough,
    }


class Readiness:
    """Says why a process is not ready, and says it in the log when that changes.

    Attributes:
        is_reached: whether Redis answered when it was asked last.
    """

    def __init__(self, redis: RedisSettings, store: RedisStore, clock: Clock) -> None:
        """Prepare; nothing is asked before `begin` or `look`."""
        self._redis = redis
        self._store = store
        self._clock = clock
        self.is_reached = True
        self._looks: set[asyncio.Task[Health]] = set()
        self._wrong: frozenset[Topic] = frozenset()
        # the rights of our user are tried until they were found sufficient once
        self._is_thorough = True

    async def begin(self) -> None:
        """Look for the first time. What may pass by itself is noted; the process begins, and is not ready.

        Raises:
            Misconfigured: what only a person can mend, as a sentence each: to begin would be to promise what cannot be.
        """
        health = await self._look()
        if health.lasting:
            raise Misconfigured(health.lasting)
        self._note(health)

    async def look(self) -> Health:
        """Look again; from now on the store accepts, or does not, by what was found."""
        health = await self._look()
        self._note(health)
        return health

    async def faults(self) -> Sequence[str]:
        """Return what is wrong now; of a Redis that does not answer soon, that it does not."""
        look = asyncio.create_task(self.look())
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)
        if await asyncio.wait({look}, timeout=ANSWER_SECONDS) == ({look}, set()):
            return look.result().faults
        self.is_reached = False
        return [f"Redis has not answered for {ANSWER_SECONDS} s"]

    async def watch(self) -> NoReturn:
        """Look every other second, until cancelled; a fault of ours in one look does not end the next."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception as fault:  # noqa: BLE001 - else webhooks would be taken by what was found long ago
                telemetry.emit_fault(fault, "readiness")

    async def _look(self) -> Health:
        health = await self._store.health(**asked(self._redis, self._clock, is_thorough=self._is_thorough))
        self.is_reached = health.is_reached
        self._is_thorough = not health.is_reached or bool(health.lasting)
        return health

    def _note(self, health: Health) -> None:
        """Count what is wrong; write one line when it is something else than before, and one when all is well again."""
        wrong = frozenset(one.topic for one in health.findings if one.is_fault)
        for topic in Topic:
            telemetry.FAULTS.labels(topic.value).set(topic in wrong)
        if wrong != self._wrong:
            if wrong:
                telemetry.emit(telemetry.Event.READINESS_LOST, "error", faults=health.faults)
            else:
                telemetry.emit(telemetry.Event.READINESS_GAINED)
        self._wrong = wrong
