"""Dead letters say which ticket was not told, why, and of what."""

from __future__ import annotations

from dataclasses import replace

from service.core import model as m
from service.web.pages import letters
from tests.web.doors import NOW, PHONE
from tests.web.samples import REPORTS, SETTLED


def test_causes() -> None:
    """Letters stand under their cause as it was given, with their ticket, or their channel where they have none."""
    first = m.DeadLetter(replace(REPORTS[0], state=m.ReportState.DEAD, error=f"no {PHONE}"), SETTLED, NOW - 60_000)
    second = m.DeadLetter(replace(REPORTS[1], source="chat"), SETTLED, 0)
    (cause,) = letters.causes({"no \u202e…": [first, second]}, NOW)
    assert (cause.cause, cause.sources) == ("no �…", ("desk", "chat"))
    one, two = cause.letters
    assert (one.report_id, one.action_id, one.ticket, one.error) == ("r1", "acme.1", "INC1", "no …0123")
    assert (one.outcome.word, one.org, one.tries) == ("failed", "acme", 2)
    assert one.died is not None
    assert one.died.ago == "1 min ago"
    assert (two.ticket, two.died) == ("webhook", None)


def test_none() -> None:
    """Without letters there are no causes."""
    assert letters.causes({}, NOW) == []
