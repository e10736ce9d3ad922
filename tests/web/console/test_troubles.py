"""Whatever goes wrong at the console is said in words: what it is, and what to do; of our own faults, nothing."""

from __future__ import annotations

import pytest

from service.core.errors import Malformed, StoreDown, UnknownVersion, Unreadable
from service.web.console import troubles
from service.web.console.troubles import Trouble, TurnedAway, trouble_of

ALL = [one for one in vars(troubles).values() if isinstance(one, Trouble)]


@pytest.mark.parametrize(
    "fault, status, sentence",
    [
        (TurnedAway(troubles.FOR_OPERATORS), 403, troubles.FOR_OPERATORS.sentence),
        (Unreadable("Say within how many seconds."), 422, "Say within how many seconds."),
        (Malformed("No form."), 400, "No form."),
        (StoreDown("redis://secret@host"), 503, troubles.STORE_AWAY.sentence),
        (UnknownVersion("schema '2'"), 503, troubles.NEWER.sentence),
        (KeyError("canary"), 500, "Something went wrong here."),
    ],
)
def test_faults(fault: Exception, status: int, sentence: str) -> None:
    """Each fault has its page, and no page says what only the log may know."""
    trouble = trouble_of(fault)
    assert (trouble.status, trouble.sentence) == (status, sentence)


@pytest.mark.parametrize(
    "trouble", [*ALL, troubles.too_many(7), troubles.wrong_method("POST")], ids=lambda one: one.title
)
def test_each_says_what_to_do(trouble: Trouble) -> None:
    """Each trouble is told in whole sentences, with advice."""
    assert 400 <= trouble.status < 600
    for sentence in (trouble.sentence, trouble.advice):
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def test_when_and_how() -> None:
    """Who may come again later hears when; who used a wrong method, the right ones."""
    assert troubles.too_many(7).headers == {"Retry-After": "7"}
    assert troubles.STORE_AWAY.headers == {"Retry-After": "5"}
    assert troubles.wrong_method("GET, HEAD").headers == {"Allow": "GET, HEAD"}
