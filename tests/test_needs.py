"""A test that lacks a tool skips with the reason; in CI it fails."""

import pytest

from tests.needs import needs


def test_found_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program or a module that is there is returned by its place, the first that is there of several."""
    monkeypatch.setenv("CI", "true")
    assert needs("sh").endswith("/sh")
    assert needs("no-such-program", "pytest") != needs("sh")
    assert needs("importlinter").endswith("/importlinter/__init__.py")


def test_missing_tool_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a developer's machine a missing tool skips the test, and names every tool that would do."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-program or no_such_module"):
        needs("no-such-program", "no_such_module")


def test_missing_tool_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI a missing tool is a failure: nothing is skipped there unseen."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs no-such-program"):
        needs("no-such-program")
