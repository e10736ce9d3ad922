"""What passes between the services is plain and survives odd input."""

import pytest

from service.sandbox.exchange import json_answer, read_json


def test_json_answers_are_ascii() -> None:
    """Half a surrogate pair does not break an answer."""
    assert json_answer(200, {"name": "\ud800é"}).body == b'{"name":"\\ud800\\u00e9"}'


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000, b'{"a":1}x'])
def test_unreadable_json_is_a_value_error(body: bytes) -> None:
    """Whatever is wrong with a body, it is a ValueError and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 -- that it is one is the whole promise
        read_json(body)
