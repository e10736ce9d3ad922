"""What a new action, an outcome and an org's terms are before anybody says more."""

from dataclasses import fields, is_dataclass

import pytest

from service.core import model
from service.core.model import keeping
from service.core.model.keeping import ActionState, Limits, Outcome, OutcomeKind, Policy, Progress, ReportState, Terms
from tests.core.scenes import action


def test_a_new_action_has_nothing_behind_it() -> None:
    """A new action is pending, with nothing sent, nobody pinned and no lapse."""
    new = action()
    assert (new.state, new.sends, new.lapses, new.outcome, new.seen_at) == (ActionState.PENDING, (), 0, None, 0)
    assert new.progress == Progress()


def test_what_an_org_allows_by_itself() -> None:
    """Customers and external people may be removed, the last pair too, and a live org is live."""
    assert Policy() == Policy(frozenset({"customer", "external"}), "allow", supervisors="refuse", requester_rate=0)
    assert Terms() == Terms(Policy(), is_live=True, narrowed_by=Limits())
    assert Terms().may_send


def test_a_source_says_nothing_by_itself() -> None:
    """Limits that nobody set let everything through, so the org's policy stands alone."""
    assert Limits() == Limits(None, "allow", frozenset(), frozenset(), frozenset(), "allow", 0, is_live=True)


def test_org_and_source_must_both_be_live() -> None:
    """Something may be sent only where neither says shadow."""
    modes = [
        Terms(is_live=org, narrowed_by=Limits(is_live=own)).may_send for org in (True, False) for own in (True, False)
    ]
    assert modes == [True, False, False, False]


@pytest.mark.parametrize("noun", [it for it in vars(model).values() if isinstance(it, type) and is_dataclass(it)])
def test_values_are_frozen(noun: type) -> None:
    """No noun can be changed or added to where it lies: a decision rests on what it was given."""
    assert noun.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has them
    assert "__slots__" in vars(noun)


def test_the_words_of_the_design() -> None:
    """Eight outcomes, two states of an action, four of a report, each called as in the glossary."""
    assert " ".join(OutcomeKind) == ("disconnected already_gone not_found refused expired failed unknown previewed")
    assert (list(ActionState), list(ReportState)) == (["pending", "settled"], ["waiting", "due", "told", "dead"])


def test_two_lives_never_share_a_default() -> None:
    """The empty mappings of two outcomes and two progresses are two."""
    assert Outcome(OutcomeKind.FAILED, "").remaining is not Outcome(OutcomeKind.FAILED, "").remaining
    assert Progress().bystanders is not Progress().bystanders
    of_a_claim = {"lease", "action", "now_at", "lease_until", "epoch", "is_look_paid"}
    assert {field.name for field in fields(keeping.Claim)} == of_a_claim
