"""One seat for each kind of source: settings that work, what its system sends, and how it proves itself, by hand.

A preset brings its own by the sample in its file; a kind that has code has its row here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from service.core import model as m
from service.core.ports import Source
from service.sources import KINDS
from service.sources.presets import NAMES, preset
from service.sources.schemes import SignatureOptions
from tests.sources import senders, workspace
from tests.sources.layouts import SCHEMES, by_hand
from tests.sources.senders import CONVERSATION, NOW, OTHER_SECRET, PHONE, SECRET, Outdoors

# good as texts, and as base64 of 32 bytes
KEY: Final = base64.b64encode(b"a play secret of thirty-two byte").decode()
OTHER_KEY: Final = base64.b64encode(b"and another one for who is wrong").decode()
_DESK: Final = {"desk_url": "http://127.0.0.1:8090", "desk_user": "agent@acme.example", "desk_secret": "a play key"}
_STANDARD: Final = SignatureOptions(
    header="webhook-signature",
    content="{id}.{timestamp}.{body}",
    id_header="webhook-id",
    timestamp_header="webhook-timestamp",
    prefix="v1,",
    separator=" ",
)
_ASKS: Final = {
    "conversation_id": CONVERSATION,
    "caller_phone": PHONE,
    "ticket": f"incident/{senders.SYS_ID}",
    "requester": "beth.anglin",
    "event_at": "2026-11-20T09:00:00Z",
}
_GENERIC: Final = {"kind": "generic", "org": "acme", "secrets": [SECRET], "reports": []}
# what a kind with code is set to, sends, and asks by that
_CODED: Final[Mapping[str, tuple[Mapping[str, object], bytes, Mapping[str, str]]]] = {
    "servicenow": (senders.OPTIONS["servicenow"], senders.own(), _ASKS),
    "standard": (senders.OPTIONS["standard"], senders.own(), _ASKS),
    "generic": (_GENERIC, senders.own(), _ASKS),
    "slack": (
        workspace.OPTIONS | {"secrets": [KEY]},
        workspace.command(),
        _ASKS
        | {"ticket": f"{workspace.CHANNEL}/{workspace.TRIGGER}", "requester": workspace.USER}
        | {"event_id": workspace.TRIGGER},
    ),
}


@dataclass(frozen=True)
class Seat:
    """A configured source, and what its system sends.

    Attributes:
        kind: what it is in the register.
        settings: as an operator writes them.
        body: the sample.
        headers: what is sent besides the proof.
        asks: what the sample asks.
        secret: what proves it, as the settings write it.
    """

    kind: str
    settings: Mapping[str, object]
    body: bytes
    asks: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = KEY

    @property
    def options(self) -> Any:  # noqa: ANN401 - each kind has Options of its own
        """Its settings, read."""
        return KINDS[self.kind].options.model_validate(self.settings)

    @property
    def signature(self) -> SignatureOptions:
        """How its deliveries prove themselves."""
        return getattr(self.options, "signature", None) or _STANDARD

    @property
    def other_secret(self) -> str:
        """One of the same form that is not its own."""
        return OTHER_SECRET if self.secret == SECRET else OTHER_KEY

    def source(self, name: str = "desk", outdoors: Outdoors | None = None, **changes: object) -> Source:
        """Build it, with some settings changed."""
        options = KINDS[self.kind].options.model_validate({**self.settings, **changes})
        return KINDS[self.kind].build(name, options, (outdoors or Outdoors()).outside)

    def delivery(self, body: bytes | None = None, *, secret: str = "", at: int = NOW, name: str = "desk") -> m.Delivery:
        """Return a delivery as its system sends it, of the sample or another body."""
        said, query = self.proof(self.body if body is None else body, secret or self.secret)
        media = self.headers.get("content-type", "application/json")
        headers = {"content-type": media, **self.headers, **said}
        raw = tuple((key.lower().encode(), value.encode()) for key, value in headers.items())
        return m.Delivery(name, raw, self.body if body is None else body, at, query)

    def proof(self, body: bytes, secret: str) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the query by which a sender who knows `secret` proves a body, made by hand."""
        how = self.signature
        match how.scheme:
            case "hmac":
                is_base64 = how is _STANDARD or how.key == "base64"
                key = base64.b64decode(secret.removeprefix("whsec_")) if is_base64 else secret.encode()
                return by_hand(how, key, "msg_1", NOW, body), b""
            case "basic":
                pair = base64.b64encode(f"{how.username}:{secret}".encode()).decode()
                return {"authorization": f"Basic {pair}"}, b""
            case "bearer":
                return {"authorization": f"Bearer {secret}"}, b""
            case "header":
                return {how.header: how.prefix + secret}, b""
            case "query":
                return {}, urlencode({how.parameter: secret}).encode()

    @property
    def removal(self) -> m.Removal:
        """What the sample asks, as far as every kind says it."""
        return m.Removal(
            self.asks["conversation_id"],
            m.Selector(m.SelectorKind.PHONE, self.asks["caller_phone"]),
            event_at=round(datetime.fromisoformat(self.asks["event_at"]).timestamp() * 1000),
            requester=self.asks["requester"],
            event_id=self.asks.get("event_id", ""),
        )


def seat(kind: str) -> Seat:
    """Return the seat of a kind, a new one too: a preset has its sample, code needs a row above."""
    if kind not in NAMES:
        settings, body, asks = _CODED[kind]
        form = {"content-type": "application/x-www-form-urlencoded"} if not body.startswith(b"{") else {}
        return Seat(kind, settings, body, asks, form, KEY if kind == "slack" else SECRET)
    sample = preset(kind).sample
    settings = {"kind": kind, "org": "acme", "secrets": [KEY], **_DESK}
    return Seat(kind, settings, str(sample["body"]).strip().encode(), sample["asks"], sample.get("headers", {}))


def asked(found: m.Removal | m.Ignored | m.Batch) -> m.Removal | m.Ignored | str:
    """Return what a delivery of one event asks, also where it is sent as a list."""
    if isinstance(found, m.Batch):
        (part,) = found.parts
        return part.asked
    return found


Place = tuple[str | int, ...]


def places(body: bytes) -> dict[Place, object]:
    """Return every place of a body in which something stands that is no table or list; of a form each field."""
    value = _read(body)
    found: dict[Place, object] = {}

    def walk(inner: object, at: Place) -> None:
        pairs = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for step, part in pairs:
            walk(part, (*at, step))
            if not isinstance(part, dict | list):
                found[*at, step] = part

    walk(value, ())
    return found


def without(body: bytes, place: Place) -> bytes:
    """Return a body without what stands at a place."""
    value = _read(body)
    del _inside(value, place[:-1])[place[-1]]
    return _written(body, value)


def with_value(body: bytes, place: Place, other: object) -> bytes:
    """Return a body with something else at a place."""
    value = _read(body)
    _inside(value, place[:-1])[place[-1]] = other
    return _written(body, value)


def _inside(value: Any, place: Place) -> Any:  # noqa: ANN401 - JSON is anything
    for step in place:
        value = value[step]
    return value


def _read(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    return json.loads(body) if body[:1] in {b"{", b"["} else dict(parse_qsl(body.decode(), keep_blank_values=True))


def _written(like: bytes, value: Any) -> bytes:  # noqa: ANN401 - JSON is anything
    if like[:1] in {b"{", b"["}:
        return json.dumps(value).encode()
    texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in value.items()}
    return urlencode(texts, errors="surrogatepass").encode()


def signing_seats() -> Iterator[Seat]:
    """Yield one seat for every layout in which bodies are signed: the kinds', and those of the vectors as settings."""
    seen: list[SignatureOptions] = []
    for kind in KINDS:
        one = seat(kind)
        if one.signature.scheme == "hmac" and one.signature not in seen:
            seen.append(one.signature)
            yield one
    generic = replace(seat("generic"), secret=KEY)
    for said in (said for several in SCHEMES.values() for said in several):
        how = SignatureOptions.model_validate(said)
        if how.scheme == "hmac" and how not in seen:
            seen.append(how)
            yield replace(generic, settings={**generic.settings, "secrets": [KEY], "signature": said})
