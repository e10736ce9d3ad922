"""A real server on loopback: it outlives slow, silent and hostile peers, and honest ones do not notice."""

import asyncio
import io
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from service.core.errors import Misconfigured
from service.web import protocol
from tests.web.doors import counted
from tests.web.wire import BAD, GOOD, ODD, PATIENCE, QUICK, SLOW, Running, get, post, running, until


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Both loops that a server may run on: their transports close, abort and half-close in ways of their own."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
async def quick() -> AsyncIterator[Running]:
    """Run one server for the tables below: what one row did to it, the next would notice."""
    async with running() as it:
        yield it


@pytest.mark.parametrize("sent", [pytest.param(row[1], id=row[0]) for row in SLOW])
async def test_slow_callers_are_cut(quick: Running, sent: bytes) -> None:
    """Who does not finish a request by its deadline is cut, at whatever byte he stopped; silence is no request."""
    heard = await (await (await quick.call()).say(sent)).rest()
    assert heard.count(b"HTTP/1.1 ") == (1 if b"/early" in sent or sent.startswith(b"GET") else 0)
    await until(lambda: not quick.server.server_state.connections)


async def test_a_drip_does_not_move_the_deadline(quick: Running) -> None:
    """The deadline is absolute: a byte now and then buys no time; an honest caller is served meanwhile."""
    slow, honest = await quick.call(), await quick.call()
    await slow.say(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    cut = asyncio.create_task(slow.rest())
    served = 0
    async with asyncio.timeout(PATIENCE):
        while not cut.done():
            await honest.say(get())
            assert (await honest.hear())[0] == 200
            served += 1
            with suppress(ConnectionError):  # it may be cut between the two
                await slow.say(b"a")
    assert await cut == b""
    assert served > 1


async def test_many_slow_callers_keep_nobody_out() -> None:
    """However many half heads, half bodies and silent sockets there are, each ends, and an honest caller is heard."""
    async with running() as it:
        slow = [await (await it.call()).say(sent) for sent in (SLOW[0][1], SLOW[4][1], SLOW[6][1]) for _ in range(20)]
        honest = await it.call()
        assert (await (await honest.say(get())).hear())[0] == 200
        assert await asyncio.gather(*(one.rest() for one in slow)) == [b""] * 60


async def test_empty_lines_keep_nothing_open() -> None:
    """Empty lines between requests are no requests: they do not keep an idle connection open."""
    async with running(replace(QUICK, idle_seconds=60)) as it:
        caller = await (await it.call()).say(get())
        await caller.hear()
        assert await (await caller.say(b"\r\n")).rest() == b""


async def test_an_idle_connection_is_closed() -> None:
    """A connection that stays idle after its answer is closed."""
    async with running(replace(QUICK, idle_seconds=0)) as it:
        caller = await (await it.call()).say(get())
        assert (await caller.rest()).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("sent", [pytest.param(row[1], id=row[0]) for row in BAD])
async def test_only_one_way_to_write_a_request(quick: Running, log: io.BytesIO, sent: bytes) -> None:
    """A request that two readers could read in two ways, or that is too long, is refused in words, and that was all."""
    before = counted("unknown", "bad_request")
    caller = await quick.call()
    status, headers, body = await (await caller.say(sent)).hear()
    assert (status, headers["connection"]) == (400, "close")
    assert headers["content-type"] == "application/problem+json"
    assert "server" not in headers
    assert json.loads(body)["code"] == "bad_request"
    assert await caller.rest() == b""
    assert counted("unknown", "bad_request") == before + 1
    (line,) = [json.loads(line) for line in log.getvalue().splitlines() if b"bad_request" in line]
    assert (line["source"], bool(line["reason"])) == ("unknown", True)


@pytest.mark.parametrize("sent, statuses, goes_on", [pytest.param(*row[1:], id=row[0]) for row in ODD])
async def test_odd_requests_end_one_way(quick: Running, sent: bytes, statuses: list[int], goes_on: bool) -> None:
    """An odd request that has one meaning is answered as it stands here, and the connection goes on or is closed."""
    caller = await (await quick.call()).say(sent)
    assert [(await caller.hear())[0] for _ in statuses] == statuses
    if goes_on:
        assert json.loads((await (await caller.say(get("/next"))).hear())[2])["path"] == "/next"
    else:
        assert await caller.rest() == b""


def test_there_are_enough_of_them() -> None:
    """No two rows say the same, and more than sixty are such as no honest sender sends."""
    nasty = {sent for _, sent, *_ in (*BAD, *ODD, *SLOW)}
    assert len(nasty) == len(BAD) + len(ODD) + len(SLOW)
    assert len(BAD) >= 60


@pytest.mark.parametrize("sent, told", [pytest.param(*row[1:], id=row[0]) for row in GOOD])
async def test_honest_requests_are_served(quick: Running, sent: bytes, told: dict[str, object]) -> None:
    """Up to the limits everything is served, whether it comes at once or in small pieces."""
    status, headers, body = await (await (await quick.call()).say(sent)).hear()
    assert (status, "server" in headers) == (200, False)
    assert json.loads(body).items() >= told.items()
    pieces, size = await quick.call(), max(1, len(sent) // 50)
    for at in range(0, len(sent), size):
        await pieces.say(sent[at : at + size])
        await asyncio.sleep(0)
    assert (await pieces.hear())[2] == body


async def test_a_head_in_pieces_is_counted() -> None:
    """A head that comes in pieces is refused at the same length as one that comes at once."""
    async with running(replace(QUICK, receive_seconds=PATIENCE)) as it:
        caller = await (await it.call()).say(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: a")
        heard = asyncio.create_task(caller.hear())
        while not heard.done():
            with suppress(ConnectionError):  # it is closed with the answer
                await caller.say(b"a" * 1000)
        assert (await heard)[0] == 400


async def test_keep_alive() -> None:
    """A connection serves one request after the other, and counts each head for itself."""
    async with running() as it:
        caller = await it.call()
        for n in range(6):
            sent = post(b"x" * n, "X-Long: " + "a" * 4000, path=f"/{n}")
            await caller.say(sent[:20])
            _, _, body = await (await caller.say(sent[20:])).hear()
            assert json.loads(body).items() >= {"path": f"/{n}", "body": n}.items()
        assert it.server.server_state.total_requests == 6


async def test_an_idle_connection_is_left_alone(quick: Running) -> None:
    """Between two requests the deadlines of requests do not run."""
    caller = await (await quick.call()).say(get())
    await caller.hear()
    for _ in range(3):  # three deadlines pass
        await (await quick.call()).rest()
    assert (await (await caller.say(get())).hear())[0] == 200


async def test_pipelining() -> None:
    """Requests that come at once are answered in turn, whole; half a head behind them is not counted with them."""
    async with running() as it:
        caller = await it.call()
        await caller.say(*(post(b"x" * n * 2000, path=f"/{n}") for n in range(9)), get("/last")[:-2])
        for n in range(9):
            assert json.loads((await caller.hear())[2]).items() >= {"path": f"/{n}", "body": n * 2000}.items()
        assert json.loads((await (await caller.say(b"\r\n")).hear())[2])["path"] == "/last"


@pytest.mark.parametrize("behind", [b"GET /three HTTP/1.1\r\n", post(b"abc")[:-1]], ids=["half a head", "half a body"])
async def test_a_pipelined_request_has_its_own_time(behind: bytes) -> None:
    """Half a request behind slow answers does not shorten their time; its own begins when they are out."""
    async with running(replace(QUICK, answer_seconds=PATIENCE)) as it:
        caller = await (await it.call()).say(get("/gate/1"), get("/gate/2"), behind)
        await it.app.entered.wait()
        for gate in ("/gate/1", "/gate/2"):
            assert await (await it.call()).rest() == b""  # as long as a silent caller lives, it waits
            it.app.gates[gate].set()
            assert json.loads((await caller.hear())[2])["path"] == gate
        assert await caller.rest() == b""


async def test_garbage_behind_a_good_request() -> None:
    """A good request is answered before the connection ends over what came behind it."""
    async with running() as it:
        caller = await (await it.call()).say(get("/gate"), b"\x00\x00 garbage\r\n\r\n", get("/never"))
        await it.app.entered.wait()
        await caller.say(get("/never"))
        it.app.gates["/gate"].set()
        status, headers, body = await caller.hear()
        assert (status, headers["connection"], json.loads(body)["path"]) == (200, "close", "/gate")
        assert await caller.rest() == b""


CHUNKED_TO = b"POST /%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_bad_body_behind_a_good_request() -> None:
    """A body that goes wrong while an earlier request is answered ends the connection: no answer goes astray."""
    async with running() as it:
        caller = await (await it.call()).say(get("/gate"), CHUNKED_TO % b"two", b"zz\r\n")
        assert await caller.rest() == b""


async def test_a_bad_body_of_a_begun_answer() -> None:
    """A body that goes wrong when its answer has begun ends the connection: a second answer would be misread."""
    async with running() as it:
        caller = await (await it.call()).say(CHUNKED_TO % b"start")
        await caller.reader.readuntil(b"\r\n\r\n")
        assert await (await caller.say(b"zz\r\n")).rest() == b""


async def test_a_bad_body_after_its_answer() -> None:
    """A body that goes wrong after its answer gets no second one."""
    async with running() as it:
        caller = await (await it.call()).say(CHUNKED_TO % b"early")
        assert (await caller.hear())[0] == 413
        assert await (await caller.say(b"zz\r\n")).rest() == b""


async def test_the_app_hears_of_a_bad_body() -> None:
    """An app that waits for a body that went wrong is told that nobody is there any more."""
    async with running() as it:
        caller = await (await it.call()).say(CHUNKED_TO % b"body")
        await it.app.entered.wait()
        assert (await (await caller.say(b"zz\r\n")).hear())[0] == 400
        assert await caller.rest() == b""
        assert it.app.left == ["ClientDisconnect"]


async def test_an_early_answer_keeps_the_connection() -> None:
    """A body that nobody wants is read and thrown away; then the connection serves on, also within the same read."""
    async with running(replace(QUICK, idle_seconds=1)) as it:
        caller = await (await it.call()).say(post(b"x" * 10, path="/early")[:-4])
        assert (await caller.hear())[0] == 413
        await caller.say(b"xxxx", get("/next"))
        assert json.loads((await caller.hear())[2])["path"] == "/next"
        await caller.say(post(b"x" * 10, path="/early")[:-4])
        assert (await caller.hear())[0] == 413
        assert await (await caller.say(b"xxxx")).rest() == b""


async def test_a_body_without_end_is_cut() -> None:
    """A body that nobody wants is read only so far."""
    async with running(replace(QUICK, receive_seconds=PATIENCE, message_bytes=100_000)) as it:
        caller = await (await it.call()).say(post(b"x" * 900_000, path="/early")[:-1])
        heard = await caller.rest()
        assert heard.count(b"HTTP/1.1") <= 1  # the cut may take the answer with it


@pytest.mark.parametrize("headers", [(), ("Connection: close",)])
async def test_a_body_that_was_asked_about_is_not_awaited(quick: Running, headers: tuple[str, ...]) -> None:
    """Who asks whether to send a body and hears no gets the connection closed: nobody knows what would come next."""
    asking = post(b"x" * 10, "Expect: 100-continue", *headers, path="/early")[:-10]
    caller = await (await quick.call()).say(asking)
    assert (await caller.hear())[0] == 413
    with suppress(ConnectionError):  # it may be closed already
        await caller.say(get("/next"))
    assert await caller.rest() == b""


async def test_a_body_that_was_asked_about_may_come(quick: Running) -> None:
    """Who asks whether to send a body hears yes from an app that reads it."""
    caller = await (await quick.call()).say(post(b"x" * 10, "Expect: 100-continue")[:-10])
    assert await caller.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert json.loads((await (await caller.say(b"x" * 10)).hear())[2])["body"] == 10


async def test_who_asks_behind_another_request_is_answered() -> None:
    """Who asks whether to send a body while an earlier request of his is answered hears yes in his turn."""
    async with running(replace(QUICK, receive_seconds=PATIENCE, answer_seconds=PATIENCE)) as it:
        asking = post(b"x" * 10, "Expect: 100-continue")[:-10]
        caller = await (await it.call()).say(get("/gate"), asking)
        await it.app.entered.wait()
        it.app.gates["/gate"].set()
        assert (await caller.hear())[0] == 200
        assert await caller.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert json.loads((await (await caller.say(b"x" * 10)).hear())[2])["body"] == 10


async def test_an_old_request_asks_nothing(quick: Running) -> None:
    """HTTP/1.0 knows no 100 (RFC 9110, 10.1.1): the body of such a request is simply awaited."""
    asking = post(b"x" * 10, "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    caller = await (await quick.call()).say(asking[:-10])
    status, _, body = await (await caller.say(b"x" * 10)).hear()
    assert (status, json.loads(body)["body"]) == (200, 10)


async def test_an_answer_has_a_deadline() -> None:
    """An answer that does not come ends the connection, so that nothing is held for ever."""
    async with running() as it:
        caller = await (await it.call()).say(get("/gate"))
        assert await caller.rest() == b""


@pytest.mark.parametrize("headers", [(), ("Connection: close",)])
async def test_a_peer_that_does_not_read_is_cut(headers: tuple[str, ...]) -> None:
    """A peer that does not read its answer is cut, whether or not the connection was to be kept."""
    async with running(replace(QUICK, idle_seconds=0)) as it:
        with socket.create_connection(("127.0.0.1", it.port)) as peer:
            peer.sendall(get("/much", *headers))
            await it.app.entered.wait()
            (connection,) = it.server.server_state.connections
            await until(lambda: connection not in it.server.server_state.connections)


async def test_a_stop_finishes_what_is_under_way() -> None:
    """Told to stop, a server answers what it has begun, closes what is idle, takes nothing new, and returns."""
    async with running(replace(QUICK, answer_seconds=PATIENCE)) as it:
        idle = await (await it.call()).say(get())
        await idle.hear()
        it.app.entered.clear()
        busy = await (await it.call()).say(get("/gate"))
        await it.app.entered.wait()
        it.server.should_exit = True
        assert await idle.rest() == b""
        it.app.gates["/gate"].set()
        assert (await busy.hear())[1]["connection"] == "close"
        assert await busy.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await it.call()


async def test_the_signals_are_left_alone() -> None:
    """A server changes no signal's action, so that two of them and their owner live in one process."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with running() as one, running() as other:
        for it in (one, other):
            assert (await (await (await it.call()).say(get("/", "Connection: close"))).hear())[0] == 200
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_answers_are_dated() -> None:
    """An answer has a date, as HTTP asks of a server with a clock, and a refusal has one too."""
    async with running() as it:
        caller = await it.call()
        assert "date" in (await (await caller.say(get())).hear())[1]
        assert "date" in (await (await caller.say(b"\x00")).hear())[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_said_in_words(host: str) -> None:
    """A port that another process listens on is a fault of the settings, in words."""
    with protocol.listener(host, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"cannot listen on {host}, port {port}: Address already in use"):
            protocol.listener(host, port)


def test_a_host_that_is_not_ours() -> None:
    """A name that nobody knows is a fault of the settings too."""
    with pytest.raises(Misconfigured, match=r"cannot listen on nowhere.invalid, port 1"):
        protocol.listener("nowhere.invalid", 1)


def test_the_loop() -> None:
    """The event loop is uvloop's where it is installed."""
    loop = protocol.loop_factory()()
    assert type(loop).__module__.partition(".")[0] in {"uvloop", "asyncio"}
    loop.close()
