"""The nouns of whoever watches: what is searched, what comes of it, what was done by whom, and how the day went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.core.model.asking import Operator
from service.core.model.keeping import Action, Report

# seconds from the click until the person was seen gone: a removal is counted under the first that it does not exceed,
# else under one more
GONE_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# what a search says of actions that have no outcome yet
OPEN = "open"


class Deed(StrEnum):
    """What a line of the audit tells: an action that ended, or what a person did."""

    SETTLE = "settle"
    PAUSE = "pause"
    RESUME = "resume"
    REPLAY = "replay"
    PREVIEW = "preview"
    DROP = "drop"
    RETELL = "retell"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nobody is removed for an org or a source.

    Attributes:
        by: who asked for it; None where the service did, because a requester ran away.
    """

    at: int
    by: Operator | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Which actions are looked for; what is empty lets any through.

    Attributes:
        text: the whole id of a conversation, a participant, a ticket (or its label), a requester or a delivery, without
            regard to case; or the last four digits of a number.
        source: who asked.
        outcome: how it ended; OPEN for what has not.
        since_at: received then or later; 0 for any.
        until_at: received before then; 0 for any.
    """

    text: str = ""
    source: str = ""
    outcome: str = ""
    since_at: int = 0
    until_at: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found, the newest first.

    Attributes:
        after: where the next page begins; "" where this is the last. A page may be short, or empty, and not the last:
            no more was looked through at once.
    """

    actions: tuple[Action, ...]
    after: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A report that could not be delivered, with what it tells of."""

    report: Report
    action: Action
    died_at: int


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit, which is only ever added to. It names nobody but the operator: see `of` for the rest.

    Attributes:
        of: what it is about: the id of an action or a report, the name of a source, or "" for the whole org.
        who, why: the operator, and her reason; both "" where nobody did it but the service.
        source: who had asked.
        outcome, reason: how an action ended.
        seconds: from its click until it ended.
    """

    at: int
    deed: Deed
    of: str
    who: str = ""
    why: str = ""
    source: str = ""
    outcome: str = ""
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in one minute of an org.

    Attributes:
        at: when it began.
        accepted: deliveries by source, those that joined included.
        refused: deliveries by source.
        outcomes: actions that ended, by kind.
        gone: of those disconnected how many took how long: one count for each of GONE_SECONDS, and one for longer.
    """

    at: int
    accepted: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    gone: tuple[int, ...] = (0,) * (len(GONE_SECONDS) + 1)


@dataclass(frozen=True, slots=True)
class Attendance:
    """A worker that said lately that it is there.

    Attributes:
        seen_at: when it said so last.
        claimed_at: when it asked for work of this org last.
        busy: how many removals of the org it has in hand.
        token_until: when its token of the org ends; 0 where it has none.
        token_fault: why it has none, in words; "" where none was needed yet.
    """

    worker: str
    seen_at: int
    claimed_at: int
    busy: int
    token_until: int = 0
    token_fault: str = ""
