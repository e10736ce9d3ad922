"""All that is around a peer works, as seen with the least queue there is, in our own environment."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.bench.peers.known import Peer
from tests.bench.peers.sides import Side, Theirs, ours_on, theirs_on
from tests.bench.peers_duplicates import sent_for
from tests.bench.peers_killed import clicked_at, killed
from tests.bench.pressed import pressed
from tests.story.stage import START_SECONDS, Stage, staged

LEAST = Peer("list", ("list==1",), "tests.bench.peers.inside.on_list", "nothing", "nothing", "a mark of three seconds")
PYTHON = Path(sys.executable)


@pytest.fixture(name="stage", scope="module")
async def a_stage() -> AsyncIterator[Stage]:
    """A stage for all of these."""
    async with staged() as stage:
        yield stage


def gone(process: int) -> bool:
    """Whether a process is there no more."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_peer_works_and_is_counted(stage: Stage) -> None:
    """The least queue removes for each of five deliveries at once and a late one; ours, for the same, once."""
    async with theirs_on(stage, LEAST, PYTHON, workers=1) as theirs, ours_on(stage, workers=1) as ours:
        await refuses(theirs)
        sides: list[Side] = [theirs, ours]
        assert await asyncio.gather(*(sent_for(side, 5, 1.5) for side in sides)) == [6, 1]
        await is_held_by_the_worker(ours)
        watched = {"door": theirs.serving.process.pid}
        took = await pressed(stage, theirs.stage.door, watched, at_once=5, seconds=0.2, warm_seconds=0.1)
        assert took.accepted > 0
        await ends_with_its_starter(theirs)


async def refuses(side: Side) -> None:
    """The door of a peer takes what is signed and can be read, and nothing else."""
    body = json.dumps(side.stage.webhook("no conversation")).encode()
    answers = [
        await side.stage.post(body, secret=b"another secret of thirty-two by"),
        await side.stage.post(json.dumps({"data": 1}).encode()),
        await side.stage.post(b"no JSON"),
    ]
    assert [answer.status_code for answer in answers] == [401, 400, 400]


async def is_held_by_the_worker(side: Side) -> None:
    """Of ours it is the account that says which process has the action."""
    stage = side.stage
    conversation = await stage.conversation()
    receipt = (await stage.post(stage.webhook(conversation))).json()
    await stage.settled(receipt)
    assert await side.holder(conversation, receipt) == next(iter(side.workers))


async def ends_with_its_starter(side: Side) -> None:
    """A process of a peer ends by itself once nobody holds the other end of its standard input."""
    worker = next(iter(side.workers.values()))
    assert worker.process.stdin
    worker.process.stdin.close()
    async with asyncio.timeout(START_SECONDS):
        assert await worker.process.wait() == 1


async def test_a_killed_worker(stage: Stage) -> None:
    """A worker is killed in the middle of its job, and what is clocked is when another one looks again."""
    async with theirs_on(stage, LEAST, PYTHON, workers=2, is_quick=True) as side, clicked_at(side):
        before = set(side.workers)
        waited = await killed(side, 60)
        assert 2 < waited < 60
        ran = [run["process"] for run in side.runs() if run["process"] in before]
        (victim,) = before - set(side.workers)
        assert gone(victim)
        assert victim in ran
        assert len(side.workers) == 2


async def test_a_job_that_is_lost(stage: Stage) -> None:
    """Where nobody looks again, the wait is as long as the patience."""
    async with theirs_on(stage, LEAST, PYTHON, workers=2) as side:
        assert await killed(side, 1) == 1


async def test_none_is_left_behind(stage: Stage) -> None:
    """When a round fails, every process that was started for the peer is gone, and so is its folder."""
    seen: list[Theirs] = []

    async def failing() -> None:
        async with theirs_on(stage, LEAST, PYTHON, workers=2) as side:
            seen.append(side)
            raise RuntimeError("a round failed")

    with pytest.raises(RuntimeError, match="a round failed"):
        await failing()
    (side,) = seen
    assert all(gone(process) for process in (side.serving.process.pid, *side.workers))
    assert not side.folder.exists()


async def test_one_that_does_not_start(stage: Stage) -> None:
    """A worker that does not start is said with what it logged."""
    broken = Peer("none", ("none==1",), "tests.bench.peers.inside.on_nothing", "", "", "")
    with pytest.raises(AssertionError, match="ended before it opened"):
        async with theirs_on(stage, broken, PYTHON):
            pass


async def test_a_click_that_fails_is_told(stage: Stage) -> None:
    """When the clicks beside a kill are not taken any more, the round fails at once."""

    async def clicking() -> None:
        async with theirs_on(stage, LEAST, PYTHON) as side, clicked_at(side):
            await side.serving.end()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as told:
        await clicking()
    assert told.group_contains(httpx.TransportError)
