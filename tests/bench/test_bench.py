"""A quick round of every benchmark: that it runs to its end and fills its table; how fast is not asked here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import findings
from tests.bench import __main__ as bench
from tests.bench import picture
from tests.bench.figures import Better, Goal, Kind, Row, Size
from tests.bench.register import NAMES, PEERS, measure_of
from tests.needs import needs


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each benchmark runs from its command to a row and a picture, and a quick one is not written down as evidence."""
    needs("matplotlib")
    before = {file.name: file.stat().st_mtime_ns for file in findings.FOLDER.iterdir()}
    assert bench.main([name, "--quick", "--pictures", str(tmp_path)]) == 0
    assert "these figures mean nothing" in capsys.readouterr().out
    assert (tmp_path / f"bench_{name}.png").read_bytes().startswith(b"\x89PNG")
    assert {file.name: file.stat().st_mtime_ns for file in findings.FOLDER.iterdir()} == before


def test_a_name_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name ends at once, and says which there are."""
    assert bench.main(["fast"]) == 2
    assert "no such benchmark: fast" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*NAMES, *PEERS])
def test_what_is_quoted_was_measured(name: str) -> None:
    """Each benchmark has left its evidence, and every goal of it that was missed says why."""
    written = json.loads((findings.FOLDER / f"bench_{name}.json").read_text(encoding="utf-8"))
    assert written["rows"]
    assert [row["what"] for row in written["rows"] if row["met"] is False and not row["note"]] == []
    assert (findings.FOLDER / f"bench_{name}.png").exists()


@pytest.mark.parametrize("name", [*NAMES, *PEERS])
def test_each_has_its_module(name: str) -> None:
    """What the register names is there."""
    assert callable(measure_of(name))


def test_a_full_run_is_written_down(tmp_path: Path) -> None:
    """A full run leaves its rounds, its command, and each missed goal among the findings."""
    goal = Goal(Kind.PLAIN, Better.LOWER, 1)
    bench.written("it", [Row("something", "ms", [2.0, 3.0], goal=goal, note="too far")], 1.0, tmp_path)
    said = json.loads((tmp_path / "bench_it.json").read_text(encoding="utf-8"))
    assert said["findings"] == ["something: 2.50 ms (2.00 to 3.00), goal ≤ 1 ms. too far"]
    assert said["rows"][0]["ours"] == [2.0, 3.0]


def test_no_picture_without_the_tool(tmp_path: Path) -> None:
    """A picture shows the rounds of both sides; its axis begins at nothing."""
    needs("matplotlib")
    file = tmp_path / "it.png"
    assert picture.draw([Row("something", "ms", [2.0, 3.0], "else", [1.0, 1.0])], "it", file)
    assert file.stat().st_size > 5000


def test_sizes() -> None:
    """There is a quick size and a full one, and no third that somebody could quote."""
    assert [size.value for size in Size] == ["quick", "full"]
