"""After an act a page says what was done, and believes no address that says more than what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core import model as m
from service.web.console.forms import Form
from service.web.pages.notices import notice_of
from service.web.pages.one import One
from service.web.pages.watch import Pause, Standing
from tests.web.pages.test_one import shown
from tests.web.samples import ACTION, SETTLED

STANDING = Standing("acme", "live", [Pause("", m.Pause(1)), Pause("desk", m.Pause(1))])
DROPPED = replace(SETTLED, outcome=m.Outcome(m.OutcomeKind.REFUSED, "dropped"))


def said(standings: tuple[Standing, ...] = (STANDING,), one: One | None = None, **query: str) -> tuple[str, str] | None:
    """Return the tone and the words of a notice."""
    notice = notice_of(Form(list(query.items())), standings, one)
    return (notice.tone, notice.words) if notice else None


def test_nothing_was_done() -> None:
    """A page that no act led to says nothing."""
    assert said() is None
    assert said(done="won") is None


def test_paused() -> None:
    """What is paused is said to be, whole or by source; a link that lies is not repeated."""
    whole = said(done="paused", org="acme")
    part = said(done="paused", org="acme", source="desk")
    assert whole is not None
    assert part is not None
    assert whole[1].startswith("Paused: org acme.")
    assert part[1].startswith("Paused: source desk.")
    assert said(done="paused", org="acme", source="chat") is None
    assert said(done="paused", org="evil") is None
    assert said(done="resumed", org="acme") is None


def test_resumed() -> None:
    """What goes on is said to."""
    open_ = Standing("acme", "live")
    assert said((open_,), done="resumed", org="acme") == (
        "good",
        "Going on: org acme. What is still in time is done now.",
    )
    assert said((open_,), done="resumed", org="acme", source="desk") == (
        "good",
        "Going on: source desk. What is still in time is done now.",
    )


def test_replayed() -> None:
    """Only an action that asks another again is said to."""
    assert said(one=shown(replace(ACTION, replay_of="acme.0")), done="replayed") is not None
    assert said(one=shown(), done="replayed") is None
    assert said(done="replayed") is None


def test_dropped() -> None:
    """Only an action that was dropped is said to be."""
    assert said(one=shown(DROPPED), done="dropped") is not None
    assert said(one=shown(SETTLED), done="dropped") is None


@pytest.mark.parametrize("told, left, tone", [("3", "0", "good"), ("3", "1", "warn"), ("0", "2", "warn")])
def test_retold(told: str, left: str, tone: str) -> None:
    """How many are told again is said, and how many were no dead letters any more."""
    notice = said(done="retold", told=told, left=left)
    assert notice is not None
    assert notice[0] == tone
    assert notice[1].startswith(f"{told} to be told again")
    assert ("no dead letters any more" in notice[1]) is (left != "0")


@pytest.mark.parametrize("told, left", [("", "0"), ("three", "0"), ("1", "10000"), ("1", "<b>")])
def test_no_numbers(told: str, left: str) -> None:
    """Of an address nothing but small numbers is repeated."""
    assert said(done="retold", told=told, left=left) is None
