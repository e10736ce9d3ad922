"""An org's own words: a table language → key → sentence, checked as a whole before the first note is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from service.core.errors import Misconfigured
from service.core.wording import english

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", re.ASCII)
_HOLE = re.compile(r"\{([^{}]*)\}")
_LONGEST = 1000  # characters: a note is read on a small screen
_ROLE = re.compile(r"people\.[a-z0-9_-]{1,40}", re.ASCII)
_OURS = frozenset({"operator.failed.guarded", "answer.no_route"})  # where `{message}` is ours, and tells of nobody
_FORMS = "three forms between | marks: with the article, one, several"


def own_words(given: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
    """Return own words as `Wording` takes them: `given` is a TOML document as it was read.

    A key is written with dots or as tables: `"expired.paused" = …` under `[de]`, or `paused = …` under `[de.expired]`.

    Raises:
        Misconfigured: unknown keys or placeholders, and whatever else could spoil a note; all at once.
    """
    faults: list[str] = []
    own: dict[str, dict[str, str]] = {}
    for language, table in given.items():
        if not _LANGUAGE.fullmatch(language) or not isinstance(table, Mapping):
            faults.append(f"“{language}” is no section of a language, like [de] or [pt-BR]")
            continue
        own[language] = {}
        for key, text in _leaves(table):
            fault = _fault(key, text)
            if fault:
                faults.append(f"{language}.{key}: {fault}")
            else:
                own[language][key] = str(text)
    if faults:
        raise Misconfigured(faults)
    return own


def _leaves(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def _fault(key: str, text: object) -> str:
    """Return what is wrong with one sentence, or ""."""
    is_person = bool(_ROLE.fullmatch(key))
    if key not in english.SENTENCES and not is_person:
        return "there is no such sentence; the keys are those of service/core/wording/english.py"
    if not isinstance(text, str) or not text.strip():
        return "is to be a sentence"
    if len(text) > _LONGEST or not text.isprintable():
        return f"is to be one line of at most {_LONGEST} characters"
    known = _holes_of(key, is_person=is_person)
    if unknown := sorted(set(_HOLE.findall(text)) - known):
        there = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
        return f"there is no placeholder {', '.join(f'{{{name}}}' for name in unknown)} here; there is {there}"
    if set(_HOLE.sub("", text)) & set("{}"):
        return "has a brace that belongs to no placeholder"
    if is_person and len([form for form in text.split("|") if form.strip()]) != len("|||"):
        return f"is to have {_FORMS}"
    return ""


def _holes_of(key: str, *, is_person: bool) -> frozenset[str]:
    """Return the placeholders that are filled where `key` speaks."""
    if is_person:
        return frozenset({"purpose"})
    if key in english.TICKET:
        return frozenset({"who", "Who", "candidates", "allowed_by"})
    if key in _OURS:
        return frozenset({"org", "message"})
    if key.startswith("operator."):
        return frozenset({"org", "purpose", "allowed_by", "sends"})
    if key.startswith("answer."):
        return frozenset({"org", "purpose", "allowed_by", "sends", "answer", "permission", "where"})
    return frozenset(_HOLE.findall(english.SENTENCES[key]))
