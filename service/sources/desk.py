"""What every source gets from outside to tell its desk, and what a desk's answer means for the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from service.core import model as m
from service.core.errors import Refused, Rejected, Reply, Throttled, Unclear
from service.core.ports import Clock
from service.outbound import Answered, Caller, Rule
from service.sources.pointing import pointer_in
from service.sources.reading import Fields, json_value

_ABSENT_SECONDS: Final = 30.0  # a 429 that does not say how long: desks count by the minute
_MOST_SECONDS: Final = 3600.0  # ServiceNow counts by the hour; nobody may silence us for longer
_MESSAGE_CHARS: Final = 500  # as long as a kept reply may be
_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
_MAY_HAVE_ACTED: Final = frozenset({408, 425, *range(500, 600)})
# where a desk's sentence stands in its error
_SAID: Final = tuple(
    pointer_in(at)
    for at in (
        "/error/message",  # ServiceNow, PagerDuty, Dataverse
        "/errorMessages/0",  # Jira
        "/errorMessage",  # Jira Service Management
        "/errors/0/message",  # Freshworks, Intercom
        "/0/message",  # Salesforce
        "/message",  # HubSpot, Opsgenie
        "/description",  # Zendesk
    )
)
# What a person mends; a kind adds its own words.
_ADVICE: Final[Mapping[int, str]] = {
    301: "it sends us elsewhere, and redirects are not followed: set the address it names",
    302: "it sends us elsewhere, probably to a sign-in page: check the address",
    307: "it sends us elsewhere, and redirects are not followed: set the address it names",
    308: "it sends us elsewhere, and redirects are not followed: set the address it names",
}


@dataclass(frozen=True, slots=True)
class Outside:
    """What a source needs to tell its desk.

    Attributes:
        open_caller: opens a way out for exactly these rules; whoever made it closes it.
        clock: stamps what we sign.
    """

    open_caller: Callable[[Sequence[Rule]], Caller]
    clock: Clock


class Teller(Protocol):
    """One way to tell of an outcome, as `core.ports.Source` describes it."""

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether that is shown already."""
        ...

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Tell it."""
        ...


class Tellers:
    """The ways in which one source is told, by the channel of the report."""

    def __init__(self, tellers: Mapping[str, Teller]) -> None:
        self._tellers = tellers

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether it is told by its channel already; see `Source.is_told`."""
        teller = self._tellers.get(report.channel)
        return teller is not None and await teller.is_told(report, action)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Tell it by its channel; see `Source.tell`. Rejected where the settings say no such channel any more."""
        teller = self._tellers.get(report.channel)
        if teller is None:
            raise Rejected(f"nothing is told by {report.channel} here: the source's reports leave it out")
        return await teller.tell(report, action, note, deadline)


def reply_in(answered: Answered, advice: Mapping[int, str], *, is_repeat_safe: bool = False) -> Reply:
    """Return what a desk said when it did what was asked, any 2xx.

    `advice` says by status what to mend. `is_repeat_safe`: the receiver takes the same thing once, however often it is
    sent, so that a 503 needs no look before the next try and its Retry-After counts.

    Raises:
        Throttled: 429 (or that 503).
        Unclear: 408, 425, 5xx.
        Rejected: every other answer, redirects included.
    """
    status = answered.status
    if status in range(200, 300):
        return Reply(status)
    message = _message(answered.body)
    reply = Reply(status, message=message)
    said = f"{status}: {message}" if message else str(status)
    if status == _TOO_MANY or (status == _UNAVAILABLE and is_repeat_safe):
        seconds = answered.retry_after_seconds(absent=_ABSENT_SECONDS, most=_MOST_SECONDS)
        raise Throttled(f"{said} (again in {seconds:.0f} s)", reply, retry_after_seconds=seconds)
    if status in _MAY_HAVE_ACTED:
        raise Unclear(said, reply)
    what = advice.get(status) or _ADVICE.get(status) or "the desk refused it"
    raise Rejected(f"{status}: {what}" + (f" (it said: {message})" if message else ""), reply)


def _message(body: bytes) -> str:
    """Return the sentence of an error body, or ""."""
    try:
        value = json_value(body)
    except Refused:
        return ""
    said = next((text for at in _SAID if isinstance(text := at.find(value), str)), "")
    return Fields({"said": said}).prose("said", _MESSAGE_CHARS)
