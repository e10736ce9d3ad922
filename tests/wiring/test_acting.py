"""Actions as a person finds them, looks at one, writes them out, asks again, and gives up."""

from __future__ import annotations

from typing import Any, cast

import pytest

from service.core import model as m
from service.core.errors import Misconfigured
from service.wiring import acting as rooms
from service.wiring.acting import Wish
from service.wiring.watching import NotDone
from tests.store.stories import ORG, uuid
from tests.wiring.kept import OTHER, Kept

ANNA = m.Operator("anna", "the desk was down")
FAILED = m.Outcome(m.OutcomeKind.FAILED, "no_effect")
NOBODY = f"{ORG}.{'0' * 26}"


async def _ids(wish: Wish, limit: int = 50) -> list[str]:
    page = cast("dict[str, Any]", await rooms.listed(wish, limit, ""))
    return [one["action"] for one in page["actions"]]


async def test_listed(kept: Kept) -> None:
    """Actions of all orgs are found by what a person knows of them, the newest first, a page at a time."""
    old = await kept.settled(outcome=FAILED, requester="beth.anglin")
    new, other = await kept.accepted(), await kept.accepted(OTHER, conversation_id=uuid(9))
    assert await _ids(Wish()) == [other, new, old]
    assert await _ids(Wish("Beth.Anglin")) == [old]
    assert await _ids(Wish(uuid(9))) == [other]
    assert await _ids(Wish(outcome="failed")) == [old]
    assert await _ids(Wish(outcome="open", org=ORG)) == [new]
    assert await _ids(Wish(source="jsm")) == [other]
    assert await _ids(Wish(until="1h")) == []
    first = cast("dict[str, Any]", await rooms.listed(Wish(since="1h"), 2, ""))
    assert len(first["actions"]) == 2
    rest = cast("dict[str, Any]", await rooms.listed(Wish(since="1h"), 2, first["after"]))
    assert ([one["action"] for one in rest["actions"]], rest["after"]) == ([old], None)


@pytest.mark.parametrize(
    "wish, after, why",
    [
        (Wish(outcome="gone"), "", "is no outcome; there are"),
        (Wish(source="dusk"), "", r"there is no \[sources.dusk\]"),
        (Wish(since="soon"), "", "--since"),
        (Wish(), "here", "begin again without it"),
    ],
)
async def test_what_cannot_be_looked_for(kept: Kept, wish: Wish, after: str, why: str) -> None:
    """What nobody can look for is said in words."""
    with pytest.raises(Misconfigured, match=why):
        await rooms.listed(wish, 5, after)


async def test_exported(kept: Kept) -> None:
    """However many there are, all that fit are written out, each once, the newest first."""
    ids = await kept.many(rooms.PAGE + 3)
    other = await kept.accepted(OTHER)
    assert [one["action"] async for one in rooms.exported(Wish())] == [other, *reversed(ids)]
    assert [one["action"] async for one in rooms.exported(Wish(org=OTHER))] == [other]


async def test_shown(kept: Kept) -> None:
    """One action is shown by its id, or by whatever it is found by if it is the only one."""
    action_id = await kept.settled(conversation_id=uuid(7), requester="beth.anglin")
    for text in (action_id, uuid(7), "BETH.ANGLIN"):
        told = await rooms.shown(text)
        assert (told["action"], told["requester"], told["seconds"]) == (action_id, "beth.anglin", told["seconds"])
        assert "settle" in {entry["verb"] for entry in cast("list[dict[str, str]]", told["timeline"])}


async def test_nobody_is_shown(kept: Kept) -> None:
    """What is not there, what fits several, and whose org is not here is said, with what to do."""
    one, other = await kept.accepted(), await kept.accepted(OTHER)
    with pytest.raises(NotDone, match=r"is found by “INC0000000”.*begins with its org \(acme.… or beta.…\)"):
        await rooms.shown("INC0000000")
    with pytest.raises(NotDone, match="fits 2 actions; say which, by its id:") as fault:
        await rooms.shown("INC0010112")
    assert {one, other} <= set(str(fault.value).split())
    with pytest.raises(NotDone, match=f"there is no action {NOBODY}"):
        await rooms.shown(NOBODY)
    with pytest.raises(Misconfigured, match=r"there is no \[orgs.dusk\]"):
        await rooms.shown(f"dusk.{'0' * 26}")
    await kept.many(rooms.ALIKE)
    with pytest.raises(NotDone, match="fits more than 10 actions"):
        await rooms.shown("INC0010112")


async def test_asked_again(kept: Kept) -> None:
    """A rehearsal is a preview; a replay is a new action for the old one's ticket; without a worker neither ends."""
    old = await kept.settled(outcome=FAILED, selector=m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(3)))
    preview = await rooms.rehearse(old, ANNA, 0)
    assert preview.ended is None
    assert (await kept.account(preview.action_id)).action.removal.preview
    new = await rooms.replay(old, 60, ANNA, 0)
    action = (await kept.account(new.action_id)).action
    assert (action.replay_of, action.removal.preview) == (old, False)
    assert action.not_after - action.clicked_at == 60_000
    assert new.ended is None


async def test_what_cannot_be_asked_again(kept: Kept) -> None:
    """What nobody can tell any more, what was done, and what is not there is said, and nothing is stored."""
    cut = await kept.settled(outcome=m.Outcome(m.OutcomeKind.NOT_FOUND, "participant"))
    done = await kept.settled(selector=m.Selector(m.SelectorKind.PARTICIPANT_ID, uuid(3)))
    with pytest.raises(NotDone, match="cannot be asked again: what named the person was cut"):
        await rooms.rehearse(cut, ANNA, 0)
    with pytest.raises(NotDone, match="was not asked again: the person was gone when this ended; say within how many"):
        await rooms.replay(done, None, ANNA, 0)
    for ask in (rooms.rehearse(NOBODY, ANNA, 0), rooms.replay(NOBODY, None, ANNA, 0), rooms.drop(NOBODY, ANNA)):
        with pytest.raises(NotDone, match=f"there is no action {NOBODY}"):
            await ask
    with pytest.raises(Misconfigured, match=r"“\.\.” is no action's id"):
        await rooms.replay("..", None, ANNA, 0)
    assert await _ids(Wish()) == [done, cut]


async def test_dropped(kept: Kept) -> None:
    """What is open and not sent is given up, once; what has ended is said to have."""
    action_id = await kept.accepted()
    await rooms.drop(action_id, ANNA)
    with pytest.raises(NotDone, match="was not dropped: "):
        await rooms.drop(action_id, ANNA)
