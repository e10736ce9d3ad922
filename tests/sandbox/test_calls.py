"""The log of calls is complete, filtered as asked, and holds no credential."""

import httpx

from tests.sandbox.play import OFF, Play


async def test_every_call_is_in_the_log(play: Play) -> None:
    """Each call outside the control is there with what it did, in order."""
    scene = await play.begin("conference")
    await play.api("GET", f"/{scene.cid}?expand=x")
    answer = await scene.remove("customer")
    await play.api("GET", "/nothing", headers={"Authorization": "Bearer guess"})
    token, look, patch, guess = await play.calls()
    assert (token["service"], token["method"], token["path"]) == ("login", "POST", "/oauth/token")
    assert (look["query"], look["effect"], look["status"]) == ("expand=x", "none", 200)
    assert (patch["effect"], patch["status"], patch["authorized"]) == (True, 202, True)
    assert patch["body"] == '{"state":"disconnected"}'
    assert patch["correlation_id"] == answer.headers["ININ-Correlation-Id"]
    assert (guess["authorized"], guess["status"]) == (False, 401)
    assert [call["seq"] for call in (token, look, patch, guess)] == [1, 2, 3, 4]


async def test_the_log_is_filtered(play: Play) -> None:
    """The log is narrowed to what came after a call, to one conversation, to one service."""
    scene, other = await play.begin("conference"), await play.begin("conference")
    await scene.remove("customer")
    await other.remove("customer")
    assert [call["seq"] for call in await play.calls("?since=2")] == [3]
    assert [call["seq"] for call in await play.calls(f"?conversation={scene.cid}")] == [2]
    assert [call["seq"] for call in await play.calls("?service=login")] == [1]
    for query in ("since=-1", "since=x", "service=moon"):
        assert "must be" in await play.refused("GET", f"/calls?{query}", None)


async def test_the_log_keeps_no_secret(play: Play) -> None:
    """Neither a header nor a secret in the login's form gets into the log."""
    form = {"grant_type": "client_credentials", "client_secret": play.keys["client_secret"]}
    auth = httpx.BasicAuth(play.keys["client_id"], play.keys["client_secret"])
    await play.http.post("/oauth/token", auth=auth, data=form)
    await play.api("PATCH", "/calls", OFF)
    calls = await play.calls()
    assert calls[1]["body"] == "grant_type=client_credentials"
    assert play.keys["client_secret"] not in str(calls)
    assert play.token not in str(calls)
