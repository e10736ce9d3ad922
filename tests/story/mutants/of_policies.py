"""The safeguards of policies, requesters and shadow mode, one taken out at a time."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant

POLICIES = (
    Mutant(
        "a source says what it says on top of its org",
        "core/policy.py",
        (
            (
                """((f"orgs.{org}", terms.policy), (f"sources.{source}", terms.narrowed_by))""",
                """((f"orgs.{org}", terms.policy),)""",
            ),
        ),
        "tests/core/test_policy.py::test_each_setting",
    ),
    Mutant(
        "a source never widens its org's policy",
        "core/policy.py",
        (
            (
                """((f"orgs.{org}", terms.policy), (f"sources.{source}", terms.narrowed_by))""",
                """((f"sources.{source}", terms.narrowed_by),)""",
            ),
        ),
        "tests/core/test_policy.py::test_a_source_never_widens",
    ),
    Mutant(
        "only the queues that are listed",
        "core/policy.py",
        (("return bool(limits.queues and people) and", "return False and"),),
        "tests/core/test_policy.py::test_each_setting",
    ),
    Mutant(
        "a conversation that does not show its division is none of those listed",
        "core/policy.py",
        (("return shown.isdisjoint(", "return bool(shown) and shown.isdisjoint("),),
        "tests/core/test_policy.py::test_each_setting",
    ),
    Mutant(
        "only the requesters who are listed",
        "core/policy.py",
        (("return bool(limits.requesters) and", "return bool(asked.requester and limits.requesters) and"),),
        "tests/core/test_policy.py::test_each_setting",
    ),
    Mutant(
        "a supervisor is kept whatever his purpose",
        "core/policy.py",
        (("""limits.supervisors == "refuse\"""", """limits.supervisors == "never\""""),),
        "tests/core/test_rules.py::test_supervisors_are_kept_unless_the_org_says_otherwise",
    ),
    Mutant(
        "who only listens keeps nobody company",
        "core/selection.py",
        ((" and not _only_listens(p)]", "]"),),
        "tests/core/test_selection.py::test_company_is_people",
    ),
    Mutant(
        "company is people, not entries",
        "core/selection.py",
        (("return len(groups)", "return len(rest)"),),
        "tests/core/test_selection.py::test_one_user_twice_is_one_person",
    ),
    Mutant(
        "who may not ask is refused without a look",
        "core/rules.py",
        (("    Row(0, _views(), Sends.NONE, _is_asker_refused, _first),\n", ""),),
        "tests/flow/test_removal_policy.py::test_who_may_not_ask_costs_no_look",
    ),
    Mutant(
        "of a conversation out of bounds nobody is named",
        "core/rules.py",
        (("    Row(0, _NAMED, Sends.NONE, _is_place_refused, _first),\n", ""),),
        "tests/core/test_rules.py::test_each_row",
    ),
    Mutant(
        "whom a source may not remove makes nobody else the only one who fits",
        "core/rules.py",
        (
            (
                "action.progress.pin, terms.policy, action.clicked_at",
                (
                    "action.progress.pin, replace(terms.policy, purposes=terms.policy.purposes "
                    "& (terms.narrowed_by.purposes or terms.policy.purposes)), action.clicked_at"
                ),
            ),
        ),
        "tests/core/test_policy.py::test_a_narrower_source_finds_nobody_else",
    ),
    Mutant(
        "a refused requester shares no wish",
        "core/rules.py",
        (("intent_key=wish if is_shared else None", "intent_key=None if removal.preview else wish"),),
        "tests/core/test_rules_keys.py::test_who_may_not_ask_shares_no_wish",
    ),
    Mutant(
        "a live click does not end as a preview with one made in shadow",
        "core/rules.py",
        (("""mode = () if under.may_send else ("shadow",)""", "mode = ()"),),
        "tests/core/test_rules_keys.py::test_a_click_that_counts_shares_nothing_with_one_in_shadow",
    ),
    Mutant(
        "what was asked in shadow stays in shadow",
        "core/situation.py",
        (("return self.terms.may_send and not self.action.is_shadow", "return self.terms.may_send"),),
        "tests/core/test_rules.py::test_whatever_is_in_shadow_sends_nothing",
    ),
    Mutant(
        "a source in shadow sends nothing in a live org",
        "core/model/keeping.py",
        (("return self.is_live and self.narrowed_by.is_live", "return self.is_live"),),
        "tests/core/test_rules.py::test_whatever_is_in_shadow_sends_nothing",
    ),
    Mutant(
        "who asks for more than his rate is refused",
        "store/scripts/accept.lua",
        (("local is_over = counted and counted.wait > 0", "local is_over = false"),),
        "tests/store/test_redis_requesters.py::test_so_many_at_once_and_then_one_each",
    ),
    Mutant(
        "what is refused for its rate waits for no budget and no pause",
        "store/scripts/claim.lua",
        (("(now >= not_after or r.is_over_rate == '1')", "now >= not_after"),),
        "tests/store/test_redis_requesters.py::test_what_is_refused_waits_for_nothing",
    ),
    Mutant(
        "what is over the rate is no action to join",
        "store/scripts/accept.lua",
        (("if KEYS[6] and not is_over then", "if KEYS[6] then"),),
        "tests/store/test_redis_requesters.py::test_what_is_over_the_rate_is_joined_by_nothing",
    ),
    Mutant(
        "a clock that stepped back locks no requester out",
        "store/scripts/accept.lua",
        (("if tat - micros > interval * rate + 1 then tat = micros end", ""),),
        "tests/store/test_redis_requesters.py::test_a_clock_that_stepped_back_forgives",
    ),
)
