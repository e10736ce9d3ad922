"""The picture of what stands where: boxes, and arrows between them that say what goes along.

`box NAME LOOK X Y WIDTH HEIGHT : Title`, `frame NAME …` around several; `arrow FROM TO AT` from one to the other,
across at height AT where they stand beside each other, else down or up at AT; `bend FROM AT X TO AT` leaves at a
height, turns at X and comes in at another. Below each `above`, `under`, `left` or `right` and what is written there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.deploy.pictures.drawing import SIZES, Sheet, fitting
from tests.deploy.pictures.reading import Item, of_kind, one_of

LINE = 17.5
PAD = 12


@dataclass(frozen=True)
class Spot:
    """Where a box is."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def foot(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def drawn(items: Sequence[Item]) -> str:
    """Return the picture that the items describe; ValueError where words have no room."""
    width, height = map(int, one_of(items, "size").words)
    title = " ".join(one_of(items, "title").words)
    sheet = Sheet(width, height, title, " ".join(one_of(items, "about").lines))
    sheet.words(title, 24, 40, "title")
    for frame in of_kind(items, "frame"):
        spot = Spot(*map(float, frame.words[1:]))
        sheet.box("frame", spot.x, spot.y, spot.width, spot.height)
        sheet.words(frame.text, spot.x + PAD, spot.y + 22, "name")
    spots = {}
    for box in of_kind(items, "box"):
        spots[box.words[0]] = _box(sheet, box)
    for arrow in of_kind(items, "arrow"):
        _arrow(sheet, arrow, spots)
    for bend in of_kind(items, "bend"):
        _bend(sheet, bend, spots)
    return sheet.svg()


def _box(sheet: Sheet, box: Item) -> Spot:
    spot = Spot(*map(float, box.words[2:]))
    sheet.box(box.words[1], spot.x, spot.y, spot.width, spot.height)
    fitting([box.text], spot.width - 2 * PAD, "name")
    fitting(box.lines, spot.width - 2 * PAD)
    y = spot.y + 24
    sheet.words(box.text, spot.x + PAD, y, "name")
    for line in box.lines:
        y += LINE / 2 if line == "-" else LINE
        if line != "-":
            sheet.words(line, spot.x + PAD, y)
    if y + PAD / 2 > spot.foot:
        raise ValueError(f"the box {box.words[0]!r} ends at {spot.foot:g}, and its words at {y:g}")
    return spot


def _arrow(sheet: Sheet, arrow: Item, spots: dict[str, Spot]) -> None:
    start, end, at = spots[arrow.words[0]], spots[arrow.words[1]], float(arrow.words[2])
    kind = arrow.words[3] if len(arrow.words) > len("abc") else "arrow"
    is_across = start.right <= end.x or end.right <= start.x
    if is_across:
        left, right = sorted((start, end), key=lambda spot: spot.x)
        near, far = (left.right, right.x) if start is left else (right.x, left.right)
        sheet.line(kind, (near, at), (far, at))
        _across(sheet, arrow.lines, (left.right + right.x) / 2, at, right.x - left.right)
    else:
        upper, lower = sorted((start, end), key=lambda spot: spot.y)
        near, far = (upper.foot, lower.y) if start is upper else (lower.y, upper.foot)
        sheet.line(kind, (at, near), (at, far))
        _along(sheet, arrow.lines, at, (upper.foot, lower.y))


def _across(sheet: Sheet, lines: Sequence[str], middle: float, at: float, room: float) -> None:
    said = [line.split(" ", 1) for line in lines]
    above, under = ([words for where, words in said if where == side] for side in ("above", "under"))
    fitting([*above, *under], room - 4)
    for i, words in enumerate(reversed(above)):
        sheet.label(words, middle, at - 7 - i * LINE)
    for i, words in enumerate(under):
        sheet.label(words, middle, at + 7 + SIZES["word"][0] * 0.75 + i * LINE)


def _along(sheet: Sheet, lines: Sequence[str], at: float, between: tuple[float, float]) -> None:
    said = [line.split(" ", 1) for line in lines]
    for side in ("left", "right"):
        words = [text for where, text in said if where == side]
        y = sum(between) / 2 - (len(words) - 1) * LINE / 2 + 4
        for i, text in enumerate(words):
            is_left = side == "left"
            sheet.label(text, at + (-10 if is_left else 10), y + i * LINE, "end" if is_left else "start")


def _bend(sheet: Sheet, bend: Item, spots: dict[str, Spot]) -> None:
    """Draw an arrow that leaves to the left, goes down or up, and comes in from the right."""
    start, out, turn, end, into = bend.words
    (y, x, foot), (near, far) = map(float, (out, turn, into)), (spots[start].x, spots[end].right)
    sheet.line("arrow", (near, y), (x, y), (x, foot), (far, foot))
    _along(sheet, bend.lines, x, (y, foot))
