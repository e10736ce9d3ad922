"""How onhook.toml and the environment are read into the settings; every fault named at once.

A variable wins over the file. `ONHOOK_ORGS__ACME__CLIENT_ID` is `client_id` under `[orgs.acme]`; with `_FILE` at its
end the value is read from the file it names. Lists are JSON, or have commas or line ends between their parts.
The names of variables are read here and not by pydantic-settings: it ignores a misspelt one and knows no nested
`_FILE`, and to check for both every name has to be taken apart here anyhow.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from service.core import model as m
from service.core.errors import Misconfigured
from service.settings.console import ConsoleSettings, ProxySettings
from service.settings.files import text_in
from service.settings.sections import OrgSettings, Settings
from service.settings.tracing import TraceSettings
from service.sources import KINDS
from service.sources.options import SourceOptions

PREFIX, NESTED, FROM_FILE = "ONHOOK_", "__", "_FILE"
CONFIG, STATE_DIR = "ONHOOK_CONFIG", "ONHOOK_STATE_DIR"
_NAMED_FILE = (f"{NESTED}CA{FROM_FILE}", f"{NESTED}FILE")  # settings that name a file: `ca_file`, `wording.file`
_DEEPEST = 3  # orgs, the name, the setting
_LISTS = {list, tuple, set, frozenset}
# what pydantic says for its programmers, said for an operator
_WORDS = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "is a section: name a setting in it"),
    **dict.fromkeys(("tuple_type", "frozen_set_type"), "is a list"),
    "too_short": "is an empty list, and needs an entry",
    "string_pattern_mismatch": "is 1 to 32 of a-z, 0-9, - and _, and begins with a letter or a digit",
}


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is wrong so far, and the settings whose file could not be read: of those no more is said."""

    faults: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


def read(environ: Mapping[str, str] | None = None, additions: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings from the file that ONHOOK_CONFIG names (else ./onhook.toml, if there) and the environment.

    Args:
        environ: instead of the process' own.
        additions: orgs and sources that the command itself brings (a sandbox), by the same names as in the file.

    Raises:
        Misconfigured: with every fault there is.
    """
    variables = os.environ if environ is None else environ
    heard = _Heard()
    given = _file(variables, heard)
    for more in (_environment(variables, heard), additions or {}):
        _merge(given, more, heard)
    if given.pop("state_dir", None) is not None:
        heard.faults.append(f"state_dir: is said by the variable {STATE_DIR} alone")
    given["state_dir"] = state_dir(variables)
    sources = _sources(given.pop("sources", {}), heard)
    orgs = given.get("orgs", {})
    _list(OrgSettings, orgs)
    _list(ConsoleSettings, {"": given.get("console")})
    _list(TraceSettings, {"": given.get("traces")})
    _list(ProxySettings, given.get("console"))  # of its tables the only one with lists
    heard.faults.extend(_misfits(orgs, sources))
    settings = None
    try:
        settings = Settings.model_validate({**given, "sources": {n: source for n, source in sources.items() if source}})
        heard.faults.extend((*_unspoken(settings), *_untold(settings, sources)))
    except ValidationError as fault:
        heard.faults.extend(_sentences(fault, Settings, (), heard))
    if settings is None or heard.faults:
        raise Misconfigured(list(dict.fromkeys(heard.faults)))
    return settings


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder for what a process leaves to the next: ONHOOK_STATE_DIR, else the user's usual place."""
    variables = os.environ if environ is None else environ
    if named := variables.get(STATE_DIR):
        return Path(named)
    home = variables.get("XDG_STATE_HOME") or f"{variables.get('HOME') or '.'}/.local/state"
    return Path(home) / "onhook"


def inherited_environment() -> dict[str, str]:
    """Return this process' environment without anything said to Onhook, for a child that is told all of that anew."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _file(variables: Mapping[str, str], heard: _Heard) -> dict[str, Any]:
    named = variables.get(CONFIG)
    path = Path(named or "onhook.toml")
    if named or os.access(path, os.F_OK):
        try:
            return tomllib.loads(text_in(path))
        except (ValueError, RecursionError) as fault:
            heard.faults.append(f"{path} is not read as TOML: {fault}")
    return {}


def _environment(variables: Mapping[str, str], heard: _Heard) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name in {CONFIG, STATE_DIR}:
            continue
        said = name.removeprefix(PREFIX)
        is_file = said.endswith(FROM_FILE) and not said.endswith(_NAMED_FILE)
        *above, last = keys = _keys(said.removesuffix(FROM_FILE) if is_file else said)
        if keys[0] not in (known := _known(Settings)) or not all(keys) or len(keys) > _DEEPEST:
            heard.faults.append(f"{name}: there is no such setting; sections are {', '.join(known)}, then __")
            continue
        into: Any = given
        for part in above:
            into = into.setdefault(part, {}) if isinstance(into, dict) else None
        if not isinstance(into, dict) or isinstance(into.get(last), dict):
            heard.faults.append(f"{name}: stands both for a value and for a section")
        elif last in into or ".".join(keys) in heard.unread:
            heard.faults.append(f"{name}: another variable says the same setting; leave one of them out")
        elif not is_file:
            into[last] = variables[name]
        else:
            _read_into(into, keys, name, Path(variables[name]), heard)
    return given


def _read_into(into: dict[str, Any], keys: Sequence[str], name: str, path: Path, heard: _Heard) -> None:
    try:
        into[keys[-1]] = text_in(path).strip()
    except ValueError as fault:
        heard.faults.append(f"{name}: {path} is not read: {fault}")
        heard.unread.add(".".join(keys))


def _keys(variable: str) -> list[str]:
    """Return the keys that a variable's name (without the prefix) stands for."""
    keys = variable.lower().split(NESTED)
    if keys[0] in {"orgs", "sources"}:
        keys[1:2] = [name.replace("_", "-") for name in keys[1:2]]  # a shell knows no `-` in a name
    return keys


def _merge(into: dict[str, Any], more: Mapping[str, Any], heard: _Heard, above: str = "") -> None:
    for key, value in more.items():
        if key in into and isinstance(value, Mapping) != isinstance(into[key], dict):
            heard.faults.append(f"{above}{key}: stands both for a value and for a section")
        elif isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value, heard, f"{above}{key}.")
        else:
            into[key] = value


def _list(model: type[BaseModel], named: object) -> None:
    """Take lists apart that a variable or a secret file wrote as one text."""
    for given in named.values() if isinstance(named, dict) else ():
        for key, value in given.items() if isinstance(given, dict) else ():
            found = model.model_fields.get(key)
            if isinstance(value, str) and found and _is_list(found.annotation):
                given[key] = _parts(value)


def _is_list(kind: object) -> bool:
    """Whether a value of `kind` is a list; `tuple[…] | None` is one too, and what a validator was annotated to."""
    parts = get_args(kind) if get_origin(kind) in {Annotated, Union, UnionType} else ()
    return get_origin(kind) in _LISTS or any(_is_list(part) for part in parts)


def _parts(value: str) -> list[Any]:
    if value.startswith("["):
        try:
            return list(json.loads(value))
        except (ValueError, RecursionError):
            pass
    return [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]


def _sources(given: object, heard: _Heard) -> dict[str, SourceOptions | None]:
    """Return the sources by name; None stands for one that cannot be read, and was named."""
    if not isinstance(given, dict):
        heard.faults.append(f"sources: {_WORDS['dict_type']}")
        return {}
    sources: dict[str, SourceOptions | None] = dict.fromkeys(given)
    for name, fields in given.items():
        kind = fields.get("kind") if isinstance(fields, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            heard.faults.append(f"sources.{name}.kind: is to be one of {', '.join(KINDS)}")
            continue
        options: type[SourceOptions] = KINDS[kind].options
        _list(options, {name: fields})
        try:
            sources[name] = options.model_validate(fields)
        except ValidationError as fault:
            heard.faults.extend(_sentences(fault, options, ("sources", name), heard))
    return sources


def _misfits(orgs: object, sources: Mapping[str, SourceOptions | None]) -> Iterator[str]:
    """Say what no section can know of itself."""
    names = list(orgs) if isinstance(orgs, dict) else []
    for name in dict.fromkeys((*names, *sources)):
        if not m.ORG_NAME.fullmatch(name):
            yield f"“{name}” is no name for an org or a source: 1 to 32 of a-z, 0-9 and -, no - at the beginning"
    known = {name: source for name, source in sources.items() if source}
    for name, source in known.items():
        if source.org not in names:
            yield f"sources.{name}.org: there is no org “{source.org}”; add [orgs.{source.org}]"
    holders: dict[bytes, list[str]] = {}
    for name, source in known.items():
        for key in set(source.keys):
            holders.setdefault(key, []).append(name)
    # by the secrets and not by every two sources: a thousand of them are half a million pairs
    for one, other in dict.fromkeys(pair for named in holders.values() for pair in combinations(named, 2)):
        yield f"sources.{one} and sources.{other} share a secret: each could speak as the other; give each its own"


def _unspoken(said: Settings) -> Iterator[str]:
    known = said.wording.wording.languages
    for name, source in said.sources.items():
        if source.language not in known:
            there = f"there are {', '.join(known)}, and wording.file may bring more"
            yield f"sources.{name}.language: there are no words in “{source.language}”; {there}"


def _untold(said: Settings, sources: Iterable[str]) -> Iterator[str]:
    known = {*(f"orgs.{name}" for name in said.orgs), *(f"sources.{name}" for name in sources)}
    for section in sorted(said.traces.propagate - known):
        yield f"traces.propagate: there is no [{section}]; there is {', '.join(sorted(known)) or 'none'}"


def _sentences(fault: ValidationError, model: type[BaseModel], above: tuple[str, ...], heard: _Heard) -> Iterator[str]:
    for error in fault.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in (*above, *error["loc"]))
        said = _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))
        if error["type"] == "missing":
            said = "is missing; set it in onhook.toml or as "
            said += PREFIX + place.replace(".", NESTED).replace("-", "_").upper()
        elif error["type"] == "extra_forbidden":
            said = f"there is no such setting; there is {', '.join(_known(model, error['loc'][:-1]))}"
        if place not in heard.unread:
            yield f"{place}: {said}"


def _known(model: type[BaseModel], place: Sequence[str | int] = ()) -> list[str]:
    """Return the names of the settings at `place` in `model`."""
    for part in place:
        found = model.model_fields.get(str(part))
        kinds = (found.annotation, *get_args(found.annotation)) if found else ()
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return [name for name in model.model_fields if name != "state_dir"]
