"""Who may take an action, when, and what comes due by itself."""

from __future__ import annotations

import pytest

from service.core import model as m
from tests.store.stories import GONE, ORG, Story, uuid


async def test_a_claim_has_all_that_is_known(story: Story) -> None:
    """A claim is the whole action under a lease, with the store's clock and the lease's end."""
    action_id = await story.accepted()
    token = story.dice.token()
    (claim,) = await story.store.claim(ORG, "host-1.w2", token, 5)
    assert claim == m.Claim(
        lease=m.Lease(ORG, action_id, token),
        action=await story.action(action_id),
        now_at=story.clock.ms,
        lease_until=story.clock.ms + 6_000,
        epoch="",
    )
    last = (await story.account(action_id)).timeline[-1]
    assert (last.verb, last.at, last.worker) == ("claim", story.clock.ms, "host-1.w2")


async def test_the_earliest_first(story: Story) -> None:
    """What was due earliest is taken first, and no more than asked for."""
    ids = []
    for number in range(5):
        ids.append(await story.accepted(number, conversation_id=uuid(number)))
        story.clock.move(0.001)
    taken = [[claim.action.id for claim in await story.claim(limit)] for limit in (2, 2, 2)]
    assert taken == [ids[:2], ids[2:4], ids[4:]]


async def test_what_is_held_is_not_taken(story: Story) -> None:
    """Nobody takes an action whose lease has not ended."""
    await story.claimed()
    story.clock.move(5.999)
    assert await story.claim(worker="w2") == []


async def test_what_a_crashed_worker_held_comes_due(story: Story) -> None:
    """When a lease ends, the action is due by itself, and the claims that ended so are counted in a row."""
    first = await story.claimed()
    for lapses in (1, 2, 3, 4):
        story.clock.move(6)
        (claim,) = await story.claim(worker="w2")
        assert (claim.action.id, claim.action.lapses) == (first.action.id, lapses)
    last = (await story.account(first.action.id)).timeline[-1]
    assert last.note == "lapses 4"


@pytest.mark.parametrize("lapses, expected", [(0, 0), (1, 0), (2, 0), (3, 3), (4, 4)])
async def test_giving_back_ends_a_row_of_lapses(story: Story, lapses: int, expected: int) -> None:
    """An action that was given back begins to count anew, unless it was found to kill its workers."""
    claim = await story.claimed()
    for _ in range(lapses):
        story.clock.move(6)
        (claim,) = await story.claim()
    assert claim.action.lapses == lapses
    await story.store.put_back(claim.lease, 0, m.Progress(), ())
    (claim,) = await story.claim()
    assert claim.action.lapses == expected


async def test_a_claim_may_be_given_back_late(story: Story) -> None:
    """A worker that froze past its lease may still give back what nobody has taken since."""
    claim = await story.claimed()
    story.clock.move(60)
    await story.store.put_back(claim.lease, 0, m.Progress(), ())
    (again,) = await story.claim()
    assert again.action.lapses == 0


async def test_a_newer_versions_action_is_left_alone(story: Story) -> None:
    """An action of an unknown schema is not taken, not counted and not changed; it stays due for whoever wrote it."""
    odd = await story.accepted(1)
    story.made_newer(story.keys.action(odd))
    before = story.client.hgetall(story.keys.action(odd))
    fine = await story.accepted(2)
    assert [claim.action.id for claim in await story.claim(limit=1)] == [fine]
    assert story.client.hgetall(story.keys.action(odd)) == before
    assert story.due_in(odd) == 0


@pytest.mark.parametrize("many, again", [(50, 0), (51, 30)])
async def test_very_many_of_a_newer_version(story: Story, many: int, again: int) -> None:
    """They are put off, untouched, as soon as they fill more than half of what a claim looks at, and hide no other."""
    odd = [await story.accepted(number) for number in range(many)]
    for one in odd:
        story.made_newer(story.keys.action(one))
    before = [story.client.hgetall(story.keys.action(one)) for one in odd]
    fine = await story.accepted(many)
    assert [claim.action.id for claim in await story.claim()] == [fine]
    assert {story.due_in(one) for one in odd} == {again}
    assert [story.client.hgetall(story.keys.action(one)) for one in odd] == before


@pytest.mark.parametrize("part", ["action", "timeline", "conversation"])
async def test_an_odd_key_does_not_end_the_claim(story: Story, part: str) -> None:
    """A key of the wrong type in the middle leaves that action alone and takes the others."""
    odd = await story.accepted(1, conversation_id=uuid(1))
    fine = await story.accepted(2, conversation_id=uuid(2))
    key = story.keys.conversation(ORG, uuid(1)) if part == "conversation" else getattr(story.keys, part)(odd)
    story.client.delete(key)
    story.client.sadd(key, "what is this")
    assert [claim.action.id for claim in await story.claim()] == [fine]
    assert story.due_in(odd) == 30


async def test_an_unreadable_record_does_not_end_the_claim(story: Story) -> None:
    """A record that nobody can read is left to its lease, and the others are taken."""
    odd = await story.accepted(1)
    story.client.hset(story.keys.action(odd), "removal", "no JSON")
    fine = await story.accepted(2)
    assert [claim.action.id for claim in await story.claim()] == [fine]


async def test_what_has_no_record_is_forgotten(story: Story) -> None:
    """An id without a record, or of a settled action, is taken off the due set."""
    gone = await story.accepted(1)
    story.client.delete(story.keys.action(gone))
    settled = await story.settled(2)
    story.client.zadd(story.keys.due_removals(ORG), {settled: 0})
    assert await story.claim() == []
    assert story.client.zcard(story.keys.due_removals(ORG)) == 0


async def test_a_claim_asked_again_after_the_end(story: Story) -> None:
    """A claim that is asked again leaves out what has been settled or taken by another since."""
    await story.accepted()
    (claim,) = await story.claim()
    question = story.runner.asked[-1]
    await story.store.settle(claim.lease, GONE, 0.0, ())
    again = story.runner.repeat(question)
    assert isinstance(again, list)
    assert again[2:] == []


async def test_a_claim_looks_at_a_bounded_number(story: Story) -> None:
    """However much is due, one claim looks at a hundred; the next one at the next."""
    for number in range(101):
        await story.accepted(number)
    await story.store.pause(ORG)
    await story.claim()
    assert story.client.zcount(story.keys.due_removals(ORG), "-inf", story.clock.ms) == 1


# ---------------------------------------------------------------------------------------------- what is not taken


@pytest.mark.parametrize("source", ["", "desk"], ids=["the whole org", "its source"])
async def test_a_pause_holds(story: Story, source: str) -> None:
    """While the org or its source is paused, its actions wait, and it is known why."""
    action_id = await story.accepted()
    await story.store.pause(ORG, source)
    assert await story.claim() == []
    assert story.due_in(action_id) == 1.0
    assert (await story.action(action_id)).progress.held_by == "paused"
    assert await story.store.paused(ORG) == {source}
    await story.store.resume(ORG, source)
    assert await story.store.paused(ORG) == frozenset()
    story.clock.move(1)
    (claim,) = await story.claim()
    assert claim.action.progress.held_by == "paused"


async def test_a_pause_of_another_source_does_not_hold(story: Story) -> None:
    """A pause of one source leaves the others at work."""
    await story.accepted(source="chat")
    await story.store.pause(ORG, "desk")
    assert len(await story.claim()) == 1


async def test_the_late_are_taken_while_paused(story: Story) -> None:
    """A pause puts off to not-after at the most, and what is late then is taken, to be told so."""
    action_id = await story.accepted(max_age_seconds=1.5)
    await story.store.pause(ORG)
    assert await story.claim() == []
    story.clock.move(1)
    assert await story.claim() == []
    assert story.due_in(action_id) == 0.5
    story.clock.move(0.5)
    assert [claim.action.id for claim in await story.claim()] == [action_id]


async def test_what_was_sent_is_looked_after_while_paused(story: Story) -> None:
    """Past not-after nothing more can be sent, so an action with a send is taken also while paused."""
    claim = await story.sent(max_age_seconds=10)
    await story.store.put_back(claim.lease, 0, m.Progress(), ())
    await story.store.pause(ORG)
    assert await story.claim() == []
    story.clock.move(10)
    assert len(await story.claim()) == 1


async def test_a_floor_holds(story: Story) -> None:
    """While Genesys asked for a pause nobody takes anything, and it is known why; the late are taken."""
    waiting = await story.accepted(1)
    soon_late = await story.accepted(2, max_age_seconds=10)
    late = await story.accepted(3, event_at=0)
    await story.store.throttle(ORG, 30)
    assert [claim.action.id for claim in await story.claim()] == [late]
    assert (story.due_in(waiting), story.due_in(soon_late)) == (30, 10)
    assert (await story.action(waiting)).progress.held_by == "busy"


async def test_a_floor_holds_what_was_sent(story: Story) -> None:
    """What was sent needs looks, so it waits for the end of the floor also past not-after."""
    claim = await story.sent(max_age_seconds=1)
    await story.store.put_back(claim.lease, 1, m.Progress(), ())
    story.clock.move(1)
    await story.store.throttle(ORG, 30)
    assert await story.claim() == []
    assert story.due_in(claim.action.id) == 30


async def test_no_more_than_the_budget_carries(story: Story) -> None:
    """A claim takes no more than the budget carries; the rest waits for the next call's turn."""
    for _ in range(13):  # first looks leave half of the burst of thirty
        assert await story.store.spend(ORG) == 0
    ids = [await story.accepted(number, conversation_id=uuid(number)) for number in range(4)]
    assert [claim.action.id for claim in await story.claim()] == ids[:2]
    assert [story.due_in(action_id) for action_id in ids[2:]] == [0.2, 0.2]
    assert (await story.action(ids[3])).progress.held_by == "busy"


async def test_an_empty_budget_holds_until_it_carries(story: Story) -> None:
    """With an empty budget an action waits for the moment the next call may be made."""
    while await story.store.spend(ORG, "confirm") == 0:
        pass
    action_id = await story.accepted()
    assert await story.claim() == []
    # half of the burst is kept for what was begun, and one more is needed
    assert story.due_in(action_id) == pytest.approx(16 * 0.2)
    story.clock.move(3.2)
    assert len(await story.claim()) == 1


async def test_what_was_begun_is_claimed_first(story: Story) -> None:
    """Where the budget has nothing left for first looks, what was sent is claimed all the same: it must be seen."""
    begun = await story.sent(1)
    await story.store.put_back(begun.lease, 0, m.Progress(), ())
    waiting = await story.accepted(2, conversation_id=uuid(2))
    while await story.store.spend(ORG, "look") == 0:
        pass
    assert [claim.action.id for claim in await story.claim()] == [begun.action.id]
    assert story.due_in(waiting) == pytest.approx(0.2)


async def test_a_learned_allowance_holds(story: Story) -> None:
    """A claim takes no more than the allowance that Genesys told carries."""
    story.store.listen(ORG, iter([(30, 1, 60.0), None]).__next__)
    assert await story.store.spend(ORG) == 0
    ids = [await story.accepted(number, conversation_id=uuid(number)) for number in range(3)]
    assert [claim.action.id for claim in await story.claim()] == ids[:1]
    assert story.due_in(ids[1]) == 2.0  # the slowest there is


async def test_a_bucket_of_another_clock_does_not_hold(story: Story) -> None:
    """A bucket or a floor left by a clock that stepped back an hour holds nobody."""
    await story.store.spend(ORG)
    await story.store.throttle(ORG, 5)
    story.clock.move(-3_600)
    await story.accepted()
    assert len(await story.claim()) == 1


async def test_one_conversation_one_owner(story: Story) -> None:
    """While an action owns the conversation, another one on it waits half a second at each claim."""
    owner = await story.sent(1)
    other = await story.accepted(2)
    assert await story.claim() == []
    assert story.due_in(other) == 0.5
    assert (await story.action(other)).progress.held_by == "busy"
    await story.store.settle(owner.lease, GONE, 0.0, ())
    story.clock.move(0.5)
    (claim,) = await story.claim()
    assert claim.epoch.startswith(f"{story.clock.ms - 500}-{owner.action.id}-")


async def test_the_late_do_not_wait_for_the_owner(story: Story) -> None:
    """What is late and was never sent is taken, whoever owns the conversation."""
    await story.sent(1)
    late = await story.accepted(2, event_at=0)
    assert [claim.action.id for claim in await story.claim()] == [late]


async def test_the_owner_takes_its_own_again(story: Story) -> None:
    """The owner itself is claimed again while its conversation is its own, also after a crash."""
    claim = await story.sent()
    story.clock.move(6)
    assert [again.action.id for again in await story.claim()] == [claim.action.id]


async def test_an_owner_without_a_record_owns_nothing(story: Story) -> None:
    """A conversation whose owner is no longer there is free."""
    owner = await story.sent(1)
    story.client.delete(story.keys.action(owner.action.id))
    other = await story.accepted(2)
    assert [claim.action.id for claim in await story.claim()] == [other]


async def test_a_script_that_meets_a_foreign_key_writes_nothing(story: Story) -> None:
    """Where somebody else's key is in the way, accept says no before its first write."""
    story.client.set(story.keys.due_removals(ORG), "what is this")
    before = story.state()
    with pytest.raises(Exception, match="WRONGTYPE"):
        await story.accepted()
    assert story.state() == before


async def test_a_look_is_paid_with_the_claim(story: Story) -> None:
    """Where the claimer wants it, the first look of each action is taken from the budget by its claim."""
    for number in range(20):
        await story.accepted(number, conversation_id=uuid(number))
    claims = await story.claim(8, is_look_paid=True)
    assert [claim.is_look_paid for claim in claims] == [True] * 8
    claims += await story.claim(20, is_look_paid=True)
    assert len(claims) == 15  # half of a burst of thirty
    assert await story.store.spend(ORG) > 0


async def test_what_genesys_said_comes_along_with_a_claim(story: Story) -> None:
    """Where every action ends at a look that its claim paid, the allowance that Genesys told holds all the same."""
    story.store.listen(ORG, lambda: (30, 1, 60.0))
    for number in range(20):
        await story.accepted(number, conversation_id=uuid(number))
    looks = 0
    for _ in range(60):
        claims = await story.claim(20, is_look_paid=True)
        looks += len(claims)
        for claim in claims:
            await story.store.settle(claim.lease, m.Outcome(m.OutcomeKind.PREVIEWED, "shadow"), 0.0, ())
        story.clock.move(0.1)
    assert 1 <= looks <= 4  # of thirty a minute, six seconds' worth


async def test_a_claim_takes_no_more_than_it_is_told(story: Story) -> None:
    """Who does not want it, or is not to look first, has nothing taken from the budget for it."""
    await story.accepted(1, conversation_id=uuid(1), max_age_seconds=2)
    sent = await story.sent(2, conversation_id=uuid(2))
    story.clock.move(6)
    budget = story.keys.budget(ORG)
    before = story.client.get(budget)
    late, begun = await story.claim(is_look_paid=True)
    assert {late.is_look_paid, begun.is_look_paid} == {False}
    assert sent.action.id in {late.action.id, begun.action.id}
    await story.accepted(3, conversation_id=uuid(3))
    (unpaid,) = await story.claim()
    assert not unpaid.is_look_paid
    assert story.client.get(budget) == before
