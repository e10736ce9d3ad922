"""Reads what a person kept of a delivery: its headers as some log or client wrote them, and when it came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from service.core.errors import Misconfigured

_LINE: Final = re.compile(r"(?:[<>] ?)?([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(.*?)[ \t]*")
_REQUEST: Final = re.compile(r"(?:> ?)?[A-Z]+ \S+ HTTP/[0-9.]+|HTTP/[0-9.]+ .*")
_SECONDS: Final = re.compile(r"[0-9]{1,11}(\.[0-9]+)?", re.ASCII)
Headers = tuple[tuple[bytes, bytes], ...]


def moment_in(text: str) -> int:
    """Return the moment that a person wrote, in milliseconds: seconds since 1970, or a time with its offset.

    Raises:
        Misconfigured: it is neither.
    """
    if _SECONDS.fullmatch(text):
        return round(float(text) * 1000)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise Misconfigured(["--at: is a time with its offset, like 2026-11-20T09:00:00Z, or seconds since 1970"])


def headers_in(said: Sequence[str], text: str) -> Headers:
    """Return headers as they arrived, in order: of `name: value` each, and of a file.

    A file has one a line, as clients and proxies log them (a request line and the marks of curl do no harm), or is a
    JSON object of names and values.

    Raises:
        Misconfigured: something of it is no header.
    """
    return (*_pairs(said, "--header"), *(_from_json(text) if text.lstrip().startswith("{") else _from_lines(text)))


def _from_lines(text: str) -> Iterator[tuple[bytes, bytes]]:
    lines = [line for line in text.splitlines() if line.strip(" \t<>") and not _REQUEST.fullmatch(line)]
    return _pairs(lines, "--headers")


def _from_json(text: str) -> Iterator[tuple[bytes, bytes]]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise Misconfigured(["--headers: begins with { and is not JSON"]) from None
    for name, values in said.items():
        lines = [f"{name}: {value}" for value in (values if isinstance(values, list) else [values])]
        yield from _pairs(lines, "--headers")


def _pairs(lines: Sequence[str], option: str) -> Iterator[tuple[bytes, bytes]]:
    for place, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise Misconfigured([f"{option}: header {place} of {len(lines)} is not written name: value"])
        yield found[1].lower().encode(), found[2].encode(errors="surrogateescape")
