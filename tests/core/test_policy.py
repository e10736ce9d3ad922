"""The policy as a table, asked of the org's section and of the source's; and that a source never widens its org's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.policy import GROUNDS, Asked, over_rate, refusal
from service.core.rules import Disconnect, Settle, decide, situation_of
from tests.core.limits import SECTIONS, with_limits
from tests.core.scenes import (
    AGENT_THERE,
    BY_ID,
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


def known_as(*roles: str) -> m.Participant:
    """The caller, with these roles."""
    return replace(CALLER_THERE, media_roles=roles)


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
    ({"supervisors": "refuse"}, asked(who=CALLER_THERE), "", ""),
    ({"supervisors": "refuse"}, asked(who=known_as("full")), "", ""),
    ({"supervisors": "refuse"}, asked(who=known_as("brandnew")), "", ""),
    ({"supervisors": "refuse"}, asked(who=known_as("monitor")), "supervisor", "supervisors"),
    ({"supervisors": "refuse"}, asked(who=known_as("coach")), "supervisor", "supervisors"),
    ({"supervisors": "refuse"}, asked(who=known_as("full", "barge")), "supervisor", "supervisors"),
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


def test_a_narrower_source_finds_nobody_else() -> None:
    """Of two who fit, whom the source may not remove makes the other one not the only one: the ticket named both."""
    two = conversation(CALLER_THERE, replace(OTHER_THERE, purpose="external"), AGENT_THERE)
    for narrowed in (m.Limits(), m.Limits(purposes=words("external"))):
        decided = decide(situation_of(action(), two, m.Terms(narrowed_by=narrowed), NOW))
        assert isinstance(decided, Settle)
        assert (decided.outcome.reason, len(decided.outcome.candidates)) == ("ambiguous", 2)


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """One that lets everything through more often than not: with six of them at random hardly anybody would get by."""
    return st.sampled_from([usual] * (2 * len(others)) + list(others))


WHO = ("customer", "external", "agent", "acd", "brandnew")
said = {
    "last_pair": mostly("allow", "refuse"),
    "queues": mostly(words(), words(SALES), words(SUPPORT)),
    "divisions": mostly(words(), words(SALES), words("Vertrieb Süd"), words("x")),
    "requesters": mostly(words(), words("beth"), words("joe", "beth")),
    "supervisors": mostly("allow", "refuse"),
    "requester_rate": st.sampled_from([0, 1, 9]),
}
policies = st.builds(m.Policy, purposes=mostly(words(*WHO), words("customer"), words("external"), words()), **said)
narrowings = st.builds(
    m.Limits, purposes=mostly(None, words(*WHO), words("customer"), words()), is_live=mostly(True, False), **said
)
callers = st.builds(
    lambda purpose, roles, queue: replace(CALLER_THERE, purpose=purpose, media_roles=roles, queue_id=queue),
    mostly("customer", *WHO, ""),
    mostly((), ("full",), ("monitor",), ("full", "coach"), ("barge",)),
    mostly("", SALES, SUPPORT),
)
others = st.lists(st.sampled_from([AGENT_THERE, SUPERVISOR_THERE, LISTENING, ACD]), unique_by=lambda one: one.id)


@dataclass(frozen=True)
class Wish:
    """A click on the caller by participant id, and the conversation it is about."""

    caller: m.Participant
    rest: list[m.Participant]
    requester: str
    divisions: tuple[m.Division, ...]

    @property
    def talk(self) -> m.Conversation:
        """The conversation as a look sees it."""
        return replace(conversation(self.caller, *self.rest), divisions=self.divisions)

    def goes(self, terms: m.Terms) -> bool:
        """Whether the caller is removed."""
        asked = action(selector=BY_ID, requester=self.requester)
        return isinstance(decide(situation_of(asked, self.talk, terms, NOW)), Disconnect)

    def breaches(self, policy: m.Policy) -> list[str]:
        """What of a policy a removal would break, in other words than the product's."""
        people = [it for it in self.rest if it not in {ACD, LISTENING}]
        shown = {word for it in self.divisions for word in (it.id, it.name)}
        broken = {
            "purposes": self.caller.purpose not in policy.purposes,
            "supervisors": policy.supervisors == "refuse" and set(self.caller.media_roles) > {"full"},
            "supervisors only": policy.supervisors == "refuse"
            and self.caller.media_roles in {("monitor",), ("barge",)},
            "requesters": bool(policy.requesters) and self.requester.lower() not in policy.requesters,
            "queues": bool(policy.queues) and not policy.queues & {it.queue_id for it in self.talk.participants},
            "divisions": bool(policy.divisions) and not policy.divisions & shown,
            "last_pair": policy.last_pair == "refuse" and len(people) < 2,
        }
        return [name for name, is_broken in broken.items() if is_broken]


wishes = st.builds(
    Wish,
    callers,
    others,
    mostly("Beth", "JOE", "mallory", ""),
    mostly((HOME,), (), (m.Division(SUPPORT),), (m.Division(SUPPORT), HOME)),
)

DRAWS = 6


def test_a_source_never_widens() -> None:
    """Whatever a source says, what it lets through its org lets through by itself, and no faster."""
    met: Counter[str] = Counter()

    @settings(max_examples=400)
    @given(policy=policies, narrowed=narrowings, is_live=mostly(True, False), wish=wishes)
    def holds(policy: m.Policy, narrowed: m.Limits, is_live: bool, wish: Wish) -> None:
        both, alone = m.Terms(policy, is_live, narrowed), m.Terms(policy, is_live)
        if wish.goes(both):
            assert wish.goes(alone)
            assert is_live
            assert wish.breaches(policy) == []
            met["gone"] += 1
        met["kept by the source"] += wish.goes(alone) and not wish.goes(both)
        met.update(wish.breaches(policy))
        assert not alone.requester_rate or 0 < both.requester_rate <= alone.requester_rate

    kinds = {"gone", "kept by the source", "purposes", "supervisors", "supervisors only", "requesters", "queues"}
    kinds |= {"divisions", "last_pair"}
    # one draw in eight never meets one of them; then it is drawn anew
    for _ in range(DRAWS):
        holds()
        if kinds <= set(+met):
            break
    assert set(+met) >= kinds
