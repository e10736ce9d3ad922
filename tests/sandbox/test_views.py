"""The views have the vendor's fields: no other, and none that this medium does not have."""

import pytest

from service.sandbox.conversations import MEDIA
from tests.sandbox.play import Play

ALWAYS = {"id", "state", "connectedTime", "provider"}


@pytest.mark.parametrize(
    "medium, has, lacks",
    [
        ("call", {"muted", "held", "confined", "recording", "self", "peerId", "segments"}, set[str]()),
        ("message", {"held", "direction", "segments", "peerId"}, {"muted", "self", "recording"}),
        ("cobrowsesession", {"segments", "peerId"}, {"held", "direction"}),
        ("video", {"peerId"}, {"segments", "held", "direction"}),
        ("socialExpression", {"held", "segments"}, {"direction", "initialState"}),
        ("screenMonitoring", {"segments", "initialState"}, {"peerId", "startAlertingTime", "held"}),
    ],
)
async def test_each_medium_has_its_own_fields(play: Play, medium: str, has: set[str], lacks: set[str]) -> None:
    """A leg has the fields of its medium's model."""
    cast = [{"media": [medium]}, {"purpose": "agent", "media": [medium]}]
    told = await play.control("POST", "/conversations", {"participants": cast})
    view = (await play.api("GET", f"/{told['conversation_id']}")).json()
    leg = view["participants"][0][MEDIA[medium]][0]
    assert ALWAYS | has <= set(leg)
    assert not lacks & set(leg)


@pytest.mark.parametrize("medium, last", [("call", "terminated"), ("message", "disconnected"), ("chat", "terminated")])
async def test_how_a_medium_ends(play: Play, medium: str, last: str) -> None:
    """Voice ends in `terminated`; media that do not know that word stay `disconnected`."""
    told = await play.control(
        "POST", "/conversations", {"participants": [{"media": [medium], "state": "disconnected"}]}
    )
    states = []
    for _ in range(2):
        view = (await play.api("GET", f"/{told['conversation_id']}")).json()
        states.append(view["participants"][0][MEDIA[medium]][0]["state"])
        play.clock.move(1)
    assert states == ["disconnected", last]


async def test_the_end_of_a_conversation(play: Play) -> None:
    """A conversation has an end when everybody's legs have, and the end is the last of theirs."""
    scene = await play.begin("ended")
    view = await scene.look()
    assert view["startTime"] == "2026-11-20T08:58:00.000Z"
    assert view["endTime"] == "2026-11-20T08:59:40.000Z"
    assert "endTime" not in await (await play.begin("starting")).look()
