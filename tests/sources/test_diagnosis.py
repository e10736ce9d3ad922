"""Why a delivery is not believed is found out and said: each of the usual faults is made here, as a sender makes it."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core import model as m
from service.sources import KINDS
from service.sources.diagnosis import Cause, Diagnosis, Known, Proof, diagnose, proof_of, span
from service.sources.signing import Keyring, Layout, fingerprint, signed
from tests.sources.senders import NOW, OPTIONS, OTHER_SECRET, SECRET, delivery, key_of, own, with_header

THIRD_SECRET = "whsec_" + base64.b64encode(b"third-secret-that-no-source-has!").decode()
TEXT_SECRET = "correct-horse-battery-staple-1234"


def known(name: str, *secrets: str) -> Known:
    """Return a source of Standard Webhooks with these secrets."""
    options = KINDS["standard"].options.model_validate(OPTIONS["standard"] | {"secrets": secrets})
    return Known(name, proof_of(options), secrets)


DESK = known("desk", SECRET)
OTHERS = [known("chat", OTHER_SECRET)]


def of_layout(layout: Layout, *secrets: str) -> Known:
    """Return a source whose secrets are text, and whose HMAC is laid so."""
    proof = Proof(
        layout.headers,
        str.encode,
        lambda keys: Keyring(keys, layout, least=1).verify,
        lambda key, name, at, body: signed(key, name, at, body, layout),
        layout,
    )
    return Known("hub", proof, secrets)


def schemed(signature: Mapping[str, str], *secrets: str) -> Known:
    """Return a source whose settings say how it proves itself."""
    given = {"kind": "generic", "org": "acme", "secrets": secrets, "signature": signature}
    return Known("door", proof_of(KINDS["generic"].options.model_validate(given)), secrets)


def found(arriving: m.Delivery, source: Known = DESK) -> Diagnosis:
    """Return what is found of a delivery, and check that no secret is in it."""
    it = diagnose(source, OTHERS, arriving)
    for secret in (SECRET, OTHER_SECRET, THIRD_SECRET, TEXT_SECRET):
        assert secret.removeprefix("whsec_") not in repr(it)
        assert key_of(secret).hex() not in repr(it) if secret != TEXT_SECRET else True
    return it


def made(body: bytes, key: bytes, content: bytes = b"msg_1.1795165200.%s", digest: str = "sha256") -> bytes:
    """Sign as a careless sender does."""
    return hmac.new(key, content.replace(b"%s", body), digest).digest()


def showing(body: bytes, signature: bytes, stamp: bytes = b"1795165200") -> m.Delivery:
    """Return a delivery of `body` that shows this signature, whatever it was made over."""
    return with_header(delivery(body, stamp=stamp), b"webhook-signature", signature)


def test_valid() -> None:
    """What is believed is said to be, with the secret that signed it and its place among several."""
    it = found(delivery(own()))
    name = fingerprint(key_of(SECRET))
    assert (it.causes, it.sentences, it.secret_fingerprint) == ((), (f"it is signed by secret {name}",), name)
    assert it.verified == m.Verified("msg_1", NOW, name)
    both = known("desk", OTHER_SECRET, SECRET)
    assert found(delivery(own()), both).sentences == (f"it is signed by secret {name}, 2 of 2",)


@pytest.mark.parametrize(
    "at, words",
    [
        (NOW + 301_000, "it is signed 5 min 1 s before it arrived"),
        (NOW + 8_000_000, "it is signed 2 h 13 min before it arrived"),
        (NOW + 200_000_000, "it is signed 2 d 7 h before it arrived"),
        (NOW - 400_000, "it is signed 6 min 40 s after it arrived; webhook-timestamp is +400 s from our clock"),
    ],
)
def test_old(at: int, words: str) -> None:
    """An old time is said with how old it is, also where the secret is right; and of a fast clock that it is fast."""
    it = found(delivery(own(), at=at))
    assert (it.causes, it.secret_fingerprint) == ((Cause.STALE,), fingerprint(key_of(SECRET)))
    assert words in it.sentences[0]
    assert ("the sender's clock is fast" in it.sentences[0]) == (at < NOW)
    assert it.verified is None


def test_spans() -> None:
    """A span of time is said in its two largest units."""
    assert [span(it) for it in (0, 59.4, 60, 3599, 3600, 86_399, 86_400)] == [
        "0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name, values, cause, words",
    [
        (b"webhook-id", (), Cause.MISSING, "webhook-id is missing"),
        (b"webhook-signature", (b"v1,a", b"v1,b"), Cause.TWICE, "webhook-signature stands more than once"),
        (b"webhook-id", (b"a.b",), Cause.MALFORMED, "webhook-id must be 1 to 255 printable"),
        (b"webhook-id", ("é".encode(),), Cause.MALFORMED, "webhook-id must be 1 to 255 printable"),
        (b"webhook-timestamp", (b"1795165200.0",), Cause.MALFORMED, "webhook-timestamp must be whole seconds"),
        (b"webhook-timestamp", (b"2026-11-20T09:00:00Z",), Cause.MALFORMED, "webhook-timestamp must be whole seconds"),
    ],
)
def test_headers(name: bytes, values: tuple[bytes, ...], cause: Cause, words: str) -> None:
    """A header that is missing, stands twice or is not written as it must be is named."""
    it = found(with_header(delivery(own()), name, *values))
    assert it.causes == (cause,)
    assert it.sentences[0].startswith(words)


def test_the_names_of_svix() -> None:
    """Standard Webhooks under Svix' names is diagnosed by those: what is right is valid, and what is wrong is found."""

    def named(arriving: m.Delivery) -> m.Delivery:
        headers = tuple((name.replace(b"webhook-", b"svix-"), value) for name, value in arriving.headers)
        return replace(arriving, headers=headers)

    assert found(named(delivery(own()))).causes == ()
    assert found(named(delivery(own(), at=NOW + 400_000))).causes == (Cause.STALE,)
    assert found(replace(named(delivery(own() + b"\n")), body=own())).causes == (Cause.BODY,)
    unprefixed = showing(own(), base64.b64encode(made(own(), key_of(SECRET))))
    assert found(named(unprefixed)).causes == (Cause.LAYOUT,)
    missing = found(named(with_header(delivery(own()), b"webhook-id")))
    assert missing.sentences[0].startswith("svix-id is missing")


def test_headers_under_other_names() -> None:
    """Where headers are missing, those that look like them are named: a prefix that a proxy put there is seen."""
    arriving = delivery(own())
    renamed = tuple((b"x-" + name if name.startswith(b"webhook") else name, value) for name, value in arriving.headers)
    it = found(replace(arriving, headers=renamed))
    assert it.causes == (Cause.MISSING,)
    assert "webhook-id, webhook-timestamp, webhook-signature are missing" in it.sentences[0]
    assert "there is x-webhook-id, x-webhook-signature, x-webhook-timestamp, which" in it.sentences[0]


@pytest.mark.parametrize(
    "written, words",
    [
        (lambda body: body + b"\n", "with a line end (LF) behind it"),
        (
            lambda body: json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode(),
            "with its JSON indented by 2",
        ),
        (lambda body: body.replace(b": ", b":").replace(b", ", b","), "with its JSON minified"),
        (lambda body: b"\xef\xbb\xbf" + body, "with a byte order mark before it"),
        (lambda body: body.replace("ë".encode(), b"\\u00eb"), "with all beyond ASCII escaped, like \\u00e9"),
    ],
)
def test_a_body_that_was_written_anew(written: Callable[[bytes], bytes], words: str) -> None:
    """A body that is not the one that was signed is said to be the same in other bytes, and in which."""
    sent = own(reason="Zoë was rude").replace(b"\\u00eb", "ë".encode())
    it = found(replace(delivery(written(sent)), body=sent))
    assert it.causes == (Cause.BODY,)
    assert f"fits the body {words}: so it was when it was signed" in it.sentences[0]
    assert it.secret_fingerprint == fingerprint(key_of(SECRET))


def test_old_and_written_anew() -> None:
    """Two faults at once are both said."""
    it = found(replace(delivery(own() + b"\n", at=NOW + 900_000), body=own()))
    assert it.causes == (Cause.BODY, Cause.STALE)
    assert "it is signed 15 min 0 s before it arrived" in it.sentences[1]


@pytest.mark.parametrize(
    "key, words",
    [
        (SECRET.encode(), "as text, whsec_ included"),
        (SECRET.removeprefix("whsec_").encode(), "as text without whsec_"),
        (SECRET.encode() + b"\n", "as text with a line end behind it"),
    ],
)
def test_a_secret_in_the_wrong_encoding(key: bytes, words: str) -> None:
    """A secret that was not decoded is found out, alone and with a body that was written anew besides."""
    name = fingerprint(key_of(SECRET))
    it = found(showing(own(), b"v1," + base64.b64encode(made(own(), key))))
    assert it.causes == (Cause.ENCODING,)
    assert it.sentences[0].startswith(f"it is signed with secret {name} {words}; it is to be decoded from base64 first")
    both = found(showing(own(), b"v1," + base64.b64encode(made(own() + b"\n", key))))
    assert both.causes == (Cause.ENCODING, Cause.BODY)


@pytest.mark.parametrize(
    "secret, key, words",
    [
        (THIRD_SECRET, key_of(THIRD_SECRET), "decoded from base64"),
        ("c0ffee" * 6, bytes.fromhex("c0ffee" * 6), "decoded from hex"),
        (THIRD_SECRET, THIRD_SECRET.removeprefix("whsec_").encode(), "as text without whsec_"),
        (TEXT_SECRET, TEXT_SECRET.encode() + b"\n", "as text with a line end behind it"),
    ],
)
def test_a_secret_that_is_text(secret: str, key: bytes, words: str) -> None:
    """The reverse: a secret that is taken as text, and was decoded by the sender."""
    hub = of_layout(Layout(signature="x-hub-signature-256", encoding="hex", prefix="sha256="), secret)
    mac = b"sha256=" + made(own(), key, b"%s").hex().encode()
    it = found(m.Delivery("hub", ((b"x-hub-signature-256", mac),), own(), NOW), hub)
    assert it.causes == (Cause.ENCODING,)
    assert f" {words}; it is to be taken as text, just as it is written" in it.sentences[0]


@pytest.mark.parametrize("body", [own(), own() + b"\n"])
def test_another_source(body: bytes) -> None:
    """A secret of another configured source is recognised, and the source named."""
    it = found(replace(delivery(body, secret=OTHER_SECRET), body=own()))
    assert it.causes == (Cause.SOURCE, Cause.BODY)[: 1 if body == own() else 2]
    name = fingerprint(key_of(OTHER_SECRET))
    assert it.sentences[0].startswith(f"it is signed by secret {name} of source chat")
    assert it.secret_fingerprint == name


def test_another_source_that_signs_otherwise() -> None:
    """A delivery that was meant for a source of another scheme is recognised as that source's."""
    hub = of_layout(Layout(signature="webhook-signature", content="{body}", encoding="hex"), TEXT_SECRET)
    arriving = showing(own(), made(own(), TEXT_SECRET.encode(), b"%s").hex().encode())
    it = diagnose(DESK, [hub], arriving)
    assert (it.causes, it.secret_fingerprint) == ((Cause.SOURCE,), fingerprint(TEXT_SECRET.encode()))
    lent = showing(own(), b"v1," + base64.b64encode(made(own(), TEXT_SECRET.encode())))
    assert diagnose(DESK, [hub], lent).causes == (Cause.SOURCE,)  # that one's secret, in our own way


MAC = made(own(), key_of(SECRET))


@pytest.mark.parametrize(
    "signature, words",
    [
        (base64.b64encode(MAC), "v1, is missing before it"),
        (b"v1," + MAC.hex().encode(), "it is written in hex instead of base64"),
        (MAC.hex().encode(), "it is written in hex instead of base64, and v1, is missing before it"),
        (b"v1," + base64.b64encode(made(own(), key_of(SECRET), digest="sha512")), "sha512 instead of sha256"),
        (b"v1," + base64.b64encode(made(own(), key_of(SECRET), b"%s")), "it covers {body} instead of {id}.{time"),
        (b"v1," + base64.b64encode(made(own(), key_of(SECRET), b"1795165200.%s")), "it covers {timestamp}.{body} inst"),
    ],
)
def test_another_layout(signature: bytes, words: str) -> None:
    """A right MAC that is written in another way, or over other parts, is recognised, and said how."""
    it = found(showing(own(), signature))
    assert it.causes == (Cause.LAYOUT,)
    name = fingerprint(key_of(SECRET))
    assert it.sentences[0].startswith(f"the signature of secret {name} fits, but ")
    assert words in it.sentences[0]


@pytest.mark.parametrize(
    "set_up, sent",
    [
        ("https://onhook.example/hooks", "https://onhook.example/hooks/"),
        ("https://onhook.example/hooks/", "https://onhook.example/hooks"),
        ("https://onhook.example/hooks", "http://onhook.example/hooks"),
        ("http://onhook.example/hooks", "https://onhook.example/hooks"),
    ],
)
def test_another_address(set_up: str, sent: str) -> None:
    """Where our address is signed too, one that is written otherwise at the sender is recognised, and shown."""
    hub = of_layout(Layout("x-sign", "POST" + set_up + "{body}", encoding="hex"), TEXT_SECRET)
    mac = made(b"POST" + sent.encode() + own(), TEXT_SECRET.encode(), b"%s").hex().encode()
    it = found(m.Delivery("hub", ((b"x-sign", mac),), own(), NOW), hub)
    assert it.causes == (Cause.LAYOUT,)
    assert f"it covers POST{sent}{{body}} instead of POST{set_up}{{body}}" in it.sentences[0]


def test_hex_in_capitals() -> None:
    """Hex in capitals is recognised where small letters are wanted; and what needs an id or a time is not tried."""
    layout = Layout(signature="x-sign", encoding="hex")
    arriving = m.Delivery(
        "hub", ((b"x-sign", made(own(), TEXT_SECRET.encode(), b"%s").hex().upper().encode()),), own(), NOW
    )
    it = found(arriving, of_layout(layout, TEXT_SECRET))
    assert it.causes == (Cause.LAYOUT,)
    assert it.sentences[0].endswith("but its hex is not in small letters")


@pytest.mark.parametrize("others, words", [(OTHERS, "no other source's does either"), ([], "there is no other source")])
def test_nothing_fits(others: list[Known], words: str) -> None:
    """Where nothing fits, that is said: what was tried, and by which fingerprints the secrets can be compared."""
    it = diagnose(DESK, others, delivery(own(), secret=THIRD_SECRET))
    assert it.causes == (Cause.SECRET,)
    assert it.sentences[0] == "no signature in webhook-signature fits a secret of this source"
    assert f"({fingerprint(key_of(SECRET))}) fits, however it is read, over this body in any of " in it.sentences[1]
    assert words in it.sentences[1]


@pytest.mark.parametrize(
    "signature, place, written",
    [
        ({"scheme": "bearer"}, b"authorization", "Bearer {}"),
        ({"scheme": "header", "header": "X-Token"}, b"x-token", "{}"),
        ({"scheme": "basic", "username": "hook"}, b"authorization", "Basic {}"),
    ],
)
def test_a_secret_that_is_shown(signature: dict[str, str], place: bytes, written: str) -> None:
    """Where the secret itself is shown, other secrets and readings are tried, and no body is to blame."""
    door, chat = schemed(signature, TEXT_SECRET), schemed(signature, THIRD_SECRET)

    def showing_it(text: str) -> Diagnosis:
        said = base64.b64encode(f"hook:{text}".encode()).decode() if "basic" in signature.values() else text
        return diagnose(door, [chat], m.Delivery("door", ((place, written.format(said).encode()),), own(), NOW))

    right, read, others, wrong = map(showing_it, (TEXT_SECRET, TEXT_SECRET + "\n", THIRD_SECRET, "no secret"))
    assert (right.causes, right.secret_fingerprint) == ((), fingerprint(TEXT_SECRET.encode()))
    assert (read.causes, others.causes, wrong.causes) == ((Cause.ENCODING,), (Cause.SOURCE,), (Cause.SECRET,))
    assert "is no secret of this source" in wrong.sentences[0]
    assert "forms" not in wrong.sentences[1]
    missing = diagnose(door, [chat], m.Delivery("door", (), own(), NOW))
    assert missing.causes == (Cause.MISSING,)
    assert missing.sentences[0].startswith(f"{place.decode()} is missing. ")


def test_a_secret_in_the_address() -> None:
    """Where the secret stands in the query, no header is asked for."""
    door = schemed({"scheme": "query", "parameter": "key"}, TEXT_SECRET)
    for query, causes in ((b"key=" + TEXT_SECRET.encode(), ()), (b"key=none", (Cause.SECRET,)), (b"", (Cause.SECRET,))):
        assert diagnose(door, [], m.Delivery("door", (), own(), NOW, query)).causes == causes


def test_hmac_as_settings_lay_it() -> None:
    """A source whose settings say how it signs is diagnosed by that layout, and its secrets read as it reads them."""
    hub = schemed(
        {"scheme": "hmac", "header": "X-Sign", "encoding": "hex", "key": "base64"}, "c2VydmljZW5vdy1zaGFyZWQ="
    )
    key = base64.b64decode("c2VydmljZW5vdy1zaGFyZWQ=")
    arriving = m.Delivery("hub", ((b"x-sign", made(own(), key, b"%s").hex().encode()),), own(), NOW)
    assert diagnose(hub, [], arriving).causes == ()
    assert diagnose(hub, [], replace(arriving, body=own() + b"\n")).causes == (Cause.BODY,)
    other = m.Delivery(
        "hub", ((b"x-sign", made(own(), b"c2VydmljZW5vdy1zaGFyZWQ=", b"%s").hex().encode()),), own(), NOW
    )
    assert diagnose(hub, [], other).causes == (Cause.ENCODING,)


def test_a_time_among_the_signatures() -> None:
    """Where the time is a part of the signature's own header, that it is old is said all the same."""
    layout = Layout("sign", "{timestamp}.{body}", stamp="sign", stamp_item="t=", prefix="v1=", separator=",")
    hub = of_layout(layout, TEXT_SECRET)
    headers = hub.proof.proved(TEXT_SECRET.encode(), "", NOW, own())
    arriving = m.Delivery("hub", ((b"sign", headers["sign"].encode()),), own(), NOW)
    assert found(arriving, hub).causes == ()
    it = found(replace(arriving, received_at=NOW + 900_000), hub)
    assert it.causes == (Cause.STALE,)
    assert "-900 s from our clock" in it.sentences[0]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"webhook-id", b"webhook-timestamp", b"webhook-signature"]), st.binary(max_size=40)),
        max_size=5,
    ),
    st.binary(max_size=60),
)
def test_hostile_deliveries(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Whatever arrives is diagnosed, never believed, and never an exception."""
    it = diagnose(DESK, OTHERS, m.Delivery("desk", tuple(headers), body, NOW))
    assert it.causes
    assert it.verified is None
    assert all(it.sentences)


def test_only_a_valid_one_has_no_cause() -> None:
    """Each bit of a signature that is turned leaves a delivery that is not believed."""
    good = delivery(own())
    signature = good.header(b"webhook-signature") or b""
    for place in range(0, len(signature), 15):
        turned = bytearray(signature)
        turned[place] ^= 1
        assert found(with_header(good, b"webhook-signature", bytes(turned))).causes
