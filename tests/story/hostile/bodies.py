"""Bodies that were honest once: each a number's own, changed in its fields, in its text and in its bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Final

from tests.genesys.evil import EVIL
from tests.sources.senders import CONVERSATION, FLAT, OWN, PARTICIPANT
from tests.sources.test_every_source import FIELDS

PHONE: Final = "+14155559876"  # no example of ours: where it is seen it was repeated
Rng = random.Random
Tree = dict[str, Any]

_TEXTS: Final = (
    "", " ", "0", "true", "null", "disconnect", "caller.remove", "ping", PHONE, "tel:" + PHONE, "4155550123",
    CONVERSATION, CONVERSATION.upper(), PARTICIPANT, "p-" + PARTICIPANT, "customer", "agent", "Voice", "chat",
    "vip=yes", "=", "a=b=c", "2026-11-20T09:00:00Z", "2026-11-20 09:00:00", "2026-02-30T09:00:00Z",
    "2026-11-20T09:00:00+23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-11-20T24:00:00Z",
    "2026-11-20T09:00:60Z", "x" * 600, "\u202eevil", "\ud83d\ude00", "a\nb", "\x1b[31m", "\x00",
    "incident/" + "0" * 32, "Ω" * 99, "'; DROP TABLE", "${jndi:ldap://x}", "{{7*7}}",
)  # fmt: skip
_OTHERS: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 10**17, 10**18, 10**40, [], {}, [[]], {"value": PHONE}, {"link": "x",
    "value": CONVERSATION}, {"value": {"value": PARTICIPANT}}, {"key": "a", "value": "b"}, {"key": "", "value": ""},
    {"display_value": "x"}, ["x"],
)  # fmt: skip
_PIECES: Final = (
    b"NaN", b"-Infinity", b"1e999", b"01", b"+1", b".5", b"1.", b"0x1", b"9" * 19, b"9" * 5000, b"\\ud800",
    b"\\udc00\\ud800", b"\\u0000", b"\\x41", b"\xed\xa0\x80", b"\xff", b"\xc0\x80", b"\xef\xbb\xbf", b"\x00", b"\n",
    b",", b",,", b":", b'"', b"'", b"{", b"}", b"[", b"]", b"[" * 40, b"[" * 30000, b'{"a":' * 2000, b"//x\n",
    b"/**/", b"\xe2\x80\xa8", b"\xc2\xa0", b"null", b"\xef\xbc\x91", b"\\", b"\\u", b"undefined",
    b'"type":"caller.remove",', b'"preview":true,', b'"data":{},', b"true",
)  # fmt: skip
_ENCODINGS: Final = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp037")


def body_of(number: int) -> bytes:
    """Return the body with this number: the same one each time."""
    rng = Rng(number)
    tree = _tree(rng)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        rng.choice(_OF_FIELDS)(rng, tree)
    raw = json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass")
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        raw = rng.choice(_OF_BYTES)(rng, raw)
    return raw


def _tree(rng: Rng) -> Tree:
    if rng.random() < 0.4:
        return dict(FLAT)
    said = OWN | {"caller_phone": PHONE}
    if rng.random() < 0.3:
        said = {_camel(name): value for name, value in said.items()}
    return {"type": "caller.remove", "timestamp": "2026-11-20T09:00:00Z", "data": said}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _some(rng: Rng) -> object:
    match rng.randrange(4):
        case 0:
            return rng.choice(_OTHERS)
        case 1:
            return rng.choice(EVIL)
        case _:
            return rng.choice(_TEXTS)


def _inside(rng: Rng, tree: Tree) -> Tree:
    inner = tree.get("data")
    return inner if isinstance(inner, dict) and rng.random() < 0.7 else tree


def _set(rng: Rng, tree: Tree) -> None:
    name = rng.choice(FIELDS)
    _inside(rng, tree)[_camel(name) if rng.random() < 0.5 else name] = _some(rng)


def _spoil(rng: Rng, tree: Tree) -> None:
    """Change a character of a text that stands there."""
    place = _inside(rng, tree)
    texts = [name for name, value in place.items() if isinstance(value, str) and value]
    if texts:
        name = rng.choice(texts)
        at, text = rng.randrange(len(place[name])), place[name]
        place[name] = (
            text[:at]
            + rng.choice(("", "\u202e", "\x00", "\n", "\ud800", "\uff11", "é", " ", "0", "."))
            + text[at + 1 :]
        )


def _drop(rng: Rng, tree: Tree) -> None:
    place = _inside(rng, tree)
    if place:
        del place[rng.choice(list(place))]


def _rename(rng: Rng, tree: Tree) -> None:
    place = _inside(rng, tree)
    if place:
        name = rng.choice(list(place))
        place[rng.choice((name.upper(), _camel(name), name + "\u200b", rng.choice(FIELDS)))] = place.pop(name)


def _wrap(rng: Rng, tree: Tree) -> None:
    place = _inside(rng, tree)
    if place:
        name, value = rng.choice(list(place.items()))
        for _ in range(rng.choice((1, 2, 13, 20))):
            value = rng.choice(({"value": value}, [value], {"data": value}))
        place[name] = value


def _flip(rng: Rng, raw: bytes) -> bytes:
    if not raw:
        return raw
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1 :]


def _cut(rng: Rng, raw: bytes) -> bytes:
    return raw[: rng.randrange(len(raw) + 1)]


def _hole(rng: Rng, raw: bytes) -> bytes:
    begin = rng.randrange(len(raw) + 1)
    return raw[:begin] + raw[begin + rng.randrange(12) :]


def _double(rng: Rng, raw: bytes) -> bytes:
    begin = rng.randrange(len(raw) + 1)
    end = begin + rng.randrange(80)
    return raw[:end] + raw[begin:]


def _insert(rng: Rng, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.choice(_PIECES) + raw[at:]


def _replace(rng: Rng, raw: bytes) -> bytes:
    """Put a piece in the place of a value."""
    begin = raw.find(b":", rng.randrange(len(raw) + 1)) + 1
    end = raw.find(b",", begin)
    return raw[:begin] + rng.choice(_PIECES) + raw[end:] if begin and end > 0 else raw


def _encode(rng: Rng, raw: bytes) -> bytes:
    if rng.random() < 0.7:  # most of those are refused for the same reason
        return raw
    return raw.decode(errors="replace").encode(rng.choice(_ENCODINGS), errors="replace")


_OF_FIELDS: Final[tuple[Callable[[Rng, Tree], None], ...]] = (_set, _set, _set, _spoil, _drop, _rename, _wrap)
_OF_BYTES: Final[tuple[Callable[[Rng, bytes], bytes], ...]] = (
    _flip, _flip, _cut, _hole, _double, _insert, _insert, _replace, _encode,
)  # fmt: skip
