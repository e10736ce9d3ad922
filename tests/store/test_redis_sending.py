"""The mark before the send, and whose the conversation is from it on."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.core.errors import LeaseLost, Reply
from tests.store.stories import ACCEPTED, GONE, LOOKED, ORG, Story, uuid


def _answer(kind: m.AnswerKind) -> m.Answer:
    return m.Answer(kind, Reply(409, "conflict", "no", "c1", ("a:b:c",), "Sales"), 9, "generic")


async def test_a_mark_is_there_before_the_send(story: Story) -> None:
    """A mark says until when its send may leave, and counts as ours from then on."""
    claim = await story.claimed()
    progress = m.Progress(pin=m.Target("p1", ("l1",)), bystanders={"p2": "agent"})
    marked = await story.store.mark_sent(claim.lease, claim.epoch, progress, [LOOKED])
    send = m.Send(1, story.clock.ms, story.clock.ms + 2_000)
    assert marked == m.Marked(send, 2.0)
    account = await story.account(claim.action.id)
    assert account.action.sends == (send,)
    assert account.action.sends[0].is_ours
    assert account.action.progress == progress
    assert account.timeline[-1] == LOOKED


@pytest.mark.parametrize(
    "since_claim, max_age, expected",
    [
        (0, 120, 2.0),
        (4, 120, 2.0),
        (4.5, 120, 1.5),
        (5.999, 120, 0.001),
        (1, 2.5, 1.5),
        (4.5, 5, 0.5),
    ],
)
async def test_how_long_a_send_may_take(story: Story, since_claim: float, max_age: float, expected: float) -> None:
    """Two seconds, or what is left of the lease or until not-after, whichever is least."""
    claim = await story.claimed(max_age_seconds=max_age)
    story.clock.move(since_claim)
    marked = await story.mark(claim)
    assert isinstance(marked, m.Marked)
    assert marked.left_seconds == pytest.approx(expected)
    assert marked.send.deadline_at - marked.send.marked_at == pytest.approx(expected * 1000)


@pytest.mark.parametrize("late_seconds", [0, 1])
async def test_nothing_is_marked_past_not_after(story: Story, late_seconds: float) -> None:
    """At not-after and later nothing is marked, and nothing is written."""
    claim = await story.claimed(max_age_seconds=3)
    story.clock.move(3 + late_seconds)
    before = story.state()
    assert await story.mark(claim) == m.TooLate()
    assert story.state() == before


@pytest.mark.parametrize("frozen_seconds", [6, 100])
async def test_nothing_is_marked_after_the_lease(story: Story, frozen_seconds: float) -> None:
    """A worker that froze past its lease marks nothing, even if nobody else has taken the action."""
    claim = await story.claimed()
    story.clock.move(frozen_seconds)
    before = story.state()
    with pytest.raises(LeaseLost):
        await story.mark(claim)
    assert story.state() == before


async def test_settling_and_giving_back_need_only_the_token(story: Story) -> None:
    """After its lease a worker may still say what it knows, as long as nobody else has taken the action."""
    claim = await story.sent()
    story.clock.move(100)
    await story.store.answered(claim.lease, 1, ACCEPTED, ())
    await story.store.settle(claim.lease, GONE, 0.0, ())
    assert (await story.action(claim.action.id)).outcome == GONE


@pytest.mark.parametrize("kind", list(m.AnswerKind))
async def test_what_became_of_a_send(story: Story, kind: m.AnswerKind) -> None:
    """An answer is kept with its send, whatever it was."""
    claim = await story.sent()
    await story.store.answered(claim.lease, 1, _answer(kind), [LOOKED])
    account = await story.account(claim.action.id)
    assert account.action.sends[0].answer == _answer(kind)
    assert account.timeline[-1] == LOOKED


async def test_sends_are_numbered(story: Story) -> None:
    """A second send is a second mark, with its own answer."""
    claim = await story.sent()
    await story.store.answered(claim.lease, 1, _answer(m.AnswerKind.REFUSED_FOR_NOW), ())
    story.clock.move(1)
    marked = await story.mark(claim)
    assert isinstance(marked, m.Marked)
    assert marked.send.number == 2
    sends = (await story.action(claim.action.id)).sends
    assert [send.answer and send.answer.kind for send in sends] == [m.AnswerKind.REFUSED_FOR_NOW, None]


async def test_a_mark_taken_back_never_was(story: Story) -> None:
    """Of a mark that was taken back nothing remains but its entry in the timeline, and the next has its number."""
    claim = await story.claimed()
    before = await story.action(claim.action.id)
    await story.mark(claim)
    await story.store.unsent(claim.lease, 1, [LOOKED])
    assert await story.action(claim.action.id) == before
    assert (await story.account(claim.action.id)).timeline[-1] == LOOKED
    marked = await story.mark(claim)
    assert isinstance(marked, m.Marked)
    assert marked.send.number == 1


@pytest.mark.parametrize("number, is_answered", [(0, False), (2, False), (1, True)])
async def test_only_the_last_open_mark_is_taken_back(story: Story, number: int, is_answered: bool) -> None:
    """A mark that is not the last, or that was answered, is not taken back."""
    claim = await story.sent()
    if is_answered:
        await story.store.answered(claim.lease, 1, ACCEPTED, ())
    before = story.state()
    with pytest.raises(ValueError, match="no such send"):
        await story.store.unsent(claim.lease, number, ())
    assert story.state() == before


async def test_an_earlier_mark_is_not_taken_back(story: Story) -> None:
    """With two marks, only the second can be taken back, then the first."""
    claim = await story.sent()
    await story.mark(claim)
    with pytest.raises(ValueError, match="no such send"):
        await story.store.unsent(claim.lease, 1, ())
    await story.store.unsent(claim.lease, 2, ())
    await story.store.unsent(claim.lease, 1, ())
    assert (await story.action(claim.action.id)).sends == ()


# ---------------------------------------------------------------------------------------------- whose conversation


async def _two(story: Story) -> tuple[m.Claim, m.Claim]:
    first, second = await story.accepted(1), await story.accepted(2)
    claims = {claim.action.id: claim for claim in await story.claim()}
    return claims[first], claims[second]


async def test_two_claims_one_mark(story: Story) -> None:
    """Of two attempts on one conversation one marks; the other one is told that it is owned, and nothing is written."""
    first, second = await _two(story)
    assert isinstance(await story.mark(first), m.Marked)
    before = story.state()
    assert await story.mark(second) == m.Owned("")
    assert story.state() == before


async def test_who_looked_before_the_owner_settled_looks_again(story: Story) -> None:
    """After another action owned the conversation, an attempt that looked before must look again."""
    first, second = await _two(story)
    await story.mark(first)
    await story.store.settle(first.lease, GONE, 0.0, ())
    owned = await story.mark(second)
    assert isinstance(owned, m.Owned)
    assert owned.epoch.startswith(f"{story.clock.ms}-{first.action.id}-")
    assert await story.mark(second) == owned
    assert isinstance(await story.mark(second, owned.epoch), m.Marked)


async def test_who_looked_before_a_mark_was_taken_back_looks_again(story: Story) -> None:
    """A mark that was taken back frees the conversation, and whoever looked before it looks again."""
    first, second = await _two(story)
    await story.mark(first)
    await story.store.unsent(first.lease, 1, ())
    owned = await story.mark(second)
    assert isinstance(owned, m.Owned)
    assert isinstance(await story.mark(second, owned.epoch), m.Marked)
    assert await story.mark(first) == m.Owned(owned.epoch)


async def test_an_epoch_is_new_each_time(story: Story) -> None:
    """Two ends of ownership in one millisecond have two names."""
    first, second = await _two(story)
    epochs = []
    for _ in range(2):
        await story.mark(first)
        await story.store.unsent(first.lease, 1, ())
        owned = await story.mark(second)
        assert isinstance(owned, m.Owned)
        epochs.append(owned.epoch)
    assert len(set(epochs)) == 2


async def test_ones_own_mark_taken_back_needs_no_new_look(story: Story) -> None:
    """Who took its own mark back may mark again: nobody else has owned the conversation since it looked."""
    claim = await story.claimed()
    for _ in range(3):
        assert isinstance(await story.mark(claim), m.Marked)
        await story.store.unsent(claim.lease, 1, ())


@pytest.mark.parametrize(
    "earlier, is_kept",
    [
        ((), False),
        ((None,), True),
        ((m.AnswerKind.ACCEPTED,), True),
        ((m.AnswerKind.UNCLEAR,), True),
        ((m.AnswerKind.REFUSED_FOR_NOW,), False),
        ((m.AnswerKind.REFUSED_FOR_GOOD,), False),
        ((m.AnswerKind.UNCLEAR, m.AnswerKind.REFUSED_FOR_NOW), True),
    ],
)
async def test_what_may_still_land_keeps_the_conversation(
    story: Story, earlier: tuple[m.AnswerKind | None, ...], is_kept: bool
) -> None:
    """Taking a mark back frees the conversation only if no earlier send may still take effect."""
    first, second = await _two(story)
    for number, kind in enumerate(earlier, 1):
        await story.mark(first)
        if kind is not None:
            await story.store.answered(first.lease, number, _answer(kind), ())
    await story.mark(first)
    await story.store.unsent(first.lease, len(earlier) + 1, ())
    owned = await story.mark(second)
    assert isinstance(owned, m.Owned)
    assert (owned.epoch == "") == is_kept


@pytest.mark.parametrize("kind", [m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD])
async def test_a_refusal_keeps_the_conversation(story: Story, kind: m.AnswerKind) -> None:
    """A refused send keeps the conversation until the action is settled."""
    first, second = await _two(story)
    await story.mark(first)
    await story.store.answered(first.lease, 1, _answer(kind), ())
    assert await story.mark(second) == m.Owned("")


async def test_giving_back_keeps_the_conversation(story: Story) -> None:
    """An action with a send keeps its conversation while it waits, and after its worker crashed."""
    first, second = await _two(story)
    await story.mark(first)
    await story.store.put_back(first.lease, 1, m.Progress(), ())
    assert await story.mark(second) == m.Owned("")
    story.clock.move(5)
    await story.claim()
    await story.store.renew(second.lease)
    story.clock.move(5.9)
    assert await story.mark(second) == m.Owned("")


async def test_who_owned_last_is_known_for_an_hour(story: Story) -> None:
    """While it is owned a conversation's owner has no end; after that it is known for an hour who it was."""
    claim = await story.sent()
    key = story.keys.conversation(ORG, uuid(1))
    assert story.state()[key][1] == -1
    await story.store.unsent(claim.lease, 1, ())
    assert story.state()[key][1] == story.clock.ms + 3_600_000
    await story.mark(claim)
    assert story.state()[key][1] == -1
    await story.store.settle(claim.lease, GONE, 0.0, ())
    assert story.state()[key][1] == story.clock.ms + 3_600_000


async def test_other_conversations_are_free(story: Story) -> None:
    """An owner owns one conversation, not others of its org."""
    await story.sent(1, conversation_id=uuid(1))
    assert isinstance(await story.mark(await story.claimed(2, conversation_id=uuid(2))), m.Marked)


async def test_settling_without_a_mark_frees_nothing(story: Story) -> None:
    """An action that never marked does not end another one's ownership when it settles."""
    first, second = await _two(story)
    await story.mark(first)
    await story.store.settle(second.lease, m.Outcome(m.OutcomeKind.REFUSED, "policy"), 0.0, ())
    third = await story.accepted(3)
    assert await story.claim() == []
    assert story.due_in(third) == 0.5


async def test_a_mark_takes_its_call_from_the_budget(story: Story) -> None:
    """A mark is a removal's call: where the budget has none left it says how long, and nothing is marked."""
    claim = await story.claimed()
    while await story.store.spend(ORG, "disconnect") == 0:
        pass
    before = story.state()
    waiting = await story.mark(claim)
    assert isinstance(waiting, m.OverBudget)
    assert story.state() == before
    story.clock.move(waiting.after_seconds + 0.001)
    assert isinstance(await story.mark(claim), m.Marked)
    assert await story.store.spend(ORG, "disconnect") > 0


async def test_a_floor_holds_marks(story: Story) -> None:
    """While Genesys has all workers wait, nothing is marked."""
    claim = await story.claimed()
    await story.store.throttle(ORG, 3)
    assert await story.mark(claim) == m.OverBudget(3.0)
    story.clock.move(3)
    assert isinstance(await story.mark(claim), m.Marked)


async def test_what_genesys_said_comes_along_with_a_mark(story: Story) -> None:
    """What the look's answer said of the budget is learned by the mark, at no trip of its own."""
    claim = await story.claimed()
    story.store.listen(ORG, lambda: (100, 3, 30.0))
    await story.mark(claim)
    assert story.client.get(story.keys.allowance(ORG)) == "100"
