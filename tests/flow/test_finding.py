"""Actions of several orgs are found together: everything once, the newest first, however the pages fall."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import model as m
from service.flow import operations


class Shelf:
    """An archive of actions that are there; it looks at `most` of them at once, and finds the even ones alone."""

    def __init__(self, numbers: dict[str, list[int]], most: int) -> None:
        self._numbers = numbers
        self._most = most
        self.asked: list[str] = []

    async def find(self, org: str, search: m.Search, limit: int, after: str = "") -> m.Page:
        self.asked.append(org)
        if search.source:
            raise ValueError("no such source")
        rest = sorted((number for number in self._numbers[org] if not after or _part(number) < after), reverse=True)
        found: list[m.Action] = []
        for number in rest[: self._most]:
            if number % 2 == 0:
                found.append(_action(org, number))
            if len(found) == limit and number != rest[-1]:
                return m.Page(tuple(found), _part(number))
        return m.Page(tuple(found), _part(rest[self._most - 1]) if len(rest) > self._most else "")

    async def dead(self, org: str, limit: int) -> Sequence[m.DeadLetter]:
        raise NotImplementedError

    async def minutes(self, org: str, since_at: int) -> Sequence[m.Minute]:
        raise NotImplementedError

    async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
        raise NotImplementedError

    async def workers(self, org: str) -> Sequence[m.Attendance]:
        raise NotImplementedError


def _part(number: int) -> str:
    return f"{number:026d}"


def _action(org: str, number: int) -> m.Action:
    removal = m.Removal("00000000-0000-4000-8000-000000000001", m.Selector(m.SelectorKind.PURPOSE, "customer"))
    return m.Action(f"{org}.{_part(number)}", org, "desk", removal, number, number, number)


@given(
    st.lists(st.sets(st.integers(0, 60), max_size=25), max_size=4),
    st.integers(1, 12),
    st.integers(1, 12),
    st.booleans(),
)
async def test_pages_of_all(sets: list[set[int]], limit: int, most: int, is_repeated: bool) -> None:
    """Page after page, whatever is looked through at once: each action once, in order of time, and then it ends."""
    taken: set[int] = set()  # an id's part is of one org
    numbers: dict[str, list[int]] = {}
    for place, of_org in enumerate(sets):
        numbers[f"org{place}"] = sorted(of_org - taken)
        taken |= of_org
    shelf, found, after = Shelf(numbers, most), list[int](), ""
    orgs = [*numbers, *numbers] if is_repeated else list(numbers)
    while True:
        page = await operations.find(shelf, orgs, m.Search(), limit, after)
        assert len(page.actions) <= limit
        found += [action.received_at for action in page.actions]
        assert not page.after or not after or page.after < after
        if not (after := page.after):
            break
        assert after.isalnum()
    assert found == sorted((number for number in taken if number % 2 == 0), reverse=True)


async def test_an_org_is_asked_once() -> None:
    """An org that is named twice is asked once, and no org at all has nothing."""
    shelf = Shelf({"a": [2], "b": [4]}, 9)
    page = await operations.find(shelf, ["a", "b", "a"], m.Search(), 0)
    assert ([action.org for action in page.actions], page.after) == (["b"], _part(4))
    assert shelf.asked == ["a", "b"]
    assert await operations.find(shelf, [], m.Search(), 9) == m.Page(())


async def test_what_cannot_be_asked() -> None:
    """What the archive cannot be asked is refused in its words."""
    with pytest.raises(ValueError, match="no such source"):
        await operations.find(Shelf({"a": []}, 9), ["a"], m.Search(source="x"), 9)
