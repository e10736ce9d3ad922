"""The README's own commands, run as they are printed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.redis import short_folder
from tests.needs import needs
from tests.story.stage import Running, eventually

README = Path(__file__).parents[2] / "README.md"


async def test_curl_and_openssl_are_enough() -> None:
    """The README's shell lines, made with nothing of ours, remove the caller, say so, and tell the ticket."""
    needs("curl")
    needs("openssl")
    folder = short_folder()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONHOOK_")}
    environment |= {"ONHOOK_STATE_DIR": str(folder), "ONHOOK_CONFIG": os.devnull}
    environment |= {"ONHOOK_DOORS__PUBLIC": "127.0.0.1:0", "ONHOOK_DOORS__PRIVATE": "127.0.0.1:0"}
    command = (sys.executable, "-m", "service", "up", "--sandbox", "--sandbox-port", "0")
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    running = Running(process)
    try:
        door = await running.url("public")
        play = next(word for line in running.said for word in line.split() if word.startswith("http")).rsplit("/", 2)[0]
        lines = _lines().replace("http://127.0.0.1:8089", play).replace("http://127.0.0.1:8080", door)
        assert play in lines
        assert door in lines
        shell = await asyncio.create_subprocess_exec(
            "bash", "-c", f"set -eu; {lines}", env=environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await shell.communicate()
        assert b"HTTP/1.1 200 OK" in said, said.decode()
        assert b"The caller was removed from the conversation" in said, said.decode()
        await _removed_and_told(play, said.decode())
    finally:
        await running.end()


async def _removed_and_told(play: str, said: str) -> None:
    conversation = re.findall(r'"conversation_id": ?"([^"]+)"', said)[-1]
    ticket = re.findall(r'"sys_id": ?"([^"]+)"', said)[-1]
    async with httpx.AsyncClient(trust_env=False) as client:

        async def told() -> list[dict[str, str]] | None:
            shown = await client.get(f"{play}/sandbox/desk/tickets/incident/{ticket}")
            return shown.json()["work_notes"] or None

        (note,) = await eventually(told)
        assert "was removed" in note["text"]
        people = (await client.get(f"{play}/sandbox/conversations/{conversation}")).json()["participants"]
    assert sorted(one["purpose"] for one in people if one["present"]) == ["agent", "agent", "external"]


def _lines() -> str:
    found = re.search(r"```sh\n(SANDBOX=.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        pytest.fail("README.md has no shell lines that begin with SANDBOX=")
    return found.group(1)
