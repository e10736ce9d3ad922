"""What is written down beside the promises, read back: who did what, how each minute went, what is dead, who works.

It is written by the scripts that do what it tells of, in the same step; nothing is decided by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import orjson

from service.core import model as m
from service.core.lifecycle import REPORT_STEPS
from service.store import records
from service.store.keys import Keys, Lives
from service.store.script import Runner, script

AUDIT_MOST = 1_000  # lines a reading: about a hundred kilobytes, and half a millisecond of Redis
DEAD_MOST = 1_000  # looked at in one reading, aged-out ones included: some milliseconds of Redis
AWAY_MS = "120000"  # a worker says that it is there every five seconds; who was not for so long is not
HOUR, MINUTE = 3_600_000, 60_000
_DAY_HOURS = 24
# what has no schema of its own may go on, at its end, with what a newer version knows: so much of each is known here
_OF_A_LINE, _OF_A_WORKER, _OF_A_PERSON = 7, 5, 2
_CURSOR = re.compile(r"([0-9]{1,6})-([0-9]{1,9})", re.ASCII)


class RedisLedger:
    """Meets the port `Archive`, but for its search. Every method raises StoreDown.

    Args:
        runner: brings scripts to Redis; `client.Link` in production.
        keys: the names of all keys.
        lives: how long what has ended stays.
        now_ms: the clock of a simulation; None in production, where Redis' own clock counts.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        keys: Keys | None = None,
        lives: Lives | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._runner = runner
        self._keys, self._lives = keys or Keys(), lives or Lives()
        self._now_ms = now_ms

    async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
        """Return up to `limit` lines of the audit, the oldest first, and where to go on; "" from its beginning.

        It is said where to go on also when there is nothing more yet. No more than AUDIT_MOST lines are read at once,
        and one that a newer version wrote is left out, so there may be fewer than asked for and still be more: there is
        nothing more yet when it goes on where it began.

        Raises:
            ValueError: `after` is nothing that was said here.
        """
        place = _CURSOR.fullmatch(after)
        if after and place is None:
            raise ValueError(f"{after[:40]!r} is no place in the audit; leave it out to begin at its beginning")
        day, index = place.groups() if place else ("", "0")
        most = str(max(1, min(limit, AUDIT_MOST)))
        args = [*self._head(org), day, index, most, str(self._lives.audit)]
        reply = await self._runner.run(script("audit"), [self._keys.paused(org)], args)
        day, index, *lines = cast("list[str]", reply)
        return tuple(line for line in map(_line_in, lines) if line is not None), f"{day}-{index}"

    async def minutes(self, org: str, since_at: int) -> Sequence[m.Minute]:
        """Return the minutes of `org` since then in which something happened, the oldest first; a day at most."""
        first = max(since_at, 0) // HOUR
        now_at, fields = await self._hour(org, first)
        newest = now_at // HOUR
        told = {first: fields}
        hours = range(max(first + 1, newest - _DAY_HOURS), newest + 1)
        # most orgs of many are quiet: one question then, and not one for each hour
        if hours and await self._runner.ask("EXISTS", *(self._keys.minutes(org, hour) for hour in hours)):
            for hour in hours:  # one by one: no reading holds Redis up
                _, told[hour] = await self._hour(org, hour)
        oldest_at = max(since_at, now_at - _DAY_HOURS * HOUR) // MINUTE * MINUTE
        found = [minute for hour, said in told.items() for minute in _minutes_in(hour, said)]
        return tuple(minute for minute in found if minute.at >= oldest_at)

    async def dead(self, org: str, limit: int) -> Sequence[m.DeadLetter]:
        """Return up to `limit` dead letters of `org`, the newest first; no more than DEAD_MOST are looked at.

        Numbers are as the record has them after the end: cut. Those whose life is over are forgotten on the way.
        """
        args = [*self._head(org), str(min(limit, DEAD_MOST)), REPORT_STEPS["bury"].to, str(DEAD_MOST)]
        reply = await self._runner.run(script("dead"), [self._keys.dead(org)], args)
        letters = []
        for report_id, died_at, flat_report, flat_action in cast("list[tuple[str, str, list[str], list[str]]]", reply):
            report = records.readable(records.report_in, report_id, flat_report)
            action = records.readable(records.action_in, report_id.rpartition(".")[0], flat_action)
            if report is not None and action is not None:
                letters.append(m.DeadLetter(report, action, int(died_at)))
        return tuple(letters)

    async def workers(self, org: str) -> Sequence[m.Attendance]:
        """Return the workers of `org` that were there within the last two minutes, by name."""
        args = [*self._head(org), AWAY_MS]
        flat = cast("list[str]", await self._runner.run(script("workers"), [self._keys.workers(org)], args))
        return tuple(_attendance(name, said) for name, said in sorted(records.fields_in(flat).items()))

    async def pauses(self, org: str) -> Mapping[str, m.Pause]:
        """Return what is paused in `org`, since when, and by whom: "" for the whole org, else names of sources."""
        found = cast("dict[str, str]", await self._runner.ask("HGETALL", self._keys.paused(org)))
        return {source: _pause_in(said) for source, said in sorted(found.items())}

    async def _hour(self, org: str, hour: int) -> tuple[int, Mapping[str, str]]:
        reply = await self._runner.run(script("minutes"), [self._keys.minutes(org, hour)], self._head(org))
        now_at, flat = cast("tuple[str, list[str]]", reply)
        return int(now_at), records.fields_in(flat)

    def _head(self, org: str) -> list[str]:
        return [str(self._now_ms()) if self._now_ms else "", self._keys.base(org)]


def audit_from(at: int) -> str:
    """Return a place in any org's audit that is no later than its first line of the moment `at`: that day's beginning.

    A line never stands in the list of a day before its own (see the prologue of the scripts), so none is missed.
    """
    return f"{at // (_DAY_HOURS * HOUR)}-0" if at > 0 else ""


def _line_in(text: str) -> m.AuditLine | None:
    """Read a line of the audit, or None: a newer version knows deeds that we do not."""
    at, deed, *rest = orjson.loads(text)
    return m.AuditLine(at, m.Deed(deed), *rest[:_OF_A_LINE]) if deed in set(m.Deed) else None


def _attendance(name: str, said: str) -> m.Attendance:
    return m.Attendance(name, *orjson.loads(said)[:_OF_A_WORKER])


def _pause_in(text: str) -> m.Pause:
    at, _, by = text.partition(" ")
    if by and not by.startswith("["):
        return m.Pause(int(at))  # no person: a requester ran away, or what a newer version pauses for
    return m.Pause(int(at), m.Operator(*orjson.loads(by)[:_OF_A_PERSON]) if by else m.SOMEBODY)  # none: an older one


def _minutes_in(hour: int, fields: Mapping[str, str]) -> Iterable[m.Minute]:
    """Return the minutes of one hour, in order; a field is `<minute>:<what>:<of which>`, more to come."""
    counts: dict[int, dict[str, dict[str, int]]] = {}
    for name, number in fields.items():
        when, what, which, *_ = [*name.split(":"), "", ""]
        counts.setdefault(int(when), {}).setdefault(what, {})[which] = int(number)
    for minute, said in sorted(counts.items()):
        gone = said.get("gone", {})
        yield m.Minute(
            at=hour * HOUR + minute * MINUTE,
            accepted=said.get("accepted", {}),
            refused=said.get("refused", {}),
            outcomes=said.get("outcome", {}),
            gone=tuple(gone.get(str(bound), 0) for bound in range(len(m.GONE_SECONDS) + 1)),
        )
