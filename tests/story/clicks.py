"""People who click all the while, each in a call of his own; their system repeats what was not taken, and we count."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.story.stage import CALLER, Stage

RATE = 4.0  # clicks a second: removals enough to be under way at any moment, and room for other tests
AGAIN_SECONDS = 0.2  # a ticketing system waits longer, and we would too
TAKEN_SECONDS = 60.0  # however many processes are started meanwhile
END_SECONDS = 60.0


@dataclass
class Clicks:
    """Clicks that go on until `stop`.

    Attributes:
        doors: where somebody may answer, in the order in which they are tried.
        secret: what the clicks are signed with.
        answers: how often there was which status, or nobody ("").
        receipts: of each click that was taken, by its conversation and its ticket.
    """

    stage: Stage
    doors: list[str]
    secret: bytes = b""
    answers: Counter[int | str] = field(default_factory=Counter)
    receipts: dict[tuple[str, str], Any] = field(default_factory=dict)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _going: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let people click."""
        await self.stage.switch(rate_limit=3_000)  # as much as is believed: the budget has tests of its own
        self._going = asyncio.create_task(self._go())

    async def some(self, number: int = 3) -> None:
        """Wait until so many more were taken."""
        until = len(self.receipts) + number
        async with asyncio.timeout(TAKEN_SECONDS):
            while len(self.receipts) < until:
                assert self._going
                assert not self._going.done(), self._going.exception()
                await asyncio.sleep(0.05)  # real processes: they take clicks when they like

    async def stop(self) -> None:
        """Let nobody click any more, and wait until each click was taken."""
        self._stop.set()
        assert self._going
        await self._going

    async def told(self) -> None:
        """Hold each click to its promise: the caller alone is gone, by one call, and the ticket has one note of it."""
        for (conversation, ticket), receipt in self.receipts.items():
            account = await self.stage.settled(receipt, END_SECONDS)
            assert account["outcome"]["kind"] == "disconnected", account
            assert await self.stage.present(conversation) == ["agent", "agent", "external"]
            assert len(await self.stage.calls("PATCH", conversation)) == 1
            assert len(await self.stage.notes(ticket)) == 1

    async def _go(self) -> None:
        async with asyncio.TaskGroup() as clicks:
            while not self._stop.is_set():
                clicks.create_task(self._click())
                await asyncio.sleep(1 / RATE)  # real processes: the rate at which people click

    async def _click(self) -> None:
        conversation, ticket = await self.stage.conversation(), await self.stage.ticket()
        body = json.dumps(self.stage.webhook(conversation, ticket=ticket, caller_phone=CALLER)).encode()
        name = f"msg_{secrets.token_hex(8)}"
        async with asyncio.timeout(TAKEN_SECONDS):
            while (conversation, ticket) not in self.receipts:
                for door in tuple(self.doors):
                    answer = await self._post(door, body, name)
                    if answer is not None:
                        self.receipts[conversation, ticket] = answer
                        break
                else:
                    await asyncio.sleep(AGAIN_SECONDS)  # real processes: nobody is there, or he says: come again

    async def _post(self, door: str, body: bytes, name: str) -> Any:  # noqa: ANN401 - a receipt, or None
        try:
            answer = await self.stage.post(body, webhook_id=name, secret=self.secret, door=door)
        except httpx.TransportError:
            self.answers[""] += 1
            return None
        self.answers[answer.status_code] += 1
        return answer.json() if answer.status_code == httpx.codes.ACCEPTED else None
