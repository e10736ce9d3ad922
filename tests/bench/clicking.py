"""Somebody who clicks, and a script beside him: when each removal came to the sandbox, by the one clock of the machine.

The clicker's moment is when the last byte of the webhook has left, the sandbox's when a call is there to its last byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.sources.signing import signed
from tests.story.stage import CALLER, ROOT, Running, Stage

QUIET = {"ONHOOK_LOG__LEVEL": "warning"}  # a line a removal is cheap, and it is not what is measured
END_SECONDS = 60.0
IDLE_SECONDS = 2.0  # the doors close what is idle for five
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Gone:
    """What one click came to, in seconds from when its last byte had left.

    Attributes:
        sent: until the sandbox had the removal.
        told: until the action was settled, because a look showed that the caller is gone.
    """

    sent: float
    told: float


@dataclass
class Clicker:
    """Somebody who clicks at one seat of a stage, over a connection of his own that stays open."""

    seat: Stage
    streams: Streams | None = field(default=None, repr=False)
    idle_since: float = field(default=0.0, init=False)

    async def click(self, conversation: str) -> tuple[float, dict[str, Any]]:
        """Post one webhook; return the moment its last byte had left, and the receipt."""
        raw = json.dumps(self.seat.webhook(conversation)).encode()
        host, _, port = self.seat.door.removeprefix("http://").partition(":")
        headers = {
            "host": f"{host}:{port}",
            "content-type": "application/json",
            "content-length": str(len(raw)),
            **signed(self.seat.secret, f"msg_{secrets.token_hex(8)}", int(time.time() * 1000), raw),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if time.monotonic() > self.idle_since + IDLE_SECONDS:
            await self.hang_up()
        reader, writer = self.streams = self.streams or await asyncio.open_connection(host, int(port))
        writer.write(f"POST /webhooks/{self.seat.source} HTTP/1.1\r\n{lines}\r\n".encode() + raw)
        left = time.time()
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        self.idle_since = time.monotonic()
        assert head.startswith(b"http/1.1 202"), (head, body)
        return left, json.loads(body)

    async def hang_up(self) -> None:
        """Close the connection: the next click opens another."""
        if self.streams is not None:
            (_, writer), self.streams = self.streams, None
            writer.close()
            with contextlib.suppress(OSError):  # the door may have hung up first
                await writer.wait_closed()

    async def gone(self, conversation: str) -> Gone:
        """Click, and wait until the caller is known to be gone."""
        left, receipt = await self.click(conversation)
        await asyncio.sleep(0.4)  # real processes: nobody asks in the very moments that are measured
        account = await self.seat.settled(receipt, END_SECONDS)
        assert account["outcome"]["kind"] == "disconnected", account
        (settled,) = (entry["at"] for entry in account["timeline"] if entry["verb"] == "settle")
        sent = await self.sent_at(conversation)
        return Gone(sent - left, datetime.fromisoformat(settled).timestamp() - left)

    async def sent_at(self, conversation: str) -> float:
        """Return the moment at which the sandbox had the one removal there was."""
        (call,) = await self.seat.calls("PATCH", conversation)
        return float(call["at"])


@dataclass
class Script:
    """The script, in a process of its own."""

    seat: Stage
    running: Running

    @classmethod
    async def started(cls, seat: Stage, org: str = "PLAY") -> Script:
        """Start it with the credentials of an org, and wait until it has logged in."""
        names = ("api_url", "login_url", "client_id", "client_secret")
        options = {name: seat.environment[f"ONHOOK_ORGS__{org}__{name.upper()}"] for name in names}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.script", json.dumps(options)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        script = cls(seat, Running(process))
        seat.cast.push_async_callback(script.running.end, signal.SIGKILL)
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        return script

    async def sent(self, conversation: str) -> float:
        """Let it remove the caller; return the seconds from its first step until the sandbox had the removal."""
        process = self.running.process
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{conversation} {CALLER}\n".encode())
        began, kind = json.loads(await process.stdout.readline())
        assert kind == "accepted", kind
        return await Clicker(self.seat).sent_at(conversation) - float(began)


def percentile(values: list[float], share: float) -> float:
    """Return the smallest of the values that is not below so large a share of them."""
    return sorted(values)[max(0, -(-len(values) * int(share * 100) // 100) - 1)]
