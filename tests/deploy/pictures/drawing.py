"""What both pictures are drawn with: shapes and words of one style, legible on a light page and on a dark one.

Text stays text, in the reader's own fonts; nothing is fetched and nothing runs. The picture brings its own ground, so
it does not matter which colour the page has that shows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

Place = Literal["start", "middle", "end"]
# a size of letters, and how wide one is on average: wider than in any of the fonts named below, so words have room
SIZES = {"title": (19, 9.9), "name": (14, 8.0), "word": (12.5, 6.7)}
_VERB, _STRONG = re.compile(r"\*([^*]+)\*"), re.compile(r"_([^_]+)_")
# each by its name and what it is on a page of that colour
_LIGHT = """
    ground #ffffff ink #1f2328 soft #59636e line #d1d9e0 verb #0a5bbf other #f6f8fa ours #e6f2ff ours-line #79b5f5
    kept #fff2e3 kept-line #eda765 note #fff9d6 note-line #dfc552
"""
_DARK = """
    ground #0d1117 ink #f0f6fc soft #a3abb5 line #3d444d verb #6cb2ff other #171c24 ours #11233d ours-line #2f6fc4
    kept #2c1d0e kept-line #a8662a note #26220c note-line #7d6c1d
"""


def width_of(words: str, kind: str) -> float:
    """Return how much room a line of words takes at most."""
    return len(words.replace("*", "").replace("_", "")) * SIZES[kind][1]


@dataclass
class Sheet:
    """A picture as it grows; what is drawn later lies above."""

    width: int
    height: int
    title: str
    about: str
    parts: list[str] = field(default_factory=list)

    def box(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a box with round corners."""
        at = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self.parts.append(f'<rect class="{kind}" {at} rx="8"/>')

    def words(self, text: str, x: float, y: float, kind: str = "word", place: Place = "start") -> None:
        """Write a line, its foot at `y`; `*accept*` is a verb of ours, `_so_` is strong."""
        marked = _STRONG.sub(r'<tspan class="strong">\1</tspan>', escape(text))
        marked = _VERB.sub(r'<tspan class="verb">\1</tspan>', marked)
        anchor = "" if place == "start" else f' text-anchor="{place}"'
        self.parts.append(f'<text class="{kind}" x="{x:g}" y="{y:g}"{anchor}>{marked}</text>')

    def label(self, text: str, x: float, y: float, place: Place = "middle") -> None:
        """Write a line on the ground; whatever runs behind it keeps away from its letters."""
        self.words(text, x, y, "word label", place)

    def line(self, kind: str, *points: tuple[float, float]) -> None:
        """Draw a line from point to point; of kind `arrow` or `answer` it ends in a head."""
        way = " ".join(f"{x:g},{y:g}" for x, y in points)
        head = ' marker-end="url(#head)"' if kind in {"arrow", "answer"} else ""
        self.parts.append(f'<polyline class="{kind}" points="{way}"{head}/>')

    def svg(self) -> str:
        """Return the picture."""
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        tip = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"'
        head = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title about">',
            f'<title id="title">{escape(self.title)}</title>',
            f'<desc id="about">{escape(self.about)}</desc>',
            f"<style>{_style()}</style>",
            f'<defs><marker id="head" {tip}><path class="head" d="M0,0.5 L7.5,4 L0,7.5 Z"/></marker></defs>',
            f'<rect class="ground" x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="10"/>',
        ]
        return "\n".join([*head, *self.parts, "</svg>", ""])


def _style() -> str:
    fonts = "-apple-system, 'Segoe UI', 'Noto Sans', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif"
    shapes = [f".{one}{{fill:var(--{one});stroke:var(--{one}-line)}}" for one in ("ours", "kept", "note")]
    return "\n".join(
        [
            _variables(":root", _LIGHT),
            f"@media (prefers-color-scheme: dark){{{_variables(':root', _DARK)}}}",
            f"text{{font-family:{fonts};fill:var(--ink)}}",
            *(f".{kind}{{font-size:{size}px}}" for kind, (size, _) in SIZES.items()),
            ".title,.name,.verb,.strong{font-weight:600} .verb{fill:var(--verb)}",
            ".label{paint-order:stroke;stroke:var(--ground);stroke-width:5px;stroke-linejoin:round}",
            ".soft{font-size:12.5px;fill:var(--soft)}",
            ".ground{fill:var(--ground);stroke:var(--line)} .other{fill:var(--other);stroke:var(--line)}",
            *shapes,
            ".frame{fill:none;stroke:var(--line);stroke-dasharray:6 5}",
            ".arrow,.answer{fill:none;stroke:var(--ink);stroke-width:1.4} .answer{stroke-dasharray:5 4}",
            ".hint{fill:none;stroke:var(--note-line);stroke-width:1.4;stroke-dasharray:2 3}",
            ".lane{fill:none;stroke:var(--line);stroke-width:1.4} .head{fill:var(--ink)} .dot{fill:var(--note-line)}",
        ]
    )


def _variables(where: str, colours: str) -> str:
    words = colours.split()
    said = (f"--{name}:{colour}" for name, colour in zip(words[::2], words[1::2], strict=True))
    return f"{where}{{{';'.join(said)}}}"


def fitting(lines: Sequence[str], room: float, kind: str = "word") -> None:
    """See to it that each line has room.

    Raises:
        ValueError: one has not: it would run into what stands beside it.
    """
    for line in lines:
        if width_of(line, kind) > room:
            raise ValueError(f"{quoteattr(line)} needs {width_of(line, kind):.0f} and has {room:.0f}")
