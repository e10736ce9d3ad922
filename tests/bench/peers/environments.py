"""An environment for each peer, built once and kept outside the checkout: their needs are no business of ours."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peers.known import Peer
from tests.story.stage import ROOT

BUILT = "built"  # a file that is there once all is installed


class Unbuilt(RuntimeError):
    """An environment could not be built; the message says what an installer said."""


def place_of(peer: Peer, cache: Path) -> Path:
    """Return the folder of its environment: another one when what is in it changes."""
    said = "\n".join((sys.version, sys.executable, *peer.all_pins))
    return cache / f"{peer.name}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def cache(within: Path | None = None) -> Path:
    """Return the folder of all environments, which is its owner's alone; `within` the one for temporary files.

    Raises:
        Unbuilt: somebody else has put one there.
    """
    folder = (within or Path(tempfile.gettempdir())) / f"onhook-peers-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o022:
        raise Unbuilt(f"{folder} is not ours alone")
    return folder


def built(peer: Peer, where: Path | None = None) -> Path:
    """Return the Python of a peer's environment, which is built when it is not there.

    Raises:
        Unbuilt: uv is not installed, or what is pinned could not be installed.
    """
    folder = place_of(peer, where or cache())
    if not (folder / BUILT).exists():
        uv = shutil.which("uv")
        if uv is None:
            raise Unbuilt("the environments of the peers are built with uv: pip install uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        if peer.all_pins:
            _run(uv, "pip", "install", "--quiet", "--python", str(folder), *peer.all_pins)
        (folder / BUILT).touch()
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    # at the top of the checkout, so that uv holds to the day that pyproject.toml names
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unbuilt(f"{' '.join(command[1:3])}: {done.stderr.strip()[-2000:]}")


def releases(python: Path, names: Sequence[str]) -> dict[str, str]:
    """Return which releases of some packages an environment has, of those that are there."""
    found = (
        folder.name.removesuffix(".dist-info") for folder in python.parent.parent.glob("lib/*/site-packages/*-info")
    )
    pairs = dict(sorted(one.rpartition("-")[::2] for one in found))
    return {name: pairs[name] for name in names if name in pairs}
