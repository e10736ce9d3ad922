"""`onhook serve` with a store that keeps nothing: what a webhook costs up to the store's port, and nothing behind it.

    python -m tests.bench.unkept

The same settings, doors, sources, log and metrics; every offer is answered by a receipt at once.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

from service import settings, telemetry
from service.core import model as m
from service.core.errors import StoreDown
from service.flow.workplace import Workplace
from service.store.redis import RedisStore
from service.store.script import Reply, Script
from service.web.protocol import loop_factory
from service.wiring import processes
from service.wiring.house import opened
from service.wiring.listening import listening


class NoRedis:
    """A `Runner` without a Redis: nothing but accepting is asked here."""

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Raise StoreDown."""
        raise StoreDown(f"{script.name}: there is no Redis, and {len(keys)} keys and {len(args)} words are lost")

    async def run_shared(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        """Raise StoreDown."""
        return await self.run(script, keys, args)

    async def ask(self, *words: str) -> object:
        """Raise StoreDown."""
        raise StoreDown(f"{words[0]}: there is no Redis")


class Unkept(RedisStore):
    """The port `Store`: takes every offer for a new action, and forgets it."""

    async def accept(self, offer: m.Offer) -> m.Receipt:
        """Return the receipt that a new action gets."""
        return m.Receipt(offer.action_id, offer.key, "")


def without_store(place: Workplace) -> Workplace:
    """Return the same place with a store that keeps nothing."""
    return replace(place, store=Unkept(NoRedis(), place.dice))


async def serve() -> int:
    """Run the doors until told to stop; return the exit code."""
    said = settings.read()
    telemetry.configure(said.log.level)
    with listening(said.doors.public) as public, listening(said.doors.private) as private:
        async with opened(said, _say, may_start=False, through=without_store) as house:
            run = processes._run  # what `onhook serve` runs from here on, and nothing that is like it
            return await run(house, public=public, private=private, works=False)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sys.exit(runner.run(serve()))
