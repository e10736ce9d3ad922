"""With a replica beside it, a 2xx waits until both have what was accepted; without it nothing is promised."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path

import pytest
import redis

from service.core.errors import StoreDown
from service.store.client import Link, connect
from service.store.embedded import find_server
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice, HandClock
from tests.store.stories import ORG, offered


@contextmanager
def _server(folder: Path, *words: str) -> Iterator[int]:
    """Run a server on a port of this machine, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    folder.mkdir()
    command = [
        str(find_server()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
        "--save",
        "",
        *words,
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


def _until_replicated(port: int) -> None:
    """Wait until the replica confirms twice in a row.

    The first yes may be for what came with the whole copy; writes stream only from its next word on, up to 1 s later.
    """
    ends, confirmed = time.monotonic() + 20, 0
    with redis.Redis(port=port, decode_responses=True, protocol=2) as client:
        while True:
            try:
                is_confirmed = client.set("warm", "yes") and client.wait(1, 200) == 1
                confirmed = confirmed + 1 if is_confirmed else 0
            except redis.ConnectionError:
                confirmed = 0
            if confirmed > 1:
                return
            assert time.monotonic() < ends
            time.sleep(0.05)  # real processes: two servers find each other


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[int, int, ExitStack]]:
    """Give a master's port, its replica's, and what ends the replica."""
    with _server(tmp_path / "master", "--repl-diskless-sync-delay", "0") as master, ExitStack() as replica:
        second = replica.enter_context(_server(tmp_path / "replica", "--replicaof", "127.0.0.1", str(master)))
        _until_replicated(master)
        yield master, second, replica


async def test_a_replica_has_what_was_promised(pair: tuple[int, int, ExitStack], dice: CountingDice) -> None:
    """What was answered is on the replica already; when the replica is gone, nothing is answered, repeats included."""
    master, second, replica = pair
    async with aclosing(Link(connect(f"redis://127.0.0.1:{master}"), HandClock(), durability="replicated")) as link:
        store = RedisStore(link, dice)
        offer = offered(dice)
        assert (await store.accept(offer)).joined == ""
        with redis.Redis(port=second, decode_responses=True, protocol=2) as client:
            assert client.exists(store._keys.action(offer.action_id)) == 1
        assert (await store.health(allow_lossy=True, needs_replica=True)).faults == ()
        replica.close()
        later = offered(dice, 2)
        for _ in ("new", "asked again"):
            with pytest.raises(StoreDown, match=r"no replica|did not answer"):
                await store.accept(later)


async def test_a_replica_takes_no_writes(pair: tuple[int, int, ExitStack], dice: CountingDice) -> None:
    """Who asks a replica hears StoreDown, and /readyz says what is wrong."""
    _, second, _ = pair
    async with aclosing(Link(connect(f"redis://127.0.0.1:{second}"), HandClock())) as link:
        store = RedisStore(link, dice)
        with pytest.raises(StoreDown, match=r"ReadOnly|READONLY"):
            await store.accept(offered(dice))
        assert await store.paused(ORG) == frozenset()
        faults = (await store.health(allow_lossy=True)).faults
        assert len(faults) == 2
        assert "not a master" in faults[0]
