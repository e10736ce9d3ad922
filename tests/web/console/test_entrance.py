"""Who has a token gets in and goes where he was going; who has none learns nothing, and is slowed down."""

from __future__ import annotations

import io
import json
import re

import httpx
import pytest

from service.web.console.entrance import WRONG_MOST, next_in
from service.web.console.proxy import Proxy
from service.web.console.sessions import COOKIE
from tests.web.console.ground import BETH, VERA, Browser, Ground


async def test_in_and_out(stranger: Browser) -> None:
    """A token opens a session, in which pages are shown; logging out ends it in the browser."""
    assert (await stranger.get("")).headers["location"] == "/console/login"
    page = await stranger.get("/login")
    assert (page.status_code, "Log in" in page.text) == (200, True)
    entered = await stranger.login(BETH)
    assert (entered.status_code, entered.headers["location"], entered.content) == (303, "/console", b"")
    shown = await stranger.get("")
    assert (shown.status_code, "beth" in shown.text, "operator" in shown.text) == (200, True, True)
    left = await stranger.post("/logout", {"form_token": await stranger.form_token()})
    assert (left.status_code, left.headers["location"], stranger.cookie) == (303, "/console/login", "")
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert (await stranger.get("")).status_code == 303


async def test_the_cookie(stranger: Browser) -> None:
    """The cookie goes to the console alone, is for no script and no other site, and over https for https alone."""
    entered = await stranger.login(BETH)
    attributes = set(entered.headers["set-cookie"].split("; ")[1:])
    assert attributes == {"Path=/console", "Max-Age=3600", "HttpOnly", "SameSite=Strict"}
    sent = {"host": "localhost", "origin": "https://localhost"}
    safe = await stranger.ask("POST", "/login", {"token": BETH}, sent)
    assert "Secure" in safe.headers["set-cookie"].split("; ")
    assert BETH not in entered.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "onhook_", BETH[:-1] + "c", BETH.lower() + "x", "' OR 1=1"])
async def test_wrong_tokens(stranger: Browser, log: io.BytesIO, token: str) -> None:
    """A wrong token opens nothing, is said in words, is neither shown nor logged, and one line tells of it."""
    answer = await stranger.login(token, next="/console/actions")
    assert (answer.status_code, "This token is nobody’s" in answer.text) == (403, True)
    assert "set-cookie" not in answer.headers
    assert 'value="/console/actions"' in answer.text
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["event"], line["level"], line["peer"]) == ("session.refused", "warning", "127.0.0.1")
    assert not token or (token not in answer.text.replace("onhook_</code>", "") and token not in str(line))


async def test_who_came_in_is_logged(stranger: Browser, log: io.BytesIO) -> None:
    """Who opens a session stands in the log, his token does not."""
    await stranger.login(VERA)
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["event"], line["who"], line["role"]) == ("session.opened", "vera", "viewer")
    assert VERA[7:] not in str(line)


async def test_too_many_wrong_tokens(stranger: Browser, ground: Ground, log: io.BytesIO) -> None:
    """After ten wrong tokens within a minute, wrong ones hear 429 and when to come; right ones get in."""
    for _ in range(WRONG_MOST):
        assert (await stranger.login("wrong")).status_code == 403
        await ground.clock.sleep(1)
    answer = await stranger.login("wrong")
    wait = int(answer.headers["retry-after"])
    assert (answer.status_code, wait) in {(429, 50), (429, 51)}  # what is left of a second is one
    assert f"Try again in {wait} s" in answer.text
    assert len(log.getvalue().splitlines()) == WRONG_MOST
    assert (await stranger.login(BETH)).status_code == 303
    await ground.clock.sleep(wait - 2)
    assert (await stranger.login("wrong")).status_code == 429
    await ground.clock.sleep(2)
    assert (await stranger.login("wrong")).status_code == 403


async def test_no_tokens(log: io.BytesIO) -> None:
    """Where nobody has a token the page says how one is made, asks for none, and nobody gets in."""
    browser = Browser(Ground())
    page = await browser.get("/login")
    assert "onhook admit" in page.text
    assert 'name="token"' not in page.text
    assert (await browser.login(BETH)).status_code == 403
    await browser.http.aclose()


async def test_a_proxy_alone(log: io.BytesIO) -> None:
    """Where nobody has a token since a proxy says who one is, the page leads there."""
    browser = Browser(Ground(proxy=Proxy("x-user", (), "", frozenset({"ann"}), frozenset())))
    page = await browser.get("/login")
    assert "Come by the address of the proxy" in page.text
    assert "onhook admit" not in page.text
    await browser.http.aclose()


async def test_the_page_one_wanted(stranger: Browser) -> None:
    """Who was led to the login goes on to where he was going, query and all."""
    led = await stranger.get("/part?q=INC1%200&source=desk")
    assert led.headers["location"] == "/console/login?next=%2Fconsole%2Fpart%3Fq%3DINC1%25200%26source%3Ddesk"
    page = await stranger.http.get(led.headers["location"])
    found = re.search(r'name="next" value="([^"]+)"', page.text)
    assert found
    entered = await stranger.login(BETH, next=found[1].replace("&amp;", "&"))
    assert entered.headers["location"] == "/console/part?q=INC1%200&source=desk"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/console/../evil",
        "/console/./x",
        "/console/..?x",
        "/console//evil.example",
        "/console@evil.example",
        "/consoles",
        "console",
        "javascript:alert(1)",
        "/console\r\nSet-Cookie: a=b",
        "/console/\tx",
        "/console?next=//evil\n",
        "/console/login",
        "/console/login?next=/console",
        "/webhooks/desk",
        "",
    ],
)
async def test_no_way_elsewhere(stranger: Browser, wanted: str) -> None:
    """Whatever stands for the page one wanted, the login leads to a page of the console and nowhere else."""
    assert next_in(wanted) == "/console"
    entered = await stranger.login(BETH, next=wanted)
    assert entered.headers["location"] == "/console"
    page = await stranger.http.get("/console/login", params={"next": wanted})
    assert 'name="next" value="/console"' in page.text


async def test_every_way_inside() -> None:
    """A page of the console is one that somebody may want."""
    for wanted in ("/console", "/console/", "/console/actions/acme.0123?done=x", "/console/actions?q=a%2Fb&after=x.y"):
        assert next_in(wanted) == wanted


async def test_a_session_ends(beth: Browser, ground: Ground) -> None:
    """A session is over when its time is, whatever the browser still sends; an act then says so, and does nothing."""
    token = await beth.form_token()
    await ground.clock.sleep(3599)
    assert (await beth.get("")).status_code == 200
    await ground.clock.sleep(1)
    assert (await beth.get("")).status_code == 303
    answer = await beth.post("/act", {"form_token": token, "what": "pause"})
    assert (answer.status_code, "You are not logged in" in answer.text) == (401, True)
    assert ground.acts == []


async def test_a_bent_cookie(beth: Browser) -> None:
    """A cookie that somebody changed, or made up, is no cookie; nor is one beside it that is right."""
    right = beth.cookie
    for cookie in (right[:-1] + ("0" if right[-1] != "0" else "1"), right.replace("beth", "vera"), "beth:9:0:0", "x"):
        assert (await beth.get("", cookie=f"{COOKIE}={cookie}")).status_code == 303
    assert (await beth.get("", cookie=f"{COOKIE}={right}")).status_code == 200


async def test_login_from_elsewhere(stranger: Browser) -> None:
    """A page of somebody else's cannot log anybody in: also as himself he would write into another's session."""
    foreign: dict[str, str] = {"origin": "https://evil.example"}
    answer: httpx.Response = await stranger.ask("POST", "/login", {"token": BETH}, foreign)
    assert (answer.status_code, "Not sent by a page of the console" in answer.text) == (403, True)
    assert stranger.cookie == ""
