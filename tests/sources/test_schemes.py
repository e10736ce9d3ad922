"""How a source's deliveries prove themselves, as settings say it: each scheme, each fault, and no secret in any."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.core import model as m
from service.core.errors import BadSignature
from service.sources.schemes import SECRET_LEAST, Scheme, SignatureOptions
from service.sources.signing import Keyring, Layout, fingerprint
from tests.sources.layouts import arriving
from tests.sources.senders import NOW

KEY, OTHER = b"play-secret-no-1-for-tests", b"play-secret-no-2-for-tests"
BODY = b'{"type":"caller.remove"}'
SHOWN: dict[str, dict[str, object]] = {
    "basic": {"scheme": "basic", "username": "desk"},
    "bearer": {"scheme": "bearer"},
    "header": {"scheme": "header", "header": "X-Token"},
    "header with a prefix": {"scheme": "header", "header": "Authorization", "prefix": "Key "},
    "query": {"scheme": "query", "parameter": "key"},
}
EACH = pytest.mark.parametrize("said", [pytest.param(said, id=name) for name, said in SHOWN.items()])


def options(**said: object) -> SignatureOptions:
    """Return the settings of a scheme."""
    return SignatureOptions.model_validate(said)


def faults(**said: object) -> str:
    """Return what is said of settings that cannot be used."""
    with pytest.raises(ValidationError) as caught:
        options(**said)
    return str(caught.value)


def shown(said: Mapping[str, object], secret: bytes = KEY) -> m.Delivery:
    """Return a delivery that shows a secret as its settings say."""
    made = options(**said)
    query = f"a=b&{made.parameter}={secret.decode()}".encode() if made.scheme == "query" else b""
    return arriving(made.proof(secret, "msg_1", NOW, BODY), BODY, NOW, query)


def is_taken(scheme: Scheme, delivery: m.Delivery) -> bool:
    """Whether a scheme takes a delivery; another exception than BadSignature is nobody's answer."""
    try:
        scheme.verify(delivery)
    except BadSignature:
        return False
    return True


@EACH
def test_a_secret_that_is_shown(said: dict[str, object]) -> None:
    """Any of a source's secrets opens, and is named; another does not, and neither does none, a part, or more."""
    scheme = options(**said).over([OTHER, KEY])
    for secret in (KEY, OTHER):
        assert scheme.verify(shown(said, secret)) == m.Verified("", None, fingerprint(secret))
    for secret in (b"play-secret-no-3-for-tests", KEY[:-1], KEY + b"x", KEY.upper(), b"", KEY + OTHER):
        with pytest.raises(BadSignature, match="holds is no secret of this source"):
            scheme.verify(shown(said, secret))
    with pytest.raises(BadSignature, match="must stand exactly once"):
        scheme.verify(arriving({}, BODY, NOW))


@EACH
def test_shown_twice_is_not_shown(said: dict[str, object]) -> None:
    """A secret that stands twice is none, even where both are right: two readers could take one each."""
    good = shown(said)
    twice = m.Delivery("desk", good.headers * 2, BODY, NOW, b"&".join([good.query] * 2))
    assert is_taken(options(**said).over([KEY]), good)
    with pytest.raises(BadSignature, match="must stand exactly once"):
        options(**said).over([KEY]).verify(twice)


def written_otherwise() -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Yield, by scheme, ways to show the right secret that are none."""
    secret, pair = KEY.decode(), base64.b64encode(b"desk:" + KEY).decode()
    for name, value in {
        "basic": [pair, f"Basic{pair}", f"Basic  {pair}", f"Basic {pair} ", f"Bearer {pair}", f"Basic {pair[:-2]}"],
        "bearer": [secret, f"Bearer  {secret}", f"Bearer{secret}", f"Basic {secret}", f"Bearer {secret} ", "Bearer"],
        "header": [f" {secret}", f"{secret} ", f'"{secret}"', f"Bearer {secret}"],
        "header with a prefix": [secret, f"key {secret}", f"Key{secret}", f"Key  {secret}"],
    }.items():
        header = "X-Token" if name == "header" else "Authorization"
        yield from ((name, {header: one}, b"") for one in value)
    for user in (b"", b"Desk", b"desk2", b"desk:x"):
        yield "basic", {"Authorization": "Basic " + base64.b64encode(user + b":" + KEY).decode()}, b""
    yield "basic", {"Authorization": "Basic " + base64.b64encode(b"desk" + KEY).decode()}, b""
    yield "basic", {"Authorization": "Basic \u00e9"}, b""
    for query in (
        b"Key=" + KEY, b"key=" + KEY + b"&key=x", b"key[]=" + KEY, b"a=1;key=" + KEY, b"key=" + KEY + b"\xff",
        b"&".join([b"x=1"] * 20) + b"&key=" + KEY, b"key=" + KEY + b"%00", b"xkey=" + KEY, b"key", b"=",
    ):  # fmt: skip
        yield "query", {}, query


def test_secrets_written_otherwise() -> None:
    """The right secret in another place, form or name is not shown."""
    tried = 0
    for name, headers, query in written_otherwise():
        delivery = m.Delivery(
            "desk", tuple((k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()), BODY, NOW, query
        )
        assert not is_taken(options(**SHOWN[name]).over([KEY]), delivery), (name, headers, query)
        tried += 1
    assert tried == 36


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_the_scheme_of_authorization_has_no_case(scheme: str) -> None:
    """`Basic` and `Bearer` are written as anybody likes (RFC 9110, 11.1)."""
    good = shown(SHOWN[scheme])
    ((name, value),) = good.headers
    for word in (scheme.encode(), scheme.upper().encode()):
        said = ((name, word + value[len(scheme) :]),)
        assert is_taken(options(**SHOWN[scheme]).over([KEY]), m.Delivery("desk", said, BODY, NOW))


def test_a_secret_in_a_query_stands_among_others() -> None:
    """Beside it may stand what a URL may hold, other languages included; it is escaped as in any URL."""
    scheme = options(**SHOWN["query"]).over([b"a secret+of/20 chars=&"])
    for query in (
        b"name=M%C3%BCller&key=a%20secret%2Bof%2F20+chars%3D%26&x=%ff",
        b"key=a+secret%2bof/20%20chars%3d%26",
    ):
        assert is_taken(scheme, arriving({}, BODY, NOW, query))
    assert not is_taken(scheme, arriving({}, BODY, NOW, b"key=a+secret+of/20+chars%3d%26"))


def test_what_is_shown_is_not_shown_by_a_delivery() -> None:
    """The text of a delivery holds neither its headers nor its query nor its body."""
    for said in SHOWN.values():
        assert KEY.decode() not in repr(shown(said))
        assert "caller.remove" not in repr(shown(said))


def test_a_layout_is_what_the_settings_say() -> None:
    """An hmac has exactly the layout that its settings name, header names in lower case, our address put in."""
    said = {
        "header": "X-Sig", "content": "{id}|POST{url}|{timestamp}|{body}", "id_header": "X-Id",
        "timestamp_header": "X-At", "timestamp": "milliseconds", "digest": "sha512", "encoding": "hex",
        "prefix": "v9=", "separator": ";",
        "url": "https://onhook.example/webhooks/desk",
    }  # fmt: skip
    assert options(**said).layout == Layout(
        signature="x-sig",
        content="{id}|POSThttps://onhook.example/webhooks/desk|{timestamp}|{body}",
        id="x-id",
        stamp="x-at",
        stamp_form="milliseconds",
        stamp_item="",
        digest="sha512",
        encoding="hex",
        prefix="v9=",
        separator=";",
    )
    item = {
        "header": "S",
        "timestamp_header": "s",
        "content": "{timestamp}{body}",
        "timestamp_item": "t=",
        "separator": ",",
    }
    assert (options(**item).layout.stamp, options(**item).layout.stamp_item) == ("s", "t=")
    assert isinstance(options(**said).over([KEY]), Keyring)


AT = {"timestamp_header": "X-At", "content": "{timestamp}{body}"}
FAULTS: list[tuple[dict[str, object], str]] = [
    ({}, "header: needed by the scheme hmac"),
    ({"scheme": "header"}, "header: needed by the scheme header"),
    ({"scheme": "basic"}, "username: needed by the scheme basic"),
    ({"scheme": "query"}, "parameter: needed by the scheme query"),
    ({"scheme": "digest"}, "scheme"),
    ({"scheme": "basic", "username": "a:b"}, "username: one with a colon"),
    ({"header": "X Sig"}, "is the name of a header"),
    ({"header": "X-Sig\n"}, "is the name of a header"),
    ({"header": "x" * 101}, "is the name of a header"),
    ({"header": "X-S\u0456g"}, "is the name of a header"),
    ({"header": "X", "content": ""}, "content: has no {body}"),
    ({"header": "X", "content": "{Body}"}, "content: has no {body}"),
    ({"header": "X", "content": "{timestamp}", "timestamp_header": "X-At"}, "content: has no {body}"),
    ({"header": "X", "content": "{id}{body}"}, "id_header: and {id} in content are said together"),
    ({"header": "X", "id_header": "X-Id"}, "id_header: and {id} in content are said together"),
    ({"header": "X", "content": "{timestamp}{body}"}, "timestamp_header: and {timestamp} in content are said together"),
    ({"header": "X", "timestamp_header": "X-At"}, "timestamp_header: and {timestamp} in content are said together"),
    ({"header": "X", "content": "{url}{body}"}, "url: and {url} in content are said together"),
    ({"header": "X", "url": "https://x"}, "url: and {url} in content are said together"),
    ({"header": "X", "content": "{method}{body}"}, "content: {method} is unknown"),
    ({"header": "X", "content": "{}{body}"}, "content: {} is unknown"),
    ({"header": "X", "timestamp_item": "t="}, "timestamp_item: is a part of header"),
    ({"header": "X", "timestamp_item": "t=", "separator": ",", **AT}, "timestamp_item: is a part of header"),
    ({"header": "X-At", "timestamp_item": "t=", **AT}, "timestamp_item: is a part of header"),
    ({"header": "X", "prefix": "v1,", "separator": ","}, "separator: stands in what it is to separate"),
    ({"header": "X-At", "timestamp_item": "t,", "separator": ",", **AT}, "separator: stands in what"),
    ({"header": "X", "separator": "="}, "separator: stands in what"),
    ({"header": "X", "separator": "a"}, "separator: stands in what"),
    ({"header": "X", "separator": "    "}, "at most 3"),
    ({"header": "X", "content": "{url}{body}", "url": "https://x/{body}"}, "url: is our address as it is"),
    ({"header": "X", "timestamp": "minutes"}, "timestamp"),
    ({"header": "X", "digest": "md5"}, "digest"),
    ({"header": "X", "encoding": "HEX"}, "encoding"),
    ({"header": "X", "key": "hex"}, "key"),
    ({"header": "X", "secret": "x"}, "Extra inputs"),
]


@pytest.mark.parametrize("said, words", FAULTS)
def test_faults(said: dict[str, object], words: str) -> None:
    """Settings that could prove nothing are a fault that names the setting."""
    assert words in faults(**said)


@pytest.mark.parametrize(
    "said, text, words",
    [
        ({"header": "x"}, "", "empty"),
        ({"header": "x"}, "x" * (SECRET_LEAST - 1), "15 bytes; at least 16"),
        ({"header": "x", "key": "base64"}, "correct horse battery", "not base64"),
        ({"header": "x", "key": "base64"}, "\u00e9" * 20, "not base64"),
        ({"header": "x", "key": "base64"}, base64.b64encode(bytes(15)).decode(), "15 bytes; at least 16"),
        ({"scheme": "bearer"}, "a secret\nof twenty bytes", "printable ASCII"),
        ({"scheme": "bearer"}, "ein geheimes K\u00e4stchen", "printable ASCII"),
        ({"scheme": "bearer"}, " a secret of twenty bytes", "no space at its ends"),
        ({"scheme": "query", "parameter": "k"}, "a secret of twenty bytes ", "no space at its ends"),
    ],
)
def test_secrets_that_are_a_fault(said: dict[str, object], text: str, words: str) -> None:
    """A secret that cannot be used is a fault in words that do not hold it."""
    with pytest.raises(ValueError, match=words) as caught:
        options(**said).secret_in(text)
    assert not text or text.strip() not in "".join(traceback.format_exception(caught.value, limit=0))


def test_secrets_that_are_taken() -> None:
    """A secret is its text, any language's where it is not shown, or what it writes in base64."""
    assert options(header="x").secret_in("x" * 16) == b"x" * 16
    assert options(header="x").secret_in("K\u00e4stchen" * 2) == ("K\u00e4stchen" * 2).encode()
    assert options(header="x", key="base64").secret_in(base64.b64encode(bytes(16)).decode()) == bytes(16)
    assert options(scheme="bearer").secret_in("a secret of twenty bytes") == b"a secret of twenty bytes"


HEADERS = st.sampled_from([b"authorization", b"x-token", b"x-sig", b"x-at", b"x-id", b"content-type"])
LINES = st.tuples(HEADERS, st.binary(max_size=40) | st.sampled_from([b"Basic ", b"Bearer ", b"Basic Og==", b"Key "]))
HMAC: dict[str, object] = {
    "header": "x-sig", "content": "{id}{timestamp}{body}", "id_header": "x-id", "timestamp_header": "x-at",
    "timestamp": "rfc3339",
}  # fmt: skip
ITEM: dict[str, object] = {
    "header": "x-sig", "content": "{timestamp}{body}", "timestamp_header": "x-sig", "timestamp_item": "t=",
    "separator": ",", "encoding": "hex",
}  # fmt: skip
EVERY = [options(**said) for said in (*SHOWN.values(), HMAC, ITEM)]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(LINES, max_size=5), st.binary(max_size=40), st.binary(max_size=60))
def test_any_headers_query_and_body(headers: list[tuple[bytes, bytes]], body: bytes, query: bytes) -> None:
    """Whatever bytes arrive, every scheme answers BadSignature and never another exception."""
    delivery = m.Delivery("desk", tuple(headers), body, NOW, query)
    assert not any(is_taken(one.over([KEY, OTHER]), delivery) for one in EVERY)
