"""Sockets opened before anything else: a taken port is said in words, and early."""

from __future__ import annotations

import socket

from service.core.errors import Misconfigured
from service.settings import split_address, url_of
from service.web.protocol import listener


def listening(address: str, way_out: str = "set another address under [doors]") -> socket.socket:
    """Return a socket that listens at `host:port`; port 0 takes a free one.

    Raises:
        Misconfigured: it cannot listen there, in words; `way_out` is what to do if it is to be so.
    """
    try:
        return listener(*split_address(address))
    except Misconfigured as fault:
        raise Misconfigured([f"{said}; end what listens there, or {way_out}" for said in fault.faults]) from fault


def address_of(sock: socket.socket) -> str:
    """Return the URL by which this machine reaches a listening socket."""
    host, port = sock.getsockname()[:2]
    return url_of(f"{host}:{port}")
