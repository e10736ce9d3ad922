"""What the operator said, from onhook.toml and the environment, as one frozen value; every fault named at once.

A variable wins over the file. `ONHOOK_ORGS__ACME__CLIENT_ID` is `client_id` under `[orgs.acme]`; with `_FILE` at its
end the value is read from the file it names. Lists are JSON, or have commas or line ends between their parts.
The names of variables are read here and not by pydantic-settings: it ignores a misspelt one and knows no nested
`_FILE`, and to check for both every name has to be taken apart here anyhow.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from service.core import model as m
from service.core.errors import Misconfigured
from service.genesys import GenesysOptions
from service.sources import KINDS
from service.sources.options import SourceOptions

PREFIX, NESTED, FROM_FILE = "ONHOOK_", "__", "_FILE"
CONFIG, STATE_DIR = "ONHOOK_CONFIG", "ONHOOK_STATE_DIR"
LARGEST_SECRET_FILE = 64 * 1024  # a list of keys; whoever names /dev/zero by mistake hears of it
_HIGHEST_PORT = 65535


def address_in(text: str) -> str:
    """Return `text` as `host:port` with the host an IP address or `localhost`; `:8080` means all interfaces.

    Raises:
        ValueError: it is not one; the sentence says what one looks like.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > _HIGHEST_PORT:
        raise ValueError("an address to listen on is written host:port, like 127.0.0.1:8081 or :8080")
    bare = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 - `:port` asks for all interfaces
    if bare != "localhost":
        try:
            ip_address(bare)
        except ValueError:
            raise ValueError("an address to listen on begins with an IP address, localhost or nothing") from None
    return f"{bare}:{int(port)}"


def split_address(address: str) -> tuple[str, int]:
    """Return the host and the port of what `address_in` returned."""
    host, _, port = address.rpartition(":")
    return host, int(port)


Address = Annotated[str, AfterValidator(address_in)]
_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RedisSettings(BaseModel):
    """Where promises are kept.

    Attributes:
        url: `redis://`, `rediss://` or `unix://`; empty for the embedded one (`up`, `demo`) or a running `up`'s.
        prefix: what every key begins with.
        cluster: the url names a node of a Cluster.
        durability: `local`: on this Redis' disk; `replicated`: also at a replica before a 2xx.
        allow_lossy: do not object to a Redis that may forget what it confirmed.
    """

    model_config = _STRICT

    url: SecretStr = SecretStr("")
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "onhook"
    cluster: bool = False
    durability: Literal["local", "replicated"] = "local"
    allow_lossy: bool = False


class DoorSettings(BaseModel):
    """Where the doors are.

    Attributes:
        public: webhooks and action status.
        private: probes and metrics of `serve` and `up`.
        worker: probes and metrics of `work`.
        public_url: how the public door is reached from outside, for links; empty for the address itself.
    """

    model_config = _STRICT

    public: Address = "0.0.0.0:8080"
    private: Address = "127.0.0.1:8081"
    worker: Address = "127.0.0.1:8082"
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+[^\s?#/])?$")] = ""

    @property
    def reached(self) -> str:
        """The URL of the public door: `public_url`, else its address as this machine reaches it."""
        host, port = split_address(self.public)
        bare = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name, nothing is bound
        return self.public_url or f"http://{f'[{bare}]' if ':' in bare else bare}:{port}"


class OutboundSettings(BaseModel):
    """How calls leave: nothing of it is taken from the environment's own proxy variables.

    Attributes:
        proxy: an `http://` proxy for all calls to Genesys and the desks, or empty.
        ca_file: certificates to trust instead of the usual ones, or empty.
    """

    model_config = _STRICT

    proxy: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    ca_file: str = ""


class LogSettings(BaseModel):
    """How much is logged: `debug`, `info`, `warning` or `error`."""

    model_config = _STRICT

    level: Literal["debug", "info", "warning", "error"] = "info"


class OrgSettings(GenesysOptions):
    """A Genesys Cloud organisation.

    Attributes:
        mode: `live`, or `shadow`: everything but the send.
        purposes: who may be removed.
        last_pair: `allow` or `refuse` a removal that leaves one person alone, which normally ends the call.
    """

    mode: Literal["live", "shadow"] = "live"
    purposes: frozenset[str] = m.Policy().purposes
    last_pair: Literal["allow", "refuse"] = "allow"

    @property
    def terms(self) -> m.Terms:
        """Under which terms this org's actions are decided."""
        return m.Terms(m.Policy(self.purposes, self.last_pair), is_live=self.mode == "live")


class Settings(BaseModel):
    """Everything an operator can say. Secrets are masked wherever it is shown."""

    model_config = _STRICT

    redis: RedisSettings = RedisSettings()
    doors: DoorSettings = DoorSettings()
    outbound: OutboundSettings = OutboundSettings()
    log: LogSettings = LogSettings()
    orgs: dict[str, OrgSettings] = {}
    sources: dict[str, SourceOptions] = {}
    state_dir: Path = Path()

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        for name in (*self.orgs, *self.sources):
            if not m.ORG_NAME.fullmatch(name):
                raise ValueError(f"“{name}” is no name for an org or a source: 1 to 32 of a-z, 0-9 and -")
        for name, source in self.sources.items():
            if source.org not in self.orgs:
                raise ValueError(f"sources.{name}.org: there is no org “{source.org}”; add [orgs.{source.org}]")
        return self


def read(environ: Mapping[str, str] | None = None, additions: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings from the file that ONHOOK_CONFIG names (else ./onhook.toml, if there) and the environment.

    Args:
        environ: instead of the process' own.
        additions: orgs and sources that the command itself brings (a sandbox), by the same names as in the file.

    Raises:
        Misconfigured: with every fault there is.
    """
    variables = os.environ if environ is None else environ
    faults: list[str] = []
    given = _file(variables, faults)
    _merge(given, _environment(variables, faults))
    _merge(given, additions or {})
    given["state_dir"] = state_dir(variables)
    sources = _sources(given.pop("sources", {}), faults)
    _list(OrgSettings, given.get("orgs", {}))
    settings = None
    try:
        settings = Settings.model_validate({**given, "sources": sources})
    except ValidationError as fault:
        # a source that could not be read is named already: what it makes missing elsewhere is not said again
        faults.extend(_sentences(fault, ""))
    if settings is None or faults:
        raise Misconfigured(list(dict.fromkeys(faults)))
    return settings


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder for what a process leaves to the next: ONHOOK_STATE_DIR, else the user's usual place."""
    variables = os.environ if environ is None else environ
    if named := variables.get(STATE_DIR):
        return Path(named)
    home = variables.get("XDG_STATE_HOME") or f"{variables.get('HOME') or '.'}/.local/state"
    return Path(home) / "onhook"


def _file(variables: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    named = variables.get(CONFIG)
    path = Path(named or "onhook.toml")
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        faults.append(f"{CONFIG}: {path} cannot be read: {fault.strerror}")
    except ValueError as fault:
        faults.append(f"{path}: is not TOML: {fault}")
    return {}


def _environment(variables: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name in {CONFIG, STATE_DIR}:
            continue
        path, value = name.removeprefix(PREFIX), variables[name]
        if path.split(NESTED)[0].lower() not in Settings.model_fields or "state_dir" in path.lower():
            faults.append(
                f"{name}: there is no such setting; sections are {', '.join(_sections())}, then __ and a name"
            )
            continue
        if path.endswith(FROM_FILE) and not path.endswith(f"{NESTED}CA{FROM_FILE}"):
            path, value = path.removesuffix(FROM_FILE), _contents(name, value, faults)
        *above, last = _path(path)
        into: Any = given
        for part in above:
            into = into.setdefault(part, {}) if isinstance(into, dict) else None
        if not isinstance(into, dict) or not last:
            faults.append(f"{name}: stands both for a value and for a section")
            continue
        into[last] = value
    return given


def _path(variable: str) -> list[str]:
    """Return the keys that a variable's name (without the prefix) stands for."""
    parts = variable.lower().split(NESTED)
    if parts[0] in {"orgs", "sources"} and len(parts) > 1:
        parts[1] = parts[1].replace("_", "-")  # a shell knows no `-` in a name
    return parts


def _sections() -> list[str]:
    return [name for name in Settings.model_fields if name != "state_dir"]


def _contents(name: str, path: str, faults: list[str]) -> str:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST_SECRET_FILE + 1)
        if len(raw) > LARGEST_SECRET_FILE:
            faults.append(f"{name}: {path} is over 64 KiB, so it is no secret")
        return raw[:LARGEST_SECRET_FILE].decode().strip()
    except OSError as fault:
        faults.append(f"{name}: {path} cannot be read: {fault.strerror}")
    except UnicodeDecodeError:
        faults.append(f"{name}: {path} is not text")
    return ""


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _list(model: type[BaseModel], named: object) -> None:
    """Take lists apart that a variable or a secret file wrote as one text."""
    for given in named.values() if isinstance(named, dict) else ():
        for key, value in given.items() if isinstance(given, dict) else ():
            field = model.model_fields.get(key)
            if isinstance(value, str) and field and get_origin(field.annotation) in {list, tuple, frozenset, set}:
                given[key] = _parts(value)


def _parts(value: str) -> list[Any]:
    if value.startswith("["):
        try:
            return list(json.loads(value))
        except ValueError:
            pass
    return [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]


def _sources(given: object, faults: list[str]) -> dict[str, SourceOptions]:
    sources: dict[str, SourceOptions] = {}
    for name, fields in given.items() if isinstance(given, dict) else ():
        kind = fields.get("kind") if isinstance(fields, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            faults.append(f"sources.{name}.kind: is one of {', '.join(sorted(KINDS))}; {kind!r} is none of them")
            continue
        options = KINDS[kind].options
        _list(options, {name: fields})
        try:
            sources[name] = TypeAdapter(options).validate_python(fields)
        except ValidationError as fault:
            faults.extend(_sentences(fault, f"sources.{name}."))
    return sources


def _sentences(fault: ValidationError, prefix: str) -> list[str]:
    sentences = []
    for error in fault.errors(include_url=False, include_context=False, include_input=False):
        place = prefix + ".".join(str(part) for part in error["loc"])
        said = error["msg"].removeprefix("Value error, ")
        hint = ""
        if error["type"] == "missing":
            said, hint = "is missing", f"; set it in onhook.toml or as {PREFIX}{place.replace('.', NESTED).replace('-', '_').upper()}"
        elif error["type"] == "extra_forbidden":
            said = "there is no such setting"
        sentences.append(f"{place}: {said}{hint}" if place else said)
    return sentences
