"""The play desk keeps work notes as ServiceNow does, and keeps the webhooks it receives."""

from typing import Any

import httpx
import pytest

from service.sandbox.desk import OUTCOME_PATH, TOKEN_SECONDS
from tests.sandbox.play import Play

SYS_ID = "9d385017c611228701d22104cc95c371"
PATH = f"/incident/{SYS_ID}"
SEARCH = "/sys_journal_field?sysparm_query="


@pytest.fixture
async def ticket(play: Play) -> dict[str, Any]:
    """Open a ticket."""
    return dict(await play.control("POST", "/desk/tickets", {"sys_id": SYS_ID, "number": "INC0010112"}))


async def test_a_ticket_is_opened(play: Play, ticket: dict[str, Any]) -> None:
    """A ticket has what it was given, or something made up; no sys_id is given twice."""
    assert ticket == {"table": "incident", "sys_id": SYS_ID, "number": "INC0010112"}
    made = await play.control("POST", "/desk/tickets", {"table": "sn_customerservice_case"})
    assert len(made["sys_id"]) == 32
    assert made["number"] == "INC0010001"
    assert "already" in await play.refused("POST", "/desk/tickets", {"sys_id": SYS_ID})
    assert await play.control("GET", "/desk/tickets") == {"tickets": [ticket, made]}


async def test_notes_append_and_read_back_empty(play: Play, ticket: dict[str, Any]) -> None:
    """A note goes to the journal, twice if it is sent twice; the record shows it as nothing."""
    for _ in range(2):
        answer = await play.desk("PATCH", PATH, {"work_notes": "gone", "comments": "hello", "state": "2"})
        assert answer.status_code == 200
        assert answer.json()["result"]["work_notes"] == ""
    await play.desk("PATCH", PATH, {"work_notes": ""})
    record = (await play.desk("GET", PATH)).json()["result"]
    assert (record["state"], record["number"], record["sys_mod_count"]) == ("2", "INC0010112", "3")
    told = await play.control("GET", f"/desk/tickets{PATH}")
    note = {"at": play.clock.at, "by": play.keys["desk_user"], "text": "gone"}
    assert told == {**ticket, "fields": {"state": "2"}, "work_notes": [note, note]}


@pytest.mark.usefixtures("ticket")
async def test_the_journal_is_searched(play: Play) -> None:
    """The journal finds a note by its ticket and a part of its text, and nothing else."""
    await play.desk("PATCH", PATH, {"work_notes": "Removed (act_AB1)"})
    query = f"{SEARCH}element_id={SYS_ID}^element=work_notes^valueLIKE"
    rows = (await play.desk("GET", f"{query}act_ab1^ORDERBYDESCsys_created_on")).json()["result"]
    assert [row["value"] for row in rows] == ["Removed (act_AB1)"]
    assert rows[0]["sys_created_on"] == "2026-11-20 09:00:00"
    assert (await play.desk("GET", f"{query}act_ab2")).json()["result"] == []
    assert (await play.desk("GET", f"{query}act&sysparm_limit=0")).json()["result"] == []
    narrow = await play.desk("GET", f"{query}act&sysparm_limit=1&sysparm_fields=value,element")
    assert narrow.json()["result"] == [{"element": "work_notes", "value": "Removed (act_AB1)"}]
    assert (await play.desk("GET", f"{PATH}?sysparm_fields=number")).json()["result"] == {"number": "INC0010112"}


@pytest.mark.parametrize("query", ["sysparm_query=value~x", "sysparm_limit=many"])
async def test_a_query_nobody_understands(play: Play, query: str) -> None:
    """A query that cannot be read is refused, so that a mistake in it is seen."""
    assert (await play.desk("GET", f"/sys_journal_field?{query}")).status_code == 400


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("PATCH", f"/incident/{'0' * 32}", {"work_notes": "x"}, 404),
        ("GET", f"/problem/{SYS_ID}", None, 404),
        ("DELETE", PATH, None, 405),
        ("GET", "/incident", None, 405),
        ("PATCH", PATH, [], 400),
        ("GET", "/incident/..", None, 400),
    ],
)
async def test_what_the_desk_refuses(play: Play, method: str, path: str, body: object, status: int) -> None:
    """A record nobody has, another method and an odd body get the desk's own error body."""
    answer = await play.desk(method, path, body)
    assert answer.status_code == status
    assert answer.json()["status"] == "failure"
    assert set(answer.json()["error"]) == {"message", "detail"}


@pytest.mark.usefixtures("ticket")
async def test_the_desk_needs_its_user(play: Play) -> None:
    """Nobody writes without the desk's credentials, and an unreadable body writes nothing."""
    answer = await play.http.patch(f"/api/now/table{PATH}", json={"work_notes": "x"}, auth=("guess", "guess"))
    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "User Not Authenticated")
    auth = (play.keys["desk_user"], play.keys["desk_password"])
    assert (await play.http.patch(f"/api/now/table{PATH}", content=b"{", auth=auth)).status_code == 400
    assert (await play.control("GET", f"/desk/tickets{PATH}"))["work_notes"] == []


async def test_the_receiver_keeps_what_it_got(play: Play) -> None:
    """A delivery is kept to the letter, but for a credential."""
    body = '{"text":"für wen?"}'
    headers = {"webhook-id": "act_1", "Authorization": "Bearer secret"}
    answer = await play.http.post("/sandbox/desk/hooks/ours", content=body.encode(), headers=headers)
    assert answer.status_code == 200
    told = (await play.control("GET", "/desk/hooks/ours"))["deliveries"]
    assert [one["body"] for one in told] == [body]
    assert told[0]["headers"]["webhook-id"] == "act_1"
    assert "secret" not in str(told)
    assert (await play.control("GET", "/desk/hooks/other"))["deliveries"] == []


@pytest.mark.usefixtures("ticket")
async def test_the_desk_can_be_made_to_fail(play: Play) -> None:
    """Rules spoil a note, a search and a delivery, each with the error body of who is asked."""
    on = [{"on": "note", "status": 403}, {"on": "journal", "status": 429}, {"on": "hook", "status": 503}]
    await play.control("PUT", "/switches", {"answers": on})
    assert (await play.desk("PATCH", PATH, {"work_notes": "x"})).json()["error"]["message"] == "Operation Failed"
    assert (await play.desk("GET", "/sys_journal_field")).headers["Retry-After"] == "2"
    hook = await play.http.post("/sandbox/desk/hooks/ours", content=b"{}")
    assert (hook.status_code, hook.json()) == (503, {"error": "answered 503 as told"})
    assert (await play.control("GET", "/desk/hooks/ours"))["deliveries"] == []
    assert [call["effect"] for call in (await play.calls())[-3:]] == [False, "none", False]


OUTCOME = {"action_id": "play.1", "table": "incident", "sys_id": SYS_ID, "work_notes": "Removed [play.1]"}


async def hand_over(play: Play, body: object, **headers: str) -> tuple[int, Any]:
    """Post to the resource of our kit; return the status and what it said."""
    if not headers:
        headers["Authorization"] = httpx.BasicAuth(play.keys["desk_user"], play.keys["desk_password"])._auth_header
    answer = await play.http.post(OUTCOME_PATH, json=body, headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.usefixtures("ticket")
async def test_our_resource_writes_once(play: Play) -> None:
    """Our resource writes one note for an action, says whether it wrote, and stamps the record as changed by us."""
    assert (await play.desk("GET", PATH)).json()["result"]["sys_updated_by"] == "beth.anglin"
    told = [(await hand_over(play, OUTCOME))[1]["result"]["told"] for _ in range(2)]
    assert told == ["written", "already"]
    assert (await hand_over(play, OUTCOME | {"action_id": "play.2"}))[1]["result"]["told"] == "written"
    assert len((await play.control("GET", f"/desk/tickets{PATH}"))["work_notes"]) == 2
    record = (await play.desk("GET", PATH)).json()["result"]
    assert (record["sys_updated_by"], record["sys_mod_count"]) == (play.keys["desk_user"], "2")


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize(
    "body, status",
    [(OUTCOME | {"sys_id": "0" * 32}, 404), (OUTCOME | {"more": "x"}, 400), (OUTCOME | {"table": 1}, 400), ([], 400)],
)
async def test_what_our_resource_refuses(play: Play, body: object, status: int) -> None:
    """A record nobody has, and a body of another shape, are refused and write nothing; so is another method."""
    assert (await hand_over(play, body))[0] == status
    auth = (play.keys["desk_user"], play.keys["desk_password"])
    assert (await play.http.get(OUTCOME_PATH, auth=auth)).status_code == 405
    assert (await play.control("GET", f"/desk/tickets{PATH}"))["work_notes"] == []


@pytest.mark.usefixtures("ticket")
async def test_who_the_desk_lets_in(play: Play) -> None:
    """The desk takes a key, and a token of either grant until it ends; nothing else."""
    keys = play.keys
    client = {"client_id": keys["desk_client_id"], "client_secret": keys["desk_client_secret"]}
    user = {"username": keys["desk_user"], "password": keys["desk_password"]}
    for grant, more in (("client_credentials", {}), ("password", user)):
        answer = await play.http.post("/oauth_token.do", data={"grant_type": grant, **client, **more})
        token = answer.json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await hand_over(play, OUTCOME, **bearer))[0] == 200
        play.clock.move(TOKEN_SECONDS)
        assert (await hand_over(play, OUTCOME, **bearer))[0] == 401
    assert (await hand_over(play, OUTCOME, **{"x-sn-apikey": keys["desk_api_key"]}))[0] == 200
    assert (await hand_over(play, OUTCOME, **{"x-sn-apikey": "guess"}))[0] == 401
    for form in ({"grant_type": "password", **client}, {"grant_type": "implicit", **client}, client, user):
        assert (await play.http.post("/oauth_token.do", data=form)).status_code == 401
    assert keys["desk_client_secret"] not in str(await play.calls())
