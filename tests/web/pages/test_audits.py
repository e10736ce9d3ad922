"""The audit is read a day at a time, the newest first, and each line says who did what, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from service.core import model as m
from service.core.errors import Unreadable
from service.core.ports import Archive, Store
from service.flow.review import Audited
from service.web.pages import audits
from service.web.pages.telling import Badge
from tests.web.doors import NOW
from tests.web.samples import ACTION, REPORTS, SETTLED

TODAY = NOW - NOW % audits.DAY
ID = f"acme.{7:026}"


class Book:
    """An audit in memory, read as the store's is: in order, on from a place."""

    def __init__(self, lines: Sequence[m.AuditLine]) -> None:
        self.lines = lines

    async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
        begin = int(after or "0")
        some = self.lines[begin : begin + limit]
        return some, str(begin + len(some))

    def place(self, at: int) -> str:
        """Return where the day of a moment begins."""
        day = at - at % audits.DAY
        return str(sum(line.at < day for line in self.lines))


class Nothing:
    """A store whose records have all aged out."""

    async def read(self, action_id: str) -> m.Account | None:
        return None


def paused(at: int) -> m.AuditLine:
    """Return a line about a pause."""
    return m.AuditLine(at, m.Deed.PAUSE, "desk", "beth", "flood")


async def day(lines: Sequence[m.AuditLine], page: int = 1, began: int = TODAY) -> audits.Day:
    """Return a page of a day."""
    book = Book(lines)
    archive, store = cast("Archive", book), cast("Store", Nothing())
    return await audits.day_of(archive, store, "acme", began, page, NOW, place_of=book.place)


@pytest.mark.parametrize(
    "text, began",
    [
        ("", TODAY),
        ("2026-11-19", TODAY - audits.DAY),
        ("2030-01-01", TODAY),
        ("1960-01-01", 0),
    ],
)
def test_days(text: str, began: int) -> None:
    """A day is named as people name it; none is today, and none is later."""
    assert audits.day_in(text, NOW) == began


def test_no_day() -> None:
    """What is no day is said in words, without what turns them."""
    with pytest.raises(Unreadable, match=r"“19�” is no day: write it as 2026-11-20\."):
        audits.day_in("19\u202e", NOW)


async def test_an_empty_day() -> None:
    """A day without lines has one page, and neighbours; after today comes nothing."""
    shown = await day([])
    assert (shown.day, shown.before, shown.behind) == ("2026-11-20", "2026-11-19", "")
    assert (shown.page, shown.pages, shown.is_cut, list(shown.lines)) == (1, 1, False, [])


async def test_a_day_alone() -> None:
    """Lines of the days before and after are on pages of their own."""
    lines = [paused(TODAY - 2), paused(TODAY - 1), paused(TODAY), paused(TODAY + 5)]
    today, yesterday = await day(lines), await day(lines, began=TODAY - audits.DAY)
    assert [one.at and one.at.iso for one in today.lines] == ["2026-11-20T00:00:00.005Z", "2026-11-20T00:00:00.000Z"]
    assert len(yesterday.lines) == 2
    assert yesterday.behind == "2026-11-20"


async def test_pages() -> None:
    """However many lines a day has, each stands on one page, the newest first; beyond the last page is the last."""
    lines = [replace(paused(TODAY + number), why=str(number)) for number in range(950)]
    shown = [await day(lines, page) for page in range(7)]
    assert {one.pages for one in shown} == {5}
    assert [one.page for one in shown] == [1, 1, 2, 3, 4, 5, 5]
    found = [int(line.why) for one in shown[1:6] for line in one.lines]
    assert found == list(range(949, -1, -1))


async def test_a_day_of_too_many() -> None:
    """A day that is too long to be walked through says so, and shows as much as it looked at."""
    lines = [paused(TODAY)] * (audits.STRIDES_MOST * 1_000 + 1)
    shown = await day(lines, began=TODAY)
    assert (shown.is_cut, shown.pages) == (True, audits.STRIDES_MOST * 10 // audits.BLOCKS)
    assert not (await day(lines[2_000:])).is_cut


async def test_a_long_day() -> None:
    """The newest lines stand first also on a day of very many, and each line of it stands on one page."""
    lines = [replace(paused(TODAY + number), why=str(number)) for number in range(35_150)]
    shown = [await day(lines, page) for page in (1, 2, 5, 100, 176)]
    assert {(one.is_cut, one.pages) for one in shown} == {(False, 176)}
    first, second, fifth, middle, last = ([int(line.why) for line in one.lines] for one in shown)
    assert first + second == list(range(35_149, 34_799, -1))
    assert (fifth[0], middle[0], middle[-1]) == (34_399, 15_399, 15_200)
    assert last == list(range(199, -1, -1))


async def test_a_place_without_lines() -> None:
    """Where nothing is read and the audit goes on all the same, so does the page."""

    class Gap(Book):
        """An audit whose first lines a newer version wrote."""

        async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
            some, place = await super().audit(org, limit, after)
            return ([] if not after else some), place

        def place(self, at: int) -> str:
            return ""

    book = Gap([paused(TODAY + number) for number in range(1_050)])
    archive, store = cast("Archive", book), cast("Store", Nothing())
    shown = await audits.day_of(archive, store, "acme", TODAY, 1, NOW, place_of=book.place)
    assert len(shown.lines) == 50


async def test_a_record_that_is_gone() -> None:
    """A line whose action has aged out says that its record is not kept any more."""
    (line,) = (await day([m.AuditLine(TODAY, m.Deed.SETTLE, ID, source="desk", outcome="failed")])).lines
    assert (line.action_id, line.asked, line.requester) == (ID, "", "")
    assert "no longer kept" in line.gap


def test_an_end() -> None:
    """An action that ended is shown with who asked, for whom, by which ticket, how it ended and how long it took."""
    account = m.Account(replace(SETTLED, id=ID), "key", (), REPORTS)
    told = m.AuditLine(NOW, m.Deed.SETTLE, ID, "", "", "desk", "failed", "genesys_refused", 10.0)
    line = audits.line_of(Audited("acme", told, account), NOW)
    assert (line.deed, line.is_act, line.who, line.what) == ("ended", False, "", "")
    assert line.outcome is not None
    assert (line.outcome.word, line.reason, line.took) == ("failed", "genesys refused", "10.0 s")
    assert (line.requester, line.ticket, line.asked, line.source) == ("beth.anglin", "INC1", "number …0123", "desk")


def test_a_letter_told_again() -> None:
    """A line about a report names that report's own ticket."""
    report = replace(REPORTS[0], id=f"{ID}.r1", ticket=m.Ticket("incident/2", "INC2"))
    account = m.Account(replace(ACTION, id=ID), "key", (), (report,))
    told = m.AuditLine(NOW, m.Deed.RETELL, report.id, "beth\u202e", "mended")
    line = audits.line_of(Audited("acme", told, account), NOW)
    assert (line.deed, line.is_act, line.who, line.why) == ("told again", True, "beth�", "mended")
    assert (line.ticket, line.took, line.outcome) == ("INC2", "", None)


@pytest.mark.parametrize(
    "line, what, who",
    [
        (m.AuditLine(NOW, m.Deed.PAUSE, "", "beth"), "org acme", "beth"),
        (m.AuditLine(NOW, m.Deed.PAUSE, "desk", ""), "source desk", "this service"),
        (m.AuditLine(NOW, m.Deed.FORGET, "", "beth"), "", "beth"),
    ],
)
def test_acts_on_no_action(line: m.AuditLine, what: str, who: str) -> None:
    """A pause is of an org or a source; what the service did by itself says so; what was forgotten is not named."""
    shown = audits.line_of(Audited("acme", line), NOW)
    assert (shown.what, shown.who, shown.action_id) == (what, who, "")


def test_an_end_that_a_newer_version_knows() -> None:
    """An outcome of a kind that is not known here is a line like any other, and spoils no page."""
    line = m.AuditLine(NOW, m.Deed.SETTLE, ID, source="desk", outcome="moved_on<b>", reason="to_a_queue")
    shown = audits.line_of(Audited("acme", line), NOW)
    assert (shown.outcome, shown.reason) == (Badge("info", "moved on<b>"), "to a queue")


@pytest.mark.parametrize("deed", list(m.Deed))
def test_every_deed_has_a_word(deed: m.Deed) -> None:
    """Each deed of the audit is said in a word."""
    assert audits.line_of(Audited("acme", m.AuditLine(NOW, deed, "")), NOW).deed
