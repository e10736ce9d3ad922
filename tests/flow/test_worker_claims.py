"""What a worker asks the store for, when it asks again, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from structlog.testing import capture_logs

from service.core import model as m
from service.core.ports import Source
from service.core.rules import DESK_CALLS
from service.flow.worker import REMOVAL_SLOTS
from tests.flow.meddler import Meddler
from tests.flow.stage import ORG, SOURCE, Stage
from tests.flow.test_reports_backlog import settled
from tests.flow.test_worker import SlowLook, outcome_of, working

OTHER = "other"


class SlowDesk(Meddler):
    """A source whose desk takes its time for each note, the next of `seconds` in turn; keeps when each was told."""

    def __init__(self, stage: Stage, source: Source, *seconds: float) -> None:
        super().__init__(source)
        self.stage, self.seconds = stage, list(seconds)
        self.told_at: list[float] = []

    async def tell(self, *args: object) -> m.Reply:
        self.seconds.append(self.seconds[0])
        await self.stage.clock.sleep(self.seconds.pop(0))
        reply: m.Reply = await self.port.tell(*args)  # type: ignore[attr-defined] # a Source
        self.told_at.append(self.stage.clock.monotonic())
        return reply


class Limits(Meddler):
    """The store; keeps how many removals and how many reports it was asked for at a time."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.store)
        self.removals: list[int] = []
        self.reports: list[int] = []

    async def claim(self, org: str, worker: str, token: str, limit: int, **more: bool) -> Sequence[m.Claim]:
        self.removals.append(limit)
        claims: Sequence[m.Claim] = await self.port.claim(org, worker, token, limit, **more)  # type: ignore[attr-defined] # a Store
        return claims

    async def claim_reports(self, org: str, worker: str, token: str, limit: int) -> Sequence[m.ReportClaim]:
        self.reports.append(limit)
        claims: Sequence[m.ReportClaim] = await self.port.claim_reports(org, worker, token, limit)  # type: ignore[attr-defined] # a Store
        return claims


def desks(stage: Stage, **slow: Sequence[float]) -> Mapping[str, SlowDesk]:
    """Return the two sources of the org, each before a desk that is this slow."""
    stage.sources[OTHER] = stage.source(OTHER)
    return {name: SlowDesk(stage, source, *slow[name]) for name, source in stage.sources.items()}


async def test_no_more_is_claimed_than_there_are_free_slots(stage: Stage) -> None:
    """A worker that has one removal in hand asks for one fewer: what it cannot work on is left to others."""
    store = Limits(stage)
    action_id = await stage.click(await stage.scene())
    async with working(stage.place(store=store, genesys=SlowLook(stage, 1.5))):
        await stage.clock.sleep(1.1)
        assert (await outcome_of(stage, action_id)).kind is m.OutcomeKind.DISCONNECTED
        await stage.clock.sleep(1.1)
    assert (store.removals[:2], store.removals[-1]) == ([REMOVAL_SLOTS, REMOVAL_SLOTS - 1], REMOVAL_SLOTS)


async def test_slots_freed_together_are_filled_by_one_claim(stage: Stage) -> None:
    """Slots that come free within a moment of each other are filled at once: one write to disk for all of them."""
    await settled(stage, 2 * DESK_CALLS)
    store, desk = Limits(stage), SlowDesk(stage, stage.sources[SOURCE], 0.1, 0.102)
    async with working(stage.place(store=store, sources={SOURCE: desk})):
        await stage.clock.sleep(0.5)
    assert len(desk.told_at) == 2 * DESK_CALLS
    assert store.reports[:3] == [DESK_CALLS] * 3


async def test_a_told_report_frees_its_desk_for_the_next(stage: Stage) -> None:
    """A desk's next ticket is told as soon as one of its calls is over, though there are slots left: no re-check."""
    await settled(stage, DESK_CALLS + 2)
    slow = desks(stage, desk=[0.1], other=[0.1])
    began = stage.clock.monotonic()
    async with working(stage.place(sources=slow)):
        await stage.clock.sleep(3)
    assert len(slow[SOURCE].told_at) == DESK_CALLS + 2
    assert max(slow[SOURCE].told_at) - began < 0.5


async def test_a_desk_that_hangs_takes_no_others_slot(stage: Stage) -> None:
    """While one desk keeps all its calls waiting, the ticket at another desk of the same org is told at once."""
    await settled(stage, DESK_CALLS)
    slow = desks(stage, desk=[4.0], other=[0.1])
    await stage.finish(await stage.click(await stage.scene(), source=OTHER, sys_id=await stage.ticket()))
    began = stage.clock.monotonic()
    async with working(stage.place(sources=slow)):
        await stage.clock.sleep(1)
    assert [round(at - began) for at in slow[OTHER].told_at] == [0]
    assert [round(at - began) for at in slow[SOURCE].told_at] == [4, 4]


async def test_nobody_is_called_alive_before_every_loop_has_begun(stage: Stage) -> None:
    """How long ago it last asked is not known before the removals and the reports of every org were asked for once."""
    ages: list[float | None] = []

    def claimed(name: str) -> None:
        if name.startswith("claim"):
            ages.append(worker.claim_age_seconds())

    place = stage.place(store=Meddler(stage.store, before=claimed))
    both = {**place.genesys, OTHER: stage.cloud()}
    async with working(replace(place, genesys=both, terms={org: m.Terms() for org in both})) as worker:
        await stage.clock.sleep(0.5)
    assert ages == [None, None, None, 0.0]


async def test_what_a_worker_says_of_itself(stage: Stage) -> None:
    """The log says which worker began, for which orgs, one wide line for each attempt, and that the worker ended."""
    with capture_logs() as logs:
        async with working(stage.place("w7")):
            action_id = await stage.click(await stage.scene())
            await outcome_of(stage, action_id)
    ours = ("worker.started", "attempt.ended", "worker.stopped")
    began, attempt, ended = [one for one in logs if one["event"] in ours]
    assert began == {"event": "worker.started", "log_level": "info", "worker": "w7", "orgs": [ORG]}
    assert (attempt["event"], attempt["worker"]) == ("attempt.ended", "w7")
    assert (attempt["action"], attempt["outcome"]) == (action_id, "disconnected")
    assert (attempt["org"], attempt["source"], attempt["purpose"]) == (ORG, SOURCE, "customer")
    assert (attempt["sends"], attempt["held_by"], attempt["rows"][-1]) == (1, "", 12)
    assert ended == {"event": "worker.stopped", "log_level": "info", "worker": "w7"}
