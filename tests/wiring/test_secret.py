"""The sandbox's throw-away secret: for its owner's eyes, the same at the next start, and found by `send`."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.core.errors import Misconfigured
from service.settings import Settings
from service.sources.options import SourceOptions
from service.sources.signing import secret_in
from service.web.console.sessions import TOKEN
from service.wiring.secret import (
    SANDBOX,
    known_sources,
    options_of,
    secret_file,
    throw_away_secret,
    throw_away_token,
    token_file,
    was_played,
)

OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"


def test_made_once(tmp_path: Path) -> None:
    """A secret is made where there is none, and is the same at the next start."""
    folder = tmp_path / "deep" / "state"
    assert not was_played(folder)
    made = throw_away_secret(folder)
    assert len(secret_in(made)) == 32
    assert was_played(folder)
    assert throw_away_secret(folder) == made != throw_away_secret(tmp_path / "other")


def test_only_for_its_owner(tmp_path: Path) -> None:
    """Nobody but its owner may read the secret, or look into its folder; nothing else is left there."""
    folder = tmp_path / "state"
    throw_away_secret(folder)
    assert [path.name for path in folder.iterdir()] == [secret_file(folder).name]
    assert (folder.stat().st_mode & 0o777, secret_file(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_token_for_the_console(tmp_path: Path) -> None:
    """The console's token lies there in the same way: for its owner alone, and the same at the next start."""
    made = throw_away_token(tmp_path)
    assert TOKEN.fullmatch(made)
    assert throw_away_token(tmp_path) == made == token_file(tmp_path).read_text().strip()
    assert token_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert not was_played(tmp_path)


def test_several_at_once(tmp_path: Path) -> None:
    """Processes that begin at the same time, on a folder that they share, have the same secret, and leave no other."""
    for turn in range(20):
        folder, together = tmp_path / str(turn), threading.Barrier(8)

        def begin(folder: Path = folder, together: threading.Barrier = together) -> str:
            together.wait()
            return throw_away_secret(folder)

        with ThreadPoolExecutor(8) as several:
            made = {begun.result() for begun in [several.submit(begin) for _ in range(8)]}
        assert made == {throw_away_secret(folder)}
        assert len(list(folder.iterdir())) == 1


def test_half_made(tmp_path: Path) -> None:
    """What a crash left half written is no secret."""
    (tmp_path / ".half").write_text("whsec_half")
    assert len(secret_in(throw_away_secret(tmp_path))) == 32


def test_unusable(tmp_path: Path) -> None:
    """A state directory that cannot be used is said in words."""
    (tmp_path / "file").touch()
    (tmp_path / SANDBOX).mkdir()
    secret_file(tmp_path / SANDBOX).write_bytes(b"\xff")
    for folder in (tmp_path / "file", tmp_path / SANDBOX):
        with pytest.raises(Misconfigured, match=f"the state directory {folder} cannot be used"):
            throw_away_secret(folder)


def test_options_of(tmp_path: Path) -> None:
    """A source's options are known from the settings, and the sandbox's once one was wired in; else it is said."""
    desk = SourceOptions.model_validate({"org": "acme", "secrets": [OTHER]})
    with pytest.raises(
        Misconfigured,
        match=r"there is no \[sources.desk\]; no source is set up here, and no sandbox was: look at ONHOOK_CONFIG",
    ):
        options_of(Settings(state_dir=tmp_path), "desk")
    made = throw_away_secret(tmp_path)
    said = Settings(sources={"desk": desk}, state_dir=tmp_path)
    assert options_of(said, "desk") is desk
    with pytest.raises(Misconfigured, match=r"there is no \[sources.disk\]; there is desk, sandbox"):
        options_of(said, "disk")
    assert options_of(said, SANDBOX).keys == (secret_in(made),)
    assert list(known_sources(said)) == ["desk", SANDBOX]
    own = Settings(sources={SANDBOX: desk}, state_dir=tmp_path)
    assert options_of(own, SANDBOX) is desk
