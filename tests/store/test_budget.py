"""The budget of an org: how many calls, how soon, and that a clock which steps back forgives."""

from __future__ import annotations

import pytest

from service.store.redis import Rate
from tests.store.stories import ORG, Story


async def _spend_all(story: Story, *, is_confirming: bool = False) -> int:
    spent = 0
    while await story.store.spend(ORG, is_confirming=is_confirming) == 0:
        spent += 1
        assert spent < 1_000
    return spent


async def test_a_burst_then_one_by_one(story: Story) -> None:
    """After a rest a burst may leave at once, then one each interval; whoever must wait is told how long."""
    assert await _spend_all(story) == 30
    assert await story.store.spend(ORG) == 0.2
    story.clock.move(0.1)
    assert await story.store.spend(ORG) == pytest.approx(0.1)
    story.clock.move(0.1)
    assert await _spend_all(story) == 1


async def test_a_rest_saves_up_a_burst_and_no_more(story: Story) -> None:
    """However long the rest, a burst may leave after it, and no more."""
    await _spend_all(story)
    story.clock.move(3_600)
    assert await _spend_all(story) == 30


async def test_the_rate_over_a_minute(story: Story) -> None:
    """In a minute no more leave than the burst and the minute's rate."""
    spent = await _spend_all(story)
    for _ in range(600):
        story.clock.move(0.1)
        spent += await _spend_all(story)
    assert spent == 330


async def test_confirming_looks_may_borrow(story: Story) -> None:
    """When the budget is empty, ten confirming looks may still leave, and the others wait until those are paid back."""
    await _spend_all(story)
    assert await _spend_all(story, is_confirming=True) == 10
    assert await story.store.spend(ORG) == pytest.approx(11 * 0.2)


async def test_orgs_have_budgets_of_their_own(story: Story) -> None:
    """One org's calls cost another one nothing."""
    await _spend_all(story)
    assert await story.store.spend("other") == 0


@pytest.mark.parametrize("back_seconds", [1, 10, 3_600, 10**9])
async def test_a_clock_that_steps_back_forgives(story: Story, back_seconds: float) -> None:
    """When the clock steps back nobody is locked out for longer than an empty bucket takes."""
    await _spend_all(story)
    await story.store.throttle(ORG, 5)
    story.clock.move(-back_seconds)
    assert await story.store.spend(ORG) <= (30 + 10) * 0.2


async def test_a_floor_for_all(story: Story) -> None:
    """Until a Retry-After is over nobody calls, and is told how long; also no confirming look."""
    await story.store.throttle(ORG, 30)
    assert await story.store.spend(ORG) == 30
    story.clock.move(29.5)
    assert await story.store.spend(ORG, is_confirming=True) == 0.5
    story.clock.move(0.5)
    assert await story.store.spend(ORG) == 0


@pytest.mark.parametrize("first, second, expected", [(30, 5, 30), (5, 30, 30), (0, 5, 5)])
async def test_a_floor_is_never_lowered(story: Story, first: float, second: float, expected: float) -> None:
    """Of two floors the later one holds."""
    await story.store.throttle(ORG, first)
    await story.store.throttle(ORG, second)
    assert await story.store.spend(ORG) == expected


async def test_a_floor_after_the_clock_stepped_back(story: Story) -> None:
    """A floor that a clock in the future set gives way to one that is set now."""
    await story.store.throttle(ORG, 5)
    story.clock.move(-3_600)
    await story.store.throttle(ORG, 2)
    assert await story.store.spend(ORG) == 2


async def test_waiting_takes_nothing(story: Story) -> None:
    """Whoever is told to wait has taken nothing from the budget, and left nothing behind."""
    await _spend_all(story)
    before = story.state()
    for _ in range(5):
        assert await story.store.spend(ORG) == 0.2
    assert story.state() == before


def test_a_rate_in_microseconds() -> None:
    """The interval is what a minute has for each call, and the confirming burst is a third more, rounded up."""
    assert (Rate().interval_us, Rate().burst_confirming) == (200_000, 40)
    assert (Rate(per_minute=7, burst=1).interval_us, Rate(burst=1).burst_confirming) == (8_571_429, 2)
