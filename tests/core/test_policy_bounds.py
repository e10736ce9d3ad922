"""By which bounds a delivery is counted: its source's, and its requester's where he may remove somebody."""

from dataclasses import replace

from service.core import model as m
from service.core.policy import bounds_of
from tests.core.limits import with_limits
from tests.core.test_rules_keys import WISH, offer

TERMS = m.SourceTerms("desk", "main", 120.0, ("ticket",), rate=9, runaway=5)
BETH = replace(WISH, requester="Beth")


def test_the_bounds_are_the_settings() -> None:
    """Rate and runaway are the source's, the backlog is what is said; without any, nothing is bounded or counted."""
    bounds = bounds_of(offer(BETH), TERMS, 100)
    assert (bounds.rate, bounds.backlog, bounds.runaway) == (9, 100, 5)
    assert bounds_of(offer(BETH), replace(TERMS, rate=0, runaway=0), 0) == m.Bounds()


def test_who_is_counted_as_one() -> None:
    """One requester of one source is one, however it is written, and so are all whom the source does not name."""

    def clicker(requester: str, source: str = "desk") -> str:
        return bounds_of(offer(replace(WISH, requester=requester)), replace(TERMS, name=source), 0).clicker

    assert clicker("Beth") == clicker("BETH")
    assert len({clicker("beth"), clicker("joe"), clicker(""), clicker("beth", "second")}) == 4
    assert all(len(clicker(name)) == 64 for name in ("", "beth"))


def test_who_removes_nobody_does_not_run_away() -> None:
    """A preview, and who may not ask at all, stop nobody else; the rate and the backlog count them all the same."""
    under = with_limits("policy", requesters=frozenset({"joe"}))
    for made in (offer(replace(BETH, preview=True)), offer(BETH, under=under)):
        assert bounds_of(made, TERMS, 100) == m.Bounds(rate=9, backlog=100)
