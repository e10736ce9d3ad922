"""What `onhook pause` and `onhook resume` do: claims of one org, of one source or of all stop, and go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.core import model as m
from service.flow import operations
from service.wiring.watching import watching


async def steer(org: str, source: str, by: m.Operator, *, is_pause: bool) -> Mapping[str, Sequence[str]]:
    """Pause or resume one org, one source, or everything configured.

    Args:
        org: "" for every one.
        source: "" for all that an org is asked.
        by: who does it, and why, for the audit.
        is_pause: False to take a pause back.

    Returns:
        By each org that is meant what is paused in it now: "" for the whole org, else names of sources. What was paused
        on its own is resumed on its own, so after a resume not all need go on.

    Raises:
        Misconfigured: there is no such org or source, or no Redis.
        StoreDown: Redis is away.
    """
    async with watching(org, source) as watch:
        await (operations.pause if is_pause else operations.resume)(watch.store, watch.orgs, source, by=by)
        return {name: sorted(await watch.store.paused(name)) for name in watch.orgs}
