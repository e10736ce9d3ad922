"""A real server on loopback to which more come than it answers: they are told so, cheaply, and nobody is forgotten."""

import asyncio
import json
import socket
from dataclasses import replace

import pytest

from service.web.protocol import Guarded
from tests.web.doors import counted
from tests.web.wire import CHUNKED, PATIENCE, QUICK, Running, get, post, running, until


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Both loops that a server may run on: they take in connections in ways of their own."""
    return "asyncio", {"use_uvloop": request.param}


async def test_too_many_at_once_hear_so() -> None:
    """While as many are answered as may be, the next ones hear when to come back; then all is as before."""
    before = counted("unknown", "overloaded")
    async with running(replace(QUICK, in_flight=2, answer_seconds=PATIENCE)) as it:
        busy = [await (await it.call()).say(get("/gate")) for _ in range(2)]
        await until(lambda: len(it.server.server_state.tasks) == 2)
        caller = await (await it.call()).say(post(b"abc"))
        status, headers, body = await caller.hear()
        assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", "overloaded")
        it.app.gates["/gate"].set()
        assert [(await one.hear())[0] for one in busy] == [200, 200]
        assert (await (await caller.say(get())).hear())[0] == 200
    assert counted("unknown", "overloaded") == before + 1


TURNED_AWAY: list[tuple[str, bytes, bytes, bool]] = [
    ("without a body", get(), b"", True),
    ("its body in a later read", post(b"x" * 10)[:-4], b"xxxx", True),
    ("chunks", CHUNKED, b"1\r\na\r\n0\r\n\r\n", True),
    ("the last one", get("/", "Connection: close"), b"", False),
    ("old", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", b"", False),
    ("it asked whether to send a body", post(b"x" * 10, "Expect: 100-continue")[:-10], b"", False),
    ("the rest is none", CHUNKED, b"zz\r\n", False),
]


@pytest.mark.parametrize("sent, later, goes_on", [pytest.param(*row[1:], id=row[0]) for row in TURNED_AWAY])
async def test_who_is_turned_away_may_come_again(sent: bytes, later: bytes, goes_on: bool) -> None:
    """Whatever is turned away is told so in the same words, and its connection is as good as before, or closed."""
    async with running(replace(QUICK, in_flight=1, receive_seconds=PATIENCE, answer_seconds=PATIENCE)) as it:
        busy = await (await it.call()).say(get("/gate"))
        await it.app.entered.wait()
        caller = await (await it.call()).say(sent)
        status, headers, body = await caller.hear()
        assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", "overloaded")
        assert (headers["content-type"], "date" in headers) == ("application/problem+json", True)
        await caller.say(later)
        it.app.gates["/gate"].set()
        assert (await busy.hear())[0] == 200
        if goes_on:
            assert (await (await caller.say(get("/next"))).hear())[0] == 200
        else:
            assert await caller.rest() == b""


def receiving(it: Running) -> set[Guarded]:
    """Return the connections for whose bodies an app waits."""
    kind = it.server.config.http_protocol_class
    assert issubclass(kind, Guarded)
    return kind.receiving


@pytest.mark.parametrize("half", [post(b"x" * 10)[:-4], CHUNKED + b"5\r\n123"], ids=["half a body", "half a chunk"])
async def test_half_a_body_keeps_out_nobody(half: bytes) -> None:
    """Who does not finish his body is not counted among those who are answered, and is when he has finished it."""
    async with running(replace(QUICK, in_flight=1, receive_seconds=PATIENCE, answer_seconds=PATIENCE)) as it:
        slow = [await (await it.call()).say(half) for _ in range(3)]
        await until(lambda: len(it.server.server_state.tasks) == 3)
        honest = await it.call()
        assert (await (await honest.say(get())).hear())[0] == 200
        busy = await (await it.call()).say(post(b"x" * 10, path="/gate")[:-4])
        await until(lambda: len(it.server.server_state.tasks) == 4)
        await busy.say(b"xxxx")
        await until(lambda: len(receiving(it)) == 3)
        assert (await (await honest.say(get())).hear())[0] == 503
        it.app.gates["/gate"].set()
        assert (await busy.hear())[0] == 200
        for one in slow:
            one.writer.close()
        await until(lambda: not it.server.server_state.tasks)
        assert (await (await honest.say(get())).hear())[0] == 200


@pytest.mark.parametrize("half", [post(b"x" * 10)[:-4], CHUNKED + b"5\r\n123"], ids=["half a body", "half a chunk"])
async def test_half_a_body_behind_another_keeps_out_nobody(half: bytes) -> None:
    """Half a body does not count either where it came behind a whole request, once that one was answered."""
    async with running(replace(QUICK, in_flight=2, receive_seconds=PATIENCE, answer_seconds=PATIENCE)) as it:
        for number in (1, 2):
            slow = await (await it.call()).say(get(f"/gate/{number}"), half)
            await until(lambda: len(it.server.server_state.tasks) == number)  # noqa: B023 - it is awaited here
            it.app.gates[f"/gate/{number}"].set()
            assert (await slow.hear())[0] == 200
            await until(lambda: len(receiving(it)) == number)  # noqa: B023 - as above
        assert (await (await (await it.call()).say(get())).hear())[0] == 200


async def test_so_many_requests_behind_one() -> None:
    """What comes behind a request that is being answered is kept, but not without bound; what was taken is answered."""
    async with running(replace(QUICK, answer_seconds=PATIENCE, pipelined=4)) as it:
        caller = await (await it.call()).say(get("/gate"), *(get(f"/{n}") for n in range(50)))
        await it.app.entered.wait()
        (connection,) = it.server.server_state.connections
        assert isinstance(connection, Guarded)
        assert len(connection.pipeline) == 4
        it.app.gates["/gate"].set()
        heard = await caller.rest()
        assert heard.count(b"HTTP/1.1 200 ") == 5
        assert (await (await (await it.call()).say(get())).hear())[0] == 200


async def test_who_comes_behind_is_turned_away_in_turn() -> None:
    """A request behind one that is answered is turned away after it; a HEAD hears the head alone."""
    async with running(replace(QUICK, in_flight=1, answer_seconds=PATIENCE)) as it:
        caller = await (await it.call()).say(get("/gate"), get("/two"))
        await it.app.entered.wait()
        head = await (await it.call()).say(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        heard = await head.rest()
        assert (heard.startswith(b"HTTP/1.1 503 "), heard.endswith(b"\r\n\r\n")) == (True, True)
        it.app.gates["/gate"].set()
        assert [(await caller.hear())[0] for _ in range(2)] == [200, 503]


async def test_many_newcomers_are_taken_in_at_once() -> None:
    """Who connects while the loop is busy is taken in within a few turns of it, however many they are."""
    async with running(replace(QUICK, receive_seconds=PATIENCE)) as it:
        await until(lambda: it.server.started)
        # the loop stands still meanwhile
        newcomers = [socket.create_connection(("127.0.0.1", it.port)) for _ in range(96)]
        turns = 0
        while len(it.server.server_state.connections) < len(newcomers):
            await asyncio.sleep(0)
            turns += 1
        for one in newcomers:
            one.close()
    assert turns < 20


async def test_too_many_connections_are_cut() -> None:
    """Connections over the cap are cut at once; those within it are served."""
    async with running(replace(QUICK, connections=2, receive_seconds=PATIENCE)) as it:
        within = [await (await it.call()).say(get()) for _ in range(2)]
        assert [(await one.hear())[0] for one in within] == [200, 200]
        assert await (await it.call()).rest() == b""
        assert (await (await within[0].say(get())).hear())[0] == 200
