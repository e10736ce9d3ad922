"""Participants are described in words of one's own, and stand there as described."""

import pytest

from tests.sandbox.play import NOBODY, OFF, Play


async def test_participants_described_one_by_one(play: Play) -> None:
    """Whatever is described stands there like that, a state nobody knows included."""
    cast = [
        {"purpose": "customer", "attributes": {"k": "v"}, "media": ["call", "video"], "state": "humming"},
        {"purpose": "agent", "media": ["screenMonitoring"], "media_roles": ["monitor"], "state": "dialing"},
        {"purpose": "botflow", "start_offset_seconds": 10},
    ]
    told = await play.control("POST", "/conversations", {"participants": cast})
    view = (await play.api("GET", f"/{told['conversation_id']}")).json()
    caller, agent = view["participants"]
    assert (caller["calls"][0]["state"], caller["videos"][0]["state"]) == ("humming", "humming")
    assert caller["attributes"] == {"k": "v"}
    assert "segments" not in caller["videos"][0]
    assert (agent["screenMonitorings"][0]["state"], agent["mediaRoles"]) == ("dialing", ["monitor"])
    assert "endTime" not in view
    play.clock.move(10)
    assert len((await play.api("GET", f"/{told['conversation_id']}")).json()["participants"]) == 3


@pytest.mark.parametrize(
    "given, said",
    [
        ({"participants": [{}] * 101}, "at most 100 participants"),
        ({"participants": [{"state": "x y"}]}, "state must be a word"),
        ({"participants": [{"monitors": "Nobody"}]}, "monitors must be the name of a participant described before."),
        ({"participants": [{"id": NOBODY}, {"id": NOBODY}]}, "a participant with this id already"),
        ({"participants": [], "divisions": [{"mood": "bad"}]}, "a division has no field 'mood'"),
        ({"participants": [{"user_id": "beth"}]}, "user_id must be a UUID"),
        ({"participants": [{"name": "x" * 1001}]}, "name must be a text of at most 1000 characters"),
        ({"participants": ["beth"]}, "a participant must be a JSON object."),
    ],
)
async def test_participants_nobody_understands(play: Play, given: object, said: str) -> None:
    """A participant that cannot be read gets a sentence, and no conversation is begun."""
    assert said in await play.refused("POST", "/conversations", given)
    assert (await play.control("GET", "/conversations")) == {"conversations": []}


async def test_somebody_of_a_chosen_id(play: Play) -> None:
    """An id can be chosen, so that a request can be played back to the letter."""
    told = await play.control("POST", "/conversations", {"participants": [{"id": NOBODY}]})
    assert (await play.api("PATCH", f"/{told['conversation_id']}/participants/{NOBODY}", OFF)).status_code == 202


async def test_legs_come_after_the_participant(play: Play) -> None:
    """Somebody is listed without any leg first; nobody is present, and nothing can be removed, before the leg is."""
    cast = [{"legs_after_seconds": 2}, {"purpose": "agent"}]
    told = await play.control("POST", "/conversations", {"participants": cast})
    cid, pid = told["conversation_id"], told["participants"][0]["id"]
    early = (await play.api("GET", f"/{cid}")).json()["participants"][0]
    assert early["calls"] == []
    truth = (await play.control("GET", f"/conversations/{cid}"))["participants"][0]
    assert (truth["present"], truth["ended_at"]) == (False, None)
    assert "endTime" not in early
    assert len((await play.api("GET", f"/calls/{cid}")).json()["participants"]) == 1
    await play.api("PATCH", f"/{cid}/participants/{pid}", OFF)
    play.clock.move(2)
    assert (await play.api("GET", f"/{cid}")).json()["participants"][0]["calls"][0]["state"] == "connected"
    assert (await play.control("GET", f"/conversations/{cid}"))["participants"][0]["present"] is True


async def test_divisions_can_be_named(play: Play) -> None:
    """A conversation is in the division Home, unless others are named, none included."""
    views = []
    choices: list[dict[str, object]] = [{}, {"divisions": [{"name": "Sales"}, {"id": NOBODY}]}, {"divisions": []}]
    for more in choices:
        told = await play.control("POST", "/conversations", {"participants": [{}], **more})
        views += [(await play.api("GET", f"/{path}{told['conversation_id']}")).json() for path in ("", "calls/")]
    assert [[one["division"]["name"] for one in view["divisions"]] for view in views] == [
        ["Home"], ["Home"], ["Sales", "Nameless"], ["Sales", "Nameless"], [], [],
    ]  # fmt: skip
    assert views[2]["divisions"][1] == {"division": {"id": NOBODY, "name": "Nameless"}, "entities": []}
