"""How a person, a requester or a ticket is found in all that is kept of an org, and forgotten.

It walks through all keys of the org's Redis in batches, beside the service that runs; each action is forgotten by one
script, which refuses what is still open. Running it twice harms nothing, and the second time there is nothing to find.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import orjson

from service.core import model as m
from service.core.errors import UnknownVersion
from service.core.lifecycle import ACTION_STEPS, REPORT_STEPS
from service.core.ports import Dice
from service.store import records
from service.store.keys import Keys, Lives
from service.store.script import Runner, script
from service.store.tags import Tags, is_alike
from service.store.walk import walked

WALK = 1_000  # keys a step of the walk: a millisecond of Redis, so nobody behind it notices
_AT_ONCE = 50  # records asked for at the same time
ATTESTED_MOST = 1_000  # lines of who let something be forgotten: three a day for a year
_DIGITS_LEAST = 7  # what is shorter is no telephone number
_BETWEEN = re.compile(r"(?<=[0-9])[ ()./\u00a0-]+(?=[0-9])")
STRUCK = "forgotten"  # instead of a refusal's reason
UNKNOWN = "unknown"  # why a record stays that another version wrote


class Kind(StrEnum):
    """What may be asked to be forgotten."""

    PHONE = "phone"
    REQUESTER = "requester"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who or what is to be forgotten.

    Attributes:
        value: an E.164 number; a requester as the source names him; a ticket's reference, the end of it, or its label.
    """

    kind: Kind
    value: str = field(repr=False)

    def names(self, reason: str) -> bool:
        """Whether the words of a refusal name it."""
        if self.kind is not Kind.PHONE:
            return self.value.casefold() in reason.casefold()
        written = re.findall(rf"[0-9]{{{_DIGITS_LEAST},}}", _BETWEEN.sub("", reason))
        number = self.value.removeprefix("+")
        # also without its country, with the zero one dials instead
        return any(number in one or number.endswith(one.lstrip("0")) for one in written)

    def is_requester(self, requester: str) -> bool:
        """Whether `requester` is meant, as a policy would tell him."""
        return self.kind is Kind.REQUESTER and requester.strip().casefold() == self.value.casefold()

    def is_ticket(self, ticket: m.Ticket | None) -> bool:
        """Whether `ticket` is meant."""
        if self.kind is not Kind.TICKET or ticket is None:
            return False
        called = (ticket.reference, ticket.reference.rpartition("/")[2], ticket.label)
        return self.value.casefold() in {one.casefold() for one in called if one}


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of it.

    Attributes:
        actions: that can be forgotten now, by id; each with the fields that its record has.
        alike: those of them that were told by the last four digits alone.
        still_open: id → why not: `action`, `report`, `fresh`, `changed`, `unknown`.
        refusals: how many refused deliveries name it.
        leading: id → the keys of the deliveries and wishes that lead to it.
    """

    actions: Mapping[str, records.Fields] = field(repr=False)
    alike: frozenset[str]
    still_open: Mapping[str, str]
    refusals: int
    leading: Mapping[str, Sequence[str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a look at one record said."""

    action_id: str
    fields: records.Fields = field(default_factory=dict)
    is_wanted: bool = False
    is_alike_only: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Attested:
    """One line of who let something be forgotten: never what."""

    at: int
    by: str
    kind: str
    actions: int
    refusals: int


class Forgetting:
    """Finds and forgets.

    Args:
        runner: brings scripts and plain commands to Redis.
        dice: for the nonce by which a line is known when it is written again.
        keys: the names of all keys.
        lives: how long it stays who let something be forgotten.
        tags: how a number is told when it was cut.
        now_ms: the clock of a simulation; None in production, where Redis' own clock counts.
    """

    def __init__(
        self,
        runner: Runner,
        dice: Dice,
        *,
        keys: Keys | None = None,
        lives: Lives | None = None,
        tags: Tags | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._runner, self._dice = runner, dice
        self._keys, self._lives, self._tags = keys or Keys(), lives or Lives(), tags or Tags()
        self._now_ms = now_ms

    async def find(self, org: str, sources: Iterable[str], wanted: Wanted) -> Found:
        """Say what is kept of `wanted` in `org`, and what of it is still open; nothing is written.

        Args:
            org: whose keys are walked through.
            sources: those of it whose refused deliveries are looked at.
            wanted: who or what.

        Raises:
            StoreDown: Redis is away.
        """
        ids, keys = await self._walk(org)
        actions: dict[str, records.Fields] = {}
        alike, still_open = set[str](), dict[str, str]()
        for batch in _batches(ids):
            for one in await asyncio.gather(*(self._judged(action_id, wanted) for action_id in batch)):
                if one.why:
                    still_open[one.action_id] = one.why
                elif one.is_wanted:
                    actions[one.action_id] = one.fields
                    alike |= {one.action_id} if one.is_alike_only else set()
        struck = [pair for source in sources for pair in await self._struck(org, source, wanted)]
        leading = await self._leading(keys, actions) if actions else {}
        return Found(actions, frozenset(alike), still_open, len(struck), leading)

    async def forget(self, org: str, sources: Iterable[str], wanted: Wanted, found: Found, by: str) -> dict[str, str]:
        """Forget what was found, after it is written down that `by` asked for it.

        Returns:
            What was not forgotten, because it has changed since, and why; see `Found.still_open`.

        Raises:
            StoreDown: Redis is away; what is not forgotten yet is found again.
        """
        who = "".join(filter(str.isprintable, by))[: records.WHO_CHARS]
        audited = records.by_of(m.Operator(by))
        line = {"by": who, "kind": wanted.kind, "actions": len(found.actions), "refusals": found.refusals}
        tail = orjson.dumps({**line, "nonce": self._dice.token()}).decode()[1:]
        words = [str(ATTESTED_MOST), str(self._lives.forgettings), tail, audited, str(self._lives.audit)]
        await self._runner.run(script("attest"), [self._keys.forgettings(org)], [*self._head(org), *words])
        kept: dict[str, str] = {}
        for action_id, fields in found.actions.items():
            if why := await self._forget(action_id, fields, found.leading.get(action_id, ()), audited):
                kept[action_id] = why
        for source in sources:
            lines = [word for pair in await self._struck(org, source, wanted) for word in pair]
            if lines:
                key = self._keys.refusals(org, source)
                await self._runner.run(script("strike"), [key], [*self._head(org), *lines])
        return kept

    async def attested(self, org: str) -> Sequence[Attested]:
        """Return who let something of `org` be forgotten, the newest first."""
        lines = cast("list[str]", await self._runner.ask("LRANGE", self._keys.forgettings(org), "0", "-1"))
        said = [orjson.loads(line) for line in reversed(lines)]
        return [Attested(one["at"], one["by"], one["kind"], one["actions"], one["refusals"]) for one in said]

    # ------------------------------------------------------------------------------------------ what is there

    async def _walk(self, org: str) -> tuple[list[str], list[str]]:
        """Return the ids of all actions of `org`, and the keys of all deliveries and wishes."""
        ids, keys = set[str](), set[str]()
        base, key = self._keys.base(org), self._keys.due_removals(org)
        names = await walked(self._runner, key, self._head(org), fits=self._keys.everything(org), many=WALK)
        for name in names:
            kind, _, rest = name.removeprefix(base).partition(":")
            if kind == "action":
                ids.add(rest)
            elif kind in {"delivery", "intent"}:
                keys.add(name)
        return sorted(ids), sorted(keys)

    async def _judged(self, action_id: str, wanted: Wanted) -> _Judged:
        fields = await self._hash(self._keys.action(action_id))
        if not fields:
            return _Judged(action_id)  # its life ended since
        try:
            removal = records.action_in(action_id, fields).removal
        except (UnknownVersion, LookupError, TypeError, ValueError):
            return _Judged(action_id, why=UNKNOWN)
        is_wanted, is_alike_only = await self._is_about(action_id, fields, removal, wanted)
        if not is_wanted:
            return _Judged(action_id)
        why = await self._forget(action_id, fields, ())
        return _Judged(action_id, fields, is_wanted=True, is_alike_only=is_alike_only, why=why)

    async def _is_about(
        self, action_id: str, fields: records.Fields, removal: m.Removal, wanted: Wanted
    ) -> tuple[bool, bool]:
        """Whether the action is about `wanted`, and whether only its last four digits say so."""
        org = action_id.partition(".")[0]
        if wanted.kind is Kind.PHONE:
            tags = fields.get("tags", "")
            if self._tags.tells(org, tags):
                return self._tags.has(org, tags, wanted.value), False
            return is_alike(removal, wanted.value), True
        if wanted.kind is Kind.REQUESTER:
            return wanted.is_requester(removal.requester), False
        if wanted.is_ticket(removal.ticket):
            return True, False
        # a ticket may have joined an action that another one asked for
        for one in records.reports_in(action_id, fields):
            told = records.told_in(one, fields)
            ticket = (
                told.ticket if told else records.ticket_in((await self._hash(self._keys.report(one))).get("ticket", ""))
            )
            if wanted.is_ticket(ticket):
                return True, False
        return False, False

    async def _hash(self, key: str) -> records.Fields:
        return cast("dict[str, str]", await self._runner.ask("HGETALL", key))

    async def _leading(self, keys: Sequence[str], actions: Mapping[str, object]) -> Mapping[str, Sequence[str]]:
        """Return by action which deliveries and wishes lead to it."""
        found: dict[str, list[str]] = {}
        for batch in _batches(keys):
            asked = (
                self._runner.ask("GET", key) if ":intent:" in key else self._runner.ask("HGET", key, "action")
                for key in batch
            )
            for key, action_id in zip(batch, await asyncio.gather(*asked), strict=True):
                if isinstance(action_id, str) and action_id in actions:
                    found.setdefault(action_id, []).append(key)
        return found

    async def _struck(self, org: str, source: str, wanted: Wanted) -> list[tuple[str, str]]:
        """Return each line of a refusal that names `wanted`, and what is to stand there."""
        keys = [self._keys.refusals(org, source)]
        lines = cast("list[str]", await self._runner.run(script("refused"), keys, self._head(org)))
        pairs = []
        for line in lines:
            at, code, reason, *rest = orjson.loads(line)
            if wanted.names(reason):
                pairs.append((line, orjson.dumps([at, code, STRUCK, *rest]).decode()))
        return pairs

    # ------------------------------------------------------------------------------------------ what is done

    async def _forget(self, action_id: str, fields: records.Fields, leading: Sequence[str], audited: str = "") -> str:
        """Forget one action, and write into the audit who asked; without that it is a trial. Return why not, or ""."""
        keys, removal = self._keys, fields["removal"]
        org = action_id.partition(".")[0]
        without = records.json_of(records.forgotten(records.removal_in(removal)))
        reports = REPORT_STEPS["settle"]
        over = [word for pair in records.impersonal(fields).items() for word in pair]
        reply = await self._runner.run(
            script("forget"),
            [keys.action(action_id), keys.timeline(action_id), *leading],
            [
                *self._head(org),
                *(action_id, ACTION_STEPS["settle"].to, reports.source, reports.to),
                *("" if audited else "1", removal, without, audited, str(self._lives.audit)),
                *over,
            ],
        )
        _, *why = cast("list[str]", reply)
        return "".join(why)

    def _head(self, org: str) -> list[str]:
        return [str(self._now_ms()) if self._now_ms else "", self._keys.base(org)]


def _batches(words: Sequence[str]) -> Iterator[Sequence[str]]:
    return (words[first : first + _AT_ONCE] for first in range(0, len(words), _AT_ONCE))
