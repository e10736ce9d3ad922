"""The console lets in who may, does what may be done, and answers everything else with a page that says why not."""

from __future__ import annotations

import io
import json
from ipaddress import ip_network

import pytest

from service.core.model import Operator
from service.web.console.pages import POLICY
from service.web.console.proxy import Proxy
from tests.web.console.ground import BETH, HOLDERS, ORIGIN, Browser, Ground
from tests.web.console.test_pages import inline_in


async def test_a_page(vera: Browser) -> None:
    """Whoever is in sees a page, with what stands on each: his name, mode and pauses, the way to the other pages."""
    answer = await vera.get("/")
    assert answer.status_code == 200
    for said in ("vera", "acme live", "other shadow, desk in shadow", "Log out", "Onhook 0.1.0", 'aria-current="page"'):
        assert said in answer.text
    assert (await vera.ask("HEAD", "")).status_code == 200


async def test_a_query(vera: Browser) -> None:
    """What stands behind the question mark is read as a browser writes it, and shown as text."""
    assert "Done: a &lt;b&gt; ü" in (await vera.get("?done=a+%3Cb%3E%20%C3%BC")).text


async def test_an_act(beth: Browser, ground: Ground) -> None:
    """An operator's act is done once, under his name and with his reason, and leads to a page that says so."""
    fields = {"form_token": await beth.form_token(), "what": "pause", "why": " a storm "}
    answer = await beth.post("/act", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?done=paused")
    assert ground.acts == [(Operator("beth", "a storm"), "pause")]


async def test_a_viewer_changes_nothing(vera: Browser, ground: Ground) -> None:
    """A viewer's act is refused in words, though the form is his own."""
    answer = await vera.post("/act", {"form_token": await vera.form_token(), "what": "pause"})
    assert (answer.status_code, "You are here as a viewer" in answer.text) == (403, True)
    assert ground.acts == []


async def test_forms_of_another_session(beth: Browser, vera: Browser, ground: Ground) -> None:
    """A form without this session's own token does nothing, in an operator's own browser too."""
    right = await beth.form_token()
    other = Browser(ground)
    ground.clock.at += 1
    await other.login(BETH)
    for wrong in (None, "", "0" * 64, right[:-1], f"{right}0", "ü", await vera.form_token(), await other.form_token()):
        fields = {"what": "pause"} | ({} if wrong is None else {"form_token": wrong})
        answer = await beth.post("/act", fields)
        assert (answer.status_code, "This form is not of your session" in answer.text) == (403, True)
    assert ground.acts == []
    assert (await beth.post("/act", {"form_token": right})).status_code == 303
    await other.http.aclose()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    ],
)
async def test_forms_of_another_page(beth: Browser, ground: Ground, headers: dict[str, str]) -> None:
    """A form that another page sends does nothing, even with the right token in it."""
    fields = {"form_token": await beth.form_token(), "what": "pause"}
    answer = await beth.ask("POST", "/act", fields, headers)
    assert (answer.status_code, "Not sent by a page of the console" in answer.text) == (403, True)
    assert ground.acts == []


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "0.0.0.0:80", "", "127.0.0.2"])
@pytest.mark.parametrize("path", ["", "/login", "/static/none.css"])
async def test_a_strangers_name_for_us(beth: Browser, host: str, path: str) -> None:
    """Under a name that is not ours nothing is shown: a stranger may have made it lead here."""
    answer = await beth.get(path, host=host)
    assert (answer.status_code, "Unknown host name" in answer.text) == (403, True)


async def test_a_name_of_ours(log: io.BytesIO) -> None:
    """A name of the settings is ours, also where a proxy keeps it to itself and the page alone has it."""
    ground = Ground(HOLDERS, hosts=frozenset({"localhost", "console.example"}))
    browser = Browser(ground)
    sent = {"host": "console.example", "origin": "https://console.example"}
    assert (await browser.ask("POST", "/login", {"token": BETH}, sent)).status_code == 303
    sent["host"] = "localhost"
    assert (await browser.ask("POST", "/login", {"token": BETH}, sent)).status_code == 303
    await browser.http.aclose()


@pytest.mark.parametrize(
    "method, path, status, allow",
    [
        ("GET", "/nothing", 404, None),
        ("GET", "/actions/../x", 404, None),
        ("GET", "//", 404, None),
        ("GET", "/act", 405, "POST"),
        ("POST", "/part", 405, "GET, HEAD"),
        ("PUT", "", 405, "GET, HEAD"),
        ("DELETE", "/login", 405, "GET, HEAD, POST"),
        ("GET", "/logout", 405, "POST"),
        ("OPTIONS", "/act", 405, "POST"),
    ],
)
async def test_nothing_else(beth: Browser, method: str, path: str, status: int, allow: str | None) -> None:
    """What is not there is not found, and what takes another method says which: as a page."""
    answer = await beth.ask(method, path, headers={"origin": ORIGIN})
    assert (answer.status_code, answer.headers.get("allow")) == (status, allow)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_faults_are_pages(beth: Browser, log: io.BytesIO) -> None:
    """What goes wrong is a page: Redis away, what cannot be done, a fault of ours; the log alone knows what it was."""
    log.truncate(0)
    for how, status, said in [("store", 503, "Redis is away"), ("refused", 422, "Say for how long."), ("bug", 500, "")]:
        answer = await beth.get(f"/fail/{how}")
        assert (answer.status_code, said in answer.text, "canary" in answer.text) == (status, True, False)
        assert "beth" in answer.text
    lines = [json.loads(line) for line in log.getvalue().strip(b"\0").splitlines()]
    assert [(line["event"], line["fault"], line["where"]) for line in lines] == [
        ("fault.raised", "KeyError", "GET /console")
    ]


async def test_redis_is_away(beth: Browser, ground: Ground) -> None:
    """While Redis is away a page says so and what to do, and nobody is thrown out."""
    ground.is_store_down = True
    for path in ("", "/part"):
        answer = await beth.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "onhook check" in answer.text
    assert (await Browser(ground).get("/login")).status_code == 200
    ground.is_store_down = False
    assert (await beth.get("")).status_code == 200


async def test_who_went_away(beth: Browser) -> None:
    """Whoever went away while his page was made is answered nothing."""
    with pytest.raises(AssertionError):  # httpx' own, for an app that answers nothing
        await beth.get("/fail/left")


async def test_scripts_of_who_is_out(stranger: Browser) -> None:
    """A script of ours is not led to a page for people: it hears that the session is over."""
    answer = await stranger.get("/part", x_onhook_live="1")
    assert answer.status_code == 401
    assert "location" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_by_a_link_from_elsewhere(stranger: Browser, beth: Browser, site: str) -> None:
    """Who comes by a link from elsewhere comes without his cookie, so the page asks for itself once more, with it."""
    arriving = await stranger.get("/part?q=x", sec_fetch_site=site)
    assert (arriving.status_code, arriving.headers["refresh"]) == (200, "0")
    assert inline_in(arriving.text) == []
    assert (await stranger.get("/part?q=x", sec_fetch_site="same-origin")).status_code == 303
    assert (await stranger.ask("POST", "/act", {}, {"origin": ORIGIN, "sec-fetch-site": site})).status_code == 403
    assert (await stranger.ask("HEAD", "/part", headers={"sec-fetch-site": site})).status_code == 200
    assert "refresh" not in (await beth.get("/part", sec_fetch_site=site)).headers


async def test_a_part_that_is_as_it_was(beth: Browser, ground: Ground) -> None:
    """A part of a page that did not change costs nothing; one that did comes whole, without the page around it."""
    first = await beth.get("/part")
    assert "<html" not in first.text
    tag = {"if_none_match": first.headers["etag"], "x_onhook_live": "1"}
    assert (await beth.get("/part", **tag)).status_code == 304
    ground.text = "other"
    assert (await beth.get("/part", **tag)).status_code == 200


async def test_files_before_the_login(stranger: Browser, ground: Ground) -> None:
    """Scripts and styles are for everybody, by their whole address and GET alone; a path leads to no other file."""
    address = ground.site.pages.assets.address("console.css").removeprefix("/console")
    answer = await stranger.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert (await stranger.get(address, if_none_match=answer.headers["etag"])).status_code == 304
    assert (await stranger.ask("HEAD", address)).status_code == 200
    assert (await stranger.ask("POST", address, {}, {"origin": ORIGIN})).status_code == 405
    for path in (
        "/static/",
        "/static/console.css",
        "/static/../templates/login.html",
        "/static/%2e%2e/templates/login.html",
        "/static/..%2f..%2fconsole%2fsite.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/console.css/..",
    ):
        missing = await stranger.get(path)
        assert (missing.status_code, "There is nothing at this address" in missing.text) == (404, True)


async def test_bodies_that_are_no_form(beth: Browser) -> None:
    """A form that is too long, or none, is refused as a page, before anything is done."""
    token = await beth.form_token()
    assert (await beth.post("/act", {"form_token": token, "why": "x" * 20_000})).status_code == 413
    answer = await beth.http.post(
        "/console/act", json={}, headers={"origin": ORIGIN, "cookie": f"onhook={beth.cookie}"}
    )
    assert (answer.status_code, "This takes a form" in answer.text) == (415, True)


async def test_every_answer_has_the_policy(beth: Browser, vera: Browser, stranger: Browser, ground: Ground) -> None:
    """Whatever is answered, to whomever: the policy, no guessing of types, nothing kept, nothing inline."""
    token = await beth.form_token()
    answers = [
        await stranger.get(""),
        await stranger.get("/login"),
        await stranger.login("wrong"),
        await stranger.get("/nothing"),
        await stranger.get("", host="evil.example"),
        await stranger.get("/part", x_onhook_live="1"),
        await stranger.post("/act"),
        await beth.get(""),
        await beth.get("/part"),
        await beth.get("/numbers"),
        await beth.get("/fail/bug"),
        await beth.get("/fail/store"),
        await beth.get("/fail/refused"),
        await beth.ask("PUT", ""),
        await beth.ask("POST", "/act", {}, {"origin": "null"}),
        await beth.post("/act", {"form_token": "x"}),
        await beth.post("/act", {"form_token": token}),
        await vera.post("/act", {"form_token": await vera.form_token()}),
        await beth.post("/logout", {"form_token": token}),
    ]
    statuses = {200, 303, 401, 403, 404, 405, 422, 500, 503}
    assert {answer.status_code for answer in answers} == statuses
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
        assert (answer.headers["referrer-policy"], answer.headers["x-frame-options"]) == ("same-origin", "DENY")
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert inline_in(answer.text) == []


async def test_single_sign_on(log: io.BytesIO) -> None:
    """Whom a trusted proxy names is in without a token, acts with forms of his own, and cannot log out of it here."""
    proxy = Proxy("x-user", (ip_network("127.0.0.1"),), "", frozenset({"ann"}), frozenset({"vera"}))
    ground = Ground(HOLDERS, proxy)
    browser = Browser(ground)
    page = await browser.get("", x_user="ann")
    assert ("ann" in page.text, "Log out" in page.text, "set-cookie" in page.headers) == (True, False, False)
    token = ground.sessions.lent("ann", HOLDERS[0].role).form_token
    assert token in page.text or "form_token" in page.text
    done = await browser.post("/act", {"form_token": token, "what": "x"}, x_user="ann")
    assert (done.status_code, ground.acts) == (303, [(Operator("ann"), "x")])
    assert (await browser.post("/act", {"form_token": token}, x_user="vera")).status_code == 403
    refused = await browser.get("", x_user="eve")
    assert (refused.status_code, "has no role for you" in refused.text) == (403, True)
    assert (await browser.get("")).status_code == 303  # nobody is named: the way of tokens
    await browser.http.aclose()


async def test_single_sign_on_of_a_stranger(log: io.BytesIO) -> None:
    """Who says himself who he is, is turned away, also with a session of his own; without a proxy the header is air."""
    proxy = Proxy("x-user", (ip_network("10.1.2.3"),), "", frozenset({"ann"}), frozenset({"*"}))
    for told, status in ((proxy, 403), (None, 200)):
        browser = Browser(Ground(HOLDERS, told))
        await browser.login(BETH)
        answer = await browser.get("", x_user="ann")
        assert (answer.status_code, "Not from the proxy" in answer.text) == (status, status == 403)
        assert "ann <small>" not in answer.text
        await browser.http.aclose()
