"""Systems that settings alone describe: one TOML file each, with a sample of what they send."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent
NAMES: Final = frozenset(file.stem for file in _FOLDER.glob("*.toml"))


@dataclass(frozen=True, slots=True)
class Preset:
    """One system.

    Attributes:
        options: what `generic.Options` are given before an operator's own.
        sample: a `body` as the system sends it, `headers` besides those that sign, and what it `asks`.
    """

    options: Mapping[str, Any]
    sample: Mapping[str, Any]


@cache
def preset(name: str) -> Preset:
    """Return the preset called `name`, which is one of `NAMES`.

    One that says `like` begins as that one, its sample included.
    """
    read = tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))
    if other := read.pop("like", ""):
        known = preset(other)
        read = under({**known.options, "sample": known.sample}, read)
    return Preset({key: value for key, value in read.items() if key != "sample"}, read["sample"])


def under(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both tables in one: what `above` says counts, and tables that both have are laid over each other.

    `body` and `answer` are texts to fill, so the whole of what is above stands for the whole of what is below.
    """
    merged = dict(below)
    for name, value in above.items():
        is_whole = name in {"body", "answer"} or not isinstance(value, Mapping)
        merged[name] = value if is_whole or not isinstance(merged.get(name), Mapping) else under(merged[name], value)
    return merged
