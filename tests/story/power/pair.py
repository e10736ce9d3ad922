"""A master and its replica, a wire between them and one before them, so that one can take over from the other."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.fixtures.redis import short_folder
from tests.fixtures.servers import Node, free_port, until
from tests.story.power.wires import Wire

QUICK = ("--repl-diskless-sync-delay", "0")
IN_STEP = 2  # the first yes may be for what came with the whole copy


class Pair:
    """Two servers.

    Attributes:
        door: where clients go; leads to the master.
        link: between the replica and its master.
    """

    def __init__(self, master: Node, replica: Node, door: Wire, link: Wire) -> None:
        self.master, self.replica, self.door, self.link = master, replica, door, link

    @property
    def url(self) -> str:
        """Where clients find the master, before and after a failover."""
        return f"redis://127.0.0.1:{self.door.port}"

    async def follow(self) -> None:
        """Make the replica follow the master; returns when it has all that the master has."""
        self.link.leads_to = self.master.port
        self.link.cut()
        await asyncio.to_thread(self.replica.ask, "REPLICAOF", "127.0.0.1", str(self.link.port))
        for _ in range(IN_STEP):
            await asyncio.to_thread(until, self._is_confirmed)

    async def promote(self) -> None:
        """Make the replica a master, and lead the door to it; the old one does not know yet."""
        await asyncio.to_thread(self.replica.ask, "REPLICAOF", "NO", "ONE")
        self.master, self.replica = self.replica, self.master
        self.door.leads_to = self.master.port

    def _is_confirmed(self) -> bool | None:
        with self.master.client() as client:
            client.publish("in step", "?")
            return client.wait(1, 500) == 1 or None


@asynccontextmanager
async def paired(program: Path) -> AsyncIterator[Pair]:
    """Give two servers in step; ended afterwards."""
    folder = short_folder()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        nodes = [Node(folder / name, free_port(), program, QUICK) for name in ("a", "b")]
        for node in nodes:
            await asyncio.to_thread(node.start)
            stack.callback(node.stop)
        first, second = nodes
        door = await stack.enter_async_context(Wire(first.port).open())
        link = await stack.enter_async_context(Wire(first.port).open())
        pair = Pair(first, second, door, link)
        await pair.follow()
        yield pair
