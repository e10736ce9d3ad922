"""What stands in a Redis without a right to: of no kind, of another type, or with no end though it is over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import redis

from service.core.lifecycle import ACTION_STEPS, REPORT_STEPS
from service.store.keys import KINDS, action_of

PENDING, DUE = ACTION_STEPS["join"].source, REPORT_STEPS["settle"].to
WAITING = REPORT_STEPS["settle"].source
VERSION = "1"


def astray(client: redis.Redis) -> list[str]:
    """Return what is wrong, a sentence each; each key and each member of each due set is looked at."""
    found: list[str] = []
    for key in sorted(str(key) for key in client.scan_iter("*", count=1_000)):
        base, _, rest = key.rpartition("}:")
        if rest == "probe":
            found += [] if client.pttl(key) >= -2 and client.pttl(key) != -1 else [f"{key} has no end"]
        else:
            found += _Look(client, f"{base}}}:").at(rest)
    return found


class _Look:
    """A look at the keys of one org."""

    def __init__(self, client: redis.Redis, base: str) -> None:
        self._client = client
        self._base = base

    def at(self, rest: str) -> Iterator[str]:
        key = self._base + rest
        kinds = [kind for kind in KINDS if re.fullmatch(kind.pattern, rest)]
        if len(kinds) != 1:
            yield f"{key} is of {len(kinds)} kinds"
            return
        kind, is_of = kinds[0].type, cast("str", self._client.type(key))
        if is_of not in {kind, "none"}:  # none: it has just ended
            yield f"{key} is a {is_of}, not a {kind}"
            return
        if self._client.pttl(key) == -1 and not self._may_stay(rest):
            yield f"{key} has no end, and belongs to nothing that is open"
        yield from self._lost(rest)

    def _may_stay(self, rest: str) -> bool:
        """Whether what has no end belongs to an open action, to a due report, or is a pause."""
        word, _, name = rest.partition(":")
        match word:
            case "action" | "timeline" | "deliveries":
                return self._is_open(name)
            case "report":
                return self._is_open(action_of(name)) and self._field(f"report:{name}", "state") == WAITING
            case "delivery":
                action = self._field(rest, "action")
                return self._is_open(action) and bool(self._client.sismember(f"{self._base}deliveries:{action}", name))
            case "intent":
                pointed = self._client.get(self._base + rest)
                return self._is_open(pointed if isinstance(pointed, str) else "")
            case "conversation":
                return self._is_open(self._field(rest, "owner"))
            case "terms":  # the list of all spans, or what stands in one
                return any(one.rpartition(".")[2].startswith(name) for one in self._members("due:removals"))
            case "due" | "desks" | "paused":
                return True  # each of their members is looked at; of desks there are as many as are configured
            case _:
                return False

    def _lost(self, rest: str) -> Iterator[str]:
        """Find members of due sets that nothing is left to do for, and what is open and in none."""
        word, _, name = rest.partition(":")
        if rest == "due:removals":
            yield from (f"{one} is in {rest} and not open" for one in self._members(rest) if not self._is_open(one))
        elif word == "due":
            for one in self._members(rest):
                if self._field(f"report:{one}", "state") not in {DUE, ""}:  # "": of a newer version, or aged out
                    yield f"{one} is in {rest} and not due"
        elif word == "action" and self._is_open(name) and name not in self._members("due:removals"):
            yield f"{name} is open, and nobody will come to it"
        elif word == "report" and self._is_forgotten(rest, name):
            yield f"{name} is due, and nobody will come to it"

    def _is_forgotten(self, rest: str, report: str) -> bool:
        is_due = self._field(rest, "state") == DUE
        return is_due and report not in self._members(f"due:reports:{self._field(rest, 'source')}")

    def _members(self, rest: str) -> list[str]:
        return cast("list[str]", self._client.zrange(self._base + rest, 0, -1))

    def _is_open(self, action: str) -> bool:
        return self._field(f"action:{action}", "state") == PENDING

    def _field(self, rest: str, name: str) -> str:
        key = self._base + rest
        return str(self._client.hget(key, name) or "") if self._client.type(key) == "hash" else ""
