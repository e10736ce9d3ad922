"""What `onhook forget` does: in each org of the settings, find what is kept of somebody, ask, and forget it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.settings import Settings
from service.store.forgetting import Attested, Forgetting, Found, Kind, Wanted
from service.store.keys import Keys
from service.wiring.house import lives_of, opened_store, sources_of, tags_of
from service.wiring.machine import SystemClock, SystemDice

# why something stays, for who asked
STAYS = {
    "action": "it is not settled yet",
    "report": "its ticket is not told yet",
    "fresh": "a click of the same wish may still be on its way",
    "changed": "it changed just now",
    "unknown": "another version of this service wrote it",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept in one org, and what became of it.

    Attributes:
        found: settled actions that may be forgotten.
        alike: those of them that were told by the last four digits alone.
        refusals: refused deliveries that name it.
        still_open: id → why it stays.
        changed: actions that were forgotten.
    """

    found: int
    alike: int
    refusals: int
    still_open: Mapping[str, str]
    changed: int = 0


Answers = dict[str, Kept]


def wanted(phone: str, requester: str, ticket: str) -> Wanted:
    """Return who or what is meant: exactly one of them is to be given.

    Raises:
        Misconfigured: none or several are, or it is no number.
    """
    given = [(kind, value.strip()) for kind, value in zip(Kind, (phone, requester, ticket), strict=True) if value]
    if len(given) != 1:
        raise Misconfigured(["say one of --phone, --requester and --ticket"])
    ((kind, value),) = given
    if not value:
        raise Misconfigured([f"--{kind} is empty"])
    number = m.phone_in(value)
    if kind is Kind.PHONE and number is None:
        raise Misconfigured(["--phone is no phone number with its country code; write it like +14155550123"])
    return Wanted(kind, number if kind is Kind.PHONE and number else value)


async def forget(wish: Wanted, org: str, by: str, agree: Callable[[Answers], bool]) -> tuple[Answers, bool]:
    """Find what is kept of `wish`, ask `agree` about it, and forget it.

    Args:
        wish: who or what.
        org: only in this one; "" for all that are configured.
        by: who asks, for the line that is kept of it.
        agree: is told what was found, and says whether it is to be forgotten.

    Returns:
        What was found and forgotten, and what `agree` said.

    Raises:
        Misconfigured: there is no such org, or no Redis.
        StoreDown: Redis is away; run it again.
    """
    async with _opened(org) as (said, forgetting, orgs):
        asks = sources_of(said)
        sources = {name: [source for source, its in asks.items() if its == name] for name in orgs}
        found = {name: await forgetting.find(name, sources[name], wish) for name in orgs}
        answers = {name: _kept(one) for name, one in found.items()}
        if not agree(answers):
            return answers, False
        for name, one in found.items():
            stays = await forgetting.forget(name, sources[name], wish, one, by)
            answers[name] = _kept(one, stays, is_done=True)
        return answers, True


async def attested(org: str) -> Mapping[str, list[Attested]]:
    """Return by org who let something be forgotten, the newest first."""
    async with _opened(org) as (_, forgetting, orgs):
        return {name: list(await forgetting.attested(name)) for name in orgs}


@asynccontextmanager
async def _opened(org: str) -> AsyncIterator[tuple[Settings, Forgetting, list[str]]]:
    said = settings.read()
    known = list(dict.fromkeys([*said.orgs, *sources_of(said).values()]))
    if org and org not in known:
        raise Misconfigured([f"there is no [orgs.{org}]; there is {', '.join(known) or 'none'}"])
    if not known:
        raise Misconfigured(["orgs: there is none; run this where the settings of the service are"])
    async with opened_store(said, may_start=False) as (_, link, _):
        keys, dice = Keys(said.redis.prefix), SystemDice(SystemClock())
        forgetting = Forgetting(link, dice, keys=keys, lives=lives_of(said), tags=tags_of(said))
        yield said, forgetting, [org] if org else known


def _kept(found: Found, stays: Mapping[str, str] | None = None, *, is_done: bool = False) -> Kept:
    why = {action: STAYS[word] for action, word in {**found.still_open, **(stays or {})}.items()}
    changed = len(found.actions) - len(stays or {}) if is_done else 0
    return Kept(len(found.actions), len(found.alike), found.refusals, why, changed)


# ---------------------------------------------------------------------------------------------------- in words


def is_any(answers: Answers) -> bool:
    """Whether there is anything to forget."""
    return any(one.found or one.refusals for one in answers.values())


def found_words(answers: Answers) -> str:
    """Say what was found, a line for each org; never what was looked for: a terminal may be recorded."""
    lines = []
    for org, one in answers.items():
        alike = f" ({one.alike} of them by the last four digits alone)" if one.alike else ""
        lines.append(f"org {org}: {_actions(one.found)} to forget{alike}, named in {_refusals(one.refusals)}.")
    return "\n".join(lines)


def done_words(answers: Answers, *, is_agreed: bool) -> str:
    """Say what was done, and what stays."""
    changed, refusals = (sum(count) for count in zip(*((a.changed, a.refusals) for a in answers.values()), strict=True))
    done = f"Forgotten: {_actions(changed)}, and the reasons of {_refusals(refusals)}."
    lines = [done if is_agreed else "Nothing was changed."]
    stays = [(action, why) for one in answers.values() for action, why in one.still_open.items()]
    lines += [f"{action} stays: {why}." for action, why in stays]
    if stays:
        lines.append("What is open is not forgotten: wait until it has ended, or `onhook pause`; then run this again.")
    return "\n".join(lines)


def document(answers: Answers, wish: Wanted) -> dict[str, object]:
    """Return the same for programs."""
    return {"kind": wish.kind, "orgs": {org: asdict(one) for org, one in answers.items()}}


def log_lines(attested: Mapping[str, list[Attested]], *, as_json: bool) -> list[str]:
    """Return a line for each time that something was forgotten."""
    lines = []
    for org, past in attested.items():
        for one in past:
            at = datetime.fromtimestamp(one.at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            told = {"at": at, "org": org, "by": one.by, "kind": one.kind, "actions": one.actions}
            words = f"{at}  {org}  {one.by}: a {one.kind}, {_actions(one.actions)}, {_refusals(one.refusals)}"
            lines.append(json.dumps({**told, "refusals": one.refusals}, ensure_ascii=False) if as_json else words)
    return lines


def _actions(count: int) -> str:
    return f"{count} action{'' if count == 1 else 's'}"


def _refusals(count: int) -> str:
    return f"{count} refused {'delivery' if count == 1 else 'deliveries'}"
