"""A person may call an open action off as long as nothing was sent: then it ends, and nothing is sent any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from service.core import model as m
from service.core.errors import LeaseLost, UnknownVersion, Unreadable
from service.store.archive import RedisArchive
from service.store.client import Link
from service.store.ledger import RedisLedger
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice
from tests.store.astray import astray
from tests.store.stories import ACCEPTED, ANNA, GONE, ORG, PHONE, Story, digest, offered, uuid

DROPPED = m.Outcome(m.OutcomeKind.REFUSED, "dropped")


@pytest.mark.parametrize("is_claimed", [False, True], ids=["waiting", "claimed"])
async def test_what_is_dropped_has_ended(story: Story, is_claimed: bool) -> None:
    """It is refused as dropped, its numbers are cut, its tickets are due, and nothing of it is open or without end."""
    action_id = await story.accepted(1, channels=("ticket", "webhook"))
    if is_claimed:
        assert len(await story.claim()) == 1
    assert await story.store.drop(action_id, by=ANNA)
    account = await story.account(action_id)
    assert account.action.outcome == DROPPED
    assert account.action.settled_at == story.clock.ms
    assert account.action.removal.selector == PHONE.masked
    assert (account.timeline[-1].verb, account.timeline[-1].note) == ("settle", "dropped by anna")
    assert story.due_in(action_id) is None
    assert astray(story.client) == []
    assert {claim.report.channel for claim in await story.claim_reports()} == {"ticket", "webhook"}
    assert await story.claim() == []


async def test_who_dropped_it_stands_in_the_audit(story: Story) -> None:
    """The audit has one line: who dropped it, why, and how it ended; asked again it stays one."""
    action_id = await story.accepted()
    story.clock.move(2.5)
    await story.store.drop(action_id, by=ANNA)
    script, keys, args = story.runner.asked[-1]
    assert story.runner.repeat((script, keys, args)) == ["done"]
    ledger = RedisLedger(story.runner, keys=story.keys, now_ms=story.clock.now)
    lines, _ = await ledger.audit(ORG, 10)
    assert list(lines) == [
        m.AuditLine(story.clock.ms, m.Deed.DROP, action_id, ANNA.who, ANNA.why, "desk", "refused", "dropped", 2.5)
    ]
    (minute,) = await ledger.minutes(ORG, 0)
    assert dict(minute.outcomes) == {"refused": 1}
    assert sum(minute.gone) == 0


async def test_it_is_found_by_how_it_ended(story: Story) -> None:
    """A dropped action is found among the refused, and no longer among the open."""
    action_id = await story.accepted()
    await story.store.drop(action_id, by=ANNA)
    archive = RedisArchive(story.runner, keys=story.keys, now_ms=story.clock.now)
    assert [one.id for one in (await archive.find(ORG, m.Search(outcome="refused"), 5)).actions] == [action_id]
    assert (await archive.find(ORG, m.Search(outcome=m.OPEN), 5)).actions == ()


async def test_a_later_click_is_new(story: Story) -> None:
    """Whoever clicks again after the drop gets an action of its own; the same delivery stays the dropped one's."""
    action_id = await story.accepted(1)
    await story.store.drop(action_id, by=ANNA)
    again = await story.store.accept(offered(story.dice, 1))
    assert (again.action_id, again.joined, again.outcome) == (action_id, "delivery", DROPPED)
    assert await story.accepted(2, intent_key=digest(("intent", 1))) != action_id


async def test_the_conversation_stays_whose_it_is(story: Story) -> None:
    """A drop frees no conversation that another action owns."""
    owner = await story.sent(1)
    waiting = await story.accepted(2)
    before = story.state()[story.keys.conversation(ORG, uuid(1))]
    assert await story.store.drop(waiting, by=ANNA)
    assert story.state()[story.keys.conversation(ORG, uuid(1))] == before
    await story.store.answered(owner.lease, 1, ACCEPTED, ())


async def _marked(story: Story) -> str:
    return (await story.sent()).action.id


async def _answered(story: Story) -> str:
    claim = await story.sent()
    await story.store.answered(claim.lease, 1, ACCEPTED, ())
    return claim.action.id


async def _put_back(story: Story) -> str:
    claim = await story.sent()
    await story.store.put_back(claim.lease, 5, m.Progress(), ())
    return claim.action.id


async def _settled(story: Story) -> str:
    return await story.settled(outcome=GONE)


async def _dropped(story: Story) -> str:
    action_id = await story.accepted()
    assert await story.store.drop(action_id, by=ANNA)
    return action_id


@pytest.mark.parametrize(
    "begin, sentence",
    [
        (_marked, "sent already, and nobody can call it back"),
        (_answered, "sent already"),
        (_put_back, "sent already"),
        (_settled, "has ended already"),
        (_dropped, "has ended already"),
    ],
)
async def test_what_cannot_be_dropped(story: Story, begin: Callable[[Story], Awaitable[str]], sentence: str) -> None:
    """What was sent, if only marked, and what has ended is not dropped: it is said why, and nothing is written."""
    action_id = await begin(story)
    before = story.state()
    with pytest.raises(Unreadable, match=sentence):
        await story.store.drop(action_id, by=ANNA)
    assert story.state() == before


async def test_what_was_taken_back_was_not_sent(story: Story) -> None:
    """Where the mark was taken back because nothing left, the action can still be dropped."""
    claim = await story.sent()
    await story.store.unsent(claim.lease, 1, ())
    assert await story.store.drop(claim.action.id, by=ANNA)


@pytest.mark.parametrize("action_id", ["", "x", "acme", f"{ORG}.{'0' * 25}", f"{ORG}.{'0' * 26}", f"other.{'0' * 26}"])
async def test_what_is_not_there(story: Story, action_id: str) -> None:
    """No such action, or no id at all: False, and nothing is written."""
    before = story.state()
    assert not await story.store.drop(action_id, by=ANNA)
    assert story.state() == before


async def test_a_newer_version_sees_to_its_own(story: Story) -> None:
    """An action that a newer version wrote is left alone."""
    action_id = await story.accepted()
    story.made_newer(story.keys.action(action_id))
    before = story.state()
    with pytest.raises(UnknownVersion):
        await story.store.drop(action_id, by=ANNA)
    assert story.state() == before


async def test_an_odd_key_in_the_way(story: Story) -> None:
    """Where something of the action is of another type, nothing of it is written."""
    action_id = await story.accepted()
    key = story.keys.deliveries(action_id)
    story.client.delete(key)
    story.client.set(key, "x")
    before = story.state()
    with pytest.raises(Exception, match="WRONGTYPE"):
        await story.store.drop(action_id, by=ANNA)
    assert story.state() == before


@pytest.mark.parametrize("step", ["renew", "pin", "mark_sent", "put_back", "settle"])
async def test_whoever_holds_it_loses_it(story: Story, step: str) -> None:
    """A worker that holds a dropped action writes nothing more of it: no mark, so no send, and no other outcome."""
    claim = await story.claimed()
    assert await story.store.drop(claim.action.id, by=ANNA)
    before = story.state()
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "renew": lambda: story.store.renew(claim.lease),
        "pin": lambda: story.store.pin(claim.lease, m.Progress(), ()),
        "mark_sent": lambda: story.mark(claim),
        "put_back": lambda: story.store.put_back(claim.lease, 1, m.Progress(), ()),
        "settle": lambda: story.store.settle(claim.lease, GONE, 0.0, ()),
    }
    with pytest.raises(LeaseLost):
        await steps[step]()
    assert story.state() == before


async def test_over_the_network(live_store: RedisStore, dice: CountingDice, link: Link) -> None:
    """A drop by the runner of production ends the action, and counts by the clock of Redis."""
    receipt = await live_store.accept(offered(dice))
    assert await live_store.drop(receipt.action_id, by=ANNA)
    account = await live_store.read(receipt.action_id)
    assert account is not None
    assert account.action.outcome == DROPPED
    page = await RedisArchive(link).find(ORG, m.Search(text="0123", outcome="refused"), 5)
    assert [one.id for one in page.actions] == [receipt.action_id]
