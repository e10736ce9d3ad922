"""Files are sent under names that change with what is in them; what others wrote is what its makers released."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from service.web.console.assets import FOLDER, PREFIX, Assets

VENDORED = tomllib.loads((FOLDER / "vendored.toml").read_text(encoding="utf-8"))


def test_the_name_is_the_content(tmp_path: Path) -> None:
    """A file's address holds the hash of what is in it, and its tag all of it; another content has another address."""
    (tmp_path / "a.css").write_text("p{}")
    first = Assets(tmp_path)
    asset = first.at(first.address("a.css"))
    assert asset
    assert (asset.content, asset.media_type) == (b"p{}", "text/css; charset=utf-8")
    digest = hashlib.sha256(b"p{}").hexdigest()
    assert (asset.path, asset.etag) == (f"{PREFIX}a.{digest[:16]}.css", f'"{digest}"')
    (tmp_path / "a.css").write_text("p{}\n")
    assert Assets(tmp_path).address("a.css") != asset.path


def test_nothing_else_is_there(tmp_path: Path) -> None:
    """Only the files of the folder that are meant for browsers are sent, by their addresses alone."""
    (tmp_path / "a.js").touch()
    (tmp_path / "secret.toml").touch()
    made = Assets(tmp_path)
    with pytest.raises(KeyError):
        made.address("secret.toml")
    for path in ("a.js", f"{PREFIX}a.js", f"{PREFIX}../a.js", f"{PREFIX}secret.toml", PREFIX, ""):
        assert made.at(path) is None


@pytest.mark.parametrize("name", VENDORED)
def test_what_others_wrote(name: str) -> None:
    """A file of others is byte for byte the one of the named release, and its licence lies beside it."""
    said = VENDORED[name]
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == said["sha256"]
    licence = (FOLDER / said["licence_file"]).read_text(encoding="utf-8")
    assert said["licence"] == "MIT"
    assert "Permission is hereby granted, free of charge" in licence
    assert re.fullmatch(r"\d+\.\d+\.\d+", said["version"])


def test_whatever_others_wrote_is_named() -> None:
    """Each file of others is named with its origin; ours are written to be read, and begin with what they are for."""
    assert {path.name for path in FOLDER.glob("uplot*")} == set(VENDORED)
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.name not in VENDORED and path.suffix != ".svg":
            assert re.match(r"(//|/\*|#) [A-Z]", text), path
            assert max(map(len, text.splitlines())) <= 200, path


def test_scripts_ask_nobody_else() -> None:
    """No script or style of the console names another host, evaluates text, or writes HTML that it was given."""
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.suffix in {".js", ".css"} and path.name not in VENDORED:
            assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text), path
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), path
            assert not re.search(r"\beval\b|new Function|javascript:", text), path
