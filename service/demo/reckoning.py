"""What the kills came to, counted from outside: Redis' accounts, and what the sandbox says. Never from the killer."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from service.core import model as m
from service.demo.doomed import ACTION_MOMENTS, POINTS, Moment
from service.demo.figures import RECOVERY_SECONDS, Evidence, addressed, bystanders_lost, is_accepted
from service.demo.world import Conference, Json

LAPSED = "lapses "  # how a claim says in the timeline that a lease had run out before it


class Strike(NamedTuple):
    """A worker that was killed: its name, where it stood, and the moment by Redis' own clock, right before the signal.

    Attributes:
        is_in_silence: nobody clicked from then until all of it was claimed again.
    """

    worker: str
    moment: Moment
    at: int
    is_in_silence: bool = False


class Recovery(NamedTuple):
    """An action that a killed worker had held, and how long after the kill another one claimed it."""

    strike: Strike
    action_id: str
    seconds: float


def recoveries(accounts: Iterable[m.Account], kills: Iterable[Strike]) -> list[Recovery]:
    """Return every taking-over of what a killed worker held: its claim, and the next, which found a lease run out."""
    killed = {kill.worker: kill for kill in kills}
    found = []
    for account in accounts:
        claims = [entry for entry in account.timeline if entry.verb == "claim"]
        for held, taken in pairwise(claims):
            kill = killed.get(held.worker)
            if kill is not None and _lapses(taken) > _lapses(held) and taken.at >= kill.at:
                found.append(Recovery(kill, account.action.id, (taken.at - kill.at) / 1000))
    return found


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the value that so many percent of `values` do not exceed, or None when there are none."""
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1] if values else None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """All that is known at the end, and what follows from it.

    Attributes:
        evidence: what Redis and the sandbox hold; of the calls those that were to change something.
        kills: in order.
        accepted: by the id of the action, every conference whose click the door took.
    """

    evidence: Evidence
    kills: Sequence[Strike]
    accepted: Mapping[str, Conference]
    recoveries: Sequence[Recovery] = field(init=False)

    def __post_init__(self) -> None:
        """Count once what several figures rest on."""
        object.__setattr__(self, "recoveries", recoveries(self.evidence.accounts, self.kills))

    @property
    def lost(self) -> list[str]:
        """The actions without an outcome, and those whose ticket was not told and whose report is not dead either."""
        accounts = {account.action.id: account for account in self.evidence.accounts}
        notes = {ticket["sys_id"]: len(ticket["work_notes"]) for ticket in self.evidence.tickets}
        return [
            action_id
            for action_id, conference in self.accepted.items()
            if (account := accounts.get(action_id)) is None
            or account.action.outcome is None
            or not (notes.get(conference.ticket["sys_id"]) or _is_dead(account))
        ]

    @property
    def double(self) -> list[str]:
        """The participants that were removed more than once, actions settled twice, tickets with a note too many."""
        removed = Counter(addressed(self._effective))
        people = [participant for (_, participant), times in removed.items() if times > 1]
        ended = [one.action.id for one in self.evidence.accounts if sum(e.verb == "settle" for e in one.timeline) > 1]
        noted = [str(ticket["number"]) for ticket in self.evidence.tickets if len(ticket["work_notes"]) > 1]
        return [*people, *ended, *noted]

    @property
    def wrong(self) -> list[str]:
        """Whoever was addressed and is not the caller, whoever else is gone, and calls that name no participant."""
        callers = {(one.conversation_id, one.caller_id) for one in self.accepted.values()}
        others = {participant for _, participant in set(addressed(self.evidence.calls)) - callers}
        gone = bystanders_lost(self._effective, self.evidence.conversations)
        strays = [str(call["path"]) for call in self.evidence.calls if not addressed([call])]
        return sorted(others | set(gone)) + strays

    @property
    def _effective(self) -> list[Json]:
        return [call for call in self.evidence.calls if is_accepted(call) or call["effect"] is True]

    @property
    def lies(self) -> list[str]:
        """The actions that say “disconnected” while the caller is still there."""
        present = {
            person["id"] for one in self.evidence.conversations for person in one["participants"] if person["present"]
        }
        return [
            one.action.id
            for one in self.evidence.accounts
            if one.action.outcome is not None
            and one.action.outcome.kind is m.OutcomeKind.DISCONNECTED
            and one.action.id in self.accepted
            and self.accepted[one.action.id].caller_id in present
        ]

    @property
    def never(self) -> list[Strike]:
        """The kills that must have hit an action, which nobody ever claimed again."""
        seen = {recovery.strike for recovery in self.recoveries}
        return [kill for kill in self.kills if kill.moment in ACTION_MOMENTS and kill not in seen]

    def seconds(self, kills: Collection[Strike] | None = None) -> list[float]:
        """Return how long the taking-over took, of all kills or of some."""
        return [one.seconds for one in self.recoveries if kills is None or one.strike in kills]

    @property
    def in_silence(self) -> list[float]:
        """How long it took where nobody clicked meanwhile."""
        return self.seconds([kill for kill in self.kills if kill.is_in_silence])

    @property
    def struck(self) -> dict[str, int]:
        """How many workers were killed at each moment."""
        counted = Counter(kill.moment for kill in self.kills)
        return {str(moment): counted[moment] for moment in POINTS}

    @property
    def outcomes(self) -> dict[str, int]:
        """How many actions ended how."""
        kinds = Counter(str(one.action.outcome.kind) for one in self.evidence.accounts if one.action.outcome)
        return dict(sorted(kinds.items()))

    @property
    def known(self) -> dict[str, object]:
        """The figures for programs."""
        seconds = self.seconds()
        return {
            "kills": len(self.kills),
            "recovery_p50_seconds": percentile(seconds, 50),
            "recovery_p99_seconds": percentile(seconds, 99),
            "recovery_max_seconds": max(seconds, default=None),
            "lost": len(self.lost),
            "double": len(self.double),
        }

    @property
    def line(self) -> str:
        """The figures as one line of JSON."""
        return json.dumps(self.known)

    @property
    def more(self) -> dict[str, object]:
        """All figures there are."""
        return {
            **self.known,
            "recoveries": len(self.recoveries),
            "recoveries_in_silence": len(self.in_silence),
            "recovery_max_in_silence_seconds": max(self.in_silence, default=None),
            "killed": self.struck,
            "never_claimed_again": len(self.never),
            "accepted": len(self.accepted),
            "outcomes": self.outcomes,
            "notes_written": sum(len(ticket["work_notes"]) for ticket in self.evidence.tickets),
            "wrong": len(self.wrong),
            "lies": len(self.lies),
        }

    @property
    def rows(self) -> dict[str, object]:
        """The figures for people."""
        known, silent = self.known, self.in_silence
        recovery = [known[f"recovery_{name}_seconds"] for name in ("p50", "p99", "max")]
        ended = ", ".join(f"{count} {kind}" for kind, count in self.outcomes.items())
        return {
            "clicks accepted": f"{len(self.accepted)} ({ended})",
            "workers killed": known["kills"],
            **{f"  {POINTS[Moment(moment)].words}": count for moment, count in self.struck.items()},
            "actions taken over from them": len(self.recoveries),
            "  after, in seconds: median / p99 / longest": " / ".join(map(_rounded, recovery)),
            "  while nobody clicked: how many / longest": f"{len(silent)} / {_rounded(max(silent, default=None))}",
            "lost": known["lost"],
            "double": known["double"],
            "somebody else touched": len(self.wrong),
        }

    @property
    def faults(self) -> list[str]:
        """What does not hold, in words; empty when all is well."""
        p99 = percentile(self.seconds(), 99)
        judged = {
            f"{len(self.lost)} were lost: {_some(self.lost)}": not self.lost,
            f"{len(self.double)} were done twice: {_some(self.double)}": not self.double,
            f"somebody else was touched: {_some(self.wrong)}": not self.wrong,
            f"“disconnected”, and the caller is still there: {_some(self.lies)}": not self.lies,
            f"{len(self.never)} killed workers' actions were never claimed again": not self.never,
            f"the p99 of recovery is {_rounded(p99)} s, not within {RECOVERY_SECONDS:.0f}": (
                p99 is not None and p99 <= RECOVERY_SECONDS
            ),
        }
        return [sentence for sentence, holds in judged.items() if not holds]


def _lapses(claim: m.Entry) -> int:
    return int(claim.note.removeprefix(LAPSED)) if claim.note.startswith(LAPSED) else 0


def _is_dead(account: m.Account) -> bool:
    return any(report.state is m.ReportState.DEAD for report in account.reports)


def _rounded(seconds: object) -> str:
    return f"{seconds:.2f}" if isinstance(seconds, float) else "none"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")  # noqa: PLR2004 - enough to look into
