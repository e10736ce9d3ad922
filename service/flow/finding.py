"""How a person finds actions of several orgs at once: their pages merged, the newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from service.core import model as m
from service.core.ports import Archive


async def find(archive: Archive, orgs: Iterable[str], search: m.Search, limit: int, after: str = "") -> m.Page:
    """Return up to `limit` actions of `orgs` that fit, the newest first, from where the last page ended.

    A page may be short, or empty, and not the last: an org had no more looked through at once, and what the others have
    that is older than that waits for the next page, so that pages are in order of time. Each page ends further back
    than the one before.

    Args:
        archive: where they are found. What is open has its numbers whole: whoever shows it must mask them.
        orgs: whose actions; one that is named twice is asked once.
        search: what is asked.
        limit: a page's most, one at least.
        after: from the last page, or "" for the newest; made of letters and digits alone.

    Raises:
        ValueError: the search, or `after`, is not what it can be; in words.
        StoreDown: the store is away.
    """
    names, most = list(dict.fromkeys(orgs)), max(1, limit)
    pages = await asyncio.gather(*(archive.find(org, search, most, after) for org in names))
    # all ids are made by one rule, so the parts after the org sort by time across orgs, as those of one do
    seen_to = max((page.after for page in pages), default="")
    found = [action for page in pages for action in page.actions if _part(action) >= seen_to]
    found.sort(key=_part, reverse=True)
    if len(found) > most:
        return m.Page(tuple(found[:most]), _part(found[most - 1]))
    return m.Page(tuple(found), seen_to)


def _part(action: m.Action) -> str:
    return action.id.rpartition(".")[2]
