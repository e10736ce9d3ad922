"""How each ticketing system sends: its patience, what it takes for a yes, when it comes again, whom it punishes.

Written from what the vendors document and from nothing of ours. A number with (?) is not documented: there stands what
is hardest for us, or, of a wait, what is usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MINUTE, HOUR = 60.0, 3600.0
DAY = 24 * HOUR
LOST = 0  # what stands for a status where none was heard in time
FOREVER = float("inf")


@dataclass(frozen=True)
class Heard:
    """What a sender heard of one try: a status and perhaps a Retry-After, or nothing in time."""

    status: int
    retry_after: float | None = None


def _is_good(status: int) -> bool:
    return status in range(200, 300)


def _is_passing(status: int) -> bool:
    return status in {LOST, 429} or status >= 500


def _is_not_good(status: int) -> bool:
    return not _is_good(status)


@dataclass
class Manner:
    """One sender's behaviour, and what it made of us so far.

    Attributes:
        patience: seconds it waits for an answer.
        waits: seconds before each repeat; it gives up after the last.
        repeats: on which statuses it comes again.
        is_good: what it takes for a yes.
        holds: whether what comes meanwhile is sent when that is over; else it is dropped.
        off_until: until when it sends nothing any more, in seconds.
        punished: whatever it did to us, in words.
    """

    patience: float
    waits: Sequence[float] = ()
    repeats: Callable[[int], bool] = _is_not_good
    is_good: Callable[[int], bool] = _is_good
    holds: bool = False
    off_until: float = 0.0
    punished: list[str] = field(default_factory=list)

    def again(self, heard: Heard, tries: int) -> float | None:
        """Return the seconds until a delivery comes again that was tried `tries` times; None for never."""
        if self.is_good(heard.status) or not self.repeats(heard.status) or tries > len(self.waits):
            return None
        return self.waits[tries - 1]

    def count(self, heard: Heard, at: float, *, is_over: bool) -> None:
        """Count an answer that was heard at `at`; `is_over` says that this delivery never comes again."""

    def punish(self, how: str, until: float) -> None:
        """Send nothing until then."""
        self.punished.append(how)
        self.off_until = max(self.off_until, until)

    def headers(self, tries: int) -> Mapping[str, str]:
        """Return what it says of a delivery that was sent so often before."""
        return {}


@dataclass
class Zendesk(Manner):
    """Comes again by the kind of failure, and pauses a webhook of which most requests failed."""

    recent: list[tuple[float, bool]] = field(default_factory=list)

    def again(self, heard: Heard, tries: int) -> float | None:
        """409 three times, nothing in time five times, 429 and 503 where Retry-After is short: three times (?)."""
        if heard.status in {LOST, 409}:
            most = 5 if heard.status == LOST else 3
            return 5.0 if tries <= most else None  # (?) how soon
        is_short = heard.retry_after is not None and heard.retry_after < MINUTE
        is_asked = heard.status in {429, 503} and is_short and tries <= 3
        return heard.retry_after if is_asked else None

    def count(self, heard: Heard, at: float, *, is_over: bool) -> None:
        """70 % errors within five minutes, or a thousand, open the breaker: nothing for five seconds (?)."""
        self.recent = [(then, bad) for then, bad in self.recent if then > at - 5 * MINUTE]
        self.recent.append((at, not self.is_good(heard.status)))
        errors = sum(bad for _, bad in self.recent)
        if at >= self.off_until and (errors >= 0.7 * len(self.recent) or errors > 1000):
            self.punish("paused for 5 s", at + 5)


@dataclass
class PagerDuty(Manner):
    """Comes again for two days; three refusals in a row switch the subscription off for one."""

    strikes: int = 0

    def count(self, heard: Heard, at: float, *, is_over: bool) -> None:
        """Count 4xx other than 429; only a yes begins anew."""
        if self.is_good(heard.status):
            self.strikes = 0
        elif heard.status in range(400, 500) and heard.status != 429:
            self.strikes += 1
            if self.strikes == 3:
                self.punish("switched off for 24 h", at + DAY)


@dataclass
class Slack(Manner):
    """Comes again at once, after one minute and after five, and says so; switches off who nearly always fails."""

    recent: list[tuple[float, bool]] = field(default_factory=list)

    def count(self, heard: Heard, at: float, *, is_over: bool) -> None:
        """More than 95 % failures within the hour, of a thousand deliveries or more: who gets fewer is spared."""
        self.recent = [(then, bad) for then, bad in self.recent if then > at - HOUR]
        self.recent.append((at, not self.is_good(heard.status)))
        if len(self.recent) >= 1000 and sum(bad for _, bad in self.recent) > 0.95 * len(self.recent):
            self.punish("switched off", FOREVER)

    def headers(self, tries: int) -> Mapping[str, str]:
        """Say how often it was sent already."""
        return {"X-Slack-Retry-Num": str(tries), "X-Slack-Retry-Reason": "http_error"} if tries else {}


@dataclass
class Freshdesk(Manner):
    """Comes again three times, then the administrators get a mail."""

    def count(self, heard: Heard, at: float, *, is_over: bool) -> None:
        """Mail where the last try failed too; nothing is switched off."""
        if is_over and not self.is_good(heard.status):
            self.punished.append("mailed the administrators")


@dataclass
class StandardWebhooks(Manner):
    """Comes again for three days; whoever says that he is gone is not asked again."""

    def count(self, heard: Heard, at: float, *, is_over: bool) -> None:
        """410 disables the endpoint."""
        if heard.status == 410:
            self.punish("disabled", FOREVER)


@dataclass
class ByRetryAfter(Manner):
    """A flow of ServiceNow whose step comes again when it is told to."""

    def again(self, heard: Heard, tries: int) -> float | None:
        """Wait for what Retry-After says, else as long as the others."""
        wait = super().again(heard, tries)
        return wait if wait is None or heard.retry_after is None else heard.retry_after


def _doubling(first: float, most: float, total: float) -> tuple[float, ...]:
    """Return waits that double up to `most`, as many as `total` seconds hold."""
    waits: list[float] = []
    while sum(waits) + (wait := min(first * 2 ** len(waits), most)) <= total:
        waits.append(wait)
    return tuple(waits)


def _jira_again(status: int) -> bool:
    return status in {408, 409, 425} or _is_passing(status)


def _jira_good(status: int) -> bool:
    return status in {200, 204}


_STANDARD = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)  # 75 h 35 min
# how long each waits between its repeats over 48 h and 24 h is not documented: they double (?)
MANNERS: Mapping[str, Callable[[], Manner]] = {
    "zendesk": lambda: Zendesk(12, holds=True),  # (?) that it holds what comes during its pause
    "jira": lambda: Manner(20, (300, 600, 900, 900, 900), _jira_again, _jira_good),  # five times in an hour
    "pagerduty": lambda: PagerDuty(5, _doubling(30, 2 * HOUR, 48 * HOUR), _is_passing),
    "slack button": lambda: Slack(3, (0, 60, 300)),
    "slack command": lambda: Slack(3, (0, 60, 300)),
    "hubspot": lambda: Manner(5, _doubling(60, DAY, DAY)[:10]),
    "freshdesk": lambda: Freshdesk(20, (5 * MINUTE, 30 * MINUTE, 60 * MINUTE)),
    "teams": lambda: Manner(5),
    "standard": lambda: StandardWebhooks(15, _STANDARD),
    "servicenow fixed": lambda: Manner(30, (30,) * 4, _is_passing),
    "servicenow doubling": lambda: Manner(30, (10, 20, 40, 80), _is_passing),
    "servicenow retry-after": lambda: ByRetryAfter(30, (30,) * 4, _is_passing),
}
