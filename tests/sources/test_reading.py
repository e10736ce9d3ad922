"""Hostile bytes become clean values or a sentence, and never anything else."""

import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import Malformed, Refused, Unreadable
from service.sources.reading import DEPTH, Fields, json_object, shown
from tests.sources.senders import PARTICIPANT, PHONE

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_795_165_200_000

EVIL_IDS = [
    "..", ".", "...", "../..", "%2e%2e", "..?", "..#", "//h", "@h", "a/b", "\\", "x\r\ny", "abc-123", "p-1", "*", "'",
    f"{PARTICIPANT}\n", f" {PARTICIPANT}", f"{PARTICIPANT} ", f"{PARTICIPANT}/..", f"{PARTICIPANT}\x00", '"', "${id}",
    PARTICIPANT.replace("3", "\uff13"), PARTICIPANT.replace("-", ""), "{" + PARTICIPANT + "}", f"p-{PARTICIPANT}",
    PARTICIPANT[:-1], PARTICIPANT + "0", PARTICIPANT.replace("a", "\uff41"), PARTICIPANT.replace("b", "g"), "null",
    "\u202e" + PARTICIPANT, PARTICIPANT.replace("-", "\u2011"), "undefined", "[object Object]", "x" * 70_000,
    f"urn:uuid:{PARTICIPANT}", "1234-5678-9012-3456-7890-1234-5678-90",
]  # fmt: skip


@pytest.mark.parametrize(
    "body, word",
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'{"a":"\n"}', "not JSON"),
        (b'{"a":01}', "not JSON"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"null", "not an object"),
        (b"1", "not an object"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        ('{"a":1}'.encode("utf-16-be"), "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":1,"a":1}', "says a twice"),
        (b'{"x":[{"\\u0061":1,"a":2}]}', "says a twice"),
        (b'{"a\\u0000":1,"a\\u0000":2}', r"a\\x00 twice"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":Infinity}', "Infinity"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":1e999}', "too large"),
        (b'{"a":-1e999}', "too large"),
        (b'{"a":0.' + b"1" * 40 + b"}", "too long"),
        (b'{"a":' + b"9" * 19 + b"}", "whole number"),
        (b'{"a":' + b"9" * 60_000 + b"}", "whole number"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'{"a":[["\\ud83d x"]]}', "surrogate"),
        (b'{"a":' + b"[" * DEPTH + b"]" * DEPTH + b"}", "deeper"),
        (b'{"a":' * 30_000, "deeper|not JSON"),
        (b'{"a":' + b"[" * 60_000 + b"]" * 60_000 + b"}", "deeper"),
    ],
)
def test_what_is_not_strict_json(body: bytes, word: str) -> None:
    """Everything but one strict JSON object in UTF-8 is Malformed, and the sentence says why."""
    with pytest.raises(Malformed, match=word):
        json_object(body)


def test_what_is_strict_json() -> None:
    """Bounds are taken up to the bound: depth, digits, surrogates in pairs."""
    body = {"a": 10**17, "b": -(10**16), "c": 1.5e300, "d": "\U0001f4de\u0000", "é": [True, False, None, {}]}
    deep = b"[" * (DEPTH - 1) + b"]" * (DEPTH - 1)
    assert json_object(json.dumps(body).encode()).values == body
    assert json_object(json.dumps(body, ensure_ascii=False).encode()).values == body
    assert json_object(b' \n\t{"a":' + deep + b"}\n").has("a")


def test_bounds_of_json() -> None:
    """Sixteen levels and numbers of 32 characters are taken, and one more is not."""
    assert json_object(b'{"a":' * 15 + b"{}" + b"}" * 15).has("a")
    assert json_object(b'{"a":0.' + b"1" * 30 + b"}").has("a")
    for beyond in (b'{"a":' * 16 + b"{}" + b"}" * 16, b'{"a":0.' + b"1" * 31 + b"}"):
        with pytest.raises(Malformed):
            json_object(beyond)


def test_a_flood_of_names_costs_little() -> None:
    """The last of ten thousand names is found twice without comparing each with each."""
    names = ",".join(f'"{number}":0' for number in range(10_000))
    with pytest.raises(Malformed, match="9999 twice"):
        json_object(f'{{{names},"9999":0}}'.encode())


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Whatever bytes arrive are an object or Malformed."""
    try:
        assert isinstance(json_object(body).values, dict)
    except Malformed as refused:
        refused.sentence.encode()


def test_mutated_bodies() -> None:
    """Bodies that are nearly right are fields that can be written again, or one of our refusals."""
    dice = random.Random(20261120)  # noqa: S311 - the same bodies in every run
    sane = json.dumps({"conversationId": PARTICIPANT, "timestamp": "2026-11-20T09:00:00Z", "reason": "x é"}).encode()
    tokens = [
        b"{", b"}", b"[", b'"', b":", b"\\u", b"\\ud800", b"NaN", b"1e999", b"9" * 50, b"\x00", b"\xff",
        b"\xed\xa0\x80", b"\xef\xbb\xbf", b"null", b"..", b"%2e", b"\r\n", b'"a":1,"a":2',
    ]  # fmt: skip
    taken = 0
    for _ in range(20_000):
        body = bytearray(sane)
        for _ in range(dice.randrange(1, 4)):
            place = dice.randrange(len(body) + 1)
            body[place : place + dice.choice([0, 0, 1, 5])] = dice.choice(tokens) * dice.choice([1, 1, 2, 300])
        try:
            fields = json_object(bytes(body))
            json.dumps(fields.values, ensure_ascii=False).encode()
            fields.uuid("conversation_id", "conversation")
            fields.moment("timestamp", None)
            fields.prose("reason", 20).encode()
            taken += 1
        except Refused as refused:
            refused.sentence.encode()
    assert taken > 100


READS: list[Callable[[Fields], object]] = [
    lambda it: it.has("a"),
    lambda it: it.flag("a"),
    lambda it: it.word("a", 10),
    lambda it: it.prose("a", 10),
    lambda it: it.uuid("a", "user"),
    lambda it: it.phone("a"),
    lambda it: it.moment("a", None),
    lambda it: it.moment("a", BERLIN),
    lambda it: it.inside("a").has("a"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["value", "link", "a"]) | st.text(), inner),
    max_leaves=6,
)


@settings(deadline=None)  # a busy machine is no failure
@given(
    JSON
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
)
def test_any_value_in_any_field(value: object) -> None:
    """Whatever stands in a field is read, or refused as Unreadable with a short sentence."""
    said = ""
    for read in READS:
        try:
            read(Fields({"a": value}))
        except Unreadable as refused:
            said = max(said, refused.sentence, key=len)
    assert len(said) < 1_000


@pytest.mark.parametrize("name", ["conversation_id", "conversationId"])
def test_both_spellings(name: str) -> None:
    """A field is found under both its names, also when one of them is empty or both agree."""
    assert Fields({name: PARTICIPANT.upper()}).uuid("conversation_id", "conversation") == PARTICIPANT
    both = Fields({"conversation_id": "", "conversationId": "", name: PARTICIPANT})
    assert both.uuid("conversation_id", "conversation") == PARTICIPANT
    assert Fields({"conversation_id": "x", "conversationId": "x"}).word("conversation_id", 9) == "x"


def test_two_spellings_that_differ() -> None:
    """A field that is said twice in two ways is refused: one of them is wrong."""
    with pytest.raises(Unreadable, match="sys_id and sysId differ"):
        Fields({"sys_id": "a", "sysId": "b"}).word("sys_id", 9)


@pytest.mark.parametrize("value", [None, "", {"link": "", "value": ""}, {"value": None}])
def test_absent(value: object) -> None:
    """Missing, null and empty are the same: absent."""
    for fields in (Fields({}), Fields({"a": value})):
        assert not fields.has("a")
        assert (fields.word("a", 1), fields.prose("a", 1), fields.uuid("a", "user"), fields.phone("a")) == ("",) * 4
        assert (fields.flag("a"), fields.moment("a", None)) == (False, None)


def test_references() -> None:
    """A reference as ServiceNow sends it is its value; another object is not text."""
    link = "https://acme.service-now.com/api/now/table/sys_user/x"
    assert Fields({"a": {"link": link, "value": "beth"}}).word("a", 9) == "beth"
    assert Fields({"a": {"display_value": "Beth", "value": "beth"}}).word("a", 9) == "beth"
    for other in ({"link": link}, {"value": "x", "extra": 1}, {"value": 1}, {"value": {"value": "x"}}, ["x"], 1, True):
        with pytest.raises(Unreadable, match="a must be text"):
            Fields({"a": other}).word("a", 9)


@pytest.mark.parametrize("value", ["x\ny", "\x00", "\x7f", "\x9b", "a\u2028b", "\u202e", "\ufeff", "\u200b"])
def test_control_characters(value: str) -> None:
    """Control and invisible characters are refused in names, and spaces in free text."""
    with pytest.raises(Unreadable, match="control character"):
        Fields({"a": value}).word("a", 9)
    assert Fields({"a": f"one{value}two"}).prose("a", 99) == re.sub(r"[^a-z]+", " ", f"one{value}two")


def test_lengths() -> None:
    """A name over its length is refused, free text is cut."""
    assert Fields({"a": "x" * 5}).word("a", 5) == Fields({"a": "x" * 5}).prose("a", 5) == "xxxxx"
    assert Fields({"a": "x" * 6}).prose("a", 5) == "xxxx…"
    with pytest.raises(Unreadable, match="a has 6 characters; at most 5"):
        Fields({"a": "x" * 6}).word("a", 5)


@pytest.mark.parametrize("value", ["true", 1, 0, "yes", [], {}])
def test_flags_are_true_or_false(value: object) -> None:
    """Only true is true: a word or a number is not taken for it."""
    assert Fields({"a": True}).flag("a")
    assert not Fields({"a": False}).flag("a")
    with pytest.raises(Unreadable, match="true or false"):
        Fields({"a": value}).flag("a")


@pytest.mark.parametrize("evil", EVIL_IDS)
def test_evil_ids(evil: str) -> None:
    """What is no UUID is refused in a sentence that shows at most 64 characters of it, all printable."""
    with pytest.raises(Unreadable, match="UUID") as caught:
        Fields({"a": evil}).uuid("a", "participant")
    assert caught.value.sentence.isprintable()
    assert len(caught.value.sentence) < 250


def test_ids_get_a_sentence() -> None:
    """The field reports' ids get a sentence, not a code."""
    instead = "; name the person by caller_phone, user_id or external_contact_id"

    def said(value: str) -> str:
        with pytest.raises(Unreadable) as caught:
            Fields({"a": value}).uuid("a", "participant", instead)
        return caught.value.sentence

    assert said("abc-123") == (
        "abc-123 is not a Genesys participant id; those are UUIDs like 3a4b5c6d-1234-5678-9012-34567890abcd; "
        "name the person by caller_phone, user_id or external_contact_id"
    )
    assert said("p-12345678-90ab-cdef-1234-567890abcdef").startswith(
        'p-12345678-90ab-cdef-1234-567890abcdef: Genesys ids carry no "p-"'
    )
    assert said("..").startswith(".. is not a Genesys participant id but a piece of a path")
    assert said("x" * 70).startswith("x" * 64 + "… is not")


@pytest.mark.parametrize(
    "number", [PHONE, "415-555-0123", "(415) 555 0123", "tel:+14155550123", "4155550123", "tel:+14155550123;ext=1"]
)
def test_a_number_is_no_id_and_is_not_shown(number: str) -> None:
    """A phone number where an id belongs is recognised, and the sentence does not repeat it."""
    with pytest.raises(Unreadable, match="a seems to hold a phone number") as caught:
        Fields({"a": number}).uuid("a", "participant")
    assert "555" not in caught.value.sentence


@pytest.mark.parametrize(
    "given, number",
    [
        (PHONE, PHONE),
        ("+1 (415) 555-0123", PHONE),
        ("tel:+14155550123", PHONE),
        ("sip:+14155550123@h;user=phone", PHONE),
    ],
)
def test_phones(given: str, number: str) -> None:
    """A number is taken in the forms people write, and becomes E.164."""
    assert Fields({"a": given}).phone("a") == number


@pytest.mark.parametrize(
    "given", ["415 555 0123", "0014155550123", "+1", "+1415555012x", "+" + "1" * 16, "..", "anonymous"]
)
def test_phones_nobody_can_call(given: str) -> None:
    """A number without its country code is not guessed at, and the sentence does not repeat it."""
    with pytest.raises(Unreadable, match=r"write E\.164, like \+14155550123") as caught:
        Fields({"a": given}).phone("a")
    assert "555 0123" not in caught.value.sentence


def test_the_longest_phone() -> None:
    """A number with all that may stand around it has 64 characters at most."""
    assert Fields({"a": PHONE.ljust(64)}).phone("a") == PHONE
    with pytest.raises(Unreadable, match="at most 64"):
        Fields({"a": PHONE.ljust(65)}).phone("a")


@pytest.mark.parametrize("given", [PHONE + "\n", "+1415\u202e5550123", "+" + "1" * 64])
def test_phones_with_something_else(given: str) -> None:
    """A number with a control character, or as long as a text, is refused."""
    with pytest.raises(Unreadable):
        Fields({"a": given}).phone("a")


@pytest.mark.parametrize(
    "given, at",
    [
        ("2026-11-20T09:00:00Z", NOON),
        ("2026-11-20t09:00:00z", NOON),
        ("2026-11-20 09:00:00Z", NOON),
        ("2026-11-20T09:00:00.5Z", NOON + 500),
        ("2026-11-20T09:00:00.123456789Z", NOON + 123),
        ("2026-11-20T09:00:00.0004Z", NOON),
        ("2026-11-20T10:00:00+01:00", NOON),
        ("2026-11-20T03:30:00-05:30", NOON),
        ("2026-11-20T09:00:00-00:00", NOON),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139_000),
    ],
)
def test_moments(given: str, at: int) -> None:
    """RFC 3339 is read to the millisecond, whatever zone the source names."""
    assert Fields({"a": given}).moment("a", None) == Fields({"a": given}).moment("a", BERLIN) == at


@pytest.mark.parametrize("given", ["2026-11-20 09:00:00", "2026-11-20T09:00:00", "2026-11-20T09:00:00.5"])
def test_moments_without_an_offset(given: str) -> None:
    """A time without an offset is refused in words, unless the source names its zone."""
    with pytest.raises(Unreadable, match=r"a says no offset: 2026.*time_zone"):
        Fields({"a": given}).moment("a", None)
    at = Fields({"a": given}).moment("a", BERLIN)
    assert at == NOON - 3_600_000 + (500 if "." in given else 0)


@pytest.mark.parametrize(
    "local, utc",
    [
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00"),
        ("2026-03-29 02:30:00", "2026-03-29T00:30:00"),
        ("0001-01-01 00:00:00", None),
    ],
)
def test_hours_that_are_twice_or_never(local: str, utc: str | None) -> None:
    """Of the two moments that a changed clock leaves open the earlier is taken: late is wrong."""
    at = Fields({"a": local}).moment("a", BERLIN)
    assert at is not None
    assert utc is None or at == datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    "given",
    [
        "now", "1795165200", "1795165200000", "2026-11-20", "20261120T090000Z", "2026-11-20T09:00Z",
        "2026-11-20T09:00:00+01", "2026-11-20T09:00:00+0100", "2026-11-20T09:00:00+24:00", "2026-11-20T09:00:00+01:60",
        "2026-11-20T09:00:00 Z", "\uff12026-11-20T09:00:00Z", "2026-11-20T09:00:00Z\n",
        " 2026-11-20T09:00:00Z", "2026-11-20T09:00:00,5Z",
        "2026-11-20T09:00:00.Z", "+2026-11-20T09:00:00Z", "Fri, 20 Nov 2026 09:00:00 GMT", "2026-11-20T09:00:00UTC",
    ],
)  # fmt: skip
def test_what_is_no_moment(given: str) -> None:
    """Anything but RFC 3339 in ASCII digits is refused, and the sentence shows how to write it."""
    with pytest.raises(Unreadable, match=r"a is not a time.*2026-11-20T09:00:00Z"):
        Fields({"a": given}).moment("a", BERLIN)


@pytest.mark.parametrize(
    "given", ["2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T25:00:00Z", "0000-01-01T00:00:00Z"]
)
def test_moments_that_never_were(given: str) -> None:
    """A day or an hour that does not exist is refused."""
    with pytest.raises(Unreadable, match="never was"):
        Fields({"a": given}).moment("a", None)


def test_objects_inside() -> None:
    """The fields of an object inside are fields too; anything else is refused."""
    assert Fields({"a": {"b": "c"}}).inside("a").word("b", 1) == "c"
    values: list[object] = [None, [], "x", 1]
    for value in values:
        with pytest.raises(Unreadable, match="a must be an object"):
            Fields({"a": value}).inside("a")


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_what_a_sentence_shows(text: str) -> None:
    """A sentence shows 64 characters at most, and nothing that does not print."""
    assert shown(text).isprintable()
    assert len(shown("x" * 65)) == 65
    assert shown("Müller 📞") == "Müller 📞"
    assert shown("a\x00\n\u202e\ud800") == r"a\x00\n\u202e\ud800"
