"""The wire between us and Redis, as a test wants it: whole, cut before the reply, or without a sound."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Wire:
    """A proxy on a unix socket of its own.

    Attributes:
        path: where it listens.
        server: where Redis listens.
        lost_replies: so many replies are thrown away, each with its connection, after Redis did what was asked.
        is_silent: what is asked never arrives, and nothing comes back.
        asked: how many pieces of questions came in.
        arrived: how many of them were handed to Redis.
    """

    path: Path
    server: Path
    lost_replies: int = 0
    is_silent: bool = False
    asked: int = 0
    arrived: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"unix://{self.path}"

    def cut(self) -> None:
        """Cut all connections at once."""
        for writer in self._open:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """Listen; afterwards whoever comes is refused."""
        listener = await asyncio.start_unix_server(self._serve, self.path)
        try:
            yield self
        finally:
            listener.close()
            self.cut()
            self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self.server)
        ends = {writer, up_writer}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as group:
                _ = group.create_task(self._carry(reader, up_writer, is_reply=False))
                _ = group.create_task(self._carry(up_reader, writer, is_reply=True))
        except* OSError:
            pass
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool) -> None:
        while piece := await reader.read(65_536):
            self.asked += not is_reply
            if self.is_silent:
                continue
            if is_reply and self.lost_replies:
                self.lost_replies -= 1
                raise ConnectionResetError
            self.arrived += not is_reply
            writer.write(piece)
        raise ConnectionResetError
