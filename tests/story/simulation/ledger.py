"""What really happened in one simulated story, written down below every seam that a mutant could bend."""

from __future__ import annotations

import contextvars
import copy
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from service.core import model as m
from service.store.script import Reply
from tests.story.simulation.course import WHO, CourseClock

# the action whose mark this task got from Redis last: so that a PATCH is known to be somebody's
MARKED: contextvars.ContextVar[str] = contextvars.ContextVar("marked", default="")

# what only the last one may do who was handed it
_HELD = {"renew", "pin", "mark_sent", "answered", "unsent", "put_back", "settle", "end_report"}
_OURS = {"", "accepted", "unclear"}
_STALE_SECONDS = 3.0  # a lease, less the most that Redis' clock is set forward: the lease may be another's by then


@dataclass
class Mark:
    """One mark that stands in Redis, and what left under it."""

    action: str
    number: str
    at: float
    now_ms: int
    left_seconds: float
    kind: str = ""
    patches: int = 0


@dataclass
class Patch:
    """One removal that was handed to Genesys."""

    action: str
    worker: str
    conversation: str
    participant: str
    at: float
    mark: Mark | None
    is_effective: bool = False


@dataclass
class End:
    """One settle that Redis took."""

    outcome: m.OutcomeKind
    reason: str
    at: float
    now_ms: int


@dataclass
class Note:
    """One note that stands on a ticket; stale when its writer may have lost the lease on the way."""

    report: str
    ticket: str
    is_stale: bool


@dataclass
class Wish:
    """One delivery as its sender knows it."""

    message: str
    conversation: str
    selector: tuple[str, str]
    identity: str
    clicked_at: int
    max_age_seconds: float
    ticket: str
    org: str
    actions: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """Everything that the promises are checked against."""

    clock: CourseClock
    hits: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    breaches: list[tuple[str, str]] = field(default_factory=list)
    conversations: dict[str, str] = field(default_factory=dict)
    clicks: dict[str, int] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    unmarked: int = 0
    patches: list[Patch] = field(default_factory=list)
    ends: dict[str, list[End]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    _holders: dict[str, str] = field(default_factory=dict)
    _renewed: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def trace(self) -> str:
        """The story as one hash: the same seed tells the same story."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def tell(self, what: str) -> None:
        """Write one line of the story."""
        self.lines.append(f"{self.clock.monotonic():.4f} {WHO.get() or '-'} {what}")

    def hit(self, fault: str) -> None:
        """Count a fault that happened."""
        self.hits[fault] += 1
        self.tell(f"! {fault}")

    def breach(self, promise: str, how: str) -> None:
        """Write down that a promise was broken."""
        self.breaches.append((promise, how))
        self.tell(f"BROKEN {promise}: {how}")

    def known(self) -> dict[str, object]:
        """Return a copy of what mirrors Redis, and not the world."""
        return {name: copy.deepcopy(getattr(self, name)) for name in ("marks", "ends", "_holders", "_renewed")}

    def forget(self, known: dict[str, object]) -> None:
        """Mirror Redis as it was when `known` was taken."""
        vars(self).update(known)

    # --- what Redis did ----------------------------------------------------------------------------------------------

    def step(self, name: str, keys: Sequence[str], args: Sequence[str], reply: Reply) -> None:
        """Write down a script that ran, and what it changed."""
        word, named = _word(reply), keys[0].rpartition(":")[2]
        if name in {"claim", "claim_reports"}:
            rows = cast("list[list[Reply]]", reply)[2:]
            self._holders |= {str(row[0]): WHO.get() for row in rows}
            if rows:
                self.tell(f"{name} {[str(row[0]) for row in rows]}")
        elif name != "read":
            self.tell(f"{name} {named} {word}")
        if name == "mark_sent" and word in {"ok", "done"}:
            MARKED.set(named)
        if name == "renew" and word in {"ok", "done"}:
            self._renewed[named, WHO.get()] = self.clock.monotonic()
        if word == "ok":
            self._changed(name, named, args, cast("list[Reply]", reply))

    def _changed(self, name: str, named: str, args: Sequence[str], reply: list[Reply]) -> None:
        if name in _HELD and self._holders.get(named) != WHO.get():
            self.breach("a frozen one changes nothing", f"{name} of {named}, which {self._holders.get(named)} holds")
        match name:
            case "accept" if reply[1] == "":
                self.conversations.setdefault(str(reply[2]), args[14])
                self.clicks.setdefault(str(reply[2]), int(args[17]))
            case "mark_sent":
                self._mark(named, str(reply[1]))
            case "answered":
                mark = next(one for one in self.marks[named] if one.number == args[5])
                mark.kind = args[6]
            case "unsent":
                self.unmarked += 1
                self.marks[named] = [one for one in self.marks[named] if one.number != args[6]]
            case "settle":
                said = json.loads(args[9])
                end = End(m.OutcomeKind(said["kind"]), said["reason"], self.clock.monotonic(), self.clock.redis_now())
                self.ends.setdefault(named, []).append(end)
                self.tell(f"settled {named} {end.outcome} {end.reason}")
            case _:
                pass

    def _mark(self, action: str, answer: str) -> None:
        number, _, _, left_ms = answer.split()
        for other in self.marks:
            rival = other != action and self.conversations[other] == self.conversations[action]
            if rival and other not in self.ends and self.ours(other):
                self.breach("one at a time", f"{action} was marked while {other} was in flight")
        mark = Mark(action, number, self.clock.monotonic(), self.clock.redis_now(), int(left_ms) / 1000)
        self.marks.setdefault(action, []).append(mark)

    def ours(self, action: str) -> list[Mark]:
        """Return the marks of an action that may have taken effect."""
        return [one for one in self.marks.get(action, []) if one.kind in _OURS]

    # --- what left the house -----------------------------------------------------------------------------------------

    def patch(self, conversation: str, participant: str) -> Patch:
        """Write down a removal that leaves, under the mark it belongs to."""
        action = MARKED.get()
        mark = next((one for one in reversed(self.marks.get(action, [])) if not one.kind and not one.patches), None)
        patch = Patch(action, WHO.get(), conversation, participant, self.clock.monotonic(), mark)
        if mark:
            mark.patches += 1
        if action in self.ends:
            self.breach("nothing after the end", f"{action} sent something after it was settled")
        self.patches.append(patch)
        self.tell(f"PATCH {participant} by {action}")
        return patch

    def note(self, report: str, ticket: str) -> None:
        """Write down a note that stands on a ticket."""
        age = self.clock.monotonic() - self._renewed.get((report, WHO.get()), 0.0)
        self.notes.append(Note(report, ticket, age > _STALE_SECONDS))
        self.tell(f"note {report}")


def _word(reply: Reply) -> str:
    if isinstance(reply, list) and reply and isinstance(reply[0], str):
        return reply[0]
    return str(reply)
