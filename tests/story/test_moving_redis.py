"""Redis is moved to another server as deploy/move-redis.md says, by its own commands: nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.pasted import ROOT, Page, Shell
from tests.deploy.test_redis import PASSWORDS, Guarded
from tests.fixtures.servers import program_of
from tests.story.clicks import Clicks
from tests.story.stage import Stage, eventually, staged

MINE = {**PASSWORDS, "replica": "play-replica"}
TYPED = f"{MINE['operator']}\n{MINE['replica']}\n"
MOVING = ROOT / "deploy" / "move-redis.md"
USED = "old() {"  # in the block that says what the commands use


@dataclass
class Move:
    """Two servers, the one in use and another; and the page, in a shell of whoever moves it."""

    stage: Stage
    old: Guarded
    new: Guarded
    page: Page
    shell: Shell

    async def check(self) -> str:
        """Paste the check alone; return what it said."""
        ended = await self.shell.run(self.page.block("onhook check"))
        assert ended.code == 0, ended
        return ended.out

    async def paste(self, words: str) -> str:
        """Paste the block with these words, after the one that says what it uses; return what it said."""
        ended = await self.shell.run(f"set -eu\n{self.page.block(USED)}\n{self.page.block(words)}", TYPED)
        assert ended.code == 0, ended
        return ended.out


@pytest.fixture
async def move() -> AsyncIterator[Move]:
    """Give a stage whose Redis has the shipped settings and users, and another such server, which is empty."""
    made: list[Guarded] = []

    def make(folder: Path) -> Guarded:
        for name in ("old", "new"):
            (folder / name).mkdir()
            made.append(Guarded(folder / name, Path(program_of("redis-7")), MINE))
        return made[0]

    async with staged(make) as stage:
        old, new = made
        await asyncio.to_thread(new.start)
        try:
            address = stage.folder / "redis_url"
            address.write_text(stage.environment.pop("ONHOOK_REDIS__URL"))
            stage.environment["ONHOOK_REDIS__URL_FILE"] = str(address)
            filled = {
                "OLD": "127.0.0.1",
                "OLD_PORT": str(old.port),
                "NEW": "127.0.0.1",
                "NEW_PORT": str(new.port),
                "URL_FILE": str(address),
            }
            yield Move(stage, old, new, Page(MOVING, filled), Shell(stage.folder, stage.environment))
        finally:
            await asyncio.to_thread(new.stop)


async def _door(stage: Stage) -> tuple[str, str]:
    """Start doors; return the public and the private one."""
    serving = await stage.serve()
    return stage.door, await serving.url("private")


async def test_by_following(move: Move) -> None:
    """Under clicks: some processes wait beside the old ones, some start after; each click is taken, and done once."""
    stage = move.stage
    serving, working = await stage.serve(), await stage.work()
    clicks = Clicks(stage, [stage.door])
    await clicks.start()
    await clicks.some()
    await move.paste("REPLICAOF")
    await move.paste("sed -i")
    (waiting, private), _ = await asyncio.gather(_door(stage), stage.work())

    async def reason() -> str:
        return (await stage.client.get(f"{private}/readyz")).text

    assert "replica" in await reason()
    clicks.doors.append(waiting)
    await clicks.some()
    assert "master" in await move.paste("FAILOVER TO")
    assert (await stage.post(stage.webhook(await stage.conversation()), door=clicks.doors[0])).status_code == 503

    async def is_ready() -> bool | None:
        return (await stage.client.get(f"{private}/readyz")).status_code == 200 or None

    await eventually(is_ready)
    await clicks.some()
    clicks.doors.reverse()
    assert list(await asyncio.gather(serving.end(), working.end())) == [0, 0]
    stage.door = waiting
    assert "fine" in await move.paste("fine of Redis; where")
    await move.paste("SHUTDOWN NOSAVE\nnew CONFIG")
    await clicks.some()
    await clicks.stop()
    assert set(clicks.answers) <= {202, 503, ""}, clicks.answers
    await clicks.told()
    assert [block for heading in ("Before", "By following") for block in move.page.left(heading)] == []


async def test_by_copying(move: Move) -> None:
    """While all stands still the files are taken there: what was open ends, and what comes again is known."""
    stage = move.stage
    serving, working = await stage.serve(), await stage.work()
    await stage.switch(rate_limit=3_000)
    ended = stage.webhook(await stage.conversation(), ticket=await stage.ticket())
    receipt = (await stage.post(ended, webhook_id="msg_ended")).json()
    await stage.settled(receipt)
    await working.end()
    later = stage.webhook(await stage.conversation(), ticket=await stage.ticket())
    still_open = (await stage.post(later, webhook_id="msg_open")).json()
    await serving.end()
    await move.paste("synced before each yes")
    await asyncio.to_thread(move.old.stop)
    await asyncio.to_thread(move.new.stop)
    files = move.new.folder / "appendonlydir"
    await asyncio.to_thread(shutil.rmtree, files)
    await asyncio.to_thread(shutil.copytree, move.old.folder / "appendonlydir", files)
    await asyncio.to_thread(move.new.start)
    await move.shell.run(f"{move.page.block(USED)}\n{move.page.block('sed -i')}", TYPED)
    assert "fine" in await move.check()
    await asyncio.gather(stage.work(), stage.serve())
    for body, name, before in ((ended, "msg_ended", receipt), (later, "msg_open", still_open)):
        again = (await stage.post(body, webhook_id=name)).json()
        assert (again["status"], again["action"]) == ("duplicate", before["action"])
        assert (await stage.settled(again))["outcome"]["kind"] == "disconnected"
        assert len(await stage.calls("PATCH", str(body["data"]["conversation_id"]))) == 1
    assert move.page.left("By copying") == []
