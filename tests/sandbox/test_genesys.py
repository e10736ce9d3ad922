"""The play Genesys answers as shared genesys/README.md says the real one does."""

import pytest

from tests.sandbox.play import NOBODY, OFF, Play


async def test_a_removal_is_accepted_empty_and_shows_after_the_lag(play: Play) -> None:
    """A removal answers 202 without a body at once; readers see it when the lag is over, then terminated."""
    scene = await play.begin("conference")
    answer = await scene.remove("customer")
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["inin-correlation-id"]
    assert scene.id("customer") not in await scene.present()
    assert (await scene.seen("customer"))["calls"][0]["state"] == "connected"
    play.clock.move(0.25)
    gone = await scene.seen("customer")
    leg = gone["calls"][0]
    assert (leg["state"], leg["disconnectType"]) == ("disconnected", "client")
    assert leg["disconnectedTime"] == leg["segments"][-1]["endTime"] == gone["endTime"] == "2026-11-20T09:00:00.000Z"
    play.clock.move(0.5)
    assert (await scene.seen("customer"))["calls"][0]["state"] == "terminated"


async def test_a_conference_goes_on(play: Play) -> None:
    """When one of four leaves, three stay."""
    scene = await play.begin("conference")
    await scene.remove("customer")
    assert await scene.present() == [scene.id("Beth"), scene.id("Omar"), scene.id("external")]


async def test_the_last_partner_ends_by_itself(play: Play) -> None:
    """When one of two leaves, the other's leg ends with `peer`, and the conversation is over."""
    scene = await play.begin("pair")
    await scene.remove("customer")
    play.clock.move(1)
    view = await scene.look()
    assert (await scene.seen("Beth"))["calls"][0]["disconnectType"] == "peer"
    assert view["endTime"]
    assert await scene.present() == []


async def test_an_agent_gets_after_call_work(play: Play) -> None:
    """A removed agent wraps up; a removed caller does not."""
    scene = await play.begin("conference")
    await scene.remove("Beth")
    await scene.remove("customer")
    play.clock.move(1)
    beth, caller = await scene.seen("Beth"), await scene.seen("customer")
    assert beth["wrapupRequired"] is True
    assert beth["startAcwTime"] == beth["endTime"]
    assert caller["wrapupRequired"] is False
    assert "startAcwTime" not in caller


async def test_the_generic_view_has_arrays_and_no_state(play: Play) -> None:
    """The generic view: every media array, unused ones empty, no participant state, no null anywhere."""
    scene = await play.begin("conference")
    caller = await scene.seen("customer")
    assert "state" not in caller
    assert caller["emails"] == caller["videos"] == caller["socialExpressions"] == []
    assert caller["address"] == caller["ani"] == "tel:+14155550123"
    assert caller["calls"][0]["id"] == scene.person("customer")["communication_ids"][0]
    assert caller["calls"][0]["peerId"] == scene.person("Beth")["communication_ids"][0]
    assert None not in caller.values()
    assert (await scene.seen("acd"))["calls"][0]["disconnectType"] == "transfer"


async def test_the_flat_view_has_a_state_and_no_communication(play: Play) -> None:
    """The calls view: a state per participant, no communication ids, users and contacts as references."""
    scene = await play.begin("conference")
    view = (await play.api("GET", f"/calls/{scene.cid}")).json()
    beth = next(one for one in view["participants"] if one["id"] == scene.id("Beth"))
    assert beth["state"] == "connected"
    assert beth["user"]["id"] == scene.person("Beth")["user_id"]
    assert "calls" not in beth
    assert "disconnectType" not in beth


async def test_the_flat_view_lists_only_its_medium(play: Play) -> None:
    """A conversation without calls has no calls view; one with nobody yet has an empty one."""
    written, starting = await play.begin("messages"), await play.begin("starting")
    assert (await play.api("GET", f"/messages/{written.cid}")).status_code == 200
    assert (await play.api("GET", f"/calls/{written.cid}")).json()[
        "code"
    ] == "conversation.error.conversation.not.found"
    assert (await play.api("GET", f"/calls/{starting.cid}")).json()["participants"] == []
    await starting.event("join", participant={"media": []})
    await starting.event("join", participant={"media": ["call"]})
    assert len((await play.api("GET", f"/calls/{starting.cid}")).json()["participants"]) == 1


async def test_a_removal_by_medium_leaves_the_other_medium(play: Play) -> None:
    """The per-medium call removes one medium only; a medium the person does not have is a 404."""
    scene = await play.begin("mixed")
    assert (await scene.remove("customer", "/messages")).status_code == 202
    assert (await scene.remove("customer", "/emails")).json()["code"] == "not.found"
    play.clock.move(1)
    caller = await scene.seen("customer")
    assert (caller["messages"][0]["state"], caller["calls"][0]["state"]) == ("disconnected", "connected")
    assert "endTime" not in caller
    assert scene.id("customer") in await scene.present()


async def test_a_removal_on_behalf_of_a_user(play: Play) -> None:
    """The call on behalf of a user works for a user of the conversation, and for nobody else."""
    scene = await play.begin("conference")
    path = f"/calls/{scene.cid}/participants/{scene.id('customer')}/user"
    stranger = await play.api("PATCH", f"{path}/{NOBODY}", OFF)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "conversation.error.not.conversation.participant")
    assert (await play.api("PATCH", f"{path}/{scene.person('Beth')['user_id']}", OFF)).status_code == 202
    assert scene.id("customer") not in await scene.present()


async def test_one_leg(play: Play) -> None:
    """Removing a leg answers 200 {}, leaves wrap-up alone, and can do nothing but disconnect."""
    scene = await play.begin("conference")
    path = f"/calls/{scene.cid}/participants/{scene.id('Beth')}/communications"
    leg = f"{path}/{scene.person('Beth')['communication_ids'][0]}"
    assert (await play.api("PATCH", leg, {"muted": True})).json()["code"] == "communication.state.required"
    assert (await play.api("PATCH", f"{path}/{NOBODY}", OFF)).status_code == 404
    answer = await play.api("PATCH", leg, OFF)
    assert (answer.status_code, answer.json()) == (200, {})
    play.clock.move(1)
    assert (await scene.seen("Beth"))["wrapupRequired"] is False


async def test_the_gone_are_accepted_and_nothing_happens(play: Play) -> None:
    """A removal of somebody gone answers 202 and does nothing, to the duplicate of a user as well."""
    scene = await play.begin("twice")
    dead, alive = (one["id"] for one in scene.people if one["name"] == "Beth Anglin")
    assert (await play.api("PATCH", f"/{scene.cid}/participants/{dead}", OFF)).status_code == 202
    assert alive in await scene.present()
    assert (await play.calls())[-1]["effect"] is False


async def test_other_properties_are_commands(play: Play) -> None:
    """Whatever else is set in the body is obeyed as well."""
    scene = await play.begin("conference")
    assert (await scene.remove("customer", body={"muted": True, "held": True})).status_code == 202
    leg = (await scene.seen("customer"))["calls"][0]
    assert (leg["muted"], leg["held"], leg["state"]) == (True, True, "connected")
    assert (await scene.truth())[0]["flags"] == [{"muted": True, "held": True}]


async def test_a_wrap_up_is_a_command(play: Play) -> None:
    """A wrap-up code in the body wraps an agent up, unless the command is lost."""
    scene = await play.begin("conference")
    await scene.remove("Beth")
    play.clock.move(1)
    assert (await scene.seen("Beth"))["calls"][0]["afterCallWork"]["state"] == "pending"
    for lost, state in ((True, "pending"), (False, "complete")):
        await scene.switch(lost=lost)
        assert (await scene.remove("Beth", body={"wrapup": {"code": "done"}})).status_code == 202
        assert (await play.calls())[-1]["effect"] is not lost
        assert (await scene.seen("Beth"))["calls"][0]["afterCallWork"]["state"] == state


async def test_answering_for_somebody(play: Play) -> None:
    """`connected` picks up a ringing leg; other legal states are accepted and do nothing."""
    scene = await play.begin("ringing")
    await scene.remove("Beth", body={"state": "parked"})
    assert (await scene.seen("Beth"))["calls"][0]["state"] == "alerting"
    await scene.remove("Beth", body={"state": "connected"})
    assert (await scene.seen("Beth"))["calls"][0]["state"] == "connected"


@pytest.mark.parametrize("medium", ["calls", "messages"])
async def test_the_patch_on_a_conversation_drops_everyone(play: Play, medium: str) -> None:
    """PATCH /{medium}/{cid} disconnects everybody on that medium."""
    scene = await play.begin("conference" if medium == "calls" else "messages")
    kept = await play.api("PATCH", f"/{medium}/{scene.cid}", {"recordingState": "PAUSED"})
    assert kept.status_code == 200
    assert await scene.present()
    assert (await play.api("PATCH", f"/{medium}/{scene.cid}", OFF)).status_code == 200
    assert await scene.present() == []


async def test_the_delete_drops_everyone(play: Play) -> None:
    """DELETE /{cid} disconnects everybody."""
    scene = await play.begin("conference")
    assert (await play.api("DELETE", f"/{scene.cid}")).status_code == 200
    assert await scene.present() == []


async def test_the_disconnect_call_drops_everyone(play: Play) -> None:
    """POST /{cid}/disconnect disconnects everybody, whoever the body names, and wraps agents up."""
    scene = await play.begin("conference")
    answer = await play.api("POST", f"/{scene.cid}/disconnect", {"participantId": scene.id("customer")})
    assert answer.status_code == 202
    assert await scene.present() == []
    play.clock.move(1)
    beth = await scene.seen("Beth")
    assert beth["wrapupRequired"] is False
    assert beth["endAcwTime"] == beth["startAcwTime"]


async def test_a_lost_command_has_no_effect(play: Play) -> None:
    """A lost command is accepted like any other; one conversation can differ from all the others."""
    scene, other = await play.begin("conference"), await play.begin("conference")
    await play.control("PUT", "/switches", {"lost": True})
    await other.switch(lost=False)
    for one in (scene, other):
        assert (await one.remove("customer")).status_code == 202
    assert scene.id("customer") in await scene.present()
    assert other.id("customer") not in await other.present()


@pytest.mark.parametrize(
    "body, kind, status, code",
    [
        (b'{"state":"disconnected"}', "text/plain", 415, "unsupported.media.type"),
        (b'{"state":"disconnected"}', None, 415, "unsupported.media.type"),
        (b"{", "application/json", 400, "bad.request"),
        (b"\xff", "application/json", 400, "bad.request"),
        (b"[" * 100_000, "application/json", 400, "bad.request"),
        (b"[]", "application/json; charset=utf-8", 400, "bad.request"),
        (b'{"muted":"yes"}', "application/json", 400, "bad.request"),
        (b'{"wrapup":"yes"}', "application/json", 400, "bad.request"),
        (b'{"state":"gone"}', "application/json", 400, "invalid.value"),
        (b'{"state":["gone"]}', "application/json", 400, "invalid.value"),
        (b" " * 512_001, "application/json", 413, "request.entity.too.large"),
    ],
)
async def test_bodies_that_are_refused(play: Play, body: bytes, kind: str | None, status: int, code: str) -> None:
    """A body of the wrong type, unreadable, too large or with an unknown state is refused with the real code."""
    scene = await play.begin("conference")
    headers = {"Content-Type": kind} if kind else {}
    path = f"/{scene.cid}/participants/{scene.id('customer')}"
    answer = await play.api("PATCH", path, headers=headers, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(await scene.present()) == 4


async def test_the_error_body(play: Play) -> None:
    """An error has every field of the vendor's body, and its context is the correlation id."""
    scene = await play.begin("conference")
    answer = await scene.remove("customer", body={"state": "gone"})
    body = answer.json()
    fields = "message code status messageWithParams messageParams contextId details errors"
    assert list(body) == fields.split()
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert body["messageParams"]["value"] == "gone"
    assert "[gone]" in body["message"]
    assert "{value}" in body["messageWithParams"]


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/{cid}/participants"),
        ("PATCH", "/{cid}"),
        ("PATCH", "/{cid}/participants"),
        ("PUT", "/{cid}/participants/{pid}"),
        ("DELETE", "/{cid}/participants/{pid}"),
        ("POST", "/{cid}/participants/{pid}/disconnect"),
        ("PATCH", "/conversations/{cid}"),
        ("PATCH", "/phone/participants/{pid}"),
        ("POST", "/voice/participants"),
        ("PATCH", "/chats/{cid}/participants/{pid}"),
        ("PATCH", "/videos/{cid}/participants/{pid}"),
        ("PATCH", "/{cid}/participants/{pid}/communications/{pid}"),
        ("PATCH", "/messages/{cid}/participants/{pid}/user/{pid}"),
        ("PATCH", "/calls/{cid}/participants/%2e%2e"),
        ("PATCH", "/calls/{cid}/participants/%2E%2E%2F"),
        ("PATCH", "/{cid}/participants/abc-123"),
        ("GET", "/xyz-456"),
        ("GET", "/{cid}%0a"),
        ("GET", ""),
    ],
)
async def test_paths_that_do_not_exist(play: Play, method: str, path: str) -> None:
    """Everything people believe the API has is 404 `not.found`, and nobody leaves because of it."""
    scene = await play.begin("conference")
    there = path.format(cid=scene.cid, pid=scene.id("customer"))
    answer = await play.api(method, there, OFF)
    assert (answer.status_code, answer.json()["code"]) == (404, "not.found")
    assert len(await scene.present()) == 4


async def test_the_unknown(play: Play) -> None:
    """An unknown conversation or participant is a 404, with the code the contract has for that call."""
    scene = await play.begin("conference")
    known_by_name = "conversation.error.conversation.not.found"
    unknown = {f"/calls/{NOBODY}": known_by_name, f"/{NOBODY}": "not.found", f"/callbacks/{NOBODY}": "not.found"}
    for path, code in unknown.items():
        answer = await play.api("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    for path in (f"/{scene.cid}/participants/{NOBODY}", f"/{NOBODY}/participants/{NOBODY}"):
        assert (await play.api("PATCH", path, OFF)).json()["code"] == "not.found"


async def test_the_budget(play: Play) -> None:
    """Every answer tells the budget; over it a 429 says when to come back, and then it is a new minute."""
    scene = await play.begin("pair")
    await play.control("PUT", "/switches", {"rate_limit": 2})
    first = await play.api("GET", f"/{scene.cid}")
    budget = [first.headers[f"inin-ratelimit-{name}"] for name in ("count", "allowed", "reset")]
    assert budget == ["1", "2", "60"]
    play.clock.move(18)
    await play.api("GET", f"/{scene.cid}")
    over = await play.api("GET", f"/{scene.cid}")
    assert (over.status_code, over.json()["code"]) == (429, "too.many.requests.retry.after")
    assert over.headers["Retry-After"] == "42"
    assert over.json()["message"] == "Rate limit exceeded the maximum. Retry the request in [42] seconds"
    play.clock.move(42)
    assert (await play.api("GET", f"/{scene.cid}")).status_code == 200


async def test_ids_are_read_in_any_case(play: Play) -> None:
    """A UUID in capitals is the same UUID."""
    scene = await play.begin("pair")
    path = f"/{scene.cid.upper()}/participants/{scene.id('customer').upper()}"
    assert (await play.api("PATCH", path, OFF)).status_code == 202
    assert await scene.present() == []
