"""How long things stay: nothing ends while it is open, and everything that has ended has a life."""

from __future__ import annotations

import re

import pytest
import redis

from service.core import model as m
from service.store.client import Link
from service.store.forgetting import Forgetting, Wanted
from service.store.forgetting import Kind as Asked
from service.store.keys import KINDS, Lives
from service.store.redis import RedisStore
from service.store.refusals import RefusalBook
from tests.fixtures.redis import CountingDice
from tests.store.stories import ACCEPTED, GONE, ORG, Story, digest, offered

LIVES = Lives()
# they have no life of their own: members come and go, and a pause stands until it is taken back
STANDING = {"due:removals", "due:reports:desk", "desks", "paused", "terms"}


def _rest(key: str) -> str:
    return key.partition("}:")[2]


async def _everything(story: Story) -> tuple[str, str]:
    """Leave one settled and one open action with all that can hang on them; return their ids."""
    bounds = m.Bounds(rate=9, backlog=9, runaway=9, clicker=digest("beth"))
    asker = {"requester_key": digest("beth"), "requester_rate": 1, "bounds": bounds}
    claim = await story.claimed(1, channels=("ticket", "webhook"), is_hash_only=True, **asker)
    await story.accepted(2, intent_key=digest(("intent", 1)), ticket=m.Ticket("incident/2"))
    await story.mark(claim)
    await story.store.answered(claim.lease, 1, ACCEPTED, ())
    await story.store.settle(claim.lease, GONE, 0.0, [m.Entry("settle", 1)])
    told, buried = await story.claim_reports()
    await story.store.told(told.lease, [m.Entry("report", 1)])
    await story.store.bury(buried.lease, "no")
    await story.store.retell(buried.report.id)
    again, *_ = await story.claim_reports()
    await story.store.bury(again.lease, "no")
    await story.store.attend(ORG, "w1", 0, 0.5, (60.0, ""))
    await story.accepted(3, intent_key=digest(("intent", 1)), event_at=1, ticket=m.Ticket("incident/3"))
    still_open = await story.sent(4, channels=("ticket", "webhook"))
    await story.store.pause(ORG, "desk")
    story.store.listen(ORG, lambda: (300, 1, 60.0))
    await story.store.spend(ORG)
    await story.store.throttle(ORG, 5)
    book = RefusalBook(story.runner, story.dice, {"desk": ORG}, now_ms=story.clock.now)
    book.note(m.Refusal("desk", 1, "unauthorized", "no signature fits", 10))
    await book.write()
    forgetting = Forgetting(story.runner, story.dice, now_ms=story.clock.now)
    wanted = Wanted(Asked.REQUESTER, "nobody")
    await forgetting.forget(ORG, ("desk",), wanted, await forgetting.find(ORG, ("desk",), wanted), "anna")
    return claim.action.id, still_open.action.id


async def test_no_key_without_a_life(story: Story) -> None:
    """Of all keys only those of open actions have no end."""
    _, still_open = await _everything(story)
    of_open = {
        story.keys.action(still_open),
        story.keys.timeline(still_open),
        story.keys.deliveries(still_open),
        story.keys.delivery(ORG, digest(4)),
        story.keys.intent(ORG, digest(("intent", 4))),
        story.keys.conversation(ORG, offered(story.dice).removal.conversation_id),
        story.keys.terms_in(still_open),
        *(story.keys.report(report.id) for report in (await story.account(still_open)).reports),
    }
    endless = {key for key, (_, ends) in story.state().items() if ends == -1}
    assert {key for key in endless if _rest(key) not in STANDING} == of_open


async def test_every_key_is_in_the_table(story: Story) -> None:
    """Every key that stands in Redis is of a kind in the table, and of its type; every kind is met."""
    await _everything(story)
    met = set()
    for key in story.state():
        (kind,) = [kind for kind in KINDS if re.fullmatch(kind.pattern, _rest(key))]
        assert story.client.type(key) == kind.type
        met.add(kind)
    assert met == set(KINDS)


async def test_how_long_each_thing_stays(story: Story) -> None:
    """Actions, timelines, reports and intents stay 30 days after the end, deliveries 7 days or two hours."""
    settled, _ = await _everything(story)
    state = story.state()
    now = story.clock.ms
    account = await story.account(settled)
    assert {
        state[story.keys.action(settled)][1],  # with its timeline
        state[story.keys.intent(ORG, digest(("intent", 1)))][1],
        *(state[story.keys.report(one.id)][1] for one in account.reports if one.state is not m.ReportState.TOLD),
    } == {now + LIVES.action}
    assert len(account.reports) == 4
    assert story.keys.timeline(settled) not in state
    assert state[story.keys.delivery(ORG, digest(1))][1] == now + LIVES.hash_only
    assert state[story.keys.delivery(ORG, digest(2))][1] == now + LIVES.delivery
    assert state[story.keys.delivery(ORG, digest(3))][1] == now + LIVES.delivery
    assert story.keys.deliveries(settled) not in state


async def test_what_is_written_later_does_not_prolong(story: Story) -> None:
    """Reports told days after the end do not make an action's timeline stay longer."""
    claim = await story.report()
    ends = {key: when for key, (_, when) in story.state().items()}
    story.clock.move(86_400)
    await story.store.put_back_report(claim.lease, 1, "no")
    story.clock.move(1)
    (claim,) = await story.claim_reports()
    await story.store.told(claim.lease, [m.Entry("report", 1)])
    assert story.state()[story.keys.action(claim.action.id)][1] == ends[story.keys.action(claim.action.id)]
    assert story.keys.report(claim.report.id) not in story.state()  # it stands in the record now
    assert [one.state for one in (await story.account(claim.action.id)).reports] == [m.ReportState.TOLD]


@pytest.mark.parametrize("looks", [5, 40])
async def test_a_timeline_goes_into_the_record(story: Story, looks: int) -> None:
    """What has ended has its timeline in its record, where that is not too long; it says the same, and goes on."""
    claim = await story.claimed()
    entries = [m.Entry("look", 5, 1.5, "w1", 200, note=f"it is {number}") for number in range(looks)]
    await story.store.put_back(claim.lease, 0, m.Progress(), entries)
    before = (await story.account(claim.action.id)).timeline
    (claim,) = await story.claim()
    await story.store.settle(claim.lease, GONE, 0.0, [m.Entry("settle", 9, worker="w1")])
    assert await story.accepted(1) == claim.action.id
    (report,) = await story.claim_reports()
    await story.store.told(report.lease, [m.Entry("report", 9, worker="w2")])
    after = (await story.account(claim.action.id)).timeline
    assert after[: len(before)] == before
    assert [one.verb for one in after[len(before) :]] == ["claim", "settle", "accept", "report"]
    assert story.client.exists(story.keys.timeline(claim.action.id)) == (looks == 40)


async def test_no_more_is_joined_to_what_was_folded(story: Story) -> None:
    """A flood of duplicates after the end makes no timeline longer than it may be."""
    settled = await story.settled(1)
    for _ in range(120):
        await story.accepted(1)
    assert len((await story.account(settled)).timeline) == 100


async def test_a_timeline_is_not_begun_again(story: Story) -> None:
    """Where a timeline's life is over, nothing is written that would stand for ever."""
    claim = await story.report()
    story.client.hdel(story.keys.action(claim.action.id), "timeline")
    await story.store.told(claim.lease, [m.Entry("report", 1)])
    assert story.client.exists(story.keys.timeline(claim.action.id)) == 0


async def test_a_claim_is_remembered_as_long_as_its_lease(story: Story) -> None:
    """The answer to a claim stays as long as its lease, that to other steps ten seconds."""
    claim = await story.claimed()
    assert story.state()[story.keys.claim(ORG, claim.lease.token)][1] == claim.lease_until
    await story.store.spend(ORG)
    steps = [ends for key, (_, ends) in story.state().items() if _rest(key).startswith("step:")]
    assert steps == [story.clock.ms + LIVES.step]


async def test_lives_by_the_clock_of_redis(
    live_store: RedisStore, dice: CountingDice, redis_client: redis.Redis, link: Link
) -> None:
    """Outside simulation moments and lives are by the clock of Redis."""
    seconds, _ = redis_client.time()
    receipt = await live_store.accept(offered(dice))
    (claim,) = await live_store.claim(ORG, "w1", dice.token(), 5)
    assert 0 <= claim.now_at - seconds * 1000 < 5_000
    assert claim.action.received_at <= claim.now_at
    await live_store.settle(claim.lease, GONE, 0.0, ())
    left = redis_client.pttl(live_store._keys.action(receipt.action_id))
    assert 0 <= LIVES.action - left < 5_000


async def test_where_a_click_is_answered_goes_when_it_was(story: Story) -> None:
    """What only an answer to a click needs is gone when that was given; the ticket that was told stays known."""
    ticket = m.Ticket("incident/9d38", 'INC "1", \\', "https://hooks.slack.com/secret")
    claim = await story.report(1, ticket=ticket)
    assert claim.report.ticket is not None
    assert claim.report.ticket.reply_to in str(story.state())
    await story.store.told(claim.lease, ())
    assert claim.report.ticket.reply_to not in str(story.state())
    (told,) = (await story.account(claim.action.id)).reports
    assert (told.ticket, told.source, told.first_due_at) == (ticket, "desk", claim.report.first_due_at)
    assert story.client.hget(story.keys.action(claim.action.id), f"told_{told.id.rpartition('.')[2]}")


async def test_a_report_of_which_nothing_is_left(story: Story) -> None:
    """An action whose report is gone is read without it."""
    claim = await story.report()
    story.client.delete(story.keys.report(claim.report.id))
    assert (await story.account(claim.action.id)).reports == ()
