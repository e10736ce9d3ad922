"""The full run of every Redis there is, in one command that leaves its evidence behind."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.findings import write_evidence
from tests.fixtures.servers import BRANDS, CLUSTER

ROOT = Path(__file__).parents[2]
PROMISES = "tests/story/test_promises.py"
PROVED_BY = (
    PROMISES,
    "tests/store/test_every_server.py",
    "tests/store/test_cluster.py",
    "tests/store/test_sentinel.py",
    "tests/story/test_cluster.py",
)
NUMBERED = 9  # the promises that stand in the README
COMMAND = "uv run pytest -m slow tests/story/test_every_server.py"


@pytest.mark.slow
async def test_every_promise_on_every_server(tmp_path: Path) -> None:
    """Every promise holds on each kind of server, nothing is skipped, and each says which version it is."""
    report = tmp_path / "report.xml"
    # the newer kind of report has no room for what a test notes down
    how = ("-n", "0", "-m", "slow or not slow", "-o", "junit_family=xunit1", f"--junitxml={report}")
    words = ("-m", "pytest", *how, *PROVED_BY)
    child = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
    await child.wait()
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - written by ourselves a moment ago
    findings = [_name(case) for case in cases if _has(case, "failure", "error")]
    passed = Counter(_server(case) for case in cases if not _has(case, "skipped"))
    promises = Counter(_server(case) for case in cases if "test_promises" in case.get("classname", ""))
    versions = {_server(case): one.get("value") for case in cases for one in case.iter("property")}
    failed = Counter(_server(case) for case in cases if _name(case) in findings)
    counters = {f"passed on {server}": number - failed[server] for server, number in passed.items()}
    write_evidence("servers", command=COMMAND, counters=counters, findings=findings, versions=versions)
    assert child.returncode == 0, findings
    servers = {*BRANDS, CLUSTER}
    assert {server: promises[server] for server in servers} == dict.fromkeys(servers, NUMBERED)
    assert versions.keys() == servers


def _has(case: ET.Element, *kinds: str) -> bool:
    return any(case.find(kind) is not None for kind in kinds)


def _name(case: ET.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def _server(case: ET.Element) -> str:
    """Return which kind of server a test ran on."""
    found = re.search(rf"[\[-]({'|'.join(map(re.escape, (*BRANDS, CLUSTER)))})[\]-]", case.get("name", ""))
    by_file = "sentinel" if "sentinel" in case.get("classname", "") else CLUSTER
    return found.group(1) if found else by_file
