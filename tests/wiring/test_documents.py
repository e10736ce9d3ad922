"""What commands say as documents: stable keys, as the operator's page lists them, and nothing that may not be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.core import model as m
from service.core.errors import Reply
from service.flow.review import Audited
from service.wiring import documents
from tests.commands import documented

AT = 1_790_000_000_123
ID = f"acme.{'0' * 25}1"
NUMBER = "+14155550123"
HOSTILE = f"\x1b[31m\u202e{NUMBER} wants\r\nthis"
PINNED = m.Removal(
    "0f9a1d4e-5b7c-4d21-9e3a-2c4b6d8e0f1a",
    m.Selector(m.SelectorKind.PHONE, NUMBER),
    ticket=m.Ticket("incident/9d38", "INC0010112"),
    requester=HOSTILE,
    reason=HOSTILE,
)
OPEN = m.Action(ID, "acme", "desk", PINNED, AT, AT - 500, AT + 120_000)
ENDED = replace(
    OPEN,
    state=m.ActionState.SETTLED,
    outcome=m.Outcome(m.OutcomeKind.FAILED, "no_effect", Reply(409, "conflict", HOSTILE, "c-1")),
    settled_at=AT + 1_500,
    replay_of=f"acme.{'0' * 25}0",
)
REPORT = m.Report(f"{ID}.0000000a", ID, "desk", "ticket", PINNED.ticket, m.ReportState.DEAD, 3, f"404: {HOSTILE}")
ACCOUNT = m.Account(ENDED, "key", (m.Entry("verify", AT),), (REPORT,))
SETTLED = m.AuditLine(AT, m.Deed.SETTLE, ID, source="desk", outcome="failed", reason="no_effect", seconds=2.0)


@pytest.mark.parametrize(
    "heading, document",
    [
        ("An action in a list", documents.action_line(OPEN)),
        ("One action", documents.account_document(ACCOUNT)),
        ("A dead letter", documents.letter_line(m.DeadLetter(REPORT, ENDED, AT))),
        ("A refused delivery", documents.refusal_line(m.Refusal("desk", AT, "unauthorized", HOSTILE, 9))),
        ("A line of the audit", documents.audit_line(Audited("acme", SETTLED, ACCOUNT))),
    ],
)
def test_every_key_isdocumented(heading: str, document: Mapping[str, object]) -> None:
    """The page names each key there is, and none that is not; none is nested where it is a line."""
    assert documented(heading) == set(document)


def test_an_action_in_a_list() -> None:
    """An open one has no end and no time; an ended one has both, and its number is cut in each."""
    line = documents.action_line(OPEN)
    assert (line["outcome"], line["settled_at"], line["seconds"], line["replay_of"]) == ("open", None, None, None)
    assert (line["person"], line["ticket"]) == ("…0123", "INC0010112")
    ended = documents.action_line(ENDED)
    assert (ended["outcome"], ended["reason"], ended["seconds"]) == ("failed", "no_effect", 2.0)
    assert ended["settled_at"] == "2026-09-21T14:13:21.623Z"
    unlabelled = replace(PINNED, ticket=m.Ticket("incident/9d38"))
    assert documents.action_line(replace(OPEN, removal=unlabelled))["ticket"] == "incident/9d38"
    assert documents.action_line(replace(OPEN, removal=replace(PINNED, ticket=None)))["ticket"] is None


@pytest.mark.parametrize(
    "document",
    [
        documents.action_line(ENDED),
        documents.account_document(ACCOUNT),
        documents.letter_line(m.DeadLetter(REPORT, ENDED, AT)),
        documents.refusal_line(m.Refusal("desk", AT, "unauthorized", HOSTILE, 9)),
        documents.audit_line(Audited("acme", replace(SETTLED, why=HOSTILE, who=HOSTILE), ACCOUNT)),
    ],
)
def test_nothing_that_may_not_be_shown(document: Mapping[str, object]) -> None:
    """No number is whole, and nothing in it turns a terminal, whoever wrote it."""
    assert "0123" in str(document)
    assert "4155550123" not in str(document)
    assert not {"\x1b", "\u202e", "\r", "\n"} & set(str(list(document.values())).encode().decode("unicode_escape"))


def test_a_dead_letter_whose_action_is_open() -> None:
    """A report of an action without an outcome says so."""
    line = documents.letter_line(m.DeadLetter(replace(REPORT, ticket=None, error=""), OPEN, AT))
    assert (line["outcome"], line["ticket"], line["error"]) == (None, None, None)
    assert line["cause"] == "nothing was said about why"


def test_lines_of_the_audit() -> None:
    """What a person did is about what it is about; of what was forgotten or is gone nothing is told, and why is."""
    paused = m.AuditLine(AT, m.Deed.PAUSE, "desk", who="anna", why="flood")
    line = documents.audit_line(Audited("acme", paused))
    assert (line["about"], line["action"], line["who"], line["why"]) == ("desk", None, "anna", "flood")
    assert (line["seconds"], line["outcome"], line["gap"], line["source"]) == (None, None, None, None)
    retold = m.AuditLine(AT, m.Deed.RETELL, REPORT.id, who="anna")
    ticket = m.Ticket("incident/77", "INC0077")
    other = replace(ACCOUNT, reports=(replace(REPORT, ticket=ticket),))
    line = documents.audit_line(Audited("acme", retold, other))
    assert (line["about"], line["action"], line["ticket"], line["source"]) == (REPORT.id, ID, "INC0077", "desk")
    gone = documents.audit_line(Audited("acme", SETTLED, None, "it is gone"))
    assert (gone["person"], gone["requester"], gone["outcome"], gone["gap"]) == (None, None, "failed", "it is gone")
    forgotten = documents.audit_line(Audited("acme", SETTLED, ACCOUNT, "it was forgotten"))
    assert (forgotten["person"], forgotten["conversation"], forgotten["ticket"]) == (None, None, None)


def test_a_day() -> None:
    """The hour is a part of the day; a share that took too long for the last bound has no bound."""
    minutes = [
        m.Minute(AT - 7_200_000, {"desk": 5}, {}, {"failed": 5}),
        m.Minute(AT - 60_000, {"desk": 2}, {"jira": 1}, {"disconnected": 2}, (1, 0, 0, 0, 0, 0, 1)),
    ]
    told = documents.stats_document({"acme": minutes, "quiet": []}, AT)
    assert told["at"] == "2026-09-21T14:13:20.123Z"
    orgs = told["orgs"]
    assert isinstance(orgs, dict)
    hour, day = orgs["acme"]["hour"], orgs["acme"]["day"]
    assert (hour["accepted"], day["accepted"]) == ({"desk": 2}, {"desk": 7})
    assert (hour["refused"], day["outcomes"]) == ({"jira": 1}, {"failed": 5, "disconnected": 2})
    assert (hour["gone"]["count"], hour["gone"]["p50"], hour["gone"]["p99"]) == (2, 0.5, None)
    assert hour["gone"]["within"][-1] == {"seconds": None, "count": 1}
    assert documented("A span of time") == set(hour)
    assert documented("How long it took") == set(hour["gone"])
    assert orgs["quiet"]["day"]["gone"]["p50"] is None
