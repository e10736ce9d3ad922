"""Tell the ticket how it ended: at least once, and never twice where the desk lets us look first."""

from __future__ import annotations

from service import telemetry
from service.core import model as m
from service.core.errors import EgressRefused, LeaseLost, Rejected, StoreDown, Throttled, Unclear, Upstream
from service.core.ports import Source
from service.core.rules import LEASE_SECONDS, report_wait_seconds
from service.flow.workplace import Workplace

# Credentials and permissions get mended, and then the report goes through by itself; other refusals stay refusals.
_MENDABLE_STATUSES = frozenset({401, 403})


async def tell(claim: m.ReportClaim, place: Workplace) -> str:
    """Work on one claimed report until it is told, put back, or a dead letter.

    Returns:
        What became of it: `told`, `delayed`, `dead`, or `given_back`.

    Raises:
        LeaseLost: another worker has it.
        StoreDown: the store is away; the report comes due again by itself, and is looked for before it is repeated.
    """
    report = claim.report
    source = place.source_of(claim.action.org, report.source)
    if source is None:
        return await _bury(claim, place, f"the source {report.source} is no longer configured")
    async with place.renewing(claim.lease, place.store.renew_report):
        began = place.clock.monotonic()
        try:
            told = await _told(claim, place, source)
        except Upstream as failure:
            return await _delay(claim, place, failure)
        except EgressRefused as refusal:
            return await _bury(claim, place, str(refusal))
        except (LeaseLost, StoreDown):
            raise
        except Exception as fault:  # noqa: BLE001 - else it would come due every six seconds, and never be a dead letter
            telemetry.emit_fault(fault, report.id)
            return await _delay(claim, place, Unclear(f"a fault of ours: {type(fault).__name__}"))
        if told is None:
            await place.store.put_back_report(claim.lease, 0.0, report.error)
            return "given_back"
        reply, found = told
        spent = round((place.clock.monotonic() - began) * 1000, 3)
        name = report.ticket.label or report.ticket.reference if report.ticket else report.channel
        said, at = f"{name}: {found}", claim.now_at
        entry = m.Entry("report", at, spent, place.worker, reply.status, reply.correlation_id, said)
        await place.store.told(claim.lease, (entry,))
    telemetry.REPORTS.labels(report.source, "told").inc()
    answered = {"how": found, "status": reply.status, "correlation_id": reply.correlation_id}
    telemetry.emit(telemetry.Event.REPORT_TOLD, **_known(claim, place), **answered, duration_ms=spent)
    return "told"


def _known(claim: m.ReportClaim, place: Workplace) -> dict[str, object]:
    """Return what each wide line about a report says, whatever became of it."""
    report = claim.report
    return {
        "worker": place.worker,
        "report": report.id,
        "action": report.action_id,
        "org": claim.action.org,
        "source": report.source,
        "channel": report.channel,
        "trace": claim.action.trace.id,
        "tries": report.tries,
    }


async def _told(claim: m.ReportClaim, place: Workplace, source: Source) -> tuple[m.Reply, str] | None:
    """Return what the desk said and how the ticket was told, or None: not by us, and it is given back.

    That is: this process is about to end, or it stood still until the lease was over.
    """
    if place.stopping.is_set():
        return None
    if claim.report.tries > 1 and await source.is_told(claim.report, claim.action):
        return m.Reply(), "found already told"
    if place.stopping.is_set():
        return None
    # who stood still, and has lost the lease, must not write what another has written: not after it is asked here, and
    # not after the answer either, so the guard looks at the clock again when the bytes are about to leave
    deadline = place.clock.monotonic() + LEASE_SECONDS
    await place.store.renew_report(claim.lease)
    try:
        note = place.wording.note(claim.action, source.terms.language)
        return await source.tell(claim.report, claim.action, note, deadline), "told"
    except EgressRefused:
        if place.clock.monotonic() < deadline:
            raise
        return None


async def _delay(claim: m.ReportClaim, place: Workplace, failure: Upstream) -> str:
    said = failure.reply.message or str(failure)
    is_final = isinstance(failure, Rejected) and failure.reply.status not in _MENDABLE_STATUSES
    floor = failure.retry_after_seconds if isinstance(failure, Throttled) else 0.0
    age = (claim.now_at - claim.report.first_due_at) / 1000
    wait = None if is_final else report_wait_seconds(claim.report.tries, age, floor)
    if wait is None:
        return await _bury(claim, place, said)
    await place.store.put_back_report(claim.lease, wait, said)
    telemetry.REPORTS.labels(claim.report.source, "delayed").inc()
    telemetry.emit(
        telemetry.Event.REPORT_DELAYED,
        "warning",
        **_known(claim, place),
        fault=type(failure).__name__,
        said=said,
        wait_seconds=wait,
    )
    return "delayed"


async def _bury(claim: m.ReportClaim, place: Workplace, why: str) -> str:
    await place.store.bury(claim.lease, why)
    telemetry.REPORTS.labels(claim.report.source, "dead").inc()
    telemetry.emit(telemetry.Event.REPORT_BURIED, "error", **_known(claim, place), said=why)
    return "dead"
