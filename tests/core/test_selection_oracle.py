"""From raw JSON to who is meant: over generated conversations of all media, never a wrong target, and never a crash."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.rules import Disconnect, decide, remember, situation_of
from service.core.selection import Selection, View, select
from service.genesys.wire import conversation_in, json_in
from tests.core.documents import ARRAYS, CID, CLICKED_AT, SYSTEM, Case, Json, cases, pinned_in, policies
from tests.core.oracle import Someone, Verdict, pinned, roll, verdict
from tests.core.scenes import NOW, action
from tests.findings import write_evidence

FULL = 10_000
SIZES = [FULL // 10, pytest.param(FULL, marks=pytest.mark.slow)]
PIN_SEEDS = st.none() | st.integers(0, 2**64 - 1)
NOVELTIES: list[Any] = ["novel", 7, None, [], {}, True, "disconnected", {"id": CID}]


def seen(document: Json) -> m.Conversation:
    """What the look reads in a document, from its bytes on."""
    sight = conversation_in(json_in(json.dumps(document).encode()), CID, m.Reply(200))
    assert sight is not None
    return sight


def said(selection: Selection) -> Verdict:
    """A selection in the words of the oracle."""
    if selection.view is View.SEVERAL:
        ids = frozenset(one.id for one in selection.candidates)
        return Verdict("contradictory" if selection.is_contradictory else "ambiguous", ids)
    return Verdict(selection.view.value, frozenset({selection.person.id} if selection.person else ()))


def target_of(one: Someone, wish: m.Removal) -> m.Target:
    """The target that somebody is: the legs that are there, the first medium of theirs, the one leg if one is meant."""
    legs = sorted(one.open, key=lambda leg: ARRAYS.index(leg[1]))
    medium = m.Medium(legs[0][1])  # calls come first of all
    named = (wish.selector, wish.identity)
    leg = next((it.value for it in named if it and it.kind is m.SelectorKind.COMMUNICATION_ID), "")
    return m.Target(one.id, tuple(id_ for id_, _ in legs), one.purpose, medium, one.user, leg)


def pin_of(case: Case, seed: int | None) -> m.Target | None:
    """Somebody pinned, or nobody."""
    return None if seed is None else pinned_in(case, seed)


@pytest.mark.parametrize("size", SIZES)
def test_never_a_wrong_target(size: int) -> None:
    """Who is selected, with and without a pin, is whom the oracle means; every view and every way to name is met."""
    met: Counter[str] = Counter()

    @settings(max_examples=size)
    @given(cases, policies, PIN_SEEDS, st.sampled_from([CLICKED_AT, CLICKED_AT, None]))
    def agree(case: Case, policy: m.Policy, pin_seed: int | None, clicked_at: int | None) -> None:
        document, wish, pin = case.document, case.wish, pin_of(case, pin_seed)
        selection = select(wish, seen(document), pin, policy, clicked_at)
        right = pinned(document, wish, policy, pin) if pin else verdict(document, wish, policy, clicked_at)
        assert said(selection) == right
        if selection.view is View.PRESENT:
            (one,) = [it for it in roll(document, wish, policy) if it.id in right.ids]
            assert selection.target == target_of(one, wish)
            met[f"present by {wish.selector.kind.value}"] += 1
            met[f"present by {selection.target.medium}"] += 1
        met[right.word] += 1

    agree()
    views = {"no_legs", "nobody", "only_gone", "ambiguous", "contradictory", "present", "unlisted", "gone", "back"}
    ways = {f"present by {kind.value}" for kind in m.SelectorKind}
    assert not (views | ways) - set(met), "the pools no longer make all of them"
    if size == FULL:
        assert {f"present by {medium}" for medium in m.Medium} <= set(met)
        write_evidence(
            "selection", command="python -m pytest tests/core/test_selection_oracle.py -m slow", counters=dict(met),
            findings=[],
        )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_never_a_leg_of_the_platform(size: int) -> None:
    """Who is removed is there, is allowed and is the pinned one, and with the policy as it comes nobody of a system."""
    removed: Counter[str] = Counter()

    @settings(max_examples=size)
    @given(cases, policies, PIN_SEEDS)
    def hold(case: Case, policy: m.Policy, pin_seed: int | None) -> None:
        document, wish, pin = case.document, case.wish, pin_of(case, pin_seed)
        asked = replace(action(progress=m.Progress(pin=pin)), removal=wish, clicked_at=CLICKED_AT)
        decision = decide(situation_of(asked, seen(document), m.Terms(policy), NOW))
        if not isinstance(decision, Disconnect):
            return
        target = decision.target
        (one,) = [it for it in roll(document, wish, policy) if it.id == target.participant_id]
        assert one.whereabouts == "here"
        assert one.purpose in policy.purposes
        assert one.purpose not in SYSTEM or (one.purpose == "acd" and "acd" in policy.purposes)
        assert pin in {None, target}
        assert {id_ for id_, _ in one.open} & set(target.leg_ids)
        removed[wish.selector.kind.value] += 1
        removed["pinned"] += pin is not None

    hold()
    assert removed["pinned"]
    assert all(removed[kind.value] for kind in m.SelectorKind), removed


@settings(max_examples=150)
@given(cases, policies, PIN_SEEDS, st.permutations(range(5)))
def test_order_never_matters(case: Case, policy: m.Policy, pin_seed: int | None, order: list[int]) -> None:
    """In whatever order Genesys lists the participants, the same is decided, told and kept."""
    document, pin = case.document, pin_of(case, pin_seed)
    asked = replace(action(progress=m.Progress(pin=pin)), removal=case.wish)
    people = document["participants"]
    shuffled = document | {"participants": [people[at] for at in order if at < len(people)]}
    one, two = (situation_of(asked, seen(it), m.Terms(policy), NOW) for it in (document, shuffled))
    assert (one.selection, decide(one), remember(one)) == (two.selection, decide(two), remember(two))


@settings(max_examples=150)
@given(cases, policies, st.dictionaries(st.text(max_size=3).map("x".__add__), st.sampled_from(NOVELTIES)))
def test_what_is_new_means_nothing(case: Case, policy: m.Policy, news: dict[str, Any]) -> None:
    """Fields that a later Genesys adds, anywhere, change nothing of who is meant."""

    def renewed(part: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(part, list):
            return [renewed(it) for it in part]
        return {name: renewed(it) for name, it in part.items()} | news if isinstance(part, dict) else part

    document, wish = case.document, case.wish
    people = [renewed(one) | {"attributes": one.get("attributes")} for one in document["participants"]]
    later = renewed(document) | {"participants": people}
    assert select(wish, seen(later), None, policy) == select(wish, seen(document), None, policy)


@settings(max_examples=150)
@given(cases, policies, st.sampled_from(["held", "queued2", "TERMINATING", "", 7, None]))
def test_an_unknown_state_is_present(case: Case, policy: m.Policy, state: object) -> None:
    """A word for a state that nobody knows yet counts as connected does: nobody is called gone by it."""
    document, wish = case.document, case.wish

    def stated(word: object) -> Json:
        people: list[Json] = []
        for one in document["participants"]:
            legs = {array: [leg | {"state": word} for leg in one.get(array) or []] for array in ARRAYS}
            people.append(one | legs)
        return document | {"participants": people}

    known, unknown = (select(wish, seen(stated(word)), None, policy) for word in ("connected", state))
    assert (said(known), known.target) == (said(unknown), unknown.target)
