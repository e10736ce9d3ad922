"""The text that a picture is made of: a line begins with a word that says what it is; what is indented belongs to it.

```
title What it shows
about A sentence or some for who cannot see it.
size 980 640

box desk other 20 90 180 400 : Ticketing system
  a line in the box
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Item:
    """One thing of a picture.

    Attributes:
        kind: the first word.
        words: the others, up to a colon that stands alone.
        text: what stands behind that colon.
        lines: what is indented below.
    """

    kind: str
    words: list[str]
    text: str = ""
    lines: list[str] = field(default_factory=list)


def items_in(text: str) -> list[Item]:
    """Return what a text describes, in order; ValueError where a line belongs to nothing."""
    items: list[Item] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("  "):
            if not items:
                raise ValueError(f"line {number} belongs to nothing")
            items[-1].lines.append(line.strip())
            continue
        before, _, text_behind = line.partition(" : ")
        kind, *words = before.split()
        items.append(Item(kind, words, text_behind.strip()))
    return items


def of_kind(items: Sequence[Item], kind: str) -> list[Item]:
    """Return the items of a kind."""
    return [item for item in items if item.kind == kind]


def one_of(items: Sequence[Item], kind: str) -> Item:
    """Return the one item of a kind; ValueError where there is another number of them."""
    found = of_kind(items, kind)
    if len(found) != 1:
        raise ValueError(f"there is to be one {kind!r}, and there are {len(found)}")
    return found[0]


def read(path: Path) -> list[Item]:
    """Return what a file describes."""
    return items_in(path.read_text(encoding="utf-8"))
