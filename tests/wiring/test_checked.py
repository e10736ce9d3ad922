"""One line of `onhook check`: the same for a person and for a program."""

from __future__ import annotations

import pytest

from service.store.health import Finding, Topic, Verdict
from service.wiring.checked import HERE, Line


@pytest.mark.parametrize(
    "verdict, word, may_pass",
    [
        (Verdict.FINE, "fine", False),
        (Verdict.UNKNOWN, "unknown", False),
        (Verdict.PASSING, "fault", True),
        (Verdict.LASTING, "fault", False),
    ],
)
def test_words(verdict: Verdict, word: str, may_pass: bool) -> None:
    """A verdict is one of three words, and whether a fault may pass by itself is said beside it."""
    line = Line("org acme", "login", verdict, "It is so.")
    assert line.as_json() == {
        "about": "org acme",
        "topic": "login",
        "verdict": word,
        "may_pass": may_pass,
        "sentence": "It is so.",
    }
    assert (line.word, line.is_fault, line.label) == (word, word == "fault", "org acme, login")


def test_of_redis() -> None:
    """What is found of Redis, or of the settings, needs no second name before it."""
    line = Line.of_redis(Finding(Topic.DURABILITY, Verdict.FINE, "It is on disk."))
    assert (line.about, line.label, line.sentence) == ("redis", "durability", "It is on disk.")
    assert Line(HERE, "settings", Verdict.FINE, "").label == "settings"
