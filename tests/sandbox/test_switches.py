"""Switches change what they are told and nothing else, and refuse what they do not understand."""

import pytest

from tests.sandbox.play import OFF, Play


async def test_switches_start_like_the_real_thing(play: Play) -> None:
    """Untouched: the vendor's world, a little lag, nothing lost, the vendor's budget and token life."""
    assert await play.control("GET", "/switches") == {
        "world": "vendor",
        "lag_seconds": 0.25,
        "effect_seconds": 0.0,
        "lost": False,
        "alone_stays": False,
        "on_gone": "accepted",
        "rate_limit": 300,
        "rate_window_seconds": 60,
        "token_seconds": 86_400,
        "correlation_header": "ININ-Correlation-Id",
        "answers": [],
    }


async def test_a_put_merges(play: Play) -> None:
    """Only what is given changes."""
    await play.control("PUT", "/switches", {"lag_seconds": 2, "answers": [{"on": "look", "status": 500}]})
    told = await play.control("PUT", "/switches", {"lost": True, "rate_limit": 7})
    assert (told["lag_seconds"], told["lost"], told["rate_limit"], len(told["answers"])) == (2, True, 7, 1)
    assert (await play.control("PUT", "/switches", {"answers": []}))["answers"] == []


async def test_a_conversation_follows_the_global_switches_unless_it_has_its_own(play: Play) -> None:
    """Its own switches win; set back to null they follow the global ones again."""
    scene = await play.begin("conference")
    await play.control("PUT", "/switches", {"lag_seconds": 0})
    await scene.switch(lag_seconds=5, answers=[{"on": "look", "status": 500}])
    await scene.switch(lost=False)
    await scene.remove("customer")
    own = await play.control("GET", f"/conversations/{scene.cid}/switches")
    assert (own["lag_seconds"], own["lost"], len(own["answers"])) == (5, False, 1)
    await scene.switch(lag_seconds=None, answers=[])
    assert (await scene.seen("customer"))["calls"][0]["state"] == "connected"
    await scene.remove("Beth")
    assert (await scene.seen("Beth"))["calls"][0]["state"] == "disconnected"


@pytest.mark.parametrize(
    "switches, said",
    [
        ([], "the switches must be a JSON object."),
        ({"lagg": 1}, "the switches has no field 'lagg'"),
        ({"lag_seconds": -1}, "lag_seconds must be a number from 0"),
        ({"lost": 1}, "lost must be true or false"),
        ({"rate_limit": 0}, "rate_limit must be a number from 1"),
        ({"rate_limit": 1.5}, "rate_limit must be a whole number"),
        ({"answers": {}}, "answers must be a list"),
        ({"answers": ["look"]}, "a rule must be a JSON object."),
        ({"answers": [{"status": 500}]}, "a rule must say what it is on"),
        ({"answers": [{"on": "lunch"}]}, "on must be one of token, look"),
        ({"answers": [{"on": "look", "status": 99}]}, "status must be a number from 200 to 599"),
        ({"answers": [{"on": "look", "times": 0}]}, "times must be a number from 1"),
        ({"answers": [{"on": "look", "cut": "twice"}]}, "cut must be one of before, after"),
        ({"answers": [{"on": "look", "cut": "after", "status": 200}]}, "not both"),
        ({"answers": [{"on": "look", "headers": {"A": 1}}]}, "headers must be an object of texts"),
        ({"answers": [{"on": "look", "headers": {"Content-Length": "1"}}]}, "cannot send the header"),
        ({"answers": [{"on": "look", "headers": {"A": "b\r\nc: d"}}]}, "cannot send the header"),
        ({"answers": [{"on": "look", "content_type": "a\nb"}]}, "content_type must be plain ASCII"),
        ({"answers": [{"on": "look", "code": "lunch"}]}, "a code that is not the vendor's needs a status"),
        ({"answers": [{"on": "look", "message": "no"}]}, "a rule that says something needs a status"),
        ({"answers": [{"on": "look", "shape": "round"}]}, "shape must be one of html, empty"),
        ({"answers": [{"on": "look", "then": "merge"}]}, "then must be an object"),
        ({"answers": [{"on": "look", "then": {"event": "merge"}}]}, "only a rule of one conversation"),
        ({"rate_window_seconds": 0}, "rate_window_seconds must be a number from 0.1"),
        ({"world": "real"}, "world must be one of vendor, reported"),
        ({"on_gone": "cheers"}, "on_gone must be one of accepted, conversation.error.call.disconnected"),
        ({"correlation_header": "X-Id"}, "correlation_header must be one of ININ-Correlation-Id"),
    ],
)
async def test_switches_nobody_understands(play: Play, switches: object, said: str) -> None:
    """A switch that cannot be set gets a sentence, and none of them is changed."""
    before = await play.control("GET", "/switches")
    assert said in await play.refused("PUT", "/switches", switches)
    assert await play.control("GET", "/switches") == before


@pytest.mark.parametrize(
    "switches", [{"rate_limit": 5}, {"world": "reported"}, {"answers": [{"on": "note", "status": 500}]}]
)
async def test_what_a_conversation_cannot_switch(play: Play, switches: object) -> None:
    """Budgets, tokens and the desk belong to no conversation."""
    scene = await play.begin("pair")
    assert await play.refused("PUT", f"/conversations/{scene.cid}/switches", switches)


@pytest.mark.parametrize(
    "on, spoiled",
    [
        ("disconnect", {"", "/calls", "/messages", "/calls leg", "/messages leg", "/calls user"}),
        ("disconnect_generic", {""}),
        ("disconnect_medium", {"/calls", "/messages"}),
        ("disconnect_medium_calls", {"/calls"}),
        ("disconnect_medium_messages", {"/messages"}),
        ("disconnect_leg", {"/calls leg", "/messages leg"}),
        ("disconnect_leg_messages", {"/messages leg"}),
        ("disconnect_user", {"/calls user"}),
    ],
)
async def test_a_user_is_needed_on_chosen_routes(play: Play, on: str, spoiled: set[str]) -> None:
    """`not.a.user` can be said on any one way of removing, or on all of a kind; its status is known."""
    scene = await play.begin("mixed")
    await scene.switch(lost=True)  # so that everybody stays for the next way
    await play.rule(on=on, code="not.a.user", times=None)
    call, message = scene.person("customer")["communication_ids"]
    caller, beth = scene.id("customer"), scene.person("Beth")["user_id"]
    ways = {
        "": f"/{scene.cid}/participants/{caller}",
        "/calls": f"/calls/{scene.cid}/participants/{caller}",
        "/messages": f"/messages/{scene.cid}/participants/{caller}",
        "/calls leg": f"/calls/{scene.cid}/participants/{caller}/communications/{call}",
        "/messages leg": f"/messages/{scene.cid}/participants/{caller}/communications/{message}",
        "/calls user": f"/calls/{scene.cid}/participants/{caller}/user/{beth}",
    }
    answers = {way: await play.api("PATCH", path, OFF) for way, path in ways.items()}
    assert {way for way, answer in answers.items() if answer.status_code == 400} == spoiled
    assert {answer.json()["code"] for answer in answers.values() if answer.status_code == 400} == {"not.a.user"}


@pytest.mark.parametrize("on, statuses", [("look_generic", [500, 200]), ("look_medium_calls", [200, 500])])
async def test_each_look_has_its_own_rules(play: Play, on: str, statuses: list[int]) -> None:
    """The generic look and that of one medium can be spoiled apart."""
    scene = await play.begin("pair")
    await play.rule(on=on, status=500, times=None)
    assert [(await play.api("GET", f"{path}/{scene.cid}")).status_code for path in ("", "/calls")] == statuses


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("shape, kind", [(None, "application/json"), ("html", "text/html"), ("empty", None)])
async def test_a_broken_server_in_any_shape(play: Play, status: int, shape: str | None, kind: str | None) -> None:
    """A server that fails says so in the API's JSON, in a gateway's page, or not at all."""
    scene = await play.begin("pair")
    await play.rule(on="look", status=status, code="internal.server.error", shape=shape)
    answer = await play.api("GET", f"/{scene.cid}")
    assert (answer.status_code, answer.headers.get("content-type")) == (status, kind)
    assert bool(answer.content) is (shape != "empty")


@pytest.mark.parametrize(
    "code, status",
    [
        ("accepted", 202),
        ("conversation.error.call.disconnected", 400),
        ("conversation.error.participant.no.active.conversations", 400),
        ("conversation.error.cannot.disconnect.call", 400),
        ("not.authorized", 403),
        ("not.found", 404),
        ("general.conflict", 409),
        ("error.ininedgecontrol.session.inactive", 202),
    ],
)
async def test_how_the_gone_are_answered(play: Play, code: str, status: int) -> None:
    """A removal of somebody gone gets whichever answer the switch says; one of somebody present never does."""
    scene = await play.begin("conference")
    await scene.switch(on_gone=code)
    assert (await scene.remove("customer")).status_code == 202
    again = await scene.remove("customer")
    leg = scene.person("customer")["communication_ids"][0]
    path = f"/calls/{scene.cid}/participants/{scene.id('customer')}/communications/{leg}"
    assert again.status_code == status
    assert (await play.api("PATCH", path, OFF)).status_code == (200 if status == 202 else status)
    assert (await scene.remove("customer", body={"muted": True})).status_code == 202
    if status != 202:
        assert again.json()["code"] == code
        assert status != 403 or again.json()["message"] == f"Access to Conversation {scene.cid} is forbidden"
    error = (await scene.seen("customer"))["calls"][0].get("errorInfo", {})
    assert error.get("code") == (code if code.startswith("error.") else None)


async def test_an_effect_that_takes_its_time(play: Play) -> None:
    """A command can be accepted long before it takes effect; a second one does not put it off."""
    scene = await play.begin("conference")
    await scene.switch(effect_seconds=4, lag_seconds=1)
    for _ in range(2):
        assert (await scene.remove("customer")).status_code == 202
        play.clock.move(2)
    assert [call["effect"] for call in (await play.calls())[-2:]] == [True, False]
    assert scene.id("customer") not in await scene.present()
    assert (await scene.seen("customer"))["calls"][0]["state"] == "connected"
    play.clock.move(1)
    assert (await scene.seen("customer"))["calls"][0]["state"] == "disconnected"


@pytest.mark.parametrize("how", ["remove", "hangup"])
async def test_an_org_where_one_may_stay_alone(play: Play, how: str) -> None:
    """Where the switch says so, the last one stays on the line."""
    scene = await play.begin("pair")
    await play.control("PUT", "/switches", {"alone_stays": True})
    if how == "remove":
        await scene.remove("customer")
    else:
        await scene.event("hangup", participant_id=scene.id("customer"))
    assert await scene.present() == [scene.id("Beth")]
    await scene.remove("Beth")
    assert await scene.present() == []


async def test_the_window_of_the_budget(play: Play) -> None:
    """Size and window of the budget can be scaled together: 75 calls in 15 seconds are 300 in a minute."""
    scene = await play.begin("pair")
    await play.control("PUT", "/switches", {"rate_limit": 75, "rate_window_seconds": 15})
    answers = [await play.api("GET", f"/{scene.cid}") for _ in range(77)]
    assert [answer.status_code for answer in answers] == [200] * 75 + [429] * 2
    assert answers[-1].headers["Retry-After"] == answers[0].headers["inin-ratelimit-reset"] == "15"
    play.clock.move(15)
    assert (await play.api("GET", f"/{scene.cid}")).headers["inin-ratelimit-count"] == "1"


async def test_the_newer_name_of_the_correlation_id(play: Play) -> None:
    """The correlation id comes under its newer name where the switch says so, from API and login."""
    await play.control("PUT", "/switches", {"correlation_header": "Genesys-Correlation-Id"})
    for answer in (await play.api("GET", "/nothing"), await play.ask_token()):
        assert answer.headers["Genesys-Correlation-Id"]
        assert "ININ-Correlation-Id" not in answer.headers


async def test_a_header_on_the_real_answer(play: Play) -> None:
    """A rule without a status leaves the answer as it is, but for its headers."""
    scene = await play.begin("pair")
    await play.rule(on="look", headers={"inin-ratelimit-count": "299"})
    answer = await play.api("GET", f"/{scene.cid}")
    assert (answer.status_code, answer.headers["inin-ratelimit-count"]) == (200, "299")
    assert answer.json()["id"] == scene.cid


async def test_what_happens_then_can_be_impossible(play: Play) -> None:
    """An event that cannot happen after a call is told in the log, and the call is answered as ever."""
    scene = await play.begin("pair")
    await scene.switch(answers=[{"on": "look", "then": {"event": "hangup", "name": "Nobody"}}])
    assert (await play.api("GET", f"/{scene.cid}")).status_code == 200
    assert (await play.calls())[-1]["then"].startswith("nothing: this event needs the participant_id or the name")
    assert len(await scene.present()) == 2
