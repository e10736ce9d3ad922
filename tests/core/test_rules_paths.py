"""Each path through the table ends, in time, with few sends and an outcome that is true."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.rules import Disconnect, LookAgain, Settle, decide
from service.core.selection import View
from tests.core.adversary import ANSWERS, SHOWN, Answer, Crash, Life, born
from tests.core.scenes import ACCEPTED, BY_ID, BY_PHONE, FOR_GOOD, FOR_NOW, KINDS, NOW, UNCLEAR, seen, sent

K = m.OutcomeKind
LIVE = m.Terms()
BUDGET_SECONDS = 15 * 60
LONGEST_WAIT_SECONDS = 30
MOST_LOOKS = 3_000  # 15 minutes at one look every 0.3 s: a walk that needs more does not end


def within(life: Life, left: float, spare: float = 0.0) -> bool:
    """Whether the time that an action may take is not over: not-after, 15 minutes for what was sent, one more wait."""
    return life.now - NOW <= (left + BUDGET_SECONDS + LONGEST_WAIT_SECONDS + spare) * 1000


def few(life: Life) -> bool:
    """Whether there were at most four refused sends and three that may have taken effect."""
    ours = sum(send.is_ours for send in life.action.sends)
    return ours <= 3 and len(life.action.sends) - ours <= 4


def essence(life: Life) -> tuple[object, ...]:
    """What the rest of a life depends on, as moments before now: two lives with the same essence go on alike."""
    it, progress = life.action, life.action.progress
    ours, refused = [s for s in it.sends if s.is_ours], [s for s in it.sends if not s.is_ours]
    last = it.sends[-1] if it.sends else None
    return (
        max(0, it.not_after - life.now),
        (len(ours), *(send.answer.kind for send in refused if send.answer)),
        last and (last.is_ours, life.now - last.marked_at, last.answer and life.now - last.answer.answered_at),
        bool(ours) and min(life.now - ours[-1].deadline_at, 10_000),
        (progress.pin, progress.was_unpinned, min(progress.blind_looks, 6)),
        progress.absence and (progress.absence, min(life.now - progress.absent_at, 3_000)),
        it.lapses,
    )


def following(life: Life, shown: Sequence[str], answers: Sequence[Answer]) -> Iterator[Life]:
    """All that can come of one more attempt, when looks show these sights and sends get these answers."""
    claimed = life.claimed(LIVE)
    if claimed.is_over:
        yield claimed
        return
    for looked in (claimed.looked(SHOWN[name], LIVE) for name in shown):
        if isinstance(looked.decision, Disconnect):
            yield from (looked.answered(answer) for answer in answers)
        else:
            yield looked


@pytest.mark.parametrize(
    "left, shown",
    [
        (1.0, ("present", "cannot_see")),
        (1.0, ("present", "renamed", "nobody", "no_conversation")),
        (2.0, ("present", "gone", "several", "no_conversation")),
    ],
)
def test_every_path_of_a_small_world_ends(left: float, shown: Sequence[str]) -> None:
    """Whatever order the sights and answers come in, all paths end in time and with few sends."""
    known: set[tuple[object, ...]] = set()
    open_ = [born(left)]
    while open_:
        life = open_.pop()
        if essence(life) in known:
            continue
        known.add(essence(life))
        for after in following(life, shown, (ACCEPTED, FOR_NOW, Crash())):
            assert few(after), after
            assert within(after, left), after
            if not after.is_over:
                assert after.now > life.now or after.made > life.made or unpins(after), after
                open_.append(after)
    assert len(known) > 100


def unpins(life: Life) -> bool:
    """Whether the next look comes at once, because the pin was given up."""
    return isinstance(life.decision, LookAgain) and life.decision.unpin


sights = st.sampled_from(sorted(SHOWN))
turns = st.tuples(sights, st.sampled_from(ANSWERS), st.sampled_from([0.0, 0.05, 5.0]))
terms = st.sampled_from([LIVE, LIVE, LIVE, m.Terms(is_live=False), m.Terms(m.Policy(last_pair="refuse"))])


@settings(max_examples=250)
@given(script=st.lists(turns, min_size=1, max_size=30), terms=terms, selector=st.sampled_from([BY_PHONE, BY_ID]))
def test_a_genesys_that_lies_at_will(
    script: list[tuple[str, Answer, float]], terms: m.Terms, selector: m.Selector
) -> None:
    """Any sights and answers, in any order and again and again, lead to an outcome in time and with few sends."""
    life = born(120.0, selector)
    for name, answer, took in islice(cycle(script), MOST_LOOKS):
        life = life.turned(SHOWN[name], answer, terms, took)
        assert few(life)
        if life.is_over:
            break
    assert life.is_over
    assert within(life, 120.0, spare=10.0)  # the last look and call may take their 5 s each


@pytest.mark.parametrize("view", [view for view in View if view is not View.UNSEEN])
def test_past_the_horizon_everything_settles(view: View) -> None:
    """Late, and a quarter of an hour after the last send, each look but one of a lost pin ends the action."""
    mixtures = [kinds for length in range(5) for kinds in product(KINDS, repeat=length)]
    for kinds in mixtures:
        for unpinned in (False, True):
            progress = m.Progress(was_unpinned=unpinned)
            decision = decide(seen(view, *sent(*kinds, ago=900), left=0, progress=progress))
            is_first_loss = view is View.UNLISTED and not unpinned and set(kinds) <= {FOR_NOW, FOR_GOOD} and kinds
            assert isinstance(decision, LookAgain if is_first_loss else Settle), (kinds, decision)


@dataclass
class World:
    """A Genesys that tells the truth when it tells anything: what was sent lands within 12 s of its mark, or never."""

    leaves_at: float
    lands_at: list[float] = field(default_factory=list)

    def is_gone(self, now: int) -> bool:
        """Whether the caller is out at `now`."""
        return min([self.leaves_at, *self.lands_at]) <= now

    def sight(self, now: int, *, is_visible: bool) -> m.Sight:
        """What a look shows at `now`."""
        if not is_visible:
            return SHOWN["cannot_see"]
        return SHOWN["gone" if self.is_gone(now) else "present"]


def is_true(outcome: m.Outcome, world: World, life: Life) -> bool:
    """Whether the outcome says what is so, now and for good."""
    ours, gone = any(send.is_ours for send in life.action.sends), world.is_gone(life.now)
    still_coming = any(life.now < at < NEVER for at in world.lands_at)
    return {
        K.DISCONNECTED: gone and ours,
        K.ALREADY_GONE: gone and not ours,
        K.FAILED: not still_coming and (outcome.reason == "poison" or not gone),
        K.EXPIRED: not ours,
        K.UNKNOWN: not still_coming,
    }[outcome.kind]


NEVER = float("inf")
moves = st.tuples(
    st.sampled_from([True, True, True, False]),
    st.sampled_from(ANSWERS),
    st.sampled_from([NEVER, NEVER, 0.0, 0.4, 3.0, 7.9, 8.1, 11.999]),
)


@settings(max_examples=300)
@given(script=st.lists(moves, min_size=1, max_size=12), leaves=st.sampled_from([NEVER, NEVER, 0.0, 1.0, 9.0, 40.0]))
def test_outcomes_are_true(script: list[tuple[bool, Answer, float]], leaves: float) -> None:
    """Under a Genesys that is slow, blind or loses commands, but does not lie, no outcome says what is not so."""
    life, world = born(60.0), World(NOW + leaves * 1000)
    for is_visible, answer, delay in islice(cycle(script), MOST_LOOKS):
        before = life.claimed(LIVE)
        if not before.is_over:
            before = before.looked(world.sight(before.now, is_visible=is_visible), LIVE)
        life = before
        if isinstance(before.decision, Disconnect):
            if answer in {ACCEPTED, UNCLEAR, Crash()}:
                world.lands_at.append(before.now + delay * 1000)
            life = before.answered(answer)
        if isinstance(life.decision, Settle):
            break
    assert isinstance(life.decision, Settle)
    assert is_true(life.decision.outcome, world, life), (life.decision, world)
