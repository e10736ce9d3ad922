"""The master that Sentinels name: asked at the beginning, and again after everything that speaks of a failover."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import AskError
from redis.exceptions import ConnectionError as RedisConnectionError

from service.store.nodes import Inquiry, One, said


class Sentinels:
    """Meets `Nodes`.

    Args:
        name: what the Sentinels call the master.
        seeds: addresses (`host:port`) of Sentinels; all are asked at once.
        open_sentinel: makes a client for one of them.
        open_one: makes a client for a master's address.
    """

    def __init__(
        self,
        name: str,
        seeds: Sequence[str],
        open_sentinel: Callable[[str], Redis],
        open_one: Callable[[str], Redis],
    ) -> None:
        self._name = name
        self.sentinels = [open_sentinel(address) for address in seeds]
        self._open_one = open_one
        self._masters: dict[str, Redis] = {}
        self._now = ""
        self._where = Inquiry(self._asks, f"the Sentinels of {name}")

    async def of(self, key: str) -> Redis:  # noqa: ARG002 - the port's
        """Return the master."""
        if not self._now:
            self._now = await self._where.answer()
        return self.at(self._now)

    async def anyone(self) -> Redis:
        """Return the master: what it publishes reaches its replicas, not the other way about."""
        return await self.of("")

    async def masters(self) -> Mapping[str, Redis]:
        """Return the master."""
        return {"": await self.of("")}

    def together(self, key: str) -> int:  # noqa: ARG002 - the port's
        """Return the same for all."""
        return 0

    async def doubt(self, fault: Exception) -> None:  # noqa: ARG002 - the port's
        """Ask the Sentinels again before the next question."""
        self._now = ""

    def redirect(self, fault: AskError) -> Redis | None:
        """Say that this is a Cluster, which has no Sentinels."""
        return One(self.at(self._now)).redirect(fault)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._where.aclose()
        for client in (*self.sentinels, *self._masters.values()):
            await client.aclose()

    def at(self, address: str) -> Redis:
        """Return the client for an address."""
        if address not in self._masters:
            self._masters[address] = self._open_one(address)
        return self._masters[address]

    def _asks(self) -> list[Coroutine[Any, Any, str]]:
        return [self._master_by(sentinel) for sentinel in self.sentinels]

    async def _master_by(self, sentinel: Redis) -> str:
        """Return where the master is. A Sentinel that was cut off may still name the old one: so it is asked itself."""
        found = cast("list[str] | None", await said(sentinel, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)))
        if found is None:
            raise RedisConnectionError(f"this Sentinel knows of no {self._name}")
        address = f"{found[0]}:{found[1]}"
        role = cast("list[object]", await said(self.at(address), ("ROLE",)))
        if role[0] != "master":
            raise RedisConnectionError(f"{address} is a {role[0]} by now")
        return address
