"""Dead letters by cause, and told again."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.wiring import retelling as rooms
from service.wiring.watching import NotDone
from tests.wiring.kept import OTHER, Kept

ANNA = m.Operator("anna", "tickets were opened again")
CLOSED = "403: … is closed"


async def test_letters(kept: Kept) -> None:
    """They stand by cause, the most frequent first, of all orgs or of one; told again they are dead no more."""
    assert await rooms.letters("") == []
    with pytest.raises(NotDone, match="there is no dead letter"):
        await rooms.meant("", "")
    missing = await kept.dead()
    closed = [await kept.dead(org, "403: INC0010112 is closed") for org in ("acme", OTHER)]
    told = await rooms.letters("")
    assert [(one["report"], one["cause"]) for one in told] == [
        (closed[1], CLOSED),
        (closed[0], CLOSED),
        (missing, "404: no such ticket"),
    ]
    assert [one["report"] for one in await rooms.letters(OTHER)] == [closed[1]]
    assert sorted(await rooms.meant("", CLOSED)) == sorted(closed)
    assert await rooms.meant("", "NO SUCH") == [missing]
    assert sorted(await rooms.meant("", "")) == sorted([*closed, missing])
    assert await rooms.meant("acme", "closed") == [closed[0]]
    steps: list[int] = []
    retold = await rooms.retell([*closed, "none"], ANNA, lambda: steps.append(1))
    assert retold == rooms.Retold(closed, ["none"])
    assert len(steps) == 3
    assert [one["report"] for one in await rooms.letters("")] == [missing]
    assert await rooms.retell(closed, ANNA, lambda: None) == rooms.Retold([], closed)


async def test_which_cause(kept: Kept) -> None:
    """Words that fit no cause, or several, are said with the causes that there are."""
    await kept.dead()
    await kept.dead(error="403: INC0010112 is closed")
    with pytest.raises(NotDone, match=r"“gone” fits no cause; there are:\n.*\(1\)\n.*\(1\)"):
        await rooms.meant("", "gone")
    with pytest.raises(NotDone, match="“40” fits 2 causes"):
        await rooms.meant("", "40")
