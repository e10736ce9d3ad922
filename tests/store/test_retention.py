"""Nothing stays for ever: after every kind of story each key has an end, or belongs to something that is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
import redis

from service.core import model as m
from service.core.errors import LeaseLost
from service.core.lifecycle import REPORT_STEPS
from service.store.embedded import EmbeddedRedis
from service.store.keys import Lives
from tests.store.astray import astray
from tests.store.stories import ACCEPTED, GONE, ORG, Story, digest
from tests.store.test_redis_lives import _everything
from tests.story.simulation.playing import run_seed

LIVES = Lives()
SEEDS = range(700_000, 700_006)  # other ones than the simulation's; each is a storm of all faults, and its end
DAY = 86_400


async def _unsent(story: Story) -> None:
    claim = await story.sent()
    await story.store.unsent(claim.lease, 1, ())


async def _unsent_and_settled(story: Story) -> None:
    claim = await story.sent()
    await story.store.answered(claim.lease, 1, ACCEPTED, ())
    await story.mark(claim)
    await story.store.unsent(claim.lease, 2, ())
    await story.store.settle(claim.lease, GONE, 0.0, ())


async def _put_back(story: Story) -> None:
    claim = await story.sent()
    await story.store.put_back(claim.lease, 5, m.Progress(), ())


async def _lapsed(story: Story) -> None:
    await story.sent()
    for _ in range(4):
        story.clock.move(7)
        assert len(await story.claim()) == 1


async def _clicked_again(story: Story) -> None:
    """The same wish after the first was too late, and after it was settled with nobody seen gone."""
    await story.accepted(1, intent_key=digest("wish"), max_age_seconds=5)
    story.clock.move(6)
    await story.accepted(2, intent_key=digest("wish"))
    for claim in await story.claim():
        await story.store.settle(claim.lease, m.Outcome(m.OutcomeKind.EXPIRED, "late"), None, ())
    await story.accepted(3, intent_key=digest("wish"))
    for claim in await story.claim():
        await story.store.settle(claim.lease, GONE, 0.0, ())


async def _told_again(story: Story) -> None:
    report = await story.report()
    await story.store.put_back_report(report.lease, 1, "no")
    story.clock.move(2)
    (report,) = await story.claim_reports()
    await story.store.bury(report.lease, "no")
    await story.store.retell(report.report.id)
    (report,) = await story.claim_reports()
    story.clock.move(7)
    (report,) = await story.claim_reports()
    await story.store.told(report.lease, ())


async def _paused(story: Story) -> None:
    await story.accepted()
    await story.store.pause(ORG)
    await story.store.pause(ORG, "desk")
    await story.claim()
    await story.store.resume(ORG)


async def _budgeted(story: Story) -> None:
    story.store.listen(ORG, lambda: (100, 3, 30.0))
    for _ in range(50):
        await story.store.spend(ORG)
    await story.store.throttle(ORG, 30)
    await story.store.throttle(ORG, 1)


async def _all_of_it(story: Story) -> None:
    await _everything(story)


STORIES: list[Callable[[Story], Awaitable[None]]] = [
    *(_all_of_it, _unsent, _unsent_and_settled, _put_back, _lapsed, _clicked_again, _told_again, _paused, _budgeted)
]


@pytest.mark.parametrize("play", STORIES)
async def test_after_a_story(story: Story, play: Callable[[Story], Awaitable[None]]) -> None:
    """After each kind of story nothing is astray, and of what is open nothing is forgotten."""
    await play(story)
    assert story.client.dbsize() > 0
    assert astray(story.client) == []


def test_after_storms(redis_server: EmbeddedRedis) -> None:
    """After whole stories with every kind of fault nothing is astray, and nothing open is left."""
    kinds: Counter[str] = Counter()
    with redis.Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client:
        client.config_set("appendfsync", "no")
        try:
            for seed in SEEDS:
                run_seed(seed, client)
                assert astray(client) == [], f"seed {seed}"
                endless = [key for key in client.scan_iter("*") if client.pttl(key) == -1]
                assert {str(key).rpartition("}:")[2] for key in endless} <= {"desks", "paused"}, f"seed {seed}"
                kinds.update(str(key).rpartition("}:")[2].partition(":")[0] for key in client.scan_iter("*"))
        finally:
            client.flushall()
            client.config_set("appendfsync", "always")
    assert set(kinds) >= {"action", "terms", "delivery", "intent", "conversation", "claim", "budget"}


def test_what_is_astray_is_found(redis_client: redis.Redis) -> None:
    """Whatever has no end, no kind or another type is found; so is what is wrongly due, and what should be due."""
    action = f"{ORG}.{1:026d}"
    of, report = f"onhook:{{{ORG}}}:", f"{action}.0a1b2c3d"
    redis_client.set(f"{of}new", "of no kind")
    redis_client.set(f"{of}paused", "of another type")
    redis_client.set("onhook:{_}:probe", "for ever")
    redis_client.hset(f"{of}action:{action}", mapping={"v": "1", "state": "settled"})
    redis_client.rpush(f"{of}timeline:{action}", "x")
    redis_client.sadd(f"{of}deliveries:{action}", digest(1))
    redis_client.hset(f"{of}delivery:{digest(1)}", mapping={"v": "1", "action": action})
    redis_client.set(f"{of}intent:{digest(1)}", action)
    redis_client.hset(f"{of}conversation:00000000-0000-4000-8000-000000000001", "owner", action)
    redis_client.hset(f"{of}report:{report}", mapping={"v": "1", "state": "due", "source": "desk"})
    redis_client.set(f"{of}step:{digest(1)}", "0")
    redis_client.zadd(f"{of}due:removals", {action: 1, f"{ORG}.gone": 1})
    opened = f"{ORG}.{2:026d}"
    redis_client.hset(f"{of}action:{opened}", mapping={"v": "1", "state": "pending"})
    told = f"{opened}.0a1b2c3d"
    redis_client.hset(f"{of}report:{told}", mapping={"v": "1", "state": "told", "source": "desk"})
    redis_client.zadd(f"{of}due:reports:desk", {told: 1})
    sentences = astray(redis_client)
    expected = (
        *("of 0 kinds", "is a string, not a hash", "probe has no end", "action:", "timeline:", "deliveries:"),
        *("delivery:", "intent:", "conversation:", "step:", f"report:{report} has no end", f"report:{told} has no end"),
        *(f"{action} is in due:removals and not open", f"{ORG}.gone is in due:removals and not open"),
        *(f"{opened} is open, and nobody will", f"{report} is due, and nobody will", "is in due:reports:desk and not"),
    )
    for sentence in expected:
        assert [one for one in sentences if sentence in one], sentence
    assert len(sentences) == len(expected)


async def _joined(story: Story, days: int) -> str:
    """Settle an action, and join it so many days later by the same wish, clicked before the end; return its id."""
    settled = await story.settled(1, channels=("ticket",))
    clicked_at = story.clock.ms - 1
    story.clock.move(days * DAY)
    ticket = m.Ticket("incident/late")
    joined = await story.accepted(2, intent_key=digest(("intent", 1)), event_at=clicked_at, ticket=ticket)
    assert joined == settled
    return settled


@pytest.mark.parametrize("days", [0, 6, 8, 29])
async def test_joined_late(story: Story, days: int) -> None:
    """What joins a settled action late ends as if it had come in time; its delivery is known for a minute at least."""
    ended = story.clock.ms
    settled = await _joined(story, days)
    assert astray(story.client) == []
    ends = {key: when for key, (_, when) in story.state().items()}
    account = await story.account(settled)
    late = max(ended + LIVES.delivery, story.clock.ms + 60_000)
    assert ends[story.keys.delivery(ORG, digest(2))] == late
    assert {ends[story.keys.report(report.id)] for report in account.reports} == {ended + LIVES.action}
    assert ends[story.keys.action(settled)] == ended + LIVES.action
    assert ends[story.keys.intent(ORG, digest(("intent", 1)))] == ended + LIVES.action


async def test_the_action_is_gone(story: Story) -> None:
    """Where an action aged out and its delivery or wish did not, a new webhook is a new action with its own life."""
    old = await story.settled(1)
    (report,) = (await story.account(old)).reports
    for key in (story.keys.action(old), story.keys.timeline(old), story.keys.report(report.id)):
        story.client.delete(key)
    assert story.client.exists(story.keys.delivery(ORG, digest(1)), story.keys.intent(ORG, digest(("intent", 1)))) == 2
    new = await story.accepted(1)
    assert new != old
    assert story.state()[story.keys.delivery(ORG, digest(1))][1] == -1
    (claim,) = await story.claim()
    await story.store.settle(claim.lease, GONE, 0.0, ())
    for due in await story.claim_reports():
        await story.store.told(due.lease, ())
    assert astray(story.client) == []


@pytest.mark.parametrize("how", ["due", "held", "dead"])
async def test_a_report_that_aged_out(story: Story, how: str) -> None:
    """A report whose life is over is told no more, and nothing of it stays: due, being told, or a dead letter."""
    action = await story.settled(1)
    (report,) = (await story.account(action)).reports
    if how != "due":
        (claim,) = await story.claim_reports()
        if how == "dead":
            await story.store.bury(claim.lease, "no")
    for key in (story.keys.report(report.id), story.keys.action(action), story.keys.timeline(action)):
        story.client.delete(key)
    story.clock.move(30 * DAY)
    assert await story.claim_reports() == []
    assert await story.claim_reports() == []  # the second finds that the desk has nothing more
    assert not await story.store.retell(report.id)
    left = {key.rpartition("}:")[2].partition(":")[0] for key, (_, ends) in story.state().items() if ends == -1}
    assert left == set()
    assert REPORT_STEPS["bury"].to == "dead"


@pytest.mark.parametrize("step", ["told", "bury", "put back", "renew"])
async def test_what_aged_out_while_it_was_told(story: Story, step: str) -> None:
    """Whoever still holds what aged out writes nothing of it: no key comes back without an end."""
    claim = await story.report()
    for key in (story.keys.report(claim.report.id), story.keys.action(claim.action.id)):
        story.client.delete(key)
    steps = {
        "told": lambda: story.store.told(claim.lease, [m.Entry("report", 1)]),
        "bury": lambda: story.store.bury(claim.lease, "no"),
        "put back": lambda: story.store.put_back_report(claim.lease, 5, "no"),
        "renew": lambda: story.store.renew_report(claim.lease),
    }
    with pytest.raises(LeaseLost):
        await steps[step]()
    assert story.client.exists(story.keys.report(claim.report.id), story.keys.action(claim.action.id)) == 0
