"""The play login gives tokens, and nothing is readable without one."""

import httpx
import pytest

from tests.sandbox.play import NOBODY, Play


async def test_a_token_is_given(play: Play) -> None:
    """Good credentials get a bearer token with its life in seconds."""
    answer = await play.ask_token()
    assert answer.status_code == 200
    assert answer.headers["ININ-Correlation-Id"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 86_400)


@pytest.mark.parametrize(
    "changes, status, said",
    [({"client_id": NOBODY}, 400, "client not found"), ({"client_secret": "guess"}, 401, "authentication failed")],
)
async def test_bad_credentials(play: Play, changes: dict[str, str], status: int, said: str) -> None:
    """Bad credentials get the token endpoint's own error body."""
    answer = await play.ask_token(**changes)
    assert answer.status_code == status
    assert answer.json() == {"error": "invalid_client", "description": said, "error_description": said}


@pytest.mark.parametrize("header", ["", "Basic", "Basic §", "Basic Zm9v", "Bearer Zm86YmFy"])
async def test_credentials_that_cannot_be_read(play: Play, header: str) -> None:
    """Anything but HTTP Basic is a client nobody knows."""
    answer = await play.http.post("/oauth/token", headers={b"Authorization": header.encode()})
    assert (answer.status_code, answer.json()["description"]) == (400, "client not found")


async def test_only_the_one_grant(play: Play) -> None:
    """Another grant or another method gets no token."""
    auth = httpx.BasicAuth(play.keys["client_id"], play.keys["client_secret"])
    answer = await play.http.post("/oauth/token", auth=auth, data={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert (await play.http.get("/oauth/token", auth=auth)).status_code == 405


@pytest.mark.parametrize(
    "header, code",
    [
        ("", "authentication.required"),
        ("Basic Zm86YmFy", "authentication.required"),
        ("Bearer nonsense", "bad.credentials"),
    ],
)
async def test_no_entry_without_a_token(play: Play, header: str, code: str) -> None:
    """No token and a bad one are 401, whether or not the thing exists, and have no budget."""
    for path in (f"/{NOBODY}", "/nothing/like/this"):
        answer = await play.api("GET", path, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert "inin-ratelimit-count" not in answer.headers


async def test_tokens_end(play: Play) -> None:
    """A token is good for its life and not longer; the switch ends those given out as well."""
    scene = await play.begin("pair")
    path = f"/{scene.cid}"
    await play.control("PUT", "/switches", {"token_seconds": 300})
    play.clock.move(299)
    assert (await play.api("GET", path)).status_code == 200
    play.clock.move(1)
    assert (await play.api("GET", path)).json()["code"] == "credentials.expired"
    await play.log_in()
    assert (await play.api("GET", path)).status_code == 200
    await play.control("PUT", "/switches", {"token_seconds": 0})
    await play.control("PUT", "/switches", {"token_seconds": 300})
    assert (await play.api("GET", path)).status_code == 401
    await play.log_in()
    assert (await play.api("GET", path)).status_code == 200
