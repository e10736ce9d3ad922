"""docker-compose.yml as compose reads it, as far as we use it: variables filled in, files laid over one another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
LIVE = ROOT / "deploy" / "compose" / "live.yml"
ENV, LIVE_ENV = ROOT / ".env", ROOT / "deploy" / "compose" / "live.env"
# `$$`, or `${NAME}` with a default where it is empty (`:-`) or with what to say then (`:?`)
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<way>[-?])(?P<rest>[^}]*))?\})")

Document = dict[str, Any]


class Missing(Exception):
    """A variable that must be said is not, and what the file says about it."""


def variables_in(path: Path) -> dict[str, str]:
    """Return what an env file says."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def document(path: Path, variables: Mapping[str, str]) -> Document:
    """Return a compose file with its variables filled in; Missing where one has to be said."""

    def filled(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        said = variables.get(found["name"], "")
        if not said and found["way"] == "?":
            raise Missing(f"{found['name']}: {found['rest']}")
        return said or found["rest"] or ""

    return dict(_each(yaml.safe_load(path.read_text(encoding="utf-8")), filled))


def _each(value: Any, filled: Any) -> Any:  # noqa: ANN401 - whatever stands in a YAML file
    if isinstance(value, dict):
        return {key: _each(inner, filled) for key, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, filled) for inner in value]
    if isinstance(value, str):
        text = _VARIABLE.sub(filled, value)
        assert "$" not in _VARIABLE.sub("", value), f"a variable that this does not read: {value}"
        return text
    return value


def laid_over(below: Document, above: Document) -> Document:
    """Return two files as one, by compose's rules: mappings grow together, lists grow longer, a command is replaced."""
    made = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = laid_over(made[key], value)
        elif isinstance(value, list) and isinstance(made.get(key), list) and key not in {"command", "entrypoint"}:
            made[key] = [*made[key], *value]
        else:
            made[key] = value
    return made


def services(said: Document, profiles: str = "") -> dict[str, Document]:
    """Return the services that are started with these profiles, with a comma between them."""
    wanted = {one for one in profiles.split(",") if one}
    return {
        name: one for name, one in said["services"].items() if not one.get("profiles") or wanted & set(one["profiles"])
    }
