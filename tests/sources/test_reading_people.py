"""Purposes and attributes: read as they were meant or refused in a sentence that tells nothing of anybody."""

import json

import pytest

from service.core import model as m
from service.core.errors import Unreadable
from service.sources.reading import Fields, json_object
from tests.sources.senders import PARTICIPANT, VERIFIED, built, delivery

NUMBER = "+14155550123"


def said(name: str, value: object) -> Fields:
    """The fields of a body that holds one."""
    return json_object(json.dumps({name: value}).encode())


@pytest.mark.parametrize(
    "given, purpose",
    [
        ("customer", "customer"),
        ("EXTERNAL", "external"),
        ("botflow", "botflow"),
        ("Patient_2-b", "patient_2-b"),
        ("x" * 64, "x" * 64),
        ({"link": "https://x/y", "value": "customer"}, "customer"),
        ("", ""),
        (None, ""),
    ],
)
def test_purposes(given: object, purpose: str) -> None:
    """A purpose is one word, in lower case; an org may have its own."""
    assert said("purpose", given).purpose("purpose") == purpose


@pytest.mark.parametrize(
    "given, shows",
    [
        ("customer ", "customer "),
        ("customer\n", "customer\\n"),
        ("customer,agent", "customer,agent"),
        ("*", "*"),
        ("2nd", "2nd"),
        ("kund\u0435", "kund\u0435"),
        ("\uff43ustomer", "\uff43ustomer"),
        ("x" * 65, "x" * 64 + "…"),
        (NUMBER, "a phone number"),
        ("tel:" + NUMBER, "a phone number"),
    ],
)
def test_what_is_no_purpose(given: str, shows: str) -> None:
    """Several words, other scripts and numbers are no purpose, and a number is not repeated."""
    with pytest.raises(Unreadable) as caught:
        said("purpose", given).purpose("purpose")
    assert caught.value.sentence == f"purpose is no purpose of a participant: {shows}; write one, like customer"


@pytest.mark.parametrize("name", ["purpose", "attribute"])
@pytest.mark.parametrize("given", [1, True, ["customer"]])
def test_what_is_no_text(name: str, given: object) -> None:
    """A purpose or an attribute that is no text is refused, not written as one."""
    with pytest.raises(Unreadable, match=f"{name} must be text"):
        getattr(said(name, given), name)(name)


@pytest.mark.parametrize(
    "given, attribute",
    [
        ("customerId=4711", "customerId=4711"),
        ("a=b=c", "a=b=c"),
        (" a = b ", " a = b "),
        ("Größe=ä\u00a0", "Größe=ä\u00a0"),
        ("k" * 100 + "=" + "v" * 256, "k" * 100 + "=" + "v" * 256),
        ({"key": "a", "value": "b=c"}, "a=b=c"),
        ({"value": "b", "key": {"link": "https://x/y", "value": "a"}}, "a=b"),
        ({"value": "a=b"}, "a=b"),
        ("", ""),
        (None, ""),
    ],
)
def test_attributes(given: object, attribute: str) -> None:
    """An attribute is a key and a value, in either shape; neither is trimmed nor lowered."""
    assert said("attribute", given).attribute("attribute") == attribute


@pytest.mark.parametrize(
    "given, why",
    [
        ("customerId", "attribute has no value; send key=value, or {"),
        ("customerId=", "attribute has no value; send key=value, or {"),
        ("=4711", "attribute has no key; send key=value, or {"),
        ({}, "attribute has no key; send key=value, or {"),
        ({"key": "a"}, "attribute has no value; send key=value, or {"),
        ({"key": "a", "value": ""}, "attribute has no value; send key=value, or {"),
        ({"key": "", "value": "b"}, "attribute has no key; send key=value, or {"),
        (
            {"key": "a", "value": "b", "or": "c"},
            "attribute holds more than one key and one value; send key=value, or {",
        ),
        ({"customerId": "4711"}, "attribute holds more than one key and one value; send key=value, or {"),
        ({"key": "a=b", "value": "c"}, 'attribute has a key with "=" in it, which cannot be told from its value'),
        ({"key": "a", "value": 4711}, "value must be text, in quotes"),
        ({"key": "a", "value": ["b"]}, "value must be text, in quotes"),
        ({"key": "a" * 101, "value": "b"}, "key has 101 characters; at most 100 are taken"),
        ({"key": "a", "value": "b" * 257}, "value has 257 characters; at most 256 are taken"),
        ("a" * 101 + "=b", "attribute is too long: a key has at most 100 characters, a value 256"),
        ("a=" + "b" * 257, "attribute is too long: a key has at most 100 characters, a value 256"),
        ("a=" + "b" * 356, "attribute has 358 characters; at most 357 are taken"),
        ("a=b\n", "attribute holds a control character or an invisible one"),
        ("a=\u202eb", "attribute holds a control character or an invisible one"),
        ({"key": "a\x00", "value": "b"}, "key holds a control character or an invisible one"),
    ],
)
def test_what_is_no_attribute(given: object, why: str) -> None:
    """Without a key or a value nobody is named; what is too long or hides something is not taken."""
    with pytest.raises(Unreadable) as caught:
        said("attribute", given).attribute("attribute")
    assert caught.value.sentence.startswith(why)


def test_a_refused_attribute_is_not_repeated() -> None:
    """The value may be a number or a name: no sentence shows it."""
    for given in (f"{NUMBER}=", f"a\n={NUMBER}", {"key": "=", "value": NUMBER}, {"k": NUMBER}, "a=" + NUMBER * 50):
        with pytest.raises(Unreadable) as caught:
            said("attribute", given).attribute("attribute")
        assert NUMBER[-4:] not in caught.value.sentence


@pytest.mark.parametrize(
    "body",
    [
        {"timestamp": NUMBER},
        {"timestamp": f"tel:{NUMBER}"},
        {"timestamp": f"{'x' * 56}{NUMBER}"},
        {"type": NUMBER},
        {"medium": f"call {NUMBER} back"},
    ],
)
def test_a_number_at_the_wrong_place_is_not_shown(body: dict[str, str]) -> None:
    """Wherever a number stands that should not, also where the text is cut: a sentence says its last four at most."""
    whole = {"conversationId": PARTICIPANT, "participantId": PARTICIPANT, "timestamp": "2026-11-20T09:00:00Z", **body}
    raw = json.dumps({"action": "disconnect", **whole}).encode()
    source = built("standard")
    try:
        found = source.parse(delivery(raw), VERIFIED)
        sentence = found.reason if isinstance(found, m.Ignored) else ""
    except Unreadable as refused:
        sentence = refused.sentence
    assert "0123" in sentence
    assert "5550" not in sentence


def test_marks_that_turn_the_text_are_taken_out() -> None:
    """The mark of Arabic turns the text around it as the others do, and is refused or replaced as they are."""
    with pytest.raises(Unreadable, match="invisible"):
        said("requested_by", "be\u061cth").word("requested_by", 100)
    assert said("reason", "rude\u061c caller").prose("reason", 100) == "rude  caller"


@pytest.mark.parametrize("number", [f";{NUMBER[1:]}", f"'{NUMBER}',", '"tel:4155550123"', "*4155550123#"])
def test_a_number_among_marks_is_one(number: str) -> None:
    """A number that stands where an id belongs is known as one also with a mark before or behind it."""
    with pytest.raises(Unreadable, match="phone number") as caught:
        said("user_id", number).uuid("user_id", "user")
    assert "555" not in caught.value.sentence
