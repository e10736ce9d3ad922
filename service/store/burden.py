"""What waits in an org, for who watches the service: metrics show it, and nothing is decided by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from service.store.script import Reply


@dataclass(frozen=True, slots=True)
class Burden:
    """What is open in one org at one moment.

    Attributes:
        actions: that have not ended.
        actions_overdue_seconds: for how long the oldest of them that is due has waited for a worker; 0.0 where none is.
        reports: that are still to be told, by source; sources without one are left out.
        reports_overdue_seconds: the same of the reports.
        calls: first looks that the budget carries now, as this process knows it.
        dead: dead letters by source, of the newest thousand.
        paused: "" for the whole org, else names of sources.
        newer: open actions and reports still to be told, of the first thousand of each, that a newer version wrote.
    """

    actions: int
    actions_overdue_seconds: float
    calls: int
    paused: frozenset[str] = frozenset()
    reports: Mapping[str, int] = field(default_factory=dict)
    reports_overdue_seconds: float = 0.0
    dead: Mapping[str, int] = field(default_factory=dict)
    newer: int = 0


def burden_in(reply: Reply) -> Burden:
    """Return what the script `burden` answered."""
    said = cast("tuple[str, str, str, list[str], list[str], str, *tuple[list[str], ...]]", reply)
    actions, overdue, calls, paused, dead, newer, *desks = said
    reports = {source: int(due) for source, due, _ in desks}
    longest = max((int(ms) for _, _, ms in desks), default=0)
    held_up = (frozenset(paused), reports, longest / 1000, Counter(dead))
    return Burden(int(actions), int(overdue) / 1000, int(calls), *held_up, int(newer))
