"""Which deliveries are the same, and which wishes: both decided inside `accept`."""

from __future__ import annotations

import asyncio

import pytest

from service.core import model as m
from service.core.errors import Conflicting, UnknownVersion
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice
from tests.store.stories import GONE, ORG, Story, digest, offered

DAY = 86_400
ALREADY_GONE = m.Outcome(m.OutcomeKind.ALREADY_GONE, "gone")


async def test_the_same_delivery_is_the_same_action(story: Story) -> None:
    """A delivery that comes again gets the first one's action and key, and makes no other."""
    first = await story.accepted()
    receipt = await story.store.accept(offered(story.dice, key="another"))
    assert receipt == m.Receipt(first, "unguessable", "delivery")
    assert story.client.zcard(story.keys.due_removals(ORG)) == 1
    assert [entry.note for entry in (await story.account(first)).timeline] == ["", "", "", "joined by delivery"]


async def test_the_same_delivery_after_the_end(story: Story) -> None:
    """A delivery that comes again after the end is told how it ended, whatever it was and however old the click."""
    outcome = m.Outcome(m.OutcomeKind.REFUSED, "ambiguous", candidates=("customer 1", "customer 2"))
    first = await story.settled(outcome=outcome, event_at=story.clock.ms)
    story.clock.move(6 * DAY)
    receipt = await story.store.accept(offered(story.dice, event_at=story.clock.ms))
    assert receipt == m.Receipt(first, "unguessable", "delivery", outcome)


@pytest.mark.parametrize("is_settled", [False, True])
async def test_another_body_under_the_same_id(story: Story, is_settled: bool) -> None:
    """The id of an earlier delivery with another body is refused, and writes nothing."""
    await (story.settled() if is_settled else story.accepted())
    before = story.state()
    with pytest.raises(Conflicting):
        await story.store.accept(offered(story.dice, body_hash=digest("tampered")))
    assert story.state() == before


@pytest.mark.parametrize(
    "is_hash_only, after_seconds, expected",
    [
        (False, 7 * DAY - 1, "delivery"),
        (False, 7 * DAY, ""),
        (True, 7_199, "delivery"),
        (True, 7_200, ""),
    ],
)
async def test_how_long_a_delivery_is_remembered(
    story: Story, is_hash_only: bool, after_seconds: float, expected: str
) -> None:
    """A delivery is remembered seven days after its action ended; one known by its body alone, two hours."""
    await story.settled(is_hash_only=is_hash_only, intent_key=None)
    story.clock.move(after_seconds)
    receipt = await story.store.accept(offered(story.dice, is_hash_only=is_hash_only, intent_key=None))
    assert receipt.joined == expected


async def test_a_delivery_that_was_forgotten_is_remembered_anew(story: Story) -> None:
    """A delivery that came again after it was forgotten is remembered without end while its new action is open."""
    await story.settled(is_hash_only=True, intent_key=None)
    story.clock.move(7_200)
    again = await story.accepted(is_hash_only=True, intent_key=None)
    assert story.client.ttl(story.keys.delivery(ORG, digest(1))) == -1
    story.clock.move(DAY)
    assert await story.accepted(is_hash_only=True, intent_key=None) == again


async def test_a_delivery_is_remembered_while_its_action_is_open(story: Story) -> None:
    """However long an action stays open, its deliveries are known."""
    first = await story.accepted(is_hash_only=True)
    story.clock.move(100 * DAY)
    assert (await story.store.accept(offered(story.dice, is_hash_only=True))).action_id == first


@pytest.mark.parametrize(
    "outcome, click_ago, expected",
    [
        (None, 0, "intent"),
        (None, 999, "intent"),
        (GONE, 30, "intent"),
        (GONE, 20, "intent"),
        (GONE, 19.999, ""),
        (GONE, 0, ""),
        (GONE, None, ""),
        (ALREADY_GONE, 20, "intent"),
        (ALREADY_GONE, 19, ""),
        (m.Outcome(m.OutcomeKind.NOT_FOUND, "x"), 30, ""),
        (m.Outcome(m.OutcomeKind.REFUSED, "x"), 30, ""),
        (m.Outcome(m.OutcomeKind.EXPIRED, "x"), 30, ""),
        (m.Outcome(m.OutcomeKind.FAILED, "x"), 30, ""),
        (m.Outcome(m.OutcomeKind.UNKNOWN, "x"), 30, ""),
        (m.Outcome(m.OutcomeKind.PREVIEWED, "x"), 30, ""),
    ],
)
async def test_the_same_wish(story: Story, outcome: m.Outcome | None, click_ago: float | None, expected: str) -> None:
    """A wish joins an open action, or one that saw the person gone no earlier than its click (here: 20 s ago)."""
    intent = {"intent_key": digest("wish")}
    story.clock.move(0.001)  # a stamp of whole seconds is taken for the last moment of its second
    first = await (story.accepted(**intent) if outcome is None else story.settled(1, outcome, **intent))
    story.clock.move(20)
    event_at = None if click_ago is None else story.clock.ms - int(click_ago * 1000)
    receipt = await story.store.accept(offered(story.dice, 2, event_at=event_at, **intent))
    assert receipt.joined == expected
    assert (receipt.action_id == first) == bool(expected)
    assert receipt.outcome == (outcome if expected else None)
    assert [entry.note for entry in (await story.account(receipt.action_id)).timeline][-1] == (
        "joined by intent" if expected else ""
    )


@pytest.mark.parametrize("seen_after, expected", [(0.5, ""), (0.998, ""), (0.999, "intent")])
async def test_a_stamp_of_whole_seconds_is_the_end_of_its_second(
    story: Story, seen_after: float, expected: str
) -> None:
    """A stamp cut to the second may be of a click after a look within that second: that look is no answer."""
    intent = {"intent_key": digest("wish")}
    stamp = story.clock.ms
    story.clock.move(seen_after)
    await story.settled(1, GONE, **intent)
    story.clock.move(5)
    receipt = await story.store.accept(offered(story.dice, 2, event_at=stamp, **intent))
    assert receipt.joined == expected


async def test_a_wish_follows_its_latest_action(story: Story) -> None:
    """A later click makes a new action, and the next delivery of the wish joins that one."""
    intent = {"intent_key": digest("wish")}
    await story.settled(1, GONE, **intent)
    story.clock.move(1)
    second = await story.accepted(2, **intent)
    assert await story.accepted(3, **intent) == second


@pytest.mark.parametrize(
    "is_sent, after, max_age, joined",
    [
        (False, 60, 120, "intent"),
        (False, 60.001, 120, ""),
        (False, 119, 120, ""),
        (False, 119, 5, ""),
        (False, 117, 5, "intent"),
        (False, 120, 120, ""),
        (True, 119, 120, "intent"),
        (True, 120, 120, "intent"),
    ],
)
async def test_a_fresh_click_is_not_late_with_the_old_one(
    story: Story, is_sent: bool, after: float, max_age: int, joined: str
) -> None:
    """A click joins an open action that has half of its own time left, or sent something: else both would be late."""
    intent = {"intent_key": digest("wish")}
    await (story.sent(1, **intent) if is_sent else story.accepted(1, **intent))
    story.clock.move(after)
    receipt = await story.store.accept(offered(story.dice, 2, max_age_seconds=max_age, **intent))
    assert receipt.joined == joined


@pytest.mark.parametrize("source, joined", [("desk", "intent"), ("other", "")])
async def test_a_click_is_not_held_by_another_sources_pause(story: Story, source: str, joined: str) -> None:
    """While a source is paused its own clicks wait together; another source's click goes its own way, at once."""
    intent = {"intent_key": digest("wish")}
    await story.store.pause(ORG, "desk")
    first = await story.accepted(1, **intent)
    receipt = await story.store.accept(offered(story.dice, 2, source=source, **intent))
    assert receipt.joined == joined
    free = {receipt.action_id} - {first}
    assert {claim.action.id for claim in await story.claim()} == free


async def test_an_older_end_leaves_the_wish_alone(story: Story) -> None:
    """When an older action of a wish ends, the newer one stays joinable without end."""
    intent = {"intent_key": digest("wish")}
    old = await story.claimed(1, **intent)
    story.client.delete(story.keys.intent(ORG, digest("wish")))
    new = await story.accepted(2, **intent)
    await story.store.settle(old.lease, GONE, 0.0, ())
    assert story.client.ttl(story.keys.intent(ORG, digest("wish"))) == -1
    assert await story.accepted(3, **intent) == new


async def test_wishes_that_are_not_shared(story: Story) -> None:
    """An offer without a wish (a preview) joins nobody, and nobody joins it."""
    preview = await story.accepted(1, intent_key=None, preview=True)
    assert await story.accepted(2, intent_key=None, preview=True) != preview


async def test_who_joined_is_known_by_its_delivery(story: Story) -> None:
    """A delivery that joined by its wish is remembered like the first, before and after the end."""
    intent = {"intent_key": digest("wish")}
    claim = await story.claimed(1, **intent)
    await story.accepted(2, **intent)
    receipt = await story.store.accept(offered(story.dice, 2, **intent))
    assert (receipt.action_id, receipt.joined) == (claim.action.id, "delivery")
    await story.store.settle(claim.lease, GONE, 0.0, ())
    story.clock.move(7 * DAY - 1)
    assert (await story.store.accept(offered(story.dice, 2, intent_key=None))).joined == "delivery"


async def test_who_joined_after_the_end_has_the_rest_of_its_life(story: Story) -> None:
    """A delivery that joined a settled action is remembered as long as the others of it, a minute at least."""
    intent = {"intent_key": digest("wish"), "event_at": story.clock.ms - 1_000}
    await story.settled(1, GONE, **intent)
    story.clock.move(DAY)
    assert (await story.store.accept(offered(story.dice, 2, **intent))).joined == "intent"
    hash_only = offered(story.dice, 3, is_hash_only=True, **intent)
    assert (await story.store.accept(hash_only)).joined == "intent"
    ends = {word: story.state()[story.keys.delivery(ORG, digest(word))][1] for word in (2, 3)}
    assert ends == {2: story.clock.ms + 6 * DAY * 1000, 3: story.clock.ms + 60_000}


async def test_each_ticket_is_told_once(story: Story) -> None:
    """A joined ticket gets its own report, the same ticket none twice; another source's is another one."""
    intent = {"intent_key": digest("wish")}
    first = await story.accepted(1, **intent)
    await story.accepted(2, **intent)
    await story.accepted(3, ticket=m.Ticket("incident/other"), **intent)
    await story.accepted(4, source="chat", channels=("ticket", "webhook"), **intent)
    reports = (await story.account(first)).reports
    assert [(r.source, r.channel, r.ticket and r.ticket.reference) for r in reports] == [
        ("desk", "ticket", "incident/9d38"),
        ("desk", "ticket", "incident/other"),
        ("chat", "ticket", "incident/9d38"),
        ("chat", "webhook", "incident/9d38"),
    ]
    assert {report.state for report in reports} == {m.ReportState.WAITING}


async def test_who_joins_after_the_end_is_told_at_once(story: Story) -> None:
    """A ticket that joins a settled action has its report due at once, and no second one for a ticket told."""
    intent = {"intent_key": digest("wish"), "event_at": story.clock.ms - 1_000}
    await story.settled(1, GONE, **intent)
    (told,) = await story.claim_reports()
    await story.store.told(told.lease, ())
    story.clock.move(10)
    await story.accepted(2, **intent)
    assert await story.claim_reports() == []
    await story.accepted(3, ticket=m.Ticket("incident/other"), **intent)
    (claim,) = await story.claim_reports()
    assert (claim.report.ticket, claim.report.first_due_at) == (m.Ticket("incident/other"), story.clock.ms)


async def test_an_action_that_is_gone_is_not_joined(story: Story) -> None:
    """Where an action's life is over before that of what points to it, the delivery makes a new one."""
    first = await story.settled(event_at=story.clock.ms)
    story.client.delete(story.keys.action(first))
    receipt = await story.store.accept(offered(story.dice, event_at=story.clock.ms))
    assert (receipt.joined, receipt.action_id != first) == ("", True)


async def test_an_action_is_never_overwritten(story: Story) -> None:
    """The same offer again finds its action, even where its delivery is no longer remembered."""
    offer = offered(story.dice)
    await story.store.accept(offer)
    story.client.delete(story.keys.delivery(ORG, digest(1)))
    before = story.state()
    assert await story.store.accept(offer) == m.Receipt(offer.action_id, "unguessable", "")
    assert story.state() == before


@pytest.mark.parametrize("of_what", ["delivery", "action"])
async def test_a_newer_versions_delivery(story: Story, of_what: str) -> None:
    """A delivery or action that a newer version stored is not guessed at: the sender is asked to come again."""
    action_id = await story.accepted()
    key = story.keys.delivery(ORG, digest(1)) if of_what == "delivery" else story.keys.action(action_id)
    story.made_newer(key)
    before = story.state()
    with pytest.raises(UnknownVersion):
        await story.store.accept(offered(story.dice))
    assert story.state() == before


@pytest.mark.parametrize("fields", [("sends",), ("state", "not_after"), ()], ids=str)
async def test_a_newer_versions_wish(story: Story, fields: tuple[str, ...]) -> None:
    """The wish of an action that a newer version stored makes a new action."""
    intent = {"intent_key": digest("wish")}
    first = await story.accepted(1, **intent)
    key = story.keys.action(first)
    story.client.hset(key, "v", "2")
    for name in fields:  # of which some may be called otherwise there
        story.client.hdel(key, name)
    assert await story.accepted(2, **intent) != first


async def test_a_thousand_at_once(live_store: RedisStore, dice: CountingDice) -> None:
    """One delivery, a thousand times at once, is one action; every sender is told so."""
    receipts = await asyncio.gather(*[live_store.accept(offered(dice)) for _ in range(1_000)])
    assert len({receipt.action_id for receipt in receipts}) == 1
    assert sorted(receipt.joined for receipt in receipts) == ["", *["delivery"] * 999]
