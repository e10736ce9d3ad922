"""What `onhook init` makes of a few answers: settings in shadow mode, and the script for the first source.

The answers are held against the same rules by which the settings are read, before anything is written.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.sources import KINDS

CONFIG_FILE = "onhook.toml"
_TEMPLATES = Path(__file__).parent / "templates"
_SECRET_BYTES = 32  # twice what HMAC-SHA256 needs against guessing; the scheme's own minimum is 24
_ASKED_WHOLLY = ("servicenow", "standard")  # kinds that can tell their tickets with what is asked for here
_NAME = "is a name of 1 to 32 of a-z, 0-9 and -, and does not begin with -"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be known.

    Attributes:
        key: what the answer is called, and with -- before it the option.
        words: how a person is asked.
        place: which setting it becomes; `{org}` and `{source}` stand for those answers.
        kinds: only for these kinds of source; () for all.
        is_secret: not to be shown.
        default: an answer, `{kind}` being the one to that question; "" where it must be given.
    """

    key: str
    words: str
    place: str = ""
    kinds: tuple[str, ...] = ()
    is_secret: bool = False
    default: str = ""

    @property
    def option(self) -> str:
        """How the answer is given on the command line."""
        return f"--{self.key.replace('_', '-')}"


QUESTIONS = (
    Question("org", "A short name for your Genesys Cloud organisation, like acme"),
    Question("region", "Its region, like eu_central_1", "orgs.{org}.region"),
    Question("client_id", "The id of an OAuth client with the grant Client Credentials", "orgs.{org}.client_id"),
    Question("client_secret", "The secret of that client", "orgs.{org}.client_secret", is_secret=True),
    Question("kind", f"What will ask for removals ({', '.join(KINDS)})", default="servicenow"),
    Question("source", "A short name for it", default="{kind}"),
    Question("public_url", "Where it will reach Onhook, like https://onhook.example.com", "doors.public_url"),
    Question(
        "instance_url",
        "The ServiceNow instance, like https://acme.service-now.com",
        "sources.{source}.instance_url",
        ("servicenow",),
    ),
    Question("username", "The user there that writes the work notes", "sources.{source}.username", ("servicenow",)),
    Question("password", "The password of that user", "sources.{source}.password", ("servicenow",), is_secret=True),
)
# what may be said besides, and is never asked for: by key, where it goes
FURTHER: dict[str, str] = {
    "api_url": "orgs.{org}.api_url",
    "login_url": "orgs.{org}.login_url",
    "redis_url": "redis.url",
    "outcome_url": "sources.{source}.outcome_url",
}

Answers = dict[str, str]


def asked_of(answers: Answers) -> list[Question]:
    """Return the questions that are to be asked where these answers are known."""
    has_urls = bool(answers.get("api_url") or answers.get("login_url"))
    kind = answers.get("kind", "")
    return [one for one in QUESTIONS if (not one.kinds or kind in one.kinds) and not (one.key == "region" and has_urls)]


def default_of(question: Question, answers: Answers) -> str:
    """Return the answer that is meant where none is given, or ""."""
    return question.default.format(kind=answers.get("kind", ""))


def fault_of(question: Question, answers: Answers) -> str:
    """Say what is wrong with the answer to one question, or ""; the answer is not repeated."""
    given = answers[question.key]
    if question.key in {"org", "source"}:
        return "" if m.ORG_NAME.fullmatch(given) else _NAME
    if question.key == "kind":
        return "" if given in KINDS else f"is one of {', '.join(KINDS)}"
    place = f"{_filled(question.place, answers)}: "
    found = next((fault for fault in _faults(answers, secret_made()) if fault.startswith(place)), "")
    return found.removeprefix(place)


def faults_in(answers: Answers) -> list[str]:
    """Return everything that is wrong with the answers, a missing one included; none means they can be written."""
    for key in ("kind", "source"):
        question = next(one for one in QUESTIONS if one.key == key)
        answers.setdefault(key, default_of(question, answers))
    asked = asked_of(answers)
    if missing := [
        f"{one.option} is missing: {one.words[0].lower()}{one.words[1:]}" for one in asked if not answers.get(one.key)
    ]:
        return missing
    names = [one for one in asked if one.key in {"org", "source", "kind"}]
    wrong = [f"{one.option} {fault}" for one in names if (fault := fault_of(one, answers))]
    return wrong or _faults(answers, secret_made())


def secret_made() -> str:
    """Return a new secret for a source: 32 bytes of the operating system's chance, as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def _filled(place: str, answers: Answers) -> str:
    return place.format(org=answers.get("org", "org"), source=answers.get("source", "source"))


def _settings(answers: Answers, secret: str) -> dict[str, dict[str, Any]]:
    """Return what is to be written: by section, the settings in order."""
    org, source = f"orgs.{answers.get('org', 'org')}", f"sources.{answers.get('source', 'source')}"
    sections: dict[str, dict[str, Any]] = {"redis": {}, "doors": {}, org: {}, source: {}}
    kind = answers.get("kind", "")
    sections[source] = {"kind": kind, "org": answers.get("org", ""), "secrets": [secret]}
    if kind not in _ASKED_WHOLLY:
        # how its tickets are told is not asked for, and half of it would be no start
        sections[source]["secrets"] = [secret.removeprefix("whsec_")]
        sections[source]["reports"] = ["webhook"] if answers.get("outcome_url") else []
    places = {one.key: one.place for one in QUESTIONS if one.place} | FURTHER
    for key, place in places.items():
        if answers.get(key):
            section, _, name = _filled(place, answers).rpartition(".")
            sections[section][name] = answers[key]
    sections[org]["mode"] = "shadow"
    return {section: said for section, said in sections.items() if said}


def _faults(answers: Answers, secret: str) -> list[str]:
    """Return what the settings would say of these answers."""
    tree: dict[str, Any] = {}
    for section, said in _settings(answers, secret).items():
        into = tree
        for part in section.split("."):
            into = into.setdefault(part, {})
        into.update(said)
    try:
        settings.read({settings.CONFIG: os.devnull}, tree)
    except Misconfigured as fault:
        return list(fault.faults)
    return []


def text_of(answers: Answers, secret: str) -> str:
    """Return the settings as TOML; read back they are what was answered."""
    lines = [
        "# Written by `onhook init`. There are secrets in it: it is for the service's own user alone.",
        "# Every setting there is stands in deploy/settings.md of Onhook.",
    ]
    for section, said in _settings(answers, secret).items():
        lines += ["", f"[{section}]"]
        lines += [f"{name} = {_toml(value)}{_REMARKS.get(name, '')}" for name, value in said.items()]
    return "\n".join(lines) + "\n"


_REMARKS = {
    "mode": '   # everything but the removal; "live" when the previews on your tickets were right often enough',
    "secrets": "   # what the source signs with, or the one that it shows you; two while you change them",
    "reports": "   # how its tickets are told: its page, to which deploy/README.md leads, says what that needs",
}


def _toml(value: str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's escapes are TOML's; what JSON leaves and TOML forbids is DEL
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def script_of(answers: Answers, secret: str) -> str:
    """Return the script for the source's side, address and secret in place; "" for a kind that sends by itself."""
    address = f"{answers['public_url'].rstrip('/')}/webhooks/{answers['source']}"
    put_in = {"{{url}}": json.dumps(address), "{{secret}}": json.dumps(secret.removeprefix("whsec_"))}
    put_in["{{message}}"] = "''"  # no REST message: the script knows the address
    parts = sorted((_TEMPLATES / answers["kind"]).glob("*.js"))
    text = "".join(part.read_text(encoding="utf-8") for part in parts)
    for mark, value in put_in.items():
        text = text.replace(mark, value)
    return text


@dataclass(frozen=True, slots=True)
class Founded:
    """What was written. `script` is None for a kind that has no script of ours; `shown` is what is in it."""

    config: Path
    script: Path | None
    shown: str


def found(folder: Path, answers: Answers, *, may_overwrite: bool) -> Founded:
    """Write the settings and the script, each for its owner alone from its first moment.

    Raises:
        Misconfigured: an answer is wrong or missing, or there is a file already; then nothing was written.
    """
    if faults := faults_in(answers):
        raise Misconfigured(faults)
    secret = secret_made()
    shown = script_of(answers, secret)
    config = folder / CONFIG_FILE
    script = folder / f"onhook-{answers['source']}.js" if shown else None
    texts = {config: text_of(answers, secret)} | ({script: shown} if script else {})
    there = [str(path) for path in texts if os.path.lexists(path)]
    if there and not may_overwrite:
        raise Misconfigured([f"{path} is there already; move it away, or say --force" for path in there])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, text in texts.items():
            _write(path, text, may_overwrite=may_overwrite)
    except (OSError, UnicodeEncodeError) as fault:
        raise Misconfigured([f"{folder} cannot be written to: {fault}"]) from None
    return Founded(config, script, shown)


def _write(path: Path, text: str, *, may_overwrite: bool) -> None:
    """Write a file that nobody else may read from its first moment; an old one's rights do not live on in it."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}") if may_overwrite else path
    with os.fdopen(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(text.encode())
    if made != path:
        made.replace(path)
