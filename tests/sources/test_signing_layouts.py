"""Signatures of every system's layout: published vectors, official packages, openssl in a shell, each knob in turn.

Of the vectors these schemes are not in use, and left out: `twilio` (signs a sorted form, not the body), `hubspot_v1`
and `hubspot_v2` (a plain hash, no HMAC), `rfc9421_hmac_sha256` (need not cover the body), `standard_webhooks_ed25519`.
"""

from __future__ import annotations

import base64
import hmac
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import BadSignature, Stale
from service.sources.schemes import Scheme, SignatureOptions
from service.sources.signing import STANDARD, SVIX, Keyring, Layout, fingerprint, moment_in, signed
from tests.needs import needs
from tests.sources.layouts import SCHEMES, arriving, by_hand, layout_of
from tests.sources.senders import NOW, OTHER_SECRET, SECRET, delivery, key_of, with_header
from tests.sources.test_signing import ALL, VECTORS, arrived

LEFT_OUT = {"twilio", "hubspot_v1", "hubspot_v2", "rfc9421_hmac_sha256", "standard_webhooks_ed25519"}
KEY = b"a made-up secret of 32 bytes ok!"
BODY = b'{"type":"caller.remove"}'
IN_USE = [it for it in ALL if it["scheme"] in SCHEMES]


def judges(vector: dict[str, Any]) -> Iterator[Scheme]:
    """Yield what judges a vector; its secret may be shorter than we let anybody choose one."""
    for said in SCHEMES[vector["scheme"]]:
        options = SignatureOptions.model_validate({**said, **({"url": vector["url"]} if "url" in vector else {})})
        text = vector["secret"]
        secret = base64.b64decode(text) if options.key == "base64" else text.encode()
        if options.scheme == "hmac":
            yield Keyring([secret], options.layout, least=1)
        else:
            yield options.over([secret])


def is_taken(scheme: Scheme, delivery: m.Delivery) -> bool:
    """Whether a scheme takes a delivery; another exception than BadSignature is nobody's answer."""
    try:
        scheme.verify(delivery)
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("vector", [pytest.param(it, id=f"{it['scheme']}: {it.get('note', '')[:50]}") for it in IN_USE])
def test_every_vector_in_use(vector: dict[str, Any]) -> None:
    """Each published and constructed vector is judged as it says, through settings alone."""
    came = {"now": 0, **vector}
    found = arrived(came)
    lower = replace(found, headers=tuple((name.lower(), value) for name, value in found.headers))
    assert any(is_taken(scheme, lower) for scheme in judges(vector)) is vector["valid"]


def test_every_vector_is_judged_or_left_out() -> None:
    """No vector is forgotten: each scheme is Standard Webhooks, one of the layouts, or named as left out."""
    assert {it["scheme"] for it in ALL} == {"standard_webhooks"} | set(SCHEMES) | LEFT_OUT
    assert (len(IN_USE), sum(it["valid"] for it in IN_USE)) == (29, 15)


def test_slack_sdk_takes_what_we_sign() -> None:
    """Slack's own package takes our signatures, and we take its."""
    needs("slack_sdk")
    from slack_sdk.signature import Clock, SignatureVerifier  # noqa: PLC0415 - CI installs it, a laptop need not

    class Then(Clock):
        def now(self) -> float:
            return NOW / 1000

    secret, options = "8f742231b10e8888abcd99yyyzzz85a5", layout_of("slack")
    theirs = SignatureVerifier(secret, Then())
    ours = options.proof(secret.encode(), "", NOW, BODY)
    assert theirs.is_valid_request(BODY, dict(ours))
    assert not theirs.is_valid_request(BODY + b" ", dict(ours))
    made = theirs.generate_signature(timestamp=str(NOW // 1000), body=BODY)
    assert made is not None
    headers = {"X-Slack-Request-Timestamp": str(NOW // 1000), "X-Slack-Signature": made}
    assert options.over([secret.encode()]).verify(arriving(headers, BODY, NOW)).stamped_at == NOW


HEX = ("hub_signature_256", "intercom", "pagerduty_v3", "slack", "stripe_style", "plain_hmac_hex")
IN_SHELL = """printf '%s' "$CONTENT" | openssl dgst -"$DIGEST" -hmac "$KEY" -hex | sed 's/^.* //'"""


@pytest.mark.parametrize("scheme", HEX)
def test_a_shell_signs_the_same(scheme: str) -> None:
    """What openssl in a shell signs, in each system's hex layout, is taken."""
    needs("openssl")
    options = layout_of(scheme)
    stamp = str(NOW // 1000)
    content = options.content.replace("{timestamp}", stamp).replace("{body}", BODY.decode())
    environ = {"PATH": os.environ["PATH"], "CONTENT": content, "KEY": KEY.decode(), "DIGEST": options.digest}
    made = subprocess.run(["/bin/sh", "-c", IN_SHELL], env=environ, capture_output=True, check=True, text=True).stdout
    said = options.prefix + made.strip()
    headers = {options.timestamp_header or "x-none": stamp}
    headers[options.header] = f"t={stamp},{said}" if options.timestamp_item else said
    assert is_taken(options.over([KEY]), arriving(headers, BODY, NOW))


def knobs() -> Iterator[SignatureOptions]:
    """Yield every combination of what a layout may say."""
    digests, encodings, prefixes = ("sha256", "sha1", "sha512"), ("base64", "hex"), ("", "sha256=", "v1 ")
    stamps = ("", "seconds", "milliseconds", "rfc3339")
    for digest, encoding, prefix, separator, stamp, has_id, is_item in itertools.product(
        digests, encodings, prefixes, ("", ",", "; "), stamps, (False, True), (False, True)
    ):
        if is_item and not (stamp and separator):
            continue
        content = ("{id}." if has_id else "") + ("{timestamp}." if stamp else "") + "{body}"
        said: dict[str, object] = {"content": content, "digest": digest, "encoding": encoding, "prefix": prefix}
        said |= {"separator": separator, "header": "x-signature", "id_header": "x-id" if has_id else ""}
        if stamp:
            said |= {"timestamp": stamp, "timestamp_header": "x-signature" if is_item else "x-stamp"}
        yield SignatureOptions.model_validate(said | {"timestamp_item": "t=" if is_item else ""})


def test_every_knob() -> None:
    """Each digest, encoding, prefix, separator, and way to say the time: as signed it is taken, changed it is not."""
    tried = 0
    for options in knobs():
        scheme, headers = options.over([KEY]), by_hand(options, KEY, "msg_1", NOW, BODY)
        assert options.proof(KEY, "msg_1", NOW, BODY) == headers
        verified = scheme.verify(arriving(headers, BODY, NOW))
        has_stamp = bool(options.timestamp_header)
        expected = m.Verified("msg_1" if options.id_header else "", NOW if has_stamp else None, fingerprint(KEY))
        assert verified == expected
        for bad in (BODY + b" ", b"", BODY[:-1]):
            assert not is_taken(scheme, arriving(headers, bad, NOW))
        for name, value in headers.items():
            for changed in {value[:-1], value + "A", value.swapcase(), "", " " + value} - {value}:
                assert not is_taken(scheme, arriving({**headers, name: changed}, BODY, NOW)), (options, name)
        assert not is_taken(options.over([KEY[::-1]]), arriving(headers, BODY, NOW))
        tried += 1
    assert tried == 3 * 2 * 3 * 2 * (3 * 4 + 2 * 3)


def test_several_signatures() -> None:
    """Where a layout has a separator any of sixteen may fit; where it has none the header is one signature."""
    one, several = layout_of("plain_hmac_hex"), layout_of("pagerduty_v3")
    good = by_hand(several, KEY, "", NOW, BODY)["X-PagerDuty-Signature".lower()]
    for before, after in ((0, 0), (3, 2), (15, 4)):
        said = ",".join(["v1=00"] * before + [good] + ["junk"] * after)
        assert is_taken(several.over([KEY]), arriving({"X-PagerDuty-Signature": said}, BODY, NOW))
    said = ",".join(["v1=00"] * 16 + [good])
    assert not is_taken(several.over([KEY]), arriving({"X-PagerDuty-Signature": said}, BODY, NOW))
    alone = by_hand(one, KEY, "", NOW, BODY)["x-webhook-signature"]
    assert is_taken(one.over([KEY]), arriving({"X-Webhook-Signature": alone}, BODY, NOW))
    assert not is_taken(one.over([KEY]), arriving({"X-Webhook-Signature": f"{alone},{alone}"}, BODY, NOW))


@pytest.mark.parametrize(
    "item", ["", "t=", "t=1795165200,t=1795165200", "t=01795165200", "T=1795165200", "t=1795165200.0"]
)
def test_a_moment_inside_the_signature(item: str) -> None:
    """A moment that is an item of the signature's header stands there once, and as plain digits."""
    options = layout_of("stripe_style")
    good = by_hand(options, KEY, "", NOW, BODY)["stripe-signature"]
    assert is_taken(options.over([KEY]), arriving({"Stripe-Signature": good}, BODY, NOW))
    changed = good.replace("t=1795165200", item)
    with pytest.raises(BadSignature, match="stripe-signature must be whole seconds"):
        options.over([KEY]).verify(arriving({"Stripe-Signature": changed}, BODY, NOW))


MOMENTS = [
    ("seconds", b"1795165200", NOW), ("seconds", b"9" * 12, 999_999_999_999_000), ("seconds", b"9" * 13, None),
    ("seconds", b"0", None), ("seconds", b"2026-11-20T09:00:00Z", None), ("milliseconds", b"1795165200123", NOW + 123),
    ("milliseconds", b"9" * 15, 999_999_999_999_999), ("milliseconds", b"9" * 16, None), ("milliseconds", b"0", None),
    ("rfc3339", b"2026-11-20T09:00:00Z", NOW), ("rfc3339", b"2026-11-20T10:00:00+01:00", NOW),
    ("rfc3339", b"2026-11-20T09:00:00.5Z", NOW + 500), ("rfc3339", b"2026-11-20T09:00:00.123456Z", NOW + 123),
    ("rfc3339", b"2026-11-20T09:00:00.1234567Z", None), ("rfc3339", b"2026-11-20T09:00:00", None),
    ("rfc3339", b"2026-11-20 09:00:00Z", None), ("rfc3339", b"2026-02-31T09:00:00Z", None),
    ("rfc3339", b"2026-11-20T24:00:00Z", None), ("rfc3339", b"2026-11-20T09:00:60Z", None),
    ("rfc3339", b"2026-11-20T09:00:00+99:99", None), ("rfc3339", b"2026-11-20T09:00:00z", None),
    ("rfc3339", b"0000-11-20T09:00:00Z", None), ("rfc3339", b"9999-12-31T23:59:59-23:59", 253_402_387_139_000),
    ("rfc3339", b"1000-01-01T00:00:00+23:59", -30_610_310_340_000), ("rfc3339", b"1795165200", None),
    ("rfc3339", b"2026-11-20T09:00:00Z\n", None), ("rfc3339", "2026-11-20T09:00:0\uff10Z".encode(), None),
]  # fmt: skip


@pytest.mark.parametrize("form, said, at", MOMENTS)
def test_moments(form: str, said: bytes, at: int | None) -> None:
    """A moment is read in exactly the form that the layout says, and what is none is a BadSignature."""
    layout = SignatureOptions.model_validate(
        {"header": "x", "content": "{timestamp}{body}", "timestamp_header": "x-at", "timestamp": form}
    ).layout
    if at is not None:
        assert moment_in(said, layout) == at
        return
    words = {"seconds": "whole seconds", "milliseconds": "whole milliseconds", "rfc3339": "a time like 2026-11-20"}
    with pytest.raises(BadSignature, match=f"x-at must be {words[form]}"):
        moment_in(said, layout)


@pytest.mark.parametrize("form", ["seconds", "milliseconds", "rfc3339"])
def test_five_minutes_in_every_form(form: str) -> None:
    """However the moment is written, it is good for five minutes both ways and stale after that."""
    said = {"header": "x", "content": "{timestamp}{body}", "timestamp_header": "x-at", "timestamp": form}
    options = SignatureOptions.model_validate(said)
    headers = by_hand(options, KEY, "", NOW, BODY)
    for away in (-300_000, 300_000):
        assert options.over([KEY]).verify(arriving(headers, BODY, NOW + away)).stamped_at == NOW
    for away in (-300_001, 300_001):
        with pytest.raises(Stale, match="x-at is"):
            options.over([KEY]).verify(arriving(headers, BODY, NOW + away))


def test_headers_are_named_in_words() -> None:
    """What must stand once is said with all its names, the signature last."""
    for layout, words in (
        (Layout("x-sig"), "x-sig must stand exactly once"),
        (Layout("x-sig", stamp="x-at"), "x-at and x-sig must each stand exactly once"),
        (STANDARD, "webhook-id, webhook-timestamp and webhook-signature must each stand exactly once"),
    ):
        with pytest.raises(BadSignature, match=f"^{words}$"):
            Keyring([KEY], layout).verify(arriving({}, BODY, NOW))


def test_a_layout_says_only_what_differs() -> None:
    """Of a layout only the header must be said: it is one bare MAC of the body by SHA-256, in base64, untimed."""
    bare = Layout("x-sig")
    assert bare == Layout("x-sig", "{body}", "", "", "seconds", "", "sha256", "base64", "", "")
    mac = base64.b64encode(hmac.digest(KEY, BODY, "sha256")).decode()
    assert signed(KEY, "any id at all", NOW, BODY, bare) == {"x-sig": mac}
    assert Keyring([KEY], bare).verify(arriving({"x-sig": mac}, BODY, NOW)) == m.Verified("", None, fingerprint(KEY))


def test_the_least_secret() -> None:
    """How short a secret may be is the scheme's to say, but none is empty."""
    assert is_taken(
        Keyring([b"x"], Layout("s"), least=0), arriving(signed(b"x", "", NOW, BODY, Layout("s")), BODY, NOW)
    )
    for secrets, least in (([b""], 0), ([], 0), ([b"x" * 15], 16), ([b"x" * 16, b"x" * 15], 16)):
        with pytest.raises(ValueError, match="needs a secret"):
            Keyring(secrets, Layout("s"), least=least)


def renamed(good: m.Delivery) -> m.Delivery:
    """Return a delivery of Standard Webhooks under Svix' names."""
    return replace(good, headers=tuple((name.replace(b"webhook-", b"svix-"), value) for name, value in good.headers))


def test_svix_names() -> None:
    """The same three headers under Svix' names are as good: proved, stale, or refused under those names."""
    ring, good = Keyring([key_of(SECRET)]), renamed(delivery(BODY))
    assert ring.verify(good) == m.Verified("msg_1", NOW, fingerprint(key_of(SECRET)))
    with pytest.raises(Stale, match="svix-timestamp is"):
        ring.verify(replace(good, received_at=NOW + 300_001))
    with pytest.raises(BadSignature, match="no signature in svix-signature"):
        ring.verify(renamed(delivery(BODY, secret=OTHER_SECRET)))
    for name in SVIX.headers:
        value = good.header(name.encode()) or b""
        for values in ((), (value, value), (value + b"\n",)) if name != SVIX.signature else ((value, value),):
            with pytest.raises(BadSignature, match="svix-"):
                ring.verify(with_header(good, name.encode(), *values))
    assert signed(key_of(SECRET), "msg_1", NOW, BODY, SVIX) == {
        name.decode(): value.decode() for name, value in good.headers if name.startswith(b"svix-")
    }


def test_svix_names_are_never_mixed_with_ours() -> None:
    """No header of one set completes the other, and where both signatures stand only ours is looked at."""
    ring, ours = Keyring([key_of(SECRET)]), delivery(BODY)
    theirs = renamed(ours)
    both = replace(ours, headers=(*ours.headers, *theirs.headers[1:]))
    assert ring.verify(both).signed_id == "msg_1"
    for name in STANDARD.headers:
        with pytest.raises(BadSignature):
            ring.verify(with_header(both, name.encode(), b"v1,AAAA"))
    sets = [(mine, other) for mine, other in zip(ours.headers[1:], theirs.headers[1:], strict=True)]
    for chosen in itertools.product((0, 1), repeat=3):
        headers = tuple(pair[which] for pair, which in zip(sets, chosen, strict=True))
        mixed = replace(ours, headers=headers)
        assert is_taken(ring, mixed) is (len(set(chosen)) == 1)
    # a source that signs in another way knows neither
    assert not is_taken(layout_of("plain_hmac_hex").over([key_of(SECRET)]), theirs)
    assert not is_taken(Keyring([key_of(SECRET)], replace(STANDARD, prefix="v2,")), theirs)


def test_every_vector_under_svix_names() -> None:
    """Each vector of Standard Webhooks is judged the same under Svix' names."""
    for vector in VECTORS:
        ring = Keyring([key_of(vector["secret"])])
        assert is_taken(ring, renamed(arrived(vector))) is vector["valid"]
