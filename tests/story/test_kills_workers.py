"""Promises 2, 4 and 7 under kill -9 of workers, run as anybody can run it: `onhook chaos`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.findings import write_evidence

P99_SECONDS = 8.0  # the promise
FULL = 300
KEYS = ["kills", "recovery_p50_seconds", "recovery_p99_seconds", "recovery_max_seconds", "lost", "double"]
MOMENTS = {"claimed", "marked", "sending", "sent", "seen", "telling", "told"}


@pytest.mark.parametrize("kills, seconds", [(20, 10), pytest.param(FULL, 240, marks=pytest.mark.slow)])
def test_killed_workers(kills: int, seconds: int, tmp_path: Path) -> None:
    """However many workers are killed at whatever moment, nothing is lost or double, and the p99 of recovery is 8 s."""
    words = ["chaos", "--seconds", str(seconds), "--kills", str(kills), "--json"]
    command = [sys.executable, "-m", "service", *words, "--evidence", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    said = ended.stderr[-5_000:]
    assert (tmp_path / "figures.json").exists(), said
    more = json.loads((tmp_path / "figures.json").read_text())
    if kills == FULL:
        counters = {name: count for name, count in more.items() if isinstance(count, int)}
        counters |= {f"killed_{moment}": count for moment, count in more["killed"].items()}
        findings = said.splitlines()[-1:] if ended.returncode else []
        figures = {name: value for name, value in more.items() if name.startswith("recovery_")}
        write_evidence(
            "kill_workers",
            command=f"onhook {' '.join(words)}",
            counters=counters,
            findings=findings,
            figures=figures,
            outcomes=more["outcomes"],
        )
    assert ended.returncode == 0, said
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert list(figures) == KEYS
    assert figures["kills"] >= kills
    assert (figures["lost"], figures["double"]) == (0, 0)
    assert figures["recovery_p99_seconds"] <= P99_SECONDS
    assert set(more["killed"]) == MOMENTS
    assert min(more["killed"].values()) > 0
    assert more["recoveries_in_silence"] > 0
