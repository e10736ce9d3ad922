"""The wheel, as somebody installs it who has nothing else of ours, on each Python that is on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.findings import write_evidence

SCRIPT = Path(__file__).with_name("build_wheel.sh")
COMMAND = "uv run pytest -n 0 -m slow tests/deploy/test_wheel.py"
WHEEL_SECONDS = 1200  # two environments, a story, the promises; two minutes where nothing else runs
MINORS = range(11, 15)  # those that .github/workflows/ci.yml names


def pythons() -> dict[str, Path]:
    """Return where each Python is that we promise to run on: on the PATH, or beside the one that runs this."""
    found: dict[str, Path] = {}
    for minor in MINORS:
        beside = Path(sys.base_prefix).parent.glob(f"*3.{minor}.*/bin/python3.{minor}")
        on_path = shutil.which(f"python3.{minor}")
        there = [*([Path(on_path)] if on_path else []), *sorted(beside)]
        if (first := next(filter(_runs, there), None)) is not None:
            found[f"3.{minor}"] = first
    return found


def _runs(python: Path) -> bool:
    """Whether it is a Python: a name on the PATH may be a launcher that finds nothing behind it."""
    return subprocess.run((python, "-c", ""), capture_output=True, check=False).returncode == 0


def faults_in(version: str, facts: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a wheel, a sentence each, by what was found when it was installed and run."""
    story = json.loads(facts.get("demo") or "{}")
    wanted = {
        "it runs on this Python": facts.get("python", "").startswith(f"{version}."),
        "it removes the demo's callers": story.get("outcomes", {}).get("disconnected") == story.get("disconnect_calls"),
        "it removes nobody else": story.get("bystanders_lost") == 0,
        "it tells each ticket": bool(story) and story.get("tickets_told") == story.get("notes_written"),
        "it keeps the promises": int(facts.get("promises", 0)) >= 1,
    }
    return [f"{version}: not so: {promise}" for promise, is_so in wanted.items() if not is_so]


def test_what_is_wrong_with_a_wheel() -> None:
    """A wheel of which nothing was found is wrong, and so is one that was tried on another Python."""
    assert len(faults_in("3.13", {})) >= 4
    story = {"outcomes": {"disconnected": 6}, "disconnect_calls": 6, "tickets_told": 7, "notes_written": 7}
    good = {"python": "3.13.1", "demo": json.dumps(story | {"bystanders_lost": 0}), "promises": "8"}
    assert faults_in("3.13", good) == []
    assert faults_in("3.1", good) == ["3.1: not so: it runs on this Python"]
    assert faults_in("3.13", good | {"demo": json.dumps(story)}) == ["3.13: not so: it removes nobody else"]


@pytest.mark.slow
def test_the_wheel(tmp_path: Path) -> None:
    """On each Python here the wheel with its extra, alone in a fresh place, tells the story and keeps the promises."""
    here, findings, facts = pythons(), list[str](), dict[str, dict[str, str]]()
    for version, python in here.items():
        with (tmp_path / version).open("wb") as log:
            surroundings = os.environ | {"PYTHON": str(python)}
            command = ("bash", SCRIPT)
            ended = subprocess.run(
                command, env=surroundings, stdout=subprocess.PIPE, stderr=log, timeout=WHEEL_SECONDS, check=False
            )
        assert ended.returncode == 0, (tmp_path / version).read_text(errors="replace")[-4000:]
        facts[version] = dict(re.findall(r"^fact (\S+) ?(.*)$", ended.stdout.decode(), re.MULTILINE))
        findings += faults_in(version, facts[version])
    write_evidence(
        "wheel",
        command=COMMAND,
        counters={f"promises kept on {version}": int(found["promises"]) for version, found in facts.items()},
        findings=findings,
        facts=facts,
        untested=[f"Python 3.{minor}" for minor in MINORS if f"3.{minor}" not in here],
    )
    assert findings == []
    assert here
