"""Who is meant: each way to name a person, each way to be there, and nobody where it is not certain."""

from dataclasses import replace

import pytest

from service.core import model as m
from service.core.selection import SYSTEM_PURPOSES, Selection, View, by_purpose, bystanders, company, is_back, select
from tests.core.scenes import (
    AGENT,
    AGENT_THERE,
    BY_ID,
    BY_PHONE,
    CALLER,
    CALLER_BACK,
    CALLER_GONE,
    CALLER_THERE,
    CANNOT_SEE,
    CONVERSATION,
    FORBIDDEN,
    NOT_FOUND,
    OTHER,
    OTHER_THERE,
    PHONE,
    PIN,
    REJECTED,
    SUPERVISOR,
    SUPERVISOR_THERE,
    TALK,
    conversation,
    gone,
    leg,
    legless,
    person,
)

V, Kind, Medium = View, m.SelectorKind, m.Medium
USER, CONTACT = "eeeeeeee-0000-4000-8000-000000000005", "ffffffff-0000-4000-8000-000000000007"
BY_USER, BY_CONTACT = m.Selector(Kind.USER_ID, USER), m.Selector(Kind.EXTERNAL_CONTACT_ID, CONTACT)
KNOWN = replace(CALLER_THERE, external_contact_id=CONTACT)
EVERYBODY = m.Policy(purposes=frozenset({"customer", "external", "agent", "user", "acd", "ivr"}))
CHAT = leg("chat-1", "connected", Medium.CHAT)


def selected(
    *people: m.Participant,
    by: m.Selector = BY_PHONE,
    identity: m.Selector | None = None,
    medium: m.Medium | None = None,
    pin: m.Target | None = None,
    policy: m.Policy | None = None,
) -> Selection:
    """What a look at a conversation of `people` means."""
    wish = m.Removal(CONVERSATION, by, identity, medium)
    return select(wish, conversation(*people), pin, policy or m.Policy())


def found(selection: Selection) -> tuple[View, str]:
    """A selection in short: its view and whom it names."""
    return selection.view, selection.person.id if selection.person else ""


@pytest.mark.parametrize("by", [BY_ID, BY_PHONE, BY_CONTACT])
def test_each_way_to_name_a_caller(by: m.Selector) -> None:
    """A participant id, a phone number and an external contact each find the one caller among others."""
    assert found(selected(AGENT_THERE, KNOWN, SUPERVISOR_THERE, by=by)) == (V.PRESENT, CALLER)
    assert found(selected(gone(KNOWN), AGENT_THERE, by=by)) == (V.ONLY_GONE, CALLER)
    assert found(selected(legless(KNOWN), AGENT_THERE, by=by)) == (V.NO_LEGS, CALLER)
    assert found(selected(AGENT_THERE, SUPERVISOR_THERE, by=by)) == (V.NOBODY, "")


def test_a_user_is_named_by_user_id() -> None:
    """A user id finds the one agent that has it, and nobody else's legs."""
    assert found(selected(CALLER_THERE, AGENT_THERE, SUPERVISOR_THERE, by=BY_USER)) == (V.PRESENT, AGENT)


@pytest.mark.parametrize(
    "sight, view",
    [
        (None, V.UNSEEN),
        (NOT_FOUND, V.NO_CONVERSATION),
        (FORBIDDEN, V.FORBIDDEN),
        (CANNOT_SEE, V.CANNOT_SEE),
        (REJECTED, V.REJECTED),
        (conversation(), V.NO_LEGS),
    ],
)
@pytest.mark.parametrize("pin", [None, PIN])
def test_each_sight_that_shows_nobody(sight: m.Sight | None, view: View, pin: m.Target | None) -> None:
    """What could not be read means the same with and without a pin, and has no target."""
    selection = select(m.Removal(CONVERSATION, BY_PHONE), sight, pin, m.Policy())
    assert (selection, selection.target) == (Selection(view), None)


def test_whom_the_platform_adds() -> None:
    """These purposes are the platform's own, as its documentation calls them; one that is missed would be a person."""
    said = "acd api botflow campaign dialer fax flow ivr voicemail voicesurveyflow workflow"
    assert " ".join(sorted(SYSTEM_PURPOSES)) == said


@pytest.mark.parametrize("purpose", sorted(SYSTEM_PURPOSES | {"agent", "user", "group", "station"}))
def test_a_borrowed_number_names_nobody(purpose: str) -> None:
    """Agents' and the platform's legs carry the caller's number: it never means them, whatever the policy allows."""
    allowing = m.Policy(purposes=frozenset({"customer", purpose}))
    carrier = person(AGENT, purpose, phone=PHONE)
    assert found(selected(carrier, policy=allowing)) == (V.NOBODY, "")
    assert found(selected(carrier, CALLER_THERE, policy=allowing)) == (V.PRESENT, CALLER)
    assert found(selected(carrier, CALLER_GONE, policy=allowing)) == (V.ONLY_GONE, CALLER)
    assert not is_back(conversation(carrier), replace(carrier, id=OTHER))


def test_a_number_means_allowed_purposes_only() -> None:
    """Somebody with the number whose purpose the policy does not allow is not meant; with an id he is found."""
    outsider = person(CALLER, "patient", phone=PHONE)
    assert found(selected(outsider)) == (V.NOBODY, "")
    assert found(selected(outsider, policy=m.Policy(frozenset({"patient"})))) == (V.PRESENT, CALLER)
    assert found(selected(outsider, by=BY_ID)) == (V.PRESENT, CALLER)


@pytest.mark.parametrize("kind", Kind)
def test_an_empty_name_means_nobody(kind: m.SelectorKind) -> None:
    """A selector without a value, which no source lets through, does not mean those who have no such thing."""
    assert found(selected(CALLER_THERE, AGENT_THERE, by=m.Selector(kind, ""))) == (V.NOBODY, "")


def test_several_who_fit() -> None:
    """Two people present behind one number select nobody, and both are named in a fixed order."""
    for order in ((CALLER_THERE, OTHER_THERE), (OTHER_THERE, CALLER_THERE)):
        selection = selected(*order, AGENT_THERE)
        assert (selection.view, [p.id for p in selection.candidates]) == (V.SEVERAL, [CALLER, OTHER])
        assert (selection.person, selection.target) == (None, None)


def test_who_is_there_is_meant_before_who_left() -> None:
    """Of several who fit, those gone or not there yet do not make it ambiguous."""
    assert found(selected(gone(OTHER_THERE), CALLER_THERE)) == (V.PRESENT, CALLER)
    assert found(selected(legless(OTHER_THERE), CALLER_THERE)) == (V.PRESENT, CALLER)
    assert found(selected(legless(OTHER_THERE), CALLER_GONE)) == (V.NO_LEGS, OTHER)
    left_before_any_leg = replace(legless(CALLER_THERE), has_ended=True)
    assert found(selected(left_before_any_leg, AGENT_THERE)) == (V.ONLY_GONE, CALLER)


def test_one_user_twice() -> None:
    """Of one user's legs the newest that is present is meant; two users, or two without user id, stay ambiguous."""
    first, second = replace(AGENT_THERE, joined_at=1), replace(AGENT_THERE, id=OTHER, joined_at=2)
    assert found(selected(first, second, by=BY_USER)) == (V.PRESENT, OTHER)
    assert found(selected(first, gone(second), by=BY_USER)) == (V.PRESENT, AGENT)
    assert found(selected(gone(first), gone(second), by=BY_USER)) == (V.ONLY_GONE, OTHER)
    assert found(selected(legless(first), legless(second), by=BY_USER)) == (V.NO_LEGS, OTHER)
    shared = [replace(KNOWN, user_id=user, id=id_) for user, id_ in (("a", CALLER), ("b", OTHER))]
    assert selected(*shared, by=BY_CONTACT).view is V.SEVERAL
    assert selected(KNOWN, replace(KNOWN, id=OTHER), by=BY_CONTACT).view is V.SEVERAL


def test_several_media_of_one_person() -> None:
    """Of one person's entries the one in the named medium is meant, else the one in voice."""
    voice, chat = KNOWN, replace(KNOWN, id=OTHER, legs=(CHAT,))
    email = replace(KNOWN, id=AGENT, legs=(leg("mail-1", "connected", Medium.EMAIL),))
    assert found(selected(chat, voice, by=BY_CONTACT)) == (V.PRESENT, CALLER)
    assert found(selected(chat, voice, by=BY_CONTACT, medium=Medium.CHAT)) == (V.PRESENT, OTHER)
    assert selected(chat, email, by=BY_CONTACT).view is V.SEVERAL
    ended_voice = gone(voice)
    assert found(selected(chat, ended_voice, by=BY_CONTACT)) == (V.PRESENT, OTHER)


def test_a_named_medium_is_the_only_one_that_counts() -> None:
    """Who left the call and stays in a chat is gone from the call; who never was in it is not meant."""
    both = replace(CALLER_THERE, legs=(leg("voice-1"), CHAT))
    left_call = replace(CALLER_THERE, legs=(leg("voice-1", "terminated"), CHAT))
    only_chat = replace(CALLER_THERE, legs=(CHAT,))
    assert selected(both, medium=Medium.VOICE).target == PIN
    assert selected(both).target == m.Target(CALLER, ("voice-1", "chat-1"), "customer", m.Medium.VOICE)
    assert found(selected(left_call, medium=Medium.VOICE)) == (V.ONLY_GONE, CALLER)
    assert found(selected(left_call, medium=Medium.VOICE, pin=PIN)) == (V.GONE, CALLER)
    assert found(selected(left_call)) == (V.PRESENT, CALLER)
    assert found(selected(only_chat, medium=Medium.VOICE)) == (V.NOBODY, "")
    assert found(selected(only_chat, medium=Medium.VOICE, pin=PIN)) == (V.UNLISTED, "")
    assert found(selected(legless(CALLER_THERE), medium=Medium.VOICE)) == (V.NO_LEGS, CALLER)


def test_identity_stands_in_for_an_id_that_is_not_listed() -> None:
    """A second way to name the person is used when the first finds nobody, and never against it."""
    moved = replace(CALLER_THERE, id=OTHER)
    assert found(selected(moved, AGENT_THERE, by=BY_ID, identity=BY_PHONE)) == (V.PRESENT, OTHER)
    assert found(selected(CALLER_THERE, AGENT_THERE, by=BY_ID, identity=BY_PHONE)) == (V.PRESENT, CALLER)
    unnumbered = replace(CALLER_THERE, phone=None)
    assert found(selected(unnumbered, AGENT_THERE, by=BY_ID, identity=BY_PHONE)) == (V.PRESENT, CALLER)
    assert found(selected(AGENT_THERE, by=BY_ID, identity=BY_PHONE)) == (V.NOBODY, "")


def test_identity_tells_two_apart_and_contradicts() -> None:
    """Where both ways find people, only who is found by both is meant; if that is nobody, nobody is chosen."""
    assert found(selected(KNOWN, OTHER_THERE, identity=BY_CONTACT)) == (V.PRESENT, CALLER)
    assert found(selected(CALLER_GONE, OTHER_THERE, by=BY_ID, identity=BY_PHONE)) == (V.ONLY_GONE, CALLER)
    stranger = replace(CALLER_THERE, phone="+14155550999")
    contradiction = selected(stranger, OTHER_THERE, by=BY_ID, identity=BY_PHONE)
    assert (contradiction.view, len(contradiction.candidates)) == (V.SEVERAL, 2)
    assert contradiction.is_contradictory


def test_a_second_name_that_fits_nobody_still_checks() -> None:
    """Who shows another number than the ticket's is not meant by its id alone; who shows none is."""
    stranger = replace(CALLER_THERE, phone="+14155550999")
    contradiction = selected(stranger, AGENT_THERE, by=BY_ID, identity=BY_PHONE)
    assert (contradiction.view, contradiction.is_contradictory) == (V.SEVERAL, True)
    assert [one.id for one in contradiction.candidates] == [CALLER]
    assert found(selected(replace(CALLER_THERE, phone=None), by=BY_ID, identity=BY_PHONE)) == (V.PRESENT, CALLER)
    other = person(OTHER, phone=PHONE, contact="another")
    assert found(selected(CALLER_THERE, other, identity=BY_CONTACT)) == (V.PRESENT, CALLER)


@pytest.mark.parametrize(
    "there, pin, view",
    [
        (CALLER_THERE, PIN, V.PRESENT),
        (replace(CALLER_THERE, legs=(leg("voice-1", "some new word"),)), PIN, V.PRESENT),
        (CALLER_GONE, PIN, V.GONE),
        (replace(CALLER_THERE, has_ended=True), PIN, V.GONE),
        (replace(legless(CALLER_THERE), has_ended=True), PIN, V.GONE),
        (legless(CALLER_THERE), PIN, V.NO_LEGS),
        (CALLER_BACK, PIN, V.BACK),
        (replace(CALLER_THERE, legs=(leg("voice-8"),)), PIN, V.UNLISTED),
        (replace(CALLER_THERE, legs=(leg("voice-8", "terminated"),)), PIN, V.GONE),
        # two legs pinned: one is enough to be there, both must be listed to be back
        (CALLER_THERE, replace(PIN, leg_ids=("voice-1", "chat-1")), V.PRESENT),
        (CALLER_BACK, replace(PIN, leg_ids=("voice-1", "chat-1")), V.UNLISTED),
        (
            person(CALLER, "customer", leg("voice-1", "terminated"), leg("voice-1", "terminated"), leg("voice-9")),
            replace(PIN, leg_ids=("voice-1", "chat-1")),
            V.UNLISTED,
        ),
        # a pin without legs proves nothing about who is there
        (CALLER_THERE, replace(PIN, leg_ids=()), V.UNLISTED),
        (CALLER_GONE, replace(PIN, leg_ids=()), V.GONE),
    ],
)
def test_a_pinned_person(there: m.Participant, pin: m.Target, view: View) -> None:
    """Once pinned, it is this participant and these legs that are looked for, whoever else would fit."""
    selection = selected(OTHER_THERE, there, AGENT_THERE, pin=pin)
    assert found(selection) == (view, CALLER)


def test_a_pinned_person_who_is_not_listed() -> None:
    """Somebody else with the same number does not stand in for the pinned one."""
    assert found(selected(OTHER_THERE, AGENT_THERE, pin=PIN)) == (V.UNLISTED, "")


def test_bystanders() -> None:
    """Everybody present but the target counts; who is gone, not there yet, or of the platform does not."""
    queue, starting = person(OTHER, "acd"), legless(person("dddddddd-0000-4000-8000-000000000009", "customer"))
    sight = conversation(*TALK.participants, queue, starting, gone(OTHER_THERE))
    assert bystanders(sight, CALLER) == {AGENT: "agent", SUPERVISOR: "user"}
    assert bystanders(sight, "") == {CALLER: "customer", AGENT: "agent", SUPERVISOR: "user"}
    assert bystanders(NOT_FOUND, CALLER) == bystanders(None, CALLER) == {}
    assert list(by_purpose({"1": "user", "2": "agent", "3": "user"}).items()) == [("agent", 1), ("user", 2)]


@pytest.mark.parametrize(
    "other, expected",
    [
        (OTHER_THERE, True),
        (replace(OTHER_THERE, phone=None, external_contact_id=CONTACT), True),
        (replace(OTHER_THERE, phone=None, user_id=USER), True),
        (gone(OTHER_THERE), False),
        (replace(OTHER_THERE, purpose="external"), False),
        (replace(OTHER_THERE, phone=None), False),
        (replace(OTHER_THERE, id=CALLER), False),
    ],
)
def test_who_came_back(other: m.Participant, expected: bool) -> None:
    """Present under another id, with the same contact, user, or number and purpose; not who was there all along."""
    left = gone(replace(KNOWN, user_id=USER))
    assert is_back(conversation(left, other), left) is expected
    assert not is_back(conversation(left, other), left, before={OTHER})
    assert not is_back(conversation(left, other), None)
    assert not is_back(NOT_FOUND, left)


CLICK = 1_000_000
BACK_AGAIN = person("99999999-0000-4000-8000-000000000009", phone=PHONE, joined_at=CLICK + 1)


@pytest.mark.parametrize(
    "people, view",
    [
        ((gone(CALLER_THERE), BACK_AGAIN), V.ONLY_GONE),
        ((gone(CALLER_THERE), replace(BACK_AGAIN, joined_at=CLICK)), V.PRESENT),
        ((BACK_AGAIN,), V.PRESENT),
        ((legless(CALLER_THERE), BACK_AGAIN), V.PRESENT),
        ((gone(CALLER_THERE), BACK_AGAIN, legless(person("aa", phone=PHONE))), V.NO_LEGS),
    ],
)
def test_an_old_click_is_not_for_who_came_back(people: tuple[m.Participant, ...], view: View) -> None:
    """Whom the click meant has left, and somebody with the same number joined after it: that one is left alone."""
    wish = m.Removal(CONVERSATION, BY_PHONE)
    assert select(wish, conversation(*people), None, m.Policy(), CLICK).view is view
    assert select(wish, conversation(*reversed(people)), None, m.Policy(), CLICK).view is view


def test_one_user_twice_is_one_person() -> None:
    """For the last pair an agent counts once, however often he stands in the conversation."""
    twice = person("bb", "agent", user_id=USER), person("cc", "agent", user_id=USER)
    assert company(conversation(CALLER_THERE, *twice), CALLER) == 1
    assert company(conversation(CALLER_THERE, *twice, SUPERVISOR_THERE), CALLER) == 2
    assert company(NOT_FOUND, CALLER) == 0


@pytest.mark.parametrize(
    "others, people",
    [
        # by contact, and by number and purpose; whom one entry knows by both, the two others are
        ((person("b1", contact=OTHER), person("b2", contact=OTHER)), 1),
        ((person("b1", phone="+14155550199"), person("b2", phone="+14155550199")), 1),
        ((person("b1", phone="+14155550199"), person("b2", "external", phone="+14155550199")), 2),
        (
            (
                person("b1", contact=OTHER),
                person("b2", phone="+14155550199"),
                person("b3", contact=OTHER, phone="+14155550199"),
            ),
            1,
        ),
        # an agent's leg has the caller's number, and is not the caller
        ((person("b1", "agent", phone=PHONE), person("b2", "agent", phone=PHONE)), 2),
        # the caller's own other entry keeps nobody company
        ((person("b1", phone=PHONE), AGENT_THERE), 1),
        # who only listens is nobody; who is heard is somebody
        ((AGENT_THERE, replace(SUPERVISOR_THERE, media_roles=("monitor",))), 1),
        ((AGENT_THERE, replace(SUPERVISOR_THERE, media_roles=("monitor", "coach"))), 1),
        ((AGENT_THERE, replace(SUPERVISOR_THERE, media_roles=("barge",))), 2),
        ((AGENT_THERE, replace(SUPERVISOR_THERE, media_roles=("monitor", "full"))), 2),
        ((AGENT_THERE, replace(SUPERVISOR_THERE, media_roles=("brandnew",))), 2),
    ],
)
def test_company_is_people(others: tuple[m.Participant, ...], people: int) -> None:
    """For the last pair people count and not entries: the same contact, user, or number and purpose is one person."""
    assert company(conversation(CALLER_THERE, *others), CALLER) == people
    assert company(conversation(*reversed(others), CALLER_THERE), CALLER) == people
