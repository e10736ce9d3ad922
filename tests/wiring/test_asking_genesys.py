"""An org is asked step by step, by harmless calls; each thing that is wrong is said under its step, with what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from service.outbound import Outgoing
from service.sandbox import create_app
from service.settings import OrgSettings
from service.store.health import Verdict
from service.wiring.asking_genesys import asked_of
from service.wiring.checked import Line
from tests.genesys.peers import HandClock, Noting, peer, reply, saying
from tests.wiring.certificates import certificate

API, CHANCE = "http://127.0.0.1:8090", "0123456789abcdef" * 2
TOKEN = {"access_token": "canary", "expires_in": 300}
NOT_FOUND = {"message": "no", "code": "not.found", "status": 404}
AT = 1_795_165_200  # where the hand's clock stands: 2026-11-20T09:00:00Z
DATE = "Fri, 20 Nov 2026 09:00:00 GMT"


def org(url: str = API, **more: str) -> OrgSettings:
    """The settings of an org at `url`."""
    urls = {} if "region" in more else {"api_url": url, "login_url": url}
    return OrgSettings.model_validate({"client_id": "an-id", "client_secret": "canary-secret"} | urls | more)


def steps(lines: list[Line]) -> list[tuple[str, Verdict]]:
    """Return what was looked at, and what was found."""
    return [(line.topic, line.verdict) for line in lines]


@dataclass
class Play:
    """A sandbox that is asked."""

    http: httpx.AsyncClient
    transport: httpx.ASGITransport
    keys: Mapping[str, str] = field(default_factory=dict)

    async def asked(self, *rules: Mapping[str, object], **keys: str) -> list[Line]:
        """Ask the org while the sandbox answers by these rules."""
        assert (await self.http.put("/sandbox/switches", json={"answers": rules})).is_success
        options = org(**{name: self.keys[name] for name in ("client_id", "client_secret")} | keys)
        return await asked_of("acme", options, Outgoing(), HandClock(), CHANCE, transport=lambda: self.transport)

    async def calls(self) -> list[tuple[str, str, str]]:
        """Return what the sandbox was asked."""
        got = (await self.http.get("/sandbox/calls")).json()["calls"]
        return [(call["service"], call["method"], call["path"]) for call in got]


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """Give a sandbox in this process."""
    transport = httpx.ASGITransport(app=create_app(now=lambda: float(AT)))
    async with httpx.AsyncClient(transport=transport, base_url=API) as http:
        yield Play(http, transport, (await http.get("/sandbox/credentials")).json())


async def answered(*answers: httpx.Response | Exception, outgoing: Outgoing | None = None) -> list[Line]:
    """Ask an org that answers with these, one after the other."""
    noting = Noting(*answers)
    return await asked_of("acme", org(), outgoing or Outgoing(), HandClock(), CHANCE, transport=lambda: noting)


async def test_all_is_well(play: Play) -> None:
    """Where nothing is wrong each step says so; asked were a token and one look, and nothing was changed."""
    lines = await play.asked()
    assert {line.about for line in lines} == {"org acme"}
    fine = ["names", "connection", "login", "token", "read", "rate"]
    assert steps(lines) == [
        *((step, Verdict.FINE) for step in fine),
        ("clock", Verdict.UNKNOWN),  # this way to the sandbox brings no Date
        ("removal", Verdict.UNKNOWN),
    ]
    said = {line.topic: line.sentence for line in lines}
    assert said["token"] == "a token is good for 24 h; it is renewed before it ends"
    assert said["rate"] == "1 of 300 calls are used, a new count begins in 60 s"
    assert said["read"].endswith("(404), as it should be; support asks for the id under inin-correlation-id")
    assert "conversation:communication:disconnect" in said["removal"]
    look = "/api/v2/conversations/01234567-89ab-cdef-0123-456789abcdef"
    assert await play.calls() == [("login", "POST", "/oauth/token"), ("genesys", "GET", look)]


@pytest.mark.parametrize(
    "rule, step, verdict, words",
    [
        ({"on": "token", "status": 503}, "login", Verdict.PASSING, "(status 503"),
        ({"on": "token", "status": 429, "headers": {"Retry-After": "7"}}, "login", Verdict.PASSING, "again in 7 s"),
        (
            {"on": "look", "status": 403, "code": "missing.any.permissions"},
            "read",
            Verdict.LASTING,
            "communication:view",
        ),
        ({"on": "look", "status": 429, "headers": {"Retry-After": "9"}}, "read", Verdict.PASSING, "again in 9 s"),
        ({"on": "look", "status": 502, "body": "<html>"}, "read", Verdict.PASSING, "is a gateway between?"),
        ({"on": "look", "status": 400}, "read", Verdict.LASTING, "it was turned down (400"),
        ({"on": "look", "status": 401, "times": 2}, "read", Verdict.LASTING, "it was turned down (401"),
    ],
)
async def test_what_is_wrong(play: Play, rule: Mapping[str, object], step: str, verdict: Verdict, words: str) -> None:
    """Each kind of no ends the asking under its step, and says what to do."""
    lines = await play.asked(rule)
    assert steps(lines)[-1] == (step, verdict)
    assert words in lines[-1].sentence
    assert [line.is_fault for line in lines[:-1]] == [False] * (len(lines) - 1)


async def test_a_wrong_secret(play: Play) -> None:
    """A secret that the login does not take is said with where to copy it from; the secret itself is not."""
    lines = await play.asked(client_secret="canary-secret")
    assert steps(lines)[-2:] == [("connection", Verdict.FINE), ("login", Verdict.LASTING)]
    assert "orgs.acme.client_id and client_secret (401" in lines[-1].sentence
    assert "Admin > Integrations > OAuth" in lines[-1].sentence
    assert "canary" not in repr(lines)


async def test_a_conversation_that_somebody_has() -> None:
    """Should the id by chance be somebody's, the read is fine all the same, and nothing of it is shown."""
    somebody = {"id": "01234567-89ab-cdef-0123-456789abcdef", "participants": [{"id": "x", "name": "canary"}]}
    lines = await answered(reply(200, TOKEN), reply(200, somebody))
    assert ("read", Verdict.FINE) in steps(lines)
    assert "canary" not in repr(lines)


@pytest.mark.parametrize(
    "date, verdict, words",
    [
        (DATE, Verdict.FINE, "agree"),
        ("Fri, 20 Nov 2026 08:59:57 GMT", Verdict.FINE, "agree"),  # it says whole seconds
        ("Fri, 20 Nov 2026 08:59:56 GMT", Verdict.PASSING, "our clock is 3 s ahead of Genesys'"),
        ("Fri, 20 Nov 2026 09:00:02 GMT", Verdict.FINE, "agree"),
        ("Fri, 20 Nov 2026 09:00:03 GMT", Verdict.PASSING, "our clock is 3 s behind Genesys' (2026-11-20T09:00:03Z)"),
        ("yesterday", Verdict.UNKNOWN, "no Date"),
    ],
)
async def test_the_clock(date: str, verdict: Verdict, words: str) -> None:
    """A difference of the clocks is said beyond two seconds, and which way."""
    lines = await answered(reply(200, TOKEN), reply(404, NOT_FOUND, {"date": date}))
    (clock,) = [line for line in lines if line.topic == "clock"]
    assert (clock.verdict, words in clock.sentence) == (verdict, True)


async def test_no_rate_headers() -> None:
    """An answer that names no budget is no fault; what is counted on is said."""
    lines = await answered(reply(200, {"access_token": "canary"}), reply(404, NOT_FOUND))
    (rate,) = [line for line in lines if line.topic == "rate"]
    assert (rate.verdict, "300 a minute are counted on" in rate.sentence) == (Verdict.UNKNOWN, True)
    (token,) = [line for line in lines if line.topic == "token"]
    assert token.sentence.startswith("a token is good for 300 s")


async def test_a_name_that_is_not_found() -> None:
    """A name that is not found is said with the setting that leads there; nothing is called then."""
    options = org("https://api.nowhere.invalid")
    (line,) = await asked_of("acme", options, Outgoing(), HandClock(), CHANCE, transport=Noting)
    assert (line.topic, line.verdict) == ("names", Verdict.PASSING)
    assert line.sentence.startswith("api.nowhere.invalid: the name is not found")
    assert line.sentence.endswith("api_url and login_url of orgs.acme leads there")


async def test_through_a_proxy() -> None:
    """Where a proxy stands between, it looks the names up, and it is named; its refusal ends the asking."""
    noting = Noting(reply(200, TOKEN), reply(404, NOT_FOUND))
    outgoing = Outgoing(proxy="http://127.0.0.1:3128")
    options = org(region="eu_central_1")
    lines = await asked_of("acme", options, outgoing, HandClock(), CHANCE, transport=lambda: noting)
    assert lines[0].sentence == "the proxy looks up login.mypurecloud.de and api.mypurecloud.de"
    connections = [line.sentence for line in lines if line.topic == "connection"]
    assert [one.partition(":")[0] for one in connections] == ["login.mypurecloud.de", "api.mypurecloud.de"]
    assert all("through the proxy" in one for one in connections)
    lines = await answered(httpx.ProxyError("407 Proxy Authentication Required"), outgoing=outgoing)
    assert steps(lines) == [("names", Verdict.FINE), ("proxy", Verdict.LASTING)]


async def test_the_api_is_cut_off() -> None:
    """A login that answers and an API that does not are told apart."""
    lines = await answered(reply(200, TOKEN), httpx.ConnectTimeout(""))
    assert steps(lines)[-2:] == [("token", Verdict.FINE), ("connection", Verdict.PASSING)]
    lines = await answered(httpx.ConnectTimeout(""))
    assert steps(lines) == [("names", Verdict.FINE), ("connection", Verdict.PASSING)]


async def test_over_tls(tmp_path: Path) -> None:
    """Of a connection the certificate is said; one that is not trusted is told apart from a name, and ends it."""
    tls, pem = certificate(tmp_path, "IP:127.0.0.1,DNS:a.example,DNS:b.example,DNS:c.example")
    async with peer(saying(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"), tls) as url:
        trusting = Outgoing(ca_file=str(pem), connect_seconds=5, total_seconds=20)
        lines = await asked_of("acme", org(url), trusting, HandClock(), CHANCE)
        assert steps(lines) == [("names", Verdict.FINE), ("connection", Verdict.FINE), ("login", Verdict.PASSING)]
        assert "TLSv1.3, certificate for 127.0.0.1, a.example, b.example, … by Ours, until " in lines[1].sentence
        assert lines[1].sentence.endswith("(trusted by outbound.ca_file too)")
        lines = await asked_of("acme", org(url), Outgoing(connect_seconds=5), HandClock(), CHANCE)
    assert steps(lines) == [("names", Verdict.FINE), ("certificate", Verdict.LASTING)]
