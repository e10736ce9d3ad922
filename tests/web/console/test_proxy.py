"""A proxy is believed when it is the proxy; whoever else says who he is, is turned away."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from service.web.console import troubles
from service.web.console.proxy import Proxy
from service.web.console.sessions import Role
from service.web.console.troubles import Trouble, TurnedAway

SECRET = "a secret of the proxy, 24+"
NETWORKS = (ip_network("10.1.2.3/32"), ip_network("fd00::/64"))
PROXY = Proxy("x-user", NETWORKS, SECRET, frozenset({"beth@acme.example"}), frozenset({"vera"}))
TOLD = ("x-onhook-proxy-secret", SECRET)


def request(*fields: tuple[str, str], peer: tuple[str, int] | None = ("10.1.2.3", 4711)) -> Request:
    """Return a request from an address."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in fields]
    return Request({"type": "http", "method": "GET", "headers": raw, "client": peer})


@pytest.mark.parametrize(
    "name, role",
    [("beth@acme.example", Role.OPERATOR), ("Beth@ACME.example", Role.OPERATOR), ("vera", Role.VIEWER)],
)
def test_people_it_names(name: str, role: Role) -> None:
    """Whom the proxy names is in, with the role of the settings, in one way to write his name."""
    assert PROXY.named(request(("x-user", name), TOLD)) == (name.lower(), role)
    assert PROXY.named(request(("x-user", name), TOLD, peer=("fd00::7", 1))) == (name.lower(), role)


def test_nobody_is_named() -> None:
    """Where nobody is named there is nothing to believe, from wherever it comes: the way of tokens is open."""
    assert PROXY.named(request(peer=("192.0.2.1", 1))) is None


def test_anybody_may_look() -> None:
    """With a star among the viewers, whom the proxy lets through may look, and not more."""
    proxy = Proxy("x-user", NETWORKS, "", frozenset({"beth"}), frozenset({"*"}))
    assert proxy.named(request(("x-user", "ann"))) == ("ann", Role.VIEWER)
    assert proxy.named(request(("x-user", "beth"))) == ("beth", Role.OPERATOR)


STRANGERS: list[tuple[str, Request]] = [
    ("another address", request(("x-user", "vera"), TOLD, peer=("10.1.2.4", 1))),
    ("this machine", request(("x-user", "vera"), TOLD, peer=("127.0.0.1", 1))),
    ("no address", request(("x-user", "vera"), TOLD, peer=None)),
    ("a socket in the file system", request(("x-user", "vera"), TOLD, peer=("", 0))),
    (
        "an address in a header",
        request(("x-user", "vera"), TOLD, ("x-forwarded-for", "10.1.2.3"), peer=("10.9.9.9", 1)),
    ),
    ("without the secret", request(("x-user", "vera"))),
    ("a wrong secret", request(("x-user", "vera"), (TOLD[0], SECRET + "x"))),
    ("bytes for a secret", request(("x-user", "vera"), (TOLD[0], "\xff"))),
    ("two secrets", request(("x-user", "vera"), TOLD, TOLD)),
]


@pytest.mark.parametrize("asked", [one for _, one in STRANGERS], ids=[name for name, _ in STRANGERS])
def test_strangers(asked: Request) -> None:
    """From another address, or without its secret, nobody is who the header says, and he hears why."""
    assert refused(asked) is troubles.NOT_THE_PROXY


@pytest.mark.parametrize("name", ["ann", "", "ve ra", "vera\t", "véra", "a" * 101, "vera,beth@acme.example"])
def test_people_it_does_not_know(name: str) -> None:
    """Who has no role, or a name that the audit could not show as it is, is not admitted."""
    assert refused(request(("x-user", name), TOLD)) is troubles.UNKNOWN_PERSON


def test_two_names() -> None:
    """Who is named twice is nobody."""
    assert refused(request(("x-user", "vera"), ("x-user", "vera"), TOLD)) is troubles.UNKNOWN_PERSON


def refused(asked: Request) -> Trouble:
    """Return why somebody is turned away."""
    with pytest.raises(TurnedAway) as caught:
        PROXY.named(asked)
    return caught.value.trouble
