"""The console's scripts, styles and pictures, under names that change with what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "static"
PREFIX: Final = "/console/static/"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_HASH_HEX: Final = 16  # characters of its hash in a file's address: two versions never share 64 bits


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Attributes:
        path: its address; another content has another one, so a browser need never ask again.
        etag: a strong one.
    """

    path: str
    content: bytes
    media_type: str
    etag: str


class Assets:
    """Every file of the folder, read once: no request ever names a path of the machine."""

    def __init__(self, folder: Path = FOLDER) -> None:
        files = sorted(path for path in folder.iterdir() if path.suffix in _TYPES)
        self._by_name: Mapping[str, Asset] = {path.name: _read(path) for path in files}
        self._by_path = {asset.path: asset for asset in self._by_name.values()}

    def address(self, name: str) -> str:
        """Return the address of the file `name`; KeyError where there is none."""
        return self._by_name[name].path

    def at(self, path: str) -> Asset | None:
        """Return the file at an address."""
        return self._by_path.get(path)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    name = f"{path.stem}.{digest[:_HASH_HEX]}{path.suffix}"
    return Asset(PREFIX + name, content, _TYPES[path.suffix], f'"{digest}"')
