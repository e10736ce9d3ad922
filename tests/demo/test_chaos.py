"""The chaos as a whole, small: it kills, it counts, it fails loudly, and nothing of it is left."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from service.core import model as m
from service.demo import Wish, wreak
from service.demo.chaos import Chaos, conclude, is_over
from service.demo.doomed import Moment
from service.demo.nursery import ARM, Newborn, Nursery
from service.demo.reckoning import Reckoning
from service.demo.screen import Screen
from service.demo.stage import Part, PartDied, Stage
from service.demo.story import Unmet
from service.demo.telling import INTERRUPTED
from service.demo.world import World
from service.wiring.machine import SystemClock, SystemDice
from tests.demo.conftest import Watched
from tests.demo.parts import folder_of, left_of
from tests.demo.test_reckoning import EVIDENCE, GOOD, account
from tests.demo.test_stage import Answering, NoAccounts


class Barren(Nursery):
    """A nursery that is gone."""

    def __init__(self) -> None:
        """Begin without a process."""

    async def listen(self) -> None:
        """Hear nothing, for ever."""
        await asyncio.Event().wait()

    async def bear(self, moment: Moment, *, within_seconds: float = 0.0) -> Newborn:
        """Die."""
        raise PartDied("the nursery ended")


def test_small_chaos(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A worker is killed, what it held is taken over, nothing is lost or done twice, and nothing is left."""
    small = Wish(seconds=1, kills=1, workers=2, clicking_seconds=60.0, silent_seconds=0.1)
    assert wreak(small, as_json=True, evidence=tmp_path / "evidence") == 0
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    figures = json.loads(line)
    assert list(figures) == [
        "kills",
        "recovery_p50_seconds",
        "recovery_p99_seconds",
        "recovery_max_seconds",
        "lost",
        "double",
    ]
    assert figures["kills"] >= 1
    assert (figures["lost"], figures["double"]) == (0, 0)
    more = json.loads((tmp_path / "evidence" / "figures.json").read_text())
    assert more.items() >= figures.items()
    recoveries = (tmp_path / "evidence" / "recoveries.jsonl").read_text().splitlines()
    assert len(recoveries) == more["recoveries"]
    assert "Now nobody clicks" in captured.err
    assert captured.err.count("kill -9 ") >= figures["kills"]


def test_interrupted_and_killed() -> None:
    """A Ctrl-C ends everything, with 130; a killed chaos leaves no process either."""
    command = [sys.executable, "-m", "service", "chaos", "--seconds", "600", "--workers", "2"]
    ends = {signal.SIGINT: INTERRUPTED, signal.SIGKILL: -signal.SIGKILL}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in ends]
    for chaos, (number, code) in zip(running, ends.items(), strict=True):
        with chaos:
            assert chaos.stdout is not None
            assert any("1. kill -9 " in line for line in chaos.stdout)
            folder = folder_of(chaos.pid)
            chaos.send_signal(number)
            chaos.stdout.read()
        assert chaos.returncode == code
        assert left_of(folder) == []
        shutil.rmtree(folder, ignore_errors=True)


async def test_no_workers(screen: Screen, tmp_path: Path) -> None:
    """Without workers there is no chaos, and it says why."""
    stage = Stage(tmp_path, NoAccounts(), Answering(), SystemClock())
    chaos = Chaos(stage, Barren(), cast("Sequence[World]", ()), screen, SystemDice(stage.clock), Wish(1, 1, 2))
    with pytest.raises(PartDied, match="the nursery ended"):
        await chaos.run()


async def test_silence(screen: Screen, tmp_path: Path) -> None:
    """In silence all workers may be killed but one, and so they may again afterwards."""
    stage, wish = Stage(tmp_path, NoAccounts(), Answering(), SystemClock()), Wish(1, 1, 0, silent_seconds=0.2)
    chaos = Chaos(stage, Barren(), cast("Sequence[World]", ()), screen, SystemDice(stage.clock), wish)
    sleepers = [await asyncio.create_subprocess_exec("sleep", "60") for _ in range(3)]
    nobody = cast("Part", None)
    chaos._standing = [Newborn(one.pid, Moment.SEEN, asyncio.Queue(), nobody) for one in sleepers]
    await chaos._be_silent()
    assert [one.is_armed for one in chaos._standing] == [False, True, True]
    assert not chaos.is_silent
    assert [await one.wait() for one in sleepers[1:]] == [-ARM, -ARM]
    sleepers[0].kill()
    await sleepers[0].wait()


def test_conclusion(screen: Screen, stream: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    """People read the figures; the line for programs only comes where it was asked for; a broken promise is said."""
    conclude(GOOD, screen, None, as_json=False)
    assert "between the mark and the PATCH" in stream.getvalue()
    assert capsys.readouterr().out == ""
    lost = Reckoning(replace(EVIDENCE, accounts=()), GOOD.kills, GOOD.accepted)
    with pytest.raises(Unmet, match=r"1 were lost: north\.one; "):
        conclude(lost, screen, None, as_json=True)
    assert json.loads(capsys.readouterr().out)["lost"] == 1


def test_over() -> None:
    """An action is over when it has an outcome and each report is told or dead."""
    told = account()
    assert is_over(told)
    assert not is_over(None)
    assert not is_over(account(outcome=None))
    assert not is_over(replace(told, reports=(replace(told.reports[0], state=m.ReportState.DUE),)))
