"""The token: fetched once for all, renewed in time, and shown to nobody."""

import asyncio
import base64
import json
import random
import traceback

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.errors import Rejected, Throttled, Unreachable, Upstream
from service.genesys import GenesysCloud, GenesysOptions
from service.genesys.answers import reply_in
from service.genesys.token import Login, token_rule, without
from service.outbound import Answered, Caller, Outgoing
from tests.genesys.peers import CID, PID, HandClock, Noting, Play, dripping, mute, peer, read_request, reply, saying

OPTIONS = GenesysOptions.model_validate(
    {"region": "eu_west_1", "client_id": "the-client", "client_secret": "canary-secret"}
)
QUICK = Outgoing(connect_seconds=0.5, total_seconds=0.2)


def granting(value: object, life: object = 86_400) -> httpx.Response:
    """An answer that gives a token."""
    return reply(200, {"access_token": value, "token_type": "bearer", "expires_in": life})


def login_on(*answers: httpx.Response | Exception) -> tuple[Login, Noting, HandClock]:
    """A login whose requests get these answers, one after the other."""
    noting, clock = Noting(*answers), HandClock()
    caller = Caller([token_rule(OPTIONS.login)], clock, QUICK, transport=lambda: noting)
    return Login(OPTIONS, caller, clock), noting, clock


async def test_the_request_is_the_vendors() -> None:
    """A token is asked for by POST, HTTP Basic and a form, at the region's login."""
    login, noting, _ = login_on(granting("one"))
    assert await login.token() == "one"
    (asked,) = noting.seen
    assert (asked.method, str(asked.url)) == ("POST", "https://login.mypurecloud.ie/oauth/token")
    assert await asked.aread() == b"grant_type=client_credentials"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"the-client:canary-secret"


@pytest.mark.parametrize(
    "life, kept_seconds",
    [
        (86_400, 86_340),  # a minute early
        (300, 270),  # a tenth early
        (0, 0),
        (999_999_999, 172_740),  # nothing is believed beyond two days
        (None, 270),
        (True, 270),
        (-5, 270),
        ("3600", 270),
    ],
)
async def test_a_token_is_renewed_before_it_ends(life: object, kept_seconds: float) -> None:
    """Shortly before its end, by the monotonic clock, a new one is fetched beside the calls; for an odd life, early."""
    login, noting, clock = login_on(granting("one", life), granting("two"))
    assert await login.token() == "one"
    if kept_seconds:
        clock.at += kept_seconds - 0.5
        assert await login.token() == "one"
        await landed(login)
        assert len(noting.seen) == 1
        clock.at += 0.5
        assert await login.token() == "one"  # still good: nobody waits for the other
        await landed(login)
    assert await login.token() == "two"
    assert len(noting.seen) == 2


async def landed(login: Login) -> None:
    """Let a renewal end."""
    if flight := vars(login)["_flight"]:
        await asyncio.wait([flight])


async def test_a_token_that_ended_is_not_given_out() -> None:
    """Past its end it is of no use: who asks then waits for the new one."""
    login, noting, clock = login_on(granting("one", 300), granting("two", 300))
    assert await login.token() == "one"
    clock.at += 300
    assert await login.token() == "two"
    assert len(noting.seen) == 2


async def test_a_login_that_is_down_holds_up_nobody() -> None:
    """While the token is good, renewals that fail are not heard of, and not tried at once again; later they are."""
    down: list[httpx.Response | Exception] = [httpx.ConnectError("x"), reply(503), httpx.ConnectError("x")]
    login, noting, clock = login_on(granting("one", 300), *down, granting("two", 300))
    assert await login.token() == "one"
    clock.at += 270
    for asked in (2, 2, 3):  # at once, still within the pause, after it
        assert await login.token() == "one"
        await landed(login)
        assert len(noting.seen) == asked
        clock.at += 2.5
    clock.at += 30
    with pytest.raises(Unreachable):
        await login.token()
    assert await login.token() == "two"  # what failed is not kept
    assert len(noting.seen) == 5


@pytest.mark.parametrize("seconds", [1, 20])
async def test_a_renewal_waits_as_long_as_it_is_told(seconds: int) -> None:
    """A Retry-After of the login is a floor for the next renewal, too; the calls go on meanwhile."""
    told = reply(429, b"", {"Retry-After": f"{seconds}"})
    login, noting, clock = login_on(granting("one", 300), told, granting("two", 300))
    await login.token()
    clock.at += 270
    for asked, wait in ((2, seconds - 0.5), (2, 0.5), (3, 0.0)):
        assert await login.token() == "one"
        await landed(login)
        assert len(noting.seen) == asked
        clock.at += wait
    assert await login.token() == "two"


@pytest.mark.parametrize("life, said_seconds", [(86_400, 86_400), (None, 300), (999_999_999, 172_800)])
async def test_the_life_of_a_token_is_told(life: object, said_seconds: float) -> None:
    """How long a token is good is told as the login said it, as far as it is believed; one request for both."""
    login, noting, _ = login_on(granting("one", life))
    assert (await login.life_seconds(), await login.token()) == (said_seconds, "one")
    assert len(noting.seen) == 1


async def test_how_the_token_stands() -> None:
    """Who watches hears how long the token is still good for, or why there is none: never the token."""
    login, _, clock = login_on(granting("one", 300), httpx.Response(401), granting("two", 300))
    assert login.standing() == (0.0, "")
    await login.token()
    assert login.standing() == (300.0, "")
    clock.at += 301
    assert login.standing() == (0.0, "")
    with pytest.raises(Rejected):
        await login.token()
    assert login.standing() == (0.0, "the login refused the client id or secret")
    await login.token()
    assert login.standing() == (300.0, "")


async def test_a_refused_token_is_replaced_once() -> None:
    """Whoever reports the current token as stale gets a new one; who reports an older one gets the current."""
    login, noting, _ = login_on(granting("one"), granting("two"))
    assert await login.token() == "one"
    assert await login.token(stale="one") == "two"
    assert await login.token(stale="one") == "two"
    assert len(noting.seen) == 2


async def test_one_request_is_in_flight_for_all() -> None:
    """A hundred askers, some of them cancelled while they wait, cost one request."""
    served: list[bytes] = []
    came, go = asyncio.Event(), asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(await read_request(reader))
        came.set()
        await go.wait()
        body = b'{"access_token":"one","expires_in":300}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with peer(play) as url:
        login, caller = real_login(url, Outgoing())
        askers = [asyncio.create_task(login.token()) for _ in range(100)]
        await came.wait()
        for asker in askers[:50]:
            asker.cancel()
        go.set()
        got = await asyncio.gather(*askers, return_exceptions=True)
        await caller.aclose()
    assert [type(one) for one in got[:50]] == [asyncio.CancelledError] * 50
    assert (got[50:], len(served)) == (["one"] * 50, 1)


async def test_a_failure_is_shared_and_not_kept() -> None:
    """All who wait hear of the failure; the next who asks makes a new request."""
    login, noting, _ = login_on(httpx.ConnectError("x"), granting("one"))
    got = await asyncio.gather(login.token(), login.token(), return_exceptions=True)
    assert [type(one) for one in got] == [Unreachable, Unreachable]
    assert (await login.token(), len(noting.seen)) == ("one", 2)


@pytest.mark.parametrize(
    "answer, error",
    [
        (reply(400, {"error": "invalid_client", "description": "client not found"}), Rejected),
        (reply(401, {"error": "invalid_client", "description": "authentication failed"}), Rejected),
        (reply(403, b"<html>"), Rejected),
        (reply(429, b"<html>", {"Retry-After": "7"}), Throttled),
        (reply(404, b"<html>"), Unreachable),
        (reply(408, b""), Unreachable),
        (reply(503, b""), Unreachable),
        (reply(302, b"", {"Location": "https://evil.example"}), Unreachable),
        (reply(204, b""), Unreachable),
        (reply(200, b"<html>"), Unreachable),
        (reply(200, []), Unreachable),
        (reply(200, {}), Unreachable),
        (reply(200, b"{}" + b" " * 1_000_001), Unreachable),
        (granting(""), Unreachable),
        (granting(7), Unreachable),
        (granting("a b"), Unreachable),
        (granting("a\r\nX-Evil: b"), Unreachable),
        (granting("ä"), Unreachable),
        (granting("x" * 4097), Unreachable),
        (httpx.ReadTimeout("x"), Unreachable),
        (httpx.ReadError("x"), Unreachable),
        (httpx.ConnectTimeout("x"), Unreachable),
    ],
)
async def test_what_is_no_token(answer: httpx.Response | Exception, error: type[Upstream]) -> None:
    """Wrong credentials are Rejected, 429 is Throttled, all else is safe to repeat: a token changes nothing."""
    login, _, _ = login_on(answer)
    with pytest.raises(error) as caught:
        await login.token()
    assert type(caught.value) is error
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after_seconds == 7
    if error is Rejected and caught.value.reply.status != 403:
        assert caught.value.reply.code == "invalid_client"


def real_login(url: str, outgoing: Outgoing) -> tuple[Login, Caller]:
    """A login at a peer."""
    keys = {"client_id": "the-client", "client_secret": "canary-secret"}
    options = GenesysOptions.model_validate({**keys, "api_url": url, "login_url": url})
    caller = Caller([token_rule(options.login)], HandClock(), outgoing)
    return Login(options, caller, HandClock()), caller


@pytest.mark.parametrize("play", [mute, dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), saying(b"SSH-2.0\r\n\r\n")])
async def test_the_secret_stands_in_no_error(play: Play) -> None:
    """No error, no cause of it and no repr on the way shows secret or header."""
    async with peer(play) as url:
        login, caller = real_login(url, QUICK)
        with pytest.raises(Unreachable) as caught:
            await login.token()
        await caller.aclose()
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.reply) + repr(vars(login))
    assert "canary" not in told
    assert base64.b64encode(b"the-client:canary-secret").decode() not in told


async def test_a_token_stands_in_no_repr() -> None:
    """What holds the token does not show it."""
    login, _, _ = login_on(granting("canary-token"))
    await login.token()
    assert "canary-token" not in repr(login) + repr(vars(login))


async def test_closing_ends_what_nobody_waits_for() -> None:
    """A fetch in flight ends with the login; closing twice, or without one, does nothing."""
    came = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        came.set()
        await mute(reader, writer)

    async with peer(play) as url:
        login, caller = real_login(url, Outgoing())
        asker = asyncio.create_task(login.token())
        await came.wait()
        await login.aclose()
        await login.aclose()
        with pytest.raises(asyncio.CancelledError):
            await asker
        await caller.aclose()


class Guarded(httpx.AsyncBaseTransport):
    """A Genesys that takes only the newest of the tokens that it gave out, and counts what it is asked."""

    def __init__(self) -> None:
        self.logins = self.refused = self.served = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(3):  # so that all are in flight at once
            await asyncio.sleep(0)
        if request.method == "POST":
            self.logins += 1
            return granting(f"canary-token-{self.logins}")
        if request.headers["authorization"] != f"Bearer canary-token-{self.logins}":
            self.refused += 1
            return reply(401, {"code": "bad.credentials", "message": "Invalid login credentials."})
        self.served += 1
        return reply(202) if request.method == "PATCH" else reply(200, {"id": CID})


@pytest.mark.parametrize("how", ["ended", "refused"])
async def test_a_hundred_calls_cost_one_login(how: str) -> None:
    """With a token that ended, or is taken no more, a hundred calls at once are all served after one login."""
    genesys, clock = Guarded(), HandClock()
    cloud = GenesysCloud(OPTIONS, clock, Outgoing(), transport=lambda: genesys)
    await cloud.look(CID)
    if how == "ended":
        clock.at += 86_400
    else:
        genesys.logins += 1  # somebody else has got the newest
    before = genesys.logins
    removal = m.Target(PID, ())
    calls = [cloud.look(CID) if n % 2 else cloud.disconnect(CID, removal, clock.at + 9) for n in range(100)]
    got = await asyncio.gather(*calls)
    assert (genesys.logins - before, genesys.served) == (1, 101)
    assert genesys.refused == (0 if how == "ended" else 100)  # each was asked once more, and no third time
    assert {type(one) for one in got} == {m.Conversation, m.Answer}


async def test_what_repeats_our_secrets_is_not_kept() -> None:
    """A gateway that repeats in its error what it was asked gives away nothing: secret and token are masked."""
    basic = base64.b64encode(b"the-client:canary-secret").decode()
    echo = {"error": "invalid_client", "description": f"Basic {basic} of canary-secret"}
    login, _, _ = login_on(reply(401, echo))
    with pytest.raises(Rejected) as caught:
        await login.token()
    assert caught.value.reply.message == "Basic *** of ***"
    said = {"code": "canary-token", "message": "Bearer canary-token is over"}
    answers = [granting("canary-token"), *(reply(500, said, {"ININ-Correlation-Id": "canary-token"}) for _ in range(2))]
    noting = Noting(*answers)
    cloud = GenesysCloud(OPTIONS, HandClock(), Outgoing(), transport=lambda: noting)
    answer, sight = await cloud.disconnect(CID, m.Target(PID, ()), 1e9), await cloud.look(CID)
    assert answer.reply.message == "Bearer *** is over"
    assert "canary" not in repr(answer) + repr(sight)


@settings(max_examples=50)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40), st.randoms())
def test_no_spelling_of_a_secret_is_kept(secret: str, dice: random.Random) -> None:
    """Whatever a secret is made of, and however JSON escapes it, an error that repeats it is kept without it."""

    def spelled(char: str) -> str:
        needed = json.dumps(char)[1:-1]
        return dice.choice([needed, "\\/" if char == "/" else needed, f"\\u{ord(char):04x}", f"\\u{ord(char):04X}"])

    written = "".join(map(spelled, secret))
    body = f'{{"code": "x", "message": "a\\n\\u00e4 <{written}> \\"z\\\\"}}'.encode()
    assert json.loads(body)["message"] == f'a\n\xe4 <{secret}> "z\\'
    kept = reply_in(without(Answered(400, (("content-type", "application/json"),), body), secret))
    assert kept.message == 'a\ufffd\xe4 <***> "z\\'
