"""Shadow mode over all that the sandbox and the demo can play: nobody is removed, and each preview names the right one.

Two orgs stand on one sandbox and see the same conversations: one only watches, the other is live. First everything is
clicked for the one that watches; what it said is then held against whom the live one removes.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from service import settings
from service.store.redis import RedisStore
from service.wiring.house import opened_store
from tests.story.stage import CALLER, Stage, staged

AT_ONCE = 40  # clicks in flight: most of an action's time is waiting for what is to be seen
SETTLE_SECONDS = 90.0  # looks that agree on nobody take some seconds, and machines are busy
AS_WRITTEN = "+1 (415) 555-0123"
# for shadow mode alone: in these somebody comes or goes after the first look, which names another one than a later look
# does; and in the last one nobody ever goes
UNFIT = {"leaving", "reentering", "replaced", "merging", "stubborn"}
NOBODY = "0d9e8f7a-4321-4765-8109-dcba09876543"


@dataclass
class Case:
    """One conversation and one way to name the person in it; and what the two orgs made of it.

    Attributes:
        way: `participant_id`, `caller_phone` or `purpose`.
        same: how often the delivery is sent at once.
        hangs_up: the caller is gone before the click.
    """

    scenario: str
    way: str
    written: str = CALLER
    same: int = 1
    hangs_up: bool = False
    switches: Mapping[str, Any] = field(default_factory=dict)
    cid: str = ""
    caller: str = NOBODY
    shadow: Mapping[str, Any] = field(default_factory=dict)
    pinned: str = ""
    live: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, str]:
        """How the webhook names the person."""
        value = {"participant_id": self.caller, "caller_phone": self.written, "purpose": "customer"}[self.way]
        return {self.way: value}


# the demo's scenes that end in an outcome
DEMO = (
    Case("conference", "participant_id", same=5),
    Case("conference", "participant_id", hangs_up=True),
    Case("conference", "caller_phone", written=AS_WRITTEN),
    Case("conference", "caller_phone", written="+14155550199"),
    Case(
        "conference",
        "participant_id",
        switches={"lag_seconds": 1.0, "answers": [{"on": "disconnect", "status": 409, "times": 1}]},
    ),
)


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Give a stage on which both orgs are served, the first in shadow mode."""
    async with staged(orgs=("play", "north")) as made:
        made.environment["ONHOOK_ORGS__PLAY__MODE"] = "shadow"
        await made.switch(rate_limit=3_000)  # as much as is believed: the budget has tests of its own
        await asyncio.gather(made.serve(), made.work())
        yield made


async def _cases(stage: Stage, ways: tuple[str, ...]) -> list[Case]:
    listed = (await stage.client.get(f"{stage.play}/sandbox/scenarios")).json()["scenarios"]
    playable = [one["name"] for one in listed if one["name"] != "starting"]  # nobody is ever listed in that one
    return [Case(name, way) for name in playable for way in ways] + [
        Case(one.scenario, one.way, one.written, one.same, one.hangs_up, one.switches) for one in DEMO
    ]


async def _begin(stage: Stage, case: Case) -> None:
    begun = await stage.client.post(f"{stage.play}/sandbox/conversations", json={"scenario": case.scenario})
    people = begun.json()["participants"]
    case.cid = begun.json()["conversation_id"]
    case.caller = next((one["id"] for one in people if one["purpose"] == "customer"), NOBODY)
    await stage.switch(case.cid, **case.switches)
    if case.hangs_up:
        event = {"event": "hangup", "participant_id": case.caller}
        (
            await stage.client.post(f"{stage.play}/sandbox/conversations/{case.cid}/events", json=event)
        ).raise_for_status()


async def _click(seat: Stage, case: Case) -> dict[str, Any]:
    """Click, as often as the case says, and return the account of the one action it made."""
    body, name = seat.webhook(case.cid, **case.named), f"msg_{secrets.token_hex(8)}"
    answers = await asyncio.gather(*(seat.post(body, webhook_id=name, wait=20) for _ in range(case.same)))
    assert {answer.status_code for answer in answers} <= {200, 202}, answers[0].text
    assert len({answer.json()["action"] for answer in answers}) == 1
    try:
        return await seat.settled(answers[0].json(), SETTLE_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not settled: {case} {await seat.account(answers[0].json())}") from None


async def _watch(seat: Stage, store: RedisStore, case: Case) -> None:
    case.shadow = await _click(seat, case)
    known = await store.read(case.shadow["action"])
    assert known
    case.pinned = known.action.progress.pin.participant_id if known.action.progress.pin else ""


async def _act(seat: Stage, case: Case) -> None:
    case.live = await _click(seat, case)


async def _each(cases: list[Case], step: Callable[[Case], Awaitable[None]]) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with slots:
            await step(case)

    await asyncio.gather(*map(one, cases))


async def _hold(stage: Stage, case: Case) -> str:
    """Hold what was previewed against what the live org did; return how it ended."""
    shadow, live = case.shadow["outcome"], case.live["outcome"]
    patches = await stage.calls("PATCH", case.cid)
    addressed = {call["path"].partition("/participants/")[2].partition("/")[0] for call in patches}
    if shadow["kind"] != "previewed":
        assert (live["kind"], live["reason"], addressed) == (shadow["kind"], shadow["reason"], set()), case
        return str(shadow["kind"])
    assert (shadow["reason"], live["kind"]) == ("shadow", "disconnected"), case
    assert addressed == {case.pinned}, case
    assert (shadow["purpose"], shadow["state_seen"] != "gone") == (live["purpose"], True), case
    gone = [one["id"] for one in await stage.people(case.cid) if not one["present"]]
    assert case.pinned in gone, case
    missing = Counter(shadow["remaining"]) - Counter(live["remaining"])
    assert not missing - Counter(live["vanished"]), case  # who was to stay is there, or is said to have left as well
    return "previewed"


@pytest.mark.parametrize(
    "ways",
    [
        ("participant_id",),
        pytest.param(("participant_id", "caller_phone", "purpose"), marks=pytest.mark.slow),
    ],
)
async def test_nobody_is_removed_and_each_preview_is_right(stage: Stage, ways: tuple[str, ...]) -> None:
    """In every scenario 0 PATCH leaves in shadow mode, and live mode then removes exactly whom the preview named."""
    watching, acting = stage.seats
    cases = await _cases(stage, ways)
    await _each(cases, lambda case: _begin(stage, case))
    async with opened_store(settings.read(stage.environment), may_start=False) as (store, _, _):
        await _each(cases, lambda case: _watch(watching, store, case))
    calls = [await stage.calls(conversation=case.cid) for case in cases]
    assert {call["method"] for seen in calls for call in seen} == {"GET"}
    assert all(calls)  # each was looked at
    standing = [case for case in cases if case.scenario not in UNFIT]
    await _each(standing, lambda case: _act(acting, case))
    ends = Counter([await _hold(stage, case) for case in standing])
    assert ends["previewed"] >= len(cases) // 2
    assert ends["already_gone"] >= 1
    assert ends["not_found"] >= 1


async def test_a_forged_click_is_no_preview(stage: Stage) -> None:
    """What is not signed is refused in shadow mode as well, and Genesys is not even looked at."""
    watching, _ = stage.seats
    cid = await stage.conversation()
    forged = await watching.post(watching.webhook(cid), secret=bytes(32))
    assert forged.status_code == 401
    assert await stage.calls(conversation=cid) == []
