"""Tickets are told: once where the desk lets us look first, again where it was down, and never by a stale worker."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import EgressRefused, LeaseLost, Reply, StoreDown, Unclear
from service.core.wording import Wording
from service.flow.reporting import tell
from tests.flow.meddler import Fate, Killed, Meddler, down, on, raising
from tests.flow.stage import ORG, SOURCE, Stage, counted

DUE, TOLD, DEAD = m.ReportState.DUE, m.ReportState.TOLD, m.ReportState.DEAD
HOUR = 3600.0


async def settled(stage: Stage, tickets: int = 1) -> tuple[str, list[str]]:
    """Settle an action that this many tickets asked for; return its id and theirs."""
    scene = await stage.scene()
    sys_ids = [await stage.ticket(f"INC{number}") for number in range(tickets)]
    (action_id,) = {await stage.click(scene, sys_id=sys_id) for sys_id in sys_ids}
    await stage.finish(action_id)
    return action_id, sys_ids


async def due(stage: Stage, action_id: str) -> float:
    """Wait until the one report is due, and return how long that was."""
    seconds = max(stage.due_in((await stage.report(action_id)).id), 0.0)
    await stage.clock.sleep(seconds)
    return seconds


async def test_in_the_words_of_its_source(stage: Stage) -> None:
    """A ticket is told in its source's language, and in an org's own words where it has some."""
    stage.sources[SOURCE] = stage.source(language="de")
    _, (ticket,) = await settled(stage)
    await stage.tell(stage.place(wording=Wording({"de": {"also.done": "Danke!"}})))
    (note,) = await stage.notes(ticket)
    assert note.startswith("Anrufer entfernen: Der Anrufer wurde aus dem Gespräch entfernt")
    assert "Noch da: 2 Agenten, 1 externer Teilnehmer. Danke!" in note


async def test_one_wide_line_for_each_try(stage: Stage) -> None:
    """Whatever became of a report, one line says of which action it was, by which try, and what was answered."""
    action_id, _ = await settled(stage)
    report_id = (await stage.report(action_id)).id
    with capture_logs() as logs:
        await stage.switch(answers=[{"on": "note", "status": 503}])
        await stage.tell()
        await stage.switch(answers=[])
        await due(stage, action_id)
        await stage.tell()
        other, _ = await settled(stage)
        await stage.switch(answers=[{"on": "note", "status": 404}])
        await stage.tell()
    lines = [line for line in logs if line["event"].startswith("report.")]
    known = {"worker": "w9", "org": ORG, "source": SOURCE, "channel": "ticket"}
    assert all(known.items() <= line.items() for line in lines)
    assert [(line["event"], line["action"], line["tries"]) for line in lines] == [
        ("report.delayed", action_id, 1),
        ("report.told", action_id, 2),
        ("report.buried", other, 1),
    ]
    assert (lines[1]["report"], lines[1]["how"], lines[1]["status"]) == (report_id, "told", 200)


class Odd(Meddler):
    """The real source, but for `tell`."""

    def __init__(self, source: object, fault: BaseException) -> None:
        super().__init__(source)
        self.fault = fault

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> Reply:
        self.calls.append("tell")
        raise self.fault


async def test_told_once(stage: Stage) -> None:
    """A report is written once, by one call, and stands as told; its lease is over and it is due no more."""
    told = counted("onhook_reports_total", source=SOURCE, result="told")
    action_id, (ticket,) = await settled(stage)
    assert (await stage.report(action_id)).state is DUE
    assert await stage.tell() == 1
    assert [(call["method"], call["status"]) for call in await stage.calls("desk")] == [("PATCH", 200)]
    assert len(await stage.notes(ticket)) == 1
    assert (await stage.report(action_id)).state is TOLD
    account = await stage.account(action_id)
    assert (account.timeline[-1].verb, account.timeline[-1].note) == ("report", "INC0010112: told")
    await stage.clock.sleep(HOUR)
    assert await stage.tell() == 0
    assert counted("onhook_reports_total", source=SOURCE, result="told") == told + 1


async def test_several_tickets(stage: Stage) -> None:
    """Every ticket that asked for the same removal is told, each once."""
    _, tickets = await settled(stage, 3)
    assert [await stage.tell(), await stage.tell()] == [2, 1]  # two at once are all that a desk bears
    assert [len(await stage.notes(ticket)) for ticket in tickets] == [1, 1, 1]


async def test_a_ticket_that_joins_after_the_end(stage: Stage) -> None:
    """A ticket whose click joins an action that is over is told too."""
    scene = await stage.scene()
    late = stage.delivery(scene, sys_id=await stage.ticket())
    first = await stage.click(scene, sys_id=await stage.ticket())
    await stage.finish(first)
    await stage.tell()
    receipt = await stage.intake.take(late)
    assert isinstance(receipt, m.Receipt)
    assert (receipt.action_id, receipt.joined) == (first, "intent")
    assert await stage.tell() == 1


async def test_a_ticket_without_a_label(stage: Stage) -> None:
    """A ticket that has no number is called by its reference in the timeline."""
    scene, ticket = await stage.scene(), await stage.ticket()
    action_id = await stage.click(scene, sys_id=ticket, number=None)
    await stage.finish(action_id)
    await stage.tell()
    assert (await stage.account(action_id)).timeline[-1].note == f"incident/{ticket}: told"


@pytest.mark.parametrize("after", [False, True])
async def test_dies_at_every_step(stage: Stage, after: bool) -> None:
    """Killed before or after any step, the ticket is told all the same, and never twice."""
    is_met = True
    number = 0
    while is_met:
        action_id, (ticket,) = await settled(stage)
        fate = Fate(number, Killed)
        hooks = {"after": fate.step} if after else {"before": fate.step}
        sources = {SOURCE: Meddler(stage.sources[SOURCE], **hooks)}
        place = stage.place(store=Meddler(stage.store, **hooks), sources=sources)
        try:
            await stage.tell(place)
        except Killed:
            assert fate.is_met
        for _ in range(3):
            await stage.clock.sleep(7)
            await stage.tell()
        assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD), fate.steps
        is_met = fate.is_met
        number += 1
    assert number == 5


async def test_a_lost_mark(stage: Stage) -> None:
    """A note whose mark was lost is looked for, found, and not written again."""
    action_id, (ticket,) = await settled(stage)
    with pytest.raises(StoreDown):
        await stage.tell(stage.place(store=Meddler(stage.store, before=on("told", raising(down())))))
    assert 5.9 < await due(stage, action_id) <= 6.0
    await stage.tell()
    assert [call["method"] for call in await stage.calls("desk")] == ["PATCH", "GET"]
    assert len(await stage.notes(ticket)) == 1
    assert (await stage.account(action_id)).timeline[-1].note.endswith("found already told")


async def test_an_answer_lost_after_the_note(stage: Stage) -> None:
    """A note that stands though its answer was lost is not written again."""
    action_id, (ticket,) = await settled(stage)
    await stage.switch(answers=[{"on": "note", "cut": "after"}])
    await stage.tell()
    assert (await stage.report(action_id)).state is DUE
    await due(stage, action_id)
    await stage.tell()
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD)


@pytest.mark.parametrize(
    "rule", [{"on": "note", "status": 503}, {"on": "note", "status": 401}, {"on": "note", "status": 403}], ids=str
)
async def test_a_desk_that_is_down(stage: Stage, rule: dict[str, object]) -> None:
    """A desk that is down, or does not know us until somebody mends it, is tried ever less often, for a day."""
    delayed = counted("onhook_reports_total", source=SOURCE, result="delayed")
    action_id, (ticket,) = await settled(stage)
    await stage.switch(answers=[rule | {"times": 12}])
    waits = []
    for _ in range(12):
        assert await stage.tell() == 1
        report = await stage.report(action_id)
        assert (report.state, bool(report.error)) == (DUE, True)
        waits.append(round(await due(stage, action_id)))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    await stage.tell()
    assert len(await stage.notes(ticket)) == 1
    assert counted("onhook_reports_total", source=SOURCE, result="delayed") == delayed + 12


async def test_retry_after_is_a_floor(stage: Stage) -> None:
    """A desk that says how long to wait is not asked before."""
    action_id, _ = await settled(stage)
    await stage.switch(answers=[{"on": "note", "status": 429, "headers": {"Retry-After": "77"}}])
    await stage.tell()
    assert await due(stage, action_id) == pytest.approx(77, abs=0.01)
    await stage.tell()
    assert (await stage.report(action_id)).state is TOLD


async def test_a_desk_that_will_not_take_it(stage: Stage) -> None:
    """What repeating cannot mend is a dead letter at once, with what to mend; a person tells it again."""
    dead = counted("onhook_reports_total", source=SOURCE, result="dead")
    action_id, (ticket,) = await settled(stage)
    await stage.switch(answers=[{"on": "note", "status": 404}])
    await stage.tell()
    report = await stage.report(action_id)
    assert report.state is DEAD
    assert report.error
    assert counted("onhook_reports_total", source=SOURCE, result="dead") == dead + 1
    await stage.clock.sleep(HOUR)
    assert await stage.tell() == 0
    assert await stage.store.retell(report.id)
    await stage.tell()
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD)


async def test_dead_after_a_day(stage: Stage) -> None:
    """A desk that is down for a day makes a dead letter; told again by a person it has a day anew."""
    action_id, _ = await settled(stage)
    await stage.switch(answers=[{"on": "note", "status": 503, "times": None}])
    began = stage.clock.now()
    while (await stage.report(action_id)).state is DUE:
        await due(stage, action_id)
        await stage.tell()
    assert 24 * HOUR <= (stage.clock.now() - began) / 1000 <= 24.3 * HOUR
    report = await stage.report(action_id)
    assert await stage.store.retell(report.id)
    await stage.tell()
    assert (await stage.report(action_id)).state is DUE


async def test_a_source_that_is_gone(stage: Stage) -> None:
    """A report of a source that is no longer configured is a dead letter that says so."""
    action_id, _ = await settled(stage)
    await stage.tell(stage.place(sources={}))
    report = await stage.report(action_id)
    assert (report.state, "no longer configured" in report.error) == (DEAD, True)


async def test_what_the_guard_refuses_is_a_dead_letter(stage: Stage) -> None:
    """A note that may not leave the process is a dead letter, and not tried for ever."""
    action_id, _ = await settled(stage)
    await stage.tell(stage.place(sources={SOURCE: Odd(stage.sources[SOURCE], EgressRefused("no rule allows this"))}))
    report = await stage.report(action_id)
    assert (report.state, report.error) == (DEAD, "no rule allows this")


async def test_a_fault_of_ours_is_put_back(stage: Stage) -> None:
    """A bug in telling is logged, waits like a desk that is down, and ends as a dead letter: never a loop for ever."""
    action_id, _ = await settled(stage)
    place = stage.place(sources={SOURCE: Odd(stage.sources[SOURCE], KeyError("oops"))})
    waits = []
    for _ in range(3):
        await stage.tell(place)
        waits.append(round(await due(stage, action_id)))
    assert waits == [1, 2, 4]
    await stage.clock.sleep(24 * HOUR)
    await stage.tell(place)
    assert (await stage.report(action_id)).state is DEAD


async def test_lookups_that_fail_write_nothing(stage: Stage) -> None:
    """Where the desk cannot be asked whether the note stands, it is not written either."""
    action_id, (ticket,) = await settled(stage)
    await stage.switch(answers=[{"on": "note", "cut": "after"}, {"on": "journal", "status": 503}])
    await stage.tell()
    await due(stage, action_id)
    await stage.tell()
    assert [call["method"] for call in await stage.calls("desk")] == ["PATCH", "GET"]
    await due(stage, action_id)
    await stage.tell()
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD)


async def test_a_removal_that_never_left_the_machine(stage: Stage) -> None:
    """A desk that cannot be reached is tried again."""
    action_id, (ticket,) = await settled(stage)
    stage.broken.append(("PATCH /api/now", httpx.ConnectError("no")))
    await stage.tell()
    await due(stage, action_id)
    await stage.tell()
    assert len(await stage.notes(ticket)) == 1


# --- stale workers ---------------------------------------------------------------------------------------------------


async def test_a_slow_desk_keeps_its_lease(stage: Stage) -> None:
    """A desk that takes longer than a lease is not written to by a second worker meanwhile."""
    action_id, (ticket,) = await settled(stage)
    await stage.switch(answers=[{"on": "journal", "delay_seconds": 4.4}, {"on": "note", "delay_seconds": 4.4}])
    place = stage.place("w1")
    (claim,) = await stage.claim_reports(place)
    telling = asyncio.create_task(tell(m.ReportClaim(claim.lease, _tried(claim), claim.action, claim.now_at, 0), place))
    for _ in range(8):
        await stage.clock.sleep(1)
        assert await stage.claim_reports(stage.place("w2")) == []
    await telling
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD)


def _tried(claim: m.ReportClaim) -> m.Report:
    report = claim.report
    return m.Report(report.id, report.action_id, report.source, report.channel, report.ticket, report.state, 2)


async def test_a_worker_that_woke_up_tells_nothing(stage: Stage) -> None:
    """Who stood still past the lease does not write the note that another has written."""
    action_id, (ticket,) = await settled(stage)
    (claim,) = await stage.claim_reports(stage.place("zombie"))
    await stage.clock.sleep(7)
    await stage.tell()
    with pytest.raises(LeaseLost):
        await tell(claim, stage.place("zombie"))
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD)


@pytest.mark.parametrize("is_another", [True, False], ids=["another told it", "nobody else there"])
async def test_a_worker_that_stood_still_right_before_the_note(stage: Stage, *, is_another: bool) -> None:
    """Who stops after its lease was found good, and wakes up when that is over, leaves the note to the next claim."""
    action_id, (ticket,) = await settled(stage)
    reached, woken = asyncio.Event(), asyncio.Event()

    class Stopped(Meddler):
        async def renew_report(self, lease: m.Lease) -> None:
            if reached.is_set():  # a stopped process renews nothing
                raise LeaseLost
            await stage.store.renew_report(lease)
            reached.set()
            await woken.wait()

    zombie = stage.place("zombie", store=Stopped(stage.store))
    (claim,) = await stage.claim_reports(zombie)
    telling = asyncio.create_task(tell(claim, zombie))
    await reached.wait()
    await stage.clock.sleep(7)
    if is_another:
        assert await stage.tell() == 1
    woken.set()
    with pytest.raises(LeaseLost) if is_another else contextlib.nullcontext():
        await telling
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (
        (1, TOLD) if is_another else (0, DUE)
    )
    await stage.tell()
    assert (len(await stage.notes(ticket)), (await stage.report(action_id)).state) == (1, TOLD)


async def test_a_stopping_worker_begins_no_telling(stage: Stage) -> None:
    """Told to stop, a worker gives a report back that it has not begun, due at once for another."""
    action_id, (ticket,) = await settled(stage)
    place = stage.place()
    claims = await stage.claim_reports(place)
    place.stopping.set()
    await tell(claims[0], place)
    assert await stage.notes(ticket) == []
    assert stage.due_in((await stage.report(action_id)).id) == pytest.approx(0, abs=0.01)
    await stage.tell()
    assert len(await stage.notes(ticket)) == 1


async def test_unclear_is_said_in_the_report(stage: Stage) -> None:
    """What went wrong stands in the report, in the desk's words where it had some."""
    action_id, _ = await settled(stage)
    fault = Unclear("timeout", Reply(message="the instance sleeps"))
    await stage.tell(stage.place(sources={SOURCE: Odd(stage.sources[SOURCE], fault)}))
    assert (await stage.report(action_id)).error == "the instance sleeps"
