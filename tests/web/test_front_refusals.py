"""What the public door turns away it notes for an operator, who is told more than the sender."""

import pytest

from service.core.errors import BacklogFull, Refused, TooMany
from tests.web.doors import Desk, counted


async def test_a_refusal_is_remembered(desk: Desk) -> None:
    """An operator can read what a sender is not told: when, which source, why, how large; a number in it is masked."""
    await desk.post(headers={"content-type": "application/json", "x-toy": "wrong"})
    await desk.post(b'{"a": 1, "a": 2}')
    await desk.post({"remove": "+19"}, x_id="one")
    await desk.post({"remove": "+14155550188"}, x_id="one")
    first, *_, last = desk.refused.noted
    assert (first.source, first.code, first.reason, first.size) == ("desk", "unauthorized", "the word is wrong", 26)
    assert (first.refused_at, first.secret_fingerprint) == (desk.clock.now(), "")
    assert (last.code, last.secret_fingerprint) == ("delivery_conflict", "abcd1234")
    assert len(desk.refused.noted) == 3


@pytest.mark.parametrize(
    "refuses, status, code, later",
    [
        (TooMany("too much", retry_after_seconds=7), 429, "too_many", "7"),
        (BacklogFull("too much"), 503, "backlog_full", "15"),
    ],
)
async def test_what_is_not_taken_now(desk: Desk, refuses: Refused, status: int, code: str, later: str) -> None:
    """Who is over a bound hears when to come again, and an operator that it was so, and for which secret."""
    before, desk.shelf.refuses = counted("desk", code), refuses
    answer = await desk.post()
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (status, code, later)
    assert (counted("desk", code), len(desk.shelf.offers)) == (before + 1, 0)
    assert [(line["event"], line["code"], line["secret"]) for line in desk.lines()] == [
        ("delivery.refused", code, "abcd1234")
    ]
    assert [(one.code, one.secret_fingerprint) for one in desk.refused.noted] == [(code, "abcd1234")]
    desk.shelf.refuses = None
    assert (await desk.post()).json()["status"] == "accepted"
