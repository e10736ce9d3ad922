"""The figures of the story, counted from outside: what Redis holds and what the sandbox says. Never from the story."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from service.core import model as m
from service.demo.stage import Accounts
from service.demo.world import Json, World

RECOVERY_SECONDS: Final = 8.0  # the promise: a lease of six, the one-second re-check, and a little
# how the sandbox says that somebody left without any command: hung up, or the queue's leg that was over before
_OWN_WAYS: Final = frozenset({"endpoint", "transfer"})
_REMOVAL: Final = re.compile(r"/api/v2/conversations/(?:[a-z]+/)?([0-9a-f-]{36})/participants/([0-9a-f-]{36})(?:/.*)?")


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker that was killed in the middle of an action.

    Attributes:
        at: by Redis' own clock, right before the signal.
    """

    action_id: str
    at: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it all.

    Attributes:
        deliveries: webhooks that were accepted, new or not.
        actions: what they were taken for.
        disconnect_calls: PATCHes that Genesys answered 2xx.
        refused_calls: PATCHes that it answered otherwise.
        outcomes: settled actions by outcome.
        bystanders_lost: people who are gone without having been addressed and without having hung up.
        tickets_told, notes_written: tickets with a note, and notes on them.
        recovered_after_kill_seconds: from the kill to the claim by another worker.
    """

    deliveries: int
    actions: int
    disconnect_calls: int
    refused_calls: int
    outcomes: Mapping[str, int]
    bystanders_lost: int
    tickets_told: int
    notes_written: int
    recovered_after_kill_seconds: float | None

    @property
    def line(self) -> str:
        """All figures as one line of JSON."""
        return json.dumps(asdict(self))

    @property
    def faults(self) -> list[str]:
        """What does not hold, in words; empty when all is well."""
        recovered = self.recovered_after_kill_seconds
        removed, ended = self.outcomes.get(m.OutcomeKind.DISCONNECTED, 0), sum(self.outcomes.values())
        judged = {
            f"{self.bystanders_lost} bystanders were lost": self.bystanders_lost == 0,
            f"{self.disconnect_calls} removals reached Genesys for {removed} outcomes “disconnected”": (
                self.disconnect_calls == removed
            ),
            f"{self.actions} actions, and {ended} of them have an outcome": self.actions == ended,
            f"{self.actions} actions, {self.tickets_told} tickets told, {self.notes_written} notes on them": (
                self.actions == self.tickets_told == self.notes_written
            ),
            f"the killed worker's action was claimed after {recovered} s, not within {RECOVERY_SECONDS:.0f}": (
                recovered is not None and recovered <= RECOVERY_SECONDS
            ),
        }
        return [sentence for sentence, holds in judged.items() if not holds]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the figures are counted from, as it was read.

    Attributes:
        accounts: every action, from Redis.
        calls, conversations, tickets: from the sandbox.
    """

    accounts: Sequence[m.Account]
    calls: Sequence[Json]
    conversations: Sequence[Json]
    tickets: Sequence[Json]

    def figures(self, kill: Kill | None) -> Figures:
        """Count."""
        patches = [call for call in self.calls if call["service"] == "genesys" and call["method"] == "PATCH"]
        accepted = [call for call in patches if is_accepted(call)]
        outcomes = Counter(str(one.action.outcome.kind) for one in self.accounts if one.action.outcome)
        notes = [len(ticket["work_notes"]) for ticket in self.tickets]
        return Figures(
            deliveries=sum(entry.verb == "accept" for one in self.accounts for entry in one.timeline),
            actions=len(self.accounts),
            disconnect_calls=len(accepted),
            refused_calls=len(patches) - len(accepted),
            outcomes=dict(sorted(outcomes.items())),
            bystanders_lost=len(bystanders_lost(accepted, self.conversations)),
            tickets_told=sum(count > 0 for count in notes),
            notes_written=sum(notes),
            recovered_after_kill_seconds=recovered_seconds(self.accounts, kill) if kill else None,
        )

    def write(self, folder: Path) -> None:
        """Put what the sandbox said into files of `folder`, one JSON line for each thing."""
        for name in ("calls", "conversations", "tickets"):
            lines = [json.dumps(one) + "\n" for one in getattr(self, name)]
            (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


async def gathered(store: Accounts, org: str, world: World) -> Evidence:
    """Read everything there is."""
    accounts = [await store.read(action_id) for action_id in await store.action_ids(org)]
    return Evidence(
        accounts=[account for account in accounts if account is not None],
        calls=await world.calls(),
        conversations=await world.conversations(),
        tickets=await world.tickets(),
    )


def is_accepted(call: Json) -> bool:
    """Whether a call was answered 2xx."""
    return call["status"] is not None and call["status"] // 100 == 2  # noqa: PLR2004 - the first digit of a success


def bystanders_lost(accepted: Iterable[Json], conversations: Iterable[Json]) -> list[str]:
    """Return the ids of those who are gone although no accepted PATCH named them and they did not leave by themselves.

    Args:
        accepted: the PATCHes that were answered 2xx.
        conversations: as they really are, in the sandbox's words.
    """
    named = set(addressed(accepted))
    return [
        person["id"]
        for conversation in conversations
        for person in conversation["participants"]
        if not person["present"]
        and (conversation["conversation_id"], person["id"]) not in named
        and person["disconnect_type"] not in _OWN_WAYS
    ]


def addressed(calls: Iterable[Json]) -> list[tuple[str, str]]:
    """Return whom each removal names: the conversation, the participant."""
    found = (_REMOVAL.fullmatch(call["path"].lower()) for call in calls)
    return [(one[1], one[2]) for one in found if one]


def recovered_seconds(accounts: Iterable[m.Account], kill: Kill) -> float | None:
    """Return how long after `kill` another worker claimed that action, or None when none did."""
    for account in accounts:
        if account.action.id == kill.action_id:
            claims = [entry for entry in account.timeline if entry.verb == "claim"]
            killed = next((claim.worker for claim in claims), "")
            later = (claim.at for claim in claims if claim.at >= kill.at and claim.worker != killed)
            return next(((at - kill.at) / 1000 for at in later), None)
    return None
