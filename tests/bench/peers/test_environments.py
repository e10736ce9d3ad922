"""The places that the peers run in: one for each choice of releases, built once, outside the checkout."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.peers.environments import BUILT, Unbuilt, built, cache, place_of, releases
from tests.bench.peers.known import BESIDE, KNOWN, Peer
from tests.story.stage import ROOT


@pytest.mark.parametrize("peer", KNOWN, ids=lambda peer: peer.name)
def test_each_peer_is_pinned(peer: Peer) -> None:
    """Each peer is named with one release, all that it is asked for is pinned, and its app is there."""
    assert re.fullmatch(rf"{peer.name} \d+\.\d+\.\d+", peer.titled)
    assert all(re.fullmatch(r"[a-z-]+(\[[a-z,]+\])?==[\d.]+", pin) for pin in peer.all_pins)
    assert len(peer.all_pins) == len(peer.pins) + len(BESIDE)
    assert importlib.util.find_spec(peer.module)
    assert all((peer.sameness, peer.installed, peer.quick))


def test_a_place_for_each_choice(tmp_path: Path) -> None:
    """Another release is another place, and none is in the checkout."""
    peer = KNOWN[0]
    places = {place_of(one, tmp_path) for one in (*KNOWN, replace(peer, pins=("saq==0.1.0",)))}
    assert len(places) == len(KNOWN) + 1
    assert ROOT not in cache().parents


def test_what_is_built_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that is there is used as it is; to build one, uv is needed, and that is said."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unbuilt, match="pip install uv"):
        built(KNOWN[0], tmp_path)
    folder = place_of(KNOWN[0], tmp_path)
    folder.mkdir()
    (folder / BUILT).touch()
    assert built(KNOWN[0], tmp_path) == folder / "bin" / "python"


def test_a_failed_build_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the installer says of a failure is told, and the place counts as not built."""
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho no such release >&2\nexit 1\n", encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(Unbuilt, match="no such release"):
        built(KNOWN[0], tmp_path)
    assert not (place_of(KNOWN[0], tmp_path) / BUILT).exists()


def test_the_cache_is_ours_alone(tmp_path: Path) -> None:
    """A folder that somebody else could write to is not used: what lies in there is run."""
    folder = cache(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(Unbuilt, match="not ours alone"):
        cache(tmp_path)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(Unbuilt, match="not ours alone"):
        cache(tmp_path)


def test_which_releases_are_there() -> None:
    """What is installed in an environment is read from it, and what is not there is left out."""
    found = releases(Path(sys.executable), ("redis", "pytest", "no-such-package"))
    assert sorted(found) == ["pytest", "redis"]
    assert found["redis"][0].isdigit()
