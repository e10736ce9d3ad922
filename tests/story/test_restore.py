"""What Redis has on disk, copied while it runs, is a backup: put back, open actions end and repeats are known."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.deploy.pasted import ROOT, Page, Shell
from tests.deploy.test_redis import PASSWORDS, Guarded
from tests.fixtures.servers import free_port, program_of
from tests.story.stage import Stage, staged

BACKUP = ROOT / "deploy" / "backup.md"
USED = "read -rs REDISCLI_AUTH"  # in the block that says what it is about


async def _click(stage: Stage, name: str) -> tuple[dict[str, object], str]:
    """Click; return the body, so that the sender can repeat it, and the action."""
    body = stage.webhook(await stage.conversation(), ticket=await stage.ticket())
    answer = await stage.post(body, webhook_id=name)
    assert answer.status_code == 202, answer.text
    return body, str(answer.json()["action"])


async def _pasted(shell: Shell, text: str) -> str:
    """Paste what the page says; return what it said."""
    ended = await shell.run(f"set -eu\n{text}", f"{PASSWORDS['operator']}\n")
    assert ended.code == 0, ended
    return ended.out


async def test_backup_wipe_restore() -> None:
    """By the page's own commands: what was open ends once, and who repeats hears of the same action."""
    made: list[Guarded] = []

    def make(folder: Path) -> Guarded:
        (folder / "server").mkdir()
        made.append(Guarded(folder / "server", Path(program_of("redis-7"))))
        return made[0]

    async with staged(make) as stage:
        (server,) = made
        places = {"DATA": str(server.folder), "COPY": str(stage.folder / "copy")}
        asked = f'redis() {{ redis-cli -h 127.0.0.1 -p {server.port} --user operator "$@"; }}'
        page, shell = Page(BACKUP, {**places, "redis": asked}), Shell(stage.folder, stage.environment | places)
        serving, working = await stage.serve(), await stage.work()
        ended_body, ended = await _click(stage, "msg_ended")
        receipt = (await stage.post(ended_body, webhook_id="msg_ended")).json()
        assert (await stage.settled(receipt))["outcome"]["kind"] == "disconnected"
        await working.end()
        open_body, still_open = await _click(stage, "msg_open")

        await _pasted(shell, page.block(USED))
        with server.client("operator") as client:
            size = client.dbsize()
            assert client.config_get("auto-aof-rewrite-percentage") == {"auto-aof-rewrite-percentage": "100"}
        tried = await _pasted(shell, page.block("redis-server").replace("6399", str(free_port())))
        assert abs(int(tried.strip().splitlines()[-1]) - size) <= 2  # what lives for seconds may be over, or new

        await serving.end()
        await asyncio.to_thread(stage.kill_redis)
        for file in (server.folder / "appendonlydir").iterdir():
            file.unlink()
        await _pasted(shell, page.block(".lost"))
        await asyncio.to_thread(server.start)
        assert "fine" in await _pasted(shell, page.block("onhook check"))

        await asyncio.gather(stage.work(), stage.serve())
        for body, name, action in ((ended_body, "msg_ended", ended), (open_body, "msg_open", still_open)):
            again = await stage.post(body, webhook_id=name)
            assert (again.status_code, again.json()["action"], again.json()["status"]) == (202, action, "duplicate")
        account = await stage.settled((await stage.post(open_body, webhook_id="msg_open")).json())
        assert account["outcome"]["kind"] == "disconnected"
        for body in (ended_body, open_body):
            conversation = str(body["data"]["conversation_id"])  # type: ignore[index]  # a webhook has its data
            assert len(await stage.calls("PATCH", conversation)) == 1
        assert [block for heading in ("Making one", "Trying it", "Restoring") for block in page.left(heading)] == []
