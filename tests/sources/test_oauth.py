"""Tokens for a desk that is told by settings: asked for once, carried, renewed, asked anew after a 401, never shown."""

import asyncio

import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from service.core import model as m
from service.core.errors import EgressRefused, Rejected, Throttled, Unreachable
from service.core.ports import Source
from service.sources import KINDS
from service.sources.oauth import Grant
from service.sources.telling import OAuthOptions
from tests.sources.senders import ACTION_ID, NOTE, SECRET, SETTLED, Outdoors, PlayDesk

TICKET = m.Ticket("500ab")
REPORT = m.Report("r1", ACTION_ID, "desk", "ticket", TICKET, m.ReportState.DUE)
SETTINGS: dict[str, object] = {
    "kind": "generic",
    "org": "acme",
    "secrets": [SECRET],
    "desk_url": "http://127.0.0.1:8090",
    "desk_user": "a client",
    "desk_secret": "canary&secret",
    "tell": {
        "path": "/cases/{ticket}/notes",
        "look": "/cases/{ticket}/notes",
        "body": {"text": "{note}"},
        "auth": "oauth",
        "oauth": {"path": "/token", "scope": "notes"},
    },
}


class Town:
    """A desk and its login, which answers one thing after the other."""

    def __init__(self, *tokens: Response | str) -> None:
        self.tokens, self.good = list(tokens), "one"
        self.play = PlayDesk(self.answer)
        self.outdoors = Outdoors(self.play.app)
        options = KINDS["generic"].options.model_validate(SETTINGS)
        self.source: Source = KINDS["generic"].build("desk", options, self.outdoors.outside)

    def answer(self) -> Response:
        """Answer what was heard last."""
        heard = self.play.heard[-1]
        if heard.path == "/token":
            given = self.tokens.pop(0)
            return given if isinstance(given, Response) else JSONResponse({"access_token": given, "expires_in": 600})
        if heard.headers["authorization"] != f"Bearer {self.good}":
            return JSONResponse({"error": {"message": f"{heard.headers['authorization']} is nobody's"}}, 401)
        return JSONResponse({"ok": True})

    async def tell(self) -> m.Reply:
        """Tell the report."""
        return await self.source.tell(REPORT, SETTLED, NOTE)

    @property
    def paths(self) -> list[str]:
        """Where calls went, in order."""
        return [heard.path for heard in self.play.heard]


async def test_one_token_for_all() -> None:
    """However many tell at once, one token is asked for by a form, and each call carries it."""
    town = Town("one")
    assert [reply.status for reply in await asyncio.gather(*(town.tell() for _ in range(3)))] == [200] * 3
    assert town.paths == ["/token", *["/cases/500ab/notes"] * 3]
    form = b"grant_type=client_credentials&client_id=a+client&client_secret=canary%26secret&scope=notes"
    assert town.play.heard[0].body == form
    assert town.play.heard[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert not await town.source.is_told(REPORT, SETTLED)
    assert len(town.tokens) == 0


async def test_it_is_renewed_before_its_end() -> None:
    """A token is not carried into its last minute: the next call brings a new one."""
    town = Town("one", "one")
    await town.tell()
    town.outdoors.clock.at += 539_000
    await town.tell()
    assert town.paths.count("/token") == 1
    town.outdoors.clock.at += 2_000
    await town.tell()
    assert town.paths.count("/token") == 2


async def test_a_401_is_asked_again_once() -> None:
    """A token that is not good any more is changed once; a second 401 is said, without the token that it repeats."""
    town = Town("old", "one")
    assert (await town.tell()).status == 200
    town.good, town.tokens = "nobody's", ["two"]
    with pytest.raises(Rejected) as caught:
        await town.tell()
    assert town.tokens == []
    assert "Bearer" not in str(caught.value)
    assert "check desk_user and desk_secret" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_client_that_is_not_known(status: int) -> None:
    """Where no token is given for our client that is said, and what to check; the secret is in no sentence."""
    town = Town(JSONResponse({"error_description": "canary&secret is wrong"}, status))
    with pytest.raises(Rejected, match=f"^{status}: the desk gives no token: check desk_user and desk_secret$") as it:
        await town.tell()
    assert it.value.reply.status == 401
    assert town.paths == ["/token"]


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        Response(status_code=302),
        Response("a page"),
        JSONResponse({}),
        JSONResponse({"access_token": "a b"}),
        JSONResponse({"access_token": 7}),
    ],
)
async def test_no_token_for_now(answer: Response) -> None:
    """Whatever else a login says, nothing was asked of the desk, and asking again is safe."""
    town = Town(answer)
    with pytest.raises(Unreachable):
        await town.tell()
    assert town.paths == ["/token"]


async def test_the_login_may_be_slow_too() -> None:
    """A login that takes no more for now says when it will."""
    town = Town(Response(status_code=429, headers={"retry-after": "7"}))
    with pytest.raises(Throttled) as caught:
        await town.tell()
    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize("life, again", [(None, 271), (0, 271), (True, 271), ("x", 271), (10**9, 86_341), (10, 10)])
async def test_how_long_a_token_is_carried(life: object, again: int) -> None:
    """A life that is not said is five minutes, the longest a day; a tenth of it, at most a minute, is left over."""
    grants = [JSONResponse({"access_token": "one", "expires_in": life}) for _ in range(2)]
    town = Town(*grants)
    await town.tell()
    town.outdoors.clock.at += (again - 1) * 1000 - 1000
    await town.tell()
    assert town.paths.count("/token") == 1
    town.outdoors.clock.at += 2000
    await town.tell()
    assert town.paths.count("/token") == 2


async def test_only_that_form_leaves() -> None:
    """The guard lets the one form pass and no other, and no repr shows what it holds."""
    town = Town("one")
    await town.tell()
    (rule,) = [rule for rule in town.outdoors.rules if rule.path.pattern == b"/token"]
    assert "canary" not in repr(rule)
    other = Grant(rule.origin, "/token", b"grant_type=password", "x", "y", ())
    assert "grant_type" not in repr(other)
    assert callable(rule.body)
    assert not rule.body(b"grant_type=password")


@pytest.mark.parametrize(
    "tell, said",
    [
        ({"auth": "oauth"}, "said together"),
        ({"oauth": {"path": "/token"}}, "said together"),
        ({"auth": "oauth", "oauth": {"path": "token"}}, "is a path"),
        ({"auth": "oauth", "oauth": {"path": "/token", "url": "http://login.example"}}, "https://"),
    ],
)
def test_faults_at_the_start(tell: dict[str, object], said: str) -> None:
    """Where a token is given is said whole, or not at all."""
    whole = {"path": "/cases/{ticket}", "body": {"text": "{note}"}} | tell
    with pytest.raises(ValidationError, match=said):
        KINDS["generic"].options.model_validate(SETTINGS | {"tell": whole})


def test_another_place_gives_the_token() -> None:
    """The login may stand elsewhere than the desk: both are the only places that are called."""
    tell = SETTINGS["tell"]
    assert isinstance(tell, dict)
    elsewhere = tell | {"oauth": {"url": "https://login.example", "path": "/token"}}
    outdoors = Outdoors()
    options = KINDS["generic"].options.model_validate(SETTINGS | {"tell": elsewhere})
    KINDS["generic"].build("desk", options, outdoors.outside)
    assert sorted({str(rule.origin) for rule in outdoors.rules}) == ["http://127.0.0.1:8090", "https://login.example"]
    assert OAuthOptions(path="/token").url == ""


async def test_a_late_note_does_not_leave() -> None:
    """After its deadline no note leaves, token or not."""
    town = Town("one")
    with pytest.raises(EgressRefused):
        await town.source.tell(REPORT, SETTLED, NOTE, town.outdoors.clock.monotonic() - 1)
    assert town.paths == ["/token"]
