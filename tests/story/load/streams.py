"""How webhooks come: as fast as answers do, which is the most that can be done, or at a rate, whatever is answered."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.story.load.lines import Answer, Lines, Mill

TICK_SECONDS = 0.005  # between two handfuls of an open stream
PATIENCE = 15.0  # for what is still under way at the end; senders give up after ten to thirty seconds


async def as_answered(mill: Mill, lines: Lines, at_once: int, seconds: float) -> list[Answer]:
    """Let `at_once` senders each send the next webhook when the last one was answered."""
    heard: list[Answer] = []
    until = time.monotonic() + seconds

    async def sender() -> None:
        line = await lines.open()
        while time.monotonic() < until and line.is_usable:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            line.ask(mill.webhook(), time.monotonic(), answered.set_result)
            heard.append(await answered)
            lines.spare.clear()  # each sender has its own

    await asyncio.gather(*(sender() for _ in range(at_once)))
    return heard


async def at_rate(mill: Mill, lines: Lines, rate: float, seconds: float) -> tuple[list[Answer], int]:
    """Send `rate` webhooks a second, whatever is answered; return the answers, and how many found no free connection.

    The time of each counts from the moment at which it was due.
    """
    heard: list[Answer] = []
    began, sent, unsent = time.monotonic(), 0, 0
    opening: set[asyncio.Task[None]] = set()

    async def on_new(due_at: float) -> None:
        try:
            line = await lines.open()
        except OSError:
            heard.append(Answer(0, 0, due_at, time.monotonic() - due_at))
        else:
            line.ask(mill.webhook(), due_at, heard.append)

    while (now := time.monotonic()) < began + seconds:
        while began + sent / rate <= now:
            due_at = began + sent / rate
            sent += 1
            if line := lines.take():
                line.ask(mill.webhook(), due_at, heard.append)
            elif len(lines.opened) + len(opening) < lines.most:
                task = asyncio.create_task(on_new(due_at))
                opening.add(task)
                task.add_done_callback(opening.discard)
            else:
                unsent += 1
        await asyncio.sleep(TICK_SECONDS)  # real processes: the next handful is due then
    while len(heard) < sent - unsent and time.monotonic() < began + seconds + PATIENCE:  # noqa: ASYNC110 - no bell rings
        await asyncio.sleep(TICK_SECONDS)  # real processes: what is under way is still answered
    return heard, unsent


def told(heard: Sequence[Answer], began: float, seconds: float, unsent: int = 0) -> dict[str, Any]:
    """Return what was heard in figures: counts by status, times in milliseconds, yeses by the second."""
    yes = [one for one in heard if 200 <= one.status < 300]
    no = [one for one in heard if one.status in {429, 503}]
    by_second = Counter(int(one.asked_at + one.seconds - began) for one in yes)
    within = sum(number for second, number in by_second.items() if second < seconds)
    return {
        "statuses": dict(sorted(Counter(f"{it.status} {it.code}".strip() for it in heard).items())),
        "offered_a_second": round((len(heard) + unsent) / seconds, 1),
        "found_no_connection": unsent,
        "drained_after_seconds": round(max((it.asked_at + it.seconds for it in heard), default=0) - began - seconds, 2),
        "accepted_a_second": round(within / seconds, 1),
        "accepted_by_second": [by_second[second] for second in range(math.ceil(seconds))],
        "refused_without_retry_after": sum(not one.retry_after for one in no),
        "accepted_ms": _times(yes),
        "refused_ms": _times(no),
    }


def _times(answers: Sequence[Answer]) -> dict[str, float]:
    """Return the middle one, the one that one in a hundred is slower than, and the slowest."""
    times = sorted(one.seconds * 1000 for one in answers)
    if not times:
        return {}
    return {
        "p50": round(times[len(times) // 2], 3),
        "p99": round(times[min(len(times) - 1, len(times) * 99 // 100)], 1),
        "max": round(times[-1], 1),
    }
