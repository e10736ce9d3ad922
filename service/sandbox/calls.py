"""The log of every call the sandbox received, so that tests and the demo can count them."""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import parse_qs

from service.sandbox.exchange import Asked

SERVICES: Final = ("genesys", "login", "desk", "hook")
_KEPT: Final = 50_000  # a long bench run must not eat the machine; the oldest go first
_BODY_KEPT: Final = 20_000  # characters; as above, and no call of ours is a tenth of it


@dataclass(slots=True)
class Call:
    """One call: `status` is None until it is answered, and for good when it was cut off.

    No header is kept, so no credential is either; `effect` is "none" for a call that was to change nothing, and `then`
    names the event that a rule let happen right after it; `explanation` says what is wrong about a call that is not one
    of the vendor's for one participant.
    """

    seq: int
    at: float
    service: str
    method: str
    path: str
    query: str
    body: str
    correlation_id: str
    status: int | None = None
    effect: bool | str = "none"
    then: str | None = None
    authorized: bool = False
    explanation: str = ""


class CallLog:
    """The calls in order of arrival; numbers go on after `clear`, so a reader's `since` stays good."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._seq = 0

    def __len__(self) -> int:
        return len(self._calls)

    def open(self, service: str, asked: Asked) -> Call:
        """Note a call the moment it arrives; the caller fills in how it ended."""
        self._seq += 1
        body = asked.body.decode("utf-8", "replace")
        if asked.path.startswith("/oauth"):  # some clients put their secret into the form
            body = "&".join(f"grant_type={value}" for value in parse_qs(body).get("grant_type", []))
        call = Call(
            self._seq, asked.at, service, asked.method, asked.path, asked.query, body[:_BODY_KEPT], asked.correlation_id
        )
        self._calls.append(call)
        return call

    def listed(self, since: int, conversation: str | None, service: str | None) -> list[dict[str, object]]:
        """Return the calls after `since`, of one conversation (by its id in the path) and one service if named."""
        return [
            asdict(call)
            for call in self._calls
            if call.seq > since
            and (conversation is None or conversation.lower() in call.path.lower())
            and (service is None or service == call.service)
        ]

    def latest(self, count: int) -> list[dict[str, object]]:
        """Return the last few calls, the latest first."""
        return [asdict(self._calls[-number]) for number in range(1, min(count, len(self._calls)) + 1)]

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
