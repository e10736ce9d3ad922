"""Die or stand still at every await of the flow, whatever Genesys does; then all promises are asked.

The awaits are found by playing each behaviour once as it is, so a new one gets its cases by itself. Between verify,
parse and the script of accept there is none: who dies in one of these dies before that script.
"""

from __future__ import annotations

import pytest

from tests.findings import write_evidence
from tests.story.crashing.cases import BEHAVIOURS, Harvest, Told, discovered, play
from tests.story.simulation.playing import PROCESSES, play_apart, quick_redis

LEAST_CASES, LEAST_AWAITS = 1_400, 40
PIECES, CI_PIECES = 30, 3  # CI plays a tenth of all cases, in pieces, because no test may take two minutes

# what each of the ten verbs asks for, by the name of the step, the call or the wait
VERBS = {
    "verify, parse": {"post"},
    "accept": {"accept", "2xx"},
    # `attend`: whoever claims says from time to time that he is there
    "claim": {"claim", "attend", "wake", "rest", "rested", "renew"},
    "look, confirm": {"spend", "look", "look answer", "pin"},
    "decide": {"mark_sent", "put_back"},
    "disconnect": {"send", "send answer", "answered", "unsent", "throttle"},
    "settle": {"settle"},
    "report": {"claim_reports", "is told", "tell", "note", "end_report"},
}


@pytest.fixture(scope="module")
def found() -> tuple[list[Told], int]:
    """Play each behaviour as it is, and count the cases."""
    with quick_redis() as client:
        told, cases = discovered(client)
    assert len(cases) == len(set(cases))
    return told, len(cases)


def test_each_behaviour_ends_as_it_should(found: tuple[list[Told], int]) -> None:
    """Without a blow each of the twelve behaviours of Genesys ends as the table says, and breaks no promise."""
    told, _ = found
    assert {one.case.behaviour: one.broken for one in told} == dict.fromkeys(BEHAVIOURS, ())
    assert {one.case.behaviour: one.outcome for one in told} == BEHAVIOURS


def test_every_await_is_known(found: tuple[list[Told], int]) -> None:
    """Each of the ten verbs has its awaits, at least forty in all, and at least 1,400 cases come of them."""
    told, cases = found
    names = {point.name for one in told for point in one.points}
    assert names == set().union(*VERBS.values())
    assert len({point.where for one in told for point in one.points}) >= LEAST_AWAITS
    assert cases >= LEAST_CASES


def test_same_case_same_story() -> None:
    """What a case told once it tells again, so that a failure can be looked at."""
    with quick_redis() as client:
        _, (case, *_) = discovered(client)
        assert play(case, client) == play(case, client)


def played(first: int, cases: int, step: int) -> Harvest:
    """Play each `step`th case from `first` on, on two processes."""
    shares = [(str(first + one * step), str(cases), str(step * PROCESSES)) for one in range(PROCESSES)]
    harvest = Harvest()
    for line in play_apart("tests.story.crashing", shares):
        harvest.join(Harvest.read(line))
    return harvest


@pytest.mark.parametrize("piece", range(CI_PIECES))
def test_dying_anywhere_breaks_no_promise(found: tuple[list[Told], int], piece: int) -> None:
    """Who dies, stands still or is not answered, at whatever await: one outcome, one effect, no lie, ticket told."""
    _, cases = found
    # one of them alone: python -m tests.story.crashing "429 / unsent / 1 / crash after"
    harvest = played(piece, cases, PIECES)
    assert harvest.broken == []
    assert harvest.cases == len(range(piece, cases, PIECES))
    assert len(harvest.awaits) >= LEAST_AWAITS


@pytest.mark.slow
def test_dying_everywhere_breaks_no_promise(found: tuple[list[Told], int]) -> None:
    """The same for every case there is; it writes down what it found."""
    told, cases = found
    harvest = played(0, cases, 1)
    write_evidence(
        "crash_points",
        command="pytest -m slow tests/story/test_crashes.py",
        counters=harvest.struck,
        findings=harvest.broken,
        cases=harvest.cases,
        awaits=harvest.awaits,
        outcomes=dict(sorted(harvest.outcomes.items())),
    )
    assert harvest.broken == []
    assert harvest.cases == cases
    assert set(harvest.awaits) == {f"{point.name} {point.ordinal}" for one in told for point in one.points}


def test_a_blow_that_misses_is_seen(found: tuple[list[Told], int]) -> None:
    """A fault that did not strike is no proof, and the case says so."""
    told, _ = found
    point = told[0].points[0]._replace(ordinal=1_000)
    with quick_redis() as client:
        broken = play(told[0].case._replace(point=point), client).broken
    assert [promise for promise, _ in broken] == ["the fault struck"]
