"""How our user logs in at ServiceNow: one token for all who wait, renewed in time, and no secret ever shown."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.core.errors import EgressRefused, Rejected, Throttled, Unclear, Unreachable, Upstream
from service.core.ports import Source
from service.sandbox import create_app
from service.sandbox.desk import OUTCOME_PATH, TOKEN_SECONDS
from tests.sources.senders import NOTE, REPORT, SETTLED, SYS_ID, Outdoors, PlayDesk, built

CLIENT = {"password": "", "client_id": "an id", "client_secret": "canary&secret"}
WRITTEN = {"result": {"sys_updated_by": "onhook.integration"}}
TOKEN = {"access_token": "token-1", "expires_in": 1799, "token_type": "Bearer"}
Api = Callable[[Mapping[str, str]], Response]


class Instance:
    """An instance whose login and API answer what a test tells them, the login one answer after the other."""

    def __init__(self, *tokens: object, api: Api | Response | None = None, **changes: object) -> None:
        self.tokens = list(tokens) or [TOKEN]
        self.api = api or JSONResponse(WRITTEN)
        self.play = PlayDesk(self.answer)
        self.outdoors = Outdoors(self.play.app)
        self.source: Source = built("servicenow", self.outdoors, **(CLIENT | changes))

    def answer(self) -> Response:
        """Answer what was heard last."""
        heard = self.play.heard[-1]
        if heard.path != "/oauth_token.do":
            return self.api if isinstance(self.api, Response) else self.api(heard.headers)
        given = self.tokens.pop(0) if self.tokens[1:] else self.tokens[0]
        return given if isinstance(given, Response) else JSONResponse(given)

    async def tell(self) -> None:
        """Tell the report."""
        await self.source.tell(REPORT, SETTLED, NOTE)

    def heard(self, path: str = "") -> list[Mapping[str, str]]:
        """Return the headers of each call to this path."""
        return [it.headers for it in self.play.heard if it.path.startswith(path)]

    @property
    def asked(self) -> list[str]:
        """The forms by which tokens were asked for."""
        return [it.body.decode() for it in self.play.heard if it.path == "/oauth_token.do"]


def bearing(*good: str) -> Api:
    """Return an API that knows these tokens only."""

    def answer(headers: Mapping[str, str]) -> Response:
        known = headers["authorization"] in {f"Bearer {token}" for token in good}
        return JSONResponse(WRITTEN) if known else JSONResponse({"error": {"message": "who?"}}, 401)

    return answer


async def test_client_credentials() -> None:
    """A token is asked for by a form, and carried as a bearer; a second call takes the same one."""
    desk = Instance()
    await desk.tell()
    await desk.tell()
    assert desk.asked == ["grant_type=client_credentials&client_id=an+id&client_secret=canary%26secret"]
    assert desk.heard("/oauth")[0]["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in desk.heard("/oauth")[0]
    assert [it["authorization"] for it in desk.heard("/api")] == ["Bearer token-1"] * 2


async def test_password_grant() -> None:
    """With a password beside the client the token is our user's."""
    desk = Instance(password="pässword")
    await desk.tell()
    form = "grant_type=password&client_id=an+id&client_secret=canary%26secret&username=onhook.integration"
    assert desk.asked == [f"{form}&password=p%C3%A4ssword"]


async def test_api_key() -> None:
    """A key is sent as it is, and nothing else."""
    desk = Instance(client_id="", client_secret="", api_key="canary-key")
    await desk.tell()
    assert [it["x-sn-apikey"] for it in desk.heard()] == ["canary-key"]
    assert "authorization" not in desk.heard()[0]


async def test_one_token_for_all() -> None:
    """However many wait, one request for a token is in flight; one who is cancelled leaves the others theirs."""
    asked, came, gate = [0, 0], asyncio.Event(), asyncio.Event()

    async def token(request: Request) -> Response:
        asked[0] += 1
        came.set()
        await gate.wait()
        return JSONResponse(TOKEN)

    async def api(request: Request) -> Response:
        asked[1] += 1
        return JSONResponse(WRITTEN)

    routes = [Route("/oauth_token.do", token, methods=["POST"]), Route("/{path:path}", api, methods=["PATCH"])]
    source = built("servicenow", Outdoors(Starlette(routes=routes)), **CLIENT)
    waiting = [asyncio.create_task(source.tell(REPORT, SETTLED, NOTE)) for _ in range(20)]
    await came.wait()
    waiting[7].cancel()
    gate.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(it, asyncio.CancelledError) for it in done] == [place == 7 for place in range(20)]
    assert asked == [1, 19]


async def test_who_asks_for_the_token_is_cancelled() -> None:
    """When the one that asks for the token is cancelled, the next in line asks."""
    asked, came, gate = [], asyncio.Event(), asyncio.Event()

    async def token(request: Request) -> Response:
        asked.append(request)
        came.set()
        await gate.wait()
        return JSONResponse(TOKEN)

    outdoors = Outdoors(Starlette(routes=[Route("/oauth_token.do", token, methods=["POST"])]))
    source = built("servicenow", outdoors, **CLIENT)
    first, second = (asyncio.create_task(source.tell(REPORT, SETTLED, NOTE)) for _ in range(2))
    await came.wait()
    first.cancel()
    gate.set()
    done = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(it) for it in done] == [asyncio.CancelledError, Rejected]  # there is no record in this desk
    assert len(asked) == 2


@pytest.mark.parametrize(
    "life, good", [(1799, 1738), (100, 89), (None, 269), ("1799", 269), (True, 269), (-1, 269), (10**9, 86_339)]
)
async def test_renewed_before_the_end(life: object, good: int) -> None:
    """A token is renewed a tenth of its life before it ends, a minute at most; an odd life is a short one."""
    desk = Instance(TOKEN | {"expires_in": life}, TOKEN | {"access_token": "token-2", "expires_in": life})
    await desk.tell()
    desk.outdoors.clock.at += good * 1000
    await desk.tell()
    desk.outdoors.clock.at += 2000
    await desk.tell()
    assert [it["authorization"][-1] for it in desk.heard("/api")] == ["1", "1", "2"]


async def test_a_token_that_was_taken_back() -> None:
    """After a 401 it is asked once more with a new token; for a second 401 what to check is said, and no more asked."""
    desk = Instance(TOKEN, TOKEN | {"access_token": "token-2"}, api=bearing("token-2"))
    await desk.tell()
    assert [it["authorization"][-1] for it in desk.heard("/api")] == ["1", "2"]
    desk = Instance(TOKEN, TOKEN | {"access_token": "token-2"}, api=bearing())
    with pytest.raises(Rejected, match="check client_id and client_secret"):
        await desk.tell()
    assert (len(desk.asked), len(desk.heard("/api"))) == (2, 2)


async def test_a_401_for_many() -> None:
    """When one token ends for many calls at once, one new one serves them all."""
    desk = Instance(TOKEN, TOKEN | {"access_token": "token-2"}, api=bearing("token-2"))
    await asyncio.gather(*(desk.tell() for _ in range(10)))
    assert len(desk.asked) == 2


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"client_id": "", "client_secret": "", "password": "canary"}, "check username and password"),
        ({"client_id": "", "client_secret": "", "api_key": "canary"}, "check api_key"),
    ],
)
async def test_nobody_we_are(changes: dict[str, object], words: str) -> None:
    """Without OAuth a 401 is final at once, and says what to check."""
    desk = Instance(api=JSONResponse({}, 401), **changes)
    with pytest.raises(Rejected, match=words):
        await desk.tell()
    assert len(desk.heard()) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_no_token_for_us(status: int) -> None:
    """A client that ServiceNow does not know gets no token: said in words, as something that a person mends."""
    desk = Instance(JSONResponse({"error": "server_error", "error_description": "canary"}, status))
    with pytest.raises(Rejected, match=f"^{status}: ServiceNow gives no token: check client_id") as caught:
        await desk.tell()
    assert caught.value.reply.status == 401
    assert (desk.heard("/api"), "canary" in str(caught.value)) == ([], False)
    assert not await desk.source.is_told(REPORT, SETTLED)


@pytest.mark.parametrize(
    "answer, kind",
    [
        (Response("", 429, {"Retry-After": "99999"}), Throttled),
        (JSONResponse({"error": {"message": "canary"}}, 500), Unreachable),
        (JSONResponse({"error": {"message": "canary"}}, 404), Unreachable),
        (Response("<html>canary</html>"), Unreachable),
        (JSONResponse({"access_token": ""}), Unreachable),
        (JSONResponse({"access_token": 7}), Unreachable),
        (JSONResponse({"access_token": "two words"}), Unreachable),
        (JSONResponse({"access_token": "line\nend"}), Unreachable),
    ],
)
async def test_no_token_yet(answer: Response, kind: type[Upstream]) -> None:
    """Any other answer of the login means later: nothing was asked, and nothing it said is repeated."""
    desk = Instance(answer)
    with pytest.raises(kind) as caught:
        await desk.tell()
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after_seconds == 3600
    assert "canary" not in f"{caught.value} {caught.value.reply}"
    assert desk.heard("/api") == []
    desk.tokens = [TOKEN]
    await desk.tell()


class Silent(httpx.AsyncBaseTransport):
    """A login that takes the request and cuts the line."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut")


async def test_a_login_that_does_not_answer() -> None:
    """A token whose answer was lost changed nothing: the report never left, and need not be looked for."""
    outdoors = Outdoors()
    outside = replace(outdoors.outside, open_caller=lambda rules: outdoors.caller(rules, Silent))
    source = built("servicenow", type("Cut", (), {"outside": outside})(), **CLIENT)
    with pytest.raises(Unreachable, match="the login did not answer"):
        await source.tell(REPORT, SETTLED, NOTE)
    source = built("servicenow", type("Cut", (), {"outside": outside})())
    with pytest.raises(Unclear):
        await source.tell(REPORT, SETTLED, NOTE)


async def test_too_late_with_a_token() -> None:
    """The deadline is the report's, also where a token was to be fetched first."""
    desk = Instance()
    with pytest.raises(EgressRefused):
        await desk.source.tell(REPORT, SETTLED, NOTE, desk.outdoors.clock.monotonic())
    assert desk.heard("/api") == []


BASIC = base64.b64encode(b'onhook.integration:canary/\xc3\xa4"').decode()


@pytest.mark.parametrize(
    "changes, shown",
    [
        ({"client_id": "", "client_secret": "", "password": 'canary/ä"'}, f"you sent Basic {BASIC}"),
        ({"client_id": "", "client_secret": "", "password": 'canary/ä"'}, 'you sent canary/ä"'),
        ({"client_id": "", "client_secret": "", "api_key": "canary-key"}, "you sent canary-key"),
        ({}, "you sent canary&secret"),
        ({}, "you sent token-1"),
    ],
)
async def test_a_desk_that_repeats_our_secret(changes: dict[str, object], shown: str) -> None:
    """What a desk says is not repeated where it holds a secret of ours, however it is spelled."""
    for body in (JSONResponse({"error": {"message": shown}}, 403), Response(_escaped(shown), 403)):
        with pytest.raises(Rejected, match=r"^403: ") as caught:
            await Instance(api=body, **changes).tell()
        assert "you sent" not in f"{caught.value} {caught.value.reply}"
    with pytest.raises(Rejected, match="their words"):
        await Instance(api=JSONResponse({"error": {"message": "their words"}}, 403), **changes).tell()


def _escaped(text: str) -> str:
    spelled = "".join(f"\\u{ord(char):04x}" for char in text)
    return f'{{"error":{{"message":"{spelled}"}}}}'


@pytest.mark.parametrize("changes", [{}, {"api_key": "canary-key"}, {"password": "canary"}, CLIENT])
def test_no_secret_in_a_repr(changes: dict[str, object]) -> None:
    """Neither the settings nor anything made of them shows a secret."""
    plain = {"password": "", "client_id": "", "client_secret": ""}
    if not changes:
        plain["password"] = "canary"
    options = built("servicenow", **(plain | changes))._options  # type: ignore[attr-defined]  # the kind's own
    assert "canary" not in f"{options!r} {options.credentials!r} {options.instance!r} {options.instance.rules!r}"


@pytest.fixture
def sandbox() -> Starlette:
    """Give a sandbox of its own."""
    return create_app()


@pytest.mark.parametrize("way", ["password", "client", "user", "key"])
@pytest.mark.parametrize("path", ["", OUTCOME_PATH])
async def test_against_the_play_desk(sandbox: Starlette, way: str, path: str) -> None:
    """Each login tells the play desk in each way: once, and again with a new token when the old one has ended."""
    control = httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox), base_url="http://sandbox")
    keys = (await control.get("/sandbox/credentials")).json()
    await control.post("/sandbox/desk/tickets", json={"table": "incident", "sys_id": SYS_ID})
    client = {"client_id": keys["desk_client_id"], "client_secret": keys["desk_client_secret"], "password": ""}
    login: dict[str, object] = {
        "password": {"password": keys["desk_password"]},
        "client": client,
        "user": client | {"password": keys["desk_password"]},
        "key": {"password": "", "api_key": keys["desk_api_key"]},
    }[way] | {"username": keys["desk_user"], "outcome_path": path}
    outdoors = Outdoors(sandbox)
    source = built("servicenow", outdoors, **login)
    assert not await source.is_told(REPORT, SETTLED)
    await source.tell(REPORT, SETTLED, NOTE)
    outdoors.clock.at += TOKEN_SECONDS * 1000
    if path:
        assert (await source.tell(REPORT, SETTLED, NOTE)).message == "it stood there already"
    else:
        assert await source.is_told(REPORT, SETTLED)
    notes = (await control.get(f"/sandbox/desk/tickets/incident/{SYS_ID}")).json()["work_notes"]
    assert [note["text"] for note in notes] == [NOTE]
    asked = [call["path"] for call in (await control.get("/sandbox/calls?service=desk")).json()["calls"]]
    assert asked.count("/oauth_token.do") == (2 if way in {"client", "user"} else 0)
    await control.aclose()
