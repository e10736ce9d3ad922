"""Who is at the other end in these tests: a clock moved by hand, a transport that notes, a server as rude as needed."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

import httpx

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CID = "3a4b5c6d-1234-4678-9012-34567890abcd"
PID = "0d9e8f7a-4321-4765-8109-dcba09876543"


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, *readings: float) -> None:
        """Start at 100 s; `readings` are told one after the other instead, the last for ever."""
        self.at = 100.0
        self.readings = list(readings)

    def now(self) -> int:
        return 1_795_165_200_000

    def monotonic(self) -> float:
        if len(self.readings) > 1:
            return self.readings.pop(0)
        return self.readings[0] if self.readings else self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


def reply(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer as a transport gives it: a stream, not yet read; what is no bytes is said in JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


class Noting(httpx.AsyncBaseTransport):
    """Notes each request that reaches it and gives the next of some answers, then 200 for ever."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        """Answer with these first."""
        self.seen: list[httpx.Request] = []
        self.answers: Iterator[httpx.Response | Exception] = iter(answers)
        self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = next(self.answers, reply(200))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.closed += 1


@asynccontextmanager
async def peer(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve `play` to each connection on a port of our own, and give its URL; who still plays at the end is stopped."""
    playing: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        playing.add(task)
        try:
            await play(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            playing.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(playing):
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read one request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    return head + await reader.readexactly(length)


def saying(answer: bytes) -> Play:
    """A peer that reads each request of a connection and says the same to all."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()

    return play


async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """A peer that reads and never answers."""
    while await reader.read(65536):
        pass


def dripping(start: bytes, drop: bytes) -> Play:
    """A peer that reads one request, says `start`, and then drops for ever."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)  # real processes: the pace of a real peer, faster than any timeout here

    return play
