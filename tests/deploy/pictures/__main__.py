"""Make the pictures of deploy/pictures anew, each from the text beside it: `python -m tests.deploy.pictures`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.deploy.pictures import happening, standing
from tests.deploy.pictures.reading import Item, items_in

FOLDER = Path(__file__).parents[3] / "deploy" / "pictures"


def made_of(text: str) -> str:
    """Return the picture of a text: of lanes where it has some, else of boxes."""
    items: list[Item] = items_in(text)
    if any(item.kind == "lane" for item in items):
        return happening.drawn(items)
    return standing.drawn(items)


def main() -> None:
    """Make all of them."""
    for path in sorted(FOLDER.glob("*.txt")):
        path.with_suffix(".svg").write_text(made_of(path.read_text(encoding="utf-8")), encoding="utf-8")
        sys.stdout.write(f"{path.stem}.svg\n")


if __name__ == "__main__":
    main()
