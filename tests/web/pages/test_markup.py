"""Every page as a browser reads it: nothing runs or is styled in place, each name is there once, links stay here."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

import pytest

from service.web.console.sessions import Role
from tests.web.pages.crowd import crowded
from tests.web.pages.lookout import Lookout

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Reading(HTMLParser):
    """What stands in a page, and what is wrong with it."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.ids[said.get("id") or ""] += 1
        if tag not in VOID:
            self.open.append(tag)
        self.faults.extend(f"{tag} has {name}" for name in said if name.startswith("on") or name == "style")
        if tag in {"style", "iframe", "object", "embed", "base"}:
            self.faults.append(f"there is a {tag}")
        if tag == "script" and not (said.get("src") or "").startswith("/console/static/"):
            self.faults.append("a script stands in the page")
        for name in ("href", "src", "action", "data-live", "data-chart"):
            if name in said and not (said[name] in {"", "#main"} or (said[name] or "").startswith("/console")):
                self.faults.append(f"{tag} leads to {said[name]}")
        if tag == "form" and said.get("method") not in {"get", "post", "dialog"}:
            self.faults.append("a form does not say how it is sent")
        if tag in {"input", "select"} and said.get("type") != "hidden" and not (said.get("id") or "aria-label" in said):
            self.faults.append(f"a field {said.get('name')} has no label")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.faults.append(f"{tag} ends where it did not begin")


def read(html: str) -> list[str]:
    """Return what is wrong with a page."""
    reading = Reading()
    reading.feed(html)
    reading.close()
    twice = [f"{name} is there {count} times" for name, count in reading.ids.items() if name and count > 1]
    return [*reading.faults, *twice, *(f"{tag} does not end" for tag in reading.open)]


async def test_every_page(lookout: Lookout) -> None:
    """After a day with others' text at its worst, every page is our markup and their text, whole and in part."""
    crowd = await crowded(lookout)
    ids = (crowd.removed, crowd.preview, crowd.hostile, crowd.open, crowd.dead)
    actions = [f"/actions/{action_id}" for action_id in ids]
    replays = [f"/actions/{crowd.removed}/replay", f"/actions/{crowd.removed}/replay?preview={crowd.preview}"]
    for path in ["", "/actions", "/refusals", "/dead", "/audit", *actions]:
        for role in Role:
            assert read((await lookout.get(path, role)).text) == [], path
        part = (await lookout.get(path, is_live=True)).text
        assert read(part) == [], path
    for path in replays:
        assert read((await lookout.get(path)).text) == [], path
    assert read((await lookout.get("/actions?outcome=won&q=<b>", status=400)).text) == []


@pytest.mark.parametrize(
    "html, fault",
    [
        ('<p onclick="x">', "p has onclick"),
        ('<p style="x">', "p has style"),
        ("<script>x</script>", "a script stands in the page"),
        ('<a href="https://evil.example">', "a leads to https://evil.example"),
        ('<a href="javascript:x">', "a leads to javascript:x"),
        ("<form>", "a form does not say how it is sent"),
        ('<input name="a">', "a field a has no label"),
        ('<p id="a"></p><p id="a"></p>', "a is there 2 times"),
        ("<p><b></p>", "p ends where it did not begin"),
        ("<p>", "p does not end"),
    ],
)
def test_what_is_wrong_is_seen(html: str, fault: str) -> None:
    """A page with a fault is not taken for one without."""
    assert fault in read(html)
