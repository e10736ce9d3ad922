"""Templates: what is put into them, once, and what could have come out of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.filling import fill, is_filled, is_template

NAMES = frozenset({"note", "ticket"})
WORDS = {"note": "She was removed.", "ticket": "T-1"}


@pytest.mark.parametrize(
    "template, filled",
    [
        ("{note}", "She was removed."), ("[{ticket}] {note}", "[T-1] She was removed."), ("{other}", "{other}"),
        ("{}", "{}"), ("{ note }", "{ note }"), ("{{note}}", "{She was removed.}"), ("{NOTE}", "{NOTE}"), (7, 7),
        (None, None), (True, True), (1.5, 1.5), ([], []), ({}, {}),
        ({"a": {"b": ["{note}", 7, {"c": "{ticket}"}]}}, {"a": {"b": ["She was removed.", 7, {"c": "T-1"}]}}),
        ({"{note}": "x"}, {"{note}": "x"}),
    ],
)  # fmt: skip
def test_filled(template: object, filled: object) -> None:
    """Each place is filled in all texts, however deep; names of fields and other braces stay as they are."""
    assert fill(template, WORDS) == filled
    assert is_filled(template, filled, NAMES)


def test_what_is_put_in_is_not_filled_again() -> None:
    """A note that holds the name of a place is put in as it is."""
    assert fill("{note} {ticket}", {"note": "{ticket}", "ticket": "{note}"}) == "{ticket} {note}"


@pytest.mark.parametrize(
    "template, value",
    [
        ("{note}", 7), ("{note}", None), ("{note}", ["x"]), ("x{note}", "y"), ("{note}x", "xy"), ("{other}", "x"),
        ("a.c", "abc"), (7, 8), (7, "7"), (None, ""), ([], {}), (["{note}"], []), (["{note}"], ["x", "y"]),
        (["{note}"], "x"), ({"a": "{note}"}, {}), ({"a": "{note}"}, {"a": "x", "b": "y"}),
        ({"a": "{note}"}, {"b": "x"}),
        ({"a": "{note}"}, ["a"]), ({"a": {"b": "c"}}, {"a": {"b": "d"}}), ({"public": False}, {"public": True}),
    ],
)  # fmt: skip
def test_what_did_not_come_out_of_it(template: object, value: object) -> None:
    """Any other text, field, length or kind is no filled template."""
    assert not is_filled(template, value, NAMES)


def test_yes_is_not_one() -> None:
    """A template's yes or no is not taken for a number."""
    assert not is_filled({"public": False}, {"public": 0}, NAMES)
    assert not is_filled({"n": 1}, {"n": True}, NAMES)


def test_lines_in_a_note() -> None:
    """A note may have several lines."""
    assert is_filled("<{note}>", "<one\ntwo\r\nthree>", NAMES)


@pytest.mark.parametrize(
    "value, is_so",
    [
        (None, True), ("x", True), (True, True), (1.5, True), (2**63 - 1, True), (-(2**63) + 1, True), ([], True),
        ({"a": [{"b": None}]}, True), (2**63, False), (float("nan"), False), (float("inf"), False), ({1: "x"}, False),
        (datetime(2026, 11, 20, tzinfo=UTC), False), ([datetime(2026, 11, 20, tzinfo=UTC)], False),
        ({"a": {"b": {1}}}, False),
    ],
)  # fmt: skip
def test_what_a_template_may_hold(value: object, is_so: bool) -> None:
    """A template is what JSON can say, however deep; dates, NaN and huge numbers are not."""
    assert is_template(value) is is_so


TEMPLATES = st.recursive(
    st.integers() | st.booleans() | st.sampled_from(["{note}", "x {ticket} y", "{note}{ticket}", "plain", "{a}", "}{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)  # a busy machine is no failure
@given(TEMPLATES, st.text(max_size=40), st.text(max_size=10))
def test_whatever_is_put_in_is_known_again(template: object, note: str, ticket: str) -> None:
    """Whatever the texts are, a filled template is one, and with a text beside it it is none."""
    filled = fill(template, {"note": note, "ticket": ticket})
    assert is_filled(template, filled, NAMES)
    assert not is_filled([template], [filled, note], NAMES)
