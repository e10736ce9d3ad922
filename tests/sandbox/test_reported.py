"""In the world of the reports each request is answered as somebody saw it; in the vendor's world as the SDK says."""

from typing import Any

import httpx
import pytest

from service.sandbox import create_app
from tests.sandbox.play import OFF, Play

PID = "p-12345678-90ab-cdef-1234-567890abcdef"
STUCK = f"Cannot disconnect participant {PID}: Participant is not in a disconnectable state"
# what the five sent and saw: method, path, body, status, and what the body says
REPORTS: dict[str, tuple[str, str, object, int, str]] = {
    "1": (
        "PATCH", "/calls/xyz-456", {"participants": [{"participantId": "abc-123", "action": "disconnect"}]}, 409,
        "Participant is not in the conversation.",
    ),
    "2": (
        "POST", "/{cid}/disconnect", {"participantIds": [PID]}, 409,
        STUCK,
    ),
    "2, one": (
        "POST", "/{cid}/disconnect", {"participantId": PID}, 409,
        STUCK,
    ),
    "4, PUT": ("PUT", "/phone/participants/{pid}", {"status": "disconnected"}, 404, "was not found"),
    "4, PATCH": ("PATCH", "/phone/participants/{pid}", {"status": "disconnected"}, 404, "was not found"),
    "5": (
        "POST", "/voice/participants",
        {"participantId": "3a4b5c6d-1234-5678-9012-34567890abcd", "action": "disconnect"}, 409,
        "The requested action cannot be completed because of the current state of the resource.",
    ),
}  # fmt: skip
ONE = {"participants": [{"participantId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "action": "disconnect"}]}


@pytest.fixture
async def reports(play: Play) -> Play:
    """Turn the sandbox to the world of the reports."""
    assert (await play.control("PUT", "/switches", {"world": "reported"}))["world"] == "reported"
    return play


@pytest.mark.parametrize("report", REPORTS)
async def test_what_they_saw(reports: Play, report: str) -> None:
    """Each literal request gets the reported answer, and nobody leaves because of it."""
    scene = await reports.begin("conference")
    method, path, body, status, said = REPORTS[report]
    answer = await reports.api(method, path.format(cid=scene.cid, pid=scene.id("customer")), body)
    assert (answer.status_code, said in answer.json()["message"]) == (status, True)
    assert len(await scene.present()) == 4


async def test_the_bodies_that_were_reported_whole(reports: Play) -> None:
    """Where the whole body was reported, it is that body to the letter."""
    scene = await reports.begin("conference")
    told: list[dict[str, Any]] = []
    for report in ("2", "5"):
        method, path, body, *_ = REPORTS[report]
        told.append((await reports.api(method, path.format(cid=scene.cid), body)).json())
    assert told == [
        {"message": REPORTS["2"][4], "errors": []},
        {"code": "conflict", "message": REPORTS["5"][4]},
    ]


async def test_one_in_a_list_drops_everyone(reports: Play) -> None:
    """Report 3: 204, and the call has ended for everyone; the whole list is refused as conflicting."""
    scene = await reports.begin("conference")
    path = f"/conversations/{scene.cid}"
    several = {"participants": [{"action": "update"}, {"action": "disconnect"}]}
    answer = await reports.api("PATCH", path, several)
    assert (answer.status_code, answer.json()["message"]) == (400, "Conflicting actions.")
    assert len(await scene.present()) == 4
    answer = await reports.api("PATCH", path, ONE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await scene.present() == []
    assert (await reports.calls())[-1]["effect"] is True


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("PATCH", "/calls/{cid}", OFF, 200),
        ("PATCH", "/calls/{cid}", [], 400),
        ("POST", "/{cid}/disconnect", None, 202),
        ("POST", "/{cid}/disconnect", {}, 202),
        ("PATCH", "/conversations/{cid}", OFF, 404),
        ("PATCH", "/conversations/no-such", ONE, 404),
        ("POST", "/voice/participants", {}, 404),
        ("PATCH", "/{cid}/participants/{pid}", OFF, 202),
        ("GET", "/{cid}", None, 200),
    ],
)
async def test_everything_else_is_the_vendors(reports: Play, method: str, path: str, body: object, status: int) -> None:
    """What nobody reported is answered as in the vendor's world."""
    scene = await reports.begin("conference")
    there = path.format(cid=scene.cid, pid=scene.id("customer"))
    assert (await reports.api(method, there, body)).status_code == status
    await reports.control("PUT", "/switches", {"world": "vendor"})
    other = await reports.begin("conference")
    there = path.format(cid=other.cid, pid=other.id("customer"))
    assert (await reports.api(method, there, body)).status_code == status


@pytest.mark.parametrize(
    "report, status", [("1", 404), ("2", 202), ("2, one", 202), ("4, PUT", 404), ("4, PATCH", 404), ("5", 404)]
)
async def test_the_same_in_the_vendors_world(play: Play, report: str, status: int) -> None:
    """In the vendor's world those calls do not exist, but for the one that drops everyone, whoever is named."""
    scene = await play.begin("conference")
    method, path, body, *_ = REPORTS[report]
    answer = await play.api(method, path.format(cid=scene.cid, pid=scene.id("customer")), body)
    assert answer.status_code == status
    assert len(await scene.present()) == (0 if status == 202 else 4)


async def test_a_world_is_chosen_at_the_start() -> None:
    """A sandbox made for the reported world is in it, also after a reset; there is no third world."""
    app = create_app(world="reported")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox/sandbox") as control:
        await control.put("/switches", json={"world": "vendor"})
        assert (await control.get("/health")).json()["world"] == "vendor"
        await control.post("/reset")
        assert (await control.get("/health")).json()["world"] == "reported"
    with pytest.raises(ValueError, match="no world 'real'; there is vendor and reported"):
        create_app(world="real")
