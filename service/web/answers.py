"""The form that every answer of a door has: JSON, a length, and no guessing about its type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

import orjson
from starlette.responses import Response

# a browser that is shown an answer must not find a page in it
_ALWAYS = {"X-Content-Type-Options": "nosniff"}


def answered(status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with `body` as it is; it may be sent more than once."""
    return Response(body, status, {**_ALWAYS, **(headers or {}), "Content-Type": media_type})


def json_answer(
    status: int,
    content: object,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return `content` as JSON."""
    return answered(status, orjson.dumps(content), media_type, headers)


def moment(at: int) -> str | None:
    """Return milliseconds since the epoch as RFC 3339 with milliseconds; None for 0, which means not yet."""
    if not at:
        return None
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


class Plain(NamedTuple):
    """An answer as it is written where no app answers: the head up to the headers of the moment, and the body."""

    head: bytes
    body: bytes

    def written(self, *headers: tuple[bytes, bytes]) -> bytes:
        """Return it with headers of the moment."""
        return b"\r\n".join([self.head, *(b"%b: %b" % header for header in headers), b"", self.body])


def plain(response: Response) -> Plain:
    """Return an answer as it is written."""
    line = f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()
    lines = (line, *(b"%b: %b" % header for header in response.raw_headers))
    return Plain(b"\r\n".join(lines), bytes(response.body))
