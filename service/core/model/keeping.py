"""What is promised and kept: actions, outcomes, reports, leases, timelines, and the terms they stand under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.core.errors import Reply
from service.core.model.asking import Operator, Removal, Ticket
from service.core.model.seeing import Send, Target
from service.core.model.tracing import Trace, trace_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be asked, as the store counts it while it takes an offer. Unsaid, anything: a person may always ask.

    Attributes:
        rate: deliveries a minute of the source, so many at once, with duplicates and previews; 0 for any number.
        backlog: open actions of the org, above which no new one is taken; 0 for any number.
        runaway: new actions of one requester within a minute that pause the source; 0 for any number.
        clicker: hex digest of who asked, to count those by; "" where nobody counts.
    """

    rate: int = 0
    backlog: int = 0
    runaway: int = 0
    clicker: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """An action as it is offered to the store: it becomes one, or joins one that is there.

    Attributes:
        action_id: the id it gets if it is new; carries the org.
        key: the unguessable key of its link, if it is new.
        delivery_key: hex digest that is the same for the same delivery, re-sent.
        body_hash: hex digest of the body alone: the same id with another hash is a conflict.
        is_hash_only: the delivery key rests on the body's hash alone, so it is remembered for two hours only.
        intent_key: hex digest that is the same for the same wish, or None where wishes are not shared (previews).
        max_age_seconds: not-after is the click (or the receipt, the earlier) and this.
        channels: one report for each, if the removal names a ticket or the channel needs none.
        entries: the timeline so far (verify, parse).
        replay_of: the action that a person asks again, or "".
        is_shadow: asked while nothing is sent for this source: it stays so, whatever is switched before its end.
        requester_key: hex digest of who asked, to count his new actions by; "" where nobody counts.
        requester_rate: new actions a minute that he may ask for; one more is kept, and refused without a look.
        bounds: how much may be asked; what is over them is not taken.
        by: the person who asks for a replay or a preview by herself; None for a webhook.
        delivery_id: the sender's id of the delivery, if something signed names one, else "": the action is found by it.
        asked_in: the span that accepts it, where the webhook said of which trace it is part; else None.
    """

    action_id: str
    org: str
    source: str
    key: str
    removal: Removal
    delivery_key: str
    body_hash: str
    is_hash_only: bool
    intent_key: str | None
    max_age_seconds: float
    channels: tuple[str, ...]
    entries: tuple[Entry, ...] = ()
    replay_of: str = ""
    is_shadow: bool = False
    requester_key: str = ""
    requester_rate: int = 0
    bounds: Bounds = Bounds()
    by: Operator | None = None
    delivery_id: str = ""
    asked_in: Trace | None = None


class ActionState(StrEnum):
    """The two states of an action; who is working on it is said by the lease, not by a state."""

    PENDING = "pending"
    SETTLED = "settled"


class ReportState(StrEnum):
    """The four states of a report."""

    WAITING = "waiting"
    DUE = "due"
    TOLD = "told"
    DEAD = "dead"


class OutcomeKind(StrEnum):
    """How an action can end."""

    DISCONNECTED = "disconnected"
    ALREADY_GONE = "already_gone"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"
    PREVIEWED = "previewed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended.

    Attributes:
        kind: one of eight.
        reason: a word of the table in rules.py, never free text; wording.py has the sentence for it.
        reply: Genesys' own words where they are the reason.
        state_seen: the leg state last seen of the target (`connected`, `alerting`, …), or "".
        purpose: the target's purpose, or "".
        candidates: who the selector could have meant (`customer 3f2a…`), when it fits several.
        bystanders: who else was present when we acted, by purpose; empty where nothing was sent.
        remaining: how many are still there, by purpose, as the last look saw it.
        vanished: bystanders present when we acted and gone at the last look, by purpose.
        is_back: the same person was there again, on a new leg or under a new id, and was left alone.
        allowed_by: the setting that would allow it, when a policy refused; `a + b` where it takes both.
        rehearsed: nothing would have been sent whatever had been found: `preview`, `shadow`; "" where it was meant.
    """

    kind: OutcomeKind
    reason: str
    reply: Reply | None = None
    state_seen: str = ""
    purpose: str = ""
    candidates: tuple[str, ...] = ()
    remaining: Mapping[str, int] = field(default_factory=dict)
    vanished: Mapping[str, int] = field(default_factory=dict)
    is_back: bool = False
    allowed_by: str = ""
    rehearsed: str = ""
    bystanders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told.

    Attributes:
        joined: "" for a new action, `delivery` for a re-sent webhook, `intent` for the same wish asked again.
        outcome: how the action ended, if it has.
        is_runaway: its source was paused with it: that was more than one requester may ask for (see Bounds).
        trace_id: of the trace in which this delivery stands; "" for what a person asked.
    """

    action_id: str
    key: str
    joined: str
    outcome: Outcome | None = None
    is_runaway: bool = False
    trace_id: str = ""


class Absence(StrEnum):
    """The two ways in which nobody is found; two looks must agree on one."""

    CONVERSATION = "conversation"
    PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Progress:
    """What an action remembers from attempt to attempt, besides its sends.

    Attributes:
        pin: the target, once a look resolved it.
        was_unpinned: the pin was given up once, after a merge.
        bystanders: participant id → purpose of everybody else present when the first send that is ours was marked.
        absence: how nobody was found, and `absent_at` since when; None once somebody was seen.
        blind_looks: looks in a row that saw nothing.
        held_by: why it waits (`paused`, `runaway`, `busy`, `genesys_unreachable`), or "".
    """

    pin: Target | None = None
    was_unpinned: bool = False
    bystanders: Mapping[str, str] = field(default_factory=dict)
    absence: Absence | None = None
    absent_at: int = 0
    blind_looks: int = 0
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """The one promise we keep for a removal, however many deliveries asked.

    Attributes:
        not_after: past this moment nothing is sent.
        lapses: claims in a row that ended because a lease ran out.
        seen_at: the look on which the outcome rests; 0 where none was needed.
        replay_of: the action a person asked again, or "".
        is_shadow: it was asked while nothing was sent for its source, so nothing is sent for it.
        is_over_rate: its requester asked for more than his rate, so it is refused without a look.
        asked_in: the span that accepted it, where the webhook said of which trace it is part; else None.
    """

    id: str
    org: str
    source: str
    removal: Removal
    received_at: int
    clicked_at: int
    not_after: int
    state: ActionState = ActionState.PENDING
    sends: tuple[Send, ...] = ()
    progress: Progress = Progress()
    lapses: int = 0
    outcome: Outcome | None = None
    settled_at: int = 0
    seen_at: int = 0
    replay_of: str = ""
    is_shadow: bool = False
    is_over_rate: bool = False
    asked_in: Trace | None = None

    @property
    def trace(self) -> Trace:
        """The span that accepted it, in its sender's trace or in one of its own."""
        return self.asked_in or trace_of(self.id)


@dataclass(frozen=True, slots=True)
class Lease:
    """One worker's right to one action or report until a moment; every write carries it."""

    org: str
    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An action that this worker holds.

    Attributes:
        now_at: the store's clock at the claim: the one clock of all decisions.
        lease_until: the lease ends then, unless renewed.
        epoch: names who owned the conversation last; `mark_sent` refuses when it has changed.
        is_look_paid: its first look has been taken from the budget with the claim.
    """

    lease: Lease
    action: Action
    now_at: int
    lease_until: int
    epoch: str
    is_look_paid: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One outcome to be written on one ticket, by one channel.

    Attributes:
        tries: claims so far, this one included: above 1 the note may be there already.
        error: why the last try failed, or "".
        first_due_at: when it became due first: dead 24 h later.
    """

    id: str
    action_id: str
    source: str
    channel: str
    ticket: Ticket | None
    state: ReportState
    tries: int = 0
    error: str = ""
    first_due_at: int = 0


@dataclass(frozen=True, slots=True)
class ReportClaim:
    """A report that this worker holds, with the settled action it tells of."""

    lease: Lease
    report: Report
    action: Action
    now_at: int
    lease_until: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an action's timeline: a verb, its moment and what is known of it.

    Attributes:
        verb: one of the ten.
        at: the moment it began.
        duration_ms: how long it took.
        worker: who did it, or "".
        status: the HTTP status of the call, or None.
        correlation_id: Genesys' id of the call, or "".
        note: a few words: the decision, the code, the state seen.
    """

    verb: str
    at: int
    duration_ms: float = 0.0
    worker: str = ""
    status: int | None = None
    correlation_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """All there is to tell about one action: what `GET /actions/{id}` shows."""

    action: Action
    key: str
    timeline: tuple[Entry, ...]
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one section of the settings lets through: who may be removed, where, by whom. Unsaid, it forbids nothing.

    Attributes:
        purposes: participants with another purpose are refused; None for any.
        last_pair: `allow` or `refuse` a removal that leaves one person alone, which normally ends the call.
        queues: ids; a conversation that none of them brought anybody into is refused. Empty for any.
        divisions: ids or names, names without regard to case; other conversations are refused, and those that do not
            show their division. Empty for any.
        requesters: who may ask, without regard to case; others and the nameless are refused. Empty for anybody.
        supervisors: `allow` or `refuse` to remove who monitors, coaches or barges in.
        requester_rate: removals a minute that one requester of one source may ask for; 0 for any number.
        is_live: false where everything is done but the send.
    """

    purposes: frozenset[str] | None = None
    last_pair: str = "allow"
    queues: frozenset[str] = frozenset()
    divisions: frozenset[str] = frozenset()
    requesters: frozenset[str] = frozenset()
    supervisors: str = "allow"
    requester_rate: int = 0
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Policy(Limits):
    """The limits of an org: it always says whose purposes, and protects supervisors unless told otherwise."""

    purposes: frozenset[str] = frozenset({"customer", "external"})
    supervisors: str = "refuse"


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms an action is decided right now.

    Attributes:
        policy: of its org.
        is_live: the org is live.
        narrowed_by: what its source says on top: it can forbid more, and never allow what the org forbids.
    """

    policy: Policy = Policy()
    is_live: bool = True
    narrowed_by: Limits = Limits()

    @property
    def may_send(self) -> bool:
        """Whether org and source are both live."""
        return self.is_live and self.narrowed_by.is_live

    @property
    def requester_rate(self) -> int:
        """The smaller of the rates that are set; 0 where none is."""
        rates = (self.policy.requester_rate, self.narrowed_by.requester_rate)
        return min(filter(None, rates), default=0)
