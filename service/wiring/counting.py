"""What `onhook stats` counts: how the last hour and the last day went, of each org."""

from __future__ import annotations

from service.wiring.documents import DAY_MS, Document, stats_document
from service.wiring.watching import watching


async def stats(org: str) -> Document:
    """Return how the last hour and the last day of one org went, or of all (""); see documents.stats_document.

    Raises:
        Misconfigured: there is no such org, or no Redis.
        StoreDown: Redis is away.
    """
    async with watching(org) as watch:
        now = watch.clock.now()
        minutes = {name: await watch.archive.minutes(name, now - DAY_MS) for name in watch.orgs}
    return stats_document(minutes, now)
