"""Strict reading of what people send to the control: a typing error gets a sentence, never a guess."""

import re
from collections.abc import Collection
from typing import Final

from service.sandbox.exchange import UUID

_TEXT_LIMIT: Final = 1000  # nothing a person names here is longer


class Unusable(Exception):
    """The control cannot do what was asked; the text is the sentence for the person, `status` the answer's."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class Fields:
    """The fields of one JSON object: each reader returns None for an absent or null field."""

    def __init__(self, given: object, what: str, known: Collection[str]) -> None:
        if not isinstance(given, dict):
            raise Unusable(f"{what} must be a JSON object.")
        self._given = given
        self._what = what
        if unknown := sorted(set(given) - set(known)):
            raise Unusable(f"{what} has no field {unknown[0]!r}; it knows {', '.join(known)}.")

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def raw(self, name: str) -> object:
        """Return the field as it came."""
        return self._given.get(name)

    def text(self, name: str, allowed: Collection[str] | None = None, *, longest: int = _TEXT_LIMIT) -> str | None:
        """Return a text, one of `allowed` when that is given."""
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > longest:
            raise self._unusable(name, f"must be a text of at most {longest} characters")
        if allowed is not None and value not in allowed:
            raise self._unusable(name, f"must be one of {', '.join(allowed)}")
        return value

    def matching(self, name: str, pattern: str, meaning: str) -> str | None:
        """Return a text that is entirely `pattern`; `meaning` is said when it is not."""
        value = self.text(name)
        if value is not None and not re.fullmatch(pattern, value):
            raise self._unusable(name, f"must be {meaning}")
        return value

    def uuid(self, name: str) -> str | None:
        """Return a UUID in lower case."""
        value = self.matching(name, UUID, "a UUID")
        return value and value.lower()

    def number(self, name: str, low: float, high: float) -> float | None:
        """Return a number from `low` to `high`."""
        value = self._given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self._unusable(name, f"must be a number from {low} to {high}")
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number from `low` to `high`."""
        value = self.number(name, low, high)
        if value is not None and not isinstance(value, int):
            raise self._unusable(name, "must be a whole number")
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._unusable(name, "must be true or false")
        return value

    def items(self, name: str) -> list[object] | None:
        """Return a list."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, list):
            raise self._unusable(name, "must be a list")
        return value

    def mapping(self, name: str) -> dict[str, object] | None:
        """Return an object."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._unusable(name, "must be an object")
        return value

    def texts(self, name: str) -> dict[str, str] | None:
        """Return an object whose values are all texts."""
        value = self._given.get(name)
        if value is not None and not (
            isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
        ):
            raise self._unusable(name, "must be an object of texts")
        return value

    def _unusable(self, name: str, rule: str) -> Unusable:
        return Unusable(f"{self._what}: {name} {rule}.")
