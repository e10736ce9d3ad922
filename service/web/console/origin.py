"""Whether a request comes from a page of ours, in a browser that knows where it is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers

# as a browser writes the host of an address: a name, or numbers, or IPv6 in brackets; then perhaps a port
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{1,5})?", re.ASCII)
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


def name_in(host: str) -> str:
    """Return the name in a Host header, without its port and in lower case; "" where it is none."""
    found = _HOST.fullmatch(host.lower())
    return found[1] if found else ""


def is_ours(headers: Headers, hosts: frozenset[str]) -> bool:
    """Whether the Host header names us. A stranger's name that leads to our address would make his pages ours."""
    return name_in(headers.get("host", "")) in hosts


def is_from_us(headers: Headers, hosts: frozenset[str]) -> bool:
    """Whether a form was sent by a page of ours: by its Origin, which each browser sends with one, exactly once.

    A proxy may have changed Host: then the Origin is one of `hosts` that is not this machine's, on its scheme's own
    port. Where the browser also says what the page is to us (over https, and on this machine), it says the same.
    """
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    if len(origins) != 1 or (sites and sites != ["same-origin"]):
        return False
    try:
        parts = urlsplit(origins[0])
        has_port = parts.port is not None
    except ValueError:  # half an IPv6 address, or a port that is none
        return False
    if parts.scheme not in {"http", "https"}:
        return False
    if parts.netloc.lower() == headers.get("host", "").lower():
        return True
    return not has_port and name_in(parts.netloc) in hosts - LOCAL
