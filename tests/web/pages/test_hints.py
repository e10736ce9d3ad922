"""The usual mistakes of a sender are named on the page of the action that nothing came of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core import model as m
from service.web.pages.hints import HINTS, hints
from tests.web.doors import CONVERSATION, PHONE
from tests.web.samples import SETTLED

PERSON = "3f2a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
BY_ID = m.Selector(m.SelectorKind.PARTICIPANT_ID, PERSON)
BY_PHONE = m.Selector(m.SelectorKind.PHONE, PHONE)
NOBODY = m.Outcome(m.OutcomeKind.NOT_FOUND, "participant")
NO_CALL = m.Outcome(m.OutcomeKind.NOT_FOUND, "conversation")
GONE = m.Outcome(m.OutcomeKind.ALREADY_GONE, "gone", purpose="customer", remaining={"customer": 1, "agent": 1})


def said(outcome: m.Outcome, selector: m.Selector = BY_PHONE, **fields: object) -> tuple[str, ...]:
    """Return the hints of an action."""
    removal = replace(m.Removal(CONVERSATION, selector), **fields)  # type: ignore[arg-type]  # fields of a table
    return hints(replace(SETTLED, outcome=outcome, removal=removal))


@pytest.mark.parametrize(
    "shown, beginnings",
    [
        (
            said(NOBODY, medium=m.Medium.CHAT),
            ["The ticket asks for somebody who is there by chat;"],
        ),
        (said(NOBODY, BY_ID), ["The ticket names the person by participant id alone"]),
        (said(NOBODY, BY_ID, identity=BY_PHONE), []),
        (said(NOBODY), ["The ticket names the person by number."]),
        (said(NO_CALL, BY_ID, medium=m.Medium.CHAT), ["The conversation's id is of no conversation of org acme."]),
        (said(GONE, BY_ID), ["Whoever had this participant id has left, and somebody else with the role “customer”"]),
        (said(replace(GONE, remaining={"agent": 2}), BY_ID), []),
        (said(GONE), []),
        (said(m.Outcome(m.OutcomeKind.DISCONNECTED, "confirmed"), BY_ID, medium=m.Medium.CHAT), []),
        (hints(replace(SETTLED, outcome=None)), []),
    ],
)
def test_hints(shown: tuple[str, ...], beginnings: list[str]) -> None:
    """A hint is given where the action bears it out, and nowhere else; no hole is left in it."""
    assert len(shown) == len(beginnings)
    assert all(one.startswith(beginning) for one, beginning in zip(shown, beginnings, strict=True))
    assert not [one for one in shown if "{" in one]


def test_every_hint_fits_somewhere() -> None:
    """No hint is one that nobody ever reads."""
    shown = [
        *said(NOBODY, medium=m.Medium.CHAT),
        *said(NOBODY, BY_ID),
        *said(NOBODY),
        *said(NO_CALL),
        *said(GONE, BY_ID),
    ]
    assert len(set(shown)) == len(HINTS)
