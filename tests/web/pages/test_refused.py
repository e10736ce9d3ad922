"""Refused deliveries are grouped by why, and each reason says what to do about it."""

from __future__ import annotations

import pytest

from service.core import errors
from service.core import model as m
from service.web import problems
from service.web.pages import refused
from tests.web.doors import NOW


def refusal(code: str, reason: str, ago: int = 0, fingerprint: str = "") -> m.Refusal:
    """Return a refused delivery."""
    return m.Refusal("desk", NOW - ago * 1000, code, reason, 100, fingerprint)


def test_the_same_reason_is_one() -> None:
    """Refusals that differ in their numbers alone are one reason, told as the newest was, with all their secrets."""
    shown = refused.refused_of(
        "desk",
        [
            refusal("unauthorized", "webhook-timestamp is +400 s from our clock", 1, "aaaa0000"),
            refusal("unauthorized", "webhook-timestamp is +390 s from our clock", 60, "bbbb0000"),
            refusal("malformed", "not JSON", 90),
            refusal("unauthorized", "webhook-timestamp is +380 s from our clock", 120, "aaaa0000"),
        ],
        NOW,
    )
    clock, body = shown.reasons
    assert (shown.count, clock.count, body.count) == (4, 3, 1)
    assert clock.reason == "webhook-timestamp is +400 s from our clock"
    assert clock.fingerprints == ("aaaa0000", "bbbb0000")
    assert clock.first is not None
    assert clock.last is not None
    assert (clock.first.ago, clock.last.ago) == ("2 min ago", "just now")
    assert [one.code for one in shown.newest] == ["unauthorized", "unauthorized", "malformed", "unauthorized"]


def test_single_ones_are_few() -> None:
    """However many were refused, the newest alone are shown one by one."""
    shown = refused.refused_of("desk", [refusal("too_large", "x")] * 200, NOW)
    assert (shown.count, len(shown.newest)) == (200, refused.NEWEST)


def test_a_hostile_reason() -> None:
    """A reason that repeats a sender's words loses what turns it and whole numbers."""
    (reason,) = refused.refused_of("desk", [refusal("unreadable", "“\u202e+14155550123”")], NOW).reasons
    assert reason.reason == "“�…0123”"


def test_a_wrong_secret() -> None:
    """What no secret had signed names the command that finds the cause, for this very source."""
    said = refused.remedy("desk", "unauthorized", "")
    assert "sources.desk.secrets" in said
    assert "onhook verify --source desk" in said
    assert "{" not in said


def test_a_wrong_clock() -> None:
    """What was signed and came late names the secret, and the clocks."""
    said = refused.remedy("desk", "unauthorized", "aaaa0000")
    assert "fingerprint aaaa0000" in said
    assert "clocks" in said


CODES = sorted(
    {kind.code for kind in errors.Refused.__subclasses__()}
    | {"incomplete", problems.STORE_DOWN.code, problems.DRAINING.code, problems.UNEXPECTED.code}
)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_remedy(code: str) -> None:
    """For each code that a door refuses by, the page says what to do."""
    assert refused.remedy("desk", code, "") != refused.remedy("desk", "a code of next year", "")


def test_another_code() -> None:
    """A code that the page does not know sends the reader to the log."""
    assert "delivery.refused" in refused.remedy("desk", "a code of next year", "")
