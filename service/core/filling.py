"""Puts texts into a template of JSON: what a desk or a sender reads, in the shape that its settings say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

_BEYOND: Final = 2**63  # what orjson does not write
HOLE: Final = re.compile(r"\{([a-z]+)\}", re.ASCII)


def is_template(template: object) -> bool:
    """Whether `template` can be written as JSON; settings also know dates, NaN and huge numbers."""
    if isinstance(template, Mapping):
        return all(isinstance(name, str) and is_template(part) for name, part in template.items())
    if isinstance(template, list):
        return all(map(is_template, template))
    if isinstance(template, int):
        return abs(template) < _BEYOND
    return template is None or isinstance(template, str) or (isinstance(template, float) and math.isfinite(template))


def fill(template: object, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever JSON the settings say
    """Return `template` with each `{name}` that `values` knows replaced, in all its texts; other braces stay."""
    if isinstance(template, Mapping):
        return {name: fill(part, values) for name, part in template.items()}
    if isinstance(template, list):
        return [fill(part, values) for part in template]
    if not isinstance(template, str):
        return template
    return HOLE.sub(lambda hole: values.get(hole[1], hole[0]), template)


def is_filled(template: object, value: object, names: frozenset[str]) -> bool:
    """Whether `value` is `template` with any texts in the places of `names`, and nothing else."""
    if isinstance(template, Mapping):
        if not isinstance(value, Mapping) or value.keys() != template.keys():
            return False
        return all(is_filled(part, value[name], names) for name, part in template.items())
    if isinstance(template, list):
        if not isinstance(value, list) or len(value) != len(template):
            return False
        return all(is_filled(one, other, names) for one, other in zip(template, value, strict=True))
    if not isinstance(template, str) or not isinstance(value, str):
        return type(value) is type(template) and value == template  # to Python 1 is True
    parts = HOLE.split(template)  # text, name, text, name, …
    shape = "".join(
        (".*" if part in names else re.escape(f"{{{part}}}")) if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    )
    return bool(re.fullmatch(shape, value, re.DOTALL))
