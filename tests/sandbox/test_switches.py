"""Switches change what they are told and nothing else, and refuse what they do not understand."""

import pytest

from tests.sandbox.play import Play


async def test_switches_start_like_the_real_thing(play: Play) -> None:
    """Untouched: a little lag, nothing lost, the vendor's budget and token life."""
    usual = {"lag_seconds": 0.25, "lost": False, "rate_limit": 300, "token_seconds": 86_400, "answers": []}
    assert await play.control("GET", "/switches") == usual


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
    ],
)
async def test_switches_nobody_understands(play: Play, switches: object, said: str) -> None:
    """A switch that cannot be set gets a sentence, and none of them is changed."""
    before = await play.control("GET", "/switches")
    assert said in await play.refused("PUT", "/switches", switches)
    assert await play.control("GET", "/switches") == before


@pytest.mark.parametrize("switches", [{"rate_limit": 5}, {"answers": [{"on": "note", "status": 500}]}])
async def test_what_a_conversation_cannot_switch(play: Play, switches: object) -> None:
    """Budgets, tokens and the desk belong to no conversation."""
    scene = await play.begin("pair")
    assert await play.refused("PUT", f"/conversations/{scene.cid}/switches", switches)
