"""What waits in an org is told as it is: how much, for how long, what is paused, and what may still be asked."""

from __future__ import annotations

import pytest

from service.store.budget import Rate
from service.store.burden import Burden
from tests.store.stories import ORG, Story, uuid

RESTED = Rate().burst // 2  # what a first look may take of it


async def test_nothing_waits(story: Story) -> None:
    """An org in which nothing ever was has no burden, and all of its budget."""
    assert await story.store.burden(ORG) == Burden(0, 0.0, RESTED)


async def test_actions_wait_for_a_worker(story: Story) -> None:
    """Open actions are counted until they end; only what is due and not claimed is overdue."""
    await story.accepted(1)
    await story.accepted(2, conversation_id=uuid(2))
    assert await story.store.burden(ORG) == Burden(2, 0.0, RESTED)
    story.clock.move(7.5)
    assert await story.store.burden(ORG) == Burden(2, 7.5, RESTED)
    await story.claim()
    assert await story.store.burden(ORG) == Burden(2, 0.0, RESTED)
    story.clock.move(8)  # the leases of six seconds ran out: due since two
    assert await story.store.burden(ORG) == Burden(2, 2.0, RESTED)
    await story.settled(3, conversation_id=uuid(3))
    assert (await story.store.burden(ORG)).actions == 2


async def test_reports_wait_by_source(story: Story) -> None:
    """Reports still to be told are counted by source, also while they wait for another try; overdue is the oldest."""
    await story.settled(1)
    await story.settled(2, source="other", conversation_id=uuid(2))
    story.clock.move(3)
    found = await story.store.burden(ORG)
    assert (dict(found.reports), found.reports_overdue_seconds) == ({"desk": 1, "other": 1}, 3.0)
    for claim in await story.claim_reports():
        await story.store.put_back_report(claim.lease, 60, "away")
    found = await story.store.burden(ORG)
    assert (dict(found.reports), found.reports_overdue_seconds) == ({"desk": 1, "other": 1}, 0.0)
    story.clock.move(61)
    for claim in await story.claim_reports():
        await story.store.told(claim.lease, ())
    assert not any((await story.store.burden(ORG)).reports.values())


async def test_pauses(story: Story) -> None:
    """What is paused is named: the whole org, and its sources."""
    await story.store.pause(ORG)
    await story.store.pause(ORG, "desk")
    assert (await story.store.burden(ORG)).paused == {"", "desk"}


@pytest.mark.parametrize("seconds, carried", [(9.9, 0), (10.1, RESTED)])
async def test_a_budget_that_waits(story: Story, seconds: float, carried: int) -> None:
    """While a Retry-After holds, no look is carried."""
    await story.store.throttle(ORG, 10)
    story.clock.move(seconds)
    assert (await story.store.burden(ORG)).calls == carried


async def test_a_budget_that_is_spent(story: Story) -> None:
    """What was spent is gone from what is carried, until time gives it back; asking for it takes nothing."""
    for left in range(RESTED, 0, -1):
        for _ in range(2):
            assert (await story.store.burden(ORG)).calls == left
        assert await story.store.spend(ORG) == 0.0
    assert (await story.store.burden(ORG)).calls == 0
    story.clock.move(0.2)  # 300 a minute
    assert (await story.store.burden(ORG)).calls == 1


async def test_a_clock_that_stepped_back(story: Story) -> None:
    """A Retry-After from before the clock stepped back holds nobody, as at a claim; and nothing is overdue."""
    story.clock.move(1_000)
    await story.store.throttle(ORG, 10)
    await story.accepted(1)
    story.clock.move(-900)
    found = await story.store.burden(ORG)
    assert (found.calls > 0, found.actions_overdue_seconds) == (True, 0.0)


async def test_a_desk_that_is_none(story: Story) -> None:
    """What is no due set of ours is left out, and the rest is told."""
    await story.settled(1)
    story.client.sadd(story.keys.desks(ORG), "odd")
    story.client.set(story.keys.due_reports(ORG, "odd"), "?")
    assert dict((await story.store.burden(ORG)).reports) == {"desk": 1}


async def test_what_a_newer_version_wrote(story: Story) -> None:
    """Open actions and reports still to be told that this version leaves alone are counted; what has ended is not."""
    await story.accepted(1)
    newer = await story.accepted(2, conversation_id=uuid(2))
    report = (await story.account(await story.settled(3, conversation_id=uuid(3), intent_key=None))).reports[0].id
    assert (await story.store.burden(ORG)).newer == 0
    for key in (story.keys.action(newer), story.keys.report(report)):
        story.made_newer(key)
    assert (await story.store.burden(ORG)).newer == 2
    story.client.zrem(story.keys.due_reports(ORG, "desk"), report)
    assert (await story.store.burden(ORG)).newer == 1
    story.client.delete(story.keys.action(newer))
    story.client.set(story.keys.action(newer), "no record of ours")
    assert (await story.store.burden(ORG)).newer == 0
