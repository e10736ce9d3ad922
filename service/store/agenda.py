"""Where something is due and what is paused, asked of many orgs at once: a thousand questions are never done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from service.core.ports import DueKind
from service.store.keys import Keys
from service.store.script import Reply, Runner, script

# of one question: a tenth of a millisecond of Redis
TOGETHER = 100
_KINDS: tuple[DueKind, DueKind] = ("removals", "reports")


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
        """Return of which orgs something is due now, and what; raises StoreDown."""
        found: set[tuple[str, DueKind]] = set()
        for some in self._lots(orgs):
            places: list[tuple[str, DueKind]] = [(org, kind) for org in some for kind in _KINDS]
            names = [key for org in some for key in (self._keys.due_removals(org), self._keys.desks(org))]
            found.update(places[number - 1] for number in cast("list[int]", await self._ask("due", names)))
        return frozenset(found)

    async def paused(self, orgs: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return by org what is paused: "" for the whole org, else names of sources; raises StoreDown."""
        found: dict[str, frozenset[str]] = {}
        for some in self._lots(orgs):
            told = cast("list[list[str]]", await self._ask("paused", [self._keys.paused(org) for org in some]))
            found |= {org: frozenset(sources) for org, sources in zip(some, told, strict=True)}
        return found

    def _lots(self, orgs: Sequence[str]) -> Sequence[Sequence[str]]:
        return [orgs[first : first + self._together] for first in range(0, len(orgs), self._together)]

    async def _ask(self, name: str, keys: Sequence[str]) -> Reply:
        now = "" if self._now_ms is None else str(self._now_ms())
        return await self._runner.run(script(name), keys, [now, ""])
