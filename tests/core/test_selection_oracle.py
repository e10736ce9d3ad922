"""Over generated conversations: never a wrong target, never a leg of the platform, and never a matter of order."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.rules import Disconnect, decide, remember, situation_of
from service.core.selection import Selection, View, select
from tests.core.scenes import AGENT, CALLER, CONVERSATION, NOW, OTHER, PHONE, SUPERVISOR, action

Kind = m.SelectorKind
IDS = [CALLER, AGENT, SUPERVISOR, OTHER, "dddddddd-0000-4000-8000-000000000009"]
USER, CONTACT = "eeeeeeee-0000-4000-8000-000000000005", "ffffffff-0000-4000-8000-000000000007"
OURS, THEIRS = ["customer", "external", "patient"], ["agent", "user", "acd", "ivr", "voicemail", "station"]

legs = st.lists(
    st.builds(
        lambda number, state, medium: m.Leg(f"leg-{number}", medium, state, state in {"disconnected", "terminated"}),
        st.integers(1, 6),
        st.sampled_from(["connected", "alerting", "disconnected", "terminated", "new word"]),
        st.sampled_from([m.Medium.VOICE, m.Medium.VOICE, m.Medium.CHAT, m.Medium.EMAIL]),
    ),
    max_size=3,
).map(tuple)
people = st.builds(
    m.Participant,
    id=st.sampled_from(IDS),
    purpose=st.sampled_from(OURS * 2 + THEIRS),
    legs=legs,
    user_id=st.sampled_from(["", "", USER]),
    external_contact_id=st.sampled_from(["", CONTACT]),
    phone=st.sampled_from([None, PHONE, PHONE, "+4930123456"]),
    has_ended=st.sampled_from([False, False, False, True]),
    joined_at=st.integers(0, 3),
)
crowds = st.lists(people, max_size=5, unique_by=lambda one: one.id).map(tuple)
VALUES = {
    Kind.PARTICIPANT_ID: CALLER,
    Kind.PHONE: PHONE,
    Kind.USER_ID: USER,
    Kind.EXTERNAL_CONTACT_ID: CONTACT,
}
selectors = st.sampled_from([m.Selector(kind, value) for kind, value in VALUES.items()])
media = st.sampled_from([None, None, m.Medium.VOICE, m.Medium.CHAT])
wishes = st.builds(m.Removal, st.just(CONVERSATION), selectors, st.none() | selectors, media)
policies = st.sampled_from([m.Policy(), m.Policy(frozenset({*OURS, "agent", "acd"})), m.Policy(last_pair="refuse")])
pins = st.none() | st.builds(
    m.Target, st.sampled_from(IDS), st.lists(st.sampled_from(["leg-1", "leg-2"]), max_size=2).map(tuple), st.just("")
)


def is_named(by: m.Selector, one: m.Participant, policy: m.Policy) -> bool:
    """Whether `by` is a way to name `one`; a number names the people outside that the policy allows."""
    return {
        Kind.PARTICIPANT_ID: one.id == by.value,
        Kind.PHONE: one.phone == by.value and one.purpose in policy.purposes and one.purpose not in THEIRS,
        Kind.USER_ID: one.user_id == by.value,
        Kind.EXTERNAL_CONTACT_ID: one.external_contact_id == by.value,
    }[by.kind]


def open_media(one: m.Participant, medium: m.Medium | None) -> set[m.Medium]:
    """The media in which `one` is there, as far as `medium` goes."""
    there = set() if one.has_ended else {leg.medium for leg in one.legs if not leg.is_ended}
    return there if medium is None else there & {medium}


def has_left(one: m.Participant, medium: m.Medium | None) -> bool:
    """Whether `one` was there, as far as `medium` goes, and is no longer."""
    ended = [leg for leg in one.legs if leg.is_ended and medium in {None, leg.medium}]
    return one.has_ended or (bool(ended) and not open_media(one, medium))


def is_denied(by: m.Selector | None, one: m.Participant) -> bool:
    """Whether `one` is known to be another than `by` says; an agent carries the caller's number."""
    if by is None:
        return False
    shown = {
        Kind.PARTICIPANT_ID: one.id,
        Kind.PHONE: "" if one.purpose in THEIRS else one.phone or "",
        Kind.USER_ID: one.user_id,
        Kind.EXTERNAL_CONTACT_ID: one.external_contact_id,
    }[by.kind]
    return shown not in {"", by.value}


def objection(wish: m.Removal, crowd: tuple[m.Participant, ...], policy: m.Policy, selection: Selection) -> str:
    """What is wrong with `selection` when nobody is pinned, or ""."""
    relevant = [
        one for one in crowd if not one.legs or wish.medium is None or wish.medium in {leg.medium for leg in one.legs}
    ]
    first = [one for one in relevant if is_named(wish.selector, one, policy)]
    second = [one for one in relevant if wish.identity and is_named(wish.identity, one, policy)]
    both = [one for one in first if one in second]
    unopposed = [one for one in first if not is_denied(wish.identity, one)]
    contradictory = bool(first) and not both and (bool(second) or not unopposed)
    named = both or ([*first, *second] if contradictory else unopposed if first else second)
    there = [one for one in named if open_media(one, wish.medium)]
    chosen = next((one for one in crowd if selection.person and one.id == selection.person.id), None)
    match selection.view:
        case View.NO_LEGS if not crowd:
            return ""
        case View.PRESENT if chosen:
            return "" if not contradictory and is_right(chosen, there, wish.medium) else "a wrong target"
        case View.SEVERAL:
            ids = {one.id for one in selection.candidates}
            return "" if ids <= {one.id for one in named} and (len(ids) > 1 or contradictory) else "not ambiguous"
        case View.ONLY_GONE:
            return "" if named and all(has_left(one, wish.medium) for one in named) else "not all of them left"
        case View.NO_LEGS:
            return "" if named and not there and chosen in named else "somebody is there, or nobody was ever meant"
        case View.NOBODY:
            return "" if not named else "somebody is named"
        case _:
            return "not a view of somebody who is not pinned"


def is_right(chosen: m.Participant, there: list[m.Participant], medium: m.Medium | None) -> bool:
    """Whether `chosen` is there and named, and every other such one is the same user, older, or in a lesser medium."""
    preferred = medium or m.Medium.VOICE
    for other in there:
        in_lesser = preferred in open_media(chosen, medium) and preferred not in open_media(other, medium)
        is_older_self = other.user_id == chosen.user_id != "" and other.joined_at <= chosen.joined_at
        if other.id != chosen.id and not in_lesser and not is_older_self:
            return False
    return chosen in there


@settings(max_examples=300)
@given(wish=wishes, crowd=crowds, policy=policies)
def test_never_a_wrong_target(wish: m.Removal, crowd: tuple[m.Participant, ...], policy: m.Policy) -> None:
    """What is selected is what the wish names, by rules written a second time."""
    selection = select(wish, m.Conversation(CONVERSATION, crowd), None, policy)
    assert objection(wish, crowd, policy, selection) == "", selection


@settings(max_examples=150)
@given(wish=wishes, crowd=crowds, policy=policies, pin=pins)
def test_never_a_leg_of_the_platform(
    wish: m.Removal, crowd: tuple[m.Participant, ...], policy: m.Policy, pin: m.Target | None
) -> None:
    """Who is removed is there, is pinned if somebody is, and has a purpose that the policy allows."""
    asked = replace(action(progress=m.Progress(pin=pin)), removal=wish)
    decision = decide(situation_of(asked, m.Conversation(CONVERSATION, crowd), m.Terms(policy), NOW))
    if isinstance(decision, Disconnect):
        target = next(one for one in crowd if one.id == decision.target.participant_id)
        assert target.purpose in policy.purposes
        assert open_media(target, wish.medium)
        assert pin in {None, decision.target}
        assert any(leg.id in decision.target.leg_ids and not leg.is_ended for leg in target.legs)
        assert wish.medium in {None, *(leg.medium for leg in target.legs if leg.id in decision.target.leg_ids)}


@settings(max_examples=150)
@given(wish=wishes, crowd=crowds, policy=policies, pin=pins, order=st.permutations(range(5)))
def test_order_never_matters(
    wish: m.Removal, crowd: tuple[m.Participant, ...], policy: m.Policy, pin: m.Target | None, order: list[int]
) -> None:
    """In whatever order Genesys lists the participants, the same is decided, told and kept."""
    asked = replace(action(progress=m.Progress(pin=pin)), removal=wish)
    shuffled = tuple(crowd[at] for at in order if at < len(crowd))
    one, two = (situation_of(asked, m.Conversation(CONVERSATION, it), m.Terms(policy), NOW) for it in (crowd, shuffled))
    assert (one.selection, decide(one), remember(one)) == (two.selection, decide(two), remember(two))
