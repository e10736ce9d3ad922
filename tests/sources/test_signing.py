"""Signatures: what is proved, what is refused, and that nothing else ever happens."""

import base64
import hashlib
import hmac
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.core.errors import BadSignature, Stale
from service.sources.signing import Keyring, fingerprint, secret_in, signed
from tests.needs import needs
from tests.sources.senders import NOW, OTHER_SECRET, SECRET, delivery, key_of, signature, with_header

ALL: list[dict[str, Any]] = json.loads(Path(__file__).with_name("signatures.json").read_text())["vectors"]
VECTORS = [it for it in ALL if it["scheme"] == "standard_webhooks"]  # the others: test_signing_layouts.py
NAMES = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
RING = Keyring([key_of(SECRET)])
BODY = b'{"type":"caller.remove"}'


def arrived(vector: dict[str, Any]) -> m.Delivery:
    """Return the delivery that a vector describes."""
    headers = tuple((name.encode(), value.encode()) for name, value in vector["headers"].items())
    body = base64.b64decode(vector["body_b64"]) if vector["body"] is None else vector["body"].encode()
    return m.Delivery("desk", headers, body, vector["now"] * 1000)


def bytes_of(vector: dict[str, Any]) -> bytes:
    """Return the body of a vector."""
    return arrived(vector).body


@pytest.mark.parametrize("vector", [pytest.param(it, id=it["note"][:60]) for it in VECTORS])
def test_every_vector(vector: dict[str, Any]) -> None:
    """Every published and constructed vector is judged as it says, and a refusal is a BadSignature."""
    ring = Keyring([secret_in(vector["secret"])])
    if not vector["valid"]:
        with pytest.raises(BadSignature):
            ring.verify(arrived(vector))
        return
    verified = ring.verify(arrived(vector))
    assert verified.signed_id == vector["headers"]["webhook-id"]
    assert verified.stamped_at == int(vector["headers"]["webhook-timestamp"]) * 1000
    assert verified.secret_fingerprint == hashlib.sha256(secret_in(vector["secret"])).hexdigest()[:8]


def test_the_vectors_are_all_there() -> None:
    """The file holds both kinds of vectors, so that an empty one proves nothing by accident."""
    assert (len(VECTORS), sum(it["valid"] for it in VECTORS), len(ALL)) == (23, 8, 62)


@pytest.mark.parametrize("vector", [pytest.param(it, id=it["note"][:60]) for it in VECTORS if it["valid"]])
def test_openssl_signs_the_same(vector: dict[str, Any]) -> None:
    """The documented one-liner of openssl makes the signatures that we take."""
    program = needs("openssl")
    stated = vector["headers"]
    content = f"{stated['webhook-id']}.{stated['webhook-timestamp']}.".encode() + bytes_of(vector)
    key = f"hexkey:{secret_in(vector['secret']).hex()}"
    asked = [program, "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, "-binary"]
    made = subprocess.run(asked, input=content, capture_output=True, check=True).stdout
    assert "v1," + base64.b64encode(made).decode() in stated["webhook-signature"].split(" ")


def test_the_reference_package_takes_what_we_sign() -> None:
    """What we sign is what the reference package verifies."""
    needs("standardwebhooks")
    from standardwebhooks import Webhook  # noqa: PLC0415 - CI installs it, a laptop need not

    theirs = Webhook(SECRET)
    made = theirs.sign("msg_1", datetime.fromtimestamp(NOW / 1000, UTC), "{}")
    assert signed(key_of(SECRET), "msg_1", NOW, b"{}")["webhook-signature"] == made


def test_what_we_sign_we_take() -> None:
    """Our own signature proves itself to a receiver as strict as we are."""
    headers = signed(key_of(SECRET), "acme:1:disconnected", NOW + 999, BODY)
    arriving = m.Delivery("desk", tuple((k.encode(), v.encode()) for k, v in headers.items()), BODY, NOW)
    assert RING.verify(arriving) == m.Verified("acme:1:disconnected", NOW, fingerprint(key_of(SECRET)))
    assert headers["webhook-signature"].encode() == signature(SECRET, b"acme:1:disconnected", b"1795165200", BODY)


@pytest.mark.parametrize("webhook_id", ["", "a.b", "a b", "é", "x" * 256, "a\n", "\ud800"])
def test_no_id_is_signed_that_we_would_refuse(webhook_id: str) -> None:
    """We sign no id that a strict receiver refuses."""
    with pytest.raises(ValueError, match="webhook id"):
        signed(key_of(SECRET), webhook_id, NOW, BODY)


@pytest.mark.parametrize("webhook_id", [b"x", b"x" * 255, b"INC0010112:9d385017:3", b"!~/-{}"])
def test_ids_that_are_taken(webhook_id: bytes) -> None:
    """An id is up to 255 printable characters."""
    assert RING.verify(delivery(BODY, webhook_id=webhook_id)).signed_id == webhook_id.decode()


@pytest.mark.parametrize("webhook_id", [b"", b"x" * 256, b"a b", b"a.b", b".", b"a\n", b"\x7f", "é".encode(), b"\xff"])
def test_ids_that_are_refused(webhook_id: bytes) -> None:
    """An id that could be cut in two ways, or not be written in a log, is refused though it is signed."""
    with pytest.raises(BadSignature, match="webhook-id"):
        RING.verify(delivery(BODY, webhook_id=webhook_id))


def test_text_cannot_be_moved_between_id_and_body() -> None:
    """The same signed bytes cut at other full stops are not a second delivery."""
    honest = delivery(b'1795165200.{"a":1}', webhook_id=b"msg")
    RING.verify(honest)
    moved = with_header(honest, b"webhook-id", b"msg.1795165200")
    with pytest.raises(BadSignature):
        RING.verify(m.Delivery("desk", moved.headers, b'{"a":1}', NOW))


@pytest.mark.parametrize(
    "stamp",
    [
        b"", b"0", b"01795165200", b"+1795165200", b"-1795165200", b" 1795165200", b"1795165200\n", b"1_795_165_200",
        b"1795165200.0", b"1.7e9", b"nan", b"inf", b"\xef\xbc\x91795165200", b"\xff", b"9" * 13, b"9" * 5000, b"0x6b",
    ],
)  # fmt: skip
def test_times_that_are_no_plain_digits(stamp: bytes) -> None:
    """A timestamp in any form but plain ASCII digits is refused though it is signed."""
    with pytest.raises(BadSignature, match="webhook-timestamp") as caught:
        RING.verify(delivery(BODY, stamp=stamp))
    assert not isinstance(caught.value, Stale)


@pytest.mark.parametrize("away", [-300_000, -1, 0, 1, 300_000])
def test_five_minutes_are_taken(away: int) -> None:
    """A signature is good for five minutes before and after its stamp, to the millisecond."""
    assert RING.verify(delivery(BODY, at=NOW + away)).stamped_at == NOW


@pytest.mark.parametrize("away", [-300_001, 300_001, 10**12])
def test_more_than_five_minutes_are_stale(away: int) -> None:
    """Beyond that it is stale, and only if it is signed."""
    late = delivery(BODY, at=NOW + away)
    with pytest.raises(Stale, match="check the clocks"):
        RING.verify(late)
    with pytest.raises(BadSignature, match="fits a secret"):
        RING.verify(with_header(late, b"webhook-signature", b"v1,AAAA"))


@pytest.mark.parametrize("away, said", [(301_000, "-301 s"), (-400_000, r"\+400 s"), (NOW - 1_000, "-1795165199 s")])
def test_stale_says_how_far(away: int, said: str) -> None:
    """The log is told by how much the sender's clock is off, and in which direction."""
    with pytest.raises(Stale, match=f"is {said} from our clock"):
        RING.verify(delivery(BODY, at=NOW + away))


def test_the_longest_time() -> None:
    """A time of twelve digits is one, and stale."""
    with pytest.raises(Stale):
        RING.verify(delivery(BODY, stamp=b"9" * 12))


@pytest.mark.parametrize("name", NAMES)
def test_each_header_stands_once(name: bytes) -> None:
    """A header that is missing, or stands twice even with the same value, proves nothing."""
    good = delivery(BODY)
    value = good.header(name)
    assert value is not None
    for values in ((), (value, value), (value, b"other"), (b"other", value)):
        with pytest.raises(BadSignature, match="exactly once"):
            RING.verify(with_header(good, name, *values))


def test_any_secret_may_have_signed() -> None:
    """During a rotation old and new are good, and the fingerprint says which it was."""
    ring = Keyring([key_of(SECRET), key_of(OTHER_SECRET)])
    for secret in (SECRET, OTHER_SECRET):
        assert ring.verify(delivery(BODY, secret=secret)).secret_fingerprint == fingerprint(key_of(secret))
    with pytest.raises(BadSignature):
        Keyring([key_of(OTHER_SECRET)]).verify(delivery(BODY))


def test_good_signature_among_others() -> None:
    """A good signature counts wherever it stands among the first sixteen; past that nobody looks."""
    good = delivery(BODY).header(b"webhook-signature") or b""
    junk = [
        b"",
        b"v1",
        b"v1,",
        b"v2," + good[3:],
        b"v1a," + good[3:],
        b"\xff",
        b"v1,A",
        good[:-1],
        good + b"=",
        b"," * 9,
    ]
    for place in range(len(junk) + 1):
        tokens = [*junk[:place], good, *junk[place:]]
        RING.verify(with_header(delivery(BODY), b"webhook-signature", b" ".join(tokens)))
    RING.verify(with_header(delivery(BODY), b"webhook-signature", b"v1,x " * 15 + good))
    for bad in (*junk, b"v1,x " * 16 + good, good.replace(b",", b", "), good[3:], good.lower(), b"V1" + good[2:]):
        with pytest.raises(BadSignature):
            RING.verify(with_header(delivery(BODY), b"webhook-signature", bad))


def test_every_flipped_bit_is_seen() -> None:
    """No bit of the id, the time, the signature or the body can be turned over."""
    good = delivery(BODY)
    flips = 0
    for name in NAMES:
        value = good.header(name) or b""
        for bit in range(len(value) * 8):
            with pytest.raises(BadSignature):
                RING.verify(with_header(good, name, flipped(value, bit)))
            flips += 1
    for bit in range(len(BODY) * 8):
        with pytest.raises(BadSignature):
            RING.verify(m.Delivery("desk", good.headers, flipped(BODY, bit), NOW))
        flips += 1
    assert flips > 600


def flipped(value: bytes, bit: int) -> bytes:
    """Return `value` with one bit turned over."""
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.sampled_from([*NAMES, b"content-type"]), st.binary(max_size=80)), max_size=6), st.binary())
def test_any_headers_and_body_are_a_refusal(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Whatever bytes arrive, the answer is BadSignature and never another exception."""
    arriving = m.Delivery("desk", tuple(headers), body, NOW)
    with pytest.raises(BadSignature):
        RING.verify(arriving)


@pytest.mark.parametrize("secrets, macs", [(1, 2), (2, 2), (3, 3), (4, 4)])
def test_one_or_two_secrets_take_the_same_work(secrets: int, macs: int) -> None:
    """The time does not tell how many secrets a source has, up to the two of a rotation."""
    assert len(Keyring([bytes([number]) * 24 for number in range(secrets)])._keys) == macs


class Watched(m.Delivery):
    """A delivery that notes which headers were looked at."""

    def header(self, name: bytes) -> bytes | None:
        self.__dict__.setdefault("seen", []).append(name)
        return super().header(name)


def test_the_same_is_done_whatever_is_wrong() -> None:
    """Signatures are compared before anything is judged."""
    good = delivery(BODY)
    bare = [with_header(good, name) for name in NAMES]
    late = replace(good, received_at=NOW + 10**9)
    for arriving in (*bare, late, delivery(BODY, webhook_id=b"a.b"), delivery(BODY, stamp=b"soon")):
        watched = Watched(arriving.source, arriving.headers, arriving.body, arriving.received_at)
        with pytest.raises(BadSignature):
            RING.verify(watched)
        assert watched.__dict__["seen"][:3] == list(NAMES)


@pytest.mark.parametrize("text", [SECRET, SECRET.removeprefix("whsec_"), base64.b64encode(bytes(24)).decode()])
def test_secrets_that_are_taken(text: str) -> None:
    """A secret is base64 of at least 24 bytes, with or without its prefix."""
    assert secret_in(text) == base64.b64decode(text.removeprefix("whsec_"))


@pytest.mark.parametrize(
    "text, word",
    [
        ("", "empty"),
        ("whsec_", "empty"),
        (base64.b64encode(bytes(23)).decode(), "23 bytes"),
        ("whsec_" + base64.b64encode(b"short").decode(), "5 bytes"),
        ("not base64 at all, surely", "not base64"),
        (SECRET + "\n", "not base64"),
        (" " + SECRET, "not base64"),
        (SECRET.rstrip("="), "not base64"),
        ("whsec_" + "-_" * 16, "not base64"),
        ("whsec_whsec_" + SECRET, "not base64"),
        ("é" * 32, "not base64"),
        ("whpk_" + "A" * 44, "Ed25519"),
        ("whsk_" + "A" * 44, "Ed25519"),
    ],
)
def test_secrets_that_are_a_fault(text: str, word: str) -> None:
    """An unusable secret is a fault at the start, in words that do not contain it."""
    with pytest.raises(ValueError, match=word) as caught:
        secret_in(text)
    assert len(text) < 8 or text not in str(caught.value)


@pytest.mark.parametrize("secrets", [[], [bytes(23)], [bytes(24), b""]])
def test_a_keyring_without_a_usable_secret(secrets: list[bytes]) -> None:
    """There is no keyring that an empty secret opens."""
    with pytest.raises(ValueError, match="needs a secret"):
        Keyring(secrets)


def test_fingerprint_names_the_secret() -> None:
    """A fingerprint is eight hex digits of the secret's SHA-256."""
    assert fingerprint(key_of(SECRET)) == hashlib.sha256(key_of(SECRET)).hexdigest()[:8]
    assert hmac.compare_digest(fingerprint(b""), "e3b0c442")
