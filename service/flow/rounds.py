"""Who works for many orgs asks once for all of them where something is due, and not each of them for work.

An org asked by itself costs two questions a second, mostly for nothing: a thousand of them are a third of a processor
here, and a tenth of Redis'. With the rounds a lost wake still costs a second at most; what is found only says whom to
ask for work, and the claim decides, as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product

from service import telemetry
from service.core.errors import StoreDown
from service.core.ports import Agenda, DueKind
from service.flow.workplace import Workplace

# without a wake and without a finding: what a claim clears away beside its work is cleared away in the end
REST_SECONDS = 60.0
KINDS: tuple[DueKind, DueKind] = ("removals", "reports")


class Rounds:
    """Wakes those who rest until something is due in their org.

    Args:
        place: whose waiter hears the wakes.
        agenda: who is asked.
        asked: is told of an org and a kind that it was asked after, from which moment of `Clock.monotonic`; of those
            alone who rest: of one that hangs nothing is said, so that it is seen.
    """

    def __init__(self, place: Workplace, agenda: Agenda, asked: Callable[[str, DueKind, float], None]) -> None:
        self._place, self._agenda, self._asked = place, agenda, asked
        self._resting: dict[tuple[str, DueKind], asyncio.Event] = {}
        self._is_lost = False

    async def for_due(self, org: str, kind: DueKind) -> None:
        """Return when something of `kind` may be due in `org`; for no reason within a minute."""
        bell = self._resting[org, kind] = asyncio.Event()
        rest = REST_SECONDS * (1 + self._place.dice.jitter()) / 2  # so that not all come at the same moment
        ours = [asyncio.ensure_future(bell.wait()), asyncio.ensure_future(self._place.waiter.for_due(org, kind, rest))]
        try:
            await asyncio.wait(ours, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._resting[org, kind]
            for one in ours:
                one.cancel()
            await asyncio.gather(*ours, return_exceptions=True)

    async def go(self) -> None:
        """Go round once, among those who rest; never raises.

        Who does not rest asks for himself: as long as his server is away, nobody else waits until it says so.
        """
        orgs, clock = tuple(dict.fromkeys(org for org, _ in self._resting)), self._place.clock
        moment = clock.monotonic()
        try:
            due = await self._agenda.due(orgs)
        except StoreDown as fault:
            self._note(str(fault))
            is_answered, due = False, frozenset[tuple[str, DueKind]]()
        except Exception as fault:  # noqa: BLE001 - a fault of ours here must not keep anybody from work
            telemetry.emit_fault(fault, "the rounds")
            is_answered, due = False, frozenset(product(orgs, KINDS))
        else:
            is_answered = True
            self._note("")
        for (org, kind), bell in self._resting.items():
            if (org, kind) in due:
                bell.set()
                continue
            self._asked(org, kind, moment)
            if is_answered:
                telemetry.LAST_CLAIM_SECONDS.labels(org).set(clock.now() / 1000)

    def _note(self, fault: str) -> None:
        """Say that the store is lost, or found again, when that changes."""
        if bool(fault) != self._is_lost:
            self._is_lost = bool(fault)
            if fault:
                telemetry.emit(telemetry.Event.STORE_LOST, "error", during="rounds", fault=fault)
            else:
                telemetry.emit(telemetry.Event.STORE_FOUND, during="rounds")
