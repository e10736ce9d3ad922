"""What a body asks: two forms, one removal, and never a guess about who is meant."""

import json

import pytest

from service.core import model as m
from service.core.errors import Malformed, Unreadable
from service.sources.asking import MEDIA, Asked, asked_in, clicked_at, removal_in
from tests.sources.senders import CONVERSATION, NOW, PARTICIPANT, PHONE, flat, own

K = m.SelectorKind
USER = "11111111-2222-3333-4444-555555555555"
CONTACT = "99999999-8888-7777-6666-555555555555"
LEG = "77777777-6666-5555-4444-333333333333"
WAYS = {
    "communication_id": LEG,
    "participant_id": PARTICIPANT,
    "external_contact_id": CONTACT,
    "user_id": USER,
    "caller_phone": PHONE,
    "attribute": "customerId=4711",
    "purpose": "customer",
}


def asked(body: bytes) -> Asked:
    """Return what is asked; it must not be ignored."""
    found = asked_in(body)
    assert isinstance(found, Asked)
    return found


def removal(body: bytes) -> m.Removal:
    """Return the removal that is asked for."""
    return removal_in(asked(body), None, NOW)


def refused(body: bytes) -> str:
    """Return the sentence with which a body is refused."""
    with pytest.raises(Unreadable) as caught:
        removal(body)
    return caught.value.sentence


def test_own_form() -> None:
    """The own form's sample is read as it is meant."""
    assert removal(own()) == m.Removal(
        conversation_id=CONVERSATION,
        selector=m.Selector(K.PHONE, PHONE),
        requester="beth.anglin",
        reason="abusive caller",
        event_at=NOW,
    )


@pytest.mark.parametrize("field", ["conversation_id", "conversationId", "action"])
def test_both_forms_in_one_body(field: str) -> None:
    """One form beside the other is refused: somebody's text may have been put into a body unescaped."""
    body = json.loads(own()) | {field: CONVERSATION}
    assert refused(json.dumps(body).encode()).startswith("this is both forms in one body")


def test_flat_form() -> None:
    """The field report's shape, with the conversation's id, is read as it is meant."""
    body = flat(requestedBy="beth", reason="why\nnot", preview=True, medium="voice")
    assert removal(body) == m.Removal(
        conversation_id=CONVERSATION,
        selector=m.Selector(K.PARTICIPANT_ID, PARTICIPANT),
        medium=m.Medium.VOICE,
        preview=True,
        requester="beth",
        reason="why not",
        event_at=NOW,
    )


def test_both_forms_say_the_same() -> None:
    """The same names mean the same in both forms, in both spellings."""
    snake = {"conversation_id": CONVERSATION, "participant_id": PARTICIPANT, "action": "disconnect"}
    inside = json.dumps({"type": "caller.remove", "data": snake}).encode()
    assert removal(json.dumps(snake).encode()) == removal(flat()) == removal(inside)


@pytest.mark.parametrize("event", ["caller.removed", "removal.settled", "ping", "CALLER.REMOVE", "caller.remove "])
def test_other_events_are_ignored(event: str) -> None:
    """An event of another type is authentic and not for us: ignored, with its name."""
    found = asked_in(json.dumps({"type": event}).encode())
    assert isinstance(found, m.Ignored)
    assert event in found.reason


@pytest.mark.parametrize("action", ["transfer", "Disconnect", "disconnect ", "delete", "", None])
def test_one_thing_only(action: str | None) -> None:
    """Any other action, or none, is refused in words."""
    assert refused(flat(action=action)) == 'this service does one thing: action "disconnect"'


@pytest.mark.parametrize("inside, beside", [(True, None), (None, True), (True, False), (False, True)])
def test_a_preview_said_anywhere_is_one(inside: bool | None, beside: bool | None) -> None:
    """A preview is one whether it is asked for in the data or beside it; what is neither true nor false is refused."""
    said = json.loads(own(preview=inside)) | {"preview": beside}
    assert removal(json.dumps(said).encode()).preview
    assert "true or false" in refused(json.dumps(said | {"preview": "true"}).encode())


def test_own_form_needs_no_action() -> None:
    """In the own form the type says what is wanted; an action that says otherwise is refused all the same."""
    assert removal(own(action="disconnect")) == removal(own())
    assert refused(own(action="transfer")) == 'this service does one thing: action "disconnect"'


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"participantId": PARTICIPANT}, {"type": ""}, {"type": None}])
def test_neither_form(body: dict[str, object]) -> None:
    """What is neither form is told both."""
    with pytest.raises(Unreadable, match=r'caller\.remove.* or .*"conversationId"'):
        asked_in(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body, word",
    [
        ({"type": "caller.remove"}, "data is missing"),
        ({"type": "caller.remove", "data": ""}, "data is missing"),
        ({"type": "caller.remove", "data": [1]}, "data must be an object"),
        ({"type": 1}, "type must be text"),
        ({"type": "x" * 129}, "type has 129"),
        ({"type": ["caller.remove"]}, "type must be text"),
    ],
)
def test_broken_envelopes(body: dict[str, object], word: str) -> None:
    """An envelope that is not one is refused in words."""
    with pytest.raises(Unreadable, match=word):
        asked_in(json.dumps(body).encode())


def test_no_json_is_malformed() -> None:
    """What is not JSON is not read any further."""
    with pytest.raises(Malformed):
        asked_in(b"conversationId=1")


def test_conversation_is_needed() -> None:
    """Without a conversation there is nothing to do, and the sentence says where the id is found."""
    assert "clientSessionId" in refused(own(conversation_id=None))
    assert refused(flat(conversationId="xyz-456")).startswith("xyz-456 is not a Genesys conversation id")


@pytest.mark.parametrize("first", list(WAYS))
def test_each_way_to_name_the_person(first: str) -> None:
    """Each way alone is the selector."""
    found = removal(own(**(dict.fromkeys(WAYS) | {first: WAYS[first]})))
    assert found.selector.value == WAYS[first]
    assert found.identity is None


@pytest.mark.parametrize(
    "names", [(one, two) for place, one in enumerate(WAYS) for two in list(WAYS)[place + 1 :]], ids="-".join
)
def test_two_ways_to_name_the_person(names: tuple[str, str]) -> None:
    """Of two ways the surer is the selector and the other the identity, in whatever order they stand."""
    for order in (names, names[::-1]):
        found = removal(own(**(dict.fromkeys(WAYS) | {name: WAYS[name] for name in order})))
        assert found.identity is not None
        assert (found.selector.value, found.identity.value) == (WAYS[names[0]], WAYS[names[1]])


def test_a_third_way_is_refused() -> None:
    """A third way could not be held against the other two, so nobody is dropped on it."""
    assert "in 3 ways (participant_id, user_id, phone)" in refused(own(participant_id=PARTICIPANT, user_id=USER))
    assert "in 3 ways (phone, attribute, purpose)" in refused(own(attribute="a=b", purpose="customer"))
    assert "in 7 ways" in refused(own(**WAYS))


def test_nobody_named() -> None:
    """A removal of nobody is refused, and empty strings name nobody."""
    assert refused(own(caller_phone="")).startswith("nobody is named")
    assert refused(flat(participantId=None)).startswith("nobody is named")


def test_phone_by_both_names() -> None:
    """The number may stand under either name, in any form, and under both only if it is the same."""
    assert removal(own(caller_phone=None, phone="+1 415 555 0123")) == removal(own())
    assert removal(own(phone="+1 415 555 0123")) == removal(own())
    assert refused(own(phone="+14155550124")) == "caller_phone and phone differ; send one of them"


def test_the_kinds_are_called_as_their_fields() -> None:
    """Each way to name somebody is a kind of selector, and there is no kind that no field gives."""
    kinds = [removal(own(**(dict.fromkeys(WAYS) | {name: value}))).selector.kind for name, value in WAYS.items()]
    assert [kind.replace("phone", "caller_phone") for kind in kinds] == list(WAYS)
    assert set(kinds) == set(K)


def test_an_attribute_in_both_shapes() -> None:
    """An attribute is `key=value` or an object of the two, in either form of body, and means the same."""
    alone = dict.fromkeys(WAYS)
    as_text = removal(own(**(alone | {"attribute": "customerId=a=b"})))
    assert as_text.selector == m.Selector(K.ATTRIBUTE, "customerId=a=b")
    assert removal(own(**(alone | {"attribute": {"key": "customerId", "value": "a=b"}}))) == as_text
    shape = {"key": "customerId", "value": "a=b"}
    assert removal(flat(participantId=None, attribute=shape)).selector == as_text.selector


@pytest.mark.parametrize("name", ["participant_id", "external_contact_id", "user_id", "communication_id"])
def test_a_broken_way_is_refused_beside_a_good_one(name: str) -> None:
    """Every way that is given must be readable, though another would do."""
    assert "UUID" in refused(own(**{name: "abc-123"}))


def test_every_medium() -> None:
    """Every medium can be named, in people's words and in Genesys' own; another word is refused."""
    assert set(MEDIA.values()) == set(m.Medium)
    for word, medium in MEDIA.items():
        assert removal(own(medium=word.upper())).medium is medium
    assert removal(own(medium="internal_message")).medium is m.Medium.INTERNAL_MESSAGE
    assert removal(own(medium="")).medium is None
    assert refused(own(medium="fax")).startswith("medium fax is unknown; send voice")


@pytest.mark.parametrize("preview", ["true", 1, "false", []])
def test_preview_is_true_or_false(preview: object) -> None:
    """A preview is asked for by true, and a word that looks like it is refused rather than acted on."""
    assert "preview" in refused(own(preview=preview))
    assert not removal(own(preview=False)).preview


def test_who_asked() -> None:
    """The requester is who clicked, else the actor."""
    assert removal(own(requested_by="", actor="flow.user")).requester == "flow.user"
    assert removal(own(requested_by={"link": "https://x/y", "value": "beth"}, actor="z")).requester == "beth"
    assert "requested_by has 101 characters" in refused(own(requested_by="x" * 101))


def test_when_it_was_clicked() -> None:
    """The body's time comes first, then the stamp, and none at all only where the source allows it."""
    timed, untimed = asked(flat(timestamp="2026-11-20T08:59:30Z")), asked(flat(timestamp=None))
    assert clicked_at(timed, NOW, None, may_be_untimed=False) == NOW - 30_000
    assert clicked_at(untimed, NOW - 1, None, may_be_untimed=False) == NOW - 1
    assert clicked_at(untimed, None, None, may_be_untimed=True) is None
    with pytest.raises(Unreadable, match='untimed = "accept"'):
        clicked_at(untimed, None, None, may_be_untimed=False)
    with pytest.raises(Unreadable, match="timestamp is not a time"):
        clicked_at(asked(flat(timestamp="soon")), NOW, None, may_be_untimed=True)


def test_time_of_the_own_form_stands_outside() -> None:
    """The own form's time is the envelope's; one among the data is not looked at."""
    assert clicked_at(asked(own(timestamp="yesterday")), None, None, may_be_untimed=False) == NOW


def test_bounds_of_the_words() -> None:
    """A reason is cut at 500 characters; a name has 100 and a type 128 at most."""
    assert removal(own(reason="x" * 500)).reason == "x" * 500
    assert removal(own(reason="x" * 501)).reason == "x" * 499 + "…"
    assert removal(own(requested_by="x" * 100)).requester == "x" * 100
    assert isinstance(asked_in(json.dumps({"type": "x" * 128}).encode()), m.Ignored)
