"""A second reader of JSON, written apart from ours, that takes only what the rules allow: the one to agree with."""

from __future__ import annotations

import math
import re
from typing import Final, NoReturn

import orjson

DEPTH: Final = 16
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_TEXT: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER: Final = re.compile(r"(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


class NotStrict(ValueError):
    """It is no JSON, or one that two readers may read in two ways."""


def read(body: bytes) -> dict[str, object]:
    """Return the object that `body` is.

    Raises:
        NotStrict: it is anything else.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotStrict("another encoding") from None
    reader = _Reader(text)
    value = reader.value(1)
    if reader.blank() != len(text):
        raise NotStrict("something follows")
    if not isinstance(value, dict):
        raise NotStrict("no object")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def blank(self) -> int:
        """Go on to what is not blank, and return where that is."""
        found = _BLANK.match(self.text, self.at)
        assert found
        self.at = found.end()
        return self.at

    def value(self, depth: int) -> object:
        match self.text[self.blank() : self.at + 1]:
            case "{":
                return self.fields(depth)
            case "[":
                return self.items(depth)
            case '"':
                return self.string()
            case "t" | "f" | "n":
                return self.word()
            case _:
                return self.number()

    def word(self) -> bool | None:
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return _no("no word")

    def fields(self, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        self.open(depth)
        while not self.closes("}", is_first=not made):
            self.blank()
            name = self.string()
            if name in made:
                _no("a name twice")
            self.blank()
            self.expect(":")
            made[name] = self.value(depth + 1)
        return made

    def items(self, depth: int) -> list[object]:
        made: list[object] = []
        self.open(depth)
        while not self.closes("]", is_first=not made):
            made.append(self.value(depth + 1))
        return made

    def open(self, depth: int) -> None:
        if depth > DEPTH:
            _no("too deep")
        self.at += 1

    def closes(self, end: str, *, is_first: bool) -> bool:
        """Whether the object or list ends here; else go past the comma before the next one."""
        self.blank()
        if self.text.startswith(end, self.at):
            self.at += 1
            return True
        if not is_first:
            self.expect(",")
        return False

    def expect(self, char: str) -> None:
        if not self.text.startswith(char, self.at):
            _no(f"{char} is missing")
        self.at += 1

    def string(self) -> str:
        found = _TEXT.match(self.text, self.at)
        if not found:
            _no("no text")
        self.at = found.end()
        try:
            return str(orjson.loads(found[0]))
        except orjson.JSONDecodeError:
            raise NotStrict("half a surrogate pair") from None

    def number(self) -> float:
        found = _NUMBER.match(self.text, self.at)
        if not found:
            _no("no number")
        self.at = found.end()
        if not found[2]:
            return int(found[1]) if len(found[1]) <= 18 else _no("too many digits")
        value = float(found[0]) if len(found[0]) <= 32 else math.inf
        return value if math.isfinite(value) else _no("no finite number")


def _no(why: str) -> NoReturn:
    raise NotStrict(why)
