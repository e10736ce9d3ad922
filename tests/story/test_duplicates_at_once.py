"""One delivery, a thousand times at once over four processes with doors: one action, and everybody hears the same."""

from __future__ import annotations

import asyncio
import json
import resource
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import redis as blocking

from service.sources.signing import signed
from service.store.keys import Keys
from tests.findings import write_evidence
from tests.story.stage import Stage, staged

COMMAND = "uv run pytest -m slow tests/story/test_duplicates_at_once.py"
FEW = 20  # rounds that are part of every run
DOORS, EACH = 4, 250  # processes, and posts to each of them at once
ROUND_SECONDS = 60.0  # a round takes a second or two; this only ends a test that hangs
WORK_SECONDS = 90.0  # the worker has all rounds to do, and a budget of 300 calls a minute
PATIENCE = 0.5  # before a post that heard 503 is repeated: what the answer asks for would only make the test longer


@dataclass
class Round:
    """What the senders of one round heard."""

    actions: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    receipt: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def files() -> Iterator[None]:
    """Let this process have a socket for each post, where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = DOORS * EACH + 500
    if soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def post(address: tuple[str, int], request: bytes) -> tuple[int, bytes, bytes]:
    """Send one request on a connection of its own; return status, head and body of the answer."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.partition(b":")[2]))
        return int(head.split(b" ", 2)[1]), head.lower(), body
    finally:
        writer.close()


async def send(address: tuple[str, int], request: bytes, heard: Round) -> None:
    """Post until the answer is no 503, and note every answer; a 503 must be an honest one."""
    while True:
        status, head, body = await post(address, request)
        heard.statuses[status] += 1
        said = json.loads(body)
        if status != httpx.codes.SERVICE_UNAVAILABLE:
            break
        assert said["code"] in {"overloaded", "store_down"}
        assert b"\r\nretry-after:" in head
        await asyncio.sleep(PATIENCE)  # real processes: they asked for it
    heard.actions.add(said["action"])
    heard.said[said["status"]] += 1
    heard.receipt = said


async def play(stage: Stage, addresses: list[tuple[str, int]], conversation: str) -> Round:
    """Send one delivery everywhere at once, and return what was heard."""
    body = json.dumps(stage.webhook(conversation)).encode()
    sign = signed(stage.secret, f"msg_{secrets.token_hex(8)}", int(time.time() * 1000), body)
    lines = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **sign}
    heard = Round()
    async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as group:
        for host, port in addresses:
            head = "".join(f"{name}: {value}\r\n" for name, value in {"host": f"{host}:{port}", **lines}.items())
            request = f"POST /webhooks/desk HTTP/1.1\r\n{head}\r\n".encode() + body
            for _ in range(EACH):
                group.create_task(send((host, port), request, heard))
    return heard


@pytest.mark.parametrize("rounds", [FEW, pytest.param(50, marks=pytest.mark.slow)])
async def test_a_thousand_at_once_over_four_processes(rounds: int) -> None:
    """However many send it at once and wherever, it is one action with one status, and one removal takes effect."""
    statuses, said, heard = Counter[int](), Counter[str](), Round()
    async with staged() as stage:
        doors = await asyncio.gather(*(stage.start("serve") for _ in range(DOORS)))
        urls = [httpx.URL(await door.url("public")) for door in doors]
        stage.door = str(urls[0])
        addresses = [(url.host, url.port or 0) for url in urls]
        due = Keys().due_removals("play")
        conversations = [str(uuid.UUID(int=number)) for number in range(1, rounds)] + [await stage.conversation()]
        with blocking.Redis.from_url(stage.redis.url, protocol=2) as client:
            for number, conversation in enumerate(conversations, 1):
                heard = await play(stage, addresses, conversation)
                assert len(heard.actions) == 1
                assert client.zcard(due) == number
                assert set(heard.statuses) <= {202, 503}
                assert heard.statuses[202] == DOORS * EACH
                assert heard.said.total() == DOORS * EACH
                # the one that made the action may be among those that heard 503 (Redis did it and said so too late):
                # repeated, it is a duplicate like all others
                assert heard.said["accepted"] == 1 or (heard.said["accepted"] == 0 and heard.statuses[503])
                statuses, said = statuses + heard.statuses, said + heard.said
        await stage.work()
        account = await stage.settled(heard.receipt, WORK_SECONDS)
        assert account["outcome"]["kind"] == "disconnected"
        assert [call["effect"] for call in await stage.calls("PATCH")] == [True]
    if rounds > FEW:
        counters = {"rounds": rounds, "actions": rounds, **{f"heard {status}": n for status, n in statuses.items()}}
        write_evidence("duplicates_at_once", command=COMMAND, counters=counters | dict(said), findings=[])
