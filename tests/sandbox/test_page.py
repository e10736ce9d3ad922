"""The page shows people who is where, and trusts nothing it is told."""

import re
from pathlib import Path

import pytest

from service.sandbox import page
from tests.sandbox.play import Play

STATIC = Path(page.__file__).with_name("static")


@pytest.mark.parametrize(
    "path, kind", [("", "text/html"), ("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")]
)
async def test_the_files_of_the_page(play: Play, path: str, kind: str) -> None:
    """The page and its two files are served with a policy that runs and loads nothing else."""
    answer = await play.http.get(f"/sandbox{path}")
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/page.html", "/page.py", "/..%2fpage.py", "/static/page.js"])
async def test_no_other_file(play: Play, path: str) -> None:
    """Nothing else is served, whatever is asked for."""
    assert (await play.http.get(f"/sandbox{path}")).status_code == 404


def test_the_page_is_its_own() -> None:
    """The page loads nothing from elsewhere, has no script or style inside, and its script never writes markup."""
    html, script = (STATIC / "page.html").read_text(), (STATIC / "page.js").read_text()
    assert re.findall(r'(?:src|href)="([^"]+)"', html)
    assert all(link.startswith("/sandbox/") for link in re.findall(r'(?:src|href)="([^"]+)"', html))
    assert not re.search(r"<style|<script(?! defer src)| on\w+=| style=", html)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|https?:", script)
    assert {f'byId("{name}")' for name in re.findall(r'id="([a-z-]+)"', html) if not name.endswith("-title")} <= {
        *re.findall(r'byId\("[a-z-]+"\)', script)
    }


async def test_the_state_the_page_draws(play: Play) -> None:
    """The state has the newest conversation first, who is gone and how, the latest call first, and the notes."""
    old, scene = await play.begin("pair"), await play.begin("conference")
    ticket = await play.control("POST", "/desk/tickets", {"number": "INC1"})
    await play.desk("PATCH", f"/incident/{ticket['sys_id']}", {"work_notes": "Gone."})
    await scene.event("join", participant={"name": "<script>alert(1)</script>"})
    await scene.remove("customer")
    state = await play.control("GET", "/state")
    assert [one["conversation_id"] for one in state["conversations"]] == [scene.cid, old.cid]
    caller, *_, hostile = state["conversations"][0]["participants"]
    assert (caller["present"], caller["disconnect_type"], caller["media"]) == (False, "client", ["call"])
    assert hostile["name"] == "<script>alert(1)</script>"
    assert [call["method"] for call in state["calls"]] == ["PATCH", "PATCH", "POST"]
    assert state["calls"][0]["effect"] is True
    assert [note["text"] for note in state["tickets"][0]["work_notes"]] == ["Gone."]
    assert (state["world"], state["at"]) == ("vendor", play.clock.at)


async def test_the_state_stays_small(play: Play) -> None:
    """Of many conversations, calls and tickets the state has only the newest."""
    for number in range(22):
        await play.begin("pair")
        await play.control("POST", "/desk/tickets", {"number": f"INC{number}"})
    for _ in range(42):
        await play.api("GET", "/nothing")
    state = await play.control("GET", "/state")
    assert [len(state[name]) for name in ("conversations", "calls", "tickets")] == [20, 40, 20]
    assert state["tickets"][0]["number"] == "INC21"
    assert state["calls"][0]["seq"] == 43
