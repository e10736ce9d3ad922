"""The guard around the tests is up, and refuses what it should."""

import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.loopback import OffLoopback, refuse_off_loopback

# 192.0.2.0/24 and 2001:db8::/32 are kept for documentation: nobody answers there, should the guard be down


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")])
def test_other_machines_are_refused(family: socket.AddressFamily, host: str) -> None:
    """A socket that connects to another machine is refused before a packet leaves."""
    with socket.socket(family) as sock, pytest.raises(OffLoopback, match=host):
        sock.connect((host, 443))


def test_datagrams_are_refused() -> None:
    """A datagram to another machine is refused too."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(OffLoopback):
        sock.sendto(b"x", ("192.0.2.1", 53))


@pytest.mark.parametrize("ask", [lambda host: socket.getaddrinfo(host, 443), socket.gethostbyname])
def test_nobody_is_asked_for_names(ask: Callable[[str], object]) -> None:
    """A name that would have to be looked up is refused; one in .invalid is not known."""
    with pytest.raises(OffLoopback, match=r"api\.example\.com"):
        ask("api.example.com")
    with pytest.raises(socket.gaierror):
        ask("nobody.invalid")


@pytest.mark.parametrize("host", ["192.0.2.1", "api.example.com"])
async def test_libraries_do_not_go_round_it(host: str) -> None:
    """An HTTP client is refused as well, with an error that it does not take for a broken network."""
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises((OffLoopback, ExceptionGroup)) as refusal:
            await client.get(f"http://{host}/")
    refused = refusal.value.exceptions[0] if isinstance(refusal.value, ExceptionGroup) else refusal.value
    assert isinstance(refused, OffLoopback)


def test_this_machine_is_reached(tmp_path: Path) -> None:
    """Loopback and unix sockets are open: the tests' own Redis and sandbox are there."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1])).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.0.9", "::1", "::1%lo", "::ffff:127.0.0.1", "localhost"])
def test_what_is_this_machine(host: str) -> None:
    """Loopback addresses and localhost are this machine."""
    with socket.socket() as sock:
        refuse_off_loopback("socket.connect", (sock, (host, 1)))


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "::", "::ffff:10.0.0.1", "a.localhost", "web"])
def test_what_is_another_machine(host: str) -> None:
    """Private and link-local addresses, and names that only a resolver knows, are other machines."""
    with socket.socket() as sock, pytest.raises(OffLoopback):
        refuse_off_loopback("socket.connect", (sock, (host, 1)))
