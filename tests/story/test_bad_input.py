"""Whatever is wrong with a delivery is said in words, and nothing of it is stored."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis as blocking

from tests.story.stage import Stage, staged

CONVERSATION = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Give a stage with doors and no worker."""
    async with staged() as made:
        await made.serve()
        yield made


def _keys(stage: Stage) -> list[bytes]:
    with blocking.Redis.from_url(stage.redis.url, protocol=2) as client:
        return sorted(key for key in client.scan_iter() if b"probe" not in key)


def _asking(**changes: object) -> dict[str, Any]:
    data = {"conversation_id": CONVERSATION, "caller_phone": "+14155550123", **changes}
    return {"type": "caller.remove", "timestamp": _now(), "data": {key: it for key, it in data.items() if it != ""}}


def _flat(**changes: object) -> dict[str, Any]:
    return {"conversationId": CONVERSATION, "participantId": CONVERSATION, "action": "disconnect", **changes}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# what is sent, the status, the code, and a word that the sentence must have
BODIES: list[tuple[str, Any, int, str, str]] = [
    ("not JSON", b"conversation=1", 400, "malformed", "JSON"),
    ("not UTF-8", "\ufeff{}".encode("utf-16"), 400, "malformed", "UTF-8"),
    ("a key twice", b'{"type":"caller.remove","type":"x"}', 400, "malformed", "twice"),
    ("a list", b"[]", 400, "malformed", "object"),
    ("no conversation id", _asking(conversation_id=""), 422, "unreadable", "conversation_id"),
    ("no person", _asking(caller_phone=""), 422, "unreadable", "participant_id"),
    ("abc-123", _asking(participant_id="abc-123"), 422, "unreadable", "abc-123"),
    ("p-", _asking(participant_id="p-12345678-90ab-cdef-1234-567890abcdef"), 422, "unreadable", "p-"),
    ("dots", _asking(participant_id=".."), 422, "unreadable", "UUID"),
    ("dots for a conversation", _asking(conversation_id=".."), 422, "unreadable", "UUID"),
    ("encoded dots", _asking(participant_id="%2e%2e"), 422, "unreadable", "UUID"),
    (
        "full-width digits",
        _asking(conversation_id="\uff10" + CONVERSATION[1:]),
        422,
        "unreadable",
        "UUID",
    ),
    ("a number without +", _asking(caller_phone="4155550123"), 422, "unreadable", "+"),
    ("another action", _flat(action="hold"), 422, "unreadable", "disconnect"),
    ("end the call", _flat(action="end_conference"), 422, "unreadable", "disconnect"),
    ("a time without offset", _asking() | {"timestamp": "2026-11-20T09:00:00"}, 422, "unreadable", "offset"),
]


@pytest.mark.parametrize("what, body, status, code, word", BODIES, ids=[row[0] for row in BODIES])
async def test_bad_body(stage: Stage, what: str, body: Any, status: int, code: str, word: str) -> None:  # noqa: ANN401 - any JSON
    """Signed and wrong: a problem document says what was wrong, and Redis holds what it held before."""
    before = _keys(stage)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await stage.post(raw)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), what
    problem = answer.json()
    assert problem["code"] == code
    assert word in problem["detail"]
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    assert _keys(stage) == before


async def test_a_megabyte(stage: Stage) -> None:
    """A body over 64 KiB is refused before it is read, signed or not."""
    before = _keys(stage)
    answer = await stage.post(b" " * 1_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert _keys(stage) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-encoding": "gzip"},
    ],
)
async def test_wrong_media_type(stage: Stage, headers: dict[str, str]) -> None:
    """Only the media types that the source declares are read, in UTF-8 and not encoded."""
    before = _keys(stage)
    answer = await stage.post(_asking(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")
    assert _keys(stage) == before


async def test_same_id_with_another_body(stage: Stage) -> None:
    """The id of an earlier delivery with another body is refused, and the first one stands."""
    first = await stage.post(_asking(), webhook_id="msg_twice")
    assert first.status_code == 202
    before = _keys(stage)
    answer = await stage.post(_asking(caller_phone="+14155550199"), webhook_id="msg_twice")
    assert (answer.status_code, answer.json()["code"]) == (422, "delivery_conflict")
    assert _keys(stage) == before


async def test_nobody_known(stage: Stage) -> None:
    """No, bad, old signature, unknown source: the same 401, and nothing is stored."""
    before = _keys(stage)
    answers = [
        await stage.client.post(f"{stage.door}/webhooks/desk", json=_asking()),
        await stage.post(_asking(), secret=b"y" * 32),
        await stage.post(_asking(), at=time.time() - 400),
        await stage.post(_asking(), at=time.time() + 400),
        await stage.post(_asking(), source="elsewhere"),
    ]
    assert {(it.status_code, it.json()["code"], it.text) for it in answers} == {(401, "unauthorized", answers[0].text)}
    assert _keys(stage) == before
