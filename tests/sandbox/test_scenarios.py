"""Each scenario is what its sentence says, and participants are described in words of one's own."""

import pytest

from service.sandbox.scenarios import SCENARIOS
from tests.sandbox.play import Play


@pytest.mark.parametrize(
    "name, present",
    [
        ("conference", ["customer", "agent", "agent", "external"]),
        ("pair", ["customer", "agent"]),
        ("starting", []),
        ("ringing", ["customer", "agent"]),
        ("twice", ["customer", "agent", "agent"]),
        ("ended", []),
        ("messages", ["customer", "agent"]),
        ("mixed", ["customer", "agent", "agent"]),
    ],
)
async def test_who_is_there(play: Play, name: str, present: list[str]) -> None:
    """Each scenario begins with these people present."""
    scene = await play.begin(name)
    assert [one["purpose"] for one in await scene.truth() if one["present"]] == present


async def test_all_scenarios_are_listed(play: Play) -> None:
    """Each scenario is listed with one sentence."""
    listed = (await play.control("GET", "/scenarios"))["scenarios"]
    assert [one["name"] for one in listed] == list(SCENARIOS)
    assert all(one["sentence"].endswith(".") for one in listed)


async def test_another_caller(play: Play) -> None:
    """The caller's number can be chosen, and is the `ani` of the agents then as well."""
    scene = await play.begin("pair", caller_phone="+4930111222")
    view = await scene.look()
    assert [one["ani"] for one in view["participants"]] == ["tel:+4930111222"] * 3
    assert scene.person("customer")["address"] == view["address"] == "tel:+4930111222"


async def test_beth_stands_there_twice(play: Play) -> None:
    """The dead one of the two was alerted and never answered, and has nothing to wrap up."""
    scene = await play.begin("twice")
    dead = next(
        one for one in (await scene.look())["participants"] if one.get("userId") == scene.person("Beth")["user_id"]
    )
    leg = dead["calls"][0]
    assert (leg["state"], leg["disconnectType"], leg["initialState"]) == ("terminated", "transfer.noanswer", "alerting")
    assert [segment["type"] for segment in leg["segments"]] == ["Alert"]
    assert "connectedTime" not in leg
    assert dead["wrapupRequired"] is False


async def test_beth_answers(play: Play) -> None:
    """A ringing leg connects when its time has come; her phone rang before."""
    scene = await play.begin("ringing")
    assert (await scene.seen("Beth"))["calls"][0]["state"] == "alerting"
    play.clock.move(5)
    leg = (await scene.seen("Beth"))["calls"][0]
    assert leg["state"] == "connected"
    assert [(one["type"], one.get("howEnded")) for one in leg["segments"]] == [
        ("Alert", "Interact"),
        ("Interact", None),
    ]


async def test_an_alert_that_ends_was_never_answered(play: Play) -> None:
    """Somebody removed while the phone rings is gone, and does not answer afterwards."""
    scene = await play.begin("ringing")
    await scene.remove("Beth")
    play.clock.move(9)
    leg = (await scene.seen("Beth"))["calls"][0]
    assert (leg["state"], "connectedTime" in leg) == ("terminated", False)


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
        ({"participants": [{"user_id": "beth"}]}, "user_id must be a UUID"),
        ({"participants": [{"name": "x" * 1001}]}, "name must be a text of at most 1000 characters"),
        ({"participants": ["beth"]}, "a participant must be a JSON object."),
    ],
)
async def test_participants_nobody_understands(play: Play, given: object, said: str) -> None:
    """A participant that cannot be read gets a sentence, and no conversation is begun."""
    assert said in await play.refused("POST", "/conversations", given)
    assert (await play.control("GET", "/conversations")) == {"conversations": []}
