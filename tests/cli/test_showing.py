"""The command that tells the story hands on what it was asked; the story itself has tests of its own."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Commands


def test_evidence_that_cannot_be_written(onhook: Commands, tmp_path: Path) -> None:
    """A folder for the evidence that cannot be one is said before anything is started."""
    (tmp_path / "file").touch()
    assert onhook("demo", "--once", "--json", "--evidence", str(tmp_path / "file")) == 2
    assert str(tmp_path / "file") in onhook.err
