"""The stage: hermetic, its secrets in files, and loud when a part of it goes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.demo.stage import STUMBLER, Part, PartDied, Stage, own_variables, variables_of
from service.wiring.house import opened_store
from service.wiring.machine import SystemClock
from tests.demo.parts import below
from tests.fixtures.redis import short_folder

PLAY = "http://127.0.0.1:1"
WIRED: dict[str, dict[str, dict[str, object]]] = {
    "orgs": {"sandbox": {"api_url": PLAY, "login_url": PLAY, "client_id": "id", "client_secret": "hush"}},
    "sources": {"sandbox": {"kind": "standard", "org": "sandbox", "secrets": ["whsec_" + "A" * 44], "reports": []}},
}


class NoAccounts:
    """A store that holds nothing."""

    async def action_ids(self, org: str) -> list[str]:
        """Return none."""
        return []

    async def read(self, action_id: str) -> m.Account | None:
        """Return nothing."""
        return None


class Answering:
    """A Redis that is always there."""

    async def ask(self, *words: str) -> object:
        """Answer."""
        return words


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder whose path leaves room for a socket's name."""
    made = short_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Give a stage with no part on it."""
    empty = Stage(folder, NoAccounts(), Answering(), SystemClock())
    yield empty
    await empty.close()


async def play(stage: Stage, program: str, name: str = "the extra") -> Part:
    """Start a part that runs a program of one line."""
    (stage.folder / "extra.py").write_text(program)
    stage._variables["PYTHONPATH"] = os.fspath(stage.folder)
    return await stage.start(name, "extra")


def test_variables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are told all of their settings by variables, secrets by files; what the operator set is kept out."""
    monkeypatch.setenv("ONHOOK_MISSPELT", "1")
    inherited = settings.inherited_environment()
    assert "PATH" in inherited
    variables = variables_of(WIRED, folder)
    assert "hush" not in variables.values()
    said = settings.read(inherited | own_variables(folder) | variables)
    assert said.orgs["sandbox"].client_secret.get_secret_value() == "hush"
    assert [secret.get_secret_value() for secret in said.sources["sandbox"].secrets] == ["whsec_" + "A" * 44]
    assert (said.doors.public, said.state_dir) == ("127.0.0.1:0", folder)
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


async def test_part_that_speaks(stage: Stage) -> None:
    """What a part says is read from where the asked line begins."""
    part = await play(stage, "print('Good morning'); print('I am at  home'); input()")
    assert await part.said("I am at ") == "home"
    with pytest.raises(PartDied, match=r"^the extra ended; its last words: EOFError"):
        await part.said("Never")


async def test_part_that_says_nothing(stage: Stage) -> None:
    """A part that does not say what it should is waited for only so long."""
    part = await play(stage, "import time; time.sleep(60)")
    with pytest.raises(PartDied, match="the extra did not say “Hello” within 0 s"):
        await part.said("Hello ", within_seconds=0.01)


async def test_part_that_will_not_end(folder: Path) -> None:
    """A part that does not end when told is killed; one without pipes has nothing to say."""
    process = await asyncio.create_subprocess_exec("sleep", "60")
    part = Part("the sleeper", process, folder / "log")
    part.log.touch()
    with pytest.raises(PartDied, match=r"the sleeper ended$"):
        await part.said("anything")
    await part.end(within_seconds=0.01)
    assert process.returncode == -signal.SIGKILL


async def test_work_goes_on(stage: Stage) -> None:
    """While all parts live, what is done on the stage ends as it ends."""
    await play(stage, "import time; time.sleep(60)")

    async def work() -> str:
        return "done"

    async def fail() -> str:
        raise ValueError("of its own")

    assert await stage.during(work()) == "done"
    with pytest.raises(ValueError, match="of its own"):
        await stage.during(fail())


async def test_part_that_dies(stage: Stage) -> None:
    """A part that dies is named, also when the work fails first because of it; one that is meant to go is not."""
    meant = await play(stage, "import time; time.sleep(60)", STUMBLER)
    await meant.end()
    await play(stage, "import sys; sys.exit('of a broken heart')")

    async def fail() -> None:
        raise ConnectionError

    with pytest.raises(PartDied, match=r"^the extra ended; its last words: of a broken heart$"):
        await stage.during(fail())


async def test_redis_that_dies(folder: Path) -> None:
    """A Redis that is gone ends what is done on the stage."""
    async with opened_store(settings.read(own_variables(folder)), may_start=True) as (store, link, _):
        stage = Stage(folder, store, link, SystemClock())
        assert await store.action_ids("sandbox") == []
        # the other tests have a Redis of their own
        ours = {pid: line for pid, line in below(os.getpid()).items() if os.fsencode(folder) in line}
        server = next(pid for pid, line in ours.items() if b"launcher.py" not in line)
        os.kill(server, signal.SIGKILL)
        with pytest.raises(PartDied, match="the Redis ended: Redis did not answer"):
            await stage.during(asyncio.Event().wait())


async def test_stage_that_was_never_set_up(stage: Stage) -> None:
    """A stage closes also before anything was started on it, and twice."""
    await stage.close()
    assert stage.parts == {}
