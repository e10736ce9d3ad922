"""What the story is played on: a Redis, the sandbox, one receiver and two workers, all gone when the block ends.

Each part is a process of its own under the launcher that also keeps the embedded Redis: it ends its part when our end
of its standard input closes. So nothing is left behind, however this process goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from service import settings
from service.core import model as m
from service.core.errors import OnhookError, StoreDown
from service.demo.world import World
from service.wiring.house import opened_store
from service.wiring.machine import SystemClock
from service.wiring.playing import tied, wired_to
from service.wiring.secret import SANDBOX, throw_away_secret

START_SECONDS = 30.0  # a cold start of Python takes one or two; this is for a machine that does much else
END_SECONDS = 5.0  # the launcher gives its part three, then kills it
NOTICE_SECONDS = 1.0  # the launcher looks twice a second whether its part is still there
REDIS_LOOK_SECONDS = 1.0
SANDBOX_PART = "the sandbox"
STUMBLER = "the worker to be killed"
WORKERS = ("worker one", "worker two")
SECRETS = frozenset({"client_secret", "secrets", "password"})  # these go into files, as an operator would do it

_T = TypeVar("_T")


class Accounts(Protocol):
    """What the demo reads in the store: everything that is known of every action."""

    async def action_ids(self, org: str) -> list[str]:
        """Return the ids of all actions of `org`."""
        ...

    async def read(self, action_id: str) -> m.Account | None:
        """Return everything known about an action."""
        ...


class Asking(Protocol):
    """Redis itself, asked a plain command."""

    async def ask(self, *words: str) -> object:
        """Return its answer, or raise StoreDown."""
        ...


class PartDied(OnhookError):
    """A part of the stage is gone, or never came up; the message names it."""


@dataclass(slots=True)
class Part:
    """One process of the stage.

    Attributes:
        name: what people call it.
        process: its launcher.
        log: where its log lines go.
        is_ending: it is meant to go, so that is no accident.
    """

    name: str
    process: asyncio.subprocess.Process
    log: Path
    is_ending: bool = False

    async def said(self, beginning: str, *, within_seconds: float = START_SECONDS) -> str:
        """Return the rest of the next line on its standard output that starts with `beginning`.

        Raises:
            PartDied: it ended before, or said nothing for too long.
        """
        try:
            async with asyncio.timeout(within_seconds):
                while line := await _line(self.process):
                    if line.startswith(beginning):
                        return line.removeprefix(beginning).strip()
        except TimeoutError:
            raise PartDied(f"{self.name} did not say “{beginning.strip()}” within {within_seconds:.0f} s") from None
        raise PartDied(self.last_words)

    @property
    def last_words(self) -> str:
        """That it ended, and the last line of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"{self.name} ended" + (f"; its last words: {lines[-1][:300]}" if lines else "")

    def freeze(self) -> None:
        """Stop it as the machine's scheduler might: it does nothing more, and knows nothing of it."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)

    async def end(self, *, within_seconds: float = END_SECONDS) -> None:
        """Tell it to end, and return when it is gone; one that takes too long is killed."""
        self.is_ending = True
        self.thaw()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), within_seconds)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


@dataclass(slots=True)
class Stage:
    """The processes, and where they are reached.

    Attributes:
        folder: the state directory of all parts, removed at the end.
        play: the URL of the sandbox.
        door: the URL of the public door.
        secrets: by source, what the play ServiceNow signs with, as it is written in settings.
        org: the name of the one org, and of the one source, of the story.
    """

    folder: Path
    store: Accounts
    link: Asking
    clock: SystemClock
    org: str = SANDBOX
    play: str = ""
    door: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)
    _accident: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    async def play_sandbox(self, redis_url: str, orgs: Sequence[str] = (SANDBOX,)) -> None:
        """Start the sandbox, and wire whatever is started after it to it.

        Args:
            redis_url: where the others find Redis.
            orgs: one org and one source of each name; to the sandbox they are one customer, with a token each.

        Raises:
            PartDied: it did not come up.
        """
        sandbox = await self.start(SANDBOX_PART, "service", "sandbox", "--port", "0")
        self.play = (await sandbox.said("The sandbox is at ")).split()[0]
        wired = await wired_to(self.play, self.folder)
        org, source = wired["orgs"][SANDBOX], wired["sources"][SANDBOX]
        self.secrets = {SANDBOX: source["secrets"][0]}
        self.secrets |= {name: throw_away_secret(self.folder / name) for name in orgs if name != SANDBOX}
        sources = {name: source | {"org": name, "secrets": [self.secrets[name]]} for name in orgs}
        wired = {"orgs": dict.fromkeys(orgs, org), "sources": sources}
        self._variables |= {"ONHOOK_REDIS__URL": redis_url, **variables_of(wired, self.folder)}

    async def set_up(self, redis_url: str) -> None:
        """Start the sandbox, then, wired to it, the receiver, two workers, and the one that will be killed.

        Raises:
            PartDied: one of them did not come up.
        """
        await self.play_sandbox(redis_url)
        receiver = await self.start("the receiver", "service", "serve")
        workers = [await self.start(name, "service", "work") for name in WORKERS]
        self.door, *_ = await asyncio.gather(
            receiver.said("The public door is at "), *(worker.said("The private door is at ") for worker in workers)
        )
        await self.start(STUMBLER, "service.demo.stumbling")  # it holds still until it is let go

    def world(self, source: str) -> World:
        """Return the outside as `source` sees it."""
        return World(self.play, self.door, source, self.secrets[source], self.clock)

    @contextlib.contextmanager
    def frozen_workers(self) -> Iterator[None]:
        """Stop the two workers while the block runs; they hold nothing then, so nobody waits for them."""
        workers = [self.parts[name] for name in WORKERS]
        for worker in workers:
            worker.freeze()
        try:
            yield
        finally:
            for worker in workers:
                worker.thaw()

    async def now_at(self) -> int:
        """Return Redis' own clock, in milliseconds: all moments of timelines are by it."""
        seconds, micros = cast("tuple[int, int]", await self.link.ask("TIME"))
        return int(seconds) * 1000 + int(micros) // 1000

    async def start(self, name: str, module: str, *words: str, is_tied: bool = True) -> Part:
        """Start `python -m module words…` as the part `name`; without `is_tied` it must end with its standard input."""
        command = (sys.executable, "-m", module, *words)
        log = self.folder / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(tied(*command) if is_tied else command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=settings.inherited_environment() | own_variables(self.folder) | self._variables,
                start_new_session=True,  # a Ctrl-C is ours to handle; and launcher and part are one group
            )
        part = self.parts[name] = Part(name, process, log)
        self._waiting.add(asyncio.create_task(self._await_accident(part)))
        return part

    async def during(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what `work` returns, as long as no part dies meanwhile.

        Raises:
            PartDied: one did: then `work` is given up, and whatever it raised came of that.
        """
        working, watching = asyncio.create_task(work), asyncio.create_task(self._watch())
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if working.done() and working.exception() is not None:
                await asyncio.wait({watching}, timeout=NOTICE_SECONDS)
            if watching.done():
                watching.result()
            return working.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def close(self) -> None:
        """End all parts, the workers and the receiver together, the sandbox last: they may still be telling it."""
        last = self.parts.pop(SANDBOX_PART, None)
        await asyncio.gather(*(part.end() for part in self.parts.values()))
        if last is not None:
            await last.end()
        await asyncio.gather(*self._waiting)

    async def _await_accident(self, part: Part) -> None:
        await part.process.wait()
        if not part.is_ending:
            self._accident.set()

    async def _watch(self) -> None:
        """Raise PartDied when a part ends unasked; the embedded Redis has no process here, so it is asked."""
        while not self._accident.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._accident.wait(), REDIS_LOOK_SECONDS)
            try:
                await self.link.ask("PING")
            except StoreDown as fault:
                raise PartDied(f"the Redis ended: {fault}") from fault
        dead = [part for part in self.parts.values() if part.process.returncode is not None and not part.is_ending]
        raise PartDied("; ".join(part.last_words for part in dead))


@asynccontextmanager
async def staged(set_up: Callable[[Stage, str], Awaitable[None]] = Stage.set_up) -> AsyncIterator[Stage]:
    """Set the stage up, and take it down however the block ends.

    Args:
        set_up: starts the parts; it is given the stage and where Redis is.

    Raises:
        Misconfigured: there is no Redis to start.
        PartDied: a part did not come up.
    """
    with tempfile.TemporaryDirectory(prefix="onhook-demo-", ignore_cleanup_errors=True) as made:  # its mode is 0700
        folder = Path(made)
        async with opened_store(settings.read(own_variables(folder)), may_start=True) as (store, link, url):
            stage = Stage(folder, store, link, SystemClock())
            try:
                await set_up(stage, url)
                yield stage
            finally:
                await stage.close()


def own_variables(folder: Path) -> dict[str, str]:
    """Return what keeps an operator's own settings out, and all doors on free ports of this machine."""
    doors = {f"ONHOOK_DOORS__{door}": "127.0.0.1:0" for door in ("PUBLIC", "PRIVATE", "WORKER")}
    # an empty file: whatever onhook.toml lies where the demo is started is not for it
    return {settings.CONFIG: os.devnull, settings.STATE_DIR: os.fspath(folder), **doors}


def variables_of(wired: Mapping[str, Mapping[str, Mapping[str, Any]]], folder: Path) -> dict[str, str]:
    """Return sections of settings as environment variables, with the secrets in files of `folder`."""
    variables = {}
    for section, named in wired.items():
        for name, fields in named.items():
            for key, value in fields.items():
                text = "\n".join(value) if isinstance(value, list) else str(value)
                variable = f"{settings.PREFIX}{section}__{name}__{key}".upper()
                if key in SECRETS:
                    path = folder / f"{section}-{name}-{key}"
                    path.touch(mode=0o600)
                    path.write_text(text, encoding="utf-8")
                    variable, text = variable + settings.FROM_FILE, os.fspath(path)
                variables[variable] = text
    return variables


async def _line(process: asyncio.subprocess.Process) -> str:
    return (await process.stdout.readline()).decode(errors="replace") if process.stdout else ""
