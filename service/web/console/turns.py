"""How many pages are made at the same time: the console asks the Redis where webhooks are stored, and they come first.

A page of the audit alone asks some hundred questions. Fifty of those together were measured to keep webhooks waiting
for longer than the two seconds after which they hear 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.web.console.troubles import BUSY, TurnedAway

AT_ONCE = 6
WAITING_MOST = 60  # far fewer than the door has in flight: probes are answered there as well


class Turns:
    """Lets in so many at once; some more wait for their turn, and whoever comes then is told to come later.

    Args:
        at_once: how many.
        waiting_most: how many wait.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting_most: int = WAITING_MOST) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting_most, self._waiting = waiting_most, 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run the block when it is one's turn; TurnedAway when too many wait."""
        if self._free.locked() and self._waiting >= self._waiting_most:
            raise TurnedAway(BUSY)
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()
