"""Who is woken when Redis has news: one subscription for the whole process.

A wake is only ever a hint: whoever waits looks again after the time it asked for, woken or not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisClusterException, RedisError

from service.core.ports import Clock
from service.store.address import connect
from service.store.keys import Keys, due_topic, settled_topic
from service.store.nodes import Nodes, One

# after so long without a word the connection is asked whether it is alive; after twice that it is given up
SILENCE_SECONDS = 5.0
# from a restart of Redis to hearing again
AGAIN_SECONDS = (0.1, 1.0)
# one listens; of a Cluster the same node may be asked where the others are
CONNECTIONS = 2
# whoever read "pending" a moment before the settle is still told; about a megabyte of ids would be 20,000
SETTLED_MOST = 1_000
# when all are woken, so many at once and then a rest: a thousand orgs that ask in one moment are more than there are
# connections, and who waits too long for one goes without. Where something is due the rounds of a worker find it sooner
LOT, LOT_SECONDS = 100, 0.25


class WakeWaiter:
    """Meets the port `Waiter`, between `start` and `aclose`; outside of that every wait takes its time.

    Survives Redis going away: when it is back everybody is woken once, because wakes may have been missed.

    Args:
        url: where Redis is, as for `address.connect`; of a Cluster one node after the other, wakes reach them all.
        clock: paces reconnecting.
        keys: for the name of the channel.
        is_cluster: as for `address.connect`.
        silence_seconds: after so long without a word the connection is asked whether it is alive.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        keys: Keys | None = None,
        is_cluster: bool | None = None,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        client = connect(url, is_cluster=is_cluster, connections=CONNECTIONS)
        self._nodes: Nodes = One(client) if isinstance(client, Redis) else client
        self._clock = clock
        self._channel = (keys or Keys()).wake
        self._silence_seconds = silence_seconds
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        # topics that somebody has waited for, and those with news since
        self._known: set[str] = set()
        self._news: set[str] = set()
        self._settled: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def aclose(self) -> None:
        """Stop listening and close the connection."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._nodes.aclose()

    async def __aenter__(self) -> Self:
        """Start."""
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.aclose()

    async def for_due(self, org: str, kind: str, seconds: float) -> None:
        """Return when something of `kind` may be due in `org` (news since the last call count), or after `seconds`."""
        topic = due_topic(org, kind)
        self._known.add(topic)
        if topic in self._news:
            self._news.discard(topic)
            return
        await self._wait(topic, seconds)

    async def for_settled(self, action_id: str, seconds: float) -> None:
        """Return when `action_id` was settled (also: a moment ago), or after `seconds`."""
        topic = settled_topic(action_id)
        if topic in self._settled:
            # once: whoever asks again without reading must not spin
            del self._settled[topic]
            return
        await self._wait(topic, seconds)

    async def _wait(self, topic: str, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        together = self._waiting.setdefault(topic, set())
        together.add(future)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await future
        finally:
            together.discard(future)
            if not together and self._waiting.get(topic) is together:
                del self._waiting[topic]

    def _tell(self, topic: str) -> None:
        if topic.startswith(settled_topic("")):
            self._settled[topic] = None
            if len(self._settled) > SETTLED_MOST:
                del self._settled[next(iter(self._settled))]
        elif topic in self._known and topic not in self._waiting:
            self._news.add(topic)
        self._wake(topic)

    def _wake(self, topic: str) -> None:
        for future in self._waiting.pop(topic, set()):
            if not future.done():
                future.set_result(None)

    def _wake_all(self) -> None:
        """Subscribed again: wakes may have been missed, so everybody looks, one lot after the other."""
        self._news |= self._known - self._waiting.keys()
        self._wake_lots(list(self._waiting))

    def _wake_lots(self, topics: list[str]) -> None:
        for topic in topics[:LOT]:
            self._wake(topic)
        if rest := topics[LOT:]:
            asyncio.get_running_loop().call_later(LOT_SECONDS, self._wake_lots, rest)

    async def _listen(self) -> None:
        pause = AGAIN_SECONDS[0]
        while True:
            try:
                async with (await self._nodes.anyone()).pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    async for topic in _heard(subscription, self._silence_seconds):
                        pause = AGAIN_SECONDS[0]
                        if topic is None:
                            self._wake_all()
                        else:
                            self._tell(topic)
            except (RedisError, RedisClusterException, OSError, ValueError, RuntimeError) as fault:
                # ValueError: bytes on our channel that are no text, from somebody else; RuntimeError: uvloop closed it
                await self._nodes.doubt(fault)
            await self._clock.sleep(pause)
            pause = min(pause * 2, AGAIN_SECONDS[1])


async def _heard(subscription: PubSub, silence_seconds: float) -> AsyncIterator[str | None]:
    """Yield None when subscribed, then what is published; end when the connection is silent, even when asked."""
    is_asked = False
    while True:
        # a task of its own: on 3.11 a timeout inside it would hide the lines that follow from the coverage
        message = await asyncio.create_task(subscription.get_message(timeout=silence_seconds))
        if message is None:
            if is_asked:
                return
            await subscription.ping()
            is_asked = True
        else:
            is_asked = False
            if message["type"] in {"subscribe", "message"}:
                yield message["data"] if message["type"] == "message" else None
