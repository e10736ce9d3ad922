"""What an operator may look at, as Redis has it: actions are found by the index that the scripts keep."""

from __future__ import annotations

import re
from typing import cast

from service.core import model as m
from service.core.lifecycle import ACTION_STEPS
from service.store import records, terms
from service.store.keys import name_in
from service.store.ledger import RedisLedger
from service.store.script import script

# a look at so many is some milliseconds of Redis, in which nobody else is served; so is one through so many characters
# of the index, of which an action has about ninety
LOOKED_MOST = 1_000
SPELLED_MOST = 1_000_000
PAGE_MOST = 200  # actions of a page: a few hundred kilobytes
# the part of an action's id behind its org
_PLACE = re.compile(r"[a-z0-9]{26}", re.ASCII)
_BEYOND = "{"  # sorts behind every such part
_SPAN_ENDS = "0" * 20  # how a place ends at which a span of time was looked through, and nothing of the next one
_KINDS = frozenset({m.OPEN, *m.OutcomeKind})


class RedisArchive(RedisLedger):
    """Meets the port `Archive`; nothing of it writes, or is needed to keep a promise."""

    async def find(self, org: str, search: m.Search, limit: int, after: str = "") -> m.Page:
        """Return up to `limit` actions of `org` that fit, the newest first, from where the last page ended.

        What aged out is not found, nor what a newer version wrote, nor what is older than the index. An action that is
        open has its numbers whole: whoever shows it must mask them, as `web/accounts.py` does.

        Args:
            org: whose actions.
            search: what is asked; an action's whole id as its text means that action. `since_at` and `until_at` are
                compared with the moment in the id, which is a little before that of the receipt.
            limit: 200 at most.
            after: from the last page, or "" for the newest: the part of an id behind its org, which sorts by time.

        Raises:
            ValueError: the source, the outcome or `after` is not what it can be; in words.
            StoreDown: Redis is away.
        """
        range_ = _range(org, search, after)
        if range_ is None:
            return m.Page(())
        term, last, lowest = range_
        found = list[m.Action]()
        while not found:
            reply = await self._runner.run(
                script("find"),
                [self._keys.terms(org)],
                [
                    *self._head(org),
                    *(org, term, last, lowest, search.source, search.outcome, ACTION_STEPS["claim"].source),
                    *(str(max(1, min(limit, PAGE_MOST))), str(LOOKED_MOST), str(SPELLED_MOST)),
                ],
            )
            last, *rows = cast("tuple[str, *tuple[tuple[str, list[str]], ...]]", reply)
            for action_id, flat in rows:
                action = records.readable(records.action_in, action_id, flat)
                if action is not None and _is_meant(action, records.fields_in(flat), search.text):
                    found.append(action)
            if not last.endswith(_SPAN_ENDS):  # the end, or as many records as may be looked at
                break
        return m.Page(tuple(found), last)


def _range(org: str, search: m.Search, after: str) -> tuple[str, str, str] | None:
    """Return what is looked for: a term or "", below which and from which id; None for nothing at all."""
    if after and _PLACE.fullmatch(after) is None:
        raise ValueError("the place to go on from is none that a page ended at: begin again without it")
    if search.outcome and search.outcome not in _KINDS:
        raise ValueError(f"{search.outcome[:80]!r} is no outcome; there are: {', '.join(sorted(_KINDS))}")
    if search.source:
        name_in(search.source)
    below = min(after or _BEYOND, terms.moment(search.until_at) if search.until_at > 0 else _BEYOND)
    lowest = terms.moment(search.since_at) if search.since_at > 0 else ""
    text = search.text.strip().casefold()
    if (whose := m.org_of(text)) is not None:
        place = text.rpartition(".")[2]
        return ("", min(below, place + _BEYOND), max(lowest, place)) if whose == org else None
    return (terms.whole(text)[: terms.TERM_HEX] if text else ""), below, lowest


def _is_meant(action: m.Action, fields: records.Fields, text: str) -> bool:
    """Whether an action that the index led to is the one: two words may share a digest."""
    wanted = text.strip().casefold()
    return not wanted or wanted == action.id or terms.names(action, fields.get("also", ""), wanted)
