"""The console in a browser, as a person has it: by hand, by keys, in the dark, on a phone, and with the store away."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.console.proxy import Proxy
from tests.fixtures.browser import Reader, Scheme, reading
from tests.web.console.ground import BETH, HOLDERS, HOSTILE, VERA, Ground, served

if TYPE_CHECKING:  # as in the fixture
    from playwright.async_api import Browser


@pytest.fixture
async def console(ground: Ground) -> AsyncIterator[str]:
    """The address of the console, while it is served."""
    async with served(ground.door) as door:
        yield f"{door}/console"


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Return when `is_so`; a browser takes the time it takes."""
    async with asyncio.timeout(30):
        while not await is_so():
            pass  # each look is a call to another process


async def test_by_hand(chromium: Browser, console: str) -> None:
    """A wrong token is said, a right one leads to the page that was wanted, and logging out leads back."""
    async with reading(chromium) as reader:
        await reader.at(f"{console}/?q=abc")
        assert await reader.barriers() == []
        await reader.shot("login")
        await reader.page.fill("#token", "onhook_wrong")
        await reader.page.press("#token", "Enter")
        await reader.page.wait_for_selector("#wrong")
        assert await reader.page.evaluate("document.activeElement.id") == "token"
        assert await reader.barriers() == []
        await reader.shot("login-wrong")
        await reader.page.fill("#token", BETH)
        await reader.page.press("#token", "Enter")
        await reader.page.wait_for_selector("form.leave")
        assert reader.page.url == f"{console}/?q=abc"
        (cookie,) = await reader.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")
        assert await reader.page.evaluate("document.cookie") == ""
        await reader.page.click("text=Log out")
        await reader.page.wait_for_url(f"{console}/login")
        await reader.at(console)
        assert reader.page.url == f"{console}/login"
        assert await reader.objections() == []


@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 1280), ("light", 360)])
async def test_looks(chromium: Browser, console: str, scheme: Scheme, width: int) -> None:
    """In light and dark, on a desk and on a phone: nothing to scroll to the side, nobody kept out, nothing stopped."""
    async with reading(chromium, scheme=scheme, width=width) as reader:
        await reader.at(f"{console}/login")
        await reader.shot(f"login-{scheme}-{width}")
        assert not await reader.is_too_wide()
        await reader.login(console, BETH)
        await reader.page.wait_for_selector("[data-drawn=true] canvas")
        await reader.shot(f"sample-{scheme}-{width}")
        assert (await reader.barriers(), await reader.is_too_wide()) == ([], False)
        assert await reader.page.title() == "Sample · Onhook"  # what a webhook wrote did not run
        assert HOSTILE[:31] in await reader.shown()
        await reader.page.keyboard.press("?")
        await reader.shot(f"keys-{scheme}-{width}")
        assert await reader.barriers() == []
        assert await reader.objections() == []


async def test_keys(chromium: Browser, console: str) -> None:
    """Slash searches, j and k go up and down the lines, Enter opens one, a question mark helps, Escape closes."""
    async with reading(chromium) as reader:
        await reader.login(console, BETH)
        page = reader.page
        await page.click("[data-live-pause]")

        async def focused() -> str:
            return str(await page.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))

        await page.keyboard.press("/")
        assert await focused() == "q"
        await page.keyboard.type("jk?/")
        assert await page.input_value("#q") == "jk?/"
        await page.keyboard.press("Escape")
        lines = []
        for key in "jjjjkkkk":
            await page.keyboard.press(key)
            lines.append((await focused())[-1])
        assert "".join(lines) == "01221000"
        await page.keyboard.press("Control+j")
        assert (await focused())[-1] == "0"
        await page.keyboard.press("?")
        assert await page.locator("#keys").is_visible()
        await page.keyboard.press("j")
        await page.keyboard.press("Escape")
        assert not await page.locator("#keys").is_visible()
        await page.click("[data-opens=keys]")
        await page.click("#keys button")
        await page.keyboard.press("k")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{console}/fail/2")
        assert reader.faults == []


async def test_live(chromium: Browser, console: str, ground: Ground) -> None:
    """What changes appears by itself, and keeps what one has in hand; paused it stays; without an answer it says so."""
    async with reading(chromium) as reader:
        await reader.login(console, BETH)
        page = reader.page
        status = page.locator("[data-live-status]")

        async def has(text: str) -> bool:
            return text in await reader.shown()

        await page.focus("[href$='/fail/1']")
        ground.text = "first news"
        await until(lambda: has("first news"))
        assert await page.evaluate("document.activeElement.getAttribute('href')") == "/console/fail/1"
        await until(lambda: _says(reader, "Updated"))
        await page.keyboard.press("p")
        assert (await page.inner_text("[data-live-pause]"), "Updates paused, as of" in await status.inner_text()) == (
            "Resume updates",
            True,
        )
        ground.text = "second news"
        for _ in range(3):  # some rounds of it
            await page.evaluate("new Promise((done) => setTimeout(done, 250))")
        assert not await has("second news")
        await page.click("[data-live-pause]")
        await until(lambda: has("second news"))
        ground.is_store_down = True
        await until(lambda: _says(reader, "No answer since"))
        await reader.shot("live-no-answer")
        assert await page.evaluate("document.body.classList.contains('stale')")
        ground.is_store_down = False
        await until(lambda: _says(reader, "Updated"))
        await ground.clock.sleep(3600)
        await page.wait_for_url(f"{console}/login")


async def _says(reader: Reader, text: str) -> bool:
    return text in await reader.page.inner_text("[data-live-status]")


async def test_asked_before_an_act(chromium: Browser, console: str, ground: Ground) -> None:
    """Before an act one is asked, in the words of its button; no means that nothing is done, yes that it is."""
    async with reading(chromium) as reader:
        await reader.login(console, BETH)
        page = reader.page
        await page.fill("#why", "a storm")
        await page.click("text=Pause acme")
        assert await page.inner_text("#sure-text") == "This pauses all of acme."
        await reader.shot("sure")
        assert await reader.barriers() == []
        await page.click("#sure button[value=no]")
        await page.click("button[value=drop]")
        assert (await page.inner_text("#sure-text"))[:40] == f"This drops it: {HOSTILE}"[:40]
        await page.keyboard.press("Escape")
        assert not await page.locator("#sure").is_visible()
        assert ground.acts == []
        await page.press("#why", "Enter")
        await page.click("#sure button[value=yes]")
        await page.wait_for_selector("text=Done: paused")
        assert [(by.who, by.why, what) for by, what in ground.acts] == [("beth", "a storm", "pause")]
        assert await reader.objections() == []


async def test_without_scripts(chromium: Browser, console: str, ground: Ground) -> None:
    """Without scripts one logs in, reads, searches and acts all the same."""
    async with reading(chromium, scripts=False) as reader:
        page = reader.page
        await page.goto(f"{console}/login")
        await page.fill("#token", BETH)
        await page.press("#token", "Enter")
        await page.wait_for_selector("form.leave")
        assert not await page.locator("[data-live-pause]").is_visible()
        await page.click("summary")
        assert await page.locator("figure table").is_visible()
        await page.fill("#why", "a storm")
        await page.click("text=Pause acme")
        await page.wait_for_selector("text=Done: paused")
        assert [what for _, what in ground.acts] == ["pause"]


async def test_a_viewer(chromium: Browser, console: str, ground: Ground) -> None:
    """A viewer who acts is told in words that he may not, and finds back."""
    async with reading(chromium) as reader:
        await reader.login(console, VERA)
        await reader.page.fill("#why", "x")
        await reader.page.click("text=Pause acme")
        await reader.page.click("#sure button[value=yes]")
        await reader.page.wait_for_selector("text=For operators")
        await reader.page.click("text=To the first page")
        await reader.page.wait_for_selector("h1:has-text('Sample')")
        assert (ground.acts, await reader.objections()) == ([], [])


def _foreign(console: str) -> ASGIApp:
    """Return somebody else's site, whose pages try what a page can: a form, a frame, a script, a question, a link."""
    pages = {
        "/form": f"<form method=post action='{console}/act'><input name=what value=pause></form>"
        "<script>document.forms[0].submit()</script>",
        "/frame": f"<iframe src='{console}'></iframe>",
        "/script": f"<script>fetch('{console}', {{credentials: 'include'}}).then(() => document.title = 'read',"
        " () => document.title = 'shut')</script>",
        "/link": f"<a href='{console}/?q=link'>an alert</a>",
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await Response(pages.get(request.url.path, ""), media_type="text/html")(scope, receive, send)

    return app


async def test_somebody_elses_page(chromium: Browser, console: str, ground: Ground) -> None:
    """In a browser that is in, another site's page can neither act nor frame nor read; its link leads on."""
    async with served(_foreign(console)) as door, reading(chromium) as reader:
        page, evil = reader.page, door.replace("127.0.0.1", "localhost")  # to a browser that is another site
        await reader.login(console, BETH)
        await page.goto(f"{evil}/form")
        await page.wait_for_selector("text=Not sent by a page of the console")
        await page.goto(f"{evil}/script")
        await page.wait_for_function("document.title !== ''")
        assert await page.title() == "shut"
        await page.goto(f"{evil}/frame")
        assert "Sample" not in await page.frame_locator("iframe").locator("body").inner_text()
        assert any("frame-ancestors" in fault for fault in reader.faults)
        await page.goto(f"{evil}/link")
        await page.click("a")
        await page.wait_for_selector("h1:has-text('Sample')")
        assert page.url == f"{console}/?q=link"
        assert ground.acts == []


async def test_a_link_to_who_is_out(chromium: Browser, console: str) -> None:
    """Who is not in and comes by a link from elsewhere is asked for a token, and goes on to where it leads."""
    async with served(_foreign(console)) as evil, reading(chromium) as reader:
        await reader.page.goto(f"{evil.replace('127.0.0.1', 'localhost')}/link")
        await reader.page.click("a")
        await reader.page.wait_for_selector("#token")
        await reader.page.fill("#token", BETH)
        await reader.page.press("#token", "Enter")
        await reader.page.wait_for_url(f"{console}/?q=link")


async def test_single_sign_on(chromium: Browser, log: io.BytesIO) -> None:
    """Behind a proxy that says who one is, one is in at once, and acts."""
    proxy = Proxy("x-user", (ip_network("127.0.0.1"),), "", frozenset({"ann"}), frozenset())
    ground = Ground(HOLDERS, proxy)
    async with served(ground.door) as door, reading(chromium, headers={"X-User": "ann"}) as reader:
        await reader.at(f"{door}/console")
        assert "ann operator" in await reader.page.inner_text(".who")
        await reader.page.fill("#why", "x")
        await reader.page.click("text=Pause acme")
        await reader.page.click("#sure button[value=yes]")
        await reader.page.wait_for_selector("text=Done: paused")
        assert [by.who for by, _ in ground.acts] == ["ann"]
        assert await reader.objections() == []


async def test_nobody_has_a_token(chromium: Browser, log: io.BytesIO) -> None:
    """Where nobody has a token the page says how one is made."""
    async with served(Ground().door) as door, reading(chromium, width=360) as reader:
        await reader.at(f"{door}/console")
        assert "onhook admit YOUR-NAME --role operator" in await reader.shown()
        await reader.shot("login-no-tokens-360")
        assert (await reader.barriers(), await reader.is_too_wide(), await reader.objections()) == ([], False, [])


async def test_troubles(chromium: Browser, console: str, ground: Ground) -> None:
    """Whatever goes wrong is a page that a person can read and leave."""
    async with reading(chromium, width=360, scheme="dark") as reader:
        await reader.login(console, BETH)
        ground.is_store_down = True
        for path, status in [("", 503), ("/nothing", 404), ("/fail/bug", 500), ("/act", 405)]:
            assert await reader.at(console + path) == status
            assert not await reader.is_too_wide()
        assert await reader.barriers() == []
        await reader.shot("trouble")
        assert await reader.objections() == []
