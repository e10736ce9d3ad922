"""ServiceNow: how its records are told, once where that can be seen, and what may leave the process for it."""

import base64
import json
from dataclasses import replace

import httpx
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response

from service.core import model as m
from service.core.errors import EgressRefused, Rejected, Throttled, Unclear, Upstream
from service.core.ports import Source
from service.outbound import Asked
from service.sandbox import create_app
from tests.sources.senders import ACTION_ID, NOTE, REPORT, SETTLED, SYS_ID, HandClock, Outdoors, PlayDesk, built

RECORD = f"/api/now/table/incident/{SYS_ID}"
OUTCOME = "/api/x_play_onhook/onhook/outcome"
NARROW = "sysparm_fields=sys_updated_by"
HANDED_FIELDS = {"action_id": ACTION_ID, "table": "incident", "sys_id": SYS_ID, "work_notes": "x"}
HANDED = json.dumps(HANDED_FIELDS).encode()
FORM = b"grant_type=client_credentials&client_id=an+id&client_secret=p%26ss"
BASIC = "Basic " + base64.b64encode(b"onhook.integration:play-password").decode()


def desk(answer: Response, **changes: object) -> tuple[PlayDesk, Source]:
    """Return a desk that always gives this answer, and a source that tells it."""
    play = PlayDesk(lambda: answer)
    return play, built("servicenow", Outdoors(play.app), **changes)


def resource(answer: Response) -> tuple[PlayDesk, Source]:
    """Return the same for a source that tells our Scripted REST resource."""
    return desk(answer, outcome_path=OUTCOME)


def said(**result: object) -> JSONResponse:
    """Return what our resource says."""
    return JSONResponse({"result": result})


async def test_a_note_is_one_patch() -> None:
    """The note is appended to the record's work notes by one PATCH, as our user, and nothing else is set."""
    play, source = desk(JSONResponse({"result": {"sys_id": SYS_ID}}))
    assert await source.tell(REPORT, SETTLED, NOTE) == m.Reply(200)
    (heard,) = play.heard
    assert (heard.method, heard.path, heard.query) == ("PATCH", RECORD, NARROW)
    assert json.loads(heard.body) == {"work_notes": NOTE}
    assert heard.headers["authorization"] == BASIC
    assert heard.headers["content-type"] == "application/json"


async def test_too_late_for_a_note() -> None:
    """After its deadline the note does not leave any more."""
    play, source = desk(JSONResponse({"result": {}}))
    with pytest.raises(EgressRefused, match="deadline"):
        await source.tell(REPORT, SETTLED, NOTE, HandClock().monotonic())
    assert play.heard == []


async def test_a_note_carries_the_action() -> None:
    """A note without the action's id gets it, or nobody could find it again; and no note becomes HTML."""
    play, source = desk(JSONResponse({"result": {}}))
    await source.tell(REPORT, SETTLED, "Gone. [Code]<b>x</b>[/code]")
    assert json.loads(play.heard[0].body)["work_notes"] == f"Gone. (Code)<b>x</b>(/code) [{ACTION_ID}]"


async def test_the_look_for_a_note() -> None:
    """The journal is asked for this record's notes with this action, one row, by one GET."""
    play, source = desk(JSONResponse({"result": [{"value": NOTE}]}))
    assert await source.is_told(REPORT, SETTLED)
    (heard,) = play.heard
    assert (heard.method, heard.path) == ("GET", "/api/now/table/sys_journal_field")
    assert dict(httpx.QueryParams(heard.query)) == {
        "sysparm_query": f"element_id={SYS_ID}^element=work_notes^valueLIKE{ACTION_ID}",
        "sysparm_limit": "1",
        "sysparm_fields": "value",
    }
    assert "^" not in heard.query
    assert heard.headers["authorization"] == BASIC


@pytest.mark.parametrize(
    "result", [[], [{"value": "another note"}], [{}], [{"value": None}], ["x"], {}, {"value": NOTE}, None, "x", 1]
)
async def test_no_such_note(result: object) -> None:
    """Only a row that holds the action's id is a note of ours: ServiceNow drops conditions it cannot apply."""
    _, source = desk(JSONResponse({"result": result}))
    assert not await source.is_told(REPORT, SETTLED)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405])
async def test_a_journal_that_cannot_be_read(status: int) -> None:
    """A journal that our user may not read is not an absent note, and not an error: the note is written."""
    _, source = desk(JSONResponse({"error": {"message": "no"}}, status))
    assert not await source.is_told(REPORT, SETTLED)


@pytest.mark.parametrize("status, kind", [(429, Throttled), (408, Unclear), (500, Unclear), (503, Unclear)])
async def test_a_desk_that_cannot_be_asked(status: int, kind: type[Upstream]) -> None:
    """A desk that does not answer now is asked again later, for the look as for the note."""
    _, source = desk(Response("busy", status, {"Retry-After": "17"}))
    with pytest.raises(kind):
        await source.is_told(REPORT, SETTLED)
    with pytest.raises(kind) as caught:
        await source.tell(REPORT, SETTLED, NOTE)
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after_seconds == 17


@pytest.mark.parametrize(
    "status, words",
    [
        (400, "is there such a table"),
        (401, "check username and password"),
        (403, "write on work_notes"),
        (404, "missing or hidden by an ACL"),
        (302, "sign-in page"),
        (409, "the desk refused it"),
    ],
)
async def test_a_desk_that_says_no(status: int, words: str) -> None:
    """A no is final and says what a person must mend."""
    _, source = desk(JSONResponse({"error": {"message": "their words"}, "status": "failure"}, status))
    with pytest.raises(Rejected, match=words) as caught:
        await source.tell(REPORT, SETTLED, NOTE)
    assert "their words" in str(caught.value)


@pytest.mark.parametrize("body", ["<html>hibernating</html>", "", "{}", '{"error":{"message":"x"}}', "[]"])
async def test_a_yes_from_somebody_else(body: str) -> None:
    """A 200 that is not the Table API's (a sign-in page, a sleeping instance) is never taken for a written note."""
    _, source = desk(Response(body, 200))
    with pytest.raises(Unclear, match="asleep"):
        await source.tell(REPORT, SETTLED, NOTE)
    with pytest.raises(Unclear, match="asleep"):
        await source.is_told(REPORT, SETTLED)


@pytest.mark.parametrize(
    "reference",
    ["", "incident", f"incident/{SYS_ID}\n", f"../{SYS_ID}", f"incident/{SYS_ID}/..", f"incident/{SYS_ID.upper()}"],
)
async def test_records_are_checked_at_the_call(reference: str) -> None:
    """A reference that is no record never becomes a path, however it came into the store."""
    play, source = desk(JSONResponse({"result": []}))
    for ticket in (m.Ticket(reference), None):
        with pytest.raises(Rejected, match="names no record"):
            await source.tell(replace(REPORT, ticket=ticket), SETTLED, NOTE)
        assert not await source.is_told(replace(REPORT, ticket=ticket), SETTLED)
    assert play.heard == []


async def test_no_reports_no_way_out() -> None:
    """A source that tells nobody opens no way out, and old reports of it are final."""
    outdoors = Outdoors()
    source = built("servicenow", outdoors, reports=[])
    assert (source.terms.channels, outdoors.rules) == ((), [])
    with pytest.raises(Rejected, match="nothing is told by ticket"):
        await source.tell(REPORT, SETTLED, NOTE)
    assert not await source.is_told(REPORT, SETTLED)


LOOK = f"sysparm_query=element_id%3D{SYS_ID}%5Eelement%3Dwork_notes%5EvalueLIKE{ACTION_ID}"
GOOD_QUERY = f"{LOOK}&sysparm_limit=1&sysparm_fields=value"
JOURNAL = "/api/now/table/sys_journal_field"


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("PUT", RECORD, b'{"work_notes":"x"}'),
        ("DELETE", RECORD, b""),
        ("POST", "/api/now/table/incident", b'{"work_notes":"x"}'),
        ("PATCH", f"{RECORD}?{NARROW}", b'{"work_notes":"x","state":"7"}'),
        ("PATCH", f"{RECORD}?{NARROW}", b'{"state":"7"}'),
        ("PATCH", f"{RECORD}?{NARROW}", b'{"work_notes":{"a":1}}'),
        ("PATCH", f"{RECORD}?{NARROW}", b'{"work_notes":"x","work_notes":"y"}'),
        ("PATCH", f"{RECORD}?{NARROW}", b'{"work_notes":"x","state":7}'),
        ("PATCH", f"{RECORD}?{NARROW}", b""),
        ("PATCH", RECORD, b'{"work_notes":"x"}'),
        ("PATCH", RECORD + "?sysparm_x=1", b'{"work_notes":"x"}'),
        ("PATCH", f"{RECORD}?{NARROW}&sysparm_x=1", b'{"work_notes":"x"}'),
        ("PATCH", f"{RECORD}/..?{NARROW}", b'{"work_notes":"x"}'),
        ("PATCH", f"/api/now/table/Incident/{SYS_ID}?{NARROW}", b'{"work_notes":"x"}'),
        ("POST", OUTCOME, HANDED),
        ("POST", "/oauth_token.do", b"grant_type=client_credentials"),
        ("GET", RECORD, b""),
        ("GET", JOURNAL, b""),
        ("GET", JOURNAL + "?sysparm_query=", b""),
        ("GET", f"{JOURNAL}?{GOOD_QUERY}&sysparm_limit=9", b""),
        ("GET", f"{JOURNAL}?{GOOD_QUERY}".replace(ACTION_ID, "x%5EORvalueLIKEy"), b""),
    ],
)
async def test_nothing_else_may_leave(method: str, path: str, body: bytes) -> None:
    """The guard lets out the note and the look for it, and nothing else, whoever asks."""
    outdoors = Outdoors()
    built("servicenow", outdoors)
    await refused(outdoors, method, path, body)
    await refused(outdoors, "PATCH", f":8091{RECORD}?{NARROW}", b'{"work_notes":"x"}')


async def refused(outdoors: Outdoors, method: str, path: str, body: bytes) -> None:
    """Ask for something that the guard must not let out."""
    origin = "http://127.0.0.1" if path.startswith(":") else "http://127.0.0.1:8090"
    with pytest.raises(EgressRefused):
        await outdoors.caller(outdoors.rules).send(Asked(method, origin + path, {}, body))


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("PATCH", f"{RECORD}?{NARROW}", b'{"work_notes":"x"}'),
        ("GET", f"/api/now/table/sys_journal_field?sysparm_query=element_id%3D{SYS_ID}", b""),
        ("PUT", OUTCOME, HANDED),
        ("POST", f"{OUTCOME}?x=1", HANDED),
        ("POST", f"{OUTCOME}/x", HANDED),
        ("POST", OUTCOME, json.dumps(HANDED_FIELDS | {"state": "7"}).encode()),
        ("POST", OUTCOME, json.dumps(HANDED_FIELDS | {"sys_id": ".."}).encode()),
        ("POST", OUTCOME, json.dumps(HANDED_FIELDS | {"action_id": "x y"}).encode()),
        ("POST", OUTCOME, json.dumps({"work_notes": "x"}).encode()),
        ("POST", OUTCOME, b""),
        ("POST", "/oauth_token.do", FORM + b"&scope=admin"),
        ("POST", "/oauth_token.do?x=1", FORM),
        ("GET", "/oauth_token.do", FORM),
    ],
)
async def test_nothing_else_may_leave_for_the_resource(method: str, path: str, body: bytes) -> None:
    """Where our resource is told, only what it takes may leave, and the one request for a token."""
    outdoors = Outdoors()
    oauth = {"password": "", "client_id": "an id", "client_secret": "p&ss"}
    built("servicenow", outdoors, outcome_path=OUTCOME, **oauth)
    await refused(outdoors, method, path, body)
    assert "p%26ss" not in repr(outdoors.rules)
    caller = outdoors.caller(outdoors.rules)
    for good in (Asked("POST", f"http://127.0.0.1:8090{OUTCOME}", {}, HANDED), token_asked(FORM)):
        assert (await caller.send(good)).status == 404


def token_asked(form: bytes) -> Asked:
    """Return the request for a token."""
    return Asked("POST", "http://127.0.0.1:8090/oauth_token.do", {}, form)


@pytest.mark.parametrize(
    "told, message",
    [
        ({"told": "written"}, ""),
        ({"told": "written", "seen": True}, ""),
        ({"told": "written", "seen": False}, "written, but the journal there cannot be read"),
        ({"told": "already", "seen": True}, "it stood there already"),
    ],
)
async def test_the_resource_is_told(told: dict[str, object], message: str) -> None:
    """Our resource gets action, record and note in one POST; that it had the note already is a yes too."""
    play, source = resource(said(action_id=ACTION_ID, **told))
    assert await source.tell(REPORT, SETTLED, "Gone. [code]") == m.Reply(200, message=message)
    (heard,) = play.heard
    assert (heard.method, heard.path, heard.query) == ("POST", OUTCOME, "")
    assert json.loads(heard.body) == HANDED_FIELDS | {"work_notes": f"Gone. (code) [{ACTION_ID}]"}
    assert heard.headers["authorization"] == BASIC


async def test_the_resource_is_not_asked_first() -> None:
    """Before a repeat nothing is asked: our resource looks by itself, whatever our user may read."""
    play, source = resource(said(action_id=ACTION_ID, told="already"))
    assert not await source.is_told(REPORT, SETTLED)
    assert play.heard == []


@pytest.mark.parametrize(
    "result",
    [{}, {"told": "written"}, {"action_id": "other", "told": "written"}, {"action_id": ACTION_ID, "told": "perhaps"}],
)
async def test_a_yes_from_another_resource(result: dict[str, object]) -> None:
    """A 200 that is not about this action is never taken for a written note."""
    for answer in (said(**result), JSONResponse({"result": [result]})):
        _, source = resource(answer)
        with pytest.raises(Unclear, match="is outcome_path the right one"):
            await source.tell(REPORT, SETTLED, NOTE)


@pytest.mark.parametrize(
    "status, words",
    [
        (400, "is outcome_path its path"),
        (401, "check username and password"),
        (403, "an ACL on the resource"),
        (404, "outcome_path leads nowhere"),
    ],
)
async def test_a_resource_that_says_no(status: int, words: str) -> None:
    """A no of our resource is final and says what a person must mend, with its own sentence."""
    _, source = resource(JSONResponse({"error": {"message": "their words"}, "status": "failure"}, status))
    with pytest.raises(Rejected, match=f"{words}.*their words"):
        await source.tell(REPORT, SETTLED, NOTE)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked, seconds", [("17", 17), ("999999", 3600), ("0", 1), ("soon", 30)])
async def test_a_resource_that_says_later(status: int, asked: str, seconds: int) -> None:
    """Our resource takes a repeat, so that Retry-After counts for a 503 as for a 429: one hour at most."""
    _, source = resource(Response("busy", status, {"Retry-After": asked}))
    with pytest.raises(Throttled) as caught:
        await source.tell(REPORT, SETTLED, NOTE)
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("by", ["onhook.integration", "OnHook.Integration", "", None])
async def test_a_note_by_us(by: str | None) -> None:
    """A record that our user changed last, or that does not say who did, has the note."""
    _, source = desk(said(sys_updated_by=by))
    assert await source.tell(REPORT, SETTLED, NOTE) == m.Reply(200)


async def test_a_note_that_was_dropped() -> None:
    """A 200 whose record somebody else changed last is no written note: said, final, and without that name."""
    _, source = desk(said(sys_updated_by="beth.anglin"))
    with pytest.raises(Rejected, match="the note was dropped") as caught:
        await source.tell(REPORT, SETTLED, NOTE)
    assert (caught.value.reply.status, caught.value.reply.message) == (200, str(caught.value))
    assert "beth" not in str(caught.value)


@pytest.fixture
def sandbox() -> Starlette:
    """Give a sandbox of its own."""
    return create_app()


@pytest.fixture
async def control(sandbox: Starlette) -> httpx.AsyncClient:
    """Give a client for the sandbox's control."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox), base_url="http://sandbox")


async def test_against_the_play_desk(sandbox: Starlette, control: httpx.AsyncClient) -> None:
    """On the play desk a note is not there, then written, then found; and a record nobody has is said so."""
    login = (await control.get("/sandbox/credentials")).json()
    await control.post("/sandbox/desk/tickets", json={"table": "incident", "sys_id": SYS_ID})
    source = built("servicenow", Outdoors(sandbox), username=login["desk_user"], password=login["desk_password"])
    assert not await source.is_told(REPORT, SETTLED)
    await source.tell(REPORT, SETTLED, NOTE)
    assert await source.is_told(REPORT, SETTLED)
    other = replace(SETTLED, id="acme.01jd2k9w3m4n5p6q7r8s9t0v1x")
    assert not await source.is_told(REPORT, other)
    notes = (await control.get(f"/sandbox/desk/tickets/incident/{SYS_ID}")).json()["work_notes"]
    assert [note["text"] for note in notes] == [NOTE]
    with pytest.raises(Rejected, match=r"^404: the record is missing"):
        await source.tell(replace(REPORT, ticket=m.Ticket(f"incident/{'0' * 32}")), SETTLED, NOTE)
    stranger = built("servicenow", Outdoors(sandbox), username=login["desk_user"])
    with pytest.raises(Rejected, match=r"^401: ServiceNow does not know the user"):
        await stranger.tell(REPORT, SETTLED, NOTE)


async def test_a_webhook_beside_the_ticket() -> None:
    """Where an address is named the outcome is posted there too: each channel is told by its own way, or by none."""
    play = PlayDesk(lambda: JSONResponse({"result": {"sys_updated_by": "onhook.integration"}}))
    outdoors = Outdoors(play.app)
    source = built("servicenow", outdoors, outcome_url="http://127.0.0.1:8090/hooks/outcomes")
    assert source.terms.channels == ("ticket", "webhook")
    await source.tell(REPORT, SETTLED, NOTE)
    await source.tell(replace(REPORT, channel="webhook"), SETTLED, NOTE)
    assert [heard.path for heard in play.heard] == [RECORD, "/hooks/outcomes"]
    assert built("servicenow", outcome_url="", reports=["ticket"]).terms.channels == ("ticket",)
    with pytest.raises(ValidationError, match="outcome_url: needed to post outcomes"):
        built("servicenow", reports=["webhook"])
