"""Each scenario is what its sentence says, and participants are described in words of one's own."""

import pytest

from service.sandbox.scenarios import SCENARIOS
from tests.sandbox.play import OFF, Play

PRESENT = {
    "conference": ["customer", "agent", "agent", "external"],
    "pair": ["customer", "agent"],
    "starting": [],
    "arriving": [],
    "queued": ["customer", "acd"],
    "ringing": ["customer", "agent"],
    "dialed": ["dialer", "customer", "agent"],
    "twice": ["customer", "agent", "agent"],
    "transferred": ["customer", "agent"],
    "monitored": ["customer", "agent", "agent"],
    "coached": ["customer", "agent", "agent"],
    "barged": ["customer", "agent", "agent"],
    "consult": ["customer", "agent", "agent"],
    "crowd": ["customer", "agent", *["external"] * 18],
    "anonymous": ["customer", "agent", "agent"],
    "softphones": ["customer", "agent", "external"],
    "namesakes": ["customer", "customer", "agent"],
    "messages": ["customer", "agent"],
    "email": ["customer", "agent"],
    "callback": ["customer", "agent"],
    "mixed": ["customer", "agent", "agent"],
    "everything": ["customer", "agent", "agent"],
    "sales": ["customer", "agent", "agent"],
    "ended": [],
    "returned": ["agent", "agent", "customer"],
    "leaving": ["customer", "agent", "agent"],
    "reentering": ["customer", "agent", "agent"],
    "replaced": ["customer", "agent", "agent"],
    "merging": ["customer", "agent", "external"],
    "lagging": ["customer", "agent", "agent"],
    "stubborn": ["customer", "agent", "agent"],
}


@pytest.mark.parametrize("name, present", PRESENT.items())
async def test_who_is_there(play: Play, name: str, present: list[str]) -> None:
    """Each scenario begins with these people present."""
    scene = await play.begin(name)
    assert [one["purpose"] for one in await scene.truth() if one["present"]] == present


async def test_all_scenarios_are_listed(play: Play) -> None:
    """Each scenario is listed with one sentence and its cast."""
    listed = (await play.control("GET", "/scenarios"))["scenarios"]
    assert [one["name"] for one in listed] == list(SCENARIOS) == list(PRESENT)
    assert all(one["sentence"].endswith(".") for one in listed)
    assert listed[1]["cast"] == ["Unhappy Caller (customer)", "Service Desk (acd)", "Beth Anglin (agent)"]


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


async def test_everybody_arrives(play: Play) -> None:
    """A call that has just begun fills second by second: nobody, the caller without a leg, the caller, and Beth."""
    scene, seen = await play.begin("arriving"), []
    for _ in range(4):
        seen.append([len(one["calls"]) for one in (await scene.look())["participants"]])
        play.clock.move(1)
    assert seen == [[], [0], [1], [1, 1]]


@pytest.mark.parametrize(
    "name, vendors, role, whom",
    [
        ("monitored", "monitoredParticipantId", "monitor", "Beth"),
        ("coached", "coachedParticipantId", "coach", "Beth"),
        ("barged", "bargedParticipantId", "barge", "Beth"),
        ("consult", "consultParticipantId", "full", "Unhappy"),
    ],
)
async def test_who_belongs_to_whom(play: Play, name: str, vendors: str, role: str, whom: str) -> None:
    """A supervisor and a consulted colleague carry the id of the participant they are there for, in both views."""
    scene = await play.begin(name)
    for view in (await scene.look(), (await play.api("GET", f"/calls/{scene.cid}")).json()):
        last = view["participants"][-1]
        assert (last[vendors], last["mediaRoles"]) == (scene.id(whom), [role])


async def test_a_listener_keeps_no_call_alive(play: Play) -> None:
    """When the caller leaves a monitored call it is over, although two people were left; one who broke in stays."""
    monitored, barged = await play.begin("monitored"), await play.begin("barged")
    for scene in (monitored, barged):
        await scene.remove("customer")
    assert await monitored.present() == []
    assert await barged.present() == [barged.id("Beth"), barged.id("Ines")]


async def test_the_caller_on_hold(play: Play) -> None:
    """During a consult the caller is held."""
    assert (await (await play.begin("consult")).seen("customer"))["calls"][0]["held"] is True


async def test_numbers_are_chosen_in_sip_addresses_too(play: Play) -> None:
    """The caller's number can be chosen where it is a part of an address."""
    scene = await play.begin("softphones", caller_phone="+4930111222")
    assert scene.person("customer")["address"] == "sip:+4930111222@carrier.example;user=phone"


async def test_a_scheduled_callback(play: Play) -> None:
    """A callback that is scheduled was never connected, and can be removed."""
    scene = await play.begin("callback")
    leg = (await scene.seen("customer"))["callbacks"][0]
    assert (leg["state"], leg["initialState"], "connectedTime" in leg) == ("scheduled", "scheduled", False)
    assert (await scene.remove("customer", "/callbacks")).status_code == 202
    assert scene.id("customer") not in await scene.present()


async def test_the_division_of_sales(play: Play) -> None:
    """The sales conversation is in the division Sales, and its people came through the queue of sales."""
    scene = await play.begin("sales")
    assert [one["division"]["name"] for one in (await scene.look())["divisions"]] == ["Sales"]
    assert (await scene.seen("Beth"))["queueId"] != (await (await play.begin("pair")).seen("Beth"))["queueId"]


@pytest.mark.parametrize(
    "name, status, then", [("leaving", 202, "hangup"), ("reentering", 202, "rejoin"), ("replaced", 404, "replace")]
)
async def test_between_the_look_and_the_command(play: Play, name: str, status: int, then: str) -> None:
    """The caller the look saw is not there any more when the command comes: it takes nobody off the line."""
    scene = await play.begin(name)
    assert (await scene.seen("customer"))["calls"][0]["state"] == "connected"
    before = await scene.present()
    assert (await scene.remove("customer")).status_code == status
    assert await scene.present() == before
    assert scene.id("customer") not in before
    look, patch = (await play.calls())[-2:]
    assert (look["then"], patch["effect"]) == (then, False)


async def test_a_merge_between_the_look_and_the_command(play: Play) -> None:
    """After the merge everybody is in another conversation, where the old id is unknown."""
    scene = await play.begin("merging")
    await scene.look()
    assert (await scene.remove("customer")).status_code == 404
    merged = next(
        one
        for one in (await play.control("GET", "/conversations"))["conversations"]
        if one["conversation_id"] != scene.cid
    )
    assert [one["name"] for one in merged["participants"]] == ["Unhappy Caller", "Beth Anglin", "Field Engineer"]
    there = f"/{merged['conversation_id']}/participants"
    assert (await play.api("PATCH", f"{there}/{scene.id('customer')}", OFF)).status_code == 404
    assert (await play.api("PATCH", f"{there}/{merged['participants'][0]['id']}", OFF)).status_code == 202


async def test_a_slow_and_a_stubborn_org(play: Play) -> None:
    """In one org a removal shows after five seconds, in the other it never happens."""
    lagging, stubborn = await play.begin("lagging"), await play.begin("stubborn")
    for scene in (lagging, stubborn):
        await scene.remove("customer")
    play.clock.move(4.9)
    assert (await lagging.seen("customer"))["calls"][0]["state"] == "connected"
    play.clock.move(0.1)
    assert (await lagging.seen("customer"))["calls"][0]["state"] == "disconnected"
    assert stubborn.id("customer") in await stubborn.present()
