"""What the console's pages look through and act with, made of what a process has open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial

from service.core.errors import StoreDown
from service.flow import operations
from service.flow.crowd import of_each
from service.store.ledger import audit_from
from service.web.pages.watch import Pause, Standing, Watch
from service.wiring.documents import audit_line
from service.wiring.house import House
from service.wiring.sheets import csv_line

LINES = 100  # of a file that are sent together: some tens of kilobytes


def watch_of(house: House, public_url: str) -> Watch:
    """Return what the pages of this process stand on; `public_url` is the public door's."""
    place, said = house.place, house.said

    async def standings() -> Sequence[Standing]:
        if not house.readiness.is_reached:
            raise StoreDown("how the orgs stand is not known")
        return await of_each(tuple(said.orgs), partial(_standing, house))

    return Watch(
        store=house.store,
        archive=house.archive,
        refusals=house.refusals,
        waiter=place.waiter,
        clock=place.clock,
        dice=place.dice,
        wording=place.wording,
        sources={name: source.terms for name, source in place.sources.items()},
        apis={name: str(org.api) for name, org in said.orgs.items()},
        public_url=public_url,
        standings=standings,
        audit_from=audit_from,
        exported=partial(exported_of, house),
    )


async def exported_of(house: House, form: str, since_at: int, until_at: int) -> AsyncIterator[bytes]:
    """Yield the audit of all orgs as a file (`jsonl`, `csv`), some lines at a time; see `operations.audited`.

    Raises:
        StoreDown: the store is away.
    """
    places = {org: audit_from(since_at) for org in house.said.orgs}
    told = operations.audited(
        house.archive, house.store, house.said.orgs, since_at=since_at, until_at=until_at, cursors=places
    )
    lines: list[str] = []
    is_first = form == "csv"
    async with aclosing(told):
        async for one in told:
            document = audit_line(one)
            if is_first:
                lines.append(csv_line(document))
                is_first = False
            lines.append(
                csv_line(document.values()) if form == "csv" else f"{json.dumps(document, ensure_ascii=False)}\n"
            )
            if len(lines) >= LINES:
                yield "".join(lines).encode(errors="replace")
                lines.clear()
    yield "".join(lines).encode(errors="replace")


async def _standing(house: House, org: str) -> Standing:
    said = house.said
    burden, pauses = await asyncio.gather(house.store.burden(org), house.archive.pauses(org))
    return Standing(
        org=org,
        mode=said.orgs[org].mode,
        pauses=[Pause(source, why) for source, why in pauses.items()],
        shadow=sorted(name for name, one in said.sources.items() if one.org == org and one.mode == "shadow"),
        open_actions=burden.actions,
        overdue_seconds=burden.actions_overdue_seconds,
        open_reports=burden.reports,
        reports_overdue_seconds=burden.reports_overdue_seconds,
        calls=burden.calls,
        dead=burden.dead,
    )
