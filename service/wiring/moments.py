"""How a person says from when to when, at the command line: `90m`, `24h`, `7d`, a day, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from service.core.errors import Misconfigured

_AGO = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


def moment_in(text: str, option: str, now: int) -> int:
    """Return the moment that `text` says, in milliseconds since the epoch; 0 for "".

    A length is so long before `now`; a day begins at its midnight, and a moment without an offset is meant, in UTC.

    Raises:
        Misconfigured: it says none; in words that name `option`.
    """
    if not text:
        return 0
    if ago := _AGO.fullmatch(text):
        return max(1, now - int(ago[1]) * _UNIT_MS[ago[2]])
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise Misconfigured(
            [f"{option}: “{text[:40]}” is no moment; write 90m, 24h, 7d, 2026-11-20 or 2026-11-20T09:00:00Z"]
        ) from None
    return max(1, round((said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp() * 1000))


def span_in(since: str, until: str, now: int) -> tuple[int, int]:
    """Return from when until when, 0 for no bound; raises Misconfigured, also where that is no time at all."""
    since_at, until_at = moment_in(since, "--since", now), moment_in(until, "--until", now)
    if until_at and since_at >= until_at:
        raise Misconfigured(["--until is not after --since: nothing can have happened between them"])
    return since_at, until_at
