"""The commands that show what it does hand on what they were asked; the story and the chaos have tests of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Commands


def test_evidence_that_cannot_be_written(onhook: Commands, tmp_path: Path) -> None:
    """A folder for the evidence that cannot be one is said before anything is started."""
    (tmp_path / "file").touch()
    assert onhook("demo", "--once", "--json", "--evidence", str(tmp_path / "file")) == 2
    assert str(tmp_path / "file") in onhook.err


def test_chaos_without_a_folder(onhook: Commands, tmp_path: Path) -> None:
    """A folder for the evidence of a chaos that cannot be one is said before anything is started."""
    (tmp_path / "file").touch()
    assert onhook("chaos", "--seconds", "1", "--json", "--evidence", str(tmp_path / "file")) == 2
    assert str(tmp_path / "file") in onhook.err


@pytest.mark.parametrize(
    "option, value, said",
    [
        ("--seconds", "0", "greater than or equal to 1"),
        ("--seconds", "86401", "less than or equal to 86400"),
        ("--seconds", "soon", "valid integer"),
        ("--workers", "1", "greater than or equal to 2"),
        ("--kills", "-1", "greater than or equal to 0"),
    ],
)
def test_bad_chaos(onhook: Commands, option: str, value: str, said: str) -> None:
    """What cannot be asked for is said in words, with what can."""
    assert onhook("chaos", option, value) == 2
    assert option in onhook.err
    assert said in onhook.err
