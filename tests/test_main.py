"""`python -m service` is the command line."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest


def test_as_a_module() -> None:
    """`python -m service` runs the commands."""
    done = subprocess.run([sys.executable, "-m", "service", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout[0].isdigit()


def test_in_this_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Run as a program it reads the command line; imported it does nothing."""
    before = sys.argv[:]
    sys.argv[1:] = ["--version"]
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("service", run_name="__main__")
    finally:
        sys.argv[:] = before
    assert not ended.value.code
    assert capsys.readouterr().out[0].isdigit()
    runpy.run_module("service.__main__", run_name="service.__main__")
