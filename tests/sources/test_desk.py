"""What a desk's answer means: told, later, perhaps, or never."""

import json

import pytest

from service.core.errors import Rejected, Reply, Throttled, Unclear, Upstream
from service.outbound import Answered
from service.sources.desk import reply_in

ADVICE = {404: "it is not there"}
ERROR = json.dumps({"error": {"message": "No\nRecord found", "detail": "x"}, "status": "failure"}).encode()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_yes(status: int) -> None:
    """Any 2xx is a yes."""
    assert reply_in(Answered(status, body=b"ok"), ADVICE) == Reply(status)


@pytest.mark.parametrize(
    "status, kind",
    [(status, Unclear) for status in (408, 425, 500, 502, 503, 504, 599)]
    + [(status, Rejected) for status in (300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422)]
    + [(429, Throttled)],
)
def test_every_other_answer(status: int, kind: type[Upstream]) -> None:
    """Only 429 is not done yet; 408, 425 and 5xx may be done; every other answer is a no."""
    with pytest.raises(Upstream) as caught:
        reply_in(Answered(status, body=ERROR), ADVICE)
    assert type(caught.value) is kind
    assert caught.value.reply == Reply(status, message="No Record found")
    assert str(caught.value).startswith(str(status))
    assert "No Record found" in str(caught.value)


def test_advice() -> None:
    """A no says what to mend: the kind's own words first, then those about redirects."""
    with pytest.raises(Rejected, match=r"^404: it is not there \(it said: No Record found\)$"):
        reply_in(Answered(404, body=ERROR), ADVICE)
    with pytest.raises(Rejected, match=r"^302: it sends us elsewhere"):
        reply_in(Answered(302), ADVICE)
    with pytest.raises(Rejected, match=r"^409: the desk refused it$"):
        reply_in(Answered(409), ADVICE)


@pytest.mark.parametrize(
    "header, seconds",
    [("7", 7), ("0", 1), ("999999", 3600), ("", 30), ("soon", 30), ("-5", 30), ("1.5", 30), (None, 30)],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    """A 429 says how long to wait, within bounds: at least a second, at most an hour, else half a minute."""
    headers = () if header is None else (("retry-after", header),)
    with pytest.raises(Throttled) as caught:
        reply_in(Answered(429, headers), ADVICE)
    assert caught.value.retry_after_seconds == seconds


def test_503_where_a_repeat_is_safe() -> None:
    """A receiver that knows repeats is asked again when it said so; another has to be looked at first."""
    answered = Answered(503, (("retry-after", "9"),))
    with pytest.raises(Throttled) as caught:
        reply_in(answered, ADVICE, is_repeat_safe=True)
    assert caught.value.retry_after_seconds == 9
    with pytest.raises(Unclear):
        reply_in(answered, ADVICE)
    with pytest.raises(Unclear):
        reply_in(Answered(500), ADVICE, is_repeat_safe=True)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"\xff", b'{"error":"x"}', b'{"error":{"message":1}}', b'{"error":{}}', b'{"a":1,"a":2}'],
)
def test_bodies_that_say_nothing(body: bytes) -> None:
    """An error body in any other form is no message, and no exception."""
    with pytest.raises(Rejected) as caught:
        reply_in(Answered(400, body=body), ADVICE)
    assert caught.value.reply == Reply(400)


def test_long_messages_are_cut() -> None:
    """A desk's sentence is kept up to 500 characters."""
    with pytest.raises(Unclear) as caught:
        reply_in(Answered(500, body=json.dumps({"error": {"message": "x" * 900}}).encode()), ADVICE)
    assert len(caught.value.reply.message) == 500
