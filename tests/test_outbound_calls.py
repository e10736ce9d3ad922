"""Calls over real sockets, to servers on this machine that are slow, rude, endless, or not there."""

import asyncio
import gzip
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from service.core.errors import EgressRefused, Unclear, Unreachable
from service.outbound import MOST_BYTES, Answered, Asked, Caller, Outgoing, Rule, origin_in, transport_of
from tests.genesys.peers import HandClock, Noting, Play, dripping, mute, peer, read_request, saying
from tests.needs import needs

QUICK = Outgoing(connect_seconds=0.5, total_seconds=0.2)  # to connect takes no time here, however busy the machine
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Line:
    """A caller that may GET / from one address."""

    caller: Caller
    url: str

    async def get(self, deadline: float | None = None) -> Answered:
        """Do that."""
        return await self.caller.send(Asked("GET", f"{self.url}/", deadline=deadline))


@asynccontextmanager
async def line_to(url: str, outgoing: Outgoing = QUICK, clock: HandClock | None = None) -> AsyncIterator[Line]:
    """A line to an address."""
    caller = Caller([Rule("GET", origin_in(url), re.compile(rb"/"))], clock or HandClock(), outgoing)
    yield Line(caller, url)
    await caller.aclose()


@asynccontextmanager
async def calling(play: Play, outgoing: Outgoing = QUICK, clock: HandClock | None = None) -> AsyncIterator[Line]:
    """A line to a peer."""
    async with peer(play) as url, line_to(url, outgoing, clock) as line:
        yield line


async def test_an_answer_is_returned_as_it_came() -> None:
    """Status, headers and body come back; our own headers go out, and nothing else does."""
    heard: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await read_request(reader))
        writer.write(b"HTTP/1.1 404 Not Found\r\nX-One: a\r\nx-one: b\r\nContent-Length: 2\r\n\r\n{}")

    async with calling(play) as line:
        answered = await line.get()
    assert (answered.status, answered.body, answered.is_complete) == (404, b"{}", True)
    assert (answered.header("x-one"), answered.header("x-two")) == ("a", None)
    head = dict(line.split(b": ") for line in heard[0].lower().split(b"\r\n")[1:-2])
    assert set(head) == {b"accept", b"accept-encoding", b"host", b"user-agent"}
    assert head[b"accept-encoding"] == b"identity"


@pytest.mark.parametrize("where", [b"/", b"http://127.0.0.1:1/", b"ftp://[::", b"//evil.example"])
async def test_redirects_are_answers(where: bytes) -> None:
    """A redirect is returned, never followed, and what it points at is never even parsed."""
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + where + b"\r\nContent-Length: 0\r\n\r\n"
    async with calling(saying(answer)) as line:
        assert [(await line.get()).status, (await line.get()).status] == [302, 302]


async def test_connections_are_kept_and_cookies_are_not() -> None:
    """The second call comes on the same connection, and brings no cookie that the first was given."""
    heard: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(2):
            heard.append(b"%d " % number + await read_request(reader))
            writer.write(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"))

    async with calling(play) as line:
        await line.get()
        await line.get()
    assert [one[:1] for one in heard] == [b"0", b"1"]
    assert b"cookie" not in b"".join(heard).lower()


@pytest.mark.parametrize(
    "behind", [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0", b"HTTP/1.1 4", b"\x80\xff", b"\r\n"]
)
async def test_bytes_behind_an_answer_are_nobodys_answer(behind: bytes) -> None:
    """What comes behind an answer, a doubled one included, is never taken for the answer to the next call."""
    heard: list[str] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append("connection")
        while await read_request(reader):
            heard.append("call")
            number = b"%d" % heard.count("call")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + number + (behind if number == b"2" else b""))

    async with calling(play) as line:
        assert [(await line.get()).body for _ in range(4)] == [b"1", b"2", b"3", b"4"]
    assert heard == ["connection", "call", "call", "connection", "call", "call"]  # let go once, and only then


async def test_the_deadline_is_looked_at_again_after_connecting() -> None:
    """Waiting for a slot, TCP and TLS takes time: the clock is read once more right before the first byte."""
    heard: list[bytes] = []
    done = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        done.set()

    async with calling(listen, clock=HandClock(100.0, 200.0)) as line:
        with pytest.raises(EgressRefused, match="deadline"):
            await line.get(deadline=150.0)
        await done.wait()
    assert heard == [b""]


# ------------------------------------------------------------------------------------------------- too much, too slow
async def test_a_body_is_read_up_to_a_megabyte() -> None:
    """A megabyte is an answer; of more, the status counts and the rest is not read. No call is stuck by it."""
    for surplus in (0, 1, 3_000_000):
        size = MOST_BYTES + surplus
        async with calling(saying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)) as line:
            for _ in range(10):  # more than there are connections
                answered = await line.get()
                assert (answered.status, len(answered.body), answered.is_complete) == (200, MOST_BYTES, not surplus)


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    """A body that never ends is left at the cap, long before the total is over."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()

    async with calling(play, Outgoing(total_seconds=30.0)) as line:
        answered = await line.get()
    assert (answered.status, len(answered.body), answered.is_complete) == (202, MOST_BYTES, False)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    """We ask for no content encoding; what comes packed nevertheless cannot explode."""
    bomb = gzip.compress(b"0" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with calling(saying(head + bomb), Outgoing()) as line:
        answered = await line.get()
    assert answered.body == bomb


async def test_ten_thousand_headers_end() -> None:
    """A head without measure ends in an answer or in Unclear, soon, and the next call is served."""
    flood = OK.replace(b"\r\n\r\n", b"\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\n")
    async with calling(saying(flood), Outgoing()) as line:
        ends = [await asyncio.gather(line.get(), return_exceptions=True) for _ in range(10)]
    assert {type(end) for (end,) in ends} <= {Answered, Unclear}


async def test_silence_ends_inside_httpx_and_costs_no_connection() -> None:
    """A peer that never answers is a timeout; as many of them as there are connections leave the pool whole."""
    silent: list[object] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.append(reader)
        await (mute if len(silent) <= 8 else saying(OK))(reader, writer)

    async with calling(play, Outgoing(total_seconds=1.0)) as line:
        before = line.caller._lane
        ends = await asyncio.gather(*(line.get() for _ in range(8)), return_exceptions=True)
        assert [end.reply.code for end in ends if isinstance(end, Unclear)] == ["timeout"] * 8
        assert [(await line.get()).status for _ in range(8)] == [200] * 8
        assert line.caller._lane is before


@pytest.mark.parametrize(
    "start, drop, status",
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", None),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", None),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 202),
    ],
)
async def test_a_dripping_answer_is_cut_and_the_pool_replaced(start: bytes, drop: bytes, status: int | None) -> None:
    """Drops reset every timeout but the total; a cut call costs httpx its slot, so the next calls get a new pool."""
    async with calling(dripping(start, drop)) as line:
        before = line.caller._lane
        for _ in range(2):
            ends = await asyncio.gather(*(line.get() for _ in range(8)), return_exceptions=True)
            assert [end.reply.status for end in ends if isinstance(end, Unclear)] == [status] * 8
        assert line.caller._lane is not before
        assert before.calls == 0


async def test_a_cancelled_call_harms_no_other() -> None:
    """Cancelled from outside, a call ends; its neighbours on the old pool finish, and only then that pool is closed."""
    asked, go = asyncio.Semaphore(0), asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.release()
        await go.wait()
        writer.write(OK)

    async with calling(play, Outgoing()) as line:
        before = line.caller._lane
        first, second = (asyncio.create_task(line.get()) for _ in range(2))
        await asked.acquire()
        await asked.acquire()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (before.is_retired, before.calls) == (True, 1)
        go.set()
        assert (await second).status == 200
        assert before.calls == 0
        assert (await line.get()).status == 200


async def test_the_last_call_closes_a_replaced_pool() -> None:
    """A pool that was replaced is closed once, when nobody is on it any more."""
    opened: list[Noting] = []

    def transport() -> Noting:
        opened.append(Noting(TimeoutError()))
        return opened[-1]

    caller = Caller(
        [Rule("GET", origin_in("https://desk.example"), re.compile(rb"/"))], HandClock(), QUICK, transport=transport
    )
    with pytest.raises(Unclear, match="TimeoutError"):
        await caller.send(Asked("GET", "https://desk.example/"))
    assert [one.closed for one in opened] == [1, 0]
    await caller.aclose()
    assert [one.closed for one in opened] == [1, 1]


# ------------------------------------------------------------------------------------------------ cut, or never there
@pytest.mark.parametrize(
    "said, status",
    [
        (b"", None),
        (b"HTTP/1.1 2", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", None),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n{", 202),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 202),
    ],
)
async def test_a_cut_after_the_request_is_unclear(said: bytes, status: int | None) -> None:
    """Once the request was handed over, no answer, half an answer or nonsense all mean: look before anything else."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)

    async with calling(play) as line:
        for _ in range(10):
            with pytest.raises(Unclear) as caught:
                await line.get()
            assert (caught.value.reply.status, caught.value.reply.code) == (status, "not_http")


async def test_nobody_there_is_unreachable() -> None:
    """A refused connection never carried the request."""
    async with calling(mute) as line:
        url = line.url
    async with line_to(url) as line:
        with pytest.raises(Unreachable) as caught:
            await line.get()
    assert caught.value.reply.code == "cannot_connect"


async def test_a_name_that_is_not_known_is_unreachable() -> None:
    """A name without an address never carried the request."""
    async with line_to("https://desk.invalid") as line:
        with pytest.raises(Unreachable):
            await line.get()


async def test_no_tls_is_unreachable() -> None:
    """A peer that speaks no TLS, or says nothing to our hello, never saw the request."""
    heard: list[bytes] = []

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(5))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    for play, code in ((rude, "cannot_connect"), (mute, "connect_timeout")):
        outgoing = Outgoing(connect_seconds=0.2, total_seconds=2.0)
        async with peer(play) as url, line_to(url.replace("http:", "https:"), outgoing) as line:
            with pytest.raises(Unreachable) as caught:
                await line.get()
        assert caught.value.reply.code == code
    assert heard[0][0] == 0x16  # a TLS handshake, not a request


async def test_no_free_connection_is_unreachable() -> None:
    """The ninth call waits for a connection in vain while eight are silent: it never left."""
    async with calling(mute, Outgoing(connect_seconds=0.1, total_seconds=1.0)) as line:
        ends = await asyncio.gather(*(line.get() for _ in range(9)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Unclear"] * 8 + ["Unreachable"]
    assert [end.reply.code for end in ends if isinstance(end, Unreachable)] == ["pool_timeout"]


async def test_a_proxy_that_refuses_is_unreachable() -> None:
    """What a proxy did not let through has not arrived; the request itself is never shown to the proxy."""
    heard: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await read_request(reader))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with peer(proxy) as url, line_to("https://desk.example", Outgoing(proxy=url)) as line:
        with pytest.raises(Unreachable) as caught:
            await line.get()
    assert caught.value.reply.code == "proxy_refused"
    assert heard[0].startswith(b"CONNECT desk.example:443 ")


# ---------------------------------------------------------------------------------------------------------------- TLS
@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A key and the certificate of an authority of our own, for 127.0.0.1."""
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -keyout {key} -out {pem}"
    subprocess.run(
        [needs("openssl"), *made.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    return key, pem


async def test_only_trusted_certificates_are_talked_to(certificate: tuple[Path, Path]) -> None:
    """Our own authority is trusted when it is named, and only then; a stranger's certificate is Unreachable."""
    key, pem = certificate
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem, key)
    async with peer(saying(OK), tls) as url:
        async with line_to(url, Outgoing(ca_file=str(pem))) as line:
            assert (await line.get()).status == 200
        async with line_to(url, Outgoing()) as line:
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
                await line.get()


def test_a_ca_file_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    """A missing or empty file of authorities is an error at the start, not at the first call."""
    (tmp_path / "empty.pem").write_text("")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises((FileNotFoundError, ssl.SSLError)):
            transport_of(Outgoing(ca_file=str(tmp_path / name)))


def test_the_environment_does_not_read_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSLKEYLOGFILE, by which Python would write our session keys to a file, has no effect; nor have proxies."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    transport = transport_of(Outgoing())()
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    pool = transport._pool
    assert type(pool).__name__ == "AsyncConnectionPool"
    assert pool._max_connections == 8
    assert not getattr(pool._ssl_context, "keylog_filename", "missing")
