"""Presses a door from another process, and says what one webhook cost the processes behind it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis as blocking

from tests.story.stage import Stage

TICKS = os.sysconf("SC_CLK_TCK")
# as a desk sends it; conversation, caller and requester are added by the sender
TICKET = {"table": "incident", "sys_id": "9d385017c611228701d22104cc95c371", "number": "INC0010112"}
QUIET = {"ONHOOK_LIMITS__BACKLOG": "1000000"}  # nobody works here, so everything that is accepted stays


def cpu_seconds(process: int) -> float:
    """Return what a process has had of the processors so far, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def process_of(url: str) -> int:
    """Return the number of the process that is the Redis at `url`."""
    with blocking.Redis.from_url(url, protocol=2) as client:
        return int(client.info("server")["process_id"])


@dataclass(frozen=True)
class Pressed:
    """What came of one press.

    Attributes:
        accepted: webhooks that heard yes.
        a_second: of those, within the time.
        p50_ms: how long the middle one of them took.
        cpu: microseconds of each of the watched processes for one of them, by name.
    """

    accepted: int
    a_second: float
    p50_ms: float
    cpu: Mapping[str, float]


async def pressed(
    stage: Stage, door: str, watched: Mapping[str, int], *, at_once: int, seconds: float, warm_seconds: float
) -> Pressed:
    """Send as fast as `door` answers, over `at_once` connections; who is not answered by a yes is a fault."""
    host, _, port = door.removeprefix("http://").partition(":")
    description = {
        "address": [host, int(port)],
        "desks": [[stage.source, stage.secret.hex()]],
        "more": TICKET,
        "parts": [{"seconds": part, "streams": {"all": {"at_once": at_once}}} for part in (warm_seconds, seconds)],
    }
    sender = await stage.start("load", json.dumps(description), module="tests.story.load")
    assert sender.process.stdout
    await sender.process.stdout.readline()
    before = {name: cpu_seconds(process) for name, process in watched.items()}
    said = json.loads(await sender.process.stdout.readline())["all"]
    after = {name: cpu_seconds(process) for name, process in watched.items()}
    await sender.process.wait()
    return _pressed(said, [(name, after[name] - before[name]) for name in watched])


def _pressed(said: Mapping[str, Any], spent: Sequence[tuple[str, float]]) -> Pressed:
    if list(said["statuses"]) != ["202"]:
        raise RuntimeError(f"not all heard yes: {said['statuses']}")
    accepted = said["statuses"]["202"]
    cpu = {name: seconds / accepted * 1e6 for name, seconds in spent}
    return Pressed(accepted, said["accepted_a_second"], said["accepted_ms"]["p50"], cpu)
