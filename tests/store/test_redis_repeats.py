"""Every script may run twice: it answers the second time as the first, and Redis is as after one run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from service.core import model as m
from service.core.errors import BacklogFull, LeaseLost, TooMany
from service.store.forgetting import Forgetting, Kind, Wanted
from service.store.refusals import RefusalBook
from service.store.script import names
from tests.store.stories import ACCEPTED, GONE, LOOKED, ORG, Story, offered

Act = Callable[[Story], Awaitable[None]]
OTHER = "f" * 32


async def _accept(story: Story) -> None:
    await story.store.accept(offered(story.dice, event_at=story.clock.ms))


async def _accept_counted(story: Story) -> None:
    await story.accepted(2, requester_key="d" * 64, requester_rate=2)
    await story.store.accept(offered(story.dice, requester_key="d" * 64, requester_rate=2))


async def _accept_over_rate(story: Story) -> None:
    await story.accepted(2, requester_key="d" * 64, requester_rate=1)
    await story.store.accept(offered(story.dice, requester_key="d" * 64, requester_rate=1))


BOUNDS = m.Bounds(rate=2, backlog=2, runaway=2, clicker="e" * 64)


async def _accept_bounded(story: Story) -> None:
    await story.store.accept(offered(story.dice, bounds=BOUNDS))


async def _accept_runaway(story: Story) -> None:
    await story.accepted(2, bounds=BOUNDS)
    assert (await story.store.accept(offered(story.dice, bounds=BOUNDS))).is_runaway


async def _join_bounded(story: Story) -> None:
    await story.accepted(bounds=BOUNDS)
    await story.store.accept(offered(story.dice, bounds=BOUNDS))


async def _accept_too_many(story: Story) -> None:
    await story.accepted(2, bounds=BOUNDS)
    await story.accepted(2, bounds=BOUNDS)
    with pytest.raises(TooMany):
        await story.accepted(bounds=BOUNDS)


async def _accept_full(story: Story) -> None:
    await story.accepted(2)
    await story.accepted(3)
    with pytest.raises(BacklogFull):
        await story.accepted(bounds=BOUNDS)


async def _join_delivery(story: Story) -> None:
    await story.accepted()
    await story.store.accept(offered(story.dice, channels=("ticket", "webhook")))


async def _join_intent(story: Story) -> None:
    await story.accepted()
    await story.store.accept(offered(story.dice, delivery_key="d" * 64, ticket=m.Ticket("incident/2")))


async def _join_settled(story: Story) -> None:
    await story.settled()
    offer = offered(story.dice, delivery_key="d" * 64, ticket=m.Ticket("incident/2"), event_at=1, is_hash_only=True)
    await story.store.accept(offer)


async def _claim(story: Story) -> None:
    await story.accepted(1)
    await story.accepted(2)
    await story.claim(limit=1)


async def _claim_held(story: Story) -> None:
    await story.accepted()
    await story.store.pause(ORG)
    await story.claim()


async def _claim_lapsed(story: Story) -> None:
    await story.claimed()
    story.clock.move(6)
    await story.claim()


async def _renew(story: Story) -> None:
    claim = await story.claimed()
    story.clock.move(2)
    await story.store.renew(claim.lease)


async def _pin(story: Story) -> None:
    await story.store.pin((await story.claimed()).lease, m.Progress(blind_looks=1), [LOOKED])


async def _mark_sent(story: Story) -> None:
    await story.mark(await story.claimed())


async def _answered(story: Story) -> None:
    await story.store.answered((await story.sent()).lease, 1, ACCEPTED, [LOOKED])


async def _unsent(story: Story) -> None:
    await story.store.unsent((await story.sent()).lease, 1, [LOOKED])


async def _put_back(story: Story) -> None:
    await story.store.put_back((await story.claimed()).lease, 1.5, m.Progress(held_by="busy"), [LOOKED])


async def _settle(story: Story) -> None:
    await story.store.settle((await story.sent()).lease, GONE, 0.5, [LOOKED])


async def _claim_reports(story: Story) -> None:
    await story.settled()
    await story.claim_reports()


async def _renew_report(story: Story) -> None:
    await story.store.renew_report((await story.report()).lease)


async def _put_back_report(story: Story) -> None:
    await story.store.put_back_report((await story.report()).lease, 60, "it is down")


async def _told(story: Story) -> None:
    await story.store.told((await story.report()).lease, [LOOKED])


async def _bury(story: Story) -> None:
    await story.store.bury((await story.report()).lease, "it is down")


async def _retell(story: Story) -> None:
    claim = await story.report()
    await story.store.bury(claim.lease, "it is down")
    await story.store.retell(claim.report.id)


async def _read(story: Story) -> None:
    await story.store.read(await story.settled())


async def _pause(story: Story) -> None:
    await story.store.pause(ORG, "desk")


async def _resume(story: Story) -> None:
    await story.store.pause(ORG)
    await story.store.resume(ORG)


async def _paused(story: Story) -> None:
    await story.store.pause(ORG)
    await story.store.paused(ORG)


async def _burden(story: Story) -> None:
    await story.sent()
    await story.store.burden(ORG)


async def _spend(story: Story) -> None:
    await story.store.spend(ORG)


async def _spend_told(story: Story) -> None:
    story.store.listen(ORG, lambda: (100, 3, 30.0))
    await story.store.spend(ORG)


async def _throttle(story: Story) -> None:
    await story.store.throttle(ORG, 30)


def _book(story: Story) -> RefusalBook:
    return RefusalBook(story.runner, story.dice, {"desk": ORG}, now_ms=story.clock.now)


async def _refuse(story: Story) -> None:
    book = _book(story)
    book.note(m.Refusal("desk", 1, "unauthorized", "no signature fits", 10))
    await book.write()


async def _refused(story: Story) -> None:
    await _refuse(story)
    assert await _book(story).refusals("desk")


def _forgetting(story: Story) -> Forgetting:
    return Forgetting(story.runner, story.dice, now_ms=story.clock.now)


async def _forget(story: Story) -> None:
    await story.store.told((await story.report(requester="beth")).lease, [LOOKED])
    story.clock.move(121)
    wanted = Wanted(Kind.REQUESTER, "beth")
    found = await _forgetting(story).find(ORG, (), wanted)
    assert await _forgetting(story).forget(ORG, (), wanted, found, "anna") == {}


async def _attest(story: Story) -> None:
    wanted = Wanted(Kind.REQUESTER, "beth")
    found = await _forgetting(story).find(ORG, (), wanted)
    for _ in range(2):
        await _forgetting(story).forget(ORG, (), wanted, found, "anna")


async def _strike(story: Story) -> None:
    await _refuse(story)
    wanted = Wanted(Kind.REQUESTER, "no signature")
    found = await _forgetting(story).find(ORG, ("desk",), wanted)
    await _forgetting(story).forget(ORG, ("desk",), wanted, found, "anna")


# what each script answers when it is asked again because its first reply was lost
SAME, DONE, NO = "the same words", "done before", "the same word, and a wait that is over as soon"
ACTS: list[tuple[Act, str, str]] = [
    (_accept, "accept", SAME),
    (_accept_counted, "accept", SAME),
    (_accept_over_rate, "accept", SAME),
    (_accept_bounded, "accept", SAME),
    (_accept_runaway, "accept", SAME),
    (_join_bounded, "accept", SAME),
    (_accept_too_many, "accept", NO),
    (_accept_full, "accept", SAME),
    (_join_delivery, "accept", SAME),
    (_join_intent, "accept", SAME),
    (_join_settled, "accept", SAME),
    (_claim, "claim", SAME),
    (_claim_held, "claim", "an empty claim"),
    (_claim_lapsed, "claim", SAME),
    (_renew, "renew", DONE),
    (_pin, "pin", DONE),
    (_mark_sent, "mark_sent", DONE),
    (_answered, "answered", DONE),
    (_unsent, "unsent", DONE),
    (_put_back, "put_back", DONE),
    (_settle, "settle", DONE),
    (_claim_reports, "claim_reports", SAME),
    (_renew_report, "renew", DONE),
    (_put_back_report, "end_report", DONE),
    (_told, "end_report", DONE),
    (_bury, "end_report", DONE),
    (_retell, "retell", SAME),
    (_read, "read", SAME),
    (_pause, "pause", SAME),
    (_resume, "pause", SAME),
    (_paused, "paused", SAME),
    (_burden, "burden", SAME),
    (_spend, "spend", SAME),
    (_spend_told, "spend", SAME),
    (_throttle, "throttle", SAME),
    (_refuse, "refuse", SAME),
    (_refused, "refused", SAME),
    (_forget, "forget", SAME),
    (_attest, "attest", SAME),
    (_strike, "strike", SAME),
]


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
