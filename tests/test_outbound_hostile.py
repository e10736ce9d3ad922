"""A Genesys or a desk that is broken or taken over: its answers cost bounded time and memory, and fool nobody."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.core.errors import Unclear
from service.outbound import MOST_BYTES, Answered, Asked, Caller, Outgoing, Rule, origin_in
from tests.authority import Authority
from tests.genesys.peers import HandClock, Play, peer, read_request, saying

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PATIENT = Outgoing(connect_seconds=5.0, total_seconds=30.0)  # longer than anything here should take
MOST_TAKEN = 8 * MOST_BYTES  # our cap, what lies in the sockets of both sides, and room


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """What a server needs, and the authority that trusts it."""
    ours = Authority.made(tmp_path_factory.mktemp("authority"))
    return ours.server("here"), ours.pem


@asynccontextmanager
async def calling(play: Play, outgoing: Outgoing = PATIENT, tls: ssl.SSLContext | None = None) -> AsyncIterator[Caller]:
    """A caller that may ask a peer for anything."""
    async with peer(play, tls) as url:
        origin = origin_in(url)
        rules = [Rule(method, origin, re.compile(rb"/"), lambda _: True) for method in ("GET", "POST", "PATCH")]
        caller = Caller(rules, HandClock(), outgoing)
        try:
            yield caller
        finally:
            await caller.aclose()


def asked(caller: Caller, method: str = "GET") -> Asked:
    """Ask the peer for /."""
    return Asked(method, f"{caller._rules[0].origin}/")


# ---------------------------------------------------------------------------------------------------------- redirects
@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    """Whatever the status and the method, nobody is asked at the place it names, on this machine or another."""
    went: list[bytes] = []
    pointed: list[str] = []

    async def trap(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        went.append(await reader.read(1))

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_request(reader):
            place = places[len(pointed) // 3]
            pointed.append(place)
            head = (
                f"HTTP/1.1 {status} Moved\r\nLocation: {place}\r\nRefresh: 0; url={place}\r\nContent-Length: 0\r\n\r\n"
            )
            writer.write(head.encode("latin-1"))

    async with peer(trap) as elsewhere, calling(play) as caller:
        places = (elsewhere, elsewhere.removeprefix("http:"), "https://evil.example/", "/other", "\x80", "")
        for method in ("GET", "POST", "PATCH") * len(places):
            assert (await caller.send(asked(caller, method))).status == status
    assert len(pointed) == 3 * len(places)  # one call for each that was asked for
    assert went == []


# ------------------------------------------------------------------------------------------------------------ endless
@pytest.mark.parametrize(
    "start, more",
    [
        (b"", b"x" * 1000),
        (b"HTTP/1.1 200 ", b"O" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X" * 1000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", b" folded\r\n" * 100),
        (CHUNKED, b"0" * 1000),
        (CHUNKED + b"1;", b"x" * 1000),
        (CHUNKED + b"0\r\n", b"X-Y: z\r\n" * 100),
        (CHUNKED, b"10000\r\n" + b"x" * 0x10000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"\x1f\x8b\x08\x00" * 250),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", b"x" * 1000),
    ],
    ids=lambda part: ascii(part[:40]),
)
async def test_what_never_ends_is_left_early(start: bytes, more: bytes) -> None:
    """An answer without an end, in whatever part of it, is left at a cap long before the time is over."""
    taken = 0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await read_request(reader)
        writer.write(start)
        while True:
            writer.write(more)
            await writer.drain()
            taken += len(more)

    async with calling(play) as caller:
        for _ in range(3):
            ends = await asyncio.gather(caller.send(asked(caller)), return_exceptions=True)
            assert [type(end) for end in ends] in ([Answered], [Unclear])
            assert not any(isinstance(end, Answered) and end.is_complete for end in ends)
            assert not any(isinstance(end, Unclear) and end.reply.code == "timeout" for end in ends)
    assert 0 < taken < 3 * MOST_TAKEN


@pytest.mark.parametrize("start, crumb", [(CHUNKED, b"1\r\nx\r\n"), (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")])
async def test_an_answer_in_crumbs_holds_up_nobody_else(start: bytes, crumb: bytes) -> None:
    """Millions of the smallest parts end with the total; whoever calls somebody else meanwhile is answered."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)
        while True:
            writer.write(crumb * 1000)
            await writer.drain()

    async with calling(play, Outgoing(total_seconds=1.0)) as caller, calling(saying(OK)) as other:
        flood = asyncio.ensure_future(caller.send(asked(caller)))
        served = 0
        while not flood.done():
            served += (await other.send(asked(other))).is_complete
        (end,) = await asyncio.gather(flood, return_exceptions=True)
    assert isinstance(end, Unclear) or (isinstance(end, Answered) and not end.is_complete)
    assert served > 0


# ------------------------------------------------------------------------------------------------------------ no HTTP
@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n: y\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 99 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 1000 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 2_0 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n{}",
        b"HTTP/2 200\r\nContent-Length: 2\r\n\r\n{}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"ICY 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"{}",
        b"\x15\x03\x01\x00\x02\x02\x46",
        CHUNKED + b"-1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"F" * 20 + b"\r\nx\r\n0\r\n\r\n",
    ],
    ids=lambda said: ascii(said[:60]),
)
async def test_what_is_no_http_is_unclear(said: bytes) -> None:
    """Two lengths, no length, no status, another protocol: nothing is read into it, and the next call is not fooled."""
    calls = 0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        await read_request(reader)
        calls += 1
        writer.write(said if calls == 1 else OK)

    async with calling(play) as caller:
        with pytest.raises(Unclear) as caught:
            await caller.send(asked(caller))
        assert caught.value.reply.code == "not_http"
        answered = await caller.send(asked(caller))
    assert (answered.status, answered.body, calls) == (200, b"{}", 2)


# ---------------------------------------------------------------------------------------------------- a second answer
def answer(number: int, size: int = 0) -> bytes:
    """An answer with a number in it, `size` bytes long altogether."""
    head = b"HTTP/1.1 200 OK\r\nX-Number: %d\r\nContent-Length: %05d\r\n\r\n"
    body = max(size - len(head % (number, 0)), 0)
    return head % (number, body) + b"x" * body


# an answer that ends with a record of TLS, and one that ends where a read does: httpcore asks for 65,536 bytes
SIZES = {"small": 0, "record": 16_384, "records": 2 * 16_384, "read": 65_536}


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("which", [1, 2])
async def test_a_second_answer_is_nobodys(
    tls: tuple[ssl.SSLContext, Path], is_secure: bool, size: int, apart: bool, which: int
) -> None:
    """Whoever answers twice, in one record of TLS or two, within one read or beyond, never answers the next call so."""
    calls, connections = 0, 0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls, connections
        connections += 1
        number = connections
        while await read_request(reader):
            calls += 1
            parts = (answer(number, size), answer(666)) if calls == which else (answer(number),)
            for part in parts if apart else (b"".join(parts),):
                writer.write(part)

    server, authority = tls if is_secure else (None, None)
    outgoing = Outgoing(connect_seconds=5.0, total_seconds=30.0, ca_file=str(authority) if authority else None)
    async with calling(play, outgoing, server) as caller:
        numbers = [(await caller.send(asked(caller))).header("x-number") for _ in range(3)]
    assert (numbers, calls, connections) == (["1", "1" if which == 2 else "2", "2"], 3, 2)


@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
async def test_an_answer_that_nobody_asked_for_is_nobodys(tls: tuple[ssl.SSLContext, Path], is_secure: bool) -> None:
    """What comes on a connection while nothing is asked on it ends the connection, before the next call takes it."""
    connections = 0
    go, said = asyncio.Event(), asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        while await read_request(reader):
            writer.write(answer(number))
            if number == 1:
                await go.wait()
                writer.write(answer(666))
                await writer.drain()
                said.set()

    server, authority = tls if is_secure else (None, None)
    outgoing = Outgoing(connect_seconds=5.0, total_seconds=30.0, ca_file=str(authority) if authority else None)
    async with calling(play, outgoing, server) as caller:
        numbers = [(await caller.send(asked(caller))).header("x-number")]
        go.set()
        await said.wait()
        numbers += [(await caller.send(asked(caller))).header("x-number") for _ in range(2)]
    assert (numbers, connections) == (["1", "2", "2"], 2)


async def test_a_second_answer_through_a_proxy_is_nobodys(tls: tuple[ssl.SSLContext, Path]) -> None:
    """Nor does one that a proxy passes on in a record of its own, under the record that has the answer in it."""
    calls = connections = 0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls, connections
        connections += 1
        number = connections
        while await read_request(reader):
            calls += 1
            writer.write(answer(number))
            if calls == 2:
                writer.write(answer(666))

    server, authority = tls
    async with peer(recordwise, server) as proxy:
        outgoing = Outgoing(proxy=proxy, ca_file=str(authority), connect_seconds=5.0, total_seconds=30.0)
        async with calling(play, outgoing, server) as caller:
            numbers = [(await caller.send(asked(caller))).header("x-number") for _ in range(3)]
    assert (numbers, calls, connections) == (["1", "1", "2"], 3, 2)


async def recordwise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy that passes on each record of TLS by itself, those that came together one right after the other."""
    host, _, port = (await read_request(reader)).split(b" ")[1].rpartition(b":")
    there, thither = await asyncio.open_connection(host.decode(), int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def back() -> None:
        held = b""
        while some := await there.read(65536):
            held += some
            while len(held) >= 5 and len(held) >= (end := 5 + int.from_bytes(held[3:5], "big")):
                writer.write(held[:end])
                held = held[end:]
        writer.close()

    async def forth() -> None:
        while some := await reader.read(65536):
            thither.write(some)
        thither.close()

    await asyncio.gather(back(), forth())
