"""The demo as a whole: it ends well, it fails loudly, and nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from service.core.errors import Misconfigured
from service.demo import tell
from service.demo.figures import Evidence
from service.demo.screen import Screen
from service.demo.stage import Stage
from service.demo.story import SCENES, Unmet
from service.demo.telling import FAILED, INTERRUPTED, Telling, played_out
from service.demo.world import World
from tests.demo.conftest import Watched
from tests.demo.parts import below, folder_of, left_of, lies_there, part_of
from tests.demo.test_figures import EVIDENCE, KILL

FIGURES = {
    "deliveries": 12,
    "actions": 7,
    "disconnect_calls": 6,
    "refused_calls": 1,
    "outcomes": {"already_gone": 1, "disconnected": 6},
    "bystanders_lost": 0,
    "tickets_told": 7,
    "notes_written": 7,
}


class StorylessTelling(Telling):
    """A telling that comes to the end of its story at once."""

    async def _play(self, stage: Stage, world: World) -> None:
        assert stage.parts
        assert world.door


class EndlessTelling(Telling):
    """A telling that is nowhere near its end."""

    async def _tell(self) -> int:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return] # it never returns


def test_whole_story(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The whole demo ends with 0, its last line are the figures, and each scene and note was shown."""
    assert tell(is_once=True, as_json=True, evidence=tmp_path / "new" / "evidence") == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out.splitlines()[-1])
    recovered = figures.pop("recovered_after_kill_seconds")
    assert figures == FIGURES
    assert 0 < recovered <= 8
    for scene in SCENES:
        assert scene.name in captured.err
    assert captured.err.count("Remove Caller: ") == FIGURES["notes_written"]
    calls = [json.loads(line) for line in (tmp_path / "new" / "evidence" / "calls.jsonl").read_text().splitlines()]
    patches = [call["status"] for call in calls if call["service"] == "genesys" and call["method"] == "PATCH"]
    assert sorted(patches) == [202] * 6 + [409]


async def test_dead_part(screen: Screen, stream: Watched) -> None:
    """When a part dies midway the demo says which, ends with 1, and leaves nothing."""
    folder = b""

    def kill_the_sandbox() -> None:
        nonlocal folder
        folder = folder_of(os.getpid())
        os.kill(part_of(os.getpid(), b"sandbox"), signal.SIGKILL)

    stream.word, stream.then = f"2. {SCENES[1].name}", kill_the_sandbox
    assert await Telling(screen, is_once=True, as_json=False, evidence=None).run() == FAILED
    assert "the sandbox ended" in stream.getvalue().splitlines()[-1]
    assert folder
    assert left_of(folder) == []
    assert not lies_there(folder)


async def test_staying_up(screen: Screen, stream: Watched) -> None:
    """After the story everything stays up, the curl line removes a caller; Ctrl-C ends it with 0 and nothing left."""
    is_up = asyncio.Event()
    stream.word, stream.then = "/sandbox/desk/tickets/", is_up.set
    telling = asyncio.create_task(StorylessTelling(screen, is_once=False, as_json=False, evidence=None).run())
    async with asyncio.timeout(60):
        await is_up.wait()
    folder = folder_of(os.getpid())
    curl, send, look = [line for line in stream.getvalue().splitlines() if line.startswith(("curl", "onhook"))]
    words = shlex.split(curl)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(words[-1], headers=headers, content=words[words.index("--data-binary") + 1])
        assert answer.json()["outcome"]["kind"] == "disconnected"
        ticket = (await client.get(look.split()[-1])).json()
    assert ticket["number"] in stream.getvalue()
    assert f"--secret-file {os.fsdecode(folder)}/sandbox-secret" in send
    os.kill(os.getpid(), signal.SIGINT)
    assert await telling == 0
    assert left_of(folder) == []


async def test_interrupted_story(screen: Screen, stream: Watched) -> None:
    """A signal in the middle ends the demo, and not with 0."""
    telling = asyncio.create_task(EndlessTelling(screen, is_once=True, as_json=False, evidence=None).run())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await telling == INTERRUPTED
    assert "Everything has ended." in stream.getvalue()


def test_killed_demo(tmp_path: Path) -> None:
    """A demo that is killed with kill -9 leaves no process either."""
    command = [sys.executable, "-m", "service", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:
        assert demo.stdout is not None
        assert any(line.startswith("1. ") for line in demo.stdout)
        folder = folder_of(demo.pid)
        assert len(below(demo.pid)) > len(("sandbox", "serve", "work", "work"))
        demo.kill()
    began = time.monotonic()
    assert left_of(folder) == [], f"after {time.monotonic() - began:.0f} s"
    shutil.rmtree(folder)


def test_reader_that_goes() -> None:
    """`onhook demo | head` ends with 1 and without a word more than was read."""
    readable, writable = os.pipe()
    os.close(readable)
    command = [sys.executable, "-m", "service", "demo", "--once"]
    ended = subprocess.run(command, stdout=writable, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writable)
    assert (ended.returncode, ended.stderr) == (FAILED, "")


async def test_stopped_and_not_read() -> None:
    """A signal when nobody reads any more ends everything too, and with 1."""
    has_ended = False

    async def play() -> int:
        nonlocal has_ended
        try:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return] # it never returns
        finally:
            await asyncio.sleep(0)
            has_ended = True

    readable, writable = os.pipe()
    os.close(readable)
    with contextlib.suppress(BrokenPipeError), os.fdopen(writable, "w") as unread:
        playing = asyncio.create_task(played_out(play(), Screen(Console(file=unread), lambda: 0), "It ended."))
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        assert await playing == FAILED
    assert has_ended


def test_figures_that_do_not_add_up(screen: Screen, stream: Watched, tmp_path: Path) -> None:
    """Figures that contradict each other end the demo in words, and the evidence is there to look at."""
    telling = Telling(screen, is_once=True, as_json=True, evidence=tmp_path)
    with pytest.raises(Unmet, match="was claimed after None s"):
        telling._conclude(Evidence((), (), (), ()), None)
    assert "never" in stream.getvalue()
    assert (tmp_path / "calls.jsonl").read_text() == ""


def test_figures_for_people(screen: Screen, stream: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures that add up are shown; the line for programs only comes where it was asked for."""
    Telling(screen, is_once=True, as_json=False, evidence=None)._conclude(EVIDENCE, KILL)
    assert "6.50 s" in stream.getvalue()
    assert capsys.readouterr().out == ""


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder for the evidence that cannot be made is said before anything is started."""
    (tmp_path / "file").touch()
    output = contextlib.redirect_stdout(io.StringIO())  # no terminal, and no file either
    with output, pytest.raises(Misconfigured, match=r"--evidence: .*/file/folder cannot be used"):
        tell(is_once=True, as_json=False, evidence=tmp_path / "file" / "folder")
