"""How files that settings name are read: text of a bounded size, and what is wrong with one said in words."""

from __future__ import annotations

import tomllib
from pathlib import Path

from service.core.errors import Misconfigured
from service.core.wording import Wording, own_words

# bytes: a thousand orgs with a source each are 600 kB; whoever names /dev/zero by mistake hears of it
LARGEST_FILE = 1024 * 1024


def text_in(path: Path) -> str:
    """Return what the file holds; ValueError, without what is in it, where that is no text or cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"it is over {LARGEST_FILE // 1024} KiB")
        return raw.decode()
    except OSError as fault:
        raise ValueError(f"it cannot be opened: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None


def wording_in(path: Path) -> Wording:
    """Return the shipped words and before them those of a TOML file; ValueError with every fault there is in it."""
    try:
        return Wording(own_words(tomllib.loads(text_in(path))))
    except Misconfigured as fault:
        raise ValueError(f"file {path}: {'; '.join(fault.faults)}") from None
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"file {path} is not read as TOML: {fault}") from None
