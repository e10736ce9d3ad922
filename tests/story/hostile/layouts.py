"""Forged deliveries of any layout: what somebody could send who holds no secret of a system."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace

from service.core import model as m
from tests.sources.layouts import by_hand
from tests.sources.seats import OTHER_KEY, Seat
from tests.sources.senders import NOW, with_header

Forgery = tuple[str, m.Delivery]


def forgeries(seat: Seat, name: str, others: list[str], every: int = 1) -> Iterator[Forgery]:
    """Yield every forgery of what the system of a seat sent to the source `name`; of bodies one bit in `every`."""
    good = seat.delivery(name=name)
    yield from _turned(seat, good, every)
    yield from _cut(seat, good, every)
    yield from _tricks(seat, good)
    yield from _signed_otherwise(seat, good)
    for other in (*others, "unknown", name.upper(), f"{name} ", f"{name}\x00", "..", "%2e"):
        if other != name:
            yield "wrong source", replace(good, source=other)
    if seat.signature.timestamp_header:
        for away in (300_001, 3_600_000, 86_400_000):
            yield "too late", replace(good, received_at=NOW + away)
            yield "too early", replace(good, received_at=NOW - away)


def proving(seat: Seat) -> list[bytes]:
    """Return the headers that prove a delivery of a seat."""
    how = seat.signature
    return [it.encode() for it in dict.fromkeys((how.id_header, how.timestamp_header, how.header)) if it]


def _turned(seat: Seat, good: m.Delivery, every: int) -> Iterator[Forgery]:
    for bit in range(0, len(good.body) * 8, every):
        yield "bit of the body", replace(good, body=_flipped(good.body, bit))
    for name in proving(seat):
        value = good.header(name) or b""
        for bit in range(len(value) * 8):
            yield "bit of a header", with_header(good, name, _flipped(value, bit))


def _flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _cut(seat: Seat, good: m.Delivery, every: int) -> Iterator[Forgery]:
    for end in range(0, len(good.body), every):
        yield "cut body", replace(good, body=good.body[:end])
    for name in proving(seat):
        value = good.header(name) or b""
        for end in range(len(value)):
            yield "cut header", with_header(good, name, value[:end])
    for extra in (b" ", b"\n", b"\r\n", b"\x00", b"{}", b"\xef\xbb\xbf"):
        yield "longer body", replace(good, body=good.body + extra)
        yield "longer body", replace(good, body=extra + good.body)


def _tricks(seat: Seat, good: m.Delivery) -> Iterator[Forgery]:
    for name in proving(seat):
        value = good.header(name) or b""
        odd = [value + b"\n", b"\t" + value, value + b"\xa0", b'"' + value + b'"', b"", b" "]
        # among several parts of a header a good signature may stand beside junk
        odd += [] if seat.signature.separator else [value * 2]
        for values in ((), (value, value), (value, b""), (b"", value), (value, b"x"), *((it,) for it in odd)):
            yield "header otherwise", with_header(good, name, *values)
        for alias in (
            name.replace(b"-", b"_"),
            b"y-" + name,
            b"svix-signature",
            b"webhook-signature",
            b"authorization",
        ):
            if alias != name:
                renamed = tuple((alias if key == name else key, it) for key, it in good.headers)
                yield "header by another name", replace(good, headers=renamed)


def _signed_otherwise(seat: Seat, good: m.Delivery) -> Iterator[Forgery]:
    """Macs that are none: another key, the key as it is not meant, another hash, another content, or another form."""
    how, body = seat.signature, good.body
    text = seat.secret.removeprefix("whsec_").encode()
    decoded = base64.b64decode(text)
    is_decoded = how.key == "base64" or seat.secret.startswith("whsec_")
    key = decoded if is_decoded else text
    wrong = [b"", b"\x00" * 32, OTHER_KEY.encode(), key[:-1], key + b"\x01", key.hex().encode(), b"secret"]
    wrong.append(text if is_decoded else decoded)
    for other in wrong:
        yield "another key", _resigned(good, by_hand(how, other, "msg_1", NOW, body))
    forms = (
        {"encoding": "hex" if how.encoding == "base64" else "base64"},
        {"prefix": "v9="},
        {"prefix": how.prefix + " "},
    )
    digests = [{"digest": name} for name in ("sha1", "sha256", "sha512") if name != how.digest]
    contents = [{"content": said} for said in ("{body}", "v0:{body}", "{body}\n") if said != how.content]
    for changes in (*forms, *digests, *contents):
        # a system whose signatures have another form entirely: made by hand, since such settings may be a fault
        changed = how.model_copy(update=changes)
        yield "signed otherwise", _resigned(good, by_hand(changed, key, "msg_1", NOW, body))
    for plain in (
        hashlib.sha256(key + body),
        hashlib.sha256(body + key),
        hashlib.sha256(body),
        hmac.new(b"", body, "md5"),
    ):
        for said in (plain.hexdigest(), base64.b64encode(plain.digest()).decode()):
            yield "no mac", with_header(good, how.header.encode(), (how.prefix + said).encode())


def _resigned(good: m.Delivery, headers: dict[str, str]) -> m.Delivery:
    for name, value in headers.items():
        good = with_header(good, name.encode(), value.encode())
    return good
