"""Proves that a delivery was signed, and signs what we send: HMACs in any system's layout, by the standard library.

Standard Webhooks signs `id.timestamp.body`. An id with a full stop in it would let the same signed bytes be cut in two
ways, so that a stranger could move text from the body into the headers; the specification warns of it, we refuse it.
Without one, the first two full stops are the cuts, whatever the body holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from service.core import model as m
from service.core.errors import BadSignature, Stale

TOLERANCE_MS: Final = 300_000  # Standard Webhooks' five minutes, both ways; Slack's and HubSpot's too

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 24  # Standard Webhooks' minimum: 192 bits
_ID: Final = re.compile(rb"[!-\-/-~]{1,255}")  # printable ASCII but space and full stop
_TOKENS: Final = 16  # a rotation signs twice; a header full of tokens must not cost a comparison each
_MACS: Final = 2  # as many as a rotation needs, always: the time must not tell how many secrets there are
_PART: Final = re.compile(r"(\{[a-z]+\})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)

StampForm = Literal["seconds", "milliseconds", "rfc3339"]
# How a system writes the moment at which it signed: exactly so, and how that is called in a sentence.
_STAMPS: Final[dict[StampForm, tuple[re.Pattern[bytes], str]]] = {
    # twelve digits last for thirty thousand years
    "seconds": (re.compile(rb"[1-9][0-9]{0,11}"), "whole seconds since 1970 in plain digits"),
    "milliseconds": (re.compile(rb"[1-9][0-9]{0,14}"), "whole milliseconds since 1970 in plain digits"),
    "rfc3339": (
        re.compile(
            rb"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
        ),
        "a time like 2026-11-20T09:00:00Z",
    ),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a system signs: which bytes, by which MAC, and in which headers that stands. Header names are lower-case.

    Attributes:
        signature: the header that holds the signature.
        content: the signed bytes, with `{id}`, `{timestamp}` and `{body}` for what they vary in.
        id: the header of the delivery's id where the content holds it, else "".
        stamp: the header of the moment where the content holds it, else "".
        stamp_form: how that moment is written.
        stamp_item: what stands before the moment where it is one of the parts of the header `stamp` (`t=`), else "".
        digest: the hash of the HMAC.
        encoding: how the MAC is written; hex is lower-case.
        prefix: what stands before each signature.
        separator: what stands between several signatures; "" where there is one alone.
    """

    signature: str
    content: str = "{body}"
    id: str = ""
    stamp: str = ""
    stamp_form: StampForm = "seconds"
    stamp_item: str = ""
    digest: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    prefix: str = ""
    separator: str = ""

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that must each stand exactly once, the signature last."""
        return tuple(dict.fromkeys(filter(None, (self.id, self.stamp, self.signature))))


STANDARD: Final = Layout(
    signature="webhook-signature",
    content="{id}.{timestamp}.{body}",
    id="webhook-id",
    stamp="webhook-timestamp",
    prefix="v1,",
    separator=" ",
)
# the same under the names that Svix gives its headers
SVIX: Final = replace(STANDARD, signature="svix-signature", id="svix-id", stamp="svix-timestamp")


@dataclass(frozen=True, slots=True)
class _Key:
    secret: bytes
    fingerprint: str


def secret_in(text: str) -> bytes:
    """Return the bytes of a secret written `whsec_` + base64, or as base64 alone.

    Raises:
        ValueError: it is empty, no base64 or under 24 bytes. The sentence does not contain it.
    """
    if not text.removeprefix(_PREFIX):
        raise ValueError("the secret is empty; make one: openssl rand -base64 32")
    if text.startswith(("whpk_", "whsk_")):
        raise ValueError("the secret is an Ed25519 key; this source checks HMAC (v1): use a whsec_ secret")
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("the secret is not base64 (with or without whsec_ before it)") from None
    if len(secret) < _SECRET_BYTES:
        raise ValueError(f"the secret has {len(secret)} bytes; at least {_SECRET_BYTES} are needed")
    return secret


def fingerprint(secret: bytes) -> str:
    """Return eight hex digits that name `secret` in a log and do not give it away."""
    return hashlib.sha256(secret).hexdigest()[:8]


class Keyring:
    """The secrets of one source, any of which may have signed: the old and the new one, while they are changed."""

    def __init__(self, secrets: Sequence[bytes], layout: Layout = STANDARD, *, least: int = _SECRET_BYTES) -> None:
        """Take the secrets' bytes, at least one, none shorter than `least`, and how they sign.

        Raises:
            ValueError: there is none, or one is too short.
        """
        if not secrets or any(len(secret) < max(least, 1) for secret in secrets):
            raise ValueError(f"a source needs a secret of at least {least} bytes")
        keys = tuple(_Key(secret, fingerprint(secret)) for secret in secrets)
        self._keys = keys * -(-_MACS // len(keys))
        self._layout = layout

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that one of the secrets signed `delivery`, within five minutes of its receipt where it says when.

        The same work is done whatever is wrong, so that the time it takes does not tell.

        Raises:
            BadSignature: not proved: a header missing, repeated or malformed, or no signature fits.
            Stale: proved, but stamped more than five minutes away.
        """
        layout = spoken_by(delivery, self._layout)
        found = {name: delivery.header(name.encode()) for name in layout.headers}
        signed_id, stamp = _said(found, layout)
        key = self._match(delivery, found[layout.signature] or b"", layout, signed_id or b"", stamp or b"")
        if None in found.values():
            *first, last = layout.headers
            each = f"{', '.join(first)} and {last} must each" if first else f"{last} must"
            raise BadSignature(f"{each} stand exactly once")
        if layout.id and not _ID.fullmatch(signed_id or b""):
            raise BadSignature(f"{layout.id} must be 1 to 255 printable ASCII characters, without space or full stop")
        stamped_at = moment_in(stamp or b"", layout) if layout.stamp else None
        if key is None:
            raise BadSignature(f"no signature in {layout.signature} fits a secret of this source")
        if stamped_at is not None and abs(delivery.received_at - stamped_at) > TOLERANCE_MS:
            away = (stamped_at - delivery.received_at) / 1000
            stale = Stale(f"{layout.stamp} is {away:+.0f} s from our clock; 300 are allowed: check the clocks")
            stale.secret_fingerprint = key.fingerprint
            raise stale
        return m.Verified((signed_id or b"").decode("ascii"), stamped_at, key.fingerprint)

    def _match(
        self, delivery: m.Delivery, signatures: bytes, layout: Layout, signed_id: bytes, stamp: bytes
    ) -> _Key | None:
        """Compare every signature with what every key would have signed, without stopping at the first."""
        between = layout.separator.encode()
        tokens = signatures.split(between, _TOKENS)[:_TOKENS] if between else [signatures]
        content = _content(layout, signed_id, stamp, delivery.body)
        matched = None
        for key in self._keys:
            expected = _signature(layout, key.secret, content)
            # compared as text: base64 that is written in another way than ours is not the signature
            for token in tokens:
                if hmac.compare_digest(token, expected):
                    matched = key
        return matched


def spoken_by(delivery: m.Delivery, layout: Layout) -> Layout:
    """Return the layout that `delivery` is read by where its source speaks `layout`.

    Standard Webhooks comes under Svix' names too. Where `webhook-signature` stands those count for nothing, so that no
    delivery is proved by some headers of one set and some of the other.
    """
    names = {name for name, _ in delivery.headers}
    is_svix = SVIX.signature.encode() in names and STANDARD.signature.encode() not in names
    return SVIX if layout == STANDARD and is_svix else layout


def moment_in(stamp: bytes, layout: Layout = STANDARD) -> int:
    """Return the moment that `stamp` writes, in milliseconds since the epoch.

    Raises:
        BadSignature: it is not written as the layout says.
    """
    pattern, said = _STAMPS[layout.stamp_form]
    if pattern.fullmatch(stamp):
        if layout.stamp_form == "seconds":
            return int(stamp) * 1000
        if layout.stamp_form == "milliseconds":
            return int(stamp)
        try:
            return (datetime.fromisoformat(stamp.decode("ascii")) - _EPOCH) // _MS
        except ValueError:  # the 31st of February
            pass
    raise BadSignature(f"{layout.stamp} must be {said}")


def signed(secret: bytes, webhook_id: str, stamped_at: int, body: bytes, layout: Layout = STANDARD) -> dict[str, str]:
    """Return the headers that sign `body`; `stamped_at` in milliseconds.

    Raises:
        ValueError: `webhook_id` is one that a strict receiver refuses, and the layout signs it.
    """
    if layout.id and not (webhook_id.isascii() and _ID.fullmatch(webhook_id.encode())):
        raise ValueError("a webhook id is 1 to 255 printable ASCII characters, without space or full stop")
    stamp = _written(stamped_at, layout.stamp_form)
    content = _content(layout, webhook_id.encode(), stamp.encode(), body)
    signature = _signature(layout, secret, content).decode()
    headers = {name: value for name, value in ((layout.id, webhook_id), (layout.stamp, stamp)) if name}
    if layout.stamp_item:
        signature = f"{layout.stamp_item}{stamp}{layout.separator}{signature}"
    return headers | {layout.signature: signature}


def _said(found: Mapping[str, bytes | None], layout: Layout) -> tuple[bytes | None, bytes | None]:
    """Return the id and the stamp that the headers of a delivery carry."""
    signed_id, stamp = found.get(layout.id), found.get(layout.stamp)
    if layout.stamp_item and stamp is not None:
        item = layout.stamp_item.encode()
        items = [part[len(item) :] for part in stamp.split(layout.separator.encode(), _TOKENS) if part.startswith(item)]
        stamp = items[0] if len(items) == 1 else b""
    return signed_id, stamp


def _content(layout: Layout, signed_id: bytes, stamp: bytes, body: bytes) -> bytes:
    values = {b"{id}": signed_id, b"{timestamp}": stamp, b"{body}": body}
    return b"".join([values.get(part, part) for part in _parts(layout.content)])


@lru_cache
def _parts(content: str) -> tuple[bytes, ...]:
    return tuple(part.encode() for part in _PART.split(content))


def _signature(layout: Layout, secret: bytes, content: bytes) -> bytes:
    mac = hmac.digest(secret, content, layout.digest)
    return layout.prefix.encode() + (base64.b64encode(mac) if layout.encoding == "base64" else mac.hex().encode())


def _written(at: int, form: StampForm) -> str:
    if form == "rfc3339":
        return datetime.fromtimestamp(at // 1000, UTC).isoformat().replace("+00:00", "Z")
    return str(at if form == "milliseconds" else at // 1000)
