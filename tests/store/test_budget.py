"""The budget of an org: how many calls, how soon, what Genesys says, and that a clock that steps back forgives."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from service.core.ports import Call, Told
from service.store.budget import LEAST_ALLOWED, MOST_ALLOWED, Rate, RedisBudget
from tests.store.stories import ORG, Story

LOOKS, REMOVALS, ALL = 15, 23, 30  # of a burst: half for first looks, three quarters for removals, all for confirming


@dataclass
class Headers:
    """What the last answers of Genesys said, handed over once, as its client does."""

    said: list[Told] = field(default_factory=list)
    asked: int = 0

    def __call__(self) -> Told | None:
        self.asked += 1
        return self.said.pop() if self.said else None


@pytest.fixture
def headers(story: Story) -> Headers:
    """Give the headers that the story's budget listens to."""
    listened = Headers()
    story.store.listen(ORG, listened)
    return listened


async def _spend_all(budget: RedisBudget, call: Call = "confirm") -> int:
    spent = 0
    while await budget.spend(ORG, call) == 0:
        spent += 1
        assert spent < 10_000
    return spent


async def _spend_for(story: Story, seconds: float) -> int:
    """Spend whatever is given while the time passes."""
    spent = await _spend_all(story.store)
    for _ in range(round(seconds * 10)):
        story.clock.move(0.1)
        spent += await _spend_all(story.store)
    return spent


# --- before Genesys said anything ------------------------------------------------------------------------------------


async def test_a_burst_then_one_by_one(story: Story) -> None:
    """After a rest a burst may leave at once, then one each interval; whoever must wait is told how long."""
    assert await _spend_all(story.store) == ALL
    assert await story.store.spend(ORG, "confirm") == 0.2
    story.clock.move(0.1)
    assert await story.store.spend(ORG, "confirm") == pytest.approx(0.1)
    story.clock.move(0.1)
    assert await _spend_all(story.store) == 1


async def test_a_rest_saves_up_a_burst_and_no_more(story: Story) -> None:
    """However long the rest, a burst may leave after it, and no more."""
    await _spend_all(story.store)
    story.clock.move(3_600)
    assert await _spend_all(story.store) == ALL


async def test_the_rate_over_a_minute(story: Story) -> None:
    """In a minute no more leave than the burst and the minute's rate."""
    assert await _spend_for(story, 60) == ALL + 300


async def test_what_was_begun_is_ended_first(story: Story) -> None:
    """First looks leave half of the burst, removals a quarter, and confirming looks may take what those left."""
    assert await _spend_all(story.store, "look") == LOOKS
    assert await _spend_all(story.store, "disconnect") == REMOVALS - LOOKS
    assert await story.store.spend(ORG, "disconnect") == pytest.approx(0.2)
    assert await story.store.spend(ORG, "look") == pytest.approx((REMOVALS - LOOKS + 1) * 0.2)
    assert await _spend_all(story.store, "confirm") == ALL - REMOVALS


async def test_a_steady_flow_of_removals_wastes_nothing(story: Story) -> None:
    """Where first looks ask as often as they like, each of them still gets its removal and its confirming look."""
    await _spend_all(story.store)
    looked = removed = confirmed = 0
    for _ in range(600):
        story.clock.move(0.1)
        while confirmed < removed and await story.store.spend(ORG, "confirm") == 0:
            confirmed += 1
        while removed < looked and await story.store.spend(ORG, "disconnect") == 0:
            removed += 1
        while await story.store.spend(ORG, "look") == 0:
            looked += 1
    assert looked - confirmed <= 2
    assert looked + removed + confirmed >= 300 - LOOKS - 1  # what first looks leave is saved up first


async def test_orgs_have_budgets_of_their_own(story: Story) -> None:
    """One org's calls cost another one nothing."""
    await _spend_all(story.store)
    assert await story.store.spend("other") == 0


@pytest.mark.parametrize("back_seconds", [1, 10, 3_600, 10**9])
@pytest.mark.parametrize("is_told", [False, True], ids=["untold", "told"])
async def test_a_clock_that_steps_back_forgives(
    story: Story, headers: Headers, back_seconds: float, *, is_told: bool
) -> None:
    """When the clock steps back nobody is locked out for longer than an empty bucket takes."""
    if is_told:
        headers.said = [(300, 300, 60.0)]
    await _spend_all(story.store)
    await story.store.throttle(ORG, 5)
    story.clock.move(-back_seconds)
    assert await story.store.spend(ORG, "confirm") <= ALL * 0.2


# --- what Genesys asked for by a 429 ---------------------------------------------------------------------------------


async def test_a_floor_for_all(story: Story) -> None:
    """Until a Retry-After is over nobody calls, and is told how long; also no confirming look."""
    await story.store.throttle(ORG, 30)
    assert await story.store.spend(ORG) == 30
    story.clock.move(29.5)
    assert await story.store.spend(ORG, "confirm") == 0.5
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
    await _spend_all(story.store)
    before = story.state()
    for _ in range(5):
        assert await story.store.spend(ORG, "confirm") == 0.2
    assert story.state() == before


# --- what Genesys says with each answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [100, 300, 600])
async def test_the_allowance_is_learned(story: Story, headers: Headers, allowed: int) -> None:
    """What Genesys says that a window has is what leaves in one, by every worker, and a tenth of it is the burst."""
    headers.said = [(allowed, 1, 60.0)]
    assert await story.store.spend(ORG) == 0
    other = RedisBudget(story.runner, story.dice, now_ms=story.clock.now)
    story.clock.move(60)
    assert await _spend_all(other) == allowed // 10
    spent = 0
    for _ in range(600):
        story.clock.move(0.1)
        spent += await _spend_all(other)
    assert spent == pytest.approx(allowed, abs=1)


async def test_a_window_has_what_it_has(story: Story, headers: Headers) -> None:
    """In a window that Genesys told no more leave than it has, the burst included; in the next one as many again."""
    headers.said = [(100, 0, 60.0)]
    assert await _spend_for(story, 59.9) == 100
    story.clock.move(0.1)
    headers.said = [(100, 0, 60.0)]
    assert await _spend_for(story, 59.9) == 100


async def test_what_others_spend_narrows_it(story: Story, headers: Headers) -> None:
    """What another client spends under the same token is left to it; when the window is over, the budget is open."""
    headers.said = [(300, 200, 60.0)]
    spent = await _spend_for(story, 59.9)
    assert 70 <= spent <= 101  # who spent so much so fast is expected to go on
    story.clock.move(0.1)
    headers.said = [(300, 1, 60.0)]
    assert await _spend_for(story, 59.9) >= 295


async def test_what_others_will_spend_is_left_to_them(story: Story, headers: Headers) -> None:
    """Another client that spends evenly under the same token gets what it would without us, and we the rest."""
    ours = theirs = 0
    for tenth in range(599):
        theirs += tenth % 3 == 0
        headers.said = [(300, ours + theirs, 60.0 - tenth / 10)]
        ours += await story.store.spend(ORG, "confirm") == 0
        story.clock.move(0.1)
    assert theirs == 200
    assert 85 <= ours <= 101


async def test_what_is_left_is_spread(story: Story, headers: Headers) -> None:
    """What is left of a window lasts to its end: there is something to confirm with also in its last second."""
    headers.said = [(300, 240, 60.0)]
    await _spend_for(story, 50)
    assert 5 <= await _spend_for(story, 9.9) <= 30


async def test_ours_under_way_are_not_forgotten(story: Story, headers: Headers) -> None:
    """A count that does not know our last calls yet does not give them back."""
    await _spend_all(story.store)
    headers.said = [(300, 2, 30.0)]
    await story.store.spend(ORG)
    assert int(_window(story)["used"]) == ALL


async def test_a_count_of_a_window_that_is_over(story: Story, headers: Headers) -> None:
    """An answer that comes late, of a window that is over, takes nothing from the new one."""
    headers.said = [(300, 1, 60.0)]
    await story.store.spend(ORG)
    headers.said = [(300, 300, 3.0)]
    await story.store.spend(ORG)
    assert int(_window(story)["used"]) == 3


async def test_a_new_window_while_the_old_one_seems_to_run(story: Story, headers: Headers) -> None:
    """A count that begins anew opens the budget, whatever we thought of when the old window ends."""
    headers.said = [(300, 300, 30.0)]
    await story.store.spend(ORG)
    headers.said = [(300, 1, 60.0)]
    await story.store.spend(ORG)
    assert int(_window(story)["used"]) == 2
    story.clock.move(1)
    assert await _spend_all(story.store) >= 20


async def test_each_process_has_a_window_of_its_own(story: Story, headers: Headers) -> None:
    """Genesys counts by token: what one process' token has left says nothing of another's."""
    headers.said = [(300, 299, 60.0)]
    await story.store.spend(ORG)
    other = RedisBudget(story.runner, story.dice, now_ms=story.clock.now)
    story.clock.move(6)
    assert await _spend_all(other) == ALL


@pytest.mark.parametrize("told", [(300, 10**6, 60.0), (300, 300, 60.0), (1, 1, 60.0), (0, 5, 60.0), (30, 0, 10**8)])
async def test_no_header_shuts_an_org_out(story: Story, headers: Headers, told: Told) -> None:
    """Whatever they say, again and again, thirty calls a minute are made: only a 429 stops us."""
    spent = 0
    for _ in range(600):
        headers.said = [told]
        spent += await story.store.spend(ORG, "confirm") == 0
        story.clock.move(0.1)
    assert headers.asked == 600
    assert LEAST_ALLOWED - 1 <= spent <= 61


@pytest.mark.parametrize(
    "told", [(MOST_ALLOWED + 1, 0, 60.0), (10**9, 0, 60.0), (-1, 0, 60.0), (300, -1, 60.0), (300, 10**9, 60.0)]
)
async def test_no_header_opens_the_gate(story: Story, headers: Headers, told: Told) -> None:
    """A number beyond sense is nobody's allowance: nothing of it is believed, and it leaves nothing behind."""
    headers.said = [told]
    assert await _spend_all(story.store) == ALL
    assert headers.asked > ALL
    assert not story.client.exists(story.keys.allowance(ORG))


async def test_a_count_that_always_begins_anew(story: Story, headers: Headers) -> None:
    """Headers that pretend that nothing was spent yet open no more than the rate and the burst."""
    spent = 0
    for number in range(600):
        headers.said = [(300, 0, 1.0 + number % 59)]
        spent += await story.store.spend(ORG, "confirm") == 0
        story.clock.move(0.1)
    assert spent <= ALL + 300


async def test_our_own_count_shuts_the_window(story: Story, headers: Headers) -> None:
    """When we ourselves have spent all that a window has, nobody calls before it is over."""
    headers.said = [(30, 0, 60.0)]
    spent = 0
    while spent < 30:
        spent += await story.store.spend(ORG, "confirm") == 0
        story.clock.move(0.5)
    ends = int(_window(story)["ends"])
    assert await story.store.spend(ORG, "confirm") == pytest.approx((ends - story.clock.ms) / 1000)
    await story.accepted()
    assert await story.claim() == []


def _window(story: Story) -> dict[str, str]:
    (key,) = story.client.scan_iter("*window:*")
    return dict(story.client.hgetall(key))  # type: ignore[arg-type] # decoded: see the fixture


def test_a_rate_as_the_scripts_take_it() -> None:
    """The window in microseconds, what it has, and the burst."""
    assert Rate().words == ("60000000", "300.0", "30")
    assert Rate(per_minute=7, burst=1, window_seconds=30).words == ("30000000", "3.5", "1")
