"""What `onhook sign` and `onhook verify` do: sign as a sender would, and say in words why a delivery is not believed.

Neither asks anybody anything: no Redis, no network. No secret is ever part of what they return.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from service import settings
from service.core import model as m
from service.core.errors import Misconfigured, Refused
from service.core.ports import Source
from service.sources.diagnosis import Diagnosis, Known, diagnose, proof_of, span
from service.sources.options import SourceOptions
from service.web.front import MAX_BODY
from service.wiring.captured import Headers, moment_in
from service.wiring.machine import SystemClock, SystemDice
from service.wiring.previewing import built
from service.wiring.secret import known_sources, options_of

_NAMES: Final[Mapping[m.SelectorKind, str]] = {
    m.SelectorKind.PARTICIPANT_ID: "the participant",
    m.SelectorKind.PHONE: "whoever has the number",
    m.SelectorKind.USER_ID: "the user",
    m.SelectorKind.EXTERNAL_CONTACT_ID: "the external contact",
    m.SelectorKind.COMMUNICATION_ID: "only the leg",
    m.SelectorKind.PURPOSE: "the one person with the purpose",
    m.SelectorKind.ATTRIBUTE: "the one person with the attribute",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """How a delivery is sent that the source believes: to which address, under which headers."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a body asks.

    Attributes:
        what: `removal`, `ignored` or `refused`.
        sentence: in words: who would leave which conversation, or why nothing would be done.
    """

    what: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of one delivery: whether it is believed, and what it asks, believed or not."""

    diagnosis: Diagnosis
    asked: tuple[Asked, ...]
    warnings: tuple[str, ...]


def sign(name: str, body: bytes, delivery_id: str, at: str) -> Signed:
    """Return how a sender proves `body` to the source `name`, as its first secret signs it.

    Args:
        name: its configured name.
        body: the bytes that are sent.
        delivery_id: the id that is signed, where the source signs one; "" makes one.
        at: the moment that is signed; "" is now.

    Raises:
        Misconfigured: the settings cannot be used, there is no such source, or it shows its secret: none is printed.
    """
    said, clock = settings.read(), SystemClock()
    options = options_of(said, name)
    proof = proof_of(options)
    if proof.layout is None:
        raise Misconfigured([f"source {name} shows its secret instead of signing, and no secret is printed here"])
    moment = moment_in(at) if at else clock.now()
    try:
        proved = proof.proved(options.keys[0], delivery_id or f"msg_{SystemDice(clock).token()}", moment, body)
    except ValueError as fault:
        raise Misconfigured([f"--id: {fault}"]) from None
    taken = built(name, options, clock, AsyncExitStack()).media_types
    media_type = min(taken) if body.lstrip().startswith(b"{") else max(taken)  # JSON, or the form that takes it too
    return Signed(f"{said.doors.reached.rstrip('/')}/webhooks/{name}", {"content-type": media_type, **proved})


async def examine(name: str, headers: Headers, body: bytes, at: str, query: str = "") -> Examined:
    """Return whether the source `name` believes a delivery, else why not; and what its body asks.

    Args:
        name: its configured name.
        headers: as they arrived.
        body: the bytes that arrived.
        at: when it arrived; "" is now.
        query: what stood behind the `?` of the address.

    Raises:
        Misconfigured: the settings cannot be used, or there is no such source.
    """
    said, clock = settings.read(), SystemClock()
    options = options_of(said, name)
    delivery = m.Delivery(name, headers, body, moment_in(at) if at else clock.now(), query.encode())
    others = [_known(other, its) for other, its in known_sources(said).items() if other != name]
    diagnosis = diagnose(_known(name, options), others, delivery)
    async with AsyncExitStack() as stack:
        source = built(name, options, clock, stack)
        return Examined(
            diagnosis,
            tuple(_asked(source, delivery, diagnosis, options)),
            tuple(_warnings(source, delivery)),
        )


def _known(name: str, options: SourceOptions) -> Known:
    return Known(name, proof_of(options), tuple(one.get_secret_value() for one in options.secrets))


def _warnings(source: Source, delivery: m.Delivery) -> Iterator[str]:
    """Say what the door would object to before anybody looks at a signature."""
    if len(delivery.body) > MAX_BODY:
        yield f"the body has {len(delivery.body)} bytes, and the door takes {MAX_BODY}: it is refused (413)"
    declared = [value.decode("latin-1") for name, value in delivery.headers if name == b"content-type"]
    media_type = declared[0].partition(";")[0].strip().lower() if len(declared) == 1 else ""
    if declared and media_type not in source.media_types:
        yield f"the content type is not one that this source takes ({', '.join(sorted(source.media_types))}): 415"


def _asked(source: Source, delivery: m.Delivery, diagnosis: Diagnosis, options: SourceOptions) -> Iterator[Asked]:
    # what is not believed is read as well: its sender wants to know everything that is wrong with it
    verified = diagnosis.verified or m.Verified("", delivery.received_at, "")
    try:
        found = source.parse(delivery, verified)
    except Refused as fault:
        yield Asked("refused", f"it is refused ({fault.status} {fault.code}): {fault}")
        return
    for one in [part.asked for part in found.parts] if isinstance(found, m.Batch) else [found]:
        if isinstance(one, str):
            yield Asked("refused", f"it is refused: {one}")
        elif isinstance(one, m.Ignored):
            yield Asked("ignored", f"it is ignored: {one.reason}")
        else:
            yield Asked("removal", _wish(one, delivery, options))


def _wish(removal: m.Removal, delivery: m.Delivery, options: SourceOptions) -> str:
    """Return in words what is asked; of numbers and attributes as much as anybody may read."""
    who = f"{_NAMES[removal.selector.kind]} {removal.selector.masked.value}"
    if removal.identity:
        who += f", who is to be {_NAMES[removal.identity.kind]} {removal.identity.masked.value} as well,"
    if removal.medium:
        who += f" with a leg of {removal.medium.value}"
    by = f", by {removal.requester}" if removal.requester else ""
    ticket = removal.ticket
    named = f" ({ticket.label})" if ticket and ticket.label else ""
    told = f"; the outcome is told to {ticket.reference}{named}" if ticket else "; it names no ticket"
    clicked_at = min(removal.event_at or delivery.received_at, delivery.received_at)
    age = (delivery.received_at - clicked_at) / 1000
    late = f"; it is too late: {options.max_age:g} s are allowed, so it expires" if age > options.max_age else ""
    nobody = " It is a preview: nobody is removed." if removal.preview else ""
    if options.mode == "shadow":
        nobody += " The source is in shadow: nobody is removed."
    return (
        f"it asks that {who} leaves conversation {removal.conversation_id}{by}, clicked at {_moment(clicked_at)}, "
        f"{span(age)} before it arrived{late}{told}.{nobody}"
    )


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
