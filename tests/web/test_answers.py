"""Every answer is JSON that no browser takes for anything else, and moments are written the one way."""

import pytest

from service.web.answers import answered, json_answer, moment


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
