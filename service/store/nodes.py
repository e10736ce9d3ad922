"""Which Redis to ask: what every answer to that question can do, and the plainest one, a single server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import AskError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from service.core.errors import StoreDown
from service.store.script import Reply

_T = TypeVar("_T")


class Nodes(Protocol):
    """Who knows which server has a key; what goes wrong is told to it, so that it looks again."""

    async def of(self, key: str) -> Redis:
        """Return the server that has `key`; RedisError when nobody can say."""
        ...

    async def anyone(self) -> Redis:
        """Return a server that hears every wake; each time another one, where there are several."""
        ...

    async def masters(self) -> Mapping[str, Redis]:
        """Return all servers that keep something, by what to call them in a sentence; "" where there is only one."""
        ...

    def together(self, key: str) -> int:
        """Return a number that is the same for keys that may be asked for in one pipeline."""
        ...

    async def doubt(self, fault: Exception) -> None:
        """Take `fault` for a sign that what was known may not be so any more."""
        ...

    def redirect(self, fault: AskError) -> Redis | None:
        """Learn where a key is now, by a MOVED; or return who is to be asked this once, by an ASK.

        Raises:
            StoreDown: nobody here should be told so.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


async def said(node: Redis, words: Sequence[str], *, is_asking: bool = False) -> Reply:
    """Return what one server says to one command, or raise it; `is_asking`: it is asked for a slot on its way to it."""
    if not is_asking:
        return await cast("Callable[..., Awaitable[Reply]]", node.execute_command)(*words)
    # it counts for the next command of this very connection
    async with node.pipeline(transaction=False) as pipe:
        pipe.execute_command("ASKING")
        pipe.execute_command(*words)
        *_, answer = await pipe.execute(raise_on_error=False)
    if isinstance(answer, Exception):
        raise answer
    return cast("Reply", answer)


class One:
    """`Nodes` where there is one server; it may become a replica, or another one may take its name."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def of(self, key: str) -> Redis:  # noqa: ARG002 - the port's
        """Return it."""
        return self._client

    async def anyone(self) -> Redis:
        """Return it."""
        return self._client

    async def masters(self) -> Mapping[str, Redis]:
        """Return it."""
        return {"": self._client}

    def together(self, key: str) -> int:  # noqa: ARG002 - the port's
        """Return the same for all."""
        return 0

    async def doubt(self, fault: Exception) -> None:
        """After a failover our connections may lead to what is a replica now: the next ones ask the name anew."""
        # before Redis 7 what a command in a script was told is inside the script's own error
        if isinstance(fault, ReadOnlyError) or "READONLY" in str(fault):
            # what cannot be closed in good order is closed all the same
            with contextlib.suppress(RedisError, OSError):
                await self._client.connection_pool.disconnect(inuse_connections=False)

    def redirect(self, fault: AskError) -> Redis | None:
        """Say that this is a Cluster."""
        raise StoreDown(f"Redis is a node of a Cluster: set redis.cluster = true ({type(fault).__name__})")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class Inquiry(Generic[_T]):
    """One question put to several at once: the first good answer counts, and whoever asks meanwhile hears the same.

    So one that hangs holds nobody up. The others end by themselves, by the timeouts of their sockets.

    Args:
        asks: makes the questions, one for each who may know.
        what: for the sentence when none of them does.
    """

    def __init__(self, asks: Callable[[], Iterable[Coroutine[Any, Any, _T]]], what: str) -> None:
        self._asks = asks
        self._what = what
        self._asking: asyncio.Task[_T] | None = None
        self._tasks: set[asyncio.Task[_T]] = set()

    async def answer(self) -> _T:
        """Return it; what Redis said where it said no, else ConnectionError."""
        if self._asking is None:
            self._asking = self._start(self._first())
            self._asking.add_done_callback(self._end)
        return await asyncio.shield(self._asking)

    async def aclose(self) -> None:
        """Wait for what is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _end(self, _: object) -> None:
        self._asking = None

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[_T]) -> None:
        self._tasks.discard(task)
        # nobody may be left to hear it
        _ = task.cancelled() or task.exception()

    async def _first(self) -> _T:
        said: RedisError = RedisConnectionError(f"{self._what}: nobody could be reached")
        waiting = {self._start(ask) for ask in self._asks()}
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                fault = task.exception()
                if fault is None:
                    return task.result()
                if isinstance(fault, ResponseError):
                    said = fault
        raise said
