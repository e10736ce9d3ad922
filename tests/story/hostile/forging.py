"""Forged deliveries, each with the kind of trick it is: what somebody could send who holds no secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace

from service.core import model as m
from tests.sources.senders import NOW, OTHER_SECRET, SECRET, delivery, flat, key_of, own, signature, with_header

ID, STAMP, SIGNATURE = NAMES = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
MINUTES_5 = 300_000
Forgery = tuple[str, m.Delivery]


def honest(body: bytes, source: str = "desk") -> m.Delivery:
    """Return a delivery that its source signed."""
    secret = {"desk": SECRET, "hooks": OTHER_SECRET}[source]
    return replace(delivery(body, secret=secret), source=source)


def bodies() -> list[bytes]:
    """Return the bodies that are tampered with: both forms."""
    return [flat(), own()]


def forgeries(good: m.Delivery) -> Iterator[Forgery]:
    """Yield every forgery of one honest delivery."""
    yield from _turned(good)
    yield from _cut(good)
    yield from _tricks(good)
    yield from _signed_otherwise(good)
    yield from _elsewhere(good)
    yield from _untimely(good)


def _turned(good: m.Delivery) -> Iterator[Forgery]:
    for bit in range(len(good.body) * 8):
        yield "bit of the body", replace(good, body=_flipped(good.body, bit))
    for name in NAMES:
        value = good.header(name) or b""
        for bit in range(len(value) * 8):
            yield f"bit of {name.decode()}", with_header(good, name, _flipped(value, bit))


def _flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _cut(good: m.Delivery) -> Iterator[Forgery]:
    for end in range(len(good.body)):
        yield "cut body", replace(good, body=good.body[:end])
    for begin in range(1, len(good.body), 7):
        yield "cut body", replace(good, body=good.body[begin:])
    for name in NAMES:
        value = good.header(name) or b""
        for end in range(len(value)):
            yield f"cut {name.decode()}", with_header(good, name, value[:end])
            yield f"cut {name.decode()}", with_header(good, name, value[end + 1 :])
    for extra in (b" ", b"\n", b"\r\n", b"\x00", b"{}", b"\xef\xbb\xbf"):
        yield "longer body", replace(good, body=good.body + extra)
        yield "longer body", replace(good, body=extra + good.body)


def _tricks(good: m.Delivery) -> Iterator[Forgery]:
    """Every way to send the three headers otherwise than once each, as they were signed."""
    for name in NAMES:
        value, trick = good.header(name) or b"", f"header {name.decode()}"
        padded = [value + b"\n", value + b"\x00", b"\t" + value, value + b"\xa0", value + b",", b'"' + value + b'"']
        for values in ((), (value, value), (value, b""), (b"", value), (value, b"x"), *((it,) for it in padded)):
            yield trick, with_header(good, name, *values)
        for other in NAMES:
            if other != name:
                yield trick, with_header(good, name, good.header(other) or b"")
        for alias in (name.replace(b"-", b"_"), b"x-" + name, name + b" ", name.replace(b"webhook", b"svix")):
            renamed = tuple((alias if key == name else key, it) for key, it in good.headers)
            yield trick, replace(good, headers=renamed)
    signed = good.header(SIGNATURE) or b""
    mac = signed.removeprefix(b"v1,")
    raw = base64.b64decode(mac)
    for token in (
        mac, b"v1" + mac, b"v1=" + mac, b"v1:" + mac, b"V1," + mac, b"v1a," + mac, b"v0," + mac, b"v2," + mac,
        b"," + mac, b"v1,," + mac, b"v1, " + mac, b"v1;" + mac, b"sha256=" + raw.hex().encode(),
        b"v1," + raw.hex().encode(), b"v1," + base64.b32encode(raw), b"v1," + raw, b"v1," + mac.rstrip(b"="),
        b"v1," + mac + b"=", b"v1," + mac * 2, b"v1," + mac.swapcase(), b"v1," + mac[::-1],
        b"v1," + b"A" * len(mac), b"v1,", b"v1", b" ", b"none", b"v1,None", b"v1,null", b"v1,true", b"v1,*",
        b"v1," + b"=" * len(mac), b"v1,\xff\xfe", b"v1,x " * 16 + signed,
        b"t=" + str(NOW // 1000).encode() + b",v1=" + raw.hex().encode(), signed.replace(b",", b"%2C"), signed + b",",
    ):  # fmt: skip
        yield "signature written otherwise", with_header(good, SIGNATURE, token)
    for way in (b"x-hub-signature-256", b"authorization", b"x-signature", b"svix-signature", b"x-servicenow-signature"):
        yield "another scheme's header", with_header(replace(good, headers=(*good.headers, (way, signed))), SIGNATURE)
    for offset in range(1, 40):  # text moved from the body into the id, with the full stops that were signed
        moved = good.body[:offset].replace(b" ", b"")
        headers = with_header(good, ID, (good.header(ID) or b"") + b"." + (good.header(STAMP) or b"") + b"." + moved)
        yield "id that takes from the body", replace(headers, body=good.body[offset:])


def _signed_otherwise(good: m.Delivery) -> Iterator[Forgery]:
    """Macs that are none: other hashes, other keys, other contents."""
    webhook_id, stamp = good.header(ID) or b"", good.header(STAMP) or b""
    key = key_of(SECRET if good.source == "desk" else OTHER_SECRET)
    text = (SECRET if good.source == "desk" else OTHER_SECRET).encode()
    content = b".".join((webhook_id, stamp, good.body))
    keys = [
        b"",
        b"\x00" * 24,
        text,
        text.removeprefix(b"whsec_"),
        key[:-1],
        key + b"\x01",
        key.hex().encode(),
        b"secret",
    ]
    macs = [hmac.digest(other, content, "sha256") for other in keys]
    macs += [hmac.digest(key, content, name) for name in ("md5", "sha1", "sha384", "sha512", "sha3_256", "blake2s")]
    contents = [
        good.body, webhook_id + good.body, stamp + b"." + good.body, webhook_id + b"." + good.body, b"", b"..",
        b".".join((stamp, webhook_id, good.body)), webhook_id + stamp + good.body, content + b"\n", content.lower(),
        b"v1." + content, b":".join((webhook_id, stamp, good.body)), b".".join((webhook_id, stamp, b"")),
        b".".join((webhook_id, stamp, hashlib.sha256(good.body).hexdigest().encode())),
        good.source.encode() + content,
    ]  # fmt: skip
    macs += [hmac.digest(key, other, "sha256") for other in contents]
    macs += [
        hashlib.sha256(key + content).digest(),
        hashlib.sha256(content + key).digest(),
        hashlib.sha256(content).digest(),
    ]
    for mac in macs:
        yield "another mac", with_header(good, SIGNATURE, b"v1," + base64.b64encode(mac))


def _elsewhere(good: m.Delivery) -> Iterator[Forgery]:
    """What one source signed, brought to the address of another, or of none."""
    for name in (
        "hooks" if good.source == "desk" else "desk", "unknown", good.source.upper(), good.source + " ",
        " " + good.source, good.source + "\x00", good.source + ".", good.source + "%00", "..", ".", "*", "d\u0435sk",
        "\uff44esk", good.source * 2, "__class__", "0", "null", "x" * 2000, "\ud800", "\u202e" + good.source,
        good.source + "\r\nx: y", "'or 1=1--",
    ):  # fmt: skip
        yield "wrong source", replace(good, source=name)


def _untimely(good: m.Delivery) -> Iterator[Forgery]:
    """Signed by the right secret, at another time, or with a time that is none."""
    secret = SECRET if good.source == "desk" else OTHER_SECRET
    for away in (MINUTES_5 + 1, MINUTES_5 + 1000, 3_600_000, 86_400_000, 10**11):
        yield "too late", replace(good, received_at=NOW + away)
        yield "too early", replace(good, received_at=NOW - away)
    for stamp in (
        b"", b"0", b"-1", b"+1795165200", b"01795165200", b"1795165200.0", b"1795165200000", b"1.795e9",
        b"1795165200 ", b" 1795165200", b"0x6b001234", b"2026-11-20T09:00:00Z", b"now", b"NaN", b"inf",
        b"1_795_165_200", b"9" * 13, "\uff11795165200".encode(), b"1795165200\n", b"1795165200,1795165200", b"9" * 5000,
    ):  # fmt: skip
        signed = signature(secret, good.header(ID) or b"", stamp, good.body)
        yield "no time", with_header(with_header(good, STAMP, stamp), SIGNATURE, signed)
    for webhook_id in (b"", b".", b"a.b", b"a b", b"a\n", b"a\x00", b"\xff", b"x" * 256, "é".encode(), b"\x7f"):
        signed = signature(secret, webhook_id, good.header(STAMP) or b"", good.body)
        yield "no id", with_header(with_header(good, ID, webhook_id), SIGNATURE, signed)
