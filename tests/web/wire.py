"""A real server to talk to byte by byte, and the tables of what is said to it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.web import protocol
from service.web.protocol import Limits

PATIENCE = 5.0  # seconds until a test gives up; what it waits for takes a fraction
QUICK = Limits(receive_seconds=0.3, answer_seconds=0.6, stop_seconds=1)


class App:
    """An app that says what it was given; it can be told to wait, to answer before the body, or to say very much."""

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.entered = asyncio.Event()
        self.left: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI's own types
        request = Request(scope, receive)
        path, body = request.url.path, b""
        self.entered.set()
        if path.startswith("/gate"):
            await self.gates[path].wait()
        if path == "/much":
            await Response(b"x" * 50_000_000)(scope, receive, send)
            return
        if path == "/start":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        if path != "/early":
            try:
                body = await request.body()
            except Exception as fault:
                self.left.append(type(fault).__name__)
                raise
        content = {
            "path": path,
            "method": request.method,
            "body": len(body),
            "headers": len(request.headers.raw),
            "scheme": request.url.scheme,
        }
        await Response(json.dumps(content), 413 if path == "/early" else 200)(scope, receive, send)


class Running:
    """A server, its app, and ways to talk to it."""

    def __init__(self, limits: Limits) -> None:
        self.app = App()
        self.socket = protocol.listener("127.0.0.1", 0)
        self.port: int = self.socket.getsockname()[1]
        self.server = protocol.server(self.app, self.socket, limits)
        self.callers: list[Caller] = []

    async def call(self) -> "Caller":
        """Open a connection; it is closed with the server."""
        self.callers.append(Caller(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.callers[-1]


class Caller:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *parts: bytes) -> "Caller":
        """Send some bytes."""
        self.writer.write(b"".join(parts))
        await self.writer.drain()
        return self

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        """Read one answer."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body

    async def rest(self) -> bytes:
        """Read until the other side closes; a reset is a way to close."""
        heard = b""
        async with asyncio.timeout(PATIENCE):
            try:
                while part := await self.reader.read(65536):
                    heard += part
            except ConnectionResetError:
                pass
        return heard


@asynccontextmanager
async def running(limits: Limits = QUICK) -> AsyncIterator[Running]:
    """Run a server; afterwards it stops by itself, and leaves nothing open."""
    it = Running(limits)
    task = asyncio.create_task(it.server.serve())
    try:
        yield it
    finally:
        for gate in it.app.gates.values():
            gate.set()
        it.server.should_exit = True
        async with asyncio.timeout(PATIENCE):
            await task
        for caller in it.callers:
            caller.writer.close()
        await asyncio.gather(*(caller.writer.wait_closed() for caller in it.callers), return_exceptions=True)
    assert not it.server.server_state.connections


async def until(condition: Callable[[], bool]) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what a server does to itself rings no bell
            await asyncio.sleep(0)


def get(path: str = "/", *headers: str) -> bytes:
    """Write a request without a body."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *headers, "", ""]).encode()


def post(body: bytes = b"", *headers: str, path: str = "/") -> bytes:
    """Write a request with a body."""
    head = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

SLOW = [
    ("silence", b""),
    ("a byte", b"P"),
    ("an empty line", b"\r\n"),
    ("half a line", b"POST / HT"),
    ("half a head", b"POST / HTTP/1.1\r\nHost: a\r\nX-Half: "),
    ("no body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"),
    ("half a body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345"),
    ("half a chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123"),
    ("no last chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"),
    ("half a second one", get() + b"GET /two HTTP/1.1\r\nHo"),
    ("half a body after an early answer", post(b"x" * 10, path="/early")[:-4]),
]


BAD = [
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ("no host", b"GET / HTTP/1.1\r\n\r\n"),
    ("no host, old", b"GET / HTTP/1.0\r\n\r\n"),
    ("both lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("both, turned", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ("a signed length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"),
    ("a length in hex", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"),
    ("two codings", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (
        "chunked twice",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("an odd coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("an upgrade", get("/", "Connection: Upgrade", "Upgrade: websocket")),
    (
        "h2c",
        get("/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    ),
    ("an upgrade alone", get("/", "Upgrade: h2c")),
    ("connect", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("another version", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    ("no version", b"GET /\r\n\r\n"),
    ("absolute form", get("http://a/")),
    ("absolute form, other host", get("http://169.254.169.254/latest")),
    ("two slashes", get("//a/")),
    ("a star", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a fragment", get("/#a")),
    ("bytes in the path", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a long URL", get("/" + "a" * 2048)),
    ("many headers", get("/", *(f"X-{n}: a" for n in range(64)))),
    ("a long header", get("/", "X-Long: " + "a" * 16384)),
    ("an unending header", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 400_000),
    ("long headers", get("/", *(f"X-{n}: {'a' * 4096}" for n in range(4)))),
    ("bare line feeds", b"GET / HTTP/1.1\nHost: a\n\n"),
    ("a folded header", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
    ("a blank before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    ("a blank header name", b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    ("a zero byte", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n"),
    ("an unknown method", b"get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("a chunk of odd size", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ("a negative chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"),
    ("a huge chunk", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n"),
    (
        "a chunk longer than said",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ),
    (
        "a trailer",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Signature: a\r\n\r\n",
    ),
    ("a length as a trailer", CHUNKED + b"0\r\nContent-Length: 3\r\n\r\nabc"),
    ("one host, two spellings", b"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"),
    ("hosts in a list", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ("a host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("a host with a user", b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    ("chunks, old", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("no coding", POST + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc"),
    ("an empty coding", POST + b"Transfer-Encoding: \r\nContent-Length: 3\r\n\r\nabc"),
    ("chunked is not the last", POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("chunked, and nothing", POST + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    ("a quoted coding", POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    ("a coding behind a vertical tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("a folded coding", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("a coding, a blank, a colon", POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("one length twice", POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    ("lengths in a list", POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    ("a length below nothing", POST + b"Content-Length: -3\r\n\r\nabc"),
    ("a length over 64 bits", POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc"),
    ("an empty length", POST + b"Content-Length: \r\n\r\nabc"),
    ("a length in two words", POST + b"Content-Length: 1 2\r\n\r\nabc"),
    ("half a byte of length", POST + b"Content-Length: 3.5\r\n\r\nabc"),
    ("bare carriage returns", b"GET / HTTP/1.1\rHost: a\r\r"),
    ("a bare line feed among headers", b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    ("a head that ends by line feeds", b"GET / HTTP/1.1\r\nHost: a\n\n"),
    ("a bare carriage return in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ("a header folded by a tab", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n"),
    ("a blank before the first header", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("a header without a colon", b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
    ("a header name in UTF-8", b"GET / HTTP/1.1\r\nHost: a\r\nX\xc3\xa4: b\r\n\r\n"),
    ("a control character", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n"),
    ("tabs between the words", b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a blank in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a zero byte in the target", b"GET /a\x00b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a name for a target", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a backslash for a target", b"GET \\a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a query for a target", b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no target", b"GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("an unending URL", b"GET /" + b"a" * 300_000),
    ("an unending method", b"A" * 300_000),
    ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("HTTP/1.10", b"GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
    ("a version in small letters", b"GET / http/1.1\r\nHost: a\r\n\r\n"),
    ("an upgrade to TLS", get("/", "Connection: Upgrade", "Upgrade: TLS/1.0")),
    ("a proxy's greeting", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get()),
    ("a proxy's greeting in bytes", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + b"\x7f\x00\x00\x01" * 3 + get()),
    ("a byte order mark", b"\xef\xbb\xbf" + get()),
    ("UTF-16", get().decode().encode("utf-16")),
    ("an answer", b"HTTP/1.1 200 OK\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("mail", b"EHLO a\r\n"),
    ("a command to Redis", b"*1\r\n$4\r\nPING\r\n"),
    ("a blank before a chunk's size", CHUNKED + b" 1\r\na\r\n0\r\n\r\n"),
    ("a blank behind a chunk's size", CHUNKED + b"1 \r\na\r\n0\r\n\r\n"),
    ("a chunk's size with 0x", CHUNKED + b"0x1\r\na\r\n0\r\n\r\n"),
    ("a chunk's size with a plus", CHUNKED + b"+1\r\na\r\n0\r\n\r\n"),
    ("a chunk without a size", CHUNKED + b"\r\na\r\n0\r\n\r\n"),
    ("a line feed behind a chunk's size", CHUNKED + b"1\na\r\n0\r\n\r\n"),
    ("a line feed behind a chunk", CHUNKED + b"1\r\na\n0\r\n\r\n"),
    ("nothing behind a chunk", CHUNKED + b"1\r\na0\r\n\r\n"),
    ("a chunk shorter than said", CHUNKED + b"5\r\na\r\n0\r\n\r\n"),
    ("a line feed in a chunk's extension", CHUNKED + b"1;\n\r\na\r\n0\r\n\r\n"),
    ("a zero byte in a chunk's extension", CHUNKED + b"1;a\x00b\r\na\r\n0\r\n\r\n"),
    ("a quoted end of line in one", CHUNKED + b'1;a="\r\n"\r\na\r\n0\r\n\r\n'),
    ("a last chunk that ends by line feeds", CHUNKED + b"0\n\n"),
]


# what may be read in one way only, odd as it is: how each request is answered, and whether the connection goes on
ODD: list[tuple[str, bytes, list[int], bool]] = [
    ("two blanks between the words", b"GET  /  HTTP/1.1\r\nHost: a\r\n\r\n", [200], True),
    ("an empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", [200], True),
    ("a length with zeros before it", POST + b"Content-Length: 0003\r\n\r\nabc", [200], True),
    ("a coding behind a tab", POST + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n", [200], True),
    ("a coding that is none", POST + b"Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", [200], True),
    ("a request behind the chunks", CHUNKED + b"1\r\na\r\n0\r\n\r\n" + get(), [200, 200], True),
    ("a last chunk of many zeros", CHUNKED + b"1\r\na\r\n" + b"0" * 100 + b"\r\n\r\n", [200], True),
    ("a chunk with a long extension", CHUNKED + b"1;" + b"a" * 40_000 + b"\r\na\r\n0\r\n\r\n", [200], True),
    ("a body that nobody expects", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", [200], True),
    ("a body without a length", b"POST / HTTP/1.1\r\nHost: a\r\n\r\n{}", [200], False),
    ("an expectation nobody knows", post(b"abc", "Expect: a-miracle"), [200], True),
    ("an upgrade to nothing", get("/", "Connection: upgrade"), [200], True),
    ("a connection that ends its host", get("/", "Connection: Host, close"), [200], False),
    ("a path out of the house", get("/../../etc/passwd"), [200], True),
    ("an encoded end of line", get("/a%0d%0aX:%20b"), [200], True),
    ("an encoded zero byte", get("/a%00b"), [200], True),
    ("no hex behind the percent", get("/a%zz"), [200], True),
    ("half a letter of UTF-8", get("/a%ff"), [200], True),
    ("a value in Latin-1", b"GET / HTTP/1.1\r\nHost: a\r\nX: \xe4\r\n\r\n", [200], True),
    ("a thousand empty lines", b"\r\n" * 1000 + get(), [200], True),
    ("seventeen at once", get() * 17, [200] * 17, True),
    ("an echo asked for", b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", [200], True),
    ("a stream's protocol", b"OPTIONS / RTSP/1.0\r\nHost: a\r\n\r\n", [200], False),
    ("an old one that would stay", b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", [200], False),
]


GOOD = [
    ("plain", get(), {"method": "GET", "path": "/", "body": 0}),
    ("old", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", {"method": "GET", "body": 0}),
    ("an empty line before", b"\r\n" + get(), {"method": "GET"}),
    ("many headers", get("/", *(f"X-{n}: a" for n in range(63))), {"headers": 64}),
    ("a long head", get("/", *(f"X-{n}: {'a' * 4000}" for n in range(4))), {"headers": 5}),
    ("a long URL", get("/" + "a" * 2047), {"path": "/" + "a" * 2047}),
    ("a body", post(b"x" * 65536), {"body": 65536}),
    (
        "chunks",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\n12345\r\n1;x=y\r\n6\r\n0\r\n\r\n",
        {"body": 6},
    ),
    ("behind a proxy", get("/", "X-Forwarded-Proto: https", "X-Forwarded-For: 10.0.0.1"), {"scheme": "http"}),
    ("encoded", get("/a%2e%2e%2fb"), {"path": "/a../b"}),
]
