"""Their JSON into our nouns: real shapes, odd shapes, and any JSON at all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.genesys.wire import conversation_in, json_in
from tests.genesys.peers import CID, PID

REPLY = m.Reply(200)
USER = "11111111-2222-4333-8444-555555555555"


def read(*participants: object, **changes: object) -> m.Conversation | None:
    """The conversation that a document with these participants says."""
    return conversation_in({"id": CID, "participants": list(participants), **changes}, CID, REPLY)


def person(**fields: object) -> m.Participant:
    """The one participant that these fields say."""
    seen = read({"id": PID, **fields})
    assert seen is not None
    return seen.participants[0]


def test_a_whole_participant_is_read() -> None:
    """Each field that the rules use is read from where Genesys writes it; what they do not use may be anything."""
    fields: dict[str, object] = {
        "id": PID.upper(),
        "purpose": "customer",
        "userId": USER.upper(),
        "externalContactId": USER,
        "address": "sip:+14155550123@10.0.0.1;user=phone",
        "ani": "tel:+14155559999",
        "startTime": "2026-11-20T09:00:00.123Z",
        "connectedTime": "2026-11-20T10:00:01.5+01:00",
        "queueId": USER.upper(),
        "attributes": {"endTime": "x", "customerId": "4711"},
        "mediaRoles": ["full", "Monitor"],
        "calls": [{"id": "leg-1", "state": "connected", "segments": None, "novel": [{}]}],
        "messages": [],
        "chats": None,
    }
    assert person(**fields) == m.Participant(
        id=PID,
        purpose="customer",
        legs=(m.Leg("leg-1", m.Medium.VOICE, "connected", is_ended=False),),
        user_id=USER,
        external_contact_id=USER,
        phone="+14155550123",
        has_ended=False,
        joined_at=1_795_165_201_500,
        queue_id=USER,
        attributes=(("customerId", "4711"), ("endTime", "x")),
        media_roles=("full", "monitor"),
    )


@pytest.mark.parametrize(
    "given, read_as",
    [
        ({}, ()),
        (None, ()),
        ([["a", "b"]], ()),
        ("a=b", ()),
        ({"a": 1, "b": None, "c": ["x"], "d": {"e": "f"}, "g": ""}, (("g", ""),)),
        ({"b": "2", "a": "1"}, (("a", "1"), ("b", "2"))),
        ({"a=b": "c", " A ": " ä\u00a0"}, ((" A ", " ä\u00a0"), ("a=b", "c"))),
        ({"k" * 256: "v" * 1024}, (("k" * 256, "v" * 1024),)),
        ({"k" * 257: "v"}, ()),
        ({"k": "v" * 1025}, ()),
    ],
)
def test_attributes_are_texts(given: object, read_as: tuple[tuple[str, str], ...]) -> None:
    """Attributes are texts under texts, kept as they are or not at all: one that was cut would be another one."""
    assert person(attributes=given).attributes == read_as


def test_attributes_have_a_number() -> None:
    """Of more attributes than anybody has the first 500 by name are kept, in whatever order they came."""
    many = [(f"k{number:04}", "v") for number in range(501)]
    assert person(attributes=dict(many)).attributes == person(attributes=dict(many[::-1])).attributes == (*many[:500],)


@pytest.mark.parametrize(
    "given, read_as",
    [
        (["full"], ("full",)),
        (["barge", "Coach", "new word", "r" * 65], ("barge", "coach", "new word", "r" * 64)),
        ([None, 1, {}, "monitor"], ("monitor",)),
        ([f"r{number}" for number in range(9)], tuple(f"r{number}" for number in range(8))),
        ("monitor", ()),
        (None, ()),
    ],
)
def test_media_roles_are_words(given: object, read_as: tuple[str, ...]) -> None:
    """What somebody may do is said in words, unknown ones included; what is no list of words says nothing."""
    assert person(mediaRoles=given).media_roles == read_as


@pytest.mark.parametrize(
    "fields, roles",
    [
        ({"monitoredParticipantId": PID}, ("monitor",)),
        ({"coachedParticipantId": PID, "mediaRoles": []}, ("coach",)),
        ({"bargedParticipantId": PID, "mediaRoles": ["full", "barge"]}, ("barge", "full")),
        ({"monitoredParticipantId": "", "coachedParticipantId": None, "bargedParticipantId": 7}, ()),
        ({"mediaRoles": ["full"] * 20 + ["monitor"]}, ("full", "monitor")),
        ({"consultParticipantId": PID}, ()),
    ],
)
def test_who_watches_over_another_is_known_by_either_field(fields: dict[str, object], roles: tuple[str, ...]) -> None:
    """A supervisor is one by his role, or by whom he listens to where no role is listed, and however many are."""
    assert person(**fields).media_roles == roles


@pytest.mark.parametrize(
    "fields, began_at",
    [
        ({"connectedTime": "1970-01-01T00:00:02Z"}, 2000),
        ({"connectedTime": "1970-01-01T00:00:02Z", "startAlertingTime": "1970-01-01T00:00:01Z"}, 1000),
        ({"startAlertingTime": "1970-01-01T00:00:03Z", "connectedTime": "soon"}, 3000),
        ({"connectedTime": 7}, 0),
    ],
)
def test_when_a_leg_began(fields: dict[str, object], began_at: int) -> None:
    """A leg began with the earlier of its two moments; where it tells none, nobody knows."""
    (leg,) = person(calls=[{"id": "leg-1", "state": "connected", **fields}]).legs
    assert leg.began_at == began_at


@pytest.mark.parametrize("given, read_as", [(USER.upper(), USER), ("sales", ""), (None, ""), (7, "")])
def test_a_queue_is_known_by_its_id(given: object, read_as: str) -> None:
    """The queue that brought somebody is a UUID, or not known."""
    assert person(queueId=given).queue_id == read_as


@pytest.mark.parametrize(
    "given, read_as",
    [
        ([{"division": {"id": USER.upper(), "name": "Sales"}, "entities": []}], (m.Division(USER, "Sales"),)),
        ([{"division": {"id": "*"}}, {"division": {"name": "EU\n"}}], (m.Division("*"), m.Division("", "EU\ufffd"))),
        ([{"division": {"id": "a", "name": "n" * 257}}], (m.Division("a", "n" * 256),)),
        ([{"division": {"id": "a"}}] * 101, (m.Division("a"),) * 100),
        ([{"entities": [{}]}, {"division": None}, {"division": {}}, {"division": "x"}, None, "x"], ()),
        ({"division": {"id": USER}}, ()),
        (None, ()),
    ],
)
def test_divisions_are_read(given: object, read_as: tuple[m.Division, ...]) -> None:
    """A conversation's divisions are read by id and name; what is none is left out, and hides nobody."""
    seen = read({"id": PID}, divisions=given)
    assert seen is not None
    assert seen.divisions == read_as
    assert len(seen.participants) == 1


def test_a_bare_participant_is_read() -> None:
    """Of somebody of whom Genesys says nothing but that he is there, nothing is made up."""
    assert person() == m.Participant(id=PID, purpose="", legs=())


def test_words_have_a_length() -> None:
    """An id, a purpose or a state is kept up to 64 characters."""
    seen = person(id="i" * 65, purpose="p" * 65, calls=[{"id": "l" * 65, "state": "s" * 65}])
    leg = m.Leg("l" * 64, m.Medium.VOICE, "s" * 64, is_ended=False)
    assert seen == m.Participant(id="i" * 64, purpose="p" * 64, legs=(leg,))


@pytest.mark.parametrize("medium", list(m.Medium))
def test_each_medium_has_its_array(medium: m.Medium) -> None:
    """A participant's legs are in eleven arrays, and the array says the medium."""
    seen = person(**{medium.value: [{"id": "a", "state": "alerting"}, {"id": "b", "state": "disconnected"}]})
    assert seen.legs == (
        m.Leg("a", medium, "alerting", is_ended=False),
        m.Leg("b", medium, "disconnected", is_ended=True),
    )
    assert seen.is_present


STATES = dict.fromkeys(("alerting", "dialing", "contacting", "offering", "connected", "converting"), False)
STATES |= dict.fromkeys(("uploading", "transmitting", "none", "scheduled", "parked", "novel", ""), False)
STATES |= {"disconnected": True, "terminated": True, "Terminated": True}


@pytest.mark.parametrize("state, is_ended", STATES.items())
def test_only_disconnected_and_terminated_are_ended(state: str, *, is_ended: bool) -> None:
    """Every other state, unknown ones included, counts as present."""
    seen = person(calls=[{"id": "a", "state": state}])
    assert (seen.is_gone, seen.is_present, seen.legs[0].state) == (is_ended, not is_ended, state.lower())


# what the vendor's models say that a leg of each medium can be
_CALL = "alerting dialing contacting offering connected disconnected terminated none"
STATES_OF = {
    m.Medium.VOICE: f"{_CALL} converting uploading transmitting",
    m.Medium.CALLBACK: f"{_CALL} scheduled",
    m.Medium.CHAT: _CALL,
    m.Medium.COBROWSE: f"{_CALL} scheduled",
    m.Medium.EMAIL: "alerting connected disconnected none parked transmitting",
    m.Medium.MESSAGE: "alerting connected parked disconnected",
    m.Medium.INTERNAL_MESSAGE: "alerting connected disconnected",
    m.Medium.SCREEN_MONITORING: "none connected disconnected",
    m.Medium.SCREENSHARE: _CALL,
    m.Medium.SOCIAL: _CALL,
    m.Medium.VIDEO: _CALL,
}


@pytest.mark.parametrize("medium", list(m.Medium))
def test_each_medium_ends_by_its_own_states(medium: m.Medium) -> None:
    """Of the states that a leg of this medium can be in, those that are its end are the end, and no other."""
    for state in STATES_OF[medium].split():
        seen = person(**{medium.value: [{"id": "a", "state": state}]})
        assert seen.is_gone == (state in {"disconnected", "terminated"}), state
        assert seen.is_present != seen.is_gone


@pytest.mark.parametrize("state", [None, 7, {}, ["disconnected"]])
def test_a_state_that_is_no_word_has_not_ended(state: object) -> None:
    """What cannot be read is no proof that somebody left."""
    assert person(calls=[{"state": state}]).is_present


@pytest.mark.parametrize(
    "fields, phone",
    [
        ({"address": "tel:+14155550123"}, "+14155550123"),
        ({"address": "tel:+14155550123", "ani": "tel:+14155559999"}, "+14155550123"),
        ({"address": "sip:agent@org.example", "ani": "tel:+14155559999"}, "+14155559999"),
        ({"address": None, "ani": "+1 (415) 555-9999"}, "+14155559999"),
        ({"address": 14155550123, "ani": ["+14155559999"]}, None),
        ({"address": "4155550123"}, None),
        ({}, None),
    ],
)
def test_the_phone_is_the_address_or_else_the_ani(fields: dict[str, object], phone: str | None) -> None:
    """A number is taken in E.164 only, from the address first."""
    assert person(**fields).phone == phone


@pytest.mark.parametrize(
    "fields, at",
    [
        ({}, 0),
        ({"startTime": "2026-11-20T09:00:00Z"}, 1_795_165_200_000),
        ({"startTime": "2026-11-20T09:00:05Z", "connectedTime": "2026-11-20T09:00:00Z"}, 1_795_165_205_000),
        ({"startTime": "2026-11-20T09:00:00.1234567+00:00"}, 1_795_165_200_123),
        ({"startTime": "2026-11-20T09:00:00"}, 0),
        ({"startTime": "2026-11-20"}, 0),
        ({"startTime": "2026-02-30T09:00:00Z"}, 0),
        ({"startTime": "0001-01-01T00:00:00+23:59"}, 0),
        ({"startTime": "9999-12-31T23:59:59-23:59"}, 253_402_387_139_000),
        ({"startTime": "\u0662\u066026-11-20T09:00:00Z"}, 0),
        ({"startTime": 1_795_165_200_000}, 0),
    ],
)
def test_who_joined_when(fields: dict[str, object], at: int) -> None:
    """The later of start and connection counts, and only an RFC 3339 time with an offset is a time."""
    assert person(**fields).joined_at == at


@pytest.mark.parametrize(
    "end, has_ended", [("2026-11-20T09:00:00Z", True), ("odd", True), ("", False), (None, False), (0, False)]
)
def test_an_end_time_means_gone(end: object, *, has_ended: bool) -> None:
    """`endTime` is there only when somebody has left, whatever his legs still say, and may say when that was."""
    seen = person(endTime=end, calls=[{"state": "connected"}])
    assert (seen.has_ended, seen.is_gone) == (has_ended, has_ended)
    assert seen.left_at == (1_795_165_200_000 if end == "2026-11-20T09:00:00Z" else 0)


@pytest.mark.parametrize(
    "raw", ["..", "abc-123", PID + "\n", f" {PID}", PID[:-1] + "\uff11", "", PID + PID, "p-" + PID]
)
def test_an_id_that_is_none_is_somebody_who_cannot_be_named(raw: str) -> None:
    """A participant without a UUID counts among the present, under an id that no call accepts."""
    seen = read({"id": raw, "calls": [{"state": "connected"}]}, {"id": PID})
    assert seen is not None
    assert [one.is_present for one in seen.participants] == [True, False]
    assert m.UUID.fullmatch(seen.participants[0].id) is None


@pytest.mark.parametrize("missing", [{}, {"participants": None}, {"participants": []}])
def test_no_participants_yet_is_a_sight(missing: dict[str, object]) -> None:
    """Right after the start a conversation has nobody in it; that is not unreadable."""
    assert conversation_in({"id": CID.upper(), **missing}, CID, REPLY) == m.Conversation(CID, (), REPLY)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"id": None, "participants": []},
        {"id": PID, "participants": []},
        {"id": CID, "participants": {}},
        {"id": CID, "participants": "x"},
        {"id": CID, "participants": [None]},
        {"id": CID, "participants": [[]]},
        {"id": CID, "participants": [{"id": PID, "calls": {}}]},
        {"id": CID, "participants": [{"id": PID, "videos": ["x"]}]},
    ],
)
def test_half_a_document_is_no_sight(document: object) -> None:
    """Whoever stands where we cannot read might be the one: then nothing was seen."""
    assert conversation_in(document, CID, REPLY) is None


def test_json_is_read() -> None:
    """UTF-8 JSON is what it says."""
    assert json_in('{"ä": [1, null]}'.encode()) == {"ä": [1, None]}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"9" * 5000, b"[" * 100_000, b'"\xff"']
)
def test_what_is_no_json_is_nothing(body: bytes) -> None:
    """Other encodings, endless numbers and bottomless nesting are read as nothing."""
    assert json_in(body) is None


SOMETHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([CID, PID, "connected"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["id", "state"]), inner),
    max_leaves=8,
)
MEDIA = {medium.value: st.lists(st.fixed_dictionaries({}, optional={"id": SOMETHING, "state": SOMETHING}), max_size=2)
         for medium in m.Medium}  # fmt: skip
TEXTS = ("id", "purpose", "userId", "externalContactId", "address", "ani", "endTime", "startTime", "connectedTime")
MORE = dict.fromkeys(("queueId", "attributes", "mediaRoles"), SOMETHING)
PERSON = st.fixed_dictionaries({}, optional={**dict.fromkeys(TEXTS, SOMETHING), **MORE, **MEDIA})


@given(
    st.fixed_dictionaries(
        {"id": st.just(CID), "participants": st.lists(PERSON | SOMETHING, max_size=4)},
        optional={"divisions": SOMETHING},
    )
    | SOMETHING
)
def test_no_json_raises(document: object) -> None:
    """Whatever JSON comes, it is a sight of this conversation or none; all text in it can be written as UTF-8."""
    seen = conversation_in(json_in(json.dumps(document).encode()), CID, REPLY)
    assert seen is None or seen.id == CID
    repr(seen).encode()
    for one in seen.participants if seen else ():
        f"{one.id}{one.purpose}{''.join(leg.id + leg.state for leg in one.legs)}".encode()


def test_one_id_stands_for_one_participant() -> None:
    """A document that lists one participant id twice is not understood: the order would say whether he is there."""
    here: dict[str, object] = {"id": PID, "calls": [{"id": "leg-1", "state": "connected"}]}
    gone: dict[str, object] = {"id": PID.upper(), "calls": [{"id": "leg-2", "state": "terminated"}]}
    assert read(here, gone) is read(gone, here) is None
    assert read(here, {"id": ""}, {"id": ""}) is not None


@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    """Whatever bytes come, they are JSON or nothing."""
    json_in(body)


@settings(max_examples=30)
@given(st.lists(PERSON, max_size=3).flatmap(lambda people: st.tuples(st.just(people), st.permutations(people))))
def test_the_order_of_participants_means_nothing(both: tuple[list[object], list[object]]) -> None:
    """The same people in another order are the same people."""
    one, other = (read(*people) for people in both)
    assert one is not None
    assert other is not None
    assert sorted(map(repr, one.participants)) == sorted(map(repr, other.participants))
