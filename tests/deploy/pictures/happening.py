"""The picture of what happens, from top to bottom: lanes, and what goes from one to the other.

`lane NAME LOOK X : Title` with lines below; `step FROM TO [answer] : words` from lane to lane, or at one lane where
both are the same; `note X WIDTH LANE ROWS : Title` beside the steps, pointing to a lane so many rows above or below the
last step; `part : words` begins a part.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.deploy.pictures.drawing import Sheet, fitting
from tests.deploy.pictures.reading import Item, of_kind, one_of

TOP = 62
HEAD = 58
ROW = 37
LINE = 17.5
HALF_LANE = 76
PART = 1.15


def drawn(items: Sequence[Item]) -> str:
    """Return the picture that the items describe; ValueError where words have no room."""
    width, height = map(int, one_of(items, "size").words)
    title = " ".join(one_of(items, "title").words)
    sheet = Sheet(width, height, title, " ".join(one_of(items, "about").lines))
    sheet.words(title, 24, 40, "title")
    lanes = {lane.words[0]: float(lane.words[2]) for lane in of_kind(items, "lane")}
    for lane in of_kind(items, "lane"):
        x = float(lane.words[2])
        sheet.line("lane", (x, TOP + HEAD), (x, height - 22))
        sheet.box(lane.words[1], x - HALF_LANE, TOP, 2 * HALF_LANE, HEAD)
        fitting([lane.text], 2 * HALF_LANE - 8, "name")
        fitting(lane.lines, 2 * HALF_LANE - 8)
        sheet.words(lane.text, x, TOP + 24, "name", "middle")
        for i, line in enumerate(lane.lines):
            sheet.words(line, x, TOP + 44 + i * LINE, "soft", "middle")
    y = float(TOP + HEAD)
    for item in items:
        if item.kind == "part":
            y += ROW * PART
            sheet.line("frame", (20, y - 14), (width - 20, y - 14))
            sheet.box("ground", 24, y - 25, len(item.text) * 6.8 + 20, 22)
            sheet.words(item.text, 34, y - 9.5, "soft")
        elif item.kind == "step":
            y += ROW
            _step(sheet, item, lanes, y)
        elif item.kind == "note":
            _note(sheet, item, lanes, y)
    if y + ROW / 2 > height:
        raise ValueError(f"the last step is at {y:g}, and the picture ends at {height}")
    return sheet.svg()


def _step(sheet: Sheet, step: Item, lanes: dict[str, float], y: float) -> None:
    start, end = lanes[step.words[0]], lanes[step.words[1]]
    kind = step.words[2] if len(step.words) > len("ab") else "arrow"
    if start == end:
        sheet.line("arrow", (start, y - 15), (start + 16, y - 15), (start + 16, y), (start + 2, y))
        sheet.label(step.text, start + 24, y - 3, "start")
        return
    side = 2 if end < start else -2
    fitting([step.text], abs(end - start) - 8)
    sheet.line(kind, (start, y), (end + side, y))
    sheet.label(step.text, (start + end) / 2, y - 7)


def _note(sheet: Sheet, note: Item, lanes: dict[str, float], y: float) -> None:
    x, width, down = float(note.words[0]), float(note.words[1]), float(note.words[3])
    fitting([note.text], width - 24, "name")
    fitting(note.lines, width - 24)
    height = 36 + len(note.lines) * LINE
    point, middle = lanes[note.words[2]], y + down * ROW
    top = middle - height / 2
    sheet.line("hint", (x + width if x < point else x, middle), (point, middle))
    sheet.box("dot", point - 4, middle - 4, 8, 8)
    sheet.box("note", x, top, width, height)
    sheet.words(note.text, x + 12, top + 23, "name")
    for i, line in enumerate(note.lines):
        sheet.words(line, x + 12, top + 43 + i * LINE)
