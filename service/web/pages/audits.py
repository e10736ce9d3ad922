"""The page of the audit: who did what, when and why, a day at a time, the newest line first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from service.core import model as m
from service.core.errors import Unreadable
from service.core.ports import Archive, Store
from service.flow.review import Audited, audited_page
from service.web.pages.telling import Badge, When, asked_for, badge, safe, span, spelled, ticket_of, when

DAY = 86_400_000
BLOCKS = 2  # of a hundred lines each, on one page: so the newest page is never nearly empty
STRIDES_MOST = 200  # of a thousand lines each, of a day: half a second; who has more takes the export
_BLOCK, _STRIDE = 100, 1_000
_BLOCKS_OF_STRIDE = _STRIDE // _BLOCK
_DEEDS = {
    m.Deed.SETTLE: "ended",
    m.Deed.PAUSE: "paused",
    m.Deed.RESUME: "resumed",
    m.Deed.REPLAY: "asked again",
    m.Deed.PREVIEW: "previewed",
    m.Deed.DROP: "dropped",
    m.Deed.RETELL: "told again",
    m.Deed.FORGET: "forgotten",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit as the page shows it.

    Attributes:
        action_id: of the action it is about, for a link; "" where it is about none.
        what: what it is about where that is no action: a source, or the whole org.
        gap: why who was removed and who asked is not told.
    """

    at: When | None
    deed: str
    is_act: bool
    action_id: str
    what: str
    who: str
    why: str
    source: str
    requester: str
    ticket: str
    asked: str
    outcome: Badge | None
    reason: str
    took: str
    gap: str


@dataclass(frozen=True, slots=True)
class Day:
    """One page of one day of one org.

    Attributes:
        day: `2026-11-20`.
        before, behind: the days around it; `behind` is "" for today.
        page: which page of the day, from 1, the newest.
        pages: how many there are.
        is_cut: the day has more lines than are looked through here.
    """

    org: str
    day: str
    before: str
    behind: str
    page: int
    pages: int
    is_cut: bool
    lines: Sequence[Line]


def day_in(text: str, now: int) -> int:
    """Return when the day that an address names began; today for none. Unreadable, in words, for what is no day."""
    today = now - now % DAY
    if not text:
        return today
    try:
        began = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Unreadable(f"“{safe(text, 40)}” is no day: write it as 2026-11-20.") from None
    return min(max(int(began.timestamp() * 1000), 0), today)


async def day_of(
    archive: Archive, store: Store, org: str, began: int, page: int, now: int, *, place_of: Callable[[int], str]
) -> Day:
    """Read one page of one day; raises StoreDown.

    Args:
        archive: where the audit stands.
        store: where the actions stand.
        org: whose audit.
        began: when the day began.
        page: which, from 1, the newest; beyond the last it is the last.
        now: our clock.
        place_of: where in an audit a moment's day begins.
    """
    until = began + DAY
    strides, is_cut = await _places(archive, org, place_of(began), until, size=_STRIDE, most=STRIDES_MOST)
    full = strides[:-1]
    last = await _last_of(archive, org, strides, until)
    count = len(full) * _BLOCKS_OF_STRIDE + len(last)
    pages = max(-(-count // BLOCKS), 1)
    page = min(max(page, 1), pages)
    end = count - BLOCKS * (page - 1)
    found: list[Audited] = []
    for number in range(max(end - BLOCKS, 0), end):
        stride, block = divmod(number, _BLOCKS_OF_STRIDE)
        place = full[stride] if stride < len(full) else last[block]
        for _ in range(block if stride < len(full) else 0):
            _, place = await archive.audit(org, _BLOCK, place)
        some, _ = await audited_page(archive, store, org, place)
        found.extend(one for one in some if began <= one.line.at < began + DAY)
    behind = _named(began + DAY) if began + DAY <= now else ""
    lines = [line_of(one, now) for one in reversed(found)]
    return Day(org, _named(began), _named(began - DAY), behind, page, pages, is_cut, lines)


def line_of(one: Audited, now: int) -> Line:
    """Return how a line of the audit is shown."""
    line, action = one.line, one.account.action if one.account else None
    removal = action.removal if action and not one.gap else None
    ticket = one.report.ticket if one.report else removal and removal.ticket
    is_end = line.deed is m.Deed.SETTLE
    what = "" if one.action_id else (f"source {safe(line.of, 80)}" if line.of else f"org {one.org}")
    return Line(
        at=when(line.at, now),
        deed=_DEEDS[line.deed],
        is_act=not is_end,
        action_id=one.action_id,
        what="" if line.deed is m.Deed.FORGET else what,
        who=safe(line.who, 80) or ("" if is_end else "this service"),
        why=safe(line.why),
        source=safe(line.source or (action.source if action else ""), 80) if one.action_id else "",
        requester=safe(removal.requester, 80) if removal else "",
        ticket=ticket_of(ticket or None),
        asked=asked_for(removal) if removal else "",
        outcome=badge(line.outcome) if line.outcome else None,
        reason=spelled(line.reason),
        took=span(line.seconds) if is_end else "",
        gap=one.gap,
    )


async def _places(
    archive: Archive, org: str, place: str, until: int, *, size: int, most: int
) -> tuple[Sequence[str], bool]:
    """Return where each `size` lines of a day begin, in order, and whether there are more than `most` such places."""
    places: list[str] = []
    while len(places) < most:
        lines, onward = await archive.audit(org, size, place)
        if onward == place or (lines and lines[0].at >= until):
            return places, False
        if lines:
            places.append(place)
        place = onward
    return places, True


async def _last_of(archive: Archive, org: str, strides: Sequence[str], until: int) -> Sequence[str]:
    """Return where the blocks of the last stride begin: alone of all it may be shorter than a stride is."""
    if not strides:
        return ()
    places, _ = await _places(archive, org, strides[-1], until, size=_BLOCK, most=_BLOCKS_OF_STRIDE)
    return places


def _named(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")
