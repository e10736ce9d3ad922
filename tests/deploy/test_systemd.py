"""deploy/systemd: the units are valid, leave little open, and what they start with their settings runs and works."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.fixtures.servers import free_port
from tests.needs import needs
from tests.story.stage import Stage, eventually, staged

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
EXPOSED_MOST = 2.0  # of ten; 9.6 is a service that says nothing, below 2.0 systemd itself is content
STOP_SECONDS = 15.0


def said(unit: Path, name: str) -> list[str]:
    """Return what a unit says under a name, in order."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def test_systemd_finds_no_fault() -> None:
    """Every line is known to systemd; the program alone is not on this machine."""
    units = [str(unit) for unit in (*SERVICES, FOLDER / "onhook.target")]
    ended = subprocess.run([needs("systemd-analyze"), "verify", *units], capture_output=True, text=True, check=False)
    found = [line for line in ended.stderr.splitlines() if "/opt/onhook/bin/onhook is not executable" not in line]
    assert found == []
    assert ended.stderr.count("is not executable") == len(SERVICES)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_little_is_open(unit: Path) -> None:
    """What systemd counts as exposed is little."""
    command = [needs("systemd-analyze"), "security", "--offline=true", str(unit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    (exposed,) = re.findall(r"Overall exposure level for \S+ ([0-9.]+)", ended.stdout)
    assert float(exposed) <= EXPOSED_MOST


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_there_is_time_to_end(unit: Path) -> None:
    """Nobody is killed while he still gives leases back, and settings that are wrong are not tried for ever."""
    (stop,) = said(unit, "TimeoutStopSec")
    assert float(stop) > STOP_SECONDS
    assert said(unit, "RestartPreventExitStatus") == ["2"]
    assert said(unit, "Restart") == ["always"]


def _command(unit: Path, stage: Stage, credentials: Path, instance: str) -> tuple[Sequence[str], dict[str, str]]:
    """Return what the unit starts and in which surroundings, with its specifiers filled and its places moved here."""
    (program,) = said(unit, "ExecStart")
    _, _, words = program.partition("/opt/onhook/bin/onhook ")
    pairs = [line.partition("=")[::2] for line in said(unit, "Environment")]
    filled = {
        name: value.replace("%d", str(credentials)).replace("%t", str(stage.folder / "run")).replace("%i", instance)
        for name, value in pairs
    }
    filled["ONHOOK_CONFIG"] = str(stage.folder / "onhook.toml")
    return words.split(), filled


async def test_the_units_run_as_they_say() -> None:
    """Both start with nothing but what their units give them, do a removal, and end in time with 0."""
    async with staged() as stage:
        credentials = stage.folder / "credentials"
        credentials.mkdir()
        for unit in SERVICES:
            for one in said(unit, "LoadCredential"):
                (credentials / one.partition(":")[0]).write_text(stage.environment["ONHOOK_REDIS__URL"])
        serve, work = (next(unit for unit in SERVICES if name in unit.name) for name in ("serve", "work"))
        # the file that an operator writes; a machine of many tests has other free ports
        del stage.environment["ONHOOK_REDIS__URL"], stage.environment["ONHOOK_STATE_DIR"]
        del stage.environment["ONHOOK_DOORS__WORKER"]
        words, settings = _command(serve, stage, credentials, "")
        serving = await stage.start(*words, **settings)
        stage.door = await serving.url("public")
        words, settings = _command(work, stage, credentials, "1")
        assert settings["ONHOOK_DOORS__WORKER"] == "127.0.0.1:8091"
        working = await stage.start(*words, **settings | {"ONHOOK_DOORS__WORKER": f"127.0.0.1:{free_port()}"})
        private = await working.url("private")

        async def is_alive() -> bool | None:
            return (await stage.client.get(f"{private}/livez")).status_code == httpx.codes.OK or None

        await eventually(is_alive)
        receipt = await stage.post(stage.webhook(await stage.conversation()))
        assert (await stage.settled(receipt.json()))["outcome"]["kind"] == "disconnected"
        assert not (stage.folder / "run").exists(), "nothing is written beside Redis"
        for running in (serving, working):
            assert await running.end(signal.SIGTERM) == os.EX_OK
