"""What is kept of the calls of a check, and what is not."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from service.core.errors import EgressRefused, Unclear
from service.outbound import Asked, Caller, Outgoing, Rule, origin_in
from service.wiring.witness import Peer, Witness, causes_of
from tests.genesys.peers import HandClock, Noting, mute, peer, reply, saying
from tests.wiring.certificates import certificate

OK = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\ndate: Wed, 25 Nov 2026 23:00:00 GMT\r\ninin-ratelimit-allowed: 300\r\n"
    b"ININ-Correlation-Id: abc\r\nset-cookie: canary\r\n\r\ncanary"
)


def line_to(url: str, outgoing: Outgoing, other: httpx.AsyncBaseTransport | None = None) -> tuple[Caller, Witness]:
    """A caller to `url` that is overheard."""
    clock = HandClock()
    witness = Witness(outgoing, clock, transport=(lambda: other) if other else None)
    rule = Rule("GET", origin_in(url), re.compile(rb"/a"))
    return Caller([rule], clock, outgoing, transport=witness.transport), witness


async def test_what_is_kept() -> None:
    """Of a call its path, status, moments and a few headers are kept, filed under what was done; no secret, no body."""
    async with peer(saying(OK)) as url:
        caller, witness = line_to(url, Outgoing())
        witness.doing = "look"
        await caller.send(Asked("GET", f"{url}/a", {"Authorization": "Bearer canary"}))
        witness.doing = "later"
        await caller.aclose()
    (call,) = witness.calls
    assert (call.method, call.path, call.status, call.fault) == ("GET", "/a", 200, None)
    assert call.rate == {"inin-ratelimit-allowed": "300"}
    assert call.correlation == ("inin-correlation-id", "abc")
    assert set(call.headers) == {"date", "inin-ratelimit-allowed", "inin-correlation-id"}
    assert call.peer == Peer(url.removeprefix("http://"))
    assert "canary" not in repr(witness.calls)
    assert (witness.during("look"), witness.during("later")) == ([call], [])


async def test_who_answered_over_tls(tmp_path: Path) -> None:
    """Of TLS the version and the certificate are kept: for whom, by whom, until when."""
    tls, pem = certificate(tmp_path)
    async with peer(saying(OK), tls) as url:
        caller, witness = line_to(url, Outgoing(ca_file=str(pem)))
        await caller.send(Asked("GET", f"{url}/a"))
        await caller.aclose()
    shown = witness.calls[0].peer
    assert (shown.tls, shown.names, shown.issuer) == ("TLSv1.3", ("127.0.0.1",), "Ours")
    assert shown.good_until.endswith("GMT")


async def test_what_the_guard_stops_is_not_heard() -> None:
    """The witness hears what left: a request that no rule allows is none of that."""
    caller, witness = line_to("https://desk.example", Outgoing(), Noting(reply(200)))
    with pytest.raises(EgressRefused):
        await caller.send(Asked("GET", "https://desk.example/b"))
    assert witness.calls == []
    await caller.send(Asked("GET", "https://desk.example/a"))
    assert [(call.status, call.peer, call.correlation, call.rate) for call in witness.calls] == [
        (200, Peer(), ("", ""), {})
    ]


async def test_a_call_without_an_answer() -> None:
    """A call that is cut by its time is kept with why it had no answer."""
    async with peer(mute) as url:
        caller, witness = line_to(url, Outgoing(connect_seconds=0.5, total_seconds=0.2))
        with pytest.raises(Unclear):
            await caller.send(Asked("GET", f"{url}/a"))
        await caller.aclose()
    (call,) = witness.calls
    assert (call.status, call.headers) == (None, {})
    assert isinstance(call.fault, httpx.ReadTimeout | asyncio.CancelledError)  # whichever time is over first


def test_causes() -> None:
    """All that led to a fault is found: causes, contexts, members of a group; each once, circles included."""
    first, second = OSError("first"), ValueError("second")
    first.__cause__, second.__context__ = ExceptionGroup("both", [second]), first
    assert [type(one).__name__ for one in causes_of(first)] == ["OSError", "ExceptionGroup", "ValueError"]
