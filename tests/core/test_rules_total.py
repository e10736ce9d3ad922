"""Every combination of what a decision depends on has a decision, and none of them breaks a promise.

What is forbidden is written from the promises, not from the table: a case knows its sends and their ages in seconds.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import pytest

from service.core import model as m
from service.core.rules import Decision, Disconnect, LookAgain, Settle, decide, situation_of
from service.core.selection import View
from service.core.situation import Situation
from tests.core.scenes import (
    ACCEPTED,
    AGENT_THERE,
    BARE,
    CALLER_THERE,
    CONVERSATION,
    FOR_GOOD,
    FOR_NOW,
    KINDS,
    NOW,
    PIN,
    SIGHTS,
    UNCLEAR,
    absent,
    action,
    conversation,
    sent,
)

V, K = View, m.OutcomeKind
ABSENT = frozenset({V.NO_CONVERSATION, V.NOBODY})
BLIND = frozenset({V.CANNOT_SEE, V.NO_LEGS, V.FORBIDDEN, V.REJECTED})
OVER = frozenset({V.GONE, V.BACK})
MAY_LAND = {BARE, ACCEPTED, UNCLEAR}
QUIET_SECONDS = 2 + 5 + 5  # a send may leave for 2 s, its call takes at most 5 s, and Genesys 5 s to do it
BACK_OFF = {1: 1, 2: 2, 3: 4}  # seconds after so many refusals
ALLOWED = m.Terms()
MODES: dict[str, tuple[m.Terms, bool]] = {
    "live": (ALLOWED, False),
    "shadow": (m.Terms(is_live=False), False),
    "preview": (ALLOWED, True),
    "purpose": (m.Terms(m.Policy(purposes=frozenset({"external"}))), False),
    "last_pair": (m.Terms(m.Policy(last_pair="refuse")), False),
    "requester": (m.Terms(narrowed_by=m.Limits(requesters=frozenset({"beth.anglin"}))), False),
    "queue": (m.Terms(narrowed_by=m.Limits(queues=frozenset({CONVERSATION}))), False),
}
PAIR = conversation(CALLER_THERE, AGENT_THERE)
SHORT = [kinds for length in range(3) for kinds in product(KINDS, repeat=length)]
# an unclear answer counts like an accepted one: longer mixtures do without it
LONG = [kinds for length in (3, 4) for kinds in product((BARE, ACCEPTED, FOR_NOW, FOR_GOOD), repeat=length)]


class Case(NamedTuple):
    """One combination: the last send is `age` seconds old, each was 8 s after the one before."""

    view: View
    kinds: tuple[m.AnswerKind | None, ...]
    age: float
    left: float
    mode: str
    lapses: int
    absent: float
    unpinned: bool

    @property
    def ours(self) -> int:
        """How many sends may have taken effect."""
        return sum(kind in MAY_LAND for kind in self.kinds)

    @property
    def may_still_land(self) -> bool:
        """Whether one of them may take effect even now."""
        ages = [self.age + 8 * back for back, kind in enumerate(reversed(self.kinds)) if kind in MAY_LAND]
        return bool(ages) and min(ages) < QUIET_SECONDS

    @property
    def may_send(self) -> bool:
        """Whether the promises allow a send now."""
        refused = len(self.kinds) - self.ours
        last_is_ours = bool(self.kinds) and self.kinds[-1] in MAY_LAND
        rested = not self.kinds or self.age >= (8 if last_is_ours else BACK_OFF.get(refused, 4))
        fits = (self.view, self.mode) == (V.PRESENT, "live") and self.left > 0 and self.lapses < 3
        refusals = [kind for kind in self.kinds if kind not in MAY_LAND]
        return fits and rested and refused < 4 and self.ours < 3 and refusals[-1:] != [FOR_GOOD]

    def situation(self) -> Situation:
        """The same as the rules see it."""
        terms, preview = MODES[self.mode]
        progress = replace(absent(self.view, self.absent), was_unpinned=self.unpinned)
        sight = PAIR if (self.view, self.mode) == (V.PRESENT, "last_pair") else SIGHTS[self.view]
        asked = action(
            *sent(*self.kinds, ago=self.age), preview=preview, left=self.left, lapses=self.lapses, progress=progress
        )
        return replace(situation_of(asked, sight, ALLOWED, NOW), terms=terms)


def cases(view: View) -> Iterator[Case]:
    """All combinations in which a look shows `view`; what cannot matter to it does not vary."""
    absences, unpinnings = (1.0, 3.0) if view in ABSENT else (1.0,), (False, True) if view is V.UNLISTED else (False,)
    more = (absences, unpinnings)
    for kinds in SHORT:
        ages = (0.1, 8.0, 12.0, 900.0) if kinds else (0.0,)
        for age, left, mode, lapses, seconds, unpinned in product(ages, (60, 0), MODES, (2, 3), *more):
            yield Case(view, kinds, age, left, mode, lapses, seconds, unpinned)
    for kinds in LONG:
        modes = MODES if view is V.PRESENT else ("live",)
        for age, left, mode, seconds, unpinned in product((0.1, 8.0, 12.0), (60, 0), modes, *more):
            yield Case(view, kinds, age, left, mode, 0, seconds, unpinned)


def breaches(case: Case, decision: Decision) -> Iterator[str]:
    """The promises that `decision` breaks in `case`."""
    match decision:
        case Disconnect(target):
            if not case.may_send or target != PIN:
                yield "sent what may not be sent"
        case LookAgain(after_seconds, unpin):
            if case.may_send:
                yield "did not do what was asked"
            if not case.kinds and (case.left <= 0 or case.lapses >= 3):
                yield "went on though nothing can come of it"
            if not (0 <= after_seconds <= 30) or (after_seconds == 0 and case.view is not V.UNSEEN and not unpin):
                yield "waits for ever, or not at all"
            if unpin and (case.ours or case.unpinned or case.view is not V.UNLISTED):
                yield "gave up a pin that it needs"
        case Settle(outcome):
            if not lawful(case, outcome):
                yield f"ended as {outcome.kind}"


def lawful(case: Case, outcome: m.Outcome) -> bool:
    """Whether what the case shows bears out the outcome."""
    quiet, never_sent = not case.may_still_land, not case.kinds
    poison = case.lapses >= 3 and outcome.reason == "poison"
    spent = case.view is V.PRESENT and not never_sent and quiet and not case.may_send
    return {
        K.DISCONNECTED: case.view in OVER and case.ours > 0,
        K.ALREADY_GONE: case.view in OVER | {V.ONLY_GONE} and case.ours == 0,
        K.NOT_FOUND: case.view in ABSENT and case.ours == 0 and (case.absent >= 3 or case.age >= 900),
        K.REFUSED: case.ours == 0
        and (
            case.view is V.SEVERAL
            or (case.view is V.PRESENT and case.mode in {"purpose", "last_pair", "queue"})
            or (case.view in {V.NOBODY, V.ONLY_GONE} and case.mode == "queue" and never_sent)
            or (case.mode == "requester" and never_sent)
        ),
        K.EXPIRED: never_sent and case.left <= 0,
        K.FAILED: (never_sent and (poison or case.view in {V.FORBIDDEN, V.REJECTED})) or spent,
        K.UNKNOWN: quiet
        and (
            (poison and not never_sent)
            or (case.view in BLIND and not never_sent and case.age >= 900)
            or (case.view in ABSENT and case.ours > 0)
            or (case.view in {V.UNLISTED, V.ONLY_GONE, V.SEVERAL} and (case.ours > 0 or case.unpinned))
        ),
        K.PREVIEWED: case.view is V.PRESENT and never_sent and case.mode in {"shadow", "preview"},
    }[outcome.kind]


@pytest.mark.parametrize("view", View)
def test_every_combination(view: View) -> None:
    """Every combination has a row, and no decision is one that the promises forbid."""
    count = 0
    for case in cases(view):
        count += 1
        decision = decide(case.situation())
        assert not list(breaches(case, decision)), f"{case} → {decision}"
    assert count > 2_000
