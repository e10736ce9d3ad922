"""One leg, a purpose, an attribute, and the odd lives of participants: from what Genesys writes to who is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.core import model as m
from service.core.rules import Settle, decide, remember, situation_of
from service.core.selection import SYSTEM_PURPOSES, Selection, View, bystanders, select
from service.genesys.wire import conversation_in
from tests.core.documents import CID, CLICKED_AT, IDS, LEGS, NUMBER, OTHER_NUMBER, USERS
from tests.core.scenes import NOW, action

Kind, Medium, V = m.SelectorKind, m.Medium, View
A, B, C = IDS[:3]
ONE, TWO, THREE = LEGS[:3]
BY_LEG = m.Selector(Kind.COMMUNICATION_ID, ONE)
BY_ATTRIBUTE = m.Selector(Kind.ATTRIBUTE, "customerId=4711")
BY_PURPOSE, BY_PHONE = m.Selector(Kind.PURPOSE, "customer"), m.Selector(Kind.PHONE, NUMBER)
KNOWN: dict[str, Any] = {"attributes": {"customerId": "4711"}}
BEFORE, AFTER = "2026-11-20T08:59:59Z", "2026-11-20T09:00:01Z"
EVERYBODY = m.Policy(frozenset({"customer", "external", "agent", "acd", "ivr"}))


def leg(id_: str = ONE, state: str = "connected") -> dict[str, Any]:
    """A leg as Genesys writes it."""
    return {"id": id_, "state": state}


def person(id_: str = A, purpose: str = "customer", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of Genesys
    """A participant as Genesys writes it, without any leg unless `fields` give one."""
    return {"id": id_, "purpose": purpose} | fields


def sight(*people: dict[str, Any]) -> m.Conversation:
    """What a look reads."""
    found = conversation_in({"id": CID, "participants": list(people)}, CID, m.Reply(200))
    assert found is not None
    return found


def wish(by: m.Selector, identity: m.Selector | None = None, medium: m.Medium | None = None) -> m.Removal:
    """What a ticket asks."""
    return m.Removal(CID, by, identity, medium)


def selected(
    asked: m.Removal, *people: dict[str, Any], pin: m.Target | None = None, policy: m.Policy | None = None
) -> Selection:
    """What a look means, whatever the order."""
    policy = policy or m.Policy()
    one, two = (select(asked, sight(*order), pin, policy, CLICKED_AT) for order in (people, people[::-1]))
    assert one == two
    return one


def found(selection: Selection) -> tuple[View, str]:
    """A selection in short."""
    return selection.view, selection.person.id if selection.person else ""


def several(selection: Selection) -> tuple[bool, list[str]]:
    """Whether the names contradict each other, and the candidates, of a selection of nobody."""
    assert (selection.view, selection.target) == (V.SEVERAL, None)
    return selection.is_contradictory, [one.id for one in selection.candidates]


# --- one leg --------------------------------------------------------------------------------------------------------


def test_one_leg_is_the_target() -> None:
    """Named by its id, a leg alone is the target, whatever else the person is there by."""
    both = person(calls=[leg(TWO)], chats=[leg(ONE, "alerting")], userId=USERS[0])
    selection = selected(wish(BY_LEG), both, person(B, calls=[leg(THREE)]))
    assert found(selection) == (V.PRESENT, A)
    assert selection.target == m.Target(A, (ONE,), "customer", Medium.CHAT, USERS[0], ONE)


@pytest.mark.parametrize(
    "people, unpinned, pinned",
    [
        ([person(calls=[leg(ONE), leg(TWO)])], (V.PRESENT, A), (V.PRESENT, A)),
        ([person(calls=[leg(ONE, "terminated"), leg(TWO)])], (V.ONLY_GONE, A), (V.GONE, A)),
        ([person(calls=[leg(ONE, "disconnected")], videos=[leg(TWO)])], (V.ONLY_GONE, A), (V.GONE, A)),
        ([person(calls=[leg(ONE)], endTime=AFTER)], (V.ONLY_GONE, A), (V.GONE, A)),
        ([person(calls=[leg(TWO)])], (V.NOBODY, ""), (V.UNLISTED, "")),
        ([person()], (V.NOBODY, ""), (V.NO_LEGS, A)),
        ([person(B, calls=[leg(ONE)]), person(calls=[leg(TWO)])], (V.PRESENT, B), (V.UNLISTED, "")),
        ([], (V.NO_LEGS, ""), (V.NO_LEGS, "")),
    ],
)
def test_a_leg_is_judged_by_itself(
    people: list[dict[str, Any]], unpinned: tuple[View, str], pinned: tuple[View, str]
) -> None:
    """The person's other legs neither keep it present nor make it so, and a new one of theirs is no coming back."""
    pin = m.Target(A, (ONE,), "customer", Medium.VOICE, "", ONE)
    assert found(selected(wish(BY_LEG), *people)) == unpinned
    assert found(selected(wish(BY_LEG), *people, pin=pin)) == pinned


def test_a_leg_beside_another_name() -> None:
    """A second name only checks whose leg it is; where the leg is not listed, nobody is removed in its place."""
    legs, other = person(calls=[leg(ONE), leg(TWO)], address=f"tel:{NUMBER}"), person(B, calls=[leg(THREE)])
    for by, identity in ((BY_LEG, BY_PHONE), (BY_PHONE, BY_LEG)):
        selection = selected(wish(by, identity), legs, other)
        assert selection.target == m.Target(A, (ONE,), "customer", Medium.VOICE, "", ONE)
        assert found(selected(wish(by, identity), legs | {"calls": [leg(TWO)]}, other)) == (V.NOBODY, "")
    not_his = m.Selector(Kind.PARTICIPANT_ID, B)
    assert several(selected(wish(BY_LEG, not_his), legs, other)) == (True, [A])
    another = legs | {"address": f"tel:{OTHER_NUMBER}"}
    assert several(selected(wish(BY_LEG, BY_PHONE), another, other)) == (True, [A])
    assert found(selected(wish(BY_LEG, medium=Medium.CHAT), legs, other)) == (V.NOBODY, "")


def test_a_leg_that_two_have_is_nobodys() -> None:
    """A leg that is listed under two people is not guessed at."""
    assert several(selected(wish(BY_LEG), person(calls=[leg()]), person(B, calls=[leg()]))) == (False, [A, B])


@pytest.mark.parametrize("purpose", sorted(SYSTEM_PURPOSES))
def test_a_leg_of_the_platform(purpose: str) -> None:
    """A leg of the platform can be named by its id, and then it is the policy that refuses it, by name."""
    machine = sight(person(purpose=purpose, calls=[leg()]), person(B, calls=[leg(TWO)]))
    asked = replace(action(selector=BY_LEG), clicked_at=CLICKED_AT)
    decision = decide(situation_of(asked, machine, m.Terms(), NOW))
    assert isinstance(decision, Settle)
    assert (decision.outcome.kind, decision.outcome.reason) == (m.OutcomeKind.REFUSED, "purpose")


def test_who_stays_by_another_leg_is_told() -> None:
    """Who loses one leg and keeps another is still there: counted as one who stays, and missed if that goes as well."""
    here = sight(person(calls=[leg(ONE)], chats=[leg(TWO)]), person(B, "agent", calls=[leg(THREE)]))
    asked = action(selector=BY_LEG)
    first = situation_of(asked, here, m.Terms(), NOW)
    kept = remember(first)
    assert kept.pin == m.Target(A, (ONE,), "customer", Medium.VOICE, "", ONE)
    assert kept.bystanders == bystanders(here, A, ONE) == {A: "customer", B: "agent"}
    assert bystanders(here, A) == {B: "agent"}
    send = m.Send(1, NOW, NOW + 2000, m.Answer(m.AnswerKind.ACCEPTED, m.Reply(200), NOW))
    sent = replace(asked, progress=kept, sends=(send,))
    over = [leg(ONE, "terminated")]
    stays = sight(person(calls=over, chats=[leg(TWO)]), person(B, "agent", calls=[leg(THREE)]))
    took_all = sight(person(calls=over, chats=[leg(TWO, "disconnected")]), person(B, "agent", calls=[leg(THREE)]))
    outcomes = [
        situation_of(sent, it, m.Terms(), NOW).end(m.OutcomeKind.DISCONNECTED, "confirmed") for it in (stays, took_all)
    ]
    assert [dict(it.remaining) for it in outcomes] == [{"agent": 1, "customer": 1}, {"agent": 1}]
    assert [dict(it.vanished) for it in outcomes] == [{}, {"customer": 1}]


# --- a purpose ------------------------------------------------------------------------------------------------------


def test_the_one_of_a_purpose() -> None:
    """A purpose means the one person present who has it; who left before the click or is not there yet is no other."""
    here, agent = person(calls=[leg()]), person(C, "agent", calls=[leg(THREE)])
    assert found(selected(wish(BY_PURPOSE), here, agent)) == (V.PRESENT, A)
    long_gone = person(B, calls=[leg(TWO, "terminated")], endTime=BEFORE)
    assert found(selected(wish(BY_PURPOSE), here, agent, long_gone)) == (V.PRESENT, A)
    assert found(selected(wish(BY_PURPOSE), here, agent, person(B))) == (V.PRESENT, A)
    assert found(selected(wish(BY_PURPOSE), agent)) == (V.NOBODY, "")
    assert found(selected(wish(BY_PURPOSE), agent, long_gone)) == (V.ONLY_GONE, B)
    assert found(selected(wish(BY_PURPOSE), agent, person())) == (V.NO_LEGS, A)


@pytest.mark.parametrize("by", [BY_PURPOSE, BY_ATTRIBUTE])
@pytest.mark.parametrize("array", ["calls", "chats", "videos"])
def test_two_alike_are_two(by: m.Selector, array: str) -> None:
    """Two people of one purpose or with one attribute are nobody, in whatever media; a named medium may tell them."""
    people = [person(calls=[leg()], **KNOWN), person(B, **KNOWN) | {array: [leg(TWO)]}]
    assert several(selected(wish(by), *people)) == (False, [A, B])
    if array != "calls":
        assert found(selected(wish(by, medium=Medium(array)), *people)) == (V.PRESENT, B)
        assert found(selected(wish(by, medium=Medium.VOICE), *people)) == (V.PRESENT, A)


@pytest.mark.parametrize("by", [BY_PURPOSE, BY_ATTRIBUTE])
@pytest.mark.parametrize("end", [{"endTime": AFTER}, {"endTime": "odd"}, {}])
def test_who_left_since_the_click_may_be_meant(by: m.Selector, end: dict[str, str]) -> None:
    """Of two alike at the click one hung up before the look: the one who is left is not taken for the one meant."""
    here, left = person(calls=[leg()], **KNOWN), person(B, calls=[leg(TWO, "terminated")], **KNOWN) | end
    assert several(selected(wish(by), here, left)) == (False, [A, B])
    for changed in (left | {"endTime": BEFORE}, left | {"endTime": "2026-11-20T09:00:00Z"}):
        assert found(selected(wish(by), here, changed)) == (V.PRESENT, A)
    same = {"userId": USERS[0]}
    assert found(selected(wish(by), here | same, left | same)) == (V.PRESENT, A)
    unclicked = select(wish(by), sight(here, left), None, m.Policy())
    assert found(unclicked) == (V.PRESENT, A), "where nobody clicked, only who is there counts"


def test_one_users_entries_are_one() -> None:
    """One user who stands there several times is one person of his purpose, and the newest entry is meant."""
    by = m.Selector(Kind.PURPOSE, "agent")
    old = person(purpose="agent", userId=USERS[0], calls=[leg(state="alerting")], startTime=BEFORE)
    new = person(B, "agent", userId=USERS[0], calls=[leg(TWO)], startTime="2026-11-20T08:59:59.500Z")
    assert found(selected(wish(by), old, new, policy=EVERYBODY)) == (V.PRESENT, B)
    other = person(C, "agent", userId=USERS[1], calls=[leg(THREE)])
    assert several(selected(wish(by), old, new, other, policy=EVERYBODY)) == (False, [A, B, C])
    assert found(selected(wish(by), old, new)) == (V.NOBODY, ""), "no purpose that the policy does not name"


@pytest.mark.parametrize("purpose", sorted(SYSTEM_PURPOSES))
def test_a_purpose_of_the_platform(purpose: str) -> None:
    """A system's purpose means nobody unless the policy names it."""
    by, machine = m.Selector(Kind.PURPOSE, purpose), person(purpose=purpose, calls=[leg()])
    assert found(selected(wish(by), machine, person(B, calls=[leg(TWO)]))) == (V.NOBODY, "")
    assert found(selected(wish(by), machine, policy=m.Policy(frozenset({purpose})))) == (V.PRESENT, A)


# --- an attribute ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", sorted(SYSTEM_PURPOSES | {"agent", "user", "group", "station"}))
def test_a_copied_attribute_names_nobody(purpose: str) -> None:
    """A flow copies the caller's attributes to everybody: they mean the caller, also after that one has left."""
    policy = m.Policy(frozenset({"customer", purpose}))
    carrier = person(B, purpose, calls=[leg(TWO)], **KNOWN)
    assert found(selected(wish(BY_ATTRIBUTE), carrier, policy=policy)) == (V.NOBODY, "")
    here = person(calls=[leg()], **KNOWN)
    assert found(selected(wish(BY_ATTRIBUTE), carrier, here, policy=policy)) == (V.PRESENT, A)
    left = person(calls=[leg(state="terminated")], **KNOWN)
    assert found(selected(wish(BY_ATTRIBUTE), carrier, left, policy=policy)) == (V.ONLY_GONE, A)
    by_id = m.Selector(Kind.PARTICIPANT_ID, B)
    other = carrier | {"attributes": {"customerId": "4712"}}
    assert found(selected(wish(by_id, BY_ATTRIBUTE), other, policy=policy)) == (V.PRESENT, B), (
        "it denies nothing either"
    )


@pytest.mark.parametrize(
    "attributes, value, fits",
    [
        ({"customerId": "4711"}, "customerId=4711", True),
        ({"customerId": "4711"}, "customerId=471", False),
        ({"customerId": "4711"}, "customerid=4711", False),
        ({"customerId": " 4711"}, "customerId=4711", False),
        ({"customerId": 4711}, "customerId=4711", False),
        ({"a": "b=c"}, "a=b=c", True),
        ({"a=b": "c"}, "a=b=c", False),
        ({"a": ""}, "a=", False),
        ({"a": "v" * 256}, "a=" + "v" * 256, True),
        ({"a": "v" * 2000}, "a=" + "v" * 256, False),
    ],
)
def test_an_attribute_fits_exactly(attributes: dict[str, Any], value: str, *, fits: bool) -> None:
    """Key and value are the very same, the key ends at the first equals sign, and an empty value is nobody's mark."""
    selection = selected(wish(m.Selector(Kind.ATTRIBUTE, value)), person(calls=[leg()], attributes=attributes))
    assert found(selection) == ((V.PRESENT, A) if fits else (V.NOBODY, ""))


def test_an_attribute_within_allowed_purposes() -> None:
    """Somebody whose purpose the policy does not allow is not known by an attribute."""
    patient = person(purpose="patient", calls=[leg()], **KNOWN)
    assert found(selected(wish(BY_ATTRIBUTE), patient)) == (V.NOBODY, "")
    assert found(selected(wish(BY_ATTRIBUTE), patient, policy=m.Policy(frozenset({"patient"})))) == (V.PRESENT, A)


# --- two ways -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("likeness", [BY_PURPOSE, BY_ATTRIBUTE])
def test_a_likeness_only_checks(likeness: m.Selector) -> None:
    """Beside a number a purpose or an attribute may deny, and never stands in for it."""
    here = person(calls=[leg()], address=f"tel:{NUMBER}", **KNOWN)
    other = person(B, calls=[leg(TWO)], address=f"tel:{OTHER_NUMBER}", **KNOWN)
    assert found(selected(wish(BY_PHONE, likeness), here, other)) == (V.PRESENT, A)
    assert found(selected(wish(BY_PHONE, likeness), other)) == (V.NOBODY, "")
    unlike = here | {"purpose": "external", "attributes": {"customerId": "4712"}}
    assert several(selected(wish(BY_PHONE, likeness), unlike)) == (True, [A])
    assert several(selected(wish(BY_PHONE, likeness), unlike, other)) == (True, [A, B])


def test_another_contact_is_another_person() -> None:
    """A number stands in for a contact that is not there, but not for one that is known to be another."""
    contact = m.Selector(Kind.EXTERNAL_CONTACT_ID, USERS[0])
    unknown = person(calls=[leg()], address=f"tel:{NUMBER}")
    assert found(selected(wish(contact, BY_PHONE), unknown)) == (V.PRESENT, A)
    stranger = unknown | {"externalContactId": USERS[1]}
    assert several(selected(wish(contact, BY_PHONE), stranger)) == (True, [A])
    assert found(selected(wish(contact, BY_PHONE), stranger, unknown | {"id": B})) == (V.PRESENT, B)
    moved = m.Selector(Kind.PARTICIPANT_ID, C)
    assert found(selected(wish(moved, BY_PHONE), stranger)) == (V.PRESENT, A), "another id is what a merge gives"


# --- odd lives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, view",
    [
        ({"calls": [leg(state="alerting")]}, V.PRESENT),
        ({"calls": [leg(state="dialing")]}, V.PRESENT),
        ({"callbacks": [leg(state="scheduled")]}, V.PRESENT),
        ({"emails": [leg(state="parked")]}, V.PRESENT),
        ({"messages": [leg(state="parked")]}, V.PRESENT),
        ({"emails": [leg(state="transmitting")]}, V.PRESENT),
        ({"screenMonitorings": [leg(state="none")]}, V.PRESENT),
        ({"calls": [leg(state="terminated")], "callbacks": [leg(TWO, "scheduled")]}, V.PRESENT),
        ({"calls": [leg(state="disconnected")], "messages": [leg(TWO, "disconnected")]}, V.ONLY_GONE),
        ({"calls": [leg()], "endTime": AFTER}, V.ONLY_GONE),
        ({"endTime": AFTER}, V.ONLY_GONE),
        ({"calls": [leg()], "startAcwTime": AFTER, "endTime": None}, V.PRESENT),
        ({"calls": None, "chats": []}, V.NO_LEGS),
        ({}, V.NO_LEGS),
    ],
)
@pytest.mark.parametrize("by", [BY_PURPOSE, BY_PHONE, BY_ATTRIBUTE, m.Selector(Kind.PARTICIPANT_ID, A)])
def test_how_somebody_is_there(by: m.Selector, fields: dict[str, Any], view: View) -> None:
    """Alerting, parked and scheduled are there; ended legs or an end time are not; no legs yet is neither."""
    assert found(selected(wish(by), person(address=f"tel:{NUMBER}", **KNOWN, **fields))) == (view, A)


def test_a_merge_is_followed_by_what_stays_true() -> None:
    """Under new ids after a merge, whom a number, a contact or a leg names is found again; a participant id is not."""
    pin = m.Target(A, (ONE,), "customer", Medium.VOICE)
    moved = [person(B, address=f"tel:{NUMBER}", calls=[leg(TWO)]), person(C, "agent", calls=[leg(THREE)])]
    for asked in (wish(m.Selector(Kind.PARTICIPANT_ID, A)), wish(BY_LEG), wish(BY_PHONE), wish(BY_PURPOSE)):
        assert found(selected(asked, *moved, pin=pin)) == (V.UNLISTED, "")
    assert found(selected(wish(m.Selector(Kind.PARTICIPANT_ID, A)), *moved)) == (V.NOBODY, "")
    assert found(selected(wish(m.Selector(Kind.PARTICIPANT_ID, A), BY_PHONE), *moved)) == (V.PRESENT, B)
    assert found(selected(wish(BY_LEG), *moved)) == (V.NOBODY, "")
    kept_leg = person(B, address=f"tel:{NUMBER}", calls=[leg(ONE)])
    assert found(selected(wish(BY_LEG), kept_leg)) == (V.PRESENT, B)


@pytest.mark.parametrize("by", [m.Selector(Kind.PARTICIPANT_ID, A), BY_PHONE, BY_PURPOSE])
@pytest.mark.parametrize(
    "calls, view",
    [
        ([leg(state="terminated"), leg(TWO) | {"connectedTime": AFTER}], V.BACK),
        ([leg(state="terminated"), leg(TWO) | {"connectedTime": AFTER, "startAlertingTime": BEFORE}], V.PRESENT),
        ([leg(state="terminated"), leg(TWO)], V.PRESENT),
        ([leg(state="terminated"), leg(TWO) | {"connectedTime": AFTER}, leg(THREE)], V.PRESENT),
        ([leg(TWO) | {"connectedTime": AFTER}], V.PRESENT),
    ],
)
def test_an_old_click_is_not_for_who_came_back_under_the_same_id(
    by: m.Selector, calls: list[dict[str, Any]], view: View
) -> None:
    """Whose legs ended, and who is there only by one that began after the click, came back, and is left alone."""
    caller = person(calls=calls, address=f"tel:{NUMBER}")
    agent = person(B, "agent", calls=[leg("agent")])
    assert found(selected(wish(by), caller, agent)) == (view, A)
    other = person(C, "external", calls=[leg("other")], address=f"tel:{NUMBER}")
    if by == BY_PHONE:
        assert several(selected(wish(by), caller, agent, other)) == (False, [A, C]), "nobody else for it"
