"""The processes there are: doors, worker, both; and how each ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import uvicorn

from service import settings, telemetry
from service.core.errors import Misconfigured
from service.flow.intake import Intake
from service.flow.worker import Worker
from service.flow.workplace import Workplace
from service.settings import Settings
from service.web.back import private_door
from service.web.front import public_door
from service.web.protocol import Limits, server
from service.wiring.console import console_of
from service.wiring.house import House, opened
from service.wiring.joining import joined
from service.wiring.lifetime import Say
from service.wiring.listening import address_of, listening
from service.wiring.machine import allow_files, version
from service.wiring.playing import played, watched_by, wired_to
from service.wiring.secret import SANDBOX, secret_file, token_file

DRAIN_SECONDS = 2.0  # not ready, yet serving: a load balancer looks every second or two
FILES = 10_000  # both doors full (protocol.Limits), and OWN_FILES
OWN_FILES = 200  # for Redis, Genesys, the desks, the log, and a file that is read
FINISH_SECONDS = 7.5  # for what is in hand; with the drain under ten, after which an orchestrator kills


async def serve(say: Say, *, sandbox_at: str = "") -> int:
    """Run the doors until told to stop; return the process' exit code.

    Args:
        say: is told, line by line, what a person wants to know.
        sandbox_at: wire in the sandbox that runs at this `host:port`.
    """
    async with joined(sandbox_at, settings.state_dir()) as additions:
        said = settings.read(additions=additions)
        _wants(said.sources, "sources", "serve")
        telemetry.configure(said.log.level)
        with listening(said.doors.public) as public, listening(said.doors.private) as private:
            async with opened(said, say, may_start=False) as house:
                return await _run(house, public=public, private=private, works=False)


async def work(say: Say, *, sandbox_at: str = "", through: Callable[[Workplace], Workplace] | None = None) -> int:
    """Work until told to stop; return the process' exit code.

    Args:
        say: is told, line by line, what a person wants to know.
        sandbox_at: wire in the sandbox that runs at this `host:port`.
        through: what the worker works with, made from the real ports: the demo's way to stumble.
    """
    async with joined(sandbox_at, settings.state_dir()) as additions:
        said = settings.read(additions=additions)
        _wants(said.orgs, "orgs", "work")
        telemetry.configure(said.log.level)
        with listening(said.doors.worker) as private:
            async with opened(said, say, may_start=False, through=through) as house:
                return await _run(house, private=private, works=True)


async def up(say: Say, *, sandbox_port: int | None = None) -> int:
    """Run doors and worker in one process, with an embedded Redis where none is configured, until told to stop.

    Args:
        say: is told, line by line, what a person wants to know.
        sandbox_port: also start the sandbox there, in a process of its own, and wire it in.
    """
    async with AsyncExitStack() as stack:
        additions: dict[str, Any] = {}
        play = ""
        if sandbox_port is not None:
            play = await stack.enter_async_context(played(sandbox_port))
            additions = {**await wired_to(play, settings.state_dir()), **watched_by(settings.state_dir())}
        said = settings.read(additions=additions)
        telemetry.configure(said.log.level)
        _wants(said.orgs, "orgs", "up")
        address = said.doors.public
        if sandbox_port is not None and "public" not in said.doors.model_fields_set:
            address = address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - a throw-away secret guards this machine only
        public = stack.enter_context(listening(address))
        private = stack.enter_context(listening(said.doors.private))
        house = await stack.enter_async_context(opened(said, say, may_start=True))
        if sandbox_port is not None:
            _warn(say, play, said)
        return await _run(house, public=public, private=private, works=True)


def _warn(say: Say, play: str, said: Settings) -> None:
    say(f"SANDBOX: a play Genesys Cloud and a play desk at {play}/sandbox/ , wired in as org and source “{SANDBOX}”.")
    say(f"SANDBOX: the source's throw-away secret lies in {secret_file(said.state_dir)} . Not for real callers.")
    say(f"SANDBOX: the console's throw-away token lies in {token_file(said.state_dir)} .")


def _wants(named: Mapping[str, object], section: str, command: str) -> None:
    if not named:
        why = f"{section}: there is none; `onhook {command}` needs at least one [{section}.NAME]"
        raise Misconfigured([f"{why}. To try it without: onhook up --sandbox"])


async def _run(house: House, *, private: socket.socket, works: bool, public: socket.socket | None = None) -> int:
    place, said = house.place, house.said
    worker = Worker(place) if works else None
    doors: list[tuple[str, socket.socket, Any]] = []
    console = None
    if public is not None:
        backlog = said.limits.backlog
        intake = Intake(place.sources, place.store, place.clock, place.dice, place.terms_of, backlog, place.spans)
        public_url = said.doors.public_url or address_of(public)
        front = public_door(
            intake,
            place.store,
            place.waiter,
            place.clock,
            house.refusals,
            public_url=public_url,
            is_draining=place.stopping.is_set,
            wording=place.wording,
        )
        doors.append(("public", public, front))
        console = console_of(house, private, public_url)
    back = private_door(
        version={"version": version(), "worker": place.worker if works else ""},
        claim_age=worker.claim_age_seconds if worker else _no_claims,
        has_started=lambda: True,
        faults=house.faults,
        orgs=house.standing,
        measure=house.measure,
        console=console.answer if console else None,
    )
    doors.append(("private", private, back))
    limits = limits_for(allow_files(FILES))
    servers = [server(app, sock, limits) for _, sock, app in doors]
    parts: list[Coroutine[Any, Any, None]] = [running.serve() for running in servers]
    if worker:
        parts.append(worker.run())
    tasks = [asyncio.create_task(part) for part in parts]
    for name, sock, _ in doors:
        telemetry.emit(telemetry.Event.DOOR_OPENED, door=name, address=address_of(sock))
        house.say(f"The {name} door is at {address_of(sock)}")
    if console:
        house.say(f"The console is at {address_of(private)}/console{_hint(said)}")
    code = await _until_stopped(house, tasks, servers, is_drained=public is not None)
    for name, _, _ in doors:
        telemetry.emit(telemetry.Event.DOOR_CLOSED, door=name)
    return code


def limits_for(files: int) -> Limits:
    """Return what each door grants where a process may have so many files open.

    Connections never take all of them: a door that could not reach Redis any more would answer nobody.
    """
    granted = Limits()
    return replace(granted, connections=min(granted.connections, max((files - OWN_FILES) // 2, 16)))


def _hint(said: Settings) -> str:
    is_open = said.console.tokens or said.console.proxy.header
    return "" if is_open else " , and nobody has a token for it yet: onhook admit NAME --role operator"


def _no_claims() -> None:
    """A process without a worker claims nothing, and lives all the same."""


async def _until_stopped(
    house: House, tasks: Sequence[asyncio.Task[None]], servers: Sequence[uvicorn.Server], *, is_drained: bool
) -> int:
    """Wait for the word or for a part to die; then end in good order, within ten seconds."""
    told = asyncio.create_task(house.stop.said.wait())
    try:
        await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
        is_told = told.done()
        house.stop.is_leaving = True
        if not is_told:
            house.say("A part of this process ended by itself, so all of it ends: the log says why")
        if is_told and is_drained:
            house.stop.said.clear()
            with contextlib.suppress(TimeoutError):  # a second signal is somebody in a hurry
                await asyncio.wait_for(house.stop.said.wait(), DRAIN_SECONDS)
        house.place.stopping.set()
        for running in servers:
            running.should_exit = True
        await asyncio.wait(tasks, timeout=FINISH_SECONDS)
    finally:
        for task in (told, *tasks):  # one that is done does not mind
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            telemetry.emit_fault(result, "wiring")
    return 0 if is_told else 1
