"""What the kills came to is what the records say: counted from records made by hand, for better and for worse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.core import model as m
from service.demo.doomed import Moment
from service.demo.figures import Evidence
from service.demo.reckoning import Reckoning, Recovery, Strike, percentile, recoveries
from service.demo.world import Conference, Json

CONVERSATION, OTHER = "0f9a1d4e-0000-4000-8000-000000000001", "0f9a1d4e-0000-4000-8000-000000000002"
CALLER, BETH = "aaaaaaaa-0000-4000-8000-000000000000", "aaaaaaaa-0000-4000-8000-000000000001"
ACTION = "north.one"
CONFERENCE = Conference(1, CONVERSATION, CALLER, {"table": "incident", "sys_id": "9" * 32, "number": "INC1"})
STRIKE = Strike("w1", Moment.MARKED, 2_000, is_in_silence=True)
TOLD_TOO = Strike("w3", Moment.TOLD, 9_000)
TIMELINE = (
    m.Entry("accept", 1_000),
    m.Entry("claim", 1_010, worker="w1"),
    m.Entry("claim", 8_000, worker="w2", note="lapses 1"),
    m.Entry("settle", 9_000, worker="w2"),
)


def account(*timeline: m.Entry, outcome: m.OutcomeKind | None = m.OutcomeKind.DISCONNECTED) -> m.Account:
    """Return the action with this timeline."""
    removal = m.Removal(CONVERSATION, m.Selector(m.SelectorKind.PARTICIPANT_ID, CALLER))
    ended = m.Outcome(outcome, "gone") if outcome else None
    action = m.Action(ACTION, "north", "north", removal, 1, 1, 2, outcome=ended)
    report = m.Report("r", ACTION, "north", "ticket", None, m.ReportState.TOLD)
    return m.Account(action, "key", timeline, (report,))


def patch(participant: str = CALLER, *, status: int | None = 202, effect: bool = True) -> Json:
    """Return a removal as the sandbox logs it."""
    path = f"/api/v2/conversations/{CONVERSATION}/participants/{participant}"
    return {"service": "genesys", "method": "PATCH", "path": path, "status": status, "effect": effect}


def people(**how: str | None) -> list[Json]:
    """Return the conversation with the caller and Beth, and how each left."""
    ids = {"caller": CALLER, "beth": BETH}
    there = [{"id": ids[name], "present": left is None, "disconnect_type": left} for name, left in how.items()]
    return [{"conversation_id": CONVERSATION, "participants": there}]


def ticket(notes: int = 1) -> list[Json]:
    """Return the ticket with so many notes."""
    return [{"sys_id": "9" * 32, "number": "INC1", "work_notes": [{}] * notes}]


EVIDENCE = Evidence((account(*TIMELINE),), (patch(),), people(caller="client", beth=None), ticket())
GOOD = Reckoning(EVIDENCE, (STRIKE, TOLD_TOO), {ACTION: CONFERENCE})


def test_good() -> None:
    """When all held, the figures say so, the line has exactly its six keys, and there is no fault."""
    assert GOOD.faults == []
    assert json.loads(GOOD.line) == {
        "kills": 2,
        "recovery_p50_seconds": 6.0,
        "recovery_p99_seconds": 6.0,
        "recovery_max_seconds": 6.0,
        "lost": 0,
        "double": 0,
    }
    assert GOOD.in_silence == [6.0]
    assert GOOD.struck == dict.fromkeys(Moment, 0) | {Moment.MARKED: 1, Moment.TOLD: 1}
    assert (GOOD.more["recoveries_in_silence"], GOOD.more["outcomes"]) == (1, {"disconnected": 1})
    assert GOOD.rows["  after, in seconds: median / p99 / longest"] == "6.00 / 6.00 / 6.00"


@pytest.mark.parametrize(
    "change, said",
    [
        ({"accounts": ()}, "1 were lost: north.one"),
        ({"accounts": (account(*TIMELINE, outcome=None),)}, "1 were lost: north.one"),
        ({"tickets": ticket(0)}, "1 were lost: north.one"),
        ({"tickets": ticket(2)}, "1 were done twice: INC1"),
        ({"calls": (patch(), patch())}, f"1 were done twice: {CALLER}"),
        ({"calls": (patch(), patch(status=None))}, f"1 were done twice: {CALLER}"),
        ({"accounts": (account(*TIMELINE, TIMELINE[-1]),)}, "1 were done twice: north.one"),
        ({"calls": (patch(), patch(BETH, status=404, effect=False))}, f"somebody else was touched: {BETH}"),
        ({"conversations": people(caller="client", beth="client")}, f"somebody else was touched: {BETH}"),
        ({"calls": (patch(), patch() | {"path": "/api/v2/x"})}, "somebody else was touched: /api/v2/x"),
        ({"conversations": people(caller=None, beth=None)}, "the caller is still there: north.one"),
        ({"accounts": (account(*TIMELINE[:2], TIMELINE[3]),)}, "1 killed workers' actions were never claimed again"),
        ({"accounts": (account(*TIMELINE[:2]),)}, "the p99 of recovery is none s, not within 8"),
    ],
)
def test_what_does_not_hold(change: Mapping[str, object], said: str) -> None:
    """Each broken promise is found in its own record, and said."""
    spoilt = replace(GOOD, evidence=replace(EVIDENCE, **change))  # type: ignore[arg-type] # by name, one at a time
    assert [sentence for sentence in spoilt.faults if said in sentence] != []


def test_calls_without_effect() -> None:
    """A removal that Genesys refused is not one of two; a dead letter stands for a note."""
    dead = account(*TIMELINE)
    dead = replace(dead, reports=(replace(dead.reports[0], state=m.ReportState.DEAD),))
    calls = (patch(), patch(status=409, effect=False))
    assert replace(GOOD, evidence=replace(EVIDENCE, accounts=(dead,), calls=calls, tickets=ticket(0))).faults == []


def test_late() -> None:
    """A recovery after more than eight seconds breaks the promise."""
    late = replace(TIMELINE[2], at=10_001)
    assert replace(GOOD, evidence=replace(EVIDENCE, accounts=(account(*TIMELINE[:2], late, TIMELINE[3]),))).faults == [
        "the p99 of recovery is 8.00 s, not within 8"
    ]


def test_recoveries() -> None:
    """Taken over is what the next claim found lapsed, after the kill; a put-back or an earlier lapse is not."""
    again = m.Entry("claim", 9_500, worker="w3", note="lapses 2")
    assert recoveries([account(*TIMELINE, again)], [STRIKE]) == [Recovery(STRIKE, ACTION, 6.0)]
    assert recoveries([account(*TIMELINE)], [replace_at(8_001)]) == []
    calm = m.Entry("claim", 8_000, worker="w2")
    assert recoveries([account(TIMELINE[1], calm)], [STRIKE]) == []


def replace_at(at: int) -> Strike:
    """Return the kill at another moment."""
    return STRIKE._replace(at=at)


@pytest.mark.parametrize("percent, expected", [(50, 2.0), (75, 3.0), (99, 4.0), (100, 4.0), (1, 1.0)])
def test_percentile(percent: int, expected: float) -> None:
    """The percentile is one of the values, the nearest that so many do not exceed."""
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == expected
    assert percentile([], percent) is None


def test_many() -> None:
    """Of many that were lost five are named."""
    lost = {f"north.{number}": CONFERENCE for number in range(7)}
    assert "north.4, …" in replace(GOOD, accepted=lost).faults[0]
