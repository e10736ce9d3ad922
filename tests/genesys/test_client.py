"""Looking and disconnecting: shapes against the sandbox, trouble against a server as rude as needed."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from service.core import model as m
from service.core.errors import EgressRefused, Throttled, Unreachable
from service.core.ports import Genesys
from service.genesys import GenesysCloud, GenesysOptions
from service.outbound import Caller, Outgoing
from service.sandbox import create_app
from tests.genesys.peers import CID, PID, HandClock, Noting, dripping, mute, peer, read_request, reply

LATER = math.inf  # a deadline that no test reaches
QUICK = Outgoing(connect_seconds=0.5, total_seconds=0.2)
NOW, GOOD = m.AnswerKind.REFUSED_FOR_NOW, m.AnswerKind.REFUSED_FOR_GOOD
ACCEPTED, UNCLEAR = m.AnswerKind.ACCEPTED, m.AnswerKind.UNCLEAR
API = "http://127.0.0.1:8090"
BODY = b'{"state":"disconnected"}'
TOKEN = reply(200, {"access_token": "token", "expires_in": 300})


def options(url: str = API, **keys: str) -> GenesysOptions:
    """Options for an org at `url`."""
    given = {"client_id": "id", "client_secret": "canary-secret", **keys}
    return GenesysOptions.model_validate({"api_url": url, "login_url": url, **given})


def target(participant_id: str = PID) -> m.Target:
    """The one to be removed."""
    return m.Target(participant_id, ("leg",))


@dataclass
class Play:
    """A sandbox, its control, and our client on it."""

    clock: HandClock = field(default_factory=HandClock)
    at: float = 1_795_165_200.0

    def __post_init__(self) -> None:
        app = create_app(now=lambda: self.at)
        self.transport = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=API)

    async def begin(self, scenario: str) -> None:
        """Log in and let a conversation begin."""
        keys = (await self.http.get("/sandbox/credentials")).json()
        ours = options(client_id=keys["client_id"], client_secret=keys["client_secret"])
        self.cloud = GenesysCloud(ours, self.clock, Outgoing(), transport=lambda: self.transport)
        begun = (await self.http.post("/sandbox/conversations", json={"scenario": scenario})).json()
        self.cid = begun["conversation_id"]
        self.caller = next(one["id"] for one in begun["participants"] if one["purpose"] == "customer")

    async def switch(self, **switches: object) -> None:
        """Turn switches."""
        assert (await self.http.put("/sandbox/switches", json=switches)).is_success

    async def calls(self) -> list[tuple[str, str]]:
        """What the sandbox was asked, as (service, method)."""
        got = (await self.http.get("/sandbox/calls")).json()["calls"]
        return [(call["service"], call["method"]) for call in got]

    async def disconnect(self) -> m.Answer:
        """Remove the caller."""
        return await self.cloud.disconnect(self.cid, target(self.caller), LATER)

    async def present(self) -> list[str]:
        """Who a look says is present, by purpose."""
        sight = await self.cloud.look(self.cid)
        assert isinstance(sight, m.Conversation)
        return sorted(one.purpose for one in sight.participants if one.is_present)


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """A conference in a sandbox."""
    play = Play()
    await play.begin("conference")
    yield play
    await play.cloud.aclose()
    await play.http.aclose()


def on(answers: tuple[httpx.Response | Exception, ...], clock: HandClock | None = None) -> tuple[GenesysCloud, Noting]:
    """A client whose requests get these answers, the token's first."""
    noting = Noting(*answers)
    return GenesysCloud(options(), clock or HandClock(), QUICK, transport=lambda: noting), noting


# ----------------------------------------------------------------------------------------------- with the play Genesys
async def test_exactly_the_caller_leaves(play: Play) -> None:
    """One look, one removal: the caller goes, everybody else stays, and the sandbox was asked nothing more."""
    before = await play.present()
    answer = await play.disconnect()
    assert (answer.kind, answer.reply.status, answer.answered_at) == (ACCEPTED, 202, play.clock.now())
    assert answer.reply.correlation_id
    play.at += 10
    before.remove("customer")
    assert await play.present() == before
    assert await play.calls() == [("login", "POST"), ("genesys", "GET"), ("genesys", "PATCH"), ("genesys", "GET")]


async def test_a_look_tells_what_it_saw(play: Play) -> None:
    """The caller is found with his number, his legs and when he came; the reply carries the correlation id."""
    sight = await play.cloud.look(play.cid)
    assert isinstance(sight, m.Conversation)
    assert (sight.id, sight.reply.status, bool(sight.reply.correlation_id)) == (play.cid, 200, True)
    (caller,) = (one for one in sight.participants if one.id == play.caller)
    assert (caller.purpose, caller.phone, caller.is_present) == ("customer", "+14155550123", True)
    assert [(leg.medium, leg.state) for leg in caller.legs] == [(m.Medium.VOICE, "connected")]
    assert caller.joined_at > 0


async def test_logging_in(play: Play) -> None:
    """Who only logs in hears for how long the token is good, and nothing but the login was asked."""
    assert await play.cloud.log_in() == 86_400
    assert await play.calls() == [("login", "POST")]


async def test_an_unknown_conversation(play: Play) -> None:
    """A conversation that Genesys does not know is not found, and nobody in it can be removed."""
    assert isinstance(await play.cloud.look(CID), m.NotFound)
    assert (await play.cloud.disconnect(CID, target(), LATER)).kind is NOW


@pytest.mark.parametrize(
    "rule, kind, effect",
    [
        ({"status": 409}, NOW, False),
        ({"status": 409, "code": "conflict", "message": "In flux."}, NOW, False),
        ({"status": 400, "code": "conversation.error.call.disconnected"}, NOW, False),
        ({"status": 400, "code": "not.a.user"}, GOOD, False),
        ({"status": 403, "code": "not.authorized"}, NOW, False),
        ({"status": 403, "code": "missing.permissions"}, GOOD, False),
        ({"status": 404}, NOW, False),
        ({"status": 500}, UNCLEAR, False),
        ({"status": 502, "effect": True}, UNCLEAR, True),
        ({"status": 504, "effect": True, "body": "", "content_type": "text/html"}, UNCLEAR, True),
        ({"cut": "before"}, UNCLEAR, False),
        ({"cut": "after"}, UNCLEAR, True),
    ],
)
async def test_what_a_removal_is_answered(
    play: Play, rule: Mapping[str, object], kind: m.AnswerKind, effect: bool
) -> None:
    """Each answer of the sandbox becomes its kind, once asked, whether or not it took effect."""
    await play.present()
    await play.switch(answers=[{"on": "disconnect", **rule}])
    answer = await play.disconnect()
    assert answer.kind is kind
    assert answer.reply.code == rule.get("code", answer.reply.code)
    play.at += 10
    assert ("customer" in await play.present()) is not effect
    assert (await play.calls()).count(("genesys", "PATCH")) == 1


async def test_an_ended_token_is_renewed_once(play: Play) -> None:
    """A 401 in the middle means "not done": a new token, the same request once more, and no third."""
    await play.present()
    await play.switch(token_seconds=0)
    play.at += 1
    await play.switch(token_seconds=300)
    assert (await play.disconnect()).kind is ACCEPTED
    calls = await play.calls()
    assert calls[-3:] == [("genesys", "PATCH"), ("login", "POST"), ("genesys", "PATCH")]


async def test_a_second_401_is_an_answer(play: Play) -> None:
    """Refused again under a new token, a look is no sight and a removal refused for good."""
    await play.switch(answers=[{"on": kind, "status": 401, "times": None} for kind in ("look", "disconnect")])
    sight = await play.cloud.look(play.cid)
    assert isinstance(sight, m.NoSight)
    assert (sight.reply.status, sight.reply.code) == (401, "bad.credentials")
    assert (await play.disconnect()).kind is GOOD
    assert (await play.calls()).count(("genesys", "PATCH")) == 2


async def test_a_429_is_not_done(play: Play) -> None:
    """Throttled, a removal was not done and says how long to wait; a look sees nothing for as long."""
    await play.switch(
        answers=[{"on": kind, "status": 429, "headers": {"Retry-After": "7"}} for kind in ("look", "disconnect")]
    )
    sight = await play.cloud.look(play.cid)
    assert isinstance(sight, m.CannotSee)
    assert sight.retry_after_seconds == 7
    with pytest.raises(Throttled) as caught:
        await play.disconnect()
    assert caught.value.retry_after_seconds == 7
    play.clock.at += 7
    with pytest.raises(Throttled):
        await play.disconnect()
    play.clock.at += 7
    assert "customer" in await play.present()


async def test_wrong_credentials() -> None:
    """A client id or secret that the login does not take is for a person to mend: nothing else was asked."""
    play = Play()
    await play.begin("pair")
    wrong = GenesysCloud(options(), play.clock, Outgoing(), transport=lambda: play.transport)
    sight = await wrong.look(play.cid)
    answer = await wrong.disconnect(play.cid, target(play.caller), LATER)
    assert isinstance(sight, m.NoSight)
    assert (answer.kind, answer.reply.code, sight.reply.code) == (GOOD, "invalid_client", "invalid_client")
    assert {service for service, _ in await play.calls()} == {"login"}
    await play.http.aclose()


async def test_what_is_asked_and_with_what() -> None:
    """Look and removal carry the token; the removal its one body, as JSON; closing closes the way out."""
    cloud, noting = on((TOKEN, reply(200), reply(202)))
    await cloud.look(CID)
    await cloud.disconnect(CID, target(), LATER)
    _, look, removal = noting.seen
    assert (look.method, look.url.path, await look.aread()) == ("GET", f"/api/v2/conversations/{CID}", b"")
    assert (removal.method, removal.url.path) == ("PATCH", f"/api/v2/conversations/{CID}/participants/{PID}")
    assert await removal.aread() == b'{"state":"disconnected"}'
    assert [one.headers["authorization"] for one in (look, removal)] == ["Bearer token"] * 2
    assert [one.headers.get("content-type") for one in (look, removal)] == [None, "application/json"]
    assert noting.closed == 0
    await cloud.aclose()
    assert noting.closed == 1


# ------------------------------------------------------------------------------------------------- trouble on the way
@pytest.mark.parametrize(
    "answers, kind",
    [
        ((httpx.ConnectError("x"),), Unreachable),
        ((httpx.ReadTimeout("x"),), Unreachable),
        ((reply(503),), Unreachable),
        ((reply(429),), Throttled),
        ((reply(400, {"error": "invalid_client"}),), GOOD),
        ((TOKEN, httpx.ConnectError("x")), Unreachable),
        ((TOKEN, httpx.ConnectTimeout("x")), Unreachable),
        ((TOKEN, httpx.PoolTimeout("x")), Unreachable),
        ((TOKEN, httpx.ReadTimeout("x")), UNCLEAR),
        ((TOKEN, httpx.RemoteProtocolError("x")), UNCLEAR),
        ((TOKEN, RuntimeError("x")), UNCLEAR),
        ((TOKEN, reply(401), httpx.ConnectError("x")), Unreachable),
        ((TOKEN, reply(401), reply(500)), Unreachable),
        ((TOKEN, reply(401), reply(401)), GOOD),
        ((TOKEN, reply(401), TOKEN, reply(202)), ACCEPTED),
        ((TOKEN, reply(401), TOKEN, reply(401)), GOOD),
        ((TOKEN, reply(401), TOKEN, httpx.ReadError("x")), UNCLEAR),
        ((TOKEN, reply(401), TOKEN, httpx.ConnectError("x")), Unreachable),
    ],
)
async def test_a_removal_that_did_not_go_well(
    answers: tuple[httpx.Response | Exception, ...], kind: m.AnswerKind | type[Exception]
) -> None:
    """Not sent is Unreachable, also when only the login failed; sent and unanswered is an unclear answer, no error."""
    cloud, noting = on(answers)
    if isinstance(kind, m.AnswerKind):
        assert (await cloud.disconnect(CID, target(), LATER)).kind is kind
    else:
        with pytest.raises(kind):
            await cloud.disconnect(CID, target(), LATER)
    assert len(noting.seen) == len(answers)


@pytest.mark.parametrize(
    "answers, kind",
    [
        ((httpx.ConnectError("x"),), m.CannotSee),
        ((reply(429, b"", {"Retry-After": "9"}),), m.CannotSee),
        ((reply(401),), m.NoSight),
        ((TOKEN, httpx.ConnectError("x")), m.CannotSee),
        ((TOKEN, httpx.ReadTimeout("x")), m.CannotSee),
        ((TOKEN, RuntimeError("x")), m.CannotSee),
        ((TOKEN, reply(200, b"<html>")), m.CannotSee),
        ((TOKEN, reply(200, {"id": CID})), m.Conversation),
        ((TOKEN, reply(200, b" " * 1_000_001)), m.CannotSee),
    ],
)
async def test_a_look_sees_or_not_and_does_not_raise(
    answers: tuple[httpx.Response | Exception, ...], kind: type[m.Sight]
) -> None:
    """Whatever Genesys answers or fails to answer is a sight."""
    cloud, _ = on(answers)
    sight = await cloud.look(CID)
    assert type(sight) is kind
    if isinstance(sight, m.CannotSee) and sight.reply.status == 429:
        assert sight.retry_after_seconds == 9


async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[bytes]) -> None:
    """Give a token to whoever asks, and note what else is asked, unanswered."""
    while (request := await read_request(reader)).startswith(b"POST"):
        body = b'{"access_token":"one","expires_in":300}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    asked.append(request)


@pytest.mark.parametrize("end", ["silence", "cut", "drip"])
async def test_a_real_connection_that_ends_badly(end: str) -> None:
    """Silence, a cut and a drip after the hand-over are unclear for a removal and no sight for a look, in time."""
    asked: list[bytes] = []

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await served(reader, writer, asked)
        if end == "silence":
            await mute(reader, writer)
        elif end == "drip":
            reader.feed_data(b"\r\n\r\n")  # the request was read already
            await dripping(b"HTTP/1.1 202 Accepted\r\n", b"X: y\r\n")(reader, writer)

    async with peer(rude) as url:
        cloud = GenesysCloud(options(url), HandClock(), QUICK)
        answer = await cloud.disconnect(CID, target(), LATER)
        sight = await cloud.look(CID)
        await cloud.aclose()
    assert (answer.kind, answer.reply.status, type(sight)) == (UNCLEAR, None, m.CannotSee)
    assert answer.reply.code == ("not_http" if end == "cut" else "timeout")
    assert [one.split(b" ")[0] for one in asked] == [b"PATCH", b"GET"]


async def test_past_the_deadline_nothing_is_sent() -> None:
    """A removal past its deadline is refused here, also when renewing the token is what took the time."""
    cloud, noting = on((TOKEN, reply(401), TOKEN), HandClock(0.0, 0.0, 0.0, 9.0))
    with pytest.raises(EgressRefused):
        await cloud.disconnect(CID, target(), 5.0)
    assert [one.method for one in noting.seen] == ["POST", "PATCH", "POST"]


async def test_the_secret_and_the_token_stay_inside(caplog: pytest.LogCaptureFixture) -> None:
    """Neither stands in a log line of ours or of a library, nor in what the client shows of itself."""
    caplog.set_level("DEBUG")
    cloud, _ = on((reply(200, {"access_token": "canary-token", "expires_in": 300}), reply(500)))
    answer = await cloud.disconnect(CID, target(), LATER)
    assert "canary" not in caplog.text + repr(answer) + repr(vars(cloud))


async def test_the_port_is_met() -> None:
    """The client is what the story asks for: one caller, two calls, the login and how it stands, what was learned."""
    cloud: Genesys = GenesysCloud(options(), HandClock(), QUICK, transport=Noting)
    public = {name for name in vars(GenesysCloud) if not name.startswith("_")}
    assert public == {"log_in", "look", "disconnect", "told", "token", "aclose"}
    assert isinstance(vars(cloud)["_caller"], Caller)
