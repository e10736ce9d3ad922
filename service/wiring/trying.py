"""Opens what `onhook check --test-call` needs, asks for consent, and keeps what was seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.genesys import GenesysCloud
from service.outbound import Outgoing
from service.settings import OrgSettings
from service.wiring.evidence import Scene, document, lines_of, opened, settings_for
from service.wiring.machine import SystemClock, version
from service.wiring.trial import NoTrial, Preview, Trial
from service.wiring.witness import Witness


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks to be tried.

    Attributes:
        org: its name, or "" where only one is configured.
        conversation: the id of a conversation made for this.
        participant: who is to be removed from it.
        may_end_call: also when at most one person would be left.
        evidence: where the file of proof goes; None names it by the moment.
    """

    org: str
    conversation: str
    participant: str
    may_end_call: bool = False
    evidence: Path | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it.

    Attributes:
        lines: the answers to the open questions, for a person.
        settings: what to write into onhook.toml now.
        content: what the file holds.
    """

    is_good: bool
    lines: list[str]
    settings: list[str]
    content: dict[str, object]
    evidence: Path


async def try_out(wish: Wish, consent: Callable[[Preview], None]) -> Tried:
    """Preview, ask for consent, remove once, watch, repeat once; write the proof.

    Args:
        wish: what is asked.
        consent: returns if the person says yes to this preview, and raises where not.

    Raises:
        Misconfigured: the settings or the wish cannot be used, or the file cannot be written.
        NoTrial: there is nobody to be removed like this; nothing was sent.
    """
    said, clock = settings.read(), SystemClock()
    name, org = _org(said.orgs, wish.org)
    ids = [_uuid(option, text) for option, text in (("--test-call", wish.conversation), ("--remove", wish.participant))]
    outgoing = Outgoing(said.outbound.proxy or None, said.outbound.ca_file or None)
    witness, began_at = Witness(outgoing, clock), clock.now()
    cloud = GenesysCloud(org, clock, outgoing, transport=witness.transport)
    try:
        trial = Trial(cloud, witness, clock, org.terms.policy)
        preview = await trial.preview(*ids, may_end_call=wish.may_end_call)
        consent(preview)
        path = wish.evidence or Path(
            f"onhook-test-call-{datetime.fromtimestamp(began_at / 1000, UTC):%Y%m%dT%H%M%SZ}.json"
        )
        with opened(path) as file:
            found = await trial.run(preview)
            scene = Scene(version(), name, org.region or str(org.api), began_at)
            content = document(scene, found, witness.calls)
            json.dump(content, file, indent=1)
            file.write("\n")
    finally:
        await cloud.aclose()
    lines = list(lines_of(found, witness.calls))
    return Tried(found.is_good, lines, settings_for(name, found), content, path)


async def told(wish: Wish, consent: Callable[[Preview], None], *, as_json: bool) -> tuple[str, bool, bool]:
    """Try it; return what is said of it, for a person or as one document, whether it went well, whether it was refused.

    Raises:
        Misconfigured: as `try_out`.
    """
    try:
        tried = await try_out(wish, consent)
    except NoTrial as refusal:
        return str(refusal), False, True
    if as_json:
        return json.dumps(tried.content, indent=1), tried.is_good, False
    advice = ["", "Write into onhook.toml:", "", *tried.settings] if tried.settings else []
    proof = f"What was seen is in {tried.evidence}: no secret in it, numbers masked."
    return "\n".join([*tried.lines, *advice, "", proof]), tried.is_good, False


def _org(orgs: dict[str, OrgSettings], name: str) -> tuple[str, OrgSettings]:
    known = ", ".join(orgs) or "none"
    if name and name not in orgs:
        raise Misconfigured([f"--org: there is no [orgs.{name}]; there is {known}"])
    if not name and len(orgs) != 1:
        raise Misconfigured([f"--org: say which org the conversation is in; there is {known}"])
    chosen = name or next(iter(orgs))
    return chosen, orgs[chosen]


def _uuid(option: str, text: str) -> str:
    found = m.uuid_in(text)
    if found is None:
        raise Misconfigured([f"{option}: is an id of Genesys, a UUID like 3a4b5c6d-1234-4678-9012-34567890abcd"])
    return found
