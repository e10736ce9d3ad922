"""What a person kept of a delivery is read however it was written down, and what is no header is said."""

from __future__ import annotations

import pytest

from service.core.errors import Misconfigured
from service.wiring.captured import headers_in, moment_in

NOW = 1_795_165_200_000


@pytest.mark.parametrize(
    "text, at",
    [
        ("1795165200", NOW),
        ("1795165200.25", NOW + 250),
        ("2026-11-20T09:00:00Z", NOW),
        ("2026-11-20T10:00:00.250+01:00", NOW + 250),
        ("2026-11-20 09:00:00+00:00", NOW),
    ],
)
def test_moments(text: str, at: int) -> None:
    """A moment is seconds since 1970, or a time with its offset."""
    assert moment_in(text) == at


@pytest.mark.parametrize("text", ["", "now", "2026-11-20T09:00:00", "1795165200123", "2026-02-31T00:00:00Z", "٣", "-1"])
def test_no_moments(text: str) -> None:
    """Everything else is said to be no moment: a time without its offset is not guessed at."""
    with pytest.raises(Misconfigured, match="--at: is a time with its offset"):
        moment_in(text)


def test_headers_in_order() -> None:
    """Headers keep their order, repeated ones stay repeated, and names are small; those of the command come first."""
    found = headers_in(["X-B: 2 ", "x-a:1"], "X-A:  3\r\nx-a: 4: 5\n")
    assert found == ((b"x-b", b"2"), (b"x-a", b"1"), (b"x-a", b"3"), (b"x-a", b"4: 5"))


def test_headers_as_tools_log_them() -> None:
    """What curl -v and a proxy print is read: the request line, the marks and empty lines do no harm."""
    text = "> POST /webhooks/desk HTTP/1.1\n> Host: x\n> X-A: 1\n>\n\n"
    text += "POST /a HTTP/2\nX-B: é\nHTTP/1.1 202 Accepted\n< X-C:\n"
    assert headers_in([], text) == ((b"host", b"x"), (b"x-a", b"1"), (b"x-b", "é".encode()), (b"x-c", b""))


def test_headers_as_json() -> None:
    """A JSON object of headers is read, lists as repeated headers."""
    assert headers_in([], ' {"X-A": "1", "X-B": ["2", "3"]}') == ((b"x-a", b"1"), (b"x-b", b"2"), (b"x-b", b"3"))


@pytest.mark.parametrize(
    "said, text, why",
    [
        (["no colon"], "", "--header: header 1 of 1 is not written name: value"),
        ([], "a: 1\nb c: 2", "--headers: header 2 of 2 is not written name: value"),
        ([], "{", "--headers: begins with { and is not JSON"),
        ([], "{" + '"a":[' * 90_000, "--headers: begins with { and is not JSON"),
        ([], '{"a b": 1}', "--headers: header 1 of 1 is not written name: value"),
        ([], '{"a": "1\\n2"}', "--headers: header 1 of 1 is not written name: value"),
    ],
)
def test_no_headers(said: list[str], text: str, why: str) -> None:
    """What is no header is said, with its place; what it holds is not repeated."""
    with pytest.raises(Misconfigured) as caught:
        headers_in(said, text)
    assert caught.value.faults == (why,)


def test_bytes_that_are_no_text() -> None:
    """A value that was no UTF-8 when it was read is the same bytes again."""
    assert headers_in([], b"x-a: \xff".decode(errors="surrogateescape")) == ((b"x-a", b"\xff"),)
