"""Says in words why a delivery is not believed: what an administrator needs at two in the morning.

Whoever diagnoses holds the secrets, so trying what else the sender may have done gives nothing away. It only ever
explains: what is taken is decided by a source's own `verify`, and by nothing here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from service.core import model as m
from service.core.errors import BadSignature, Stale
from service.sources.options import SourceOptions
from service.sources.reshaping import Shape, shapes
from service.sources.schemes import SignatureOptions
from service.sources.signing import STANDARD, Keyring, Layout, fingerprint, moment_in, signed, spoken_by

_PREFIX: Final = "whsec_"
_NAME: Final = "{secret}"  # where a sentence names the secret that fits
_ADDRESS: Final = re.compile(r"https?://[^{]*")  # of a layout that covers our own: HubSpot's
_DIGESTS: Final[tuple[Literal["sha256", "sha1", "sha512"], ...]] = ("sha256", "sha1", "sha512")
Verify = Callable[[m.Delivery], m.Verified]


class Cause(StrEnum):
    """Why a delivery is not believed; the values are for programs, and stay."""

    MISSING = "header_missing"
    TWICE = "header_twice"
    MALFORMED = "header_malformed"
    STALE = "old_time"
    BODY = "body_changed"
    ENCODING = "secret_encoding"
    LAYOUT = "signature_layout"
    SOURCE = "other_source"
    SECRET = "wrong_secret"  # noqa: S105 - the name of a cause, no secret


@dataclass(frozen=True, slots=True)
class Proof:
    """How the deliveries of a source prove themselves: what a diagnosis turns, and tries.

    Attributes:
        headers: the headers, in lower case, that must each stand exactly once.
        secret_in: reads the bytes of a secret that is written as settings write it.
        over: what verifies with any of some secrets' bytes.
        proved: the headers by which a sender proves: of a secret's bytes, an id, a moment in milliseconds, and a body.
        layout: how an HMAC is laid; None where the secret itself is shown.
    """

    headers: tuple[str, ...]
    secret_in: Callable[[str], bytes]
    over: Callable[[Sequence[bytes]], Verify]
    proved: Callable[[bytes, str, int, bytes], Mapping[str, str]]
    layout: Layout | None


@dataclass(frozen=True, slots=True)
class Known:
    """A configured source, as far as a diagnosis asks for it; its secrets as they are written."""

    name: str
    proof: Proof
    secrets: tuple[str, ...]

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secrets' bytes, in order."""
        return tuple(map(self.proof.secret_in, self.secrets))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found of one delivery.

    Attributes:
        causes: why it is not believed; empty where it is.
        sentences: what is wrong and what to do; no secret is in them.
        secret_fingerprint: of the secret that signed it, or that would have, were the rest right; "" where none fits.
        verified: what it proves, where it is believed.
    """

    causes: tuple[Cause, ...]
    sentences: tuple[str, ...]
    secret_fingerprint: str = ""
    verified: m.Verified | None = None


@dataclass(frozen=True, slots=True)
class _Guess:
    """One thing that a sender may have done otherwise, and how to verify as if it were right."""

    verify: Verify
    cause: Cause | None = None
    sentence: str = ""


def proof_of(options: SourceOptions) -> Proof:
    """Return how the deliveries of a source with these options prove themselves."""
    signature = getattr(options, "signature", None)  # only kinds that may sign in another way have it
    if not isinstance(signature, SignatureOptions):
        return _signing(STANDARD, options.secret_in)
    if signature.scheme == "hmac":
        return _signing(signature.layout, signature.secret_in)
    shown_in = {"header": (signature.header,), "query": ()}.get(signature.scheme, ("authorization",))
    return Proof(
        headers=shown_in,
        secret_in=signature.secret_in,
        over=lambda keys: signature.over(keys).verify,
        proved=signature.proof,
        layout=None,
    )


def _signing(layout: Layout, secret_in: Callable[[str], bytes]) -> Proof:
    return Proof(
        headers=layout.headers,
        secret_in=secret_in,
        over=lambda keys: Keyring(keys, layout, least=1).verify,
        proved=lambda key, name, at, body: signed(key, name, at, body, layout),
        layout=layout,
    )


def diagnose(source: Known, others: Sequence[Known], delivery: m.Delivery) -> Diagnosis:
    """Return whether `delivery` is proved to come from `source`, else why not, as far as that can be found out.

    Args:
        source: the source that it names.
        others: the other configured ones: it may have been meant for them, or made with a secret of theirs.
        delivery: as it arrived; old is what was old when it was received.
    """
    if source.proof.layout and (spoken := spoken_by(delivery, source.proof.layout)) != source.proof.layout:
        source = replace(source, proof=_signing(spoken, source.proof.secret_in))
    keys = source.keys
    try:
        verified = source.proof.over(keys)(delivery)
    except Stale as fault:
        signed_by = f"secret {fault.secret_fingerprint} fits, but {_aged(source.proof, delivery, fault)}"
        return Diagnosis((Cause.STALE,), (signed_by,), fault.secret_fingerprint)
    except BadSignature as fault:
        return _incomplete(source.proof, delivery) or _searched(source, others, delivery, fault)
    return Diagnosis((), (_whose(keys, verified.secret_fingerprint),), verified.secret_fingerprint, verified)


def _whose(keys: Sequence[bytes], name: str) -> str:
    place = [fingerprint(key) for key in keys].index(name) + 1
    return f"it is signed by secret {name}" + (f", {place} of {len(keys)}" if len(keys) > 1 else "")


def _aged(proof: Proof, delivery: m.Delivery, stale: Stale) -> str:
    layout, advice = (
        proof.layout,
        "if the clocks are right it was sent, or sent again, too late: sign anew for each try",
    )
    if layout and layout.stamp and not layout.stamp_item:
        ahead = moment_in(delivery.header(layout.stamp.encode()) or b"", layout) - delivery.received_at
        if ahead > 0:
            advice = "the sender's clock is fast, or --at is not when it arrived"
        stale = Stale(
            f"it is signed {span(abs(ahead) / 1000)} {'after' if ahead > 0 else 'before'} it arrived; {stale}"
        )
    return f"{stale}. Then {advice}. An old capture is looked at as of its own time with --at"


def span(seconds: float) -> str:
    """Return how long that is, in its two largest units."""
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _incomplete(proof: Proof, delivery: m.Delivery) -> Diagnosis | None:
    """Return what is wrong with the headers, without a look at any secret; None where they are as they must be."""
    counts = {name: sum(key == name.encode() for key, _ in delivery.headers) for name in proof.headers}
    if missing := [name for name, count in counts.items() if not count]:
        there = {key.decode("latin-1") for key, _ in delivery.headers}
        like = sorted(it for it in there if it.rpartition("-")[2] in {name.rpartition("-")[2] for name in missing})
        also = f"; there is {', '.join(like)}, which this source does not look at" if like else ""
        sentence = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing{also}"
        return Diagnosis((Cause.MISSING,), (f"{sentence}. A proxy may drop headers that it does not know",))
    if twice := [name for name, count in counts.items() if count > 1]:
        sentence = f"{', '.join(twice)} stands more than once: two readers could take one each, so nobody takes any"
        return Diagnosis((Cause.TWICE,), (sentence,))
    return None


def _is_malformed(proof: Proof, delivery: m.Delivery) -> bool:
    layout = proof.layout
    if layout is None:
        return False
    try:
        if layout.id:
            signed(b"-", (delivery.header(layout.id.encode()) or b"").decode("latin-1"), 0, b"", layout)
        if layout.stamp and not layout.stamp_item:
            moment_in(delivery.header(layout.stamp.encode()) or b"", layout)
    except (ValueError, BadSignature):
        return True
    return False


def _searched(source: Known, others: Sequence[Known], delivery: m.Delivery, fault: BadSignature) -> Diagnosis:
    if _is_malformed(source.proof, delivery):
        return Diagnosis((Cause.MALFORMED,), (f"{fault}",))
    guesses = tuple(_guesses(source, others))
    bodies = 0
    for shape in shapes(delivery.body) if source.proof.layout else [Shape(0, "", delivery.body)]:
        bodies += 1
        for guess in guesses:
            try:
                name = guess.verify(replace(delivery, body=shape.body)).secret_fingerprint
            except Stale as stale:
                return _found(shape, guess, stale.secret_fingerprint, _aged(source.proof, delivery, stale))
            except BadSignature:
                continue
            return _found(shape, guess, name)
    return Diagnosis((Cause.SECRET,), (f"{fault}", _lost(source, others, bodies)))


def _found(shape: Shape, guess: _Guess, name: str, aged: str = "") -> Diagnosis:
    causes, sentences = [], []
    if guess.cause:
        causes.append(guess.cause)
        sentences.append(guess.sentence.replace(_NAME, name))
    if shape.changes:
        causes.append(Cause.BODY)
        sentences.append(
            f"the signature of secret {name} fits the body {shape.words}: so it was when it was signed. Sign the very "
            "bytes that are sent, and let nothing on the way write them anew"
        )
    if aged:
        causes.append(Cause.STALE)
        sentences.append(aged)
    return Diagnosis(tuple(causes), tuple(sentences), name)


def _lost(source: Known, others: Sequence[Known], bodies: int) -> str:
    names = ", ".join(map(fingerprint, source.keys))
    forms = f", over this body in any of {bodies} forms" if bodies > 1 else ""
    of_others = "no other source's does either" if others else "there is no other source"
    return (
        f"none of this source's secrets ({names}) fits, however it is read{forms}; {of_others}. So the sender has "
        "another secret, or signs other bytes than these: give it this source's secret anew, and look for what it signs"
    )


def _guesses(source: Known, others: Sequence[Known]) -> Iterator[_Guess]:
    """Yield what the sender may have done: as it should first, then what is wrong more often before what is less so."""
    proof = source.proof
    yield _Guess(proof.over(source.keys))
    for text, key in zip(source.secrets, source.keys, strict=True):
        for words, other in _readings(text):
            if other != key:
                sentence = f"it is signed with secret {fingerprint(key)} {words}; {_right(text, key)}"
                yield _Guess(proof.over([other]), Cause.ENCODING, sentence)
    for one in others:
        sentence = f"it is signed by secret {_NAME} of source {one.name}: the sender has another source's secret, or "
        sentence += "posts to another source's address"
        yield _Guess(one.proof.over(one.keys), Cause.SOURCE, sentence)
        yield _Guess(proof.over(one.keys), Cause.SOURCE, sentence)
    for words, layout in _layouts(proof.layout):
        sentence = f"the signature of secret {_NAME} fits, but {words}"
        yield _Guess(Keyring(source.keys, layout, least=1).verify, Cause.LAYOUT, sentence)
    if proof.layout and proof.layout.encoding == "hex":
        verify = _in_small_letters(proof.layout, proof.over(source.keys))
        yield _Guess(verify, Cause.LAYOUT, f"the signature of secret {_NAME} fits, but its hex is not in small letters")


def _right(text: str, key: bytes) -> str:
    if key == text.encode():
        return "it is to be taken as text, just as it is written"
    return "it is to be decoded from base64 first" + (", without whsec_" if text.startswith(_PREFIX) else "")


def _readings(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield how a secret may be read, rightly or not."""
    bare = text.removeprefix(_PREFIX)
    yield f"as text{', whsec_ included' if bare != text else ''}", text.encode()
    if bare != text:
        yield "as text without whsec_", bare.encode()
    yield "as text with a line end behind it", text.encode() + b"\n"
    with suppress(ValueError, binascii.Error):
        yield "decoded from base64", base64.b64decode(bare, validate=True)
    with suppress(ValueError):
        yield "decoded from hex", bytes.fromhex(bare)


def _layouts(layout: Layout | None) -> Iterator[tuple[str, Layout]]:
    """Yield how an HMAC may be laid by who read the guide in a hurry."""
    if layout is None:
        return
    encoding: Literal["base64", "hex"] = "hex" if layout.encoding == "base64" else "base64"
    in_other = f"it is written in {encoding} instead of {layout.encoding}"
    yield in_other, replace(layout, encoding=encoding)
    if layout.prefix:
        missing = f"{layout.prefix} is missing before it"
        yield missing, replace(layout, prefix="")
        yield f"{in_other}, and {missing}", replace(layout, encoding=encoding, prefix="")
    for digest in _DIGESTS:
        if digest != layout.digest:
            yield f"it is made with {digest} instead of {layout.digest}", replace(layout, digest=digest)
    for content in ("{body}", "{timestamp}.{body}", "{id}.{timestamp}.{body}", *_addresses(layout.content)):
        has_all = ("{id}" not in content or layout.id) and ("{timestamp}" not in content or layout.stamp)
        if content != layout.content and has_all:
            yield f"it covers {content} instead of {layout.content}", replace(layout, content=content)


def _addresses(content: str) -> Iterator[str]:
    """Yield what is signed with our address as it may be written where the sender has it."""
    found = _ADDRESS.search(content)
    if found:
        address = found[0]
        swapped = address.replace("https:", "http:") if address.startswith("https") else f"https{address[4:]}"
        for other in (address.rstrip("/"), f"{address}/", swapped):
            yield content.replace(address, other)


def _in_small_letters(layout: Layout, verify: Verify) -> Verify:
    name = layout.signature.encode()

    def lowered(delivery: m.Delivery) -> m.Verified:
        headers = tuple((key, value.lower() if key == name else value) for key, value in delivery.headers)
        return verify(replace(delivery, headers=headers))

    return lowered
