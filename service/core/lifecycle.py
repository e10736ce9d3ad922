"""The two small state machines, as one table. The scripts get the legal states from here, as arguments."""

from __future__ import annotations

from typing import NamedTuple

from service.core.model import ActionState, ReportState


class Step(NamedTuple):
    """A verb of the store and the one state it takes its thing from and to."""

    source: str
    to: str


ACTION_STEPS: dict[str, Step] = {
    "join": Step(ActionState.PENDING, ActionState.PENDING),
    "claim": Step(ActionState.PENDING, ActionState.PENDING),
    "pin": Step(ActionState.PENDING, ActionState.PENDING),
    "mark_sent": Step(ActionState.PENDING, ActionState.PENDING),
    "answered": Step(ActionState.PENDING, ActionState.PENDING),
    "unsent": Step(ActionState.PENDING, ActionState.PENDING),
    "put_back": Step(ActionState.PENDING, ActionState.PENDING),
    "settle": Step(ActionState.PENDING, ActionState.SETTLED),
    "drop": Step(ActionState.PENDING, ActionState.SETTLED),
}
REPORT_STEPS: dict[str, Step] = {
    "settle": Step(ReportState.WAITING, ReportState.DUE),
    "claim_reports": Step(ReportState.DUE, ReportState.DUE),
    "put_back_report": Step(ReportState.DUE, ReportState.DUE),
    "told": Step(ReportState.DUE, ReportState.TOLD),
    "bury": Step(ReportState.DUE, ReportState.DEAD),
    "retell": Step(ReportState.DEAD, ReportState.DUE),
}
