"""Refused deliveries, as far as an operator needs them: why a source is not heard, and never what it sent.

A stranger can send as many bad deliveries as the door takes. So none of them costs a write: they are gathered in
memory, no more than are kept, and written together once a second. What a process that is killed had gathered is lost.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, cast

import orjson

from service.core import model as m
from service.core.errors import StoreDown
from service.core.ports import Clock, Dice
from service.store.keys import Keys, Lives, name_in
from service.store.script import Runner, script

MOST = 200  # of each source: a rollout gone wrong shows its faults in a few; two hundred are read in a minute
WRITE_SECONDS = 1.0
KNOWN = 5  # words of a line; a newer version may write more behind them
REASON_CHARS = 300  # of a sentence of ours, with a few words of the sender's in quotes


class RefusalBook:
    """Meets the port `Refusals`.

    Args:
        runner: brings scripts to Redis.
        dice: for the nonce by which a step is known when it is asked again.
        orgs: the org of each configured source; of others nothing is remembered.
        keys: the names of all keys.
        lives: how long what was refused stays.
        now_ms: the clock of a simulation; None in production, where Redis' own clock counts.
    """

    def __init__(
        self,
        runner: Runner,
        dice: Dice,
        orgs: Mapping[str, str],
        *,
        keys: Keys | None = None,
        lives: Lives | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._runner, self._dice, self._orgs = runner, dice, orgs
        self._keys, self._lives = keys or Keys(), lives or Lives()
        self._now_ms = now_ms
        self._gathered: dict[str, deque[bytes]] = {}
        self._counted: Counter[str] = Counter()  # also those of which nothing is kept any more

    def note(self, refusal: m.Refusal) -> None:
        """Remember `refusal` with the next writing; see `Refusals.note`."""
        if refusal.source in self._orgs:
            reason, signed_by = refusal.reason[:REASON_CHARS], refusal.secret_fingerprint
            line = orjson.dumps([refusal.refused_at, refusal.code, reason, refusal.size, signed_by])
            self._gathered.setdefault(refusal.source, deque(maxlen=MOST)).append(line)
            self._counted[refusal.source] += 1

    async def refusals(self, source: str) -> Sequence[m.Refusal]:
        """Return what is written of `source`, the newest first; nothing of a source that is not configured."""
        org = self._orgs.get(source)
        if org is None:
            return ()
        keys = [self._keys.refusals(org, source)]
        lines = await self._runner.run(script("refused"), keys, self._head(org))
        return tuple(m.Refusal(source, *orjson.loads(line)[:KNOWN]) for line in reversed(cast("list[str]", lines)))

    async def write(self) -> None:
        """Write what was gathered. Where Redis is away it is kept for the next writing, the oldest given up first."""
        gathered, self._gathered = self._gathered, {}
        counted, self._counted = self._counted, Counter()
        for source, lines in gathered.items():
            try:
                await self._write(source, counted[source], lines)
            except StoreDown:
                newer = self._gathered.get(source, ())
                self._gathered[source] = deque([*lines, *newer], maxlen=MOST)
                self._counted[source] += counted[source]

    async def keep(self, clock: Clock) -> NoReturn:
        """Write each second, until cancelled."""
        while True:
            await clock.sleep(WRITE_SECONDS)
            await self.write()

    async def _write(self, source: str, number: int, lines: deque[bytes]) -> None:
        org = self._orgs[source]
        step = self._keys.step(org, self._dice.token())
        lives = (str(MOST), str(self._lives.refusals), str(self._lives.step))
        args = [*self._head(org), *lives, name_in(source), str(number), *(line.decode() for line in lines)]
        await self._runner.run(script("refuse"), [self._keys.refusals(org, source), step], args)

    def _head(self, org: str) -> list[str]:
        return [str(self._now_ms()) if self._now_ms else "", self._keys.base(org)]
