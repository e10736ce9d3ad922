"""Five times as many webhooks as can be taken: most of what could be taken is, the rest hear when to come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from service.web.front import MAX_BODY
from service.web.protocol import Limits
from tests.findings import write_evidence
from tests.story.load.scene import Scene, opened
from tests.story.stage import staged

COMMAND = "uv run pytest -n 0 -m slow tests/story/test_overload.py"
TIMES = 5.0
AT_ONCE = 256  # senders that are answered as fast as can be: half of what the door answers at once
BACK_SECONDS = 5.0
# what the door grants its callers: a body for each that it answers, a head for each that is connected
GRANTED_MB = (Limits().in_flight * MAX_BODY + Limits().connections * Limits().head_bytes) / 2**20


@dataclass(frozen=True)
class Flood:
    """How long the peak is measured and the flood lasts, what must be left of the peak, how soon who waits is answered.

    Attributes:
        full_seconds: how long the second flood lasts, the one over a full backlog.
        backlog: what that holds.
    """

    peak_seconds: float
    seconds: float
    full_seconds: float
    share: float
    drained_seconds: float
    backlog: int


# other tests run beside the small one and take what they want of both cores: it shows that something is left
SMALL = Flood(1, 10, 2, 0.05, 20.0, 200)
LARGE = Flood(8, 60, 20, 0.6, BACK_SECONDS, 10_000)


def parts_of(flood: Flood, seconds: float) -> list[Mapping[str, Any]]:
    """Return the peak, a flood of some seconds, and the peak again."""
    peak = {"seconds": flood.peak_seconds, "streams": {"peak": {"at_once": AT_ONCE}}}
    storm = {"seconds": seconds, "streams": {"flood": {"times": TIMES}}}
    return [peak, storm, {"seconds": flood.peak_seconds, "streams": {"after": {"at_once": AT_ONCE}}}]


def honesty(said: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return who was answered in another way than by 202, 429 or 503 with Retry-After."""
    heard = sum((Counter(one["statuses"]) for one in said), Counter[str]())
    unsaid = sum(one["refused_without_retry_after"] for one in said)
    odd = [f"{number} heard {status}" for status, number in heard.items() if status[:3] not in {"202", "429", "503"}]
    return odd + ([f"{unsaid} were not told when to come back"] if unsaid else [])


def memory(scene: Scene) -> list[str]:
    """Return what is wrong with the memory: more than the door grants its callers, or growing under the same flood."""
    most = max(max(seen) for seen in scene.memory)
    flood = scene.memory[1]
    first, second = max(flood[: len(flood) // 2 + 1]), max(flood[len(flood) // 2 :])
    return [
        *([f"{most} MB, {scene.rest} at rest"] if most > scene.rest + GRANTED_MB else []),
        *([f"{first} MB, then {second} MB under the same flood"] if second > first + 10 else []),
    ]


async def at_the_door(flood: Flood, figures: dict[str, object]) -> list[str]:
    """Flood the door itself: nothing bounds it but how much it answers at once."""
    async with staged() as stage:
        scene = await opened(stage, is_pinned=True, ONHOOK_LIMITS__BACKLOG="1000000")
        peak, storm, after = (list(part.values())[-1] for part in await scene.play(parts_of(flood, flood.seconds)))
    figures["in flight"] = {"peak": peak, "flood": storm, "after": after, "rest_mb": scene.rest, "mb": scene.memory}
    before, during, later = (one["accepted_a_second"] for one in (peak, storm, after))
    return [
        *honesty([peak, storm, after]),
        *memory(scene),
        *([] if during >= flood.share * before else [f"{during} a second are left of {before}"]),
        *([] if storm["drained_after_seconds"] <= flood.drained_seconds else ["it went on after the flood"]),
        *([] if later >= flood.share * before else [f"{later} a second after the flood, {before} before"]),
        *([] if storm["statuses"].get("503 overloaded") else ["nobody was refused: it was no flood"]),
    ]


async def with_a_full_backlog(flood: Flood, figures: dict[str, object]) -> list[str]:
    """Flood a door behind which nobody works: it takes in its backlog, and to the one."""
    async with staged() as stage:
        scene = await opened(stage, is_pinned=True, ONHOOK_LIMITS__BACKLOG=str(flood.backlog))
        peak, storm, after = (list(part.values())[-1] for part in await scene.play(parts_of(flood, flood.full_seconds)))
    figures["backlog"] = {"peak": peak, "flood": storm, "after": after, "rest_mb": scene.rest, "mb": scene.memory}
    taken = sum(one["statuses"].get("202", 0) for one in (peak, storm, after))
    return [
        *honesty([peak, storm, after]),
        *memory(scene),
        *([] if taken == flood.backlog else [f"{taken} taken in for a backlog of {flood.backlog}"]),
        *([] if storm["drained_after_seconds"] <= flood.drained_seconds else ["it went on after the flood"]),
    ]


@pytest.mark.parametrize(
    "flood", [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.slow)]
)
async def test_five_times_its_load(flood: Flood) -> None:
    """A door keeps most of what it does at most, refuses the rest honestly, grows no further, and is back at once."""
    figures: dict[str, object] = {}
    findings = await at_the_door(flood, figures) + await with_a_full_backlog(flood, figures)
    if flood is LARGE:
        write_evidence("overload", command=COMMAND, counters={}, findings=findings, **figures)
    assert not findings, figures
