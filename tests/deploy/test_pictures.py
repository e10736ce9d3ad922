"""The pictures of the house are what their texts say, and can be read by anybody, by whatever means."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.deploy.pictures.__main__ import FOLDER, made_of
from tests.deploy.pictures.reading import items_in

SVG = "{http://www.w3.org/2000/svg}"
TEXTS = sorted(FOLDER.glob("*.txt"))
HEAD = "title T\nabout\n  So it is.\nsize 400 300\n"
VERBS = ["verify", "parse", "accept", "claim", "look", "decide", "disconnect", "confirm", "settle", "report"]
each = pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)


def test_both_pictures_are_there() -> None:
    """There is one of what stands where, and one of what happens."""
    assert [path.stem for path in TEXTS] == ["architecture", "sequence"]


@each
def test_picture_is_made_of_its_text(path: Path) -> None:
    """A picture is what its text makes; `python -m tests.deploy.pictures` makes it anew."""
    assert path.with_suffix(".svg").read_text(encoding="utf-8") == made_of(path.read_text(encoding="utf-8"))


@each
def test_picture_is_told_to_who_cannot_see_it(path: Path) -> None:
    """A picture has a title and tells in words what it shows, and says that it is an image of these."""
    root = ET.fromstring(made_of(path.read_text(encoding="utf-8")))  # noqa: S314 - our own
    said = {one: root.find(f"{SVG}{one}") for one in ("title", "desc")}
    assert root.get("role") == "img"
    assert [one is not None and one.get("id") for one in said.values()] == (root.get("aria-labelledby") or "").split()
    assert all(one is not None and len(one.text or "") > len("Who talks") for one in said.values())


@each
def test_picture_stands_alone(path: Path) -> None:
    """A picture fetches nothing, runs nothing, and has its words as words."""
    drawn = made_of(path.read_text(encoding="utf-8"))
    assert not re.search(
        r"<(script|image|foreignObject|use)\b|\bhref=|@import|@font-face|https?://(?!www\.w3\.org)", drawn
    )
    assert drawn.count("<text ") > len(VERBS)


@each
def test_picture_has_two_lights(path: Path) -> None:
    """Each colour is said for a light page and for a dark one, and words are plain against their ground."""
    drawn = made_of(path.read_text(encoding="utf-8"))
    light, dark = (dict(re.findall(r"--([\w-]+):#(\w{6})", part)) for part in re.findall(r":root\{([^}]*)\}", drawn))
    assert light.keys() == dark.keys() >= set(re.findall(r"var\(--([\w-]+)\)", drawn))
    for colours in (light, dark):
        for ink in ("ink", "soft", "verb"):
            for ground in ("ground", "other", "ours", "kept", "note"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def test_the_verbs_are_all_there() -> None:
    """The picture of what happens has the ten verbs, in their order."""
    drawn = (FOLDER / "sequence.svg").read_text(encoding="utf-8")
    assert re.findall(r'<tspan class="verb">(\w+)</tspan>', drawn) == VERBS


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("  nobody's line\n", "line 1 belongs to nothing"),
        (HEAD.replace("title T\n", ""), "one 'title'"),
        (f"{HEAD}box one other 20 20 60 90 : A very long name of a box\n", "needs"),
        (f"{HEAD}box one other 20 20 90 40 : One\n  a line\n  two\n", "its words at"),
        (
            f"{HEAD}box a other 20 20 90 90 : A\nbox b other 130 20 90 90 : B\narrow a b 40\n  above far too long\n",
            "needs",
        ),
        (f"{HEAD}lane a other 100 : A\nlane b other 180 : B\nstep a b : much too long for so little\n", "needs"),
        (HEAD.replace("300", "90") + "lane a other 100 : A\nstep a a : deep\n", "the picture ends at 90"),
    ],
)
def test_what_has_no_room_is_said(text: str, wrong: str) -> None:
    """A text whose words would run into each other makes no picture."""
    with pytest.raises(ValueError, match=wrong):
        made_of(text)


def test_a_text_is_read_as_it_says() -> None:
    """A remark is none of it, and what stands behind a colon alone is the title."""
    (one,) = items_in("# a remark\n\nbox a other 1 2 : It: a title\n  line\n")
    assert (one.kind, one.words, one.text, one.lines) == ("box", ["a", "other", "1", "2"], "It: a title", ["line"])


def _contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
