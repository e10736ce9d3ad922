"""What docker-compose.yml starts, started on this machine: the same commands, settings and health checks, one story."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import redis as blocking

from service import settings
from tests.deploy.composed import ENV, FILE, document, services, variables_in
from tests.fixtures.redis import short_folder
from tests.fixtures.servers import free_port
from tests.needs import needs
from tests.story.stage import Running, eventually
from tests.wiring.running import PHONE

START_SECONDS = 60.0
STATE = "/var/lib/onhook"


@dataclass
class Machine:
    """This machine in place of the containers: what they are told, with its own folders and ports in place of theirs.

    Attributes:
        instead: what stands in the file, and what is said here in its place.
    """

    folder: Path
    started: dict[str, Any]
    instead: dict[str, str]
    cast: AsyncExitStack

    def said(self, text: str) -> str:
        """Return a text of the file as it is said here."""
        longest_first = sorted(self.instead, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda found: self.instead[found[0]], text)

    def words(self, given: Sequence[str]) -> list[str]:
        """Return a command of a container as it is run here."""
        first, *rest = map(self.said, given)
        return [*{"onhook": (sys.executable, "-m", "service")}.get(first, (first,)), *rest]

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a container: the image's, the file's, and what this machine needs by itself."""
        own = {name: value for name, value in settings.inherited_environment().items() if "COVERAGE" not in name}
        said = {name: self.said(value) for name, value in given.items()}
        return own | {"ONHOOK_STATE_DIR": str(self.folder / "state"), "ONHOOK_DOORS__PUBLIC": "127.0.0.1:0"} | said

    async def run(self, name: str, *more: str) -> Running:
        """Start one container of a service, with more words at the end of its command."""
        one = self.started[name]
        # Redis' image runs what it is given, ours gives it to `onhook`
        entrypoint = one.get("entrypoint", ["onhook"] if one["image"] == "localhost/onhook" else [])
        with (self.folder / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self.words([*entrypoint, *one["command"], *more]),
                env=self.environment(one.get("environment", {})),
                cwd=self.folder / "state",
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        running = Running(process)
        self.cast.push_async_callback(running.end, signal.SIGKILL)
        return running

    async def is_healthy(self, name: str) -> bool:
        """Ask the health check of a service once."""
        way, *test = self.started[name]["healthcheck"]["test"]
        command = self.words(test) if way == "CMD" else ["sh", "-c", self.said(test[0])]
        asked = await asyncio.create_subprocess_exec(
            *command,
            env=self.environment(self.started[name].get("environment", {})),
            cwd=self.folder / "state",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await asyncio.wait_for(asked.wait(), START_SECONDS) == 0

    async def healthy(self, name: str) -> None:
        """Return once a service is healthy, by its own health check."""

        async def look() -> bool | None:
            return await self.is_healthy(name) or None

        await eventually(look, START_SECONDS)


@asynccontextmanager
async def machine() -> AsyncIterator[Machine]:
    """Give a machine on which nothing of the file runs yet."""
    folder = short_folder()
    for name in ("state", "redis"):
        (folder / name).mkdir()
    instead = {
        STATE: str(folder / "state"),
        "/data": str(folder / "redis"),
        "redis:6379": f"127.0.0.1:{free_port()}",
        "redis-cli": needs("redis-cli"),
        ":8081": "127.0.0.1:0",
        ":8082": "127.0.0.1:0",
    }
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        started = services(document(FILE, variables_in(ENV)), variables_in(ENV)["COMPOSE_PROFILES"])
        cast = await stack.enter_async_context(AsyncExitStack())
        yield Machine(folder, started, instead, cast)


async def test_one_story() -> None:
    """`docker compose up` with nothing edited: a click removes the caller, the ticket is told, and all end in time."""
    async with machine() as it, httpx.AsyncClient(trust_env=False, timeout=25) as client:
        play, _ = await asyncio.gather(_sandbox(it), _redis(it))
        serving, *workers = await asyncio.gather(
            it.run("serve"), *(it.run("work") for _ in range(it.started["work"]["deploy"]["replicas"]))
        )
        door, *private = await asyncio.gather(serving.url("public"), *(worker.url("private") for worker in workers))
        it.instead["http://127.0.0.1:8081"] = await serving.url("private")
        it.instead["http://127.0.0.1:8082"] = private[0]
        assert all(await asyncio.gather(it.is_healthy("serve"), it.is_healthy("work")))

        cid = (await client.post(f"{play}/sandbox/conversations", json={"scenario": "conference"})).json()
        ticket = (await client.post(f"{play}/sandbox/desk/tickets", json={"table": "incident"})).json()
        said = await _click(it, door, cid["conversation_id"], ticket)
        assert "disconnected" in said
        people = (await client.get(f"{play}/sandbox/conversations/{cid['conversation_id']}")).json()["participants"]
        assert sorted(one["purpose"] for one in people if one["present"]) == ["agent", "agent", "external"]

        async def told() -> list[str] | None:
            shown = await client.get(f"{play}/sandbox/desk/tickets/incident/{ticket['sys_id']}")
            return [note["text"] for note in shown.json()["work_notes"]] or None

        (note,) = await eventually(told)
        assert "Still there: 2 agents" in note

        began = asyncio.get_running_loop().time()
        assert await asyncio.gather(*(one.end() for one in (serving, *workers))) == [0, 0, 0]
        ends = int(it.started["serve"]["stop_grace_period"].removesuffix("s"))
        assert asyncio.get_running_loop().time() - began < ends
        assert not await it.is_healthy("serve")


async def _sandbox(it: Machine) -> str:
    """Start the sandbox as the file says, on any port; return its URL once it is healthy."""
    play = await _said(await it.run("sandbox", "--port", "0"), r"The sandbox is at (\S+)")
    it.instead |= {"sandbox:8089": play.removeprefix("http://"), "http://127.0.0.1:8089": play}
    await it.healthy("sandbox")
    return play


async def _redis(it: Machine) -> None:
    """Start Redis as the file says, on this machine's port; it takes the password that was made, and no stranger."""
    written = it.folder / "state" / "redis-url"
    made: set[str] = set()
    for _ in range(2):  # the next start leaves what the first one made
        assert await (await it.run("keys")).process.wait() == 0
        made.add(written.read_text().strip())
    (url,) = made
    assert {path.stat().st_mode & 0o777 for path in (written, written.with_name("redis.conf"))} == {0o640}
    _, _, port = it.instead["redis:6379"].rpartition(":")
    it.instead["redis-cli"] += f" -p {port}"
    await it.run("redis", "--port", port, "--bind", "127.0.0.1")
    await it.healthy("redis")
    with blocking.Redis.from_url(url, protocol=2, decode_responses=True) as known:
        assert known.config_get("append*")["appendfsync"] == "always"
        assert known.config_get("maxmemory*")["maxmemory-policy"] == "noeviction"
    with blocking.Redis(port=int(port), protocol=2) as stranger:
        try:
            stranger.ping()
        except blocking.AuthenticationError:
            return
    raise AssertionError("a Redis without a password")


async def _said(running: Running, pattern: str) -> str:
    """Return what a process says behind some words."""
    assert running.process.stdout
    async with asyncio.timeout(START_SECONDS):
        while line := (await running.process.stdout.readline()).decode():
            if found := re.match(pattern, line):
                return found[1]
    raise AssertionError(f"it ended before it said {pattern}")


async def _click(it: Machine, door: str, conversation: str, ticket: Mapping[str, str]) -> str:
    """Click as deploy/README.md says: `docker compose exec serve onhook send …`; return what that says."""
    where = ("--ticket", f"{ticket['table']}/{ticket['sys_id']}")
    words = ("send", "--source", "sandbox", "--conversation", conversation, "--phone", PHONE, "--wait", "20")
    sending = await asyncio.create_subprocess_exec(
        *it.words(["onhook", *words, *where, "--url", door]),
        env=it.environment(it.started["serve"]["environment"]),
        cwd=it.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(sending.communicate(), START_SECONDS)
    assert sending.returncode == 0, said.decode()
    return said.decode()
