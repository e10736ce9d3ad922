"""What a benchmark says: rows of a table, each a goal and the rounds that were measured for it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Size(StrEnum):
    """How much is measured: QUICK shows that it runs (seconds, its figures mean nothing), FULL is what is quoted."""

    QUICK = "quick"
    FULL = "full"


class Kind(StrEnum):
    """How ours is held against theirs, round by round."""

    RATIO = "×"  # ours / theirs
    DIFFERENCE = "+"  # ours - theirs, in the row's unit
    PLAIN = ""  # ours alone; theirs, where there is one, is for comparison


class Better(StrEnum):
    """Which side of the bound is the good one."""

    LOWER = "≤"
    HIGHER = "≥"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure shall be: `Goal(Kind.RATIO, Better.LOWER, 1.6)` reads "≤ 1.6 ×"."""

    kind: Kind
    better: Better
    bound: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: what is measured, in a few words: "CPU per accepted webhook".
        against: what beside it in the same rounds: "the same endpoint without Redis"; "" where the goal is absolute.
        unit: of both: "µs", "ms", "s", "/s", "kB".
        ours: one value a round (a median within the round, mostly).
        theirs: one value a round, in the same order, from the same rounds; empty when there is nothing beside it.
        goal: None for a figure that only explains another one.
        note: what a reader must know, and of a miss the reason and the nearest that was reached.
        digits: after the point.
    """

    what: str
    unit: str
    ours: Sequence[float]
    against: str = ""
    theirs: Sequence[float] = ()
    goal: Goal | None = None
    note: str = ""
    digits: int = 2

    def __post_init__(self) -> None:
        """Refuse rounds that do not belong together."""
        if not self.ours or (self.theirs and len(self.theirs) != len(self.ours)):
            raise ValueError(f"{self.what}: {len(self.ours)} rounds of ours, {len(self.theirs)} of theirs")
        if self.goal is not None and self.goal.kind is not Kind.PLAIN and not self.theirs:
            raise ValueError(f"{self.what}: a {self.goal.kind.name.lower()} to nothing")

    @property
    def compared(self) -> list[float]:
        """One value a round, as the goal counts it."""
        kind = self.goal.kind if self.goal else Kind.PLAIN
        if kind is Kind.PLAIN:
            return list(self.ours)
        pairs = zip(self.ours, self.theirs, strict=True)
        return [mine / other if kind is Kind.RATIO else mine - other for mine, other in pairs]

    @property
    def value(self) -> float:
        """The median over the rounds of what the goal counts."""
        return statistics.median(self.compared)

    @property
    def is_met(self) -> bool | None:
        """Whether the median reached the goal; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal.bound if self.goal.better is Better.LOWER else self.value >= self.goal.bound

    @property
    def said(self) -> str:
        """The median and the spread as the table shows them: `1.42 × (1.38-1.51)`."""
        kind = self.goal.kind if self.goal else Kind.PLAIN
        unit = "×" if kind is Kind.RATIO else self.unit
        sign = "+" if kind is Kind.DIFFERENCE else ""
        low, high = min(self.compared), max(self.compared)
        spread = f" ({low:.{self.digits}f} to {high:.{self.digits}f})" if len(self.ours) > 1 else ""
        return f"{self.value:{sign}.{self.digits}f} {unit}{spread}"

    @property
    def wanted(self) -> str:
        """The goal as the table shows it: `≤ 1.6 ×`; "" without one."""
        if self.goal is None:
            return ""
        unit = "×" if self.goal.kind is Kind.RATIO else self.unit
        sign = "+" if self.goal.kind is Kind.DIFFERENCE else ""
        return f"{self.goal.better} {sign}{self.goal.bound:g} {unit}"

    def as_json(self) -> dict[str, Any]:
        """Return everything of it, for the file that a full run leaves."""
        return {
            "what": self.what,
            "against": self.against,
            "unit": self.unit,
            "figure": self.said,
            "goal": self.wanted,
            "met": self.is_met,
            "median": self.value,
            "ours": [round(value, 4) for value in self.ours],
            "theirs": [round(value, 4) for value in self.theirs],
            "note": self.note,
        }
