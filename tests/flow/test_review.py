"""What a person reads afterwards: the audit joined with its actions, dead letters by cause, and how a day went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from service.core import model as m
from service.core.errors import UnknownVersion
from service.core.ports import Store
from service.flow import operations, review
from service.store.records import NOWHERE, forgotten
from tests.flow.stage import ORG, Stage

OTHER = "other"


class Book:
    """An audit that is written by hand: what a line says is up to the test. Only this of an archive is asked for."""

    def __init__(self, **lines: Sequence[m.AuditLine]) -> None:
        self.lines = {org: list(its) for org, its in lines.items()}

    async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
        begin = int(after or 0)
        found = self.lines[org][begin : begin + limit]
        return found, str(begin + len(found))

    async def find(self, org: str, search: m.Search, limit: int, after: str = "") -> m.Page:
        raise NotImplementedError

    async def dead(self, org: str, limit: int) -> Sequence[m.DeadLetter]:
        raise NotImplementedError

    async def minutes(self, org: str, since_at: int) -> Sequence[m.Minute]:
        raise NotImplementedError

    async def workers(self, org: str) -> Sequence[m.Attendance]:
        raise NotImplementedError


def _line(at: int, deed: m.Deed = m.Deed.PAUSE, of: str = "") -> m.AuditLine:
    return m.AuditLine(at, deed, of, who="anna")


async def test_the_audit_is_joined(stage: Stage) -> None:
    """A line about an action or a report comes with who asked, by which ticket, and who it was, as it stands now."""
    action_id = await stage.click(await stage.scene(), sys_id=await stage.ticket())
    await stage.finish(action_id)
    report_id = (await stage.report(action_id)).id
    book = Book(acme=[_line(1, m.Deed.SETTLE, action_id), _line(2, m.Deed.RETELL, report_id), _line(3, of="desk")])
    settled, retold, paused = [one async for one in operations.audited(book, stage.store, [ORG])]
    assert settled.account is not None
    assert (settled.action_id, settled.account.action.removal.requester, settled.gap) == (action_id, "beth.anglin", "")
    assert settled.report is None
    assert (retold.action_id, retold.account, retold.report and retold.report.id) == (
        action_id,
        settled.account,
        report_id,
    )
    assert (paused.org, paused.action_id, paused.account, paused.report, paused.gap) == (ORG, "", None, None, "")


async def test_what_is_gone_is_said(stage: Stage) -> None:
    """An action that was forgotten, and one that is not kept any more, are said in words; the line itself stays."""
    action_id = await stage.click(await stage.scene())
    await stage.finish(action_id)
    aged = f"{ORG}.{'0' * 26}"
    book = Book(acme=[_line(1, m.Deed.SETTLE, aged), _line(2, m.Deed.DROP, action_id)])
    old, kept = [one async for one in operations.audited(book, stage.store, [ORG])]
    assert (old.action_id, old.account) == (aged, None)
    assert "retention.actions_days" in old.gap
    assert kept.account is not None
    action = kept.account.action
    lost = replace(kept.account, action=replace(action, removal=forgotten(action.removal)))
    assert lost.action.removal.conversation_id == NOWHERE
    assert kept.gap == ""

    class Lost:
        """A store of which somebody asked that it be forgotten, or that a newer version wrote."""

        def __init__(self, *, is_newer: bool) -> None:
            self.is_newer = is_newer

        async def read(self, action_id: str) -> m.Account:
            if self.is_newer:
                raise UnknownVersion(f"schema of {action_id}")
            return lost

    for is_newer, words in ((False, "forgotten"), (True, "newer version")):
        told, _ = await review.audited_page(Book(acme=[kept.line]), cast("Store", Lost(is_newer=is_newer)), ORG)
        assert [words in one.gap for one in told] == [True]
        assert told[0].action_id == action_id


async def test_the_audit_of_several_orgs(stage: Stage) -> None:
    """Several orgs make one audit, the oldest line first, over many pages; a span of time cuts it on both sides."""
    book = Book(acme=[_line(at) for at in range(0, 500, 2)], other=[_line(at) for at in range(1, 500, 2)])
    told = [one async for one in operations.audited(book, stage.store, [ORG, OTHER])]
    assert [one.line.at for one in told] == list(range(500))
    assert {one.org for one in told if one.line.at % 2} == {OTHER}
    book.lines[ORG] = book.lines[ORG][:110]
    some = [one async for one in operations.audited(book, stage.store, [ORG, OTHER], since_at=210, until_at=230)]
    assert [one.line.at for one in some] == [*range(210, 220), 221, 223, 225, 227, 229]
    hour = 3_600_000
    stepped = Book(acme=[_line(5), _line(20), _line(7), _line(10 + hour), _line(8)])
    some = [one async for one in operations.audited(stepped, stage.store, [ORG], since_at=5, until_at=10)]
    assert [one.line.at for one in some] == [5, 7], "a clock that stepped back within the hour hides nothing"


async def test_a_page_of_the_audit(stage: Stage) -> None:
    """Without a place a page begins where the audit does; a line that is about nobody lacks nothing."""
    told, place = await review.audited_page(Book(acme=[_line(1), _line(2)]), stage.store, ORG)
    assert ([one.line.at for one in told], place) == ([1, 2], "2")
    assert {review.Audited(ORG, _line(1)), *told} == {review.Audited(ORG, _line(at), None, "") for at in (1, 2)}


async def test_the_audit_goes_on(stage: Stage) -> None:
    """Whoever asks again from where it ended gets what was written since, once."""
    book, cursors = Book(acme=[_line(1)]), dict[str, str]()
    assert [one.line.at async for one in operations.audited(book, stage.store, [ORG], cursors=cursors)] == [1]
    assert [one async for one in operations.audited(book, stage.store, [ORG], cursors=cursors)] == []
    book.lines[ORG].append(_line(2))
    assert [one.line.at async for one in operations.audited(book, stage.store, [ORG], cursors=cursors)] == [2]


class Gappy(Book):
    """An audit of which every other page is empty, as where a newer version wrote."""

    async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
        place, gap, _ = after.partition("+")
        if gap or not place:
            return await super().audit(org, 1, place)
        return (), f"{place}+" if int(place) < len(self.lines[org]) else place


async def test_an_empty_page_is_not_the_end(stage: Stage) -> None:
    """Where nothing of a page can be read, what comes after it is told all the same."""
    book = Gappy(acme=[_line(1), _line(2), _line(3)])
    assert [one.line.at async for one in operations.audited(book, stage.store, [ORG])] == [1, 2, 3]


@pytest.mark.parametrize(
    "error, cause",
    [
        ("404: there is no such ticket", "404: there is no such ticket"),
        ("404: No Record found (it said: 9d385017c611228701d22104cc95c371)", "404: No Record found (it said: …)"),
        ("403: INC0010112 is closed since 2026-11-20T09:00:00Z", "403: … is closed since …"),
        ("503 (again in 15 s)", "503 (again in … s)"),
        ("no answer from 10.0.0.7:8443 after 5.0 s", "no answer from … after … s"),
        ("", review.UNSAID),
        ("  ", review.UNSAID),
    ],
)
def test_causes(error: str, cause: str) -> None:
    """A cause is the sentence without what differs from ticket to ticket; the status of an answer stays."""
    assert review.cause_of(error) == cause


def test_by_cause() -> None:
    """The cause that most share comes first, and of each the one that died last; nothing is lost."""
    letters = [_letter(at, f"{404 if at % 3 else 403}: INC{at:07} is not to be written") for at in range(1, 10)]
    found = operations.by_cause(letters)
    assert {cause: [one.died_at for one in its] for cause, its in found.items()} == {
        "404: … is not to be written": [8, 7, 5, 4, 2, 1],
        "403: … is not to be written": [9, 6, 3],
    }
    assert next(iter(found)).startswith("404")
    assert operations.by_cause([]) == {}


def _letter(at: int, error: str) -> m.DeadLetter:
    removal = m.Removal("c", m.Selector(m.SelectorKind.PURPOSE, "customer"))
    action = m.Action(f"{ORG}.{at:026}", ORG, "desk", removal, 0, 0, 0)
    report = m.Report(f"{action.id}.00000001", action.id, "desk", "ticket", None, m.ReportState.DEAD, error=error)
    return m.DeadLetter(report, action, at)


def test_a_span_of_minutes() -> None:
    """Minutes are added up from a moment on: by source, by outcome, and how long it took."""
    minutes = [
        m.Minute(0, {"desk": 9}, {}, {"failed": 1}, (9, 0, 0, 0, 0, 0, 0)),
        m.Minute(60, {"desk": 2, "jira": 1}, {"desk": 1}, {"disconnected": 3}, (1, 0, 2, 0, 0, 0, 0)),
        m.Minute(120, {"desk": 1}, {}, {"disconnected": 1, "failed": 1}, (0, 0, 0, 0, 0, 0, 1)),
    ]
    assert review.summed(minutes, 60) == m.Minute(
        60, {"desk": 3, "jira": 1}, {"desk": 1}, {"disconnected": 4, "failed": 1}, (1, 0, 2, 0, 0, 0, 1)
    )
    assert review.summed([], 7) == m.Minute(7)


@pytest.mark.parametrize(
    "gone, half, most, nearly_all",
    [
        ((0, 0, 0, 0, 0, 0, 0), None, None, None),
        ((1, 0, 0, 0, 0, 0, 0), 0.5, 0.5, 0.5),
        ((50, 45, 4, 1, 0, 0, 0), 0.5, 1.0, 2.0),
        ((0, 0, 0, 0, 0, 0, 3), None, None, None),
        ((98, 0, 0, 0, 0, 0, 2), 0.5, 0.5, None),
        ((0, 1, 0, 0, 0, 1, 0), 1.0, 30.0, 30.0),
    ],
)
def test_gone_within(gone: tuple[int, ...], half: float | None, most: float | None, nearly_all: float | None) -> None:
    """A share was gone within the first bound that it does not exceed; beyond the last nothing is claimed."""
    assert [review.gone_within(gone, share) for share in (0.5, 0.95, 0.99)] == [half, most, nearly_all]
