"""One line of `onhook check`: the same for a person and for a program."""

from __future__ import annotations

import json

import pytest

from service.store.health import Finding, Topic, Verdict
from service.wiring.checked import HERE, Line, shown


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


def test_shown() -> None:
    """A person reads aligned lines, a program one document; a single fault is enough to be not fine."""
    lines = [Line(HERE, "settings", Verdict.FINE, "One."), Line("org a", "login", Verdict.UNKNOWN, "Two.")]
    assert shown(lines, as_json=False) == ("fine     settings:     One.\nunknown  org a, login: Two.", True)
    lines.append(Line("redis", "reach", Verdict.PASSING, "Three."))
    text, is_fine = shown(lines, as_json=True)
    assert (json.loads(text)["is_fine"], is_fine, len(json.loads(text)["checks"])) == (False, False, 3)
