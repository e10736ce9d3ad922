"""Refusals made by rules look like the real ones, whatever the status."""

import pytest

from service.sandbox.errors import api_error, desk_error
from tests.sandbox.play import Play


@pytest.mark.parametrize(
    "status, code, message",
    [
        (403, None, "missing the following permission(s): conversation:communication:view"),
        (403, "not.authorized", "Access to Conversation {cid} is forbidden"),
        (403, "missing.any.permissions", "one of the following permissions assigned: conversation:communication:view"),
        (403, "missing.division.permission", "permission(s) in the division: conversation:communication:view"),
        (401, "credentials.expired", "The credentials have expired."),
        (400, "invalid.value", "Allowable values are: none"),
        (400, "conversation.error.call.disconnected", "The call is already disconnected."),
        (418, "teapot", "teapot"),
    ],
)
async def test_a_code_brings_its_sentence(play: Play, status: int, code: str | None, message: str) -> None:
    """A rule with a code says what the vendor says with it, about this conversation and this permission."""
    scene = await play.begin("pair")
    await play.rule(on="look", status=status, code=code)
    answer = await play.api("GET", f"/{scene.cid}")
    assert answer.status_code == answer.json()["status"] == status
    assert answer.json()["message"].endswith(message.format(cid=scene.cid))


def test_a_gateway_answers_in_html() -> None:
    """A status the API itself has no code for comes from a gateway, as a page."""
    answer = api_error(502, None, None, "cid")
    assert (answer.content_type, b"502" in answer.body) == ("text/html", True)


def test_too_many_always_says_when_to_come_back() -> None:
    """A 429 has Retry-After, from the API and from the desk."""
    assert (
        api_error(429, None, "slow down", "cid").headers == desk_error(429, None, None).headers == {"Retry-After": "2"}
    )


def test_a_message_of_ones_own() -> None:
    """A message given is taken to the letter, braces and all."""
    body = api_error(409, None, "odd {value}", "cid").body
    assert b'"message":"odd {value}","code":"general.conflict"' in body
    assert b'"messageParams":{}' in body
