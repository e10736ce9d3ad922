"""What Redis has on disk, copied while it runs, is a backup: put back, open actions end and repeats are known."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.fixtures.servers import Node, free_port, program_of
from tests.story.stage import Stage, staged


class Server(Node):
    """A server for a stage."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://{self.address}"


async def _click(stage: Stage, name: str) -> tuple[dict[str, object], str]:
    """Click; return the body, so that the sender can repeat it, and the action."""
    body = stage.webhook(await stage.conversation(), ticket=await stage.ticket())
    answer = await stage.post(body, webhook_id=name)
    assert answer.status_code == 202, answer.text
    return body, str(answer.json()["action"])


async def test_backup_wipe_restore() -> None:
    """All is lost and the copy is put back: what was open ends once, and who repeats hears of the same action."""
    made: list[Server] = []

    def make(folder: Path) -> Server:
        made.append(Server(folder / "data", free_port(), program_of("redis-7")))
        return made[0]

    async with staged(make) as stage:
        (server,) = made
        await stage.serve()
        working = await stage.work()
        ended_body, ended = await _click(stage, "msg_ended")
        receipt = (await stage.post(ended_body, webhook_id="msg_ended")).json()
        assert (await stage.settled(receipt))["outcome"]["kind"] == "disconnected"
        await working.end()
        open_body, still_open = await _click(stage, "msg_open")

        copy = stage.folder / "copy"
        await asyncio.to_thread(shutil.copytree, server.folder / "appendonlydir", copy)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(shutil.rmtree, server.folder)
        server.folder.mkdir()
        await asyncio.to_thread(shutil.copytree, copy, server.folder / "appendonlydir")
        await asyncio.to_thread(server.start)

        for body, name, action in ((ended_body, "msg_ended", ended), (open_body, "msg_open", still_open)):
            again = await stage.post(body, webhook_id=name)
            assert (again.status_code, again.json()["action"], again.json()["status"]) == (202, action, "duplicate")
        await stage.work()
        account = await stage.settled((await stage.post(open_body, webhook_id="msg_open")).json())
        assert account["outcome"]["kind"] == "disconnected"
        for body in (ended_body, open_body):
            conversation = str(body["data"]["conversation_id"])  # type: ignore[index]  # a webhook has its data
            assert len(await stage.calls("PATCH", conversation)) == 1
