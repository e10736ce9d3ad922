"""The safeguards of who is meant: each taken out once."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_WAYS = "tests/core/test_selection_ways.py::"

PEOPLE = (
    Mutant(
        "where one leg is named, it alone is the target",
        "core/selection.py",
        (("return replace(found, leg_id=leg_of(removal))", "return found"),),
        _WAYS + "test_one_leg_is_the_target",
    ),
    Mutant(
        "a leg is judged by itself",
        "core/selection.py",
        ((' and leg_id in {"", leg.id}', ""),),
        _WAYS + "test_a_leg_is_judged_by_itself",
    ),
    Mutant(
        "who stays by another leg is still there",
        "core/selection.py",
        (('return leg_id != "" and replace(person, legs=others).is_present', "return False"),),
        _WAYS + "test_who_stays_by_another_leg_is_told",
    ),
    Mutant(
        "two of a purpose are two, whatever their media",
        "core/selection.py",
        (("    if removal.selector.kind in _LIKENESSES:\n", "    if removal is None:\n"),),
        _WAYS + "test_two_alike_are_two",
    ),
    Mutant(
        "who left since the click may be the one it meant",
        "core/selection.py",
        (("[p for p in gone if clicked_at is not None and not 0 < p.left_at <= clicked_at]", "[]"),),
        _WAYS + "test_who_left_since_the_click_may_be_meant",
    ),
    Mutant(
        "a purpose means nobody that the policy does not name",
        "core/selection.py",
        (("p.purpose == value and value in policy.purposes", "p.purpose == value"),),
        _WAYS + "test_a_purpose_of_the_platform",
    ),
    Mutant(
        "a copied attribute names nobody",
        "core/selection.py",
        (("_has(p, value) and _is_own(p, policy)", "_has(p, value)"),),
        _WAYS + "test_a_copied_attribute_names_nobody",
    ),
    Mutant(
        "an attribute fits exactly",
        "core/selection.py",
        (
            (
                'return said != "" and (key, said) in person.attributes',
                'return attribute in {f"{name}={value}" for name, value in person.attributes}',
            ),
        ),
        _WAYS + "test_an_attribute_fits_exactly",
    ),
    Mutant(
        "a likeness never stands in for a name",
        "core/selection.py",
        (("if first.kind not in _STALE or second.kind in _LIKENESSES:", "if first.kind not in _STALE:"),),
        _WAYS + "test_a_likeness_only_checks",
    ),
    Mutant(
        "a number does not stand in for another contact",
        "core/selection.py",
        (
            (
                "same if first.kind is m.SelectorKind.PARTICIPANT_ID else [p for p in same if not _denies(p, first)]",
                "same",
            ),
        ),
        _WAYS + "test_another_contact_is_another_person",
    ),
    Mutant(
        "an attribute that is too long is no other one",
        "genesys/wire.py",
        ((" and len(v) <= _LONGEST_VALUE]", "]"), ("[(k, v) for k, v in pairs", "[(k, v[:1024]) for k, v in pairs")),
        "tests/genesys/test_wire.py::test_attributes_are_texts",
    ),
    Mutant(
        "an attribute's value is masked once it is over",
        "core/model/asking.py",
        (('return Selector(self.kind, f"{key}{equals}{_cut(said)}")', "return self"),),
        "tests/store/test_records.py::test_masking",
    ),
    Mutant(
        "a replay of one leg stays with that leg",
        "flow/operations.py",
        (("selector=leg if pin.communication_id else person", "selector=person"),),
        "tests/flow/test_operations.py::test_a_replay_means_the_same",
    ),
    Mutant(
        "a replay of a purpose means the same person",
        "flow/operations.py",
        (("(is_cut or removal.selector.kind is m.SelectorKind.PURPOSE)", "is_cut"),),
        "tests/flow/test_operations.py::test_a_replay_means_the_same",
    ),
)
