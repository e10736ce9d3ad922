"""A form is read in one way, and never without a bound."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.types import Message

from service.core.errors import Malformed, Refused, TooLarge, WrongMediaType
from service.web.console.forms import FORM_TYPE, MAX_FIELDS, MAX_FORM, Form, fields_in, read_form


async def read(*pieces: bytes, kind: str = FORM_TYPE, **headers: str) -> Form:
    """Read a form that comes in pieces."""
    sent = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    left = list(pieces)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    return await read_form(Request({"type": "http", "method": "POST", "headers": raw}, receive))


async def test_fields() -> None:
    """Fields come in order, percent-decoded; a name may stand more than once; what is not there is empty."""
    form = await read(b"why=a+%C3%BC&report=1&rep", b"ort=2&empty=", kind=f"{FORM_TYPE}; charset=UTF-8")
    assert (form.get("why"), form.get("report"), form.all("report")) == ("a ü", "1", ("1", "2"))
    assert (form.get("empty"), form.get("none"), form.all("none"), form.all("empty")) == ("", "", (), ("",))
    assert (await read(b"a=%20+x+")).get("a") == "x"


@pytest.mark.parametrize(
    "body, more, fault",
    [
        (b"a=" + b"x" * MAX_FORM, {}, TooLarge),
        (b"&".join([b"a=1"] * (MAX_FIELDS + 1)), {}, Malformed),
        ("a=ü".encode(), {}, Malformed),
        (b"a=1", {"kind": "application/json"}, WrongMediaType),
        (b"a=1", {"kind": "multipart/form-data; boundary=x"}, WrongMediaType),
        (b"a=1", {"kind": ""}, WrongMediaType),
        (b"a=1", {"content_encoding": "gzip"}, WrongMediaType),
    ],
)
async def test_what_is_no_form(body: bytes, more: dict[str, str], fault: type[Refused]) -> None:
    """What is too long, of another type or of other bytes is refused in words."""
    with pytest.raises(fault):
        await read(body, **more)


def test_bytes_that_are_no_text() -> None:
    """What percent-encodes no text is replaced, in a form as in a query."""
    assert fields_in("q=%ff%00").get("q") == "\ufffd\x00"
    assert Form().get("q") == ""
