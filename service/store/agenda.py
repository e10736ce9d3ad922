"""Where something is due and what is paused, asked of many orgs at once: a thousand questions are never done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TypeAlias, cast

from service.core.errors import StoreDown
from service.core.ports import DueKind
from service.store.keys import Keys
from service.store.script import Reply, Runner, script

# of one question: a tenth of a millisecond of Redis
TOGETHER = 100
_KINDS: tuple[DueKind, DueKind] = ("removals", "reports")
_Due: TypeAlias = frozenset[tuple[str, DueKind]]


class RedisAgenda:
    """Meets the port `Agenda`.

    Args:
        runner: brings scripts to Redis; `client.Link` in production.
        keys: the names of all keys.
        together: of so many orgs one question is made; 1 for a Cluster, which takes no question of two slots.
        now_ms: the clock of a simulation; None in production, where Redis' own clock counts.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        keys: Keys | None = None,
        together: int = TOGETHER,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._runner, self._keys, self._together = runner, keys or Keys(), together
        self._now_ms = now_ms

    async def due(self, orgs: Sequence[str]) -> frozenset[tuple[str, DueKind]]:
        """Return of which orgs something is due now, and what; raises StoreDown when nobody answers.

        Of those whose server alone is away all counts as due: it is for who claims to say what is wrong.
        """
        lots, answers = self._lots(orgs), list[_Due | StoreDown]()
        for number, some in enumerate(lots, 1):
            answers.append(await self._due_in(some))
            if isinstance(answers[-1], StoreDown):
                # it takes two seconds to know, so the others are not asked after one another any more
                answers += await asyncio.gather(*map(self._due_in, lots[number:]))
                break
        faults = [answer for answer in answers if isinstance(answer, StoreDown)]
        if faults and len(faults) == len(lots):
            raise faults[0]
        told = zip(lots, answers, strict=True)
        return frozenset().union(
            *(product(some, _KINDS) if isinstance(answer, StoreDown) else answer for some, answer in told)
        )

    async def paused(self, orgs: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return by org what is paused: "" for the whole org, else names of sources; raises StoreDown."""
        found: dict[str, frozenset[str]] = {}
        for some in self._lots(orgs):
            told = cast("list[list[str]]", await self._ask("paused", [self._keys.paused(org) for org in some]))
            found |= {org: frozenset(sources) for org, sources in zip(some, told, strict=True)}
        return found

    async def _due_in(self, orgs: Sequence[str]) -> _Due | StoreDown:
        places: list[tuple[str, DueKind]] = list(product(orgs, _KINDS))
        names = [key for org in orgs for key in (self._keys.due_removals(org), self._keys.desks(org))]
        try:
            return frozenset(places[number - 1] for number in cast("list[int]", await self._ask("due", names)))
        except StoreDown as fault:
            return fault

    def _lots(self, orgs: Sequence[str]) -> Sequence[Sequence[str]]:
        return [orgs[first : first + self._together] for first in range(0, len(orgs), self._together)]

    async def _ask(self, name: str, keys: Sequence[str]) -> Reply:
        now = "" if self._now_ms is None else str(self._now_ms())
        return await self._runner.run(script(name), keys, [now, ""])
