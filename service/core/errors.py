"""Every error that crosses a room's door, cut by one question: is repeating safe?

OnhookError
├── Refused            a delivery we do not take; the sender is told a code and a sentence
│   ├── BadSignature       not proved to come from the source (also: no such source)    401
│   │   └── Stale              proved, but its time is more than the tolerance away      401
│   ├── Malformed          not the bytes we can read: encoding, JSON, framing            400
│   ├── Unreadable         readable, but it does not say what to do                      422
│   ├── Conflicting        the id of an earlier delivery with another body               422
│   ├── TooMany            the source is over its rate: repeat after `retry_after_seconds` 429
│   ├── BacklogFull        too much is open already: repeat after `retry_after_seconds`    503
│   ├── TooLarge           more than the cap                                             413
│   └── WrongMediaType     not a media type the source declares, or a content encoding   415
├── Upstream           somebody else's HTTP did not do what was asked
│   ├── Unreachable        it never arrived: repeating is safe
│   ├── Throttled          refused for now, not done: repeat after `retry_after_seconds`
│   ├── Unclear            it may have acted: look before anything else
│   └── Rejected           it answered no: repeating the same will not help
├── EgressRefused      the guard stopped a request of ours: nothing left the process
├── LeaseLost          the action is somebody else's now: write nothing
├── StoreDown          Redis did not say yes: promise nothing
│   └── UnknownVersion     a newer version wrote the record: that one will see to it
└── Misconfigured      the settings cannot be used; all faults at once
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OnhookError(Exception):
    """Anything of ours that went wrong in a way a caller can act on."""


class Refused(OnhookError):
    """A delivery that is not taken.

    Attributes:
        status: the HTTP status the sender is answered with.
        code: a stable word for programs, the same in logs and problem documents.
        sentence: what was wrong and what to do, fit for the sender's eyes.
        secret_fingerprint: of the secret that had signed it; "" where none had, or nobody looked yet.
        retry_after_seconds: when the same delivery may be sent again; 0 where that will not help.
    """

    status = 400
    code = "refused"
    secret_fingerprint = ""
    retry_after_seconds = 0

    def __init__(self, sentence: str) -> None:
        """Keep `sentence` as it is told to the sender."""
        super().__init__(sentence)
        self.sentence = sentence


class BadSignature(Refused):
    """Not proved to come from the source. The sentence goes to the log only: outsiders all hear the same 401."""

    status = 401
    code = "unauthorized"


class Stale(BadSignature):
    """Proved, but stamped too long ago or too far ahead; told to outsiders like any bad signature."""


class Malformed(Refused):
    """The body is not what its media type says."""

    status = 400
    code = "malformed"


class Unreadable(Refused):
    """The body is well formed and does not say what to do."""

    status = 422
    code = "unreadable"


class Conflicting(Refused):
    """The id of an earlier delivery came back with another body."""

    status = 422
    code = "delivery_conflict"


class TooMany(Refused):
    """The source is over its rate. Nothing was stored, and nothing of the rate was used up."""

    status = 429
    code = "too_many"

    def __init__(self, sentence: str, *, retry_after_seconds: int = 1) -> None:
        """Keep when there is room for one again."""
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class BacklogFull(Refused):
    """As many actions of the org are open as may be; only a new one is refused for that. Nothing was stored."""

    status = 503
    code = "backlog_full"
    # workers end two thousand that are too late in three seconds, so the whole of the default backlog in this
    retry_after_seconds = 15


class TooLarge(Refused):
    """The body is over the cap."""

    status = 413
    code = "too_large"


class WrongMediaType(Refused):
    """The content type is not one the source declares, or the body is content-encoded."""

    status = 415
    code = "wrong_media_type"


@dataclass(frozen=True, slots=True)
class Reply:
    """What another system's HTTP answer said, as far as it is kept.

    Attributes:
        status: the HTTP status, or None when no answer arrived.
        code: the answer's own error code, or ours (`timeout`, `connection_cut`, …) when none arrived.
        message: its sentence, cut to 500 characters, control characters replaced.
        correlation_id: what the other side's support asks for (`ININ-Correlation-Id`), or "".
        permissions: what a 403 says is missing, each like `conversation:communication:disconnect`, in its order.
        division: where they are missing, by name (or by id, where it gives no name), or "".
    """

    status: int | None = None
    code: str = ""
    message: str = ""
    correlation_id: str = ""
    permissions: tuple[str, ...] = ()
    division: str = ""


class Upstream(OnhookError):
    """A call to somebody else's HTTP failed; `reply` holds what is known."""

    def __init__(self, message: str, reply: Reply | None = None) -> None:
        """Keep `message` for the log and `reply` for the timeline."""
        super().__init__(message)
        self.reply = reply or Reply(message=message)


class Unreachable(Upstream):
    """The request was never handed over: repeating is safe."""


class Throttled(Upstream):
    """Not done, and not to be repeated before `retry_after_seconds` are over."""

    def __init__(self, message: str, reply: Reply | None = None, *, retry_after_seconds: float) -> None:
        """Keep the floor that the answer set."""
        super().__init__(message, reply)
        self.retry_after_seconds = retry_after_seconds


class Unclear(Upstream):
    """The request may have taken effect: look before anything else."""


class Rejected(Upstream):
    """The other side said no; the same request will get the same answer."""


class EgressRefused(OnhookError):
    """The guard stopped a request before its first byte left; nothing happened."""


class LeaseLost(OnhookError):
    """This worker no longer holds the action or report: it must write nothing more of it."""


class StoreDown(OnhookError):
    """Redis did not confirm. Nothing may be promised to anybody; asking again later is safe."""


class UnknownVersion(StoreDown):
    """The record was written by a newer version of this service: leave it alone; that version will see to it."""


class Misconfigured(OnhookError):
    """The settings cannot be used.

    Attributes:
        faults: one sentence per fault, each saying where and what to do.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep every fault, so that all are mended in one go."""
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
