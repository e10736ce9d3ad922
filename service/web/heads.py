"""What a head must be, so that nobody before us has read the request in another way than we do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

# what RFC 3986 lets a host and a port be, without the comma: a list of hosts is not one
_HOST: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+;=:\[\]-]*")


def fault_in(headers: Sequence[tuple[bytes, bytes]], version: str, target: bytes, *, is_upgrade: bool) -> str:
    """Return what is wrong with a head, or "".

    Args:
        headers: (name, value), names lower-case.
        version: of HTTP, as `1.1`.
        target: as it stands in the first line.
        is_upgrade: whether the parser takes it for the end of HTTP.
    """
    hosts = encodings = 0
    host = encoding = b""
    has_length = False
    for name, value in headers:  # in one pass: under load this is done for what is refused as well
        if name == b"host":
            hosts, host = hosts + 1, value
        elif name == b"transfer-encoding":
            encodings, encoding = encodings + 1, value
        elif name == b"content-length":
            has_length = True
        elif name == b"upgrade":
            is_upgrade = True
    if version not in {"1.0", "1.1"}:
        return "the version is not HTTP/1.0 or HTTP/1.1"
    if hosts != 1 or not _HOST.fullmatch(host):
        return "there must be exactly one Host header, with one host in it"
    if encodings and version == "1.0":
        return "chunks are not HTTP/1.0"
    if encodings and (encodings > 1 or encoding.strip().lower() != b"chunked" or has_length):
        return "the length of the body is said in more than one way"
    if is_upgrade:
        return "no other protocol is spoken here"
    is_path = target.startswith(b"/") and not target.startswith(b"//") and b"#" not in target
    return "" if is_path else "the target must be a path"
