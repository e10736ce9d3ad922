"""A piece of network that can be held, cut and led elsewhere: between a master and its replica, or before both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Carries bytes from its own port to another one of this machine.

    Attributes:
        leads_to: where whoever connects from now on is led.
        held_bytes: how many went in, and never came out.
    """

    def __init__(self, leads_to: int) -> None:
        self.leads_to, self.held_bytes, self.port = leads_to, 0, 0
        self._is_held = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """Listen on a free port while the block runs."""
        listener = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = int(listener.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            listener.close()
            self.cut()
            await asyncio.gather(*self._tasks)

    def hold(self) -> None:
        """Let nothing through any more, and let nobody hear of it; until `cut`."""
        self._is_held = True

    def cut(self) -> None:
        """Cut all connections; the next ones get through."""
        self._is_held = False
        for end in self._ends:
            end.transport.abort()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        ends = {writer}
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.leads_to)
            ends.add(far_writer)
            self._ends |= ends
            ways = [
                asyncio.ensure_future(self._carry(reader, far_writer)),
                asyncio.ensure_future(self._carry(far_reader, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        self._ends -= ends
        for end in ends:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            if self._is_held:
                self.held_bytes += len(piece)
            else:
                writer.write(piece)
