"""The console of a whole service, on its private door: nobody is in who may not, and a click is seen by who may."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
import pytest

from service.web.console.sessions import Role
from service.web.console.visit import Place
from service.web.pages.places import places
from service.web.pages.watch import Watch
from tests.fixtures.browser import reading
from tests.fixtures.redis import short_folder
from tests.wiring.running import child, click, confer, own

if TYPE_CHECKING:  # as in the fixture
    from playwright.async_api import Browser

TOKENS = {"beth": (Role.OPERATOR, f"onhook_{'b' * 43}"), "vera": (Role.VIEWER, f"onhook_{'v' * 43}")}
PLACES = places(cast("Watch", None))  # none of them is asked here: where they are and for whom is all
NOBODYS = "sandbox.00000000000000000000000000"


@dataclass(frozen=True)
class Service:
    """A running `onhook up --sandbox`, with two people who have tokens."""

    folder: Path
    play: str
    public: str
    private: str

    @property
    def console(self) -> str:
        """Where the console is."""
        return f"{self.private}/console"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Start it once for these tests."""
    folder = short_folder()
    lines = [
        f'[console.tokens.{name}]\nrole = "{role}"\ntoken_sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"'
        for name, (role, token) in TOKENS.items()
    ]
    (folder / "onhook.toml").write_text("\n".join(lines))
    said = own(folder) | {"ONHOOK_CONFIG": str(folder / "onhook.toml")}
    with child(folder, "up", "--sandbox", "--sandbox-port", "0", variables=said, is_tied=True) as it:
        play = it.hear("SANDBOX: a play Genesys Cloud and a play desk at ").removesuffix("/sandbox/")
        yield Service(folder, play, it.hear("The public door is at "), it.hear("The private door is at "))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the private door; it keeps cookies as a browser does, and follows nothing."""
    async with httpx.AsyncClient(base_url=service.private, trust_env=False, timeout=25) as client:
        yield client


def _path(place: Place) -> str:
    """Return a path that a place answers."""
    path = re.sub(r"\(\[a-z0-9\].*?\{26\}\)", NOBODYS, place.path).replace("/?", "").replace(r"\.(jsonl|csv)", ".csv")
    assert re.fullmatch(place.path, path), path
    return f"/console{path}"


async def _enter(http: httpx.AsyncClient, name: str) -> str:
    """Log in, and return what the forms of the session carry."""
    mine = {"Origin": str(http.base_url).rstrip("/")}
    entered = await http.post("/console/login", data={"token": TOKENS[name][1]}, headers=mine)
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"].partition(";")[0]
    http.headers.update({"Cookie": cookie, **mine})
    http.cookies.clear()
    found = re.search(r'name="form_token" value="(\w+)"', (await http.get("/console")).text)
    assert found
    return found[1]


async def test_nobody_is_in(http: httpx.AsyncClient) -> None:
    """Without a token each page leads to the login and each act is refused, from our own origin too."""
    mine = {"Origin": str(http.base_url).rstrip("/")}
    for place in PLACES:
        answer = await http.request(place.method, _path(place), headers=mine)
        if place.method == "GET":
            assert (answer.status_code, answer.headers["location"][:14]) == (303, "/console/login"), place
        else:
            assert (answer.status_code, "You are not logged in" in answer.text) == (401, True), place
        assert "sandbox" not in answer.text


async def test_a_viewer_looks(http: httpx.AsyncClient) -> None:
    """A viewer has every page that only shows, and no act, with his own form and from our own origin."""
    form = {"form_token": await _enter(http, "vera"), "what": "sandbox", "why": "x"}
    for place in PLACES:
        answer = await http.request(place.method, _path(place), data=form if place.method == "POST" else None)
        may = place.role is Role.VIEWER
        assert (answer.status_code in {200, 404}, answer.status_code == 403) == (may, not may), place
    assert {place.method for place in PLACES if place.role is Role.VIEWER} == {"GET"}
    ready = (await http.get("/readyz")).json()
    assert ready["orgs"]["sandbox"]["paused"] == []


async def test_an_operator_acts_from_his_own_forms(http: httpx.AsyncClient) -> None:
    """An operator's act needs the form of his session and a page of ours; then it is done, and taken back."""
    form = {"form_token": await _enter(http, "beth"), "what": "sandbox", "why": "a storm"}
    acts = [place for place in PLACES if place.method == "POST"]
    assert len(acts) >= 5
    for place in acts:
        assert (await http.post(_path(place), data={**form, "form_token": "0" * 64})).status_code == 403, place
        elsewhere = {"Origin": "https://evil.example"}
        assert (await http.post(_path(place), data=form, headers=elsewhere)).status_code == 403, place
        assert (await http.get(_path(place), params=form)).status_code in {200, 404, 405}, place
    assert (await http.get("/readyz")).json()["orgs"]["sandbox"]["paused"] == []
    for act, paused in (("pause", [""]), ("resume", [])):
        assert (await http.post(f"/console/{act}", data=form)).status_code == 303
        assert (await http.get("/readyz")).json()["orgs"]["sandbox"]["paused"] == paused


async def test_a_click_is_seen(chromium: Browser, service: Service, http: httpx.AsyncClient) -> None:
    """A click on a ticket appears among the actions by itself, and how it ended; Enter opens it, all by keys."""
    async with reading(chromium, scheme="dark") as reader:
        page = reader.page
        await reader.login(service.console, TOKENS["beth"][1])
        assert "sandbox" in await reader.shown()
        await page.click("nav >> text=Actions")
        await page.wait_for_selector("h1")
        cid = await confer(http, service.play)
        await click(http, service.public, service.folder, cid, wait=20)
        await page.wait_for_selector(f"[data-row]:has-text('{cid[:8]}')")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/console/actions/sandbox\.\w{26}$"))
        await page.wait_for_selector("text=disconnected")
        await reader.shot("story-one-action")
        assert (await reader.barriers(), await reader.objections()) == ([], [])
