"""The front notes every call, spoils answers as the switches say, and can cut the line."""

from typing import Any

import httpx
import pytest
from starlette.types import Message

from service.sandbox import ConnectionCut, create_app
from tests.sandbox.play import OFF, Play


async def test_a_rule_answers_once_in_place_of_the_call(play: Play) -> None:
    """A rule answers in the API's own error body, without any effect, as often as it says."""
    scene = await play.begin("conference")
    await play.rule(on="disconnect_generic", status=409)
    answer = await scene.remove("customer")
    assert (answer.status_code, answer.json()["code"]) == (409, "general.conflict")
    assert answer.json()["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert answer.headers["inin-ratelimit-allowed"] == "300"
    assert scene.id("customer") in await scene.present()
    assert (await scene.remove("customer")).status_code == 202


async def test_a_rule_can_lie_about_a_command_that_took_effect(play: Play) -> None:
    """With `effect` the command is done all the same, and the log says so."""
    scene = await play.begin("conference")
    await play.rule(on="disconnect", status=503, effect=True, body="", content_type="text/html", headers={"X-Odd": "1"})
    answer = await scene.remove("customer")
    assert (answer.status_code, answer.content, answer.headers["X-Odd"]) == (503, b"", "1")
    assert answer.headers["content-type"] == "text/html"
    assert scene.id("customer") not in await scene.present()
    assert (await play.calls())[-1]["effect"] is True


async def test_rules_of_the_conversation_come_first(play: Play) -> None:
    """Rules are used in order, those of the conversation before the global ones, for ever if they say so."""
    scene = await play.begin("conference")
    await play.control("PUT", "/switches", {"answers": [{"on": "look", "status": 500, "times": None}]})
    await scene.switch(answers=[{"on": "disconnect_user", "status": 404}, {"on": "look", "status": 403, "times": 2}])
    seen = [(await play.api("GET", f"/{scene.cid}")).status_code for _ in range(4)]
    assert seen == [403, 403, 500, 500]
    assert (await play.control("GET", f"/conversations/{scene.cid}/switches"))["answers"][0]["times"] == 1


async def test_each_way_of_disconnecting_has_its_own_rules(play: Play) -> None:
    """`not.a.user` can be set on the calls route alone, which is the open risk of client credentials."""
    scene = await play.begin("conference")
    await play.rule(on="disconnect_medium", status=400, code="not.a.user", times=None)
    assert (await scene.remove("customer", "/calls")).json()["code"] == "not.a.user"
    assert (await scene.remove("customer")).status_code == 202


async def test_a_rule_on_the_login(play: Play) -> None:
    """The token endpoint fails with its own error body."""
    await play.rule(on="token", status=503, message="later")
    answer = await play.ask_token()
    assert (answer.status_code, answer.json()["error_description"]) == (503, "later")


async def test_a_slow_answer(play: Play) -> None:
    """A rule with nothing but a delay: the command is done at once, only its answer is late."""
    scene = await play.begin("conference")
    await play.rule(on="disconnect", delay_seconds=7)
    began = play.clock.at
    assert (await scene.remove("customer")).status_code == 202
    assert play.clock.slept == [7]
    assert (await scene.truth())[0]["ended_at"] == began


@pytest.mark.parametrize("cut, stays", [("before", True), ("after", False)])
async def test_a_cut_line(play: Play, cut: str, stays: bool) -> None:
    """A cut gives no answer at all, and comes before or after the effect; the log has no status for it."""
    scene = await play.begin("conference")
    await play.rule(on="disconnect", cut=cut)
    with pytest.raises(ConnectionCut):
        await scene.remove("customer")
    assert (scene.id("customer") in await scene.present()) is stays
    call = (await play.calls())[-1]
    assert (call["status"], call["effect"]) == (None, not stays)


async def test_a_bodiless_status_has_no_body(play: Play) -> None:
    """204 never carries a body, whatever the rule says."""
    scene = await play.begin("conference")
    await play.rule(on="disconnect", status=204, body="all gone")
    answer = await scene.remove("customer")
    assert (answer.status_code, answer.content) == (204, b"")


def _scope(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }


class Cycle:
    """What uvicorn hands to an app: a bound `receive` on an object that holds the transport."""

    def __init__(self, *messages: Message) -> None:
        self.transport, self.messages, self.sent, self.aborted = self, list(messages), list[Message](), False

    def abort(self) -> None:
        """Close the connection, as a transport does."""
        self.aborted = True

    async def receive(self) -> Message:
        """Give the next message."""
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        """Keep what the app says."""
        self.sent.append(message)


async def test_a_real_connection_is_closed() -> None:
    """Under a server the transport is aborted, nothing is sent, and the app waits for the disconnect."""
    app = create_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox") as http:
        await http.put("/sandbox/switches", json={"answers": [{"on": "token", "cut": "before"}]})
    empty = {"type": "http.request", "body": b"", "more_body": False}
    cycle = Cycle(empty, empty, {"type": "http.disconnect"})
    await app(_scope("POST", "/oauth/token"), cycle.receive, cycle.send)
    assert (cycle.aborted, cycle.sent, cycle.messages) == (True, [], [])


async def test_a_client_that_left() -> None:
    """A client that goes away in the middle of its request is forgotten without noise."""
    cycle = Cycle({"type": "http.disconnect"})
    await create_app()(_scope("POST", "/oauth/token"), cycle.receive, cycle.send)
    assert cycle.sent == []


@pytest.mark.parametrize("path", ["/sandbox/../oauth/token", "/oauth/token/..", "/api/v2/conversations/calls/x/.."])
async def test_dots_lead_nowhere(path: str) -> None:
    """A path with dots is taken as it came; a client library may have shortened it before."""
    cycle = Cycle({"type": "http.request", "body": b"", "more_body": False})
    await create_app()(_scope("GET", path), cycle.receive, cycle.send)
    assert cycle.sent[0]["status"] in {401, 404}


async def test_each_sandbox_is_alone(play: Play) -> None:
    """Two sandboxes share nothing, credentials included."""
    other = Play()
    await other.log_in()
    assert other.keys["client_secret"] != play.keys["client_secret"]
    scene = await play.begin("pair")
    assert (await other.api("PATCH", f"/{scene.cid}/participants/{scene.id('customer')}", OFF)).status_code == 404
    await other.http.aclose()
