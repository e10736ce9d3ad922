"""A timeline is drawn in order, within its frame, and says where the time went."""

from __future__ import annotations

from dataclasses import replace

from service.core import model as m
from service.web.pages import timeline
from tests.web.doors import NOW
from tests.web.samples import ACTION, SETTLED

CLICKED = ACTION.clicked_at
ENTRIES = (
    m.Entry("look", CLICKED + 1500, 250.0, "w1", 200, "c0ffee", "present"),
    m.Entry("verify", CLICKED - 20, 0.2, note="secret abcd"),
    m.Entry("disconnect", CLICKED + 2000, 400.0, "w1", 409, "dead", "refused"),
    m.Entry("report", CLICKED + 12_000, 100.0, "w1", None, note="INC1: told"),
)


def test_steps_are_in_order_and_in_their_frame() -> None:
    """Whatever the order in which they were written, steps stand as they happened, and no bar leaves the drawing."""
    steps = timeline.steps(SETTLED, ENTRIES, NOW)
    assert [one.verb for one in steps] == ["verify", "look", "disconnect", "report"]
    assert [one.after for one in steps] == ["-20 ms", "+1.5 s", "+2.0 s", "+12.0 s"]
    assert [one.took for one in steps] == ["", "250 ms", "400 ms", "100 ms"]
    assert all(one.x >= 0 and one.width > 0 and one.x + one.width <= timeline.WIDTH for one in steps)
    assert [one.is_fault for one in steps] == [False, False, True, False]
    assert [one.status for one in steps] == ["", "200", "409", ""]
    assert steps[0].means == "the signature was checked"


def test_every_verb_is_explained() -> None:
    """Each of the ten verbs has words for who does not read the code; another one has none, and is shown."""
    verbs = ["verify", "parse", "accept", "claim", "look", "decide", "disconnect", "confirm", "settle", "report"]
    steps = timeline.steps(ACTION, [m.Entry(verb, CLICKED) for verb in [*verbs, "ponder"]], NOW)
    assert [bool(one.means) for one in steps] == [True] * 10 + [False]


def test_a_step_without_length_is_seen() -> None:
    """An action with one entry at the click has a bar that is seen."""
    (step,) = timeline.steps(replace(ACTION, clicked_at=NOW), [m.Entry("accept", NOW)], NOW)
    assert step.x + step.width <= timeline.WIDTH
    assert step.width > 0


def test_where_the_time_went() -> None:
    """Of the time between click and end each verb has its part, and the rest was waited; what came after counts not."""
    shares = timeline.shares(SETTLED, ENTRIES)
    assert [(one.verb, one.took, one.percent) for one in shares] == [
        ("waiting", "9.3 s", 93),
        ("disconnect", "400 ms", 4),
        ("look", "250 ms", 2),
    ]
    assert timeline.shares(ACTION, ENTRIES) == ()


def test_more_work_than_time() -> None:
    """Where clocks differ, so that the steps took longer than the whole, nothing was waited and no part is over all."""
    shares = timeline.shares(replace(SETTLED, settled_at=CLICKED + 100), [m.Entry("look", CLICKED, 400.0)])
    assert [(one.verb, one.percent) for one in shares] == [("look", 100)]
