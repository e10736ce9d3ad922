"""The safeguards that stand in core, each taken out once."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

_PRESENT_OURS = "Row(14, _PRESENT, Sends.OURS, _last_is_in_window, _confirm),"

RULES = (
    Mutant(
        "disconnected only after a look showed it (the confirming look)",
        "core/rules.py",
        ((_PRESENT_OURS, _PRESENT_OURS.replace("_confirm", "_gone")),),
        "tests/flow/test_removal_answers.py::test_no_effect",
    ),
    Mutant(
        "not sent again within the confirm window",
        "core/rules.py",
        ((_PRESENT_OURS, _PRESENT_OURS.replace("_last_is_in_window", "lambda _: False")),),
        "tests/flow/test_removal_answers.py::test_state_that_lags",
    ),
    Mutant(
        "failed only when quiet (row 18)",
        "core/rules.py",
        (("Row(17, _PRESENT, Sends.SOME, lambda s: not s.is_quiet", "Row(17, _PRESENT, Sends.SOME, lambda _: False"),),
        "tests/core/test_rules.py::test_each_row",
    ),
    Mutant(
        "a lost participant is unknown only when quiet (row 11)",
        "core/rules.py",
        (("Row(11, _LOST, Sends.ANY, lambda s: not s.is_quiet", "Row(11, _LOST, Sends.ANY, lambda _: False"),),
        "tests/core/test_rules.py::test_each_row",
    ),
    Mutant(
        "a 404 after a send is no proof (row 7)",
        "core/rules.py",
        (
            (
                "Row(7, _ABSENT, Sends.OURS, lambda s: not s.is_quiet, _confirm)",
                "Row(7, _ABSENT, Sends.OURS, _always, _gone)",
            ),
        ),
        "tests/flow/test_removal_answers.py::test_the_conversation_vanishes_after_the_send",
    ),
    Mutant(
        "two looks that find nobody must agree",
        "core/rules.py",
        (("lambda s: not s.is_agreed and _in_verify_budget(s), _until_agreed", "lambda _: False, _until_agreed"),),
        "tests/flow/test_removal.py::test_not_found_takes_two_looks",
    ),
    Mutant(
        "nothing is decided to be sent past not-after",
        "core/rules.py",
        (
            (
                "Row(1, _views(), Sends.NONE, lambda s: s.is_late, _expired)",
                "Row(1, _views(), Sends.NONE, lambda _: False, _expired)",
            ),
        ),
        "tests/core/test_rules.py::test_each_row",
    ),
    Mutant(
        "an action that kills its workers is given up",
        "core/rules.py",
        (("return s.action.lapses >= POISON_LAPSES", "return s.action.lapses >= 99 * POISON_LAPSES"),),
        "tests/flow/test_removal_zombies.py::test_poison_unsent",
    ),
    Mutant(
        "shadow mode sends nothing",
        "core/rules.py",
        (("if not s.is_live:", "if s.is_live and s.action.removal.preview:"),),
        "tests/flow/test_removal.py::test_terms_forbid_the_send",
    ),
    Mutant(
        "a preview sends nothing",
        "core/rules.py",
        (("if s.action.removal.preview:", "if s.action.removal.preview and not s.terms.is_live:"),),
        "tests/flow/test_removal.py::test_preview",
    ),
    Mutant(
        "previews share no wish with real ones",
        "core/rules.py",
        (("may_ask and not removal.preview", "may_ask"),),
        "tests/core/test_rules_keys.py::test_a_preview_shares_no_wish",
    ),
    Mutant(
        "bystanders are those of before the send",
        "core/rules.py",
        (("if pin and view is View.PRESENT and not situation.ours:", "if pin:"),),
        "tests/core/test_rules.py::test_what_is_kept_of_a_look",
    ),
    Mutant(
        "the allow-list of purposes",
        "core/policy.py",
        (("and asked.person.purpose not in limits.purposes", "and not limits.purposes"),),
        "tests/flow/test_removal.py::test_terms_forbid_the_send",
    ),
    Mutant(
        "the last pair is kept where the org says so",
        "core/policy.py",
        (("""limits.last_pair == "refuse\"""", """limits.last_pair == "never\""""),),
        "tests/core/test_rules.py::test_the_last_pair_is_kept_where_the_org_says_so",
    ),
    Mutant(
        "nothing is sent again past not-after",
        "core/situation.py",
        (("            and not self.is_late\n", ""),),
        "tests/core/test_situation.py::test_another_send",
    ),
    Mutant(
        "at most three sends that may have landed",
        "core/situation.py",
        (("            and len(self.ours) < MOST_OURS\n", ""),),
        "tests/flow/test_removal_answers.py::test_no_effect",
    ),
    Mutant(
        "at most four refusals",
        "core/situation.py",
        (("            and len(self.refused) < MOST_REFUSED\n", ""),),
        "tests/flow/test_removal_answers.py::test_already_ended_and_still_there",
    ),
    Mutant(
        "a send without an answer counts as ours",
        "core/model/seeing.py",
        (
            (
                "return self.answer is None or self.answer.kind in",
                "return self.answer is not None and self.answer.kind in",
            ),
        ),
        "tests/core/test_situation.py::test_whose_sends_count",
    ),
    Mutant(
        "who fits several is nobody",
        "core/selection.py",
        (('if len(rest_and_others) == 1 or (len(users) == 1 and "" not in users):', "if rest:"),),
        "tests/flow/test_removal.py::test_ambiguous_removes_nobody",
    ),
    Mutant(
        "who came back is not for an old click",
        "core/selection.py",
        (("present = [p for p in present if p.joined_at <= clicked_at]", "present = list(present)"),),
        "tests/core/test_selection.py::test_an_old_click_is_not_for_who_came_back",
    ),
    Mutant(
        "who came back on another leg is left alone",
        "core/selection.py",
        (
            (
                "return Selection(View.BACK if is_back else View.UNLISTED, person)",
                "return Selection(View.PRESENT if is_back else View.UNLISTED, person)",
            ),
        ),
        "tests/flow/test_removal_people.py::test_back_on_another_leg_before_the_confirming_look",
    ),
    Mutant(
        "an agent's leg is not known by the caller's number",
        "core/selection.py",
        (
            (
                "return person.purpose in policy.purposes and person.purpose not in _BORROWERS",
                "return person.purpose in policy.purposes",
            ),
        ),
        "tests/core/test_selection.py::test_a_borrowed_number_names_nobody",
    ),
    Mutant(
        "an id is a UUID, or nothing",
        "core/model/asking.py",
        (("return lowered if UUID.fullmatch(lowered) else None", "return lowered or None"),),
        "tests/sources/test_reading.py::test_evil_ids",
    ),
)
