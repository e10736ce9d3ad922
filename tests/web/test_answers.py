"""Every answer is JSON that no browser takes for anything else, and moments are written the one way."""

import pytest

from service.web.answers import answered, json_answer, moment, plain


def test_no_answer_is_guessed_at() -> None:
    """An answer says its type, its length, and that nobody should guess another type."""
    answer = answered(200, b"abc", "text/plain; version=1")
    assert dict(answer.headers) == {
        "content-type": "text/plain; version=1",
        "content-length": "3",
        "x-content-type-options": "nosniff",
    }


def test_json_is_compact_and_keeps_its_headers() -> None:
    """JSON has no blanks, is UTF-8, and what an answer adds stands beside what all have."""
    answer = json_answer(202, {"said": "é"}, {"Location": "/x"})
    assert (answer.status_code, answer.body) == (202, b'{"said":"\xc3\xa9"}')
    assert answer.headers["location"] == "/x"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "at, written",
    [
        (0, None),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_795_165_200_000, "2026-11-20T09:00:00.000Z"),
        (1_795_165_200_999, "2026-11-20T09:00:00.999Z"),
    ],
)
def test_a_moment_is_rfc_3339(at: int, written: str | None) -> None:
    """A moment is written in UTC to the millisecond, never rounded; what has not been is null."""
    assert moment(at) == written


def test_an_answer_as_it_is_written() -> None:
    """Without an app an answer is written as with one, and the headers of the moment stand among its own."""
    written = plain(json_answer(503, {"a": 1}, {"Retry-After": "1"})).written((b"date", b"now"))
    head, _, body = written.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    assert (line, body) == (b"HTTP/1.1 503 Service Unavailable", b'{"a":1}')
    assert {b"retry-after: 1", b"content-length: 7", b"content-type: application/json", b"date: now"} <= set(headers)
