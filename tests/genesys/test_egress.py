"""Nothing but three shapes of request can leave towards Genesys, whatever is asked for."""

import math

import httpx
import pytest

from service.core import model as m
from service.core.errors import EgressRefused
from service.genesys import GenesysCloud, GenesysOptions
from service.genesys.client import conversation_rules
from service.genesys.token import token_rule
from service.outbound import EgressGuard, Outgoing, origin_in
from tests.genesys.peers import CID, PID, HandClock, Noting

API = "http://127.0.0.1:8090"
BODY = b'{"state":"disconnected"}'
EVIL = ["..", ".", "../..", "..?", "..#", "%2e%2e", "", "x", f"{PID}/..", f"{PID}?a", f"{PID}#", "//evil.example"]
EVIL += ["@evil.example", f"{PID}\r\nX-Evil: y", f"{PID}\n", PID.upper(), f" {PID}", f"{PID}/communications/{CID}"]
EVIL += [
    f"{PID}%00",
    f"{PID};a",
    f"p-{PID}",
    PID.replace("-", ""),
    PID[:-1] + "\uff10",
    PID[:-1] + "\u0663",
    f"{{{PID}}}",
]


@pytest.mark.parametrize("evil", EVIL)
async def test_evil_ids_ask_for_nothing(evil: str) -> None:
    """What is no lower-case UUID reaches neither the login nor Genesys, as a conversation or as a participant."""
    noting = Noting()
    options = {"api_url": API, "login_url": API, "client_id": "id", "client_secret": "secret"}
    cloud = GenesysCloud(GenesysOptions.model_validate(options), HandClock(), Outgoing(), transport=lambda: noting)
    for attempt in (
        cloud.look(evil),
        cloud.disconnect(evil, m.Target(PID, ()), math.inf),
        cloud.disconnect(CID, m.Target(evil, ()), math.inf),
        cloud.disconnect(evil, m.Target(evil, ()), math.inf),
    ):
        with pytest.raises(EgressRefused):
            await attempt
    assert noting.seen == []


RULES = (token_rule(origin_in(API)), *conversation_rules(origin_in(API)))
C = f"/api/v2/conversations/{CID}"
RIGHT = {
    ("GET", C, b""),
    ("PATCH", f"{C}/participants/{PID}", BODY),
    ("POST", "/oauth/token", b"grant_type=client_credentials"),
}
PATHS = [C, f"{C}/", f"{C}/participants", f"{C}/participants/{PID}", f"{C}/participants/{PID}/", f"{C}/disconnect"]
PATHS += [
    f"{C}/participants/{PID}/communications/{CID}",
    f"{C}/participants/{PID}/user/{CID}",
    "/oauth/token",
    "/",
    "//",
]
PATHS += [f"/api/v2/conversations/{medium}/{CID}" for medium in ("calls", "emails", "phone", "voice", "conversations")]
PATHS += [
    f"/api/v2/conversations/calls/{CID}/participants/{PID}",
    f"/api/v3/conversations/{CID}",
    f"/x/..{C}",
    "/oauth/token?a",
]
PATHS += [f"{C}/participants/{evil}" for evil in EVIL if "\r" not in evil and "\n" not in evil]
PATHS += [
    C.replace("/api", "/%61pi"),
    f"{C}%2fdisconnect",
    f"{C}?expand=x",
    f"{C}/participants/{PID}?x",
    f"/{C}",
    f"{C}/.",
]
BODIES = [
    b"",
    BODY,
    BODY + b"\n",
    b'{"state": "disconnected"}',
    b'{"state":"connected"}',
    b"{}",
    b"grant_type=client_credentials",
]
BODIES += [
    b'{"state":"disconnected","wrapup":{}}',
    b'{"state":"disconnected","state":"x"}',
    b"grant_type=password",
    b" ",
]


async def test_nothing_but_the_three_shapes_leaves() -> None:
    """Of thousands of methods, paths and bodies the guard lets out exactly the token, the look and the removal."""
    noting = Noting()
    guard = EgressGuard(noting, RULES, HandClock())
    tried = refused = 0
    for origin in (
        API,
        "http://127.0.0.1:8091",
        "https://127.0.0.1:8090",
        "http://localhost:8090",
        "https://api.evil.example",
    ):
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "patch "):
            for path in PATHS:
                for body in BODIES:
                    tried += 1
                    try:
                        await guard.handle_async_request(httpx.Request(method, origin + path, content=body))
                    except EgressRefused:
                        refused += 1
    left = {(one.method, one.url.raw_path.decode(), await one.aread()) for one in noting.seen}
    assert left == RIGHT
    assert {(one.url.scheme, one.url.host, one.url.port) for one in noting.seen} == {("http", "127.0.0.1", 8090)}
    assert tried > 10_000
    assert refused == tried - len(noting.seen)
