"""An action with everything that can be known of one, for whoever tests how it is told."""

from dataclasses import replace

from service.core import model as m
from tests.web.doors import CONVERSATION, NOW, PHONE

REPLY = m.Reply(409, "conflict", f"{PHONE} is busy", "c0ffee")
SENDS = (
    m.Send(1, NOW, NOW + 2000, m.Answer(m.AnswerKind.REFUSED_FOR_NOW, REPLY, NOW + 50)),
    m.Send(2, NOW + 1000, NOW + 3000),
)
OUTCOME = m.Outcome(
    m.OutcomeKind.FAILED,
    "genesys_refused",
    REPLY,
    "connected",
    "customer",
    ("customer 3f2a",),
    {"agent": 1},
    {"external": 2},
    is_back=True,
    allowed_by="policy.purposes",
    bystanders={"agent": 1, "external": 2},
)
REMOVAL = m.Removal(
    CONVERSATION,
    m.Selector(m.SelectorKind.PHONE, PHONE),
    ticket=m.Ticket("incident/1", "INC1"),
    requester="beth.anglin",
    reason="abusive caller",
)
ACTION = m.Action("acme.1", "acme", "desk", REMOVAL, NOW, NOW - 1000, NOW + 119_000)
SETTLED = replace(ACTION, state=m.ActionState.SETTLED, sends=SENDS, outcome=OUTCOME, settled_at=NOW + 9000)
REPORTS = (
    m.Report("r1", "acme.1", "desk", "ticket", m.Ticket("incident/1", "INC1"), m.ReportState.TOLD, 2),
    m.Report("r2", "acme.1", "desk", "webhook", None, m.ReportState.DEAD, 9, f"said {PHONE}"),
)
TIMELINE = (
    m.Entry("look", NOW, 12.5, "w1", 200, "c0ffee", "connected"),
    m.Entry("parse", NOW, note=f"phone {PHONE}"),
)
