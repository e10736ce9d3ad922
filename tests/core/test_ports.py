"""Ports are types only: what their methods promise is all they have."""

import inspect
from typing import Protocol

import pytest

from service.core import ports

PORTS = [it for _, it in inspect.getmembers(ports, inspect.isclass) if it.__module__ == ports.__name__]


@pytest.mark.parametrize("port", PORTS)
def test_each_port_says_what_it_promises(port: type) -> None:
    """Every port is a protocol, and it and each of its methods say what a caller may rely on."""
    assert Protocol in port.__mro__
    assert inspect.getdoc(port)
    methods = {name: it for name, it in vars(port).items() if not name.startswith("_")}
    assert methods
    for name, method in methods.items():
        assert (inspect.getdoc(method) or "").partition("\n")[0].endswith((".", ":")), name


def test_the_ports_of_the_design() -> None:
    """There are ten ports and no more."""
    of_the_world = {"Store", "Refusals", "Genesys", "Source", "Budget", "Archive", "Agenda"}
    assert {port.__name__ for port in PORTS} == of_the_world | {"Waiter", "Clock", "Dice"}


def test_genesys_can_be_looked_at_and_asked_for_one_removal() -> None:
    """Nothing else can be asked of Genesys, so nothing that drops a conversation can be."""
    assert {name for name in vars(ports.Genesys) if not name.startswith("_")} == {"look", "disconnect"}
