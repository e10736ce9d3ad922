"""What `onhook dead` does: dead letters are listed by cause, and told again, one, many or all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.flow import operations
from service.telemetry import masked
from service.wiring.documents import Document, letter_line
from service.wiring.watching import NotDone, Watch, watching

MOST = 1_000  # letters a reading, as many as the archive looks at


@dataclass(frozen=True, slots=True)
class Retold:
    """What became of letters that were to be told again."""

    told: Sequence[str]
    left: Sequence[str]


async def letters(org: str) -> list[Document]:
    """Return the newest dead letters of one org, or of all (""), those of the most frequent cause first.

    Raises:
        Misconfigured: there is no such org, or no Redis.
        StoreDown: Redis is away.
    """
    async with watching(org) as watch:
        found = operations.by_cause(await _dead(watch))
    return [letter_line(letter) for its in found.values() for letter in its]


async def meant(org: str, cause: str) -> list[str]:
    """Return the ids of the dead letters with this cause, or of all (""); the cause may be a part of one.

    Raises:
        NotDone: there is no dead letter with it, or its words fit several causes; in words.
        Misconfigured, StoreDown: as `letters`.
    """
    async with watching(org) as watch:
        found = operations.by_cause(await _dead(watch))
    if not found:
        raise NotDone("there is no dead letter: every ticket was told, or is still tried")
    shown = {masked(name): its for name, its in found.items()}
    fits = [cause] if cause in shown else [name for name in shown if cause.casefold() in name.casefold()]
    if cause and len(fits) != 1:
        which = "no cause" if not fits else f"{len(fits)} causes"
        named = "\n".join(f"  {name} ({len(its)})" for name, its in shown.items())
        raise NotDone(f"“{cause[:80]}” fits {which}; there are:\n{named}")
    return [letter.report.id for name in fits for letter in shown[name]]


async def retell(report_ids: Sequence[str], by: m.Operator, step: Callable[[], None]) -> Retold:
    """Make dead letters due again, for a day like new ones.

    Args:
        report_ids: which.
        by: who does it, and why.
        step: called after each.

    Raises:
        Misconfigured: there is no Redis.
        StoreDown: Redis is away; those before are due again, and asking again does no harm.
    """
    told: list[str] = []
    left: list[str] = []
    async with watching() as watch:
        for report_id in report_ids:
            (told if await operations.retell(watch.store, report_id, by=by) else left).append(report_id)
            step()
    return Retold(told, left)


async def _dead(watch: Watch) -> list[m.DeadLetter]:
    return [letter for org in watch.orgs for letter in await watch.archive.dead(org, MOST)]
