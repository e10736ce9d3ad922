"""How an action ends is said in the same words by whoever ends it."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.store import ending
from service.store.keys import Keys, Lives
from tests.store.stories import GONE, LOOKED, ORG

ACTION = f"{ORG}.{1:026d}"


def _words(outcome: m.Outcome, seen_ago_seconds: float | None = None) -> list[str]:
    return ending.words_of(Keys(), Lives(), ACTION, outcome, seen_ago_seconds=seen_ago_seconds, entries=[LOOKED])


def test_the_keys_of_an_end() -> None:
    """An end takes the action, its timeline, what is due, and what led to it; all of one org."""
    names = ["action:" + ACTION, "timeline:" + ACTION, "due:removals", "deliveries:" + ACTION]
    assert ending.keys_of(Keys(), ACTION) == ["onhook:{acme}:" + name for name in names]
    with pytest.raises(ValueError, match="not an action id"):
        ending.keys_of(Keys(), "acme.x")


@pytest.mark.parametrize("kind", m.OutcomeKind)
def test_the_words_of_an_end(kind: m.OutcomeKind) -> None:
    """A later click joins only where the person was seen gone; only what we removed counts by how long it took."""
    words = _words(m.Outcome(kind, "why"), 0.25)
    is_gone = kind in {m.OutcomeKind.DISCONNECTED, m.OutcomeKind.ALREADY_GONE}
    assert words[:4] == ["settled", ACTION, ORG, "onhook:wake"]
    assert words[4].startswith(f'{{"kind":"{kind}",')  # the scripts read the kind there
    assert words[5:9] == ["1" if is_gone else "", "250", "waiting", "due"]
    assert words[9:13] == [str(Lives().action), str(Lives().delivery), str(Lives().hash_only), str(Lives().ownership)]
    assert words[13:16] == [str(Lives().audit), kind, f'"{kind}","why"']
    assert words[16] == ("0.5 1.0 2.0 5.0 10.0 30.0" if kind is m.OutcomeKind.DISCONNECTED else "")
    assert words[17:19] == ["1", "look"]


def test_an_end_without_a_look() -> None:
    """Where no look was needed, none is said."""
    assert _words(GONE)[6] == ""
    assert _words(GONE, -1.0)[6] == "0"
