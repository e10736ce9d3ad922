"""Reads hostile bytes: strict JSON, and fields that are either clean or refused in a sentence.

Every sentence names the field and says what to send instead. It shows at most 64 characters of what was sent, escaped,
and never a phone number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from string import punctuation
from typing import Final, NoReturn

from service.core import model as m
from service.core.errors import Malformed, Unreadable
from service.telemetry import without_numbers

DEPTH: Final = 16  # our deepest shape has 3; a reference inside a list inside an event has 6
_INTEGER_CHARS: Final = 18  # fits 64 bits with its sign
_FLOAT_CHARS: Final = 32  # a double never needs more than 24
_SHOWN: Final = 64
_PHONE_CHARS: Final = 64  # sip:+<15 digits>@host;user=phone
_PURPOSE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)  # theirs have at most 16, and may be made up
_KEY_CHARS: Final = 100  # of an attribute: what people call things
_VALUE_CHARS: Final = 256  # an address, a customer's number, a name; nobody is known by a longer text
_ATTRIBUTE_FORMS: Final = 'send key=value, or {"key":…,"value":…}'
EXAMPLE_ID: Final = "3a4b5c6d-1234-5678-9012-34567890abcd"
EXAMPLE_PHONE: Final = "+14155550123"
EXAMPLE_MOMENT: Final = "2026-11-20T09:00:00Z"

# Control characters, line and paragraph separators, and the invisible ones that turn or hide the text around them.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Somebody's number, though not as E.164: it is not shown. At least seven digits, at most fifteen and as much between.
_DIALLED: Final = re.compile(r"(?=.*[0-9])[+0-9 ()./\u00a0-]{7,30}|(?:tel|sips?):.*", re.IGNORECASE | re.DOTALL)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])([01]\d|2[0-3]):([0-5]\d))?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def shown(text: str) -> str:
    """Return what a sentence may show of `text`: 64 characters, the unprintable escaped; of a number its last four."""
    bare = without_numbers(text)
    cut = bare[:_SHOWN] + ("…" if len(bare) > _SHOWN else "")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)


def json_object(body: bytes) -> Fields:
    """Return the fields of the JSON object that `body` is.

    Raises:
        Malformed: it is anything else; see `json_value`.
    """
    value = json_value(body)
    if not isinstance(value, dict):
        raise Malformed("the body is JSON, but not an object: it must begin with {")
    return Fields(value)


def json_value(body: bytes) -> object:
    """Return what `body` is as JSON.

    Raises:
        Malformed: another encoding, a name twice, NaN, a number or depth beyond bounds, half a surrogate pair.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise Malformed("the body begins with a byte order mark; send UTF-8 without one")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise Malformed(f"the body is nested deeper than {DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    # most bodies hold neither: then their strings are not gone through one by one
    if "\\u" in text or text.count("{") + text.count("[") > DEPTH:
        _check(value, 1)
    return value


def _pairs(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields:
            raise Malformed(f"the body says {shown(name)} twice in one object")
        fields[name] = value
    return fields


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not a number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_CHARS:
        raise Malformed(f"the body holds a whole number of more than {_INTEGER_CHARS} characters")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= _FLOAT_CHARS else math.inf
    if not math.isfinite(value):
        raise Malformed("the body holds a number that is too large or too long")
    return value


# made once: json.loads makes one for each body that is read in another way than its own
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_float
)


def _check(value: object, depth: int) -> None:
    """Refuse what lies too deep, and halves of surrogate pairs: they cannot be written as UTF-8 again."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise Malformed("the body holds half of a surrogate pair (\\ud800 to \\udfff)")
    elif isinstance(value, dict | list):
        if depth > DEPTH:
            raise Malformed(f"the body is nested deeper than {DEPTH} levels")
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        for part in inside:
            _check(part, depth + 1)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one JSON object, asked for by name.

    A field is also found under its camelCase name (`conversation_id`, `conversationId`). Missing, null and "" are all
    absent. A reference as ServiceNow sends it, `{"link":…,"value":…}`, is its value. Fields nobody asks for do not
    matter. Every method raises Unreadable, with a sentence for the sender, and nothing else.
    """

    values: Mapping[str, object]

    def has(self, name: str) -> bool:
        """Whether the field `name` is given, and not empty."""
        return self._value(name) is not None

    def inside(self, name: str) -> Fields:
        """Return the fields of the object that stands at `name`."""
        value = self._value(name)
        if not isinstance(value, dict):
            raise Unreadable(f"{name} must be an object")
        return Fields(value)

    def flag(self, name: str) -> bool:
        """Return a true or false; absent is false, and the word "true" is neither."""
        value = self._value(name)
        if value is None or isinstance(value, bool):
            return value is True
        raise Unreadable(f"{name} must be true or false, without quotes")

    def word(self, name: str, limit: int) -> str:
        """Return an id, name or code of at most `limit` characters as it was sent, or ""."""
        text = self._text(name)
        if len(text) > limit:
            raise Unreadable(f"{name} has {len(text)} characters; at most {limit} are taken")
        if _CONTROL.search(text):
            raise Unreadable(f"{name} holds a control character or an invisible one")
        return text

    def prose(self, name: str, limit: int) -> str:
        """Return free text, or "": control characters become spaces, and it is cut at `limit` characters."""
        text = _CONTROL.sub(" ", self._text(name)).strip()
        return text if len(text) <= limit else text[: limit - 1] + "…"

    def uuid(self, name: str, noun: str, instead: str = "") -> str:
        """Return the Genesys id of a `noun` in lower case, or ""; `instead` ends the sentence of a refusal."""
        text = self._text(name)
        if not text:
            return ""
        if found := m.uuid_in(text):
            return found
        if _is_dialled(text):
            raise Unreadable(f"{name} seems to hold a phone number; send that as caller_phone")
        raise Unreadable(_no_uuid(text, noun) + instead)

    def phone(self, name: str) -> str:
        """Return a phone number as E.164, or ""."""
        text = self.word(name, _PHONE_CHARS)
        found = m.phone_in(text)
        if text and found is None:
            raise Unreadable(f"{name} is no phone number with its country code; write E.164, like {EXAMPLE_PHONE}")
        return found or ""

    def purpose(self, name: str) -> str:
        """Return the purpose of a participant in lower case, or ""; any word is one, for an org may have its own."""
        text = self._text(name)
        if text and not _PURPOSE.fullmatch(text):
            raise Unreadable(
                f"{name} is no purpose of a participant: {_unless_dialled(text)}; write one, like customer"
            )
        return text.lower()

    def attribute(self, name: str) -> str:
        """Return an attribute of a participant as `key=value`, or ""; nothing of it is changed.

        It is sent as that text, the key ending at the first "=", or as `{"key":…,"value":…}`.
        """
        given = self._value(name)
        if given is None:
            return ""
        if isinstance(given, dict):
            parts = Fields(given)
            if not given.keys() <= {"key", "value"}:
                raise Unreadable(f"{name} holds more than one key and one value; {_ATTRIBUTE_FORMS}")
            key, value = parts.word("key", _KEY_CHARS), parts.word("value", _VALUE_CHARS)
            if "=" in key:
                raise Unreadable(f'{name} has a key with "=" in it, which cannot be told from its value')
        else:
            key, _, value = self.word(name, _KEY_CHARS + 1 + _VALUE_CHARS).partition("=")
        if len(key) > _KEY_CHARS or len(value) > _VALUE_CHARS:
            raise Unreadable(f"{name} is too long: a key has at most {_KEY_CHARS} characters, a value {_VALUE_CHARS}")
        if not (key and value):
            raise Unreadable(f"{name} has no {'value' if key else 'key'}; {_ATTRIBUTE_FORMS}")
        return f"{key}={value}"

    def moment(self, name: str, zone: tzinfo | None) -> int | None:
        """Return a moment in milliseconds since the epoch, or None when absent.

        RFC 3339 with Z or an offset. Without an offset (`2026-11-20 09:00:00`, as ServiceNow writes it) only where the
        source names its `zone`; of the two moments that an hour set back has, the earlier: late is wrong.
        """
        text = self._text(name)
        if not text:
            return None
        found = _MOMENT.fullmatch(text)
        if not found:
            raise Unreadable(f"{name} is not a time: {shown(text)}; write RFC 3339, like {EXAMPLE_MOMENT}")
        date, clock, fraction, utc, sign, hours, minutes = found.groups()
        try:
            local = datetime.fromisoformat(f"{date}T{clock}")
            if utc or sign:
                ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
                offsets = [-ahead if sign == "-" else ahead]
            else:
                offsets = _offsets(local, zone)
        except ValueError:
            raise Unreadable(f"{name} is a time that never was: {shown(text)}") from None
        if not offsets:
            raise Unreadable(
                f"{name} says no offset: {shown(text)}; write it like {EXAMPLE_MOMENT}, "
                "or name the time_zone of this source in its settings"
            )
        milliseconds = int((fraction or "0").ljust(3, "0")[:3])
        return (local.replace(tzinfo=UTC) - _EPOCH - max(offsets)) // _MS + milliseconds

    def _value(self, name: str) -> object:
        """Return what stands at `name` in either spelling, None when absent."""
        values, camel = self.values, _camel(name)
        value = _bare(values[name]) if name in values else None
        if camel == name or camel not in values or (other := _bare(values[camel])) is None:
            return value
        if value is not None and value != other:
            raise Unreadable(f"{name} and {camel} differ; send one of them")
        return other if value is None else value

    def _text(self, name: str) -> str:
        value = self._value(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unreadable(f"{name} must be text, in quotes")
        return value


@cache
def _camel(name: str) -> str:
    """Return the other spelling of a field's name; the names are ours, so there are few of them."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _bare(value: object) -> object:
    """Return a reference's value, None for what counts as absent, and anything else as it is."""
    if isinstance(value, dict) and "value" in value and value.keys() <= {"link", "value", "display_value"}:
        value = value["value"]
    return None if value == "" else value


def _is_dialled(text: str) -> bool:
    # a mark before or behind it (a comma, a quote) makes it no less somebody's number
    return bool(_DIALLED.fullmatch(text) or _DIALLED.fullmatch(text.strip(punctuation)))


def _unless_dialled(text: str) -> str:
    return "a phone number" if _is_dialled(text) else shown(text)


def _no_uuid(text: str, noun: str) -> str:
    if text[:2] in {"p-", "P-"}:
        return f'{shown(text)}: Genesys ids carry no "p-"; a {noun} id is a bare UUID like {EXAMPLE_ID}'
    is_path = not text.strip(".") or any(char in text for char in "/\\%?#")
    what = " but a piece of a path" if is_path else ""
    return f"{shown(text)} is not a Genesys {noun} id{what}; those are UUIDs like {EXAMPLE_ID}"


def _offsets(local: datetime, zone: tzinfo | None) -> list[timedelta]:
    """Return the offsets that `local` may have in `zone`: two where the clock is set back, none without a zone."""
    both = [local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    return [offset for offset in both if offset is not None]
