"""The whole service as its users have it: real processes, a real Redis, the sandbox beside them; seen from outside."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import redis as blocking

from service.sources.signing import secret_in, signed
from service.store.embedded import EmbeddedRedis
from service.wiring.playing import played
from tests.fixtures.redis import short_folder
from tests.fixtures.servers import Cluster

ROOT = Path(__file__).parents[2]
CALLER, EXTERNAL = "+14155550123", "+493012345678"
START_SECONDS = 60.0  # a cold start of Python while other tests run, also many at once
SETTLE_SECONDS = 20.0  # longer than any road these tests take

Answer = Mapping[str, Any]
T = TypeVar("T")


class Server(Protocol):
    """A Redis, whichever kind: one of ours, a Cluster, one with users."""

    @property
    def url(self) -> str:
        """Where it is, once it runs."""
        ...

    def start(self) -> object:
        """Start it on what it kept."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


@dataclass
class Running:
    """A process of ours, and what it said.

    Attributes:
        log: where what it says on standard error goes, if that is kept.
    """

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)
    log: Path | None = None

    async def url(self, door: str) -> str:
        """Return where the door is that the process says it opened."""
        assert self.process.stdout
        async with asyncio.timeout(START_SECONDS):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line)
                if found := re.match(rf"The {door} door is at (\S+)", line):
                    return found.group(1)
        last = self.log.read_text(encoding="utf-8", errors="replace")[-2000:] if self.log else ""
        raise AssertionError(f"it ended before it opened its {door} door: {self.said} {last}")

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        code = await self.process.wait()
        if transport := getattr(self.process, "_transport", None):
            transport.close()
        return code


@dataclass
class Stage:
    """What a story plays on.

    Attributes:
        secret: of the source that speaks when none is named.
        source: its name.
        desks: all sources and their secrets; each acts on an org of its own.
        root: the folder whose `service` is started: another version of it lies elsewhere.
    """

    folder: Path
    redis: Server
    play: str
    environment: dict[str, str]
    secret: bytes
    client: httpx.AsyncClient
    cast: AsyncExitStack
    door: str = ""
    source: str = "desk"
    desks: Mapping[str, bytes] = field(default_factory=dict)
    root: Path = ROOT

    @property
    def seats(self) -> list[Stage]:
        """The stage as each source sees it."""
        return [replace(self, source=source, secret=secret) for source, secret in self.desks.items()]

    async def start(self, *words: str, module: str = "service", **variables: str) -> Running:
        """Start `onhook …`, with settings of its own beside the stage's; it ends with the stage at the latest.

        With `module` it is another program of ours, in the same surroundings.
        """
        command, environment = (sys.executable, "-m", module, *words), self.environment | variables
        written = self.folder / f"{words[0]}.log"
        with written.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command, env=environment, cwd=self.root, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        running = Running(process, log=written)
        self.cast.push_async_callback(running.end, signal.SIGKILL)
        return running

    async def serve(self, **variables: str) -> Running:
        """Start the doors."""
        serving = await self.start("serve", **variables)
        self.door = await serving.url("public")
        return serving

    async def work(self, **variables: str) -> Running:
        """Start a worker, and wait until it works."""
        working = await self.start("work", **variables)
        await working.url("private")
        return working

    def admit(self, role: str) -> str:
        """Let somebody into the console of whatever is started from now on; return the token."""
        token = f"onhook_{secrets.token_urlsafe(32)}"
        hashed = hashlib.sha256(token.encode()).hexdigest()
        said = f'[console.tokens.{role}]\nrole = "{role}"\ntoken_sha256 = "{hashed}"\n'
        with (self.folder / "onhook.toml").open("a", encoding="utf-8") as settings:
            settings.write(said)
        return token

    def kill_redis(self) -> None:
        """End Redis as a power cut ends it, as far as a process can."""
        if isinstance(self.redis, Cluster):
            self.redis.kill()
            return
        with blocking.Redis.from_url(self.redis.url, protocol=2) as client:
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
        self.redis.stop()

    # --- the ticketing system -------------------------------------------------------------------------------------

    async def ticket(self) -> str:
        """Open a ticket; return `table/sys_id`."""
        made = (await self.client.post(f"{self.play}/sandbox/desk/tickets", json={"table": "incident"})).json()
        return f"{made['table']}/{made['sys_id']}"

    async def notes(self, ticket: str) -> list[str]:
        """Return the work notes of a ticket."""
        shown = await self.client.get(f"{self.play}/sandbox/desk/tickets/{ticket}")
        return [note["text"] for note in shown.json()["work_notes"]]

    def webhook(self, conversation: str, *, ticket: str = "", **data: object) -> dict[str, Any]:
        """Return the body of one click, at this moment."""
        table, _, sys_id = ticket.rpartition("/")
        where = {"table": table, "sys_id": sys_id} if ticket else {}
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "type": "caller.remove",
            "timestamp": stamp,
            "data": {"conversation_id": conversation, **(data or {"caller_phone": CALLER}), **where},
        }

    async def post(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        webhook_id: str = "",
        wait: int = 0,
        secret: bytes = b"",
        at: float | None = None,
        source: str = "",
        door: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Sign and post one delivery, to `door` or to the doors that were started last."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        moment = int((time.time() if at is None else at) * 1000)
        signature = signed(secret or self.secret, webhook_id or f"msg_{secrets.token_hex(8)}", moment, raw)
        sent = {"content-type": "application/json", **signature, **(headers or {})}
        if wait:
            sent["prefer"] = f"wait={wait}"
        return await self.client.post(
            f"{door or self.door}/webhooks/{source or self.source}", content=raw, headers=sent
        )

    async def account(self, receipt: Answer) -> dict[str, Any]:
        """Return what `GET /actions/{id}` shows for a receipt."""
        url = httpx.URL(receipt["links"]["self"])
        answer = await self.client.get(f"{self.door}{url.raw_path.decode()}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def settled(self, receipt: Answer, seconds: float = SETTLE_SECONDS) -> dict[str, Any]:
        """Return the account once it has an outcome and its reports are told."""

        async def ended() -> dict[str, Any] | None:
            account = await self.account(receipt)
            told = all(report["state"] in {"told", "dead"} for report in account["reports"])
            return account if account["outcome"] and told else None

        return await eventually(ended, seconds)

    # --- Genesys --------------------------------------------------------------------------------------------------

    async def conversation(self, scenario: str = "conference") -> str:
        """Begin a conversation; return its id."""
        made = await self.client.post(f"{self.play}/sandbox/conversations", json={"scenario": scenario})
        return str(made.json()["conversation_id"])

    async def people(self, conversation: str) -> list[dict[str, Any]]:
        """Return the participants as they truly are."""
        return list((await self.client.get(f"{self.play}/sandbox/conversations/{conversation}")).json()["participants"])

    async def present(self, conversation: str) -> list[str]:
        """Return the purposes of those who are there."""
        return sorted(one["purpose"] for one in await self.people(conversation) if one["present"])

    async def switch(self, conversation: str = "", **switches: object) -> None:
        """Set switches of one conversation, or of all."""
        where = f"/conversations/{conversation}" if conversation else ""
        answer = await self.client.put(f"{self.play}/sandbox{where}/switches", json=switches)
        assert answer.status_code == 200, answer.text

    async def calls(self, method: str = "", conversation: str = "") -> list[dict[str, Any]]:
        """Return the calls that Genesys received."""
        asked = {"service": "genesys"} | ({"conversation": conversation} if conversation else {})
        calls = (await self.client.get(f"{self.play}/sandbox/calls", params=asked)).json()["calls"]
        return [call for call in calls if not method or call["method"] == method]


async def eventually(look: Callable[[], Awaitable[T | None]], seconds: float = SETTLE_SECONDS) -> T:
    """Return what `look` finds, as soon as it finds something."""
    async with asyncio.timeout(seconds):
        while True:
            if (found := await look()) is not None:
                return found
            await asyncio.sleep(0.05)  # real processes: there is nothing else to wait for


@asynccontextmanager
async def staged(
    server: Callable[[Path], Server] = EmbeddedRedis, orgs: Sequence[str] = ("play",)
) -> AsyncIterator[Stage]:
    """Start a Redis and a sandbox, and give a stage on which no process of ours runs yet.

    Args:
        server: makes the Redis, in a folder of its own.
        orgs: their names; the first one's source is called desk, another one's ORG-desk.
    """
    folder = short_folder()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        redis: Server = server(folder)
        redis.start()
        stack.callback(redis.stop)
        play = await stack.enter_async_context(played(0))
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        credentials = (await client.get(f"{play}/sandbox/credentials")).json()
        desks = {"desk" if org == orgs[0] else f"{org}-desk": org for org in orgs}
        secret = {desk: f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}" for desk in desks}
        cast = await stack.enter_async_context(AsyncExitStack())
        environment = _environment(folder, redis.url)
        for desk, org in desks.items():
            environment |= _of_desk(desk, org, play, credentials, secret[desk])
        known = {desk: secret_in(text) for desk, text in secret.items()}
        yield Stage(folder, redis, play, environment, known["desk"], client, cast, desks=known)


def _environment(folder: Path, redis: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ONHOOK_", "COVERAGE_"))}
    doors = {f"ONHOOK_DOORS__{door}": "127.0.0.1:0" for door in ("PUBLIC", "PRIVATE", "WORKER")}
    where = {"ONHOOK_REDIS__URL": redis, "ONHOOK_STATE_DIR": str(folder), "ONHOOK_CONFIG": _empty(folder)}
    return inherited | doors | where


def _of_desk(desk: str, org: str, play: str, credentials: Answer, secret: str) -> dict[str, str]:
    of_org = {
        "API_URL": play,
        "LOGIN_URL": play,
        "CLIENT_ID": credentials["client_id"],
        "CLIENT_SECRET": credentials["client_secret"],
    }
    of_source = {
        "KIND": "servicenow",
        "ORG": org,
        "SECRETS": secret,
        "INSTANCE_URL": play,
        "USERNAME": credentials["desk_user"],
        "PASSWORD": credentials["desk_password"],
        # machines click here, as fast as they can
        "RATE": "0",
        "RUNAWAY": "0",
    }
    name = desk.replace("-", "_").upper()
    said = {f"ONHOOK_ORGS__{org.upper()}__{key}": value for key, value in of_org.items()}
    return said | {f"ONHOOK_SOURCES__{name}__{key}": value for key, value in of_source.items()}


def _empty(folder: Path) -> str:
    """Return an empty settings file, so that none that lies about counts."""
    file = folder / "onhook.toml"
    file.touch()
    return str(file)
