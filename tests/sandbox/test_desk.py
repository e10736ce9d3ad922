"""The play desk keeps work notes as ServiceNow does, and keeps the webhooks it receives."""

from typing import Any

import pytest

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
