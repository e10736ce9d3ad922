"""The page of refused deliveries: why a source is not heard, by reason, and what to do about each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.core import model as m
from service.web.pages.telling import When, safe, when

NEWEST = 20  # single deliveries below the reasons: the last ones, which a person who tries things out looks for
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_OF_THE_STORE = "Nothing is wrong with the delivery: the sender repeats it. See the page Now, and `onhook check`."
# by problem code; `{source}` is the source's name
_REMEDIES: Mapping[str, str] = {
    "malformed": (
        "The body is not what this source's system sends. Send it as its page under deploy/ says; "
        "`onhook verify --source {source} --headers FILE` with one captured delivery names the fault."
    ),
    "unreadable": (
        "The signature is right, and the body does not say whom to remove, or says it in a wrong form: mend the field "
        "that the reason names in the sender's template or script."
    ),
    "delivery_conflict": (
        "The sender uses one delivery id for different bodies: let it make a new id for each click, and keep it when "
        "it repeats one."
    ),
    "too_many": (
        "The source sends more than sources.{source}.rate allows. If that is what people click, raise it; else look "
        "for a rule in the sender that fires in a loop."
    ),
    "backlog_full": "Too much is open already: see the page Now whether workers are there and Genesys answers.",
    "too_large": "The body is larger than a click needs: leave attachments and whole records out of the template.",
    "wrong_media_type": "Let the sender set Content-Type as its page under deploy/ says, and compress nothing.",
    "incomplete": (
        "The sender went away in the middle: its own timeout, or a proxy's between it and us, is too short; or the "
        "network is bad."
    ),
    "store_down": _OF_THE_STORE,
    "draining": _OF_THE_STORE,
    "unexpected": "A fault of this service: the log has it under fault.raised. Please report it.",
}
_OTHER = "See the reason, and the log line delivery.refused of that moment."
_UNSIGNED = (
    "No secret of this source had signed it. Compare the secret in the sender with sources.{source}.secrets (a file "
    "may end in a line break too many), and that its URL ends in /webhooks/{source}. Then capture one "
    "delivery, headers and body, and run `onhook verify --source {source} --headers FILE`: it says which it is."
)
_OLD = (
    "The signature is right, by the secret with fingerprint {fingerprint}, but its time is too far from ours: set the "
    "clocks of both machines by NTP; or a queue between the sender and us holds deliveries up."
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries that were refused for the same reason.

    Attributes:
        code: the problem's, as the sender heard it.
        reason: of the newest of them, in words.
        fingerprints: of the secrets that had signed them; none where none had.
        remedy: what to do.
    """

    code: str
    reason: str
    count: int
    first: When | None
    last: When | None
    fingerprints: tuple[str, ...]
    remedy: str


@dataclass(frozen=True, slots=True)
class Single:
    """One refused delivery."""

    at: When | None
    code: str
    reason: str
    size: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SourceRefusals:
    """What was refused of one source, the newest first."""

    source: str
    count: int
    reasons: Sequence[Reason]
    newest: Sequence[Single]


def refused_of(source: str, refusals: Sequence[m.Refusal], now: int) -> SourceRefusals:
    """Return how a source's refusals are shown; they are given the newest first."""
    found: dict[tuple[str, str], list[m.Refusal]] = {}
    for one in refusals:
        found.setdefault((one.code, _NUMBER.sub("#", one.reason)), []).append(one)
    newest = [
        Single(when(one.refused_at, now), safe(one.code, 40), safe(one.reason), one.size, _print_of(one))
        for one in refusals[:NEWEST]
    ]
    return SourceRefusals(source, len(refusals), [_reason(source, group, now) for group in found.values()], newest)


def remedy(source: str, code: str, fingerprint: str) -> str:
    """Return what to do about a refusal with that code, signed by that secret, if by any."""
    said = _REMEDIES.get(code, _OTHER)
    if code == "unauthorized":
        said = _OLD if fingerprint else _UNSIGNED
    return said.replace("{source}", source).replace("{fingerprint}", fingerprint)


def _reason(source: str, group: Sequence[m.Refusal], now: int) -> Reason:
    newest = group[0]
    return Reason(
        code=safe(newest.code, 40),
        reason=safe(newest.reason),
        count=len(group),
        first=when(group[-1].refused_at, now),
        last=when(newest.refused_at, now),
        fingerprints=tuple(dict.fromkeys(print_ for one in group if (print_ := _print_of(one)))),
        remedy=remedy(source, newest.code, _print_of(newest)),
    )


def _print_of(refusal: m.Refusal) -> str:
    return safe(refusal.secret_fingerprint, 16)
