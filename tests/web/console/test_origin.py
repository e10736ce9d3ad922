"""Only a page of ours, reached by a name of ours, can send a form."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from service.web.console.origin import LOCAL, is_from_us, is_ours, name_in

HOSTS = LOCAL | {"console.example", "[fd00::1]"}
HERE = "localhost:8081"


def headers(*fields: tuple[str, str]) -> Headers:
    """Return headers, in order."""
    return Headers(raw=[(name.encode(), value.encode("latin-1")) for name, value in fields])


@pytest.mark.parametrize(
    "host, name",
    [
        ("localhost", "localhost"),
        ("LocalHost:8081", "localhost"),
        ("127.0.0.1:65535", "127.0.0.1"),
        ("[::1]:8081", "[::1]"),
        ("console.example", "console.example"),
        ("", ""),
        ("localhost:", ""),
        ("localhost:a", ""),
        ("localhost:80:80", ""),
        ("a@localhost", ""),
        ("localhost/", ""),
        ("::1", ""),
        ("localhost\n", ""),
    ],
)
def test_names(host: str, name: str) -> None:
    """A host is a name and perhaps a port; anything else has no name."""
    assert name_in(host) == name


@pytest.mark.parametrize(
    "host, is_it",
    [
        ("localhost:8081", True),
        ("127.0.0.1:8081", True),
        ("[::1]:8081", True),
        ("console.example", True),
        ("Console.Example:443", True),
        ("[fd00::1]:8081", True),
        ("rebound.evil.example:8081", False),
        ("console.example.evil.example", False),
        ("xlocalhost", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0:8081", False),
        ("", False),
    ],
)
def test_strangers_names(host: str, is_it: bool) -> None:
    """A name that a stranger made lead to our address is not ours."""
    assert is_ours(headers(("host", host)), HOSTS) is is_it


def test_no_host() -> None:
    """Without a host nobody is meant."""
    assert is_ours(headers(), HOSTS) is False


@pytest.mark.parametrize(
    "fields, is_it",
    [
        ([("origin", f"http://{HERE}")], True),
        ([("origin", f"http://{HERE}"), ("sec-fetch-site", "same-origin")], True),
        ([("origin", "https://console.example")], True),  # a proxy changed the host
        ([("origin", "https://LOCALHOST:8081")], True),
        ([("origin", "https://console.example:8443")], False),
        ([("origin", "https://console.example:x")], False),
        ([("origin", "http://localhost")], False),
        ([], False),
        ([("origin", "null")], False),
        ([("origin", "")], False),
        ([("origin", "http://localhost:9999")], False),  # another program's page on this machine
        ([("origin", "http://127.0.0.1:8081")], False),
        ([("origin", "https://evil.example")], False),
        ([("origin", f"http://{HERE}.evil.example")], False),
        ([("origin", f"http://{HERE}"), ("origin", "https://evil.example")], False),
        ([("origin", f"http://{HERE}"), ("sec-fetch-site", "cross-site")], False),
        ([("origin", f"http://{HERE}"), ("sec-fetch-site", "same-site")], False),
        ([("origin", f"http://{HERE}"), ("sec-fetch-site", "none")], False),
        ([("origin", f"http://{HERE}"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")], False),
        ([("origin", f"file://{HERE}")], False),
        ([("origin", "http://[::1")], False),
        ([("origin", f"http://u@{HERE}")], False),
    ],
)
def test_where_a_form_comes_from(fields: list[tuple[str, str]], is_it: bool) -> None:
    """A form is ours when its Origin is us, said once, and nothing else says otherwise."""
    assert is_from_us(headers(("host", HERE), *fields), HOSTS) is is_it
