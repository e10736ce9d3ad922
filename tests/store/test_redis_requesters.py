"""A requester's rate, counted inside `accept`: new actions alone, so many at once, then one each time that has room."""

from __future__ import annotations

from service.core import model as m
from tests.store.stories import ORG, Story, digest, offered

BETH, JOE = digest("beth"), digest("joe")
RATE = 6  # a minute: one each ten seconds after that


async def asked(story: Story, word: object, who: str = BETH, rate: int = RATE, **changes: object) -> bool:
    """Accept an offer of a requester; return whether it is over his rate."""
    action_id = await story.accepted(word, requester_key=who, requester_rate=rate, **changes)
    return (await story.action(action_id)).is_over_rate


async def test_so_many_at_once_and_then_one_each(story: Story) -> None:
    """Up to the rate at once nothing is over it; the next is, until the minute has room for one, and then again."""
    assert [await asked(story, word) for word in range(RATE + 2)] == [False] * RATE + [True, True]
    story.clock.move(9.999)
    assert await asked(story, "too early")
    story.clock.move(0.001)
    assert not await asked(story, "in time")
    assert await asked(story, "and no other")
    story.clock.move(600)
    assert [await asked(story, ("rested", word)) for word in range(RATE + 1)] == [False] * RATE + [True]


async def test_each_requester_has_a_rate_of_his_own(story: Story) -> None:
    """What one requester used up is not taken from another, and who is not counted is never over it."""
    assert [await asked(story, word, rate=1) for word in range(2)] == [False, True]
    assert not await asked(story, "joe", JOE, rate=1)
    assert not await asked(story, "nobody", "", rate=0)


async def test_duplicates_are_not_counted(story: Story) -> None:
    """A delivery that comes again, and the same wish asked again, take nothing from the rate and are never over it."""
    first = await story.accepted(1, requester_key=BETH, requester_rate=2)
    for number in range(5):
        again = await story.store.accept(offered(story.dice, 1, requester_key=BETH, requester_rate=2))
        same = offered(story.dice, 1, delivery_key=digest(("other", number)), requester_key=BETH, requester_rate=2)
        assert (again.joined, (await story.store.accept(same)).joined) == ("delivery", "intent")
    assert not (await story.action(first)).is_over_rate
    assert not await asked(story, 2, rate=2)
    assert await asked(story, 3, rate=2)


async def test_what_is_over_the_rate_is_joined_by_nothing(story: Story) -> None:
    """What will be refused is no action that somebody's real wish may end with; its own delivery still finds it."""
    assert not await asked(story, 1, rate=1)
    over = await story.accepted(2, requester_key=BETH, requester_rate=1)
    again = await story.store.accept(offered(story.dice, 2, requester_key=BETH, requester_rate=1))
    assert (again.action_id, again.joined) == (over, "delivery")
    real = offered(story.dice, 2, delivery_key=digest("joe's"), requester_key=JOE, requester_rate=1)
    assert (await story.store.accept(real)).joined == ""
    assert not (await story.action(real.action_id)).is_over_rate
    # and it ends like any other, without touching what has become of the wish since
    (claim,) = [claim for claim in await story.claim() if claim.action.id == over]
    await story.store.settle(claim.lease, m.Outcome(m.OutcomeKind.REFUSED, "requester_rate"), None, ())
    third = offered(story.dice, 2, delivery_key=digest("third"))
    assert (await story.store.accept(third)).action_id == real.action_id


async def test_over_the_rate_an_open_wish_is_joined(story: Story) -> None:
    """Who is over his rate and asks what is being done already makes no new action, so he hears how that ends."""
    first = await story.accepted(1)
    assert not await asked(story, 2, rate=1)
    same = offered(story.dice, 1, delivery_key=digest("again"), requester_key=BETH, requester_rate=1)
    assert (await story.store.accept(same)).action_id == first


async def test_what_is_refused_waits_for_nothing(story: Story) -> None:
    """What will be refused without a look is claimed though the org is paused and others wait for its budget."""
    assert not await asked(story, 1, rate=1)
    over = await story.accepted(2, requester_key=BETH, requester_rate=1)
    await story.store.pause(ORG)
    await story.store.throttle(ORG, 30)
    assert [claim.action.id for claim in await story.claim()] == [over]


async def test_a_count_has_a_life(story: Story) -> None:
    """A requester's count ends when a minute's worth may be asked again, so requesters leave nothing behind."""
    for word in range(3):
        await asked(story, word)
    _, ends = story.state()[story.keys.requester(ORG, BETH)]
    assert ends == story.clock.ms + 3 * 10_000 + 1_000


async def test_a_clock_that_stepped_back_forgives(story: Story) -> None:
    """A count from a clock that was ahead by an hour locks nobody out."""
    story.clock.move(3_600)
    assert [await asked(story, word) for word in range(RATE + 1)][-1]
    story.clock.move(-3_600)
    assert not await asked(story, "after")


async def test_what_was_asked_in_shadow_is_known_by_it(story: Story) -> None:
    """The store keeps whether a click was made in shadow, and nothing of it where it was not."""
    shadow, live = await story.accepted(1, is_shadow=True), await story.accepted(2)
    assert ((await story.action(shadow)).is_shadow, (await story.action(live)).is_shadow) == (True, False)
    assert "is_shadow" not in story.client.hgetall(story.keys.action(live))
