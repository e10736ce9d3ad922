"""What `onhook refusals` shows: the deliveries that were not taken, of one source or of all."""

from __future__ import annotations

from collections.abc import Sequence

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured
from service.wiring.house import opened_store, refusal_book, sources_of
from service.wiring.machine import SystemClock


async def refusals(source: str) -> Sequence[m.Refusal]:
    """Return what is remembered, the newest first; `source` "" is all of them.

    Raises:
        Misconfigured: there is no such source, or no Redis.
        StoreDown: Redis is away.
    """
    said = settings.read()
    known = sources_of(said)
    if source and source not in known:
        raise Misconfigured([f"there is no [sources.{source}]; there is {', '.join(known) or 'none'}"])
    async with opened_store(said, may_start=False) as (_, link, _):
        book = refusal_book(said, link, SystemClock())
        found = [one for name in ([source] if source else known) for one in await book.refusals(name)]
    return sorted(found, key=lambda one: one.refused_at, reverse=True)
