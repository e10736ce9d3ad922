"""What a caller is told when the answer is no: one table from errors to problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response

from service import telemetry
from service.core.errors import BadSignature, OnhookError, Refused, StoreDown, UnknownVersion
from service.web.answers import json_answer

MEDIA_TYPE = "application/problem+json"
UNKNOWN_SOURCE = "unknown"  # how logs and metrics call a name that is not configured: a stranger chooses no label


class Draining(OnhookError):
    """This process is about to stop and takes nothing more."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One way to say no.

    Attributes:
        code: a stable word for programs, the same in logs, metrics and the document's `type`.
        title: what it is, the same each time.
        detail: what was wrong this time and what to do.
    """

    status: int
    code: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return the problem as an answer; its `type` is a name, not an address: there is nothing to fetch."""
        content = {
            "type": f"urn:onhook:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return json_answer(self.status, content, {"Cache-Control": "no-store", **self.headers}, MEDIA_TYPE)


# 5: what the longest restart of a Redis or the change to another process of ours takes; senders ignore more than 60
_LATER = {"Retry-After": "5"}

# One for every reason not to believe a delivery, so that it says nothing about which. Without WWW-Authenticate: a
# challenge names a scheme to try again with; a webhook's sender cannot be asked for a password, and the scheme would
# tell a stranger what the source is.
UNAUTHORIZED = Problem(
    401,
    BadSignature.code,
    "Not authenticated",
    "The delivery could not be verified. Check the source's name in the URL, its secret, and the sender's clock.",
)
STORE_DOWN = Problem(
    503, "store_down", "Not stored", "Nothing was stored and nothing will be done. Send it again later.", _LATER
)
# for programs it is the same: it is not known here now, and asking again later is right
NEWER = Problem(
    503,
    STORE_DOWN.code,
    "Of a newer version",
    "A newer version of this service stored this and sees to it; this process is of an older one. Send it again later.",
    _LATER,
)
DRAINING = Problem(
    503, "draining", "About to stop", "This process is about to stop. Nothing was stored. Send it again.", _LATER
)
# 1: a burst is over sooner than a restart
OVERLOADED = Problem(
    503,
    "overloaded",
    "Too much at once",
    "Too many requests are being answered. Nothing was stored. Send it again later.",
    {"Retry-After": "1"},
)
UNEXPECTED = Problem(
    500, "unexpected", "A fault of this service", "Something went wrong here; the log has it. Send it again later."
)
NOT_FOUND = Problem(404, "not_found", "Not found", "There is nothing at this path.")
NO_SUCH_ACTION = Problem(
    404, "no_such_action", "No such action", "There is no such action, or this is not its key. Use the receipt's link."
)

TITLES: Mapping[str, str] = {
    "malformed": "Malformed",
    "unreadable": "Unreadable",
    "delivery_conflict": "Delivery conflict",
    "too_large": "Too large",
    "too_many": "Too many deliveries",
    "backlog_full": "Too much to do",
    "wrong_media_type": "Wrong media type",
}


def wrong_method(allowed: str) -> Problem:
    """Return the problem of a path that takes only the methods `allowed` (`GET, HEAD`)."""
    detail = f"This path takes {allowed}."
    return Problem(405, "wrong_method", "Wrong method", detail, {"Allow": allowed})


def bad_request(reason: str) -> Problem:
    """Return the problem of a request that is not written as HTTP is written here; `reason` is ours, in words."""
    return Problem(400, "bad_request", "Bad request", f"Not taken as a request: {reason}.")


def problem_of(fault: Exception) -> Problem:
    """Return what a caller is told about `fault`; of what nobody expected it tells nothing."""
    match fault:
        case BadSignature():
            return UNAUTHORIZED
        case Refused():
            later = {"Retry-After": str(fault.retry_after_seconds)} if fault.retry_after_seconds else {}
            return Problem(fault.status, fault.code, TITLES.get(fault.code, "Refused"), fault.sentence, later)
        case UnknownVersion():
            return NEWER
        case StoreDown():
            return STORE_DOWN
        case Draining():
            return DRAINING
        case _:
            return UNEXPECTED


def note_refusal(source: str, code: str, reason: str, size: int, signed_by: str = "") -> None:
    """Count and log one refusal: `source` is a configured name or UNKNOWN_SOURCE, `size` the bytes read.

    `signed_by` is the fingerprint of the secret that had signed it, "" where none had.
    """
    telemetry.DELIVERIES.labels(source, code).inc()
    said = {"source": source, "code": code, "reason": reason, "size": size, "secret": signed_by}
    telemetry.emit(telemetry.Event.DELIVERY_REFUSED, "warning", **said)
