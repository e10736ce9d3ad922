"""Where something stands in a body: JSON pointers (RFC 6901) with one step more, as settings write them.

`/event/data/id` goes by names, `/items/0` by a place. `/custom_fields/[name=conversation]/value` goes to the first of a
list whose `name` is `conversation`: many systems send the fields of their own making like that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer

_CHOICE: Final = re.compile(r"\[([^=\[\]]+)=([^\[\]]*)\]")
_PLACE: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_TILDE: Final = re.compile(r"~(?![01])")
_TEXT_CHARS: Final = 2000  # what a pattern is held against: a message to a bot is shorter, and a longer text only costs
Step = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place in a body.

    Attributes:
        text: as it was written.
        pattern: what of the text there is meant: the group in this, where it fits first; None for all of it.
    """

    text: str
    pattern: re.Pattern[str] | None = None

    def find(self, value: object) -> object:
        """Return what stands there in `value`, or None: nothing does, or the pattern does not fit."""
        for step in _steps(self.text):
            value = _next(value, step)
        return value if self.pattern is None else next(self._findings(value), None)

    def is_ambiguous(self, value: object) -> bool:
        """Whether the pattern finds several things in the text there, so that nobody can tell which is meant."""
        whole = Pointer(self.text).find(value)
        return len(set(self._findings(whole))) > 1

    def _findings(self, value: object) -> Iterator[str]:
        fits = self.pattern.finditer(value[:_TEXT_CHARS]) if self.pattern and isinstance(value, str) else ()
        return (fit[1] for fit in fits if fit[1] is not None)


def _next(value: object, step: Step) -> object:
    if isinstance(value, Mapping):
        return value.get(step) if isinstance(step, str) else None
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    if isinstance(step, tuple):
        name, wanted = step
        return next((it for it in value if isinstance(it, Mapping) and word_in(it.get(name)) == wanted), None)
    return value[int(step)] if _PLACE.fullmatch(step) and int(step) < len(value) else None


def word_in(value: object) -> str | None:
    """Return a text, a whole number or a yes and no as JSON writes them; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def _steps(text: str) -> list[Step]:
    steps: list[Step] = []
    for part in text.split("/")[1:]:
        chosen = _CHOICE.fullmatch(part)
        steps.append((_plain(chosen[1]), _plain(chosen[2])) if chosen else _plain(part))
    return steps


def _plain(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def pointer_in(said: object) -> Pointer:
    """Return the place that a setting names: a pointer, or `{at = pointer, pattern = regular expression}`.

    Raises:
        ValueError: it is neither, in words.
    """
    if isinstance(said, Pointer):
        return said
    at, pattern = (said.get("at"), said.get("pattern")) if isinstance(said, Mapping) else (said, None)
    if isinstance(said, Mapping) and said.keys() - {"at", "pattern"}:
        raise ValueError("is a pointer, or has at and pattern")
    if not isinstance(at, str) or not at.startswith("/") or _TILDE.search(at):
        raise ValueError("is a JSON pointer: / and the names that lead to it, like /ticket/id; ~1 for / and ~0 for ~")
    if pattern is None:
        return Pointer(at)
    try:
        compiled = re.compile(pattern) if isinstance(pattern, str) else None
    except re.error as fault:
        raise ValueError(f"has a pattern that is no regular expression: {fault}") from None
    if compiled is None or compiled.groups != 1:
        raise ValueError("has a pattern with exactly one group, which is what is meant: caller (\\+[0-9]+)")
    return Pointer(at, compiled)


def whole_or_place_in(said: object) -> Pointer:
    """Return the place that a setting names, as `pointer_in` does; an empty text is the whole body (RFC 6901)."""
    return Pointer("") if said == "" else pointer_in(said)


def _written(pointer: Pointer) -> Any:  # noqa: ANN401 - a text or a table, as it was read
    return {"at": pointer.text, "pattern": pointer.pattern.pattern} if pointer.pattern else pointer.text


At = Annotated[Pointer, BeforeValidator(pointer_in), PlainSerializer(_written)]
AtOrWhole = Annotated[Pointer, BeforeValidator(whole_or_place_in), PlainSerializer(_written)]
