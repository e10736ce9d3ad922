"""The policy as a table, asked of the org's section and of the source's; and that a source never widens its org's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core import model as m
from service.core.policy import GROUNDS, Asked, over_rate, refusal
from service.core.rules import Disconnect, decide, situation_of
from tests.core.limits import SECTIONS, with_limits
from tests.core.scenes import (
    AGENT_THERE,
    CALLER,
    CALLER_THERE,
    NOW,
    ORG,
    OTHER_THERE,
    SUPERVISOR_THERE,
    action,
    conversation,
    person,
)

SALES, SUPPORT = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
ACD = replace(person("dddddddd-0000-4000-8000-000000000001", "acd"), queue_id=SALES)
IN_SALES = conversation(CALLER_THERE, AGENT_THERE, SUPERVISOR_THERE, ACD)
HOME = m.Division(SALES, "Vertrieb Süd")
AT_HOME = replace(IN_SALES, divisions=(m.Division(SUPPORT), HOME))
LISTENING = replace(SUPERVISOR_THERE, media_roles=("monitor",))


def asked(
    talk: m.Conversation = IN_SALES, who: m.Participant | None = CALLER_THERE, requester: str = "Beth.Anglin"
) -> Asked:
    """A removal of the caller by Beth, unless another is said."""
    return Asked(requester, talk, who)


def words(*said: str) -> frozenset[str]:
    """A list as a setting has it."""
    return frozenset(said)


# (the limits, what is asked, the reason of the refusal or "", the setting that it names)
TABLE: list[tuple[dict[str, object], Asked, str, str]] = [
    ({}, asked(), "", ""),
    # purposes
    ({"purposes": words("external")}, asked(), "purpose", "purposes"),
    ({"purposes": words()}, asked(), "purpose", "purposes"),
    ({"purposes": words("customer")}, asked(), "", ""),
    ({"purposes": words("customer")}, asked(who=person(CALLER, "")), "purpose", "purposes"),
    ({"purposes": words("customer")}, asked(who=person(CALLER, "brandnew")), "purpose", "purposes"),
    ({"purposes": words("customer")}, asked(who=ACD), "purpose", "purposes"),
    # queues
    ({"queues": words(SALES)}, asked(), "", ""),
    ({"queues": words(SALES, SUPPORT)}, asked(), "", ""),
    ({"queues": words(SUPPORT)}, asked(), "queue", "queues"),
    ({"queues": words(SUPPORT)}, asked(who=None), "queue", "queues"),
    ({"queues": words(SUPPORT)}, asked(conversation()), "", ""),  # nobody is listed yet: nothing is known
    ({"queues": words(SALES)}, asked(conversation(CALLER_THERE, AGENT_THERE)), "queue", "queues"),
    # divisions
    ({"divisions": words(SALES)}, asked(AT_HOME), "", ""),
    ({"divisions": words("VERTRIEB süd")}, asked(AT_HOME), "", ""),
    ({"divisions": words("Vertrieb")}, asked(AT_HOME), "division", "divisions"),
    ({"divisions": words(SALES)}, asked(), "division", "divisions"),  # none is shown
    ({"divisions": words("")}, asked(AT_HOME), "division", "divisions"),  # a division without a name is not every one
    # requesters
    ({"requesters": words("beth.anglin")}, asked(), "", ""),
    ({"requesters": words("BETH.ANGLIN", "x")}, asked(), "", ""),
    ({"requesters": words("beth")}, asked(), "requester", "requesters"),
    ({"requesters": words("beth.anglin")}, asked(requester=""), "requester", "requesters"),
    ({"requesters": words("beth.anglin")}, Asked("mallory"), "requester", "requesters"),
    # supervisors
    *(
        ({"supervisors": "refuse"}, asked(who=replace(CALLER_THERE, media_roles=roles)), reason, setting)
        for roles, reason, setting in (
            ((), "", ""),
            (("full",), "", ""),
            (("brandnew",), "", ""),
            (("monitor",), "supervisor", "supervisors"),
            (("coach",), "supervisor", "supervisors"),
            (("full", "barge"), "supervisor", "supervisors"),
        )
    ),
    # the last pair
    ({"last_pair": "refuse"}, asked(), "", ""),
    ({"last_pair": "refuse"}, asked(conversation(CALLER_THERE, AGENT_THERE, ACD)), "last_pair", "last_pair"),
    ({"last_pair": "refuse"}, asked(conversation(CALLER_THERE, AGENT_THERE, LISTENING)), "last_pair", "last_pair"),
    ({"last_pair": "allow"}, asked(conversation(CALLER_THERE, AGENT_THERE)), "", ""),
    # several at once: who asks, then where, then whom
    ({"requesters": words("x"), "queues": words(SUPPORT), "purposes": words()}, asked(), "requester", "requesters"),
    ({"queues": words(SUPPORT), "divisions": words("x"), "purposes": words()}, asked(), "queue", "queues"),
    ({"divisions": words("x"), "purposes": words(), "last_pair": "refuse"}, asked(), "division", "divisions"),
]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("limits, wish, reason, setting", TABLE)
def test_each_setting(limits: dict[str, object], wish: Asked, reason: str, setting: str, section: str) -> None:
    """What a setting forbids is refused for its reason, and the very setting is named, the org's or the source's."""
    terms = with_limits(section, **limits)
    refusing = [f"{SECTIONS[section]}.{setting}"]
    if section == "narrowed_by" and refusal(m.Terms(), ORG, "desk", wish):
        refusing.insert(0, f"orgs.main.{setting}")  # what an org does not allow unless it is told to
    assert refusal(terms, ORG, "desk", wish) == ((reason, " + ".join(refusing)) if reason else None)


def test_every_ground_has_a_case() -> None:
    """No ground of refusal goes without a case above, and each is named after a setting there is."""
    assert {ground.reason for ground in GROUNDS} == {reason for _, _, reason, _ in TABLE if reason}
    assert {ground.setting for ground in GROUNDS} <= set(m.Limits.__dataclass_fields__)


def test_both_that_refuse_are_named() -> None:
    """Where org and source refuse the same, it takes both settings, and both are said."""
    terms = m.Terms(m.Policy(queues=words(SUPPORT)), narrowed_by=m.Limits(queues=words(SUPPORT)))
    assert refusal(terms, ORG, "desk", asked()) == ("queue", "orgs.main.queues + sources.desk.queues")


def test_queues_of_org_and_source_are_two_conditions() -> None:
    """A conversation that passed one queue of the org and another of the source fits both lists."""
    second = replace(ACD, id="dddddddd-0000-4000-8000-000000000002", queue_id=SUPPORT)
    terms = m.Terms(m.Policy(queues=words(SALES)), narrowed_by=m.Limits(queues=words(SUPPORT)))
    assert refusal(terms, ORG, "desk", asked(conversation(CALLER_THERE, ACD, second))) is None
    assert refusal(terms, ORG, "desk", asked()) == ("queue", "sources.desk.queues")


@pytest.mark.parametrize(
    "org, own, rate, named",
    [
        (0, 0, 0, "orgs.main"),
        (5, 0, 5, "orgs.main"),
        (0, 5, 5, "sources.desk"),
        (5, 7, 5, "orgs.main"),
        (7, 5, 5, "sources.desk"),
    ],
)
def test_the_smaller_rate_counts(org: int, own: int, rate: int, named: str) -> None:
    """Of two rates the smaller counts, and is the one that is named; 0 is none."""
    terms = m.Terms(m.Policy(requester_rate=org), narrowed_by=m.Limits(requester_rate=own))
    assert terms.requester_rate == rate
    assert over_rate(terms, ORG, "desk", asked()) == ("requester_rate", f"{named}.requester_rate")


purposes = st.frozensets(st.sampled_from(["customer", "external", "agent", "acd", "brandnew"]))
some = st.frozensets(st.sampled_from([SALES, SUPPORT, "Vertrieb Süd"]), max_size=2)
choice = st.sampled_from(["allow", "refuse"])
said = {
    "last_pair": choice,
    "queues": some,
    "divisions": some,
    "requesters": st.frozensets(st.sampled_from(["beth", "joe"])),
    "supervisors": choice,
    "requester_rate": st.sampled_from([0, 1, 9]),
    "is_live": st.booleans(),
}
policies = st.builds(m.Policy, purposes=purposes, **said)
narrowings = st.builds(m.Limits, purposes=st.none() | purposes, **said)
callers = st.builds(
    lambda purpose, roles, queue: replace(CALLER_THERE, purpose=purpose, media_roles=tuple(roles), queue_id=queue),
    st.sampled_from(["customer", "external", "agent", "acd", "brandnew", ""]),
    st.lists(st.sampled_from(["full", "monitor", "coach", "barge"]), max_size=2),
    st.sampled_from(["", SALES, SUPPORT]),
)
others = st.lists(
    st.sampled_from([AGENT_THERE, SUPERVISOR_THERE, LISTENING, ACD, OTHER_THERE]), unique_by=lambda p: p.id
)


@given(
    policy=policies,
    narrowed=narrowings,
    org_is_live=st.booleans(),
    caller=callers,
    rest=others,
    requester=st.sampled_from(["beth", "JOE", "mallory", ""]),
    divisions=st.lists(st.sampled_from([HOME, m.Division(SUPPORT)])),
    is_shadow=st.booleans(),
)
def test_a_source_never_widens(
    policy: m.Policy,
    narrowed: m.Limits,
    org_is_live: bool,
    caller: m.Participant,
    rest: list[m.Participant],
    requester: str,
    divisions: list[m.Division],
    is_shadow: bool,
) -> None:
    """Whatever a source says, what it lets through its org lets through alone, to the same person, and no faster."""
    talk = replace(conversation(caller, *rest), divisions=tuple(divisions))
    both, alone = m.Terms(policy, org_is_live, narrowed), m.Terms(policy, org_is_live)
    one = replace(action(requester=requester), is_shadow=is_shadow)
    if isinstance(decided := decide(situation_of(one, talk, both, NOW)), Disconnect):
        assert decide(situation_of(one, talk, alone, NOW)) == decided
        assert caller.purpose in policy.purposes
        assert org_is_live
    assert not alone.requester_rate or 0 < both.requester_rate <= alone.requester_rate
