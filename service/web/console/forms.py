"""How a form of the console is read: bounded, and only the way in which a browser sends one."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request

from service.core.errors import Malformed, TooLarge, WrongMediaType

MAX_FORM = 16 * 1024  # bytes: a reason, and two hundred letters to be told again
MAX_FIELDS = 256
FORM_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, or of a query, in order; a name may stand more than once."""

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)

    def get(self, name: str) -> str:
        """Return the first value of `name`, stripped; "" where there is none."""
        return next((value.strip() for known, value in self._fields if known == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return each value of `name`."""
        return tuple(value for known, value in self._fields if known == name)


def fields_in(text: str) -> Form:
    """Return the fields that stand in a form's body, or in a query.

    Raises:
        Malformed: there are too many.
    """
    try:
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace"))
    except ValueError:
        raise Malformed(f"A form has no more than {MAX_FIELDS} fields.") from None


async def read_form(request: Request) -> Form:
    """Return the form that a request brings.

    Raises:
        Malformed, TooLarge, WrongMediaType: it is none, or too large, in words.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE or "content-encoding" in request.headers:
        raise WrongMediaType(f"This takes a form: {FORM_TYPE}, without a content encoding.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM:
            raise TooLarge(f"A form has no more than {MAX_FORM // 1024} KiB.")
    try:
        return fields_in(body.decode("ascii"))
    except UnicodeDecodeError:
        raise Malformed("A form is percent-encoded: there are no other bytes than ASCII in it.") from None
