"""Every script may run twice: it answers the second time as the first, and Redis is as after one run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from service.core import model as m
from service.core.errors import LeaseLost
from service.store.script import names
from tests.store.acts import ACTS as OF_STEPS
from tests.store.acts import DONE, NO, OTHER, SAME, Act
from tests.store.acts_of_ledger import LEDGER_ACTS
from tests.store.stories import ACCEPTED, GONE, LOOKED, ORG, Story

ACTS = [*OF_STEPS, *LEDGER_ACTS]


def _unordered(reply: object) -> object:
    """Return a reply without the order of the fields of a hash, which Redis does not keep."""
    return sorted(map(repr, map(_unordered, reply))) if isinstance(reply, list) else reply


def test_no_script_is_left_out() -> None:
    """Every script is in the table of repeats, but the dry-run, which means nothing."""
    assert {name for _, name, _ in ACTS} | {"probe"} == set(names())


@pytest.mark.parametrize("later_seconds", [0, 1.9], ids=["at once", "later"])
@pytest.mark.parametrize("act, name, expected", ACTS, ids=[act.__name__.strip("_") for act, _, _ in ACTS])
async def test_a_lost_reply_is_asked_again(
    story: Story, act: Act, name: str, expected: str, later_seconds: float
) -> None:
    """The same arguments again, eleven times: the same answer, and Redis holds what it held after the first run."""
    await act(story)
    script, script_keys, args = story.runner.asked[-1]
    assert script.name == name
    first, before = story.runner.answers[-1], story.state()
    args = (str(story.clock.move(later_seconds)), *args[1:])  # as it was, but for the moment: time has passed
    for _ in range(11):
        again = story.runner.repeat((script, script_keys, args))
        if expected is SAME:
            assert _unordered(again) == _unordered(first)
        elif expected is DONE:
            assert isinstance(first, list)
            assert isinstance(again, list)
            assert (first[0], again[0]) == ("ok", "done")
            assert again[1:] == (first[1:] or again[1:])
        elif expected is NO:
            assert isinstance(first, list)
            assert isinstance(again, list)
            assert (first[0], int(str(first[1])) - int(str(again[1]))) == (again[0], later_seconds * 1_000_000)
        else:
            assert isinstance(again, list)
            assert again[2:] == []
        if expected in (SAME, DONE, NO) or not later_seconds:
            assert story.state() == before


async def _steps(story: Story, lease: m.Lease) -> list[Callable[[], Awaitable[object]]]:
    store, progress = story.store, m.Progress()
    return [
        lambda: store.renew(lease),
        lambda: store.pin(lease, progress, [LOOKED]),
        lambda: store.mark_sent(lease, "", progress, [LOOKED]),
        lambda: store.answered(lease, 1, ACCEPTED, [LOOKED]),
        lambda: store.unsent(lease, 1, [LOOKED]),
        lambda: store.put_back(lease, 1, progress, [LOOKED]),
        lambda: store.settle(lease, GONE, 0.0, [LOOKED]),
    ]


def _report_steps(story: Story, lease: m.Lease) -> list[Callable[[], Awaitable[object]]]:
    store = story.store
    return [
        lambda: store.renew_report(lease),
        lambda: store.put_back_report(lease, 1, "no"),
        lambda: store.told(lease, [LOOKED]),
        lambda: store.bury(lease, "no"),
    ]


@pytest.mark.parametrize("number", range(7))
async def test_a_foreign_token_writes_nothing(story: Story, number: int) -> None:
    """A step with another token is told that the lease is lost, and nothing is written."""
    claim = await story.sent()
    before = story.state()
    steps = await _steps(story, m.Lease(ORG, claim.action.id, OTHER))
    with pytest.raises(LeaseLost):
        await steps[number]()
    assert story.state() == before


@pytest.mark.parametrize("number", range(7))
async def test_a_zombie_writes_nothing(story: Story, number: int) -> None:
    """A worker whose action was taken by another one is told so at every step, also when it has ended since."""
    zombie = await story.sent()
    story.clock.move(6)
    (claim,) = await story.claim(worker="w2")
    steps = await _steps(story, zombie.lease)
    for _ in ("held by another", "settled by another"):
        before = story.state()
        with pytest.raises(LeaseLost):
            await steps[number]()
        assert story.state() == before
        if story.due_in(claim.action.id) is not None:
            await story.store.settle(claim.lease, GONE, 0.0, ())


@pytest.mark.parametrize("number", range(7))
async def test_what_is_not_there_cannot_be_held(story: Story, number: int) -> None:
    """A step on an action that nobody has, or that a newer version wrote, is a lost lease and writes nothing."""
    claim = await story.sent()
    story.client.hset(story.keys.action(claim.action.id), "v", "2")
    before = story.state()
    for lease in (claim.lease, m.Lease(ORG, story.dice.action_id(ORG), claim.lease.token)):
        with pytest.raises(LeaseLost):
            await (await _steps(story, lease))[number]()
    assert story.state() == before


@pytest.mark.parametrize("number", range(4))
async def test_a_foreign_token_tells_nothing(story: Story, number: int) -> None:
    """A step on a report with another token is told that the lease is lost, and nothing is written."""
    claim = await story.report()
    before = story.state()
    with pytest.raises(LeaseLost):
        await _report_steps(story, m.Lease(ORG, claim.report.id, OTHER))[number]()
    assert story.state() == before


@pytest.mark.parametrize("number", range(4))
async def test_a_told_report_is_told_once(story: Story, number: int) -> None:
    """Nobody does anything more with a report that was told."""
    claim = await story.report()
    await story.store.told(claim.lease, ())
    before = story.state()
    with pytest.raises(LeaseLost):
        await _report_steps(story, claim.lease)[number]()
    assert story.state() == before
