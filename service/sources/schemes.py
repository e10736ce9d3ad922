"""How a delivery proves itself, as settings say it: an HMAC of any layout, or a secret that is shown with it."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Protocol
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from service.core import model as m
from service.core.errors import BadSignature
from service.sources.signing import Keyring, Layout, StampForm, fingerprint, signed

SECRET_LEAST: Final = 16  # bytes: Slack's minimum, the shortest of all; who makes his own takes 32
_HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)  # a token of RFC 9110, lower-case
_FIELDS: Final = re.compile(r"\{([a-z]*)\}", re.ASCII)
_WRITTEN: Final = re.compile(r"[A-Za-z0-9+/=:.-]", re.ASCII)  # what signatures and moments are written in
_MOST_PARAMETERS: Final = 20
Secret = tuple[bytes, str]  # its bytes, its fingerprint


def _header(name: str) -> str:
    lowered = name.lower()
    if lowered and not _HEADER.fullmatch(lowered):
        raise ValueError("is the name of a header, like X-Hub-Signature-256")
    return lowered


Header = Annotated[str, AfterValidator(_header)]


class Scheme(Protocol):
    """One way to prove a delivery."""

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that the raw bytes come from who knows a secret; raises BadSignature and Stale."""
        ...


class SignatureOptions(BaseModel):
    """How the deliveries of a source prove themselves.

    Attributes:
        scheme: `hmac`; or the secret itself is shown: as the password of `basic`, as a `bearer` token, in a `header`,
            or in the `query` of the URL. What is shown protects no body: it is as secret as the way it comes by.
        header: of `hmac` and `header`: the header that holds the signature, or the secret.
        content: of `hmac`: the bytes that are signed, with `{id}`, `{timestamp}`, `{body}` and `{url}` in them.
        id_header: the header of `{id}`.
        timestamp_header: the header of `{timestamp}`; more than five minutes away it is stale.
        timestamp: how it is written: `seconds`, `milliseconds` or `rfc3339`.
        timestamp_item: what stands before it where it is a part of the signature's own header, like `t=`.
        digest: `sha256`, `sha1` or `sha512`.
        encoding: `base64` or `hex`.
        prefix: what stands before a signature, like `sha256=`; of `header`: before the secret.
        separator: what stands between several signatures in one header; empty where there is one alone.
        key: whether a secret is its `text`, or is written in `base64`.
        username: of `basic`.
        parameter: of `query`.
        url: what `{url}` stands for: our address as the system was told it, and as it signs it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    scheme: Literal["hmac", "basic", "bearer", "header", "query"] = "hmac"
    header: Header = ""
    content: str = "{body}"
    id_header: Header = ""
    timestamp_header: Header = ""
    timestamp: StampForm = "seconds"
    timestamp_item: str = ""
    digest: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    prefix: str = ""
    separator: str = Field(default="", max_length=3)
    key: Literal["text", "base64"] = "text"
    username: str = ""
    parameter: str = ""
    url: str = ""

    @model_validator(mode="after")
    def _is_whole(self) -> SignatureOptions:
        wanted = {"hmac": "header", "header": "header", "basic": "username", "query": "parameter"}.get(self.scheme)
        if wanted and not getattr(self, wanted):
            raise ValueError(f"{wanted}: needed by the scheme {self.scheme}")
        if ":" in self.username:
            raise ValueError("username: one with a colon cannot be sent by HTTP Basic")
        if self.scheme != "hmac":
            return self
        said = _FIELDS.findall(self.content)
        if "body" not in said:
            raise ValueError("content: has no {body}, and what is not signed anybody may change")
        for name, setting in (("id", self.id_header), ("timestamp", self.timestamp_header), ("url", self.url)):
            if (name in said) != bool(setting):
                place = {"id": "id_header", "timestamp": "timestamp_header"}.get(name, name)
                raise ValueError(f"{place}: and {{{name}}} in content are said together, or neither")
        if unknown := [name for name in said if name not in {"id", "timestamp", "body", "url"}]:
            raise ValueError(
                f"content: {{{unknown[0]}}} is unknown; there are {{id}}, {{timestamp}}, {{body}}, {{url}}"
            )
        if self.timestamp_item and not (self.separator and self.timestamp_header == self.header):
            raise ValueError("timestamp_item: is a part of header: timestamp_header is the same, and separator is said")
        if self.separator and (self.separator in self.prefix + self.timestamp_item or _WRITTEN.search(self.separator)):
            raise ValueError("separator: stands in what it is to separate, so that no signature could ever fit")
        if _FIELDS.search(self.url):
            raise ValueError("url: is our address as it is, without {}")
        return self

    @property
    def layout(self) -> Layout:
        """How an `hmac` is laid."""
        return Layout(
            signature=self.header,
            content=self.content.replace("{url}", self.url),
            id=self.id_header,
            stamp=self.timestamp_header,
            stamp_form=self.timestamp,
            stamp_item=self.timestamp_item,
            digest=self.digest,
            encoding=self.encoding,
            prefix=self.prefix,
            separator=self.separator,
        )

    def secret_in(self, text: str) -> bytes:
        """Return the bytes of a secret.

        Raises:
            ValueError: it cannot be used. The sentence does not contain it.
        """
        if not text:
            raise ValueError("the secret is empty; make one: openssl rand -hex 32")
        try:
            secret = base64.b64decode(text, validate=True) if self.key == "base64" else text.encode()
        except (ValueError, binascii.Error):
            raise ValueError("the secret is not base64, and the system decodes it before it signs") from None
        if len(secret) < SECRET_LEAST:
            raise ValueError(f"the secret has {len(secret)} bytes; at least {SECRET_LEAST} are needed")
        if self.scheme != "hmac" and not (text.isascii() and text.isprintable() and text == text.strip()):
            raise ValueError("the secret is shown in a header or a URL, so it is printable ASCII, no space at its ends")
        return secret

    def over(self, secrets: Sequence[bytes]) -> Scheme:
        """Return the scheme that takes any of `secrets`."""
        if self.scheme == "hmac":
            return Keyring(secrets, self.layout, least=SECRET_LEAST)
        return Shown(self, secrets)

    def proof(self, secret: bytes, delivery_id: str, at: int, body: bytes) -> Mapping[str, str]:
        """Return the headers by which a sender proves `body` at the moment `at`; none for `query`."""
        match self.scheme:
            case "hmac":
                return signed(secret, delivery_id, at, body, self.layout)
            case "basic":
                pair = base64.b64encode(self.username.encode() + b":" + secret).decode()
                return {"authorization": f"Basic {pair}"}
            case "bearer":
                return {"authorization": f"Bearer {secret.decode()}"}
            case "header":
                return {self.header: self.prefix + secret.decode()}
            case _:
                return {}


class Shown:
    """The scheme of a secret that is shown: whoever sees a delivery knows it, so only TLS keeps it."""

    def __init__(self, options: SignatureOptions, secrets: Sequence[bytes]) -> None:
        self._options = options
        self._secrets: tuple[Secret, ...] = tuple((secret, fingerprint(secret)) for secret in secrets)

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that one of the secrets is shown, exactly once; raises BadSignature."""
        shown = self._shown(delivery)
        matched = ""
        for secret, name in self._secrets:  # all of them, so that the time tells not which
            if hmac.compare_digest(shown or b"", secret):
                matched = name
        if shown is None:
            raise BadSignature(f"{self._place} must stand exactly once and hold the secret as this source says")
        if not matched:
            raise BadSignature(f"what {self._place} holds is no secret of this source")
        return m.Verified("", None, matched)

    @property
    def _place(self) -> str:
        options = self._options
        return {"header": options.header, "query": f"the parameter {options.parameter}"}.get(
            options.scheme, "authorization"
        )

    def _shown(self, delivery: m.Delivery) -> bytes | None:
        """Return what stands where the secret belongs, or None."""
        options = self._options
        if options.scheme == "query":
            try:
                query = delivery.query.decode("ascii")
                pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
            except ValueError:  # more of them, or no bytes of a URL
                return None
            found = [value for name, value in pairs if name == options.parameter]
            return found[0].encode() if len(found) == 1 else None
        if options.scheme == "header":
            value, prefix = delivery.header(options.header.encode()), options.prefix.encode()
            return value[len(prefix) :] if value is not None and value.startswith(prefix) else None
        word, _, rest = (delivery.header(b"authorization") or b"").partition(b" ")
        if word.lower() != options.scheme.encode():
            return None
        if options.scheme == "bearer":
            return rest
        try:
            name, _, password = base64.b64decode(rest, validate=True).partition(b":")
        except (ValueError, binascii.Error):
            return None
        return password if hmac.compare_digest(name, options.username.encode()) else None
