"""How long it takes to begin: a command to its help, the doors to ready, a worker to its first claim."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.commands import command_names
from tests.story.stage import START_SECONDS, Running, Stage, staged

PYTHON, ONHOOK = sys.executable, str(Path(sys.executable).with_name("onhook"))
TYPER = (PYTHON, "-c", "import typer")
POLL_SECONDS = 0.002  # until a port that refused is knocked at again


@dataclass(frozen=True)
class Plan:
    """How much is measured: so many rounds, of so many commands' help (None: of each), after so many uncounted ones."""

    rounds: int
    commands: int | None
    before: int


PLANS = {Size.QUICK: Plan(1, 1, 0), Size.FULL: Plan(9, None, 1)}


@dataclass(frozen=True)
class Run:
    """What a command took: seconds by the clock on the wall, and milliseconds of CPU."""

    seconds: float
    cpu_ms: float


@dataclass
class Seen:
    """What each round gave."""

    empty: list[Run] = field(default_factory=list)
    typer: list[Run] = field(default_factory=list)
    help: list[Run] = field(default_factory=list)
    slowest: list[Run] = field(default_factory=list)
    serve: list[Run] = field(default_factory=list)
    bare: list[Run] = field(default_factory=list)
    claim: list[float] = field(default_factory=list)
    cold_help: list[Run] = field(default_factory=list)
    cold_typer: list[Run] = field(default_factory=list)
    cold_serve: list[Run] = field(default_factory=list)
    cold_bare: list[Run] = field(default_factory=list)


async def measure(size: Size) -> Sequence[Row]:
    """Start each in turn, as often as the size says."""
    plan, seen = PLANS[size], Seen()
    words = list(command_names())[: plan.commands]
    async with staged() as stage:
        for _ in range(plan.before):
            await _round(stage, words[:1], Seen())
        for _ in range(plan.rounds):
            await _round(stage, words, seen)
    return _rows(seen, len(words))


async def _round(stage: Stage, words: Sequence[str], seen: Seen) -> None:
    compiled = _bytecode_in(stage.folder / "bytecode")
    seen.empty.append(await _ran(PYTHON, "-c", "pass", **compiled))
    seen.typer.append(await _ran(*TYPER, **compiled))
    seen.help.append(await _ran(ONHOOK, "--help", **compiled))
    helps = [await _ran(ONHOOK, *some.split(), "--help", **compiled) for some in words]
    seen.slowest.append(max(helps, key=lambda run: run.seconds))
    serving, ready = await _ready(stage, "service", "serve", **compiled)
    seen.serve.append(ready)
    seen.claim.append(await _claimed(stage, compiled))
    await serving.end(signal.SIGKILL)
    seen.bare.append(await _bare(stage, compiled))
    # each time a folder of its own
    seen.cold_typer.append(await _ran(*TYPER, **_bytecode_in(stage.folder / secrets.token_hex(4))))
    seen.cold_help.append(await _ran(ONHOOK, "--help", **_bytecode_in(stage.folder / secrets.token_hex(4))))
    serving, ready = await _ready(stage, "service", "serve", **_bytecode_in(stage.folder / secrets.token_hex(4)))
    await serving.end(signal.SIGKILL)
    seen.cold_serve.append(ready)
    seen.cold_bare.append(await _bare(stage, _bytecode_in(stage.folder / secrets.token_hex(4))))


def _bytecode_in(folder: Path) -> dict[str, str]:
    """Return the variables with which Python keeps bytecode there, and looks for it nowhere else."""
    return {"PYTHONPYCACHEPREFIX": str(folder), "PYTHONDONTWRITEBYTECODE": ""}


async def _bare(stage: Stage, bytecode: Mapping[str, str]) -> Run:
    running, ready = await _ready(stage, "tests.bench.bare", **bytecode)
    await running.end(signal.SIGKILL)
    return ready


async def _ran(*command: str, **variables: str) -> Run:
    """Return what a command took from exec to its end."""
    return await asyncio.to_thread(_waited, command, os.environ | variables)


def _waited(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Run(seconds, (used.ru_utime + used.ru_stime) * 1000)


async def _ready(stage: Stage, module: str, *words: str, **variables: str) -> tuple[Running, Run]:
    """Start something, and return what it took from exec to its first 200 at /readyz."""
    port = _free()
    doors = {"ONHOOK_DOORS__PUBLIC": f"127.0.0.1:{_free()}", "ONHOOK_DOORS__PRIVATE": f"127.0.0.1:{port}"}
    began = time.perf_counter()
    running = await stage.start(*(words or (str(port),)), module=module, **doors, **variables)
    async with asyncio.timeout(START_SECONDS):
        await _answered(port)
    run = Run(time.perf_counter() - began, _cpu_ms(running.process.pid))
    stage.door = f"http://{doors['ONHOOK_DOORS__PUBLIC']}"
    return running, run


async def _answered(port: int) -> None:
    while True:
        if await _is_ready(port):
            return
        await asyncio.sleep(POLL_SECONDS)  # real processes: this is what is measured


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
    said = await reader.read()
    writer.close()
    return said.startswith(b"HTTP/1.1 200 ")


def _cpu_ms(pid: int) -> float:
    """Return what a process has used so far, all its threads."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e6


async def _claimed(stage: Stage, bytecode: Mapping[str, str]) -> float:
    """Return the seconds from exec of a worker until it claimed an action that was waiting."""
    accepted = await stage.post(stage.webhook(await stage.conversation()))
    began = time.time()
    working = await stage.start("work", **bytecode)
    account = await stage.settled(accepted.json())
    await working.end(signal.SIGKILL)
    (claimed,) = (entry["at"] for entry in account["timeline"] if entry["verb"] == "claim")
    return datetime.fromisoformat(claimed).timestamp() - began


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _rows(seen: Seen, count: int) -> list[Row]:
    quick, second = Goal(Kind.PLAIN, Better.LOWER, 0.25), Goal(Kind.PLAIN, Better.LOWER, 1)
    typer_alone, bare = "python -c 'import typer'", "uvicorn with an empty Starlette"
    return [
        Row("onhook --help", "s", _seconds(seen.help), typer_alone, _seconds(seen.typer), quick, digits=3),
        Row(
            f"the slowest --help of {count} commands",
            "s",
            _seconds(seen.slowest),
            typer_alone,
            _seconds(seen.typer),
            quick,
            digits=3,
        ),
        Row("CPU of onhook --help", "ms", _cpu(seen.help), "python -c pass", _cpu(seen.empty), digits=0),
        Row("CPU of importing typer", "ms", _cpu(seen.typer), "python -c pass", _cpu(seen.empty), digits=0),
        Row("onhook serve, from exec to ready", "s", _seconds(seen.serve), bare, _seconds(seen.bare), second, digits=3),
        Row("CPU of onhook serve until ready", "ms", _cpu(seen.serve), bare, _cpu(seen.bare), digits=0),
        Row("onhook work, from exec to its first claim", "s", seen.claim, digits=3),
        Row(
            "onhook --help where nothing is compiled, Python neither",
            "s",
            _seconds(seen.cold_help),
            typer_alone,
            _seconds(seen.cold_typer),
            digits=3,
        ),
        Row(
            "onhook serve, to ready, where nothing is compiled, Python neither",
            "s",
            _seconds(seen.cold_serve),
            bare,
            _seconds(seen.cold_bare),
            digits=3,
        ),
    ]


def _seconds(runs: Sequence[Run]) -> list[float]:
    return [run.seconds for run in runs]


def _cpu(runs: Sequence[Run]) -> list[float]:
    return [run.cpu_ms for run in runs]
