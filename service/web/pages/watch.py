"""What the console's pages look through and act with: ports and callables, built once by wiring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from service.core import model as m
from service.core.ports import Archive, Clock, Dice, Refusals, Store, Waiter
from service.core.rules import Minted
from service.core.wording import Wording


@dataclass(frozen=True, slots=True)
class Pause:
    """Something that is paused.

    Attributes:
        source: "" for the whole org.
        why: who paused it, since when, and why.
    """

    source: str
    why: m.Pause


@dataclass(frozen=True, slots=True)
class Standing:
    """How one org stands at this moment.

    Attributes:
        mode: `live` or `shadow`.
        shadow: its sources that only watch, though the org is live.
        open_actions: that have not ended.
        overdue_seconds: for how long the oldest of them that is due has waited for a worker; 0.0 where none is.
        open_reports: that are still to be told, by source; sources without one are left out.
        reports_overdue_seconds: the same of the reports.
        calls: first looks that its budget carries now.
        dead: dead letters by source, of the newest.
    """

    org: str
    mode: str
    pauses: Sequence[Pause] = ()
    shadow: Sequence[str] = ()
    open_actions: int = 0
    overdue_seconds: float = 0.0
    open_reports: Mapping[str, int] = field(default_factory=dict)
    reports_overdue_seconds: float = 0.0
    calls: int = 0
    dead: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the pages are built on.

    Attributes:
        sources: the terms of the configured ones by name, in their order.
        apis: by org, in their order, where its Genesys API is: `https://api.mypurecloud.de`.
        public_url: under which senders reach the public door.
        standings: how each org stands; raises StoreDown.
        audit_from: where in an audit the day of a moment begins.
        exported: the audit as a file, piece by piece: of a format (`jsonl`, `csv`), from a moment on until before
            another, 0 for any; raises StoreDown.
    """

    store: Store
    archive: Archive
    refusals: Refusals
    waiter: Waiter
    clock: Clock
    dice: Dice
    wording: Wording
    sources: Mapping[str, m.SourceTerms]
    apis: Mapping[str, str]
    public_url: str
    standings: Callable[[], Awaitable[Sequence[Standing]]]
    audit_from: Callable[[int], str]
    exported: Callable[[str, int, int], AsyncIterator[bytes]]

    @property
    def orgs(self) -> tuple[str, ...]:
        """The configured orgs."""
        return tuple(self.apis)

    def of_org(self, org: str) -> tuple[str, ...]:
        """Return the sources that act on `org`."""
        return tuple(name for name, terms in self.sources.items() if terms.org == org)

    def language(self, source: str) -> str:
        """Return in which language the tickets of `source` are told; English for one that is not configured."""
        terms = self.sources.get(source)
        return terms.language if terms else "en"

    def minted(self, org: str) -> Minted:
        """Return the id and the key of a new action of `org`."""
        return Minted(self.dice.action_id(org), self.dice.token())

    async def around(self) -> Mapping[str, object]:
        """Return what every page shows beside its own: mode and pauses of each org; raises StoreDown."""
        return {"standings": await self.standings()}
