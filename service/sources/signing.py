"""Proves that a delivery was signed, and signs what we send: Standard Webhooks, with the standard library alone.

What is signed is `id.timestamp.body`. An id with a full stop in it would let the same signed bytes be cut in two ways,
so that a stranger could move text from the body into the headers; the specification warns of it, we refuse it. Without
one, the first two full stops are the cuts, whatever the body holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.core import model as m
from service.core.errors import BadSignature, Stale

ID: Final = b"webhook-id"
TIMESTAMP: Final = b"webhook-timestamp"
SIGNATURE: Final = b"webhook-signature"
TOLERANCE_MS: Final = 300_000  # the specification's five minutes, both ways

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 24  # the specification's minimum: 192 bits
_VERSION: Final = b"v1,"
_ID: Final = re.compile(rb"[!-\-/-~]{1,255}")  # printable ASCII but space and full stop
_SECONDS: Final = re.compile(rb"[1-9][0-9]{0,11}")  # twelve digits last for thirty thousand years
_TOKENS: Final = 16  # a rotation signs twice; a header full of tokens must not cost a comparison each
_MACS: Final = 2  # as many as a rotation needs, always: the time must not tell how many secrets there are


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

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Take the secrets' bytes, at least one.

        Raises:
            ValueError: there is none, or one is too short.
        """
        if not secrets or any(len(secret) < _SECRET_BYTES for secret in secrets):
            raise ValueError(f"a source needs a secret of at least {_SECRET_BYTES} bytes")
        keys = tuple(_Key(secret, fingerprint(secret)) for secret in secrets)
        self._keys = keys * -(-_MACS // len(keys))

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that one of the secrets signed `delivery` within five minutes of its receipt.

        The same work is done whatever is wrong, so that the time it takes does not tell.

        Raises:
            BadSignature: not proved: a header missing, repeated or malformed, or no signature fits.
            Stale: proved, but stamped more than five minutes away.
        """
        key = _match(self._keys, delivery)
        signed_id, stamp = delivery.header(ID), delivery.header(TIMESTAMP)
        if signed_id is None or stamp is None or delivery.header(SIGNATURE) is None:
            raise BadSignature("webhook-id, webhook-timestamp and webhook-signature must each stand exactly once")
        if not _ID.fullmatch(signed_id):
            raise BadSignature("webhook-id must be 1 to 255 printable ASCII characters, without space or full stop")
        if not _SECONDS.fullmatch(stamp):
            raise BadSignature("webhook-timestamp must be whole seconds since 1970 in plain digits")
        if key is None:
            raise BadSignature("no signature in webhook-signature fits a secret of this source")
        stamped_at = int(stamp) * 1000
        if abs(delivery.received_at - stamped_at) > TOLERANCE_MS:
            away = (stamped_at - delivery.received_at) / 1000
            stale = Stale(f"webhook-timestamp is {away:+.0f} s from our clock; 300 are allowed: check the clocks")
            stale.secret_fingerprint = key.fingerprint
            raise stale
        return m.Verified(signed_id.decode("ascii"), stamped_at, key.fingerprint)


def _match(keys: Sequence[_Key], delivery: m.Delivery) -> _Key | None:
    """Compare every signature with what every key would have signed, without stopping at the first."""
    signed_id, stamp, signatures = (delivery.header(name) or b"" for name in (ID, TIMESTAMP, SIGNATURE))
    content = b".".join((signed_id, stamp, delivery.body))
    tokens = signatures.split(b" ", _TOKENS)[:_TOKENS]
    matched = None
    for key in keys:
        expected = _signature(key.secret, content)
        # compared as text: base64 that is written in another way than ours is not the signature
        for token in tokens:
            if hmac.compare_digest(token, expected):
                matched = key
    return matched


def signed(secret: bytes, webhook_id: str, stamped_at: int, body: bytes) -> dict[str, str]:
    """Return the three headers that sign `body`; `stamped_at` in milliseconds.

    Raises:
        ValueError: `webhook_id` is one that a strict receiver refuses.
    """
    if not (webhook_id.isascii() and _ID.fullmatch(webhook_id.encode())):
        raise ValueError("a webhook id is 1 to 255 printable ASCII characters, without space or full stop")
    stamp = str(stamped_at // 1000)
    content = b".".join((webhook_id.encode(), stamp.encode(), body))
    return {
        ID.decode(): webhook_id,
        TIMESTAMP.decode(): stamp,
        SIGNATURE.decode(): _signature(secret, content).decode(),
    }


def _signature(secret: bytes, content: bytes) -> bytes:
    return _VERSION + base64.b64encode(hmac.digest(secret, content, "sha256"))
