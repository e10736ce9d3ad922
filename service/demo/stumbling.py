"""A worker that never gets from its mark to the PATCH: the story kills it there, as a power cut would."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace

from service.core import model as m
from service.core.ports import Genesys
from service.flow.workplace import Workplace
from service.wiring.lifetime import run
from service.wiring.processes import work

HELD = "Held still: process "
STUMBLED = "Marked, and not sent yet"
LET_GO = signal.SIGUSR1


class Stumbling:
    """A Genesys Cloud that can be looked at, and whose removal is never handed over."""

    def __init__(self, real: Genesys, say: Callable[[str], None]) -> None:
        """Look through `real`; `say` is told when a removal was about to leave."""
        self._real = real
        self._say = say

    async def look(self, conversation_id: str) -> m.Sight:
        """Read the conversation, as the real one does."""
        return await self._real.look(conversation_id)

    async def disconnect(self, _conversation_id: str, _target: m.Target, _deadline: float) -> m.Answer:
        """Say that the removal is marked and would leave now, and never come back."""
        self._say(STUMBLED)
        never: asyncio.Future[m.Answer] = asyncio.get_running_loop().create_future()
        return await never


async def stumble(say: Callable[[str], None]) -> int:
    """Hold still until LET_GO, then be a real worker in everything but the PATCH; return its exit code, if any."""
    is_let_go = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(LET_GO, is_let_go.set)

    def through(place: Workplace) -> Workplace:
        return replace(place, genesys={org: Stumbling(real, say) for org, real in place.genesys.items()})

    say(f"{HELD}{os.getpid()}")
    await is_let_go.wait()
    return await work(say, through=through)


def speak(line: str) -> None:
    """Write a line for the story to read."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(run(stumble(speak)))
