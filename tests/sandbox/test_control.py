"""The control does what it says, and answers what it cannot do with a sentence."""

import pytest

from tests.sandbox.play import NOBODY, Play


async def test_health_and_credentials(play: Play) -> None:
    """The sandbox says what it is, and tells its play credentials to anybody."""
    assert await play.control("GET", "/health") == {"sandbox": True, "calls": 1, "world": "vendor"}
    of_desk = {f"desk_{name}" for name in ("user", "password", "client_id", "client_secret", "api_key")}
    assert set(play.keys) == {"client_id", "client_secret"} | of_desk


async def test_a_conversation_of_a_chosen_id(play: Play) -> None:
    """An id can be chosen, once."""
    given = {"scenario": "pair", "conversation_id": NOBODY}
    assert (await play.control("POST", "/conversations", given))["conversation_id"] == NOBODY
    assert "already" in await play.refused("POST", "/conversations", given)


@pytest.mark.parametrize(
    "given, said",
    [
        ({}, "either a scenario"),
        ({"scenario": "pair", "participants": []}, "either a scenario"),
        ({"participants": [], "caller_phone": "+14155550123"}, "either a scenario"),
        ({"scenario": "picnic"}, "scenario must be one of conference"),
        ({"scenario": "pair", "caller_phone": "0800"}, "a number like +14155550123"),
        ({"scenario": 1}, "scenario must be a text"),
        (None, "the body must be JSON."),
    ],
)
async def test_conversations_nobody_understands(play: Play, given: object, said: str) -> None:
    """What cannot be begun gets a sentence."""
    assert said in await play.refused("POST", "/conversations", given)


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/nothing"),
        ("GET", "x"),
        ("DELETE", "/switches"),
        ("GET", f"/conversations/{NOBODY}"),
        ("GET", f"/conversations/{NOBODY}/switches"),
        ("GET", f"/desk/tickets/incident/{'0' * 32}"),
    ],
)
async def test_what_is_not_there(play: Play, method: str, path: str) -> None:
    """Unknown things and unknown calls are 404; only the control's own are never in the log."""
    answer = await play.http.request(method, f"/sandbox{path}")
    assert answer.status_code in {401, 404}
    assert len(await play.calls()) == (2 if path == "x" else 1)


async def test_the_truth(play: Play) -> None:
    """The truth has everybody with how they left, whatever readers still see."""
    scene = await play.begin("conference")
    await scene.remove("customer")
    caller, acd, *rest = await scene.truth()
    assert (caller["present"], caller["disconnect_type"], caller["ended_at"]) == (False, "client", play.clock.at)
    assert caller["seen_states"] == ["connected"]
    assert (acd["present"], acd["disconnect_type"]) == (False, "transfer")
    assert [(one["present"], one["disconnect_type"], one["ended_at"]) for one in rest] == [(True, None, None)] * 3


async def test_a_reset_empties_everything_but_the_credentials(play: Play) -> None:
    """After a reset nothing is left; clients stay logged in, with a fresh budget."""
    scene = await play.begin("pair")
    await play.control("PUT", "/switches", {"rate_limit": 1, "lost": True})
    await play.control("POST", "/desk/tickets", {})
    await play.http.post("/sandbox/desk/hooks/ours", content=b"{}")
    await scene.look()
    await play.control("POST", "/reset")
    assert (await play.control("GET", "/conversations"))["conversations"] == []
    assert (await play.control("GET", "/desk/tickets"))["tickets"] == []
    assert (await play.control("GET", "/desk/hooks/ours"))["deliveries"] == []
    assert (await play.control("GET", "/switches"))["rate_limit"] == 300
    assert await play.calls() == []
    assert await play.control("GET", "/credentials") == play.keys
    answer = await play.api("GET", f"/{scene.cid}")
    assert (answer.status_code, answer.headers["inin-ratelimit-count"]) == (404, "1")
