"""What a body may have looked like when it was signed: the same words in other bytes, to find out what is wrong.

Most signatures that fit no secret were made over bytes that somebody wrote anew afterwards: a line end that an editor
added, JSON that a proxy printed in its own way, letters that a script escaped. Nothing here ever decides what is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from typing import Final

_MOST: Final = 3  # changes at once: more than that nobody's way does to a body
_BOM: Final = "\ufeff"
_ASCII: Final = 0x7F
_WORD: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_ESCAPED: Final = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]")
Change = tuple[str, Callable[[str], str]]
_AS_IT_IS: Final[Change] = ("", lambda text: text)


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which a body may have been written.

    Attributes:
        changes: how many things are other than in the body that came.
        words: which, so that "the body" goes before them; "" where it is the body itself.
    """

    changes: int
    words: str
    body: bytes


def shapes(body: bytes) -> Iterator[Shape]:
    """Yield the body as it came, then what it may have been, the fewest changes first, and no bytes twice."""
    seen: set[bytes] = set()
    for shape in _shapes(body):
        mark = sha256(shape.body).digest()
        if mark not in seen:
            seen.add(mark)
            yield shape


def _shapes(body: bytes) -> Iterator[Shape]:
    yield Shape(0, "", body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None:
        ways = sorted(product(*_ways(text)), key=_count)
        for way in ways:
            if 0 < (count := _count(way)) <= _MOST:
                changed = text.removeprefix(_BOM)
                for _, change in way:
                    changed = change(changed)
                yield Shape(count, " and ".join(filter(None, (words for words, _ in way))), _bytes(changed))
        with suppress(UnicodeEncodeError):
            yield Shape(1, "in Latin-1 instead of UTF-8", text.encode("latin-1"))
    yield Shape(1, "left out: nothing was signed in its place", b"")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # JSON may hold half a pair, and then so does what is made of it


def _count(way: Sequence[Change]) -> int:
    return sum(1 for words, _ in way if words)


def _ways(text: str) -> tuple[tuple[Change, ...], ...]:
    """Return what may be changed: one of each row, in this order. The first of a row leaves that as it came."""
    with_mark: Change = ("with a byte order mark before it", lambda text: _BOM + text)
    marks: tuple[Change, ...] = (_AS_IT_IS, with_mark)
    if text.startswith(_BOM):
        marks = (("", lambda text: _BOM + text), ("without the byte order mark before it", lambda text: text))
    return (
        (_AS_IT_IS, *(_JSON if _is_json(text.removeprefix(_BOM)) else ())),
        (
            _AS_IT_IS,
            (r"with all beyond ASCII escaped, like \u00e9", lambda text: _escaped(text, "04x")),
            (r"with all beyond ASCII escaped, like \u00E9", lambda text: _escaped(text, "04X")),
            (r"with its \uXXXX written as letters", _unescaped),
            (r"with / escaped as \/", lambda text: text.replace("/", r"\/")),
            (r"with \/ written as /", lambda text: text.replace(r"\/", "/")),
        ),
        (
            _AS_IT_IS,
            ("with LF instead of CRLF between its lines", lambda text: text.replace("\r\n", "\n")),
            ("with CRLF instead of LF between its lines", lambda text: re.sub(r"\r?\n", "\r\n", text)),
        ),
        (
            _AS_IT_IS,
            ("without the line end behind it", lambda text: text.rstrip("\r\n")),
            ("with a line end (LF) behind it", lambda text: text + "\n"),
            ("with a line end (CRLF) behind it", lambda text: text + "\r\n"),
            ("without the blanks around it", str.strip),
        ),
        marks,
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _laid(comma: str, colon: str) -> Callable[[str], str]:
    """Return what writes JSON in one line; numbers and strings stay as they are written."""

    def lay(text: str) -> str:
        return "".join({",": comma, ":": colon}.get(word, word) for word in _WORD.findall(text))

    return lay


def _indented(step: str) -> Callable[[str], str]:
    """Return what writes JSON line by line; what is empty stays in its line."""

    def indent(text: str) -> str:
        written: list[str] = []
        depth, before = 0, ""
        for word in _WORD.findall(text):
            is_empty = word in "]}" and before in {"[", "{"}
            depth -= word in "]}"
            if not is_empty and (before in {"[", "{", ","} or word in "]}"):
                written.append("\n" + step * depth)
            written.append(": " if word == ":" else word)
            depth += word in "[{"
            before = word
        return "".join(written)

    return indent


def _sorted(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_JSON: Final[tuple[Change, ...]] = (
    ("with its JSON minified", _laid(",", ":")),
    ("with a blank behind the commas and colons of its JSON", _laid(", ", ": ")),
    ("with its JSON indented by 2", _indented("  ")),
    ("with its JSON indented by 4", _indented("    ")),
    ("with its JSON indented by tabs", _indented("\t")),
    ("with its JSON minified, its fields sorted", _sorted),
    ("with its JSON sorted, and a blank behind commas and colons", lambda text: _laid(", ", ": ")(_sorted(text))),
)


def _escaped(text: str, form: str) -> str:
    def escape(found: re.Match[str]) -> str:
        units = found[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{int.from_bytes(units[at : at + 2]):{form}}" for at in range(0, len(units), 2))

    return _BEYOND_ASCII.sub(escape, text)


def _unescaped(text: str) -> str:
    def letters(found: re.Match[str]) -> str:
        units = bytes.fromhex(found[2].replace("\\u", ""))
        try:
            written = units.decode("utf-16-be")
        except UnicodeDecodeError:  # half a pair
            return found[0]
        return found[1] + "".join(char if ord(char) > _ASCII else f"\\u{ord(char):04x}" for char in written)

    return _ESCAPED.sub(letters, text)
