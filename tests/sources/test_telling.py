"""A desk told by settings: exactly the requests they name, proved as they say, and looked at before a repeat."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from service.core import model as m
from service.core.errors import EgressRefused, Rejected, Throttled, Unclear, Upstream
from service.outbound import Asked
from service.sources.telling import Access, Desk, TellOptions, check
from tests.sources.senders import ACTION_ID, NOTE, REPORT, SETTLED, Outdoors, PlayDesk

URL = "http://127.0.0.1:8090"
ACCESS = Access(URL, "agent@acme.example", "a play key")
TELL: dict[str, Any] = {"path": "/api/tickets/{ticket}/notes", "body": {"note": {"text": "{note}", "public": False}}}
T_7 = replace(REPORT, ticket=m.Ticket("OPS-7"))


def options(**more: object) -> TellOptions:
    """Return how a desk is told."""
    return TellOptions.model_validate(TELL | more)


def faults(**more: object) -> str:
    """Return what is said of settings that cannot be used."""
    with pytest.raises(ValidationError) as caught:
        options(**more)
    return str(caught.value)


def desk(answer: Response | None = None, access: Access = ACCESS, **more: object) -> tuple[PlayDesk, Desk, Outdoors]:
    """Return a desk that answers so, and the way to tell it."""
    play = PlayDesk(lambda: answer or JSONResponse({}, 201))
    outdoors = Outdoors(play.app)
    return play, Desk(options(**more), access, outdoors.outside), outdoors


async def test_a_note() -> None:
    """A note is one request to the ticket's path, its text filled in, with the action's id in it."""
    play, told, _ = desk()
    assert await told.tell(T_7, SETTLED, NOTE) == m.Reply(201)
    (heard,) = play.heard
    assert (heard.method, heard.path, heard.query) == ("POST", "/api/tickets/OPS-7/notes", "")
    assert json.loads(heard.body) == {"note": {"text": NOTE, "public": False}}
    assert heard.headers["content-type"] == "application/json"
    assert "authorization" not in heard.headers
    await told.tell(T_7, SETTLED, "She was removed.")
    assert json.loads(play.heard[1].body)["note"]["text"] == f"She was removed. [{ACTION_ID}]"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_methods_and_headers(method: str) -> None:
    """The method, a query and headers are the settings'; `{user}` in a header is our user."""
    more = {"method": method, "path": "/t/{ticket}?notify=0", "headers": {"From": "{user}", "X-Version": "2"}}
    play = PlayDesk(lambda: JSONResponse({}))
    play.app.routes[0].methods = {"POST", "PUT", "PATCH", "GET"}  # type: ignore[attr-defined]  # it is a Route
    told = Desk(options(**more), ACCESS, Outdoors(play.app).outside)
    await told.tell(T_7, SETTLED, NOTE)
    (heard,) = play.heard
    assert (heard.method, heard.path.partition("?")[0], heard.query) == (method, "/t/OPS-7", "notify=0")
    assert (heard.headers["from"], heard.headers["x-version"]) == ("agent@acme.example", "2")


PAIR = base64.b64encode(b"agent@acme.example:a play key").decode()
ALONE = base64.b64encode(b"a play key:X").decode()


@pytest.mark.parametrize(
    "more, name, value",
    [
        ({"auth": "basic"}, "authorization", f"Basic {PAIR}"), ({"auth": "key"}, "authorization", f"Basic {ALONE}"),
        ({"auth": "bearer"}, "authorization", "Bearer a play key"),
        ({"auth": "token"}, "authorization", "a play key"),
        ({"auth": "token", "auth_prefix": "Token token="}, "authorization", "Token token=a play key"),
        ({"auth": "token", "auth_header": "X-Api-Key"}, "x-api-key", "a play key"),
    ],
)  # fmt: skip
async def test_how_we_prove_ourselves(more: dict[str, object], name: str, value: str) -> None:
    """Each way to prove ourselves puts exactly that header into each request, the look too."""
    play, told, _ = desk(None, ACCESS, **more, look="/api/tickets/{ticket}/notes")
    await told.tell(T_7, SETTLED, NOTE)
    await told.is_told(T_7, SETTLED)
    assert [heard.headers[name] for heard in play.heard] == [value] * 2
    assert ["authorization" in heard.headers for heard in play.heard] == [name == "authorization"] * 2


async def test_a_whole_address() -> None:
    """Without a path the note goes to desk_url itself, key and all, whether the report has a ticket or not."""
    address = f"{URL}/hooks/T1/B2?sig=a-play-key"
    play, told, outdoors = desk(access=replace(ACCESS, url=address), path="", body={"text": "{note}"})
    await told.tell(replace(REPORT, ticket=None), SETTLED, NOTE)
    await told.tell(T_7, SETTLED, NOTE)
    assert [(heard.path.partition("?")[0], heard.query) for heard in play.heard] == [
        ("/hooks/T1/B2", "sig=a-play-key")
    ] * 2
    assert not await told.is_told(T_7, SETTLED)
    assert len(outdoors.rules) == 1
    assert len(play.heard) == 2


@pytest.mark.parametrize(
    "reference", ["", "..", "../x", "OPS-7/notes", "OPS-7?x", "OPS-7#", "OPS 7", "%2e%2e", "é", "-7", "x" * 101]
)
async def test_no_other_ticket_is_told(reference: str) -> None:
    """What is no id of a ticket becomes no part of a path: the report is final, and nothing was sent."""
    play, told, _ = desk(look="/api/tickets/{ticket}/notes")
    for report in (replace(REPORT, ticket=m.Ticket(reference)), replace(REPORT, ticket=None)):
        with pytest.raises(Rejected, match="names no ticket of this desk"):
            await told.tell(report, SETTLED, NOTE)
        assert not await told.is_told(report, SETTLED)
    assert not told.names(reference)
    assert play.heard == []


def test_names_of_tickets() -> None:
    """A desk knows its tickets by its pattern, and by no more than one segment of a path can be."""
    assert desk()[1].names("x" * 100)
    numbers = desk(ticket="[0-9]{1,20}")[1]
    assert [numbers.names(it) for it in ("7", "0" * 20, "0" * 21, "OPS-7", "\u0667", "7\n", "")] == [True] * 2 + [
        False
    ] * 5
    assert not desk(ticket=r"(?i)[a-z/]+")[1].names("a/b")
    # a pattern that takes a long time for a long text is never given one
    assert not desk(ticket="(7+)+x")[1].names("7" * 30_000)


@pytest.mark.parametrize(
    "shown, is_so", [(NOTE, True), (f"<p>{ACTION_ID}</p>", True), ("another note", False), ("", False)]
)
async def test_a_look_before_a_repeat(shown: str, is_so: bool) -> None:
    """A note is there where its action's id is in what the ticket shows."""
    play, told, _ = desk(JSONResponse({"notes": [{"text": shown}]}), look="/api/tickets/{ticket}/notes?order=desc")
    assert await told.is_told(T_7, SETTLED) is is_so
    (heard,) = play.heard
    assert (heard.method, heard.path.partition("?")[0], heard.query, heard.body) == (
        "GET", "/api/tickets/OPS-7/notes", "order=desc", b"",
    )  # fmt: skip
    assert "content-type" not in heard.headers


@pytest.mark.parametrize(
    "status, kind",
    [
        (401, None),
        (403, None),
        (404, None),
        (302, None),
        (429, Throttled),
        (500, Unclear),
        (503, Unclear),
        (408, Unclear),
    ],
)
async def test_a_look_that_shows_nothing(status: int, kind: type[Upstream] | None) -> None:
    """What we may not read counts as not there; a desk that cannot answer now is asked again first."""
    _, told, _ = desk(Response(ACTION_ID, status), look="/api/tickets/{ticket}/notes")
    if kind is None:
        assert not await told.is_told(T_7, SETTLED)
        return
    with pytest.raises(kind):
        await told.is_told(T_7, SETTLED)


@pytest.mark.parametrize(
    "status, kind, words",
    [
        (400, Rejected, "is body as its guide says"), (401, Rejected, "check desk_user and desk_secret"),
        (403, Rejected, "give the user of desk_user the right"), (404, Rejected, "missing, or hidden from our user"),
        (422, Rejected, "is it closed"), (410, Rejected, "the desk refused it"), (302, Rejected, "check the address"),
        (409, Unclear, "may take it another time"), (429, Throttled, "again in 7 s"), (500, Unclear, "500"),
    ],
)  # fmt: skip
async def test_answers(status: int, kind: type[Upstream], words: str) -> None:
    """A desk that says no is final and says what to mend; what may have arrived is looked for first."""
    _, told, _ = desk(Response("", status, {"Retry-After": "7", "Location": "https://evil.example"}), again=[409])
    with pytest.raises(kind, match=words):
        await told.tell(T_7, SETTLED, NOTE)


@pytest.mark.parametrize("auth", ["basic", "bearer"])
async def test_an_error_that_repeats_our_secret_is_not_shown(auth: str) -> None:
    """What a desk says of a fault is told, unless it repeats what we proved ourselves with."""
    for shown in ("a play key", PAIR):
        _, told, _ = desk(JSONResponse({"error": {"message": f"unknown: {shown}"}}, 401), auth=auth)
        with pytest.raises(Rejected) as caught:
            await told.tell(T_7, SETTLED, NOTE)
        assert shown not in str(caught.value) + repr(caught.value.reply)
    _, told, _ = desk(JSONResponse({"error": {"message": "who?"}}, 401), auth=auth)
    with pytest.raises(Rejected, match=r"\(it said: who\?\)"):
        await told.tell(T_7, SETTLED, NOTE)


NOTES = f"{URL}/api/tickets/OPS-7/notes"
GOOD = b'{"note":{"text":"x","public":false}}'


@pytest.mark.parametrize(
    "method, url, body",
    [
        ("PUT", NOTES, GOOD), ("DELETE", NOTES, GOOD), ("GET", NOTES, GOOD), ("POST", NOTES + "/1", GOOD),
        ("POST", f"{URL}/api/tickets//notes", GOOD), ("POST", f"{URL}/api/tickets/../notes", GOOD),
        ("POST", f"{URL}/api/tickets/a/b/notes", GOOD), ("POST", f"{URL}/api/tickets/OPS-7/notes?x", GOOD),
        ("POST", f"{URL}/api/tickets/{'x' * 101}/notes", GOOD),
        ("POST", "http://127.0.0.1:8091/api/tickets/OPS-7/notes", GOOD),
        ("POST", "https://evil.example/api/tickets/OPS-7/notes", GOOD), ("POST", NOTES, b""), ("POST", NOTES, b"[]"),
        ("POST", NOTES, b'{"note":{"text":"x","public":true}}'), ("POST", NOTES, b'{"note":{"text":"x","public":0}}'),
        ("POST", NOTES, b'{"note":{"text":"x"}}'), ("POST", NOTES, b'{"note":{"text":7,"public":false}}'),
        ("POST", NOTES, b'{"note":{"text":"x","public":false},"status":"closed"}'), ("POST", NOTES, b"\xff"),
        ("GET", f"{URL}/look/OPS-7", b"x"), ("GET", f"{URL}/look/OPS-7?limit=2", b""),
        ("GET", f"{URL}/look/OPS-7", b""),
        ("POST", f"{URL}/look/OPS-7?limit=1", b""),
    ],
)  # fmt: skip
async def test_nothing_else_may_leave(method: str, url: str, body: bytes) -> None:
    """The guard lets out a filled note to one ticket and the look for it, and nothing else, whoever asks."""
    play, _, outdoors = desk(look="/look/{ticket}?limit=1")
    caller = outdoors.caller(outdoors.rules)
    with pytest.raises(EgressRefused):
        await caller.send(Asked(method, url, {}, body))
    await caller.send(Asked("POST", NOTES, {}, GOOD))
    await caller.send(Asked("GET", f"{URL}/look/OPS-7?limit=1", {}, b""))
    assert len(play.heard) == 2


OAUTH = {"auth": "oauth", "oauth": {"path": "/token"}}
FAULTS: list[tuple[dict[str, object], str]] = [
    ({"path": "notes"}, "path\n  Value error, is a path in plain characters"),
    ({"path": "/a/../b"}, "is a path in plain characters"),
    ({"path": "/a/./b"}, "is a path in plain characters"),
    ({"path": "/a//b"}, "is a path in plain characters"),
    ({"path": "/a%2fb"}, "is a path in plain characters"),
    ({"path": "/a b"}, "is a path in plain characters"),
    ({"path": "/a?"}, "is a path in plain characters"),
    ({"path": "/a?x={ticket}"}, "is a path in plain characters"),
    ({"path": "/a?b=%zz"}, "is a path in plain characters"),
    ({"path": "/{note}"}, "is a path in plain characters"),
    ({"path": "https://evil.example/x"}, "is a path in plain characters"),
    ({"path": "/a#b"}, "is a path in plain characters"),
    ({"look": "x"}, "look\n  Value error, is a path in plain characters"),
    ({"method": "DELETE"}, "method"),
    ({"body": {}}, "body: has no {note}"),
    ({"body": {"text": "{action}"}}, "body: has no {note}"),
    ({"body": {"text": "{note}", "at": date(2026, 11, 20)}}, "body: holds what JSON does not know"),
    ({"headers": {"X Y": "z"}}, "headers: 'X Y' is no name of a header"),
    ({"headers": {"": "z"}}, "is no name of a header"),
    ({"headers": {"X-Y": "z\r\nHost: evil"}}, "headers: values are printable ASCII"),
    ({"headers": {"X-Y": "\u00e9"}}, "headers: values are printable ASCII"),
    ({"auth": "token", "auth_prefix": "Key\n"}, "so is auth_prefix"),
    ({"auth": "token", "auth_header": "X Y"}, "is no name of a header"),
    ({"auth": "token", "auth_header": "Host"}, "auth_header: Host is ours to say"),
    ({"auth": "token", "auth_header": "x-http-method-override"}, "auth_header: x-http-method-override is ours to say"),
    ({"auth_header": "X-Key", "headers": {"x-key": "z"}}, "headers: one of them is said twice, or is auth_header"),
    ({"headers": {"x-key": "z", "X-Key": "y"}}, "headers: one of them is said twice, or is auth_header"),
    ({"ticket": ".*"}, "ticket\n  Value error, lets a ticket be a piece of a path"),
    ({"ticket": "("}, "is no regular expression"),
    ({"auth": "oauth"}, 'oauth: and auth = "oauth" are said together'),
    ({"oauth": {"path": "/token"}}, 'oauth: and auth = "oauth" are said together'),
    ({**OAUTH, "oauth": {"path": "token"}}, "oauth.path\n  Value error, is a path in plain characters"),
    ({**OAUTH, "oauth": {"path": "/token", "url": "http://evil.example"}}, "oauth.url"),
    ({**OAUTH, "path": ""}, "path: needed where there is look or oauth"),
    ({"path": "", "look": "/x"}, "path: needed where there is look or oauth"),
    ({"again": ["never"]}, "again"),
    ({"url": URL}, "Extra inputs"),
]


@pytest.mark.parametrize("more, words", FAULTS)
def test_faults(more: dict[str, object], words: str) -> None:
    """Settings that name another request than a note, or none, are a fault in words."""
    assert words in faults(**more)


STEERING = [
    "Authorization", "Host", "Content-Length", "Transfer-Encoding", "Content-Type", "Connection", "Upgrade", "TE",
    "Expect", "Proxy-Authorization", "Accept-Encoding", "X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method",
    "Trailer", "Keep-Alive", "Content-Encoding",
]  # fmt: skip


@pytest.mark.parametrize("name", STEERING)
def test_headers_that_steer(name: str) -> None:
    """No header of the settings says who we are, where a request goes or ends, or what it does."""
    for said in (name, name.lower()):
        assert f"headers: {name.lower()} is ours to say" in faults(headers={said: "x"})


@pytest.mark.parametrize(
    "access, more, words",
    [
        (Access("", "", ""), {}, "desk_url: needed to tell its tickets; set it, or say reports = \\[\\]"),
        (Access("", "", ""), {"path": ""}, "desk_url: needed"),
        (Access("http://desk.example", "", ""), {}, "desk_url: is written https://host:port"),
        (Access(f"{URL}/x", "", ""), {}, "desk_url: is written https://host:port"),
        (Access("desk.example", "", ""), {}, "desk_url: is written https://host:port"),
        (Access("https://u:p@desk.example", "", ""), {}, "desk_url: is written https://host:port"),
        (Access("https://desk.example/a b", "", ""), {"path": ""}, "path of desk_url holds"),
        (Access("https://desk.example:0/a", "", ""), {"path": ""}, "port 0 of desk_url"),
        (Access(URL, "", ""), {"auth": "basic"}, "^desk_user and desk_secret: needed"),
        (Access(URL, "u", ""), {"auth": "basic"}, "^desk_secret: needed"),
        (Access(URL, "", "s"), {"auth": "basic"}, "^desk_user: needed"),
        (Access(URL, "", ""), {"auth": "key"}, "^desk_secret: needed"),
        (Access(URL, "u", ""), {"auth": "bearer"}, "^desk_secret: needed"),
        (Access(URL, "u", ""), {"auth": "token"}, "^desk_secret: needed"),
        (Access(URL, "", "s"), OAUTH, "^desk_user: needed"),
        (Access(URL, "", ""), {"headers": {"From": "{user}"}}, "^desk_user: needed"),
        (Access(URL, "", ""), {"auth": "basic", "headers": {"From": "{user}"}}, "^desk_user and desk_secret: needed"),
        (Access(URL, "", ""), {"body": {"by": "{user}", "text": "{note}"}}, "^desk_user: needed"),
        (Access(URL, "u\n", "s"), {"auth": "basic"}, "desk_user and desk_secret are printable ASCII"),
        (Access(URL, "u", "\u00e9"), {"auth": "bearer"}, "desk_user and desk_secret are printable ASCII"),
        (Access(URL, "u:v", "s"), {"auth": "basic"}, "desk_user: one with a colon"),
    ],
)
def test_what_is_missing(access: Access, more: dict[str, object], words: str) -> None:
    """What could not be called is a fault that names the setting, before anything is sent."""
    with pytest.raises(ValueError, match=words):
        check(options(**more), access)
    with pytest.raises(ValueError, match=words):
        Desk(options(**more), access, Outdoors().outside)


class Passing(httpx.AsyncBaseTransport):
    """The other end of a way out: whatever gets here got past the guard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.heard.append((request.url.raw_path.decode(), await request.aread()))
        return httpx.Response(200)


SEGMENTS = st.lists(
    st.from_regex(r"[A-Za-z0-9_.~:@!$&'()*+,;=-]{1,9}", fullmatch=True) | st.just("{ticket}"), min_size=1
)
QUERIES = st.from_regex(r"(\?([A-Za-z0-9_.~:@!$&()*+,;=/-]|%[0-9A-F]{2}){1,12})?", fullmatch=True)
TEXTS = st.dictionaries(
    st.sampled_from(["note", "a"]), st.sampled_from(["{note}", "x{note}y{ticket}", "{html}"]), min_size=1
)


@settings(deadline=None)  # a busy machine is no failure
@given(SEGMENTS, QUERIES, TEXTS, st.text(max_size=40))
async def test_every_note_that_the_settings_name_gets_past_the_guard(
    segments: list[str], query: str, body: Mapping[str, str], note: str
) -> None:
    """What the settings take the guard lets out, byte for byte, whatever the note says."""
    path = "/" + "/".join(segments) + query
    try:
        made = options(path=path, body=dict(body))
    except ValidationError:
        assert any(segment in {".", ".."} for segment in segments)
        return
    outdoors, passing = Outdoors(), Passing()
    outside = replace(outdoors.outside, open_caller=lambda rules: outdoors.caller(rules, lambda: passing))
    await Desk(made, ACCESS, outside).tell(T_7, SETTLED, note)
    ((raw, sent),) = passing.heard
    assert raw == path.replace("{ticket}", "OPS-7")
    assert ACTION_ID in sent.decode()
