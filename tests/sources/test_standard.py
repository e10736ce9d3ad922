"""Standard Webhooks: what is asked in the sender's words, and whether an outcome goes back (`test_outcome.py`)."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from service.core import model as m
from service.core.errors import Rejected, Unreadable
from tests.sources import senders
from tests.sources.senders import (
    NOTE,
    NOW,
    SETTLED,
    SYS_ID,
    TICKET,
    VERIFIED,
    Outdoors,
    built,
    delivery,
    flat,
    own,
)

REPORT = replace(senders.REPORT, channel="webhook")
SILENT: dict[str, object] = {"outcome_url": ""}


def removal(body: bytes, **changes: object) -> m.Removal:
    """Return the removal that a body asks for."""
    found = built("standard", **changes).parse(delivery(body), VERIFIED)
    assert isinstance(found, m.Removal)
    return found


def test_sample() -> None:
    """The documented body is read with its ticket, requester and time."""
    found = removal(own())
    assert (found.ticket, found.requester, found.event_at) == (TICKET, "beth.anglin", NOW)


@pytest.mark.parametrize(
    "changes, ticket",
    [
        ({"ticket": "OPS-7"}, m.Ticket("OPS-7")),
        ({"ticket": "OPS-7", "number": "7"}, m.Ticket("OPS-7", "7")),
        ({"number": "INC0010112"}, m.Ticket("INC0010112", "INC0010112")),
        ({"table": "incident", "sys_id": SYS_ID}, m.Ticket(f"incident/{SYS_ID}")),
        ({"ticket": ""}, None),
        ({}, None),
    ],
)
def test_tickets_in_the_senders_words(changes: dict[str, object], ticket: m.Ticket | None) -> None:
    """A ticket is whatever the sender calls it: it comes back in the outcome and goes nowhere else."""
    assert removal(flat(**changes)).ticket == ticket


def test_tickets_have_bounds() -> None:
    """A ticket's name has 200 characters at most, and no control characters."""
    assert removal(flat(ticket="x" * 200, number="y" * 80)).ticket == m.Ticket("x" * 200, "y" * 80)
    for bad in ("x" * 201, "a\nb", 7):
        with pytest.raises(Unreadable):
            removal(flat(ticket=bad))
    for name in ("table", "sys_id", "number"):
        with pytest.raises(Unreadable, match="at most 80"):
            removal(flat(**{name: "x" * 81}))


def test_only_the_body_says_when() -> None:
    """The stamp of a sender that stamps each retry anew is not the click: without a time in the body it is refused."""
    with pytest.raises(Unreadable, match="timestamp is missing"):
        removal(flat(timestamp=None))
    assert removal(flat(timestamp=None), untimed="accept").event_at is None
    assert removal(flat(), untimed="accept").event_at == NOW


def test_time_in_a_zone() -> None:
    """A time without an offset is taken where the source names its zone."""
    assert removal(flat(timestamp="2026-11-20T10:00:00"), time_zone="Europe/Berlin").event_at == NOW


def test_our_own_event_is_not_for_us() -> None:
    """An outcome of ours that is sent back to us is authentic, and ignored."""
    source = built("standard")
    assert isinstance(source.parse(delivery(b'{"type":"removal.settled","data":{}}'), VERIFIED), m.Ignored)


async def test_no_address_no_way_out() -> None:
    """Without an address nothing is opened or posted, and old reports are final."""
    silences: list[dict[str, object]] = [SILENT, {"reports": []}]
    for silent in silences:
        outdoors = Outdoors()
        source = built("standard", outdoors, **silent)
        assert (source.terms.channels, outdoors.rules) == ((), [])
        with pytest.raises(Rejected, match="nothing is told by webhook"):
            await source.tell(REPORT, SETTLED, NOTE)


def test_reports_follow_the_address() -> None:
    """An address alone is enough to be told; reports without one are a fault in words."""
    assert built("standard").terms.channels == ("webhook",)
    assert built("standard", reports=["webhook"]).terms.channels == ("webhook",)
    assert built("standard", reports=None, **SILENT).terms.channels == ()
    with pytest.raises(ValidationError, match="outcome_url: needed to post outcomes"):
        built("standard", reports=["webhook"], **SILENT)
    with pytest.raises(ValidationError):
        built("standard", reports=["ticket"])
