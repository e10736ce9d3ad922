"""Where something is due, asked of many orgs in one question: a thousand of them asked one by one are never done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from service.core.ports import DueKind
from service.store.keys import Keys
from service.store.script import Runner, script

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
        for first in range(0, len(orgs), self._together):
            found.update(await self._due(orgs[first : first + self._together]))
        return frozenset(found)

    async def _due(self, orgs: Sequence[str]) -> Sequence[tuple[str, DueKind]]:
        places: list[tuple[str, DueKind]] = [(org, kind) for org in orgs for kind in _KINDS]
        names = [key for org in orgs for key in (self._keys.due_removals(org), self._keys.desks(org))]
        now = "" if self._now_ms is None else str(self._now_ms())
        numbers = cast("list[int]", await self._runner.run(script("due"), names, [now, ""]))
        return [places[number - 1] for number in numbers]
