"""`onhook tail` and `onhook audit`: what happens as it happens, and what was written down."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import cast

import pytest

from tests.cli.conftest import Commands
from tests.wiring.kept import Kept
from tests.wiring.running import until


def test_tail(kept: Kept, onhook: Commands, tmp_path: Path) -> None:
    """Each thing that happens is a line of JSON at once, and Ctrl-C ends it well."""
    said = tmp_path / "said"
    with (
        said.open("wb") as out,
        subprocess.Popen(
            (sys.executable, "-m", "service", "tail", "--json"),
            env=os.environ,
            stdout=out,
            stderr=subprocess.PIPE,
        ) as process,
    ):

        def is_told() -> bool:
            asyncio.run(kept.settled())  # until one is told: it begins to follow when it likes
            return b'"accepted"' in said.read_bytes() and b'"settled"' in said.read_bytes()

        until(is_told, 60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    events = [json.loads(line) for line in said.read_text().splitlines()]
    assert {one["event"] for one in events} == {"accepted", "settled"}
    assert list(events[0])[:3] == ["event", "at", "action"]


@pytest.mark.parametrize("words", [("tail",), ("tail", "--json"), ("audit", "--follow")])
def test_in_this_process(kept: Kept, onhook: Commands, words: tuple[str, ...]) -> None:
    """It is told in a pipe as lines with tabs, or as JSON, until a signal, which ends it well."""
    out = sys.stdout
    assert isinstance(out, io.TextIOWrapper)

    def interrupt() -> None:
        def is_told() -> bool:
            asyncio.run(kept.settled())  # until one is told: it begins to follow when it likes
            return b"disconnected" in cast("io.BytesIO", out.buffer).getvalue()

        until(is_told, 60)
        os.kill(os.getpid(), signal.SIGINT)

    watching = threading.Thread(target=interrupt)
    watching.start()
    code = onhook(*words)
    watching.join()
    assert (code, onhook.err) == (0, "")
    line = onhook.out.splitlines()[0]
    if "--json" in words:
        assert json.loads(line)["event"] in {"accepted", "settled"}
    else:
        assert line.split("\t")[1] in {"accepted", "settled", "settle"}


def test_audit(kept: Kept, onhook: Commands) -> None:
    """The audit is shown as rows, as JSON Lines or as CSV; from a moment on, of one org, and to a moment."""
    action_id = asyncio.run(kept.settled(requester="=beth"))
    assert onhook("pause", "--org", "acme", "--why", "flood, says beth") == 0
    assert onhook("resume", "--org", "acme") == 0
    assert (onhook("audit", "--since", "1h"), onhook.err) == (0, "")
    rows = [line.split("\t") for line in onhook.out.splitlines()]
    assert [row[1] for row in rows] == ["settle", "pause", "resume"]
    assert (rows[0][2], rows[0][6], rows[1][10]) == (action_id, "…0123", "flood, says beth")
    assert onhook("audit", "--format", "csv") == 0
    lines = list(csv.DictReader(io.StringIO(onhook.out)))
    assert [line["deed"] for line in lines] == ["settle", "pause", "resume"]
    assert lines[0]["requester"] == "'=beth"
    assert onhook("audit", "--json") == 0
    assert [list(json.loads(line)) for line in onhook.out.splitlines()] == [list(lines[0])] * 3
    assert (onhook("audit", "--org", "beta"), onhook.out) == (0, "")
    assert (onhook("audit", "--until", "1h"), onhook.out) == (0, "")


def test_what_cannot_be_followed(onhook: Commands) -> None:
    """What has an end is not followed; a moment that is none is said."""
    assert onhook("audit", "--follow", "--until", "1h") == 2
    assert "--follow and --until" in onhook.err


def test_no_moment(onhook: Commands, kept: Kept) -> None:
    """A moment that is none is said, with how to write one."""
    assert onhook("audit", "--since", "soon") == 2
    assert "write 90m, 24h, 7d" in onhook.err


def test_redis_is_away(onhook: Commands, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Redis is away from the start nothing is waited for: it ends with 1, in words."""
    monkeypatch.setenv("ONHOOK_REDIS__URL", "redis://127.0.0.1:9")
    assert onhook("tail") == 1
    assert onhook.err.startswith("onhook: Redis is away: ")
