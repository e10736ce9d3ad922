"""Claim what is due, work on it, keep the lease alive, stop in good order.

Per org two loops, one for removals and one for reports, each with slots of its own: a desk that was down for hours
must not delay a caller. Nothing sweeps up after a crash: what a dead worker held comes due by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from itertools import cycle
from typing import Any

from service import telemetry, traces
from service.core import model as m
from service.core.errors import LeaseLost, StoreDown
from service.core.ports import DueKind
from service.core.rules import DESK_CALLS
from service.flow.removal import Attempt
from service.flow.reporting import tell
from service.flow.rounds import Rounds
from service.flow.spans import of_attempt, of_report, place_of
from service.flow.workplace import Workplace

RECHECK_SECONDS = 1.0  # a lost wake costs at most this
TOGETHER_SECONDS = 0.005  # slots taken together are freed together, and filled by one claim: one fsync for all
ATTEND_SECONDS = 5.0  # each time costs a write to the disk; a worker that is gone shows within some of them
FEW_ORGS = 20  # each is asked by itself; of more it is asked in rounds where something is due
ATTEND_ORGS = 50  # of which it is said together that the worker is there: one fsync for all
REMOVAL_SLOTS = 8  # per org, as many as its client has connections

_Work = Coroutine[Any, Any, None]


class Worker:
    """Works for all orgs of a workplace until told to stop."""

    def __init__(self, place: Workplace) -> None:
        """Prepare; nothing is claimed before `run`."""
        self._place = place
        self._asked: dict[tuple[str, str], float] = {}
        is_for_many = place.agenda is not None and len(place.genesys) > FEW_ORGS
        self._rounds = Rounds(place, place.agenda, self._note) if place.agenda and is_for_many else None
        self._busy: dict[tuple[str, str], set[asyncio.Task[None]]] = {}
        self._end: list[asyncio.Future[Any]] = []

    async def run(self) -> None:
        """Claim and work until `Workplace.stopping` is set, then until what is in hand is settled or given back."""
        place = self._place
        telemetry.emit(telemetry.Event.WORKER_STARTED, worker=place.worker, orgs=sorted(place.genesys))
        async with asyncio.TaskGroup() as group:
            # one for all who rest: a wake then costs no task of its own, and no turn of the loop to end it
            self._end = [group.create_task(place.stopping.wait())]
            for org in place.genesys:
                group.create_task(self._loop(org, "removals", REMOVAL_SLOTS, self._claim_removals))
                group.create_task(self._loop(org, "reports", self._report_slots(org), self._claim_reports))
            group.create_task(self._attend())
            if self._rounds:
                group.create_task(self._go_round(self._rounds))
        telemetry.emit(telemetry.Event.WORKER_STOPPED, worker=place.worker)

    def claim_age_seconds(self) -> float | None:
        """Return how long ago the slowest loop last came round, or None before each has once.

        A loop comes round each second, also when all its slots are taken and it has nothing to ask for.
        """
        if len(self._asked) < 2 * len(self._place.genesys):
            return None
        return self._place.clock.monotonic() - min(self._asked.values())

    def _report_slots(self, org: str) -> int:
        """As many as all desks of the org bear at once: then one that hangs takes no other's slot."""
        desks = [source for source in self._place.sources.values() if source.terms.org == org]
        return DESK_CALLS * max(1, len(desks))

    async def _loop(
        self, org: str, kind: DueKind, slots: int, claim: Callable[[str, int], Awaitable[Sequence[_Work]]]
    ) -> None:
        place = self._place
        busy = self._busy.setdefault((org, kind), set())
        is_store_lost = False
        async with asyncio.TaskGroup() as group:  # however this loop ends, nothing that it began goes on without it
            if self._rounds:  # a thousand orgs do not all ask at the start: the first round says who has work
                await self._pause(org, kind, busy, is_full=False)
            while not place.stopping.is_set():
                self._asked[org, kind] = place.clock.monotonic()
                try:
                    work = await claim(org, slots - len(busy)) if len(busy) < slots else ()
                except StoreDown as fault:
                    if not is_store_lost:
                        telemetry.emit(telemetry.Event.STORE_LOST, "error", org=org, kind=kind, fault=str(fault))
                    is_store_lost = True
                    await self._back_off()
                    continue
                except Exception as fault:  # noqa: BLE001 - a fault of ours with one org must not end the others' work
                    telemetry.emit_fault(fault, f"claim {kind} of {org}")
                    await self._back_off()
                    continue
                telemetry.LAST_CLAIM_SECONDS.labels(org).set(place.clock.now() / 1000)
                if is_store_lost:
                    telemetry.emit(telemetry.Event.STORE_FOUND, org=org, kind=kind)
                is_store_lost = False
                for one in work:
                    task = group.create_task(one)
                    busy.add(task)
                    task.add_done_callback(busy.discard)
                if work:
                    await asyncio.sleep(0)  # they first: their calls leave before we arrange to wait
                await self._pause(org, kind, busy, is_full=len(busy) >= slots)

    async def _go_round(self, rounds: Rounds) -> None:
        """Ask every second where something is due."""
        clock = self._place.clock
        await asyncio.sleep(0)  # they first: the first round is for those who rest from the start
        while not self._place.stopping.is_set():
            began = clock.monotonic()
            await rounds.go()
            await self._rest(clock.sleep(max(0.0, RECHECK_SECONDS - (clock.monotonic() - began))))

    def _note(self, org: str, kind: DueKind, moment: float) -> None:
        self._asked[org, kind] = moment

    async def _attend(self) -> None:
        """Say of each org, every few seconds, that this worker is there: of some orgs together, one after the other."""
        place, orgs = self._place, tuple(self._place.genesys)
        some = [orgs[first : first + ATTEND_ORGS] for first in range(0, max(len(orgs), 1), ATTEND_ORGS)]
        turns = cycle(some)
        while not place.stopping.is_set():
            await asyncio.gather(*(self._say(org) for org in next(turns)))
            await self._rest(place.clock.sleep(ATTEND_SECONDS / len(some)))

    async def _say(self, org: str) -> None:
        """Say that this worker is there for one org. No work waits for it, and a Redis that is away misses it."""
        place = self._place
        asked = self._asked.get((org, "removals"))
        ago = None if asked is None else place.clock.monotonic() - asked
        token = place.tokens[org]() if org in place.tokens else (0.0, "")
        try:
            await place.store.attend(org, place.worker, len(self._busy.get((org, "removals"), ())), ago, token)
        except StoreDown:
            pass  # whoever works says so already
        except Exception as fault:  # noqa: BLE001 - who only watches must not end the work
            telemetry.emit_fault(fault, f"attend {org}")

    async def _back_off(self) -> None:
        await self._place.clock.sleep(RECHECK_SECONDS / 2 * (1 + self._place.dice.jitter()))

    async def _pause(self, org: str, kind: DueKind, busy: set[asyncio.Task[None]], *, is_full: bool) -> None:
        """Wait for a wake, for a free slot if there is none, for the end, or for the re-check.

        A report that was told makes its desk free for the next one, whether there are free slots or not.
        """
        place = self._place
        if is_full:
            again = place.clock.sleep(RECHECK_SECONDS)
        elif self._rounds:
            again = self._rounds.for_due(org, kind)
        else:
            again = place.waiter.for_due(org, kind, RECHECK_SECONDS)
        await self._rest(again, busy if is_full or kind == "reports" else ())
        if is_full:
            await place.clock.sleep(TOGETHER_SECONDS)

    async def _rest(self, again: Coroutine[Any, Any, None], freeing: Iterable[asyncio.Future[None]] = ()) -> None:
        """Wait for `again`, for one of `freeing`, or for the end."""
        ours = asyncio.ensure_future(again)
        try:
            await asyncio.wait([ours, *self._end, *freeing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if ours.cancel():  # no where it is done, and then a wake waits for nothing more
                await asyncio.gather(ours, return_exceptions=True)

    async def _claim_removals(self, org: str, limit: int) -> Sequence[_Work]:
        place = self._place
        asked = place.clock.monotonic()
        is_look_paid = place.looks_first(org)
        claims = await place.store.claim(org, place.worker, place.dice.token(), limit, is_look_paid=is_look_paid)
        return [self._guarded(claim.lease, partial(self._attempt, claim, asked)) for claim in claims]

    async def _claim_reports(self, org: str, limit: int) -> Sequence[_Work]:
        place = self._place
        claims = await place.store.claim_reports(org, place.worker, place.dice.token(), limit)
        return [self._guarded(claim.lease, partial(self._report, claim)) for claim in claims]

    async def _attempt(self, claim: m.Claim, asked: float) -> None:
        place = self._place
        attempt, claimed_ms = Attempt(claim, asked, place), (place.clock.monotonic() - asked) * 1000
        traces.ON_THE_WAY.set(place_of(traces.Name.ATTEMPT, claim.lease, claim.action).traceparent)
        fault = ""
        try:
            await attempt.run()
        except BaseException as broken:
            fault = type(broken).__name__
            raise
        finally:
            summary = {"worker": place.worker, **attempt.summary}
            telemetry.emit(telemetry.Event.ATTEMPT_ENDED, **summary)
            place.spans.note(of_attempt(claim, claimed_ms, attempt.trail, summary, fault))

    async def _report(self, claim: m.ReportClaim) -> None:
        place, result, fault = self._place, "", ""
        traces.ON_THE_WAY.set(place_of(traces.Name.REPORT, claim.lease, claim.action).traceparent)
        began = place.clock.monotonic()
        try:
            result = await tell(claim, place)
        except BaseException as broken:
            fault = type(broken).__name__
            raise
        finally:
            lasted_ms = (place.clock.monotonic() - began) * 1000
            place.spans.note(of_report(claim, lasted_ms, place.worker, result, fault))

    async def _guarded(self, lease: m.Lease, work: Callable[[], Awaitable[None]]) -> None:
        """Let nothing that goes wrong with one thing touch another: its lease ends, and it comes due again."""
        try:
            await work()
        except LeaseLost:
            telemetry.LEASES_LOST.labels(lease.org).inc()
            telemetry.emit(telemetry.Event.LEASE_LOST, "warning", id=lease.id, worker=self._place.worker)
        except StoreDown as fault:
            telemetry.emit(telemetry.Event.STORE_LOST, "error", id=lease.id, fault=str(fault))
        except Exception as fault:  # noqa: BLE001 - a fault of ours in one attempt must not end the worker
            telemetry.emit_fault(fault, lease.id)
