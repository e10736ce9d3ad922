"""What is done to a store, for each of its scripts: the last script asked is the one that is named beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from service.core import model as m
from service.core.errors import BacklogFull, TooMany
from service.store.archive import RedisArchive
from service.store.forgetting import Forgetting, Kind, Wanted
from service.store.refusals import RefusalBook
from tests.store.stories import ACCEPTED, ANNA, GONE, LOOKED, ORG, Story, offered, uuid

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


async def _claim_paid(story: Story) -> None:
    await story.accepted(1)
    (claim,) = await story.claim(is_look_paid=True)
    assert claim.is_look_paid


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


async def _mark_sent_over_budget(story: Story) -> None:
    claim = await story.claimed()
    while await story.store.spend(ORG, "disconnect") == 0:
        pass
    assert isinstance(await story.mark(claim), m.OverBudget)


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


async def _drop(story: Story) -> None:
    await story.accepted(1, channels=("ticket", "webhook"))
    claim = await story.claimed(2, conversation_id=uuid(2))
    assert await story.store.drop(claim.action.id, by=ANNA)


async def _drop_nothing(story: Story) -> None:
    assert not await story.store.drop(story.dice.action_id(ORG), by=ANNA)


async def _find(story: Story) -> None:
    await story.settled()
    archive = RedisArchive(story.runner, now_ms=story.clock.now)
    assert (await archive.find(ORG, m.Search(text="INC0010112"), 10)).actions


async def _pause(story: Story) -> None:
    await story.store.pause(ORG, "desk")


async def _resume(story: Story) -> None:
    await story.store.pause(ORG)
    await story.store.resume(ORG)


async def _paused(story: Story) -> None:
    await story.store.pause(ORG)
    await story.store.paused(ORG)


async def _burden(story: Story) -> None:
    await story.claimed()
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


async def _walk(story: Story) -> None:
    await story.accepted(2)
    await story.store.action_ids(ORG)


# what each script answers when it is asked again because its first reply was lost
SAME, DONE, NO = "the same words", "done before", "the same word, and a wait that is over as soon"
NO_MARK = "the same wait, while no time has passed"
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
    (_claim_paid, "claim", SAME),
    (_claim_held, "claim", "an empty claim"),
    (_claim_lapsed, "claim", SAME),
    (_renew, "renew", DONE),
    (_pin, "pin", DONE),
    (_mark_sent, "mark_sent", DONE),
    (_mark_sent_over_budget, "mark_sent", NO_MARK),
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
    (_find, "find", SAME),
    (_drop, "drop", DONE),
    (_drop_nothing, "drop", SAME),
    (_walk, "walk", SAME),
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
