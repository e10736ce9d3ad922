"""People in a conversation do what people do, and readers see it under the right ids."""

import pytest

from tests.sandbox.play import NOBODY, OFF, Play


async def test_somebody_hangs_up(play: Play) -> None:
    """A hang-up is seen at once, with `endpoint`, and gives the partner `peer`."""
    scene = await play.begin("pair")
    await scene.event("hangup", participant_id=scene.id("customer"))
    assert (await scene.seen("customer"))["calls"][0]["disconnectType"] == "endpoint"
    assert (await scene.seen("Beth"))["calls"][0]["disconnectType"] == "peer"


async def test_a_hang_up_can_lag(play: Play) -> None:
    """A hang-up can be seen late too: the desktop still shows the caller."""
    scene = await play.begin("conference")
    await scene.event("hangup", participant_id=scene.id("customer"), lag_seconds=2, disconnect_type="client")
    assert scene.id("customer") not in await scene.present()
    assert (await scene.seen("customer"))["calls"][0]["state"] == "connected"
    play.clock.move(2)
    assert (await scene.seen("customer"))["calls"][0]["disconnectType"] == "client"


async def test_somebody_comes_back_as_somebody_new(play: Play) -> None:
    """A rejoin: the old id is gone and stays, the same person is present under a new one."""
    scene = await play.begin("pair")
    told = (await scene.event("rejoin", participant_id=scene.id("customer")))["participants"][0]
    assert told["was"] == scene.id("customer")
    assert await scene.present() == [scene.id("Beth"), told["id"]]
    assert told["external_contact_id"] == scene.person("customer")["external_contact_id"]
    assert (await scene.seen("customer"))["calls"][0]["state"] == "disconnected"


async def test_somebody_comes_back_as_the_same(play: Play) -> None:
    """A new leg: the same participant id is present again with another communication."""
    scene = await play.begin("conference")
    await scene.remove("customer")
    play.clock.move(1)
    told = (await scene.event("add_leg", participant_id=scene.id("customer")))["participants"][0]
    assert told["id"] == scene.id("customer")
    assert len(told["communication_ids"]) == 2
    caller = await scene.seen("customer")
    assert [leg["state"] for leg in caller["calls"]] == ["terminated", "connected"]
    assert "endTime" not in caller


async def test_an_id_is_replaced(play: Play) -> None:
    """A replaced id is listed no more and unknown to a PATCH; the person is there under the new one."""
    scene = await play.begin("conference")
    told = (await scene.event("replace", participant_id=scene.id("customer")))["participants"][0]
    assert (await scene.remove("customer")).status_code == 404
    assert scene.id("customer") not in [one["id"] for one in (await scene.look())["participants"]]
    assert (await play.api("PATCH", f"/{scene.cid}/participants/{told['id']}", OFF)).status_code == 202


@pytest.mark.parametrize("named", [None, NOBODY, "known"])
async def test_a_merge_moves_everybody(play: Play, named: str | None) -> None:
    """A merge moves all present to the other conversation under new ids; the dead stay where they were."""
    scene, other = await play.begin("conference"), await play.begin("pair")
    told = await scene.event("merge", conversation_id=other.cid if named == "known" else named)
    if named:
        assert told["conversation_id"] == (other.cid if named == "known" else NOBODY)
    assert [one["was"] for one in told["participants"]] == [
        one["id"] for one in scene.people if one["purpose"] != "acd"
    ]
    assert [one["id"] for one in await scene.truth()] == [scene.id("acd")]
    there = await play.control("GET", f"/conversations/{told['conversation_id']}")
    assert {one["id"] for one in told["participants"]} <= {one["id"] for one in there["participants"]}
    assert (await scene.remove("customer")).status_code == 404


async def test_nobody_is_there_yet(play: Play) -> None:
    """A starting conversation has no participants until somebody joins, and somebody may have no legs yet."""
    scene = await play.begin("starting")
    assert (await scene.look())["participants"] == []
    told = (await scene.event("join", participant={"purpose": "customer", "media": []}))["participants"][0]
    assert told["was"] is None
    assert (await scene.look())["participants"][0]["calls"] == []
    assert (await play.api("PATCH", f"/{scene.cid}/participants/{told['id']}", OFF)).status_code == 202
    assert await scene.present() == []
    await scene.event("add_leg", participant_id=told["id"], media=["call", "message"])
    assert await scene.present() == [told["id"]]


@pytest.mark.parametrize(
    "event, said",
    [
        ({}, "an event must be one of hangup, rejoin"),
        ({"event": "lunch"}, "event must be one of hangup"),
        ({"event": "hangup"}, "needs the participant_id"),
        ({"event": "replace", "participant_id": NOBODY}, "needs the participant_id"),
        ({"event": "join", "participant": {"mood": "bad"}}, "a participant has no field 'mood'"),
        ({"event": "join", "participant": {"media": ["smoke"]}}, "media must be a list of call"),
        ({"event": "join", "participant": {"media": [["call"]]}}, "media must be a list of call"),
        ({"event": "merge", "conversation_id": "same"}, "conversation_id must be a UUID"),
    ],
)
async def test_events_that_cannot_happen(play: Play, event: object, said: str) -> None:
    """An event that cannot happen gets a sentence, and nothing happens."""
    scene = await play.begin("conference")
    assert said in await play.refused("POST", f"/conversations/{scene.cid}/events", event)
    assert len(await scene.present()) == 4


async def test_no_merge_with_itself(play: Play) -> None:
    """A conversation cannot be merged with itself."""
    scene = await play.begin("pair")
    merge = {"event": "merge", "conversation_id": scene.cid}
    assert "itself" in await play.refused("POST", f"/conversations/{scene.cid}/events", merge)
