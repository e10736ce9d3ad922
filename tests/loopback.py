"""No test reaches another machine: a live org cannot be called by mistake, whatever library tries."""

import ipaddress
import socket

ADDRESSED = {"socket.connect", "socket.sendto", "socket.sendmsg"}
NAMED = {"socket.getaddrinfo", "socket.gethostbyname"}


class OffLoopback(RuntimeError):
    """A test tried to reach another machine. No OSError: what handles a broken network must not handle this."""


def refuse_off_loopback(event: str, args: tuple[object, ...]) -> None:
    """Let a socket reach this machine only; a name in .invalid is not known, without asking anybody.

    Raises:
        OffLoopback: the address or the name is another machine's.
        socket.gaierror: the name ends in .invalid.
    """
    if event in ADDRESSED:
        sock, address = args[0], args[1]
        internet = isinstance(sock, socket.socket) and sock.family in {socket.AF_INET, socket.AF_INET6}
        if internet and isinstance(address, tuple) and not is_here(str(address[0])):
            message = f"{event} to {address[0]}: tests reach this machine only (127.0.0.0/8, ::1, unix sockets)"
            raise OffLoopback(message)
    elif event in NAMED:
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        if isinstance(host, str) and host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known")
        if isinstance(host, str) and not is_here(host) and not is_address(host):
            message = f"{event} of {host}: tests ask nobody for names; localhost is known"
            raise OffLoopback(message)


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    if not is_address(host):
        return host in {"", "localhost"}
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_address(host: str) -> bool:
    """Whether a host is written as an address: what may be bound or parsed, though not reached."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
