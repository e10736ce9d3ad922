"""A port that cannot be had is said in words, before anything else is opened."""

from __future__ import annotations

import socket

import pytest

from service.core.errors import Misconfigured
from service.wiring.listening import address_of, listening


@pytest.mark.parametrize("address, begins", [("127.0.0.1:0", "http://127.0.0.1:"), ("0.0.0.0:0", "http://127.0.0.1:")])
def test_listens(address: str, begins: str) -> None:
    """A socket listens at once, and is named as this machine reaches it."""
    with listening(address) as sock:
        assert address_of(sock).startswith(begins)
        socket.create_connection(("127.0.0.1", sock.getsockname()[1])).close()


def test_ipv6() -> None:
    """An address of version six is written in brackets; all of its interfaces are reached by the loopback one."""
    if not socket.has_ipv6:
        pytest.skip("needs IPv6")
    for address in ("::1:0", ":::0"):
        with listening(address) as sock:
            assert address_of(sock).startswith("http://[::1]:")


def test_taken() -> None:
    """A taken port is said in words, with what to do."""
    with listening("127.0.0.1:0") as sock:
        port = sock.getsockname()[1]
        with pytest.raises(Misconfigured) as caught:
            listening(f"127.0.0.1:{port}")
        with pytest.raises(Misconfigured, match=r"or choose another$"):
            listening(f"127.0.0.1:{port}", "choose another")
    (sentence,) = caught.value.faults
    assert sentence.startswith(f"cannot listen on 127.0.0.1, port {port}: Address already in use; end what listens")
    assert sentence.endswith("set another address under [doors]")
