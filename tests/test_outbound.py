"""Which failure means what, and what may leave the process: tables, and a guard under attack."""

import importlib.util
import inspect
import math
import re
import ssl
import sys

import h11
import httpx
import pytest
from httpcore._async import http11

from service.core.errors import EgressRefused, Unclear, Unreachable
from service.outbound import (
    FAILURES,
    Answered,
    Asked,
    Caller,
    EgressGuard,
    Origin,
    Outgoing,
    Rule,
    failure_of,
    origin_in,
    printable,
)
from tests.genesys.peers import HandClock, Noting

QUICK = Outgoing(connect_seconds=0.5, total_seconds=0.2)
DESK = Origin("https", "desk.example")
RULES = (
    Rule("GET", DESK, re.compile(rb"/notes/[0-9]+")),
    Rule("GET", DESK, re.compile(rb"/find"), query=re.compile(rb"q=[a-z%0-9]+")),
    Rule("POST", DESK, re.compile(rb"/notes"), body=lambda body: body.startswith(b'{"note":')),
    Rule("PUT", DESK, re.compile(rb"/.*"), body=b"exactly"),
    Rule("GET", Origin("http", "127.0.0.1", 8090), re.compile(rb"/notes/[0-9]+")),
    Rule("GET", Origin("http", "desk.example"), re.compile(rb"/notes/[0-9]+")),
)


# ------------------------------------------------------------------------------------------- which failure means what
def httpx_errors() -> set[type[Exception]]:
    """Every exception class that httpx has, exported or not."""
    found = {getattr(httpx, name) for name in httpx.__all__}
    found |= {kind for _, kind in inspect.getmembers(httpx._exceptions, inspect.isclass)}
    return {kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception)}


def test_every_failure_is_placed() -> None:
    """Each exception class of httpx stands in the table itself: a new one fails here until somebody has placed it."""
    assert httpx_errors() <= set(FAILURES)
    assert len(httpx_errors()) > 25


def test_only_failures_before_the_hand_over_are_unreachable() -> None:
    """Unreachable means that repeating is safe, so only five classes may say it."""
    assert {kind for kind, (made, _) in FAILURES.items() if made is Unreachable} == {
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    }


def test_no_unreachable_failure_is_known_to_the_code_that_sends() -> None:
    """What writes the request, httpcore's HTTP/1.1 connection, imports no error that we take for "never left"."""
    safe = {kind.__name__ for kind, (made, _) in FAILURES.items() if made is Unreachable}
    assert {"WriteError", "RemoteProtocolError"} <= set(vars(http11))
    assert safe & set(vars(http11)) == set()


@pytest.mark.parametrize("kind", sorted(httpx_errors() - {httpx.HTTPStatusError}, key=repr))
async def test_each_failure_becomes_its_error(kind: type[Exception]) -> None:
    """Whatever httpx raises in a call leaves it as the error of the table, named, with a code for the timeline."""
    error = kind("why") if inspect.signature(kind).parameters else kind()
    caller = Caller(RULES, HandClock(), QUICK, transport=lambda: Noting(error))
    made, code = FAILURES[kind]
    with pytest.raises(made, match=kind.__name__) as caught:
        await caller.send(Asked("GET", "https://desk.example/notes/1"))
    if isinstance(caught.value, Unclear | Unreachable):
        assert (caught.value.reply.code, caught.value.reply.status) == (code, None)


@pytest.mark.parametrize(
    "error", [h11.LocalProtocolError("x"), ssl.SSLError("x"), RuntimeError("x"), ExceptionGroup("x", [OSError()])]
)
def test_what_nobody_foresaw_is_unclear(error: Exception) -> None:
    """An error from below httpx may come after the request has left."""
    assert isinstance(failure_of(error), Unclear)


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.PoolTimeout, httpx.ReadError])
def test_after_a_status_nothing_is_unreachable(kind: type[httpx.TransportError]) -> None:
    """Once an answer has begun, the request had arrived, whatever class says otherwise."""
    error = failure_of(kind("x"), 202)
    assert isinstance(error, Unclear)
    assert error.reply.status == 202


# ----------------------------------------------------------------------------------------------------- small values
def test_a_package_that_is_not_there_is_looked_for_once() -> None:
    """Each call asks for sniffio: whether it is there or not is known before the first."""
    assert "sniffio" in sys.modules or importlib.util.find_spec("sniffio")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("plain – ünï ☎", "plain – ünï ☎"),
        ("a\r\nb\x00\x1b[31m\x85", "a��b��[31m�"),
        ("\u202egnp\u200b\ud800\u2028", "�gnp���"),
        ("x" * 501, "x" * 500),
    ],
)
def test_printable_text_stays_on_its_line(text: str, expected: str) -> None:
    """No control character, direction mark or lone surrogate of somebody else's reaches a log or a ticket."""
    assert printable(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("https://api.mypurecloud.de", "https://api.mypurecloud.de"),
        ("https://API.mypurecloud.de:443/", "https://api.mypurecloud.de"),
        ("https://desk.example:8443", "https://desk.example:8443"),
        ("http://127.0.0.1:8090/", "http://127.0.0.1:8090"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://[::1]:8090", "http://[::1]:8090"),
    ],
)
def test_origins_are_read(text: str, expected: str) -> None:
    """Scheme, host and port are kept, the rest of an origin's spelling is not."""
    assert str(origin_in(text)) == expected
    assert origin_in(expected) == origin_in(text)


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("http://desk.example", "must begin with https"),
        ("http://127.0.0.1.desk.example", "must begin with https"),
        ("http://10.0.0.1", "must begin with https"),
        ("ftp://localhost", "must begin with https"),
        ("https://", "must begin with https"),
        ("desk.example", "must begin with https"),
        ("https://desk.example/api", "without a path"),
        ("https://desk.example?", "without a path"),
        ("https://desk.example/#", "without a path"),
        ("https://me:pw@desk.example", "user name or password"),
        ("https://desk.example:port", "is no URL"),
        ("https://a\nb", "is no URL"),
        ("", "must begin with https"),
    ],
)
def test_what_is_no_origin_is_said_in_words(text: str, sentence: str) -> None:
    """A setting that is no origin gets a sentence that says how to write one."""
    with pytest.raises(ValueError, match=sentence):
        origin_in(text)


@pytest.mark.parametrize(
    "given, seconds",
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 1),
        ("999", 180),
        ("9" * 5000, 180),
        ("-1", 3),
        ("1.5", 3),
        ("٣", 3),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 3),
        ("", 3),
        (None, 3),
    ],
)
def test_retry_after_is_a_number_of_seconds(given: str | None, seconds: float) -> None:
    """Retry-After counts in ASCII digits, at least 1 and at most what we agree to; anything else is as if absent."""
    answered = Answered(429, () if given is None else (("retry-after", given),))
    assert answered.retry_after_seconds(3, 180) == seconds


def test_credentials_stand_in_no_repr() -> None:
    """What is printed for debugging shows neither an authorization header, nor a body, nor a proxy's password."""
    asked = Asked("GET", "https://desk.example", {"Authorization": "Bearer canary"}, b"canary")
    assert "canary" not in repr((asked, Outgoing(proxy="http://me:canary@proxy.example")))


# ---------------------------------------------------------------------------------------------------- the egress guard
@pytest.mark.parametrize(
    "method, url, body",
    [
        ("GET", "https://desk.example/notes/17", b""),
        ("GET", "https://desk.example:443/notes/17", b""),
        ("GET", "https://desk.example/find?q=a%20b", b""),
        ("POST", "https://desk.example/notes", b'{"note":"x"}'),
        ("GET", "http://127.0.0.1:8090/notes/17", b""),
    ],
)
async def test_what_a_rule_allows_leaves(method: str, url: str, body: bytes) -> None:
    """A request of an allowed shape passes, once and unchanged."""
    inner = Noting()
    await EgressGuard(inner, RULES, HandClock()).handle_async_request(httpx.Request(method, url, content=body))
    assert [(seen.method, str(seen.url), await seen.aread()) for seen in inner.seen] == [
        (method, str(httpx.URL(url)), body)
    ]


@pytest.mark.parametrize(
    "method, url, body",
    [
        ("DELETE", "https://desk.example/notes/17", b""),
        ("get", "https://desk.example/notes/17", b"x"),
        ("GET", "https://desk.example/notes/17", b"{}"),
        ("GET", "https://desk.example/notes/17/", b""),
        ("GET", "https://desk.example/notes/", b""),
        ("GET", "https://desk.example/notes/..", b""),
        ("GET", "https://desk.example/notes/%31", b""),
        ("GET", "https://desk.example/notes/17%0a", b""),
        ("GET", "https://desk.example/notes/\uff11\uff17", b""),
        ("GET", "https://desk.example/notes/17?", b""),
        ("GET", "https://desk.example/notes/17?a", b""),
        ("GET", "https://desk.example/notes/17#a", b""),
        ("GET", "https://desk.example//notes/17", b""),
        ("GET", "https://desk.example/find", b""),
        ("GET", "https://desk.example/find?", b""),
        ("GET", "https://desk.example/find?q=A", b""),
        ("GET", "https://desk.example/find?q=a&q=b", b""),
        ("POST", "https://desk.example/notes", b""),
        ("POST", "https://desk.example/notes", b'{"work":"x"}'),
        ("PUT", "https://desk.example/x", b"exactly\n"),
        ("PUT", "https://desk.example/%78", b"exactly"),
        ("GET", "http://desk.example/notes/17", b""),
        ("GET", "https://desk.example:8443/notes/17", b""),
        ("GET", "https://desk.example.evil.example/notes/17", b""),
        ("GET", "https://evil.example/notes/17", b""),
        ("GET", "https://desk.example@evil.example/notes/17", b""),
        ("GET", "https://me@desk.example/notes/17", b""),
        ("GET", "http://127.0.0.1/notes/17", b""),
        ("GET", "https://127.0.0.1:8090/notes/17", b""),
        ("GET", "/notes/17", b""),
    ],
)
async def test_what_no_rule_allows_stays(method: str, url: str, body: bytes) -> None:
    """Any other method, place, path, query or body is refused before the inner transport hears of it."""
    inner = Noting()
    with pytest.raises(EgressRefused):
        await EgressGuard(inner, RULES, HandClock()).handle_async_request(httpx.Request(method, url, content=body))
    assert inner.seen == []


@pytest.mark.parametrize(
    "headers, extensions",
    [
        ({"Host": "evil.example"}, {}),
        ([("Host", "desk.example"), ("Host", "desk.example")], {}),
        ({"X-HTTP-Method-Override": "DELETE"}, {}),
        ({"X-HTTP-Method": "DELETE"}, {}),
        ({"X-Method-Override": "DELETE"}, {}),
        ({"Transfer-Encoding": "chunked"}, {}),
        ({"Upgrade": "h2c"}, {}),
        ({}, {"target": b"/notes"}),
        ({}, {"sni_hostname": "evil.example"}),
    ],
)
async def test_nothing_steers_a_request_past_the_guard(
    headers: dict[str, str] | list[tuple[str, str]], extensions: dict[str, object]
) -> None:
    """The guard judges what goes over the wire: no second Host, no method override, no other target."""
    inner = Noting()
    request = httpx.Request("GET", "https://desk.example/notes/17", headers=headers, extensions=extensions)
    with pytest.raises(EgressRefused):
        await EgressGuard(inner, RULES, HandClock()).handle_async_request(request)
    assert inner.seen == []


@pytest.mark.parametrize(
    "request_, said",
    [
        (
            httpx.Request("GET", "https://a.example/x", extensions={"target": b"/"}),
            "an extension that steers: GET a.ex",
        ),
        (httpx.Request("GET", "https://me@a.example/x"), "a user name or a fragment in the URL: GET a.example"),
        (httpx.Request("GET", "https://a.example/x", headers={"Host": "b"}), "another Host than the URL's: GET a.exam"),
        (
            httpx.Request("GET", "https://a.example/x", headers={"Upgrade": "h2c"}),
            "a header that steers: GET a.example",
        ),
        (httpx.Request("GET", "http://a.example/x"), "neither https nor this machine: GET a.exampleb'/x'"),
        (httpx.Request("GET", "https://a.example/%41"), "an escaped path: GET a.exampleb'/%41'"),
        (httpx.Request("GET", "https://a.example/" + "x" * 300), f"no rule allows this: GET a.exampleb'/{'x' * 184}"),
    ],
)
async def test_a_refusal_says_why(request_: httpx.Request, said: str) -> None:
    """The operator reads what was wrong, with what and where, in a line of bounded length."""
    with pytest.raises(EgressRefused) as caught:
        await EgressGuard(Noting(), RULES, HandClock()).handle_async_request(request_)
    assert str(caught.value).startswith(said)
    assert len(str(caught.value)) <= len(said) + 30


@pytest.mark.parametrize("deadline", [99.9, 100.0, math.nan, -math.inf])
async def test_past_its_deadline_nothing_leaves(deadline: float) -> None:
    """A worker that was frozen and wakes up past the deadline sends nothing; a deadline that is no number holds too."""
    inner = Noting()
    caller = Caller(RULES, HandClock(), QUICK, transport=lambda: inner)
    with pytest.raises(EgressRefused, match="deadline"):
        await caller.send(Asked("GET", "https://desk.example/notes/1", deadline=deadline))
    await caller.send(Asked("GET", "https://desk.example/notes/1", deadline=100.1))
    assert len(inner.seen) == 1


@pytest.mark.parametrize("host", ["::1", "2001:db8:1:2:3:4:5:6"])
def test_an_address_with_colons_is_written_in_brackets(host: str) -> None:
    """An IPv6 address, shortened or not, is written as a URL writes it."""
    assert str(Origin("https", host, 8443)) == f"https://[{host}]:8443"
