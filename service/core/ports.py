"""What the story needs from the world, as types only. Each is met by one room; tests use the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from service.core import model as m

# what a call to Genesys is for, the later the more urgent: what was begun is ended before more is begun
Call: TypeAlias = Literal["look", "disconnect", "confirm"]
# what an answer of Genesys said of our budget: calls a window, calls counted in it, and the seconds until it is over
Told: TypeAlias = tuple[int, int, float]


# what may be due in an org
DueKind: TypeAlias = Literal["removals", "reports"]
# how long the token of an org is still good for, in seconds, and why there is none, in words; never the token itself
Token: TypeAlias = tuple[float, str]


class Clock(Protocol):
    """The one clock."""

    def now(self) -> int:
        """Return the wall clock in milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class Dice(Protocol):
    """The one source of chance."""

    def action_id(self, org: str) -> str:
        """Return a new action id that carries `org` and sorts by its moment."""
        ...

    def token(self) -> str:
        """Return 128 unguessable bits as 32 hex digits."""
        ...

    def jitter(self) -> float:
        """Return a number from 0 up to 1."""
        ...


class Waiter(Protocol):
    """Somebody who is woken when the store has news. A lost wake costs at most the time asked for."""

    async def for_due(self, org: str, kind: str, seconds: float) -> None:
        """Return when something of `kind` (`removals`, `reports`) may be due in `org`, or after `seconds`."""
        ...

    async def for_settled(self, action_id: str, seconds: float) -> None:
        """Return when `action_id` was settled, or after `seconds`."""
        ...


class Agenda(Protocol):
    """Somebody who knows where something is due."""

    async def due(self, orgs: Sequence[str]) -> frozenset[tuple[str, DueKind]]:
        """Return of which orgs something is due now, and what; raises StoreDown. It is a hint: claims decide."""
        ...


class Budget(Protocol):
    """How much an org's Genesys API takes, shared by all workers."""

    async def spend(self, org: str, call: Call = "look") -> float:
        """Take one call from the budget and return 0.0, or take nothing and return the seconds to wait."""
        ...

    async def throttle(self, org: str, seconds: float) -> None:
        """Let nobody of `org` call before `seconds` are over: a Retry-After is a floor for all workers."""
        ...


class Genesys(Protocol):
    """One org's Genesys Cloud: it can be looked at, and one participant can be removed. Nothing else."""

    async def look(self, conversation_id: str) -> m.Sight:
        """Read the conversation. Never raises for what Genesys answers or fails to answer."""
        ...

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        """Ask for the removal of exactly `target`; `deadline` is a moment of `Clock.monotonic`.

        Raises:
            Throttled: not done (429).
            Unreachable: not done, it never arrived.
            EgressRefused: not done, the guard stopped it (also: past `deadline`).
        """
        ...


class Refusals(Protocol):
    """Where refused deliveries are remembered for an operator: the newest of each source, none for ever."""

    def note(self, refusal: m.Refusal) -> None:
        """Remember `refusal` soon. Never waits and never raises: who is refused must not cost anybody time."""
        ...

    async def refusals(self, source: str) -> Sequence[m.Refusal]:
        """Return what is remembered of `source`, the newest first; raises StoreDown."""
        ...


class Source(Protocol):
    """One ticketing system, both directions."""

    @property
    def terms(self) -> m.SourceTerms:
        """What the rules need to know of it."""
        ...

    @property
    def success_status(self) -> int:
        """The HTTP status that this system takes for a yes."""
        ...

    @property
    def media_types(self) -> frozenset[str]:
        """The content types it sends."""
        ...

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that the raw bytes come from the source.

        Raises:
            BadSignature: they do not, or nobody can tell.
            Stale: they did, too long ago.
        """
        ...

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored | m.Batch:
        """Read what is asked.

        Raises:
            Malformed: not the bytes this source sends.
            Unreadable: read, and it does not say what to do.
        """
        ...

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether the ticket shows this report already; False also where that cannot be looked up.

        Raises:
            Upstream: the desk could not be asked.
        """
        ...

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Write `note` on the ticket; after `deadline`, a moment of `Clock.monotonic`, no byte leaves any more.

        Raises:
            EgressRefused: not written, the guard stopped it (also: past `deadline`).
            Unreachable, Throttled: not written, try later.
            Unclear: perhaps written.
            Rejected: the desk will not take it: a person must mend something.
        """
        ...


class Store(Protocol):
    """Where promises are kept. Every method is one atomic step, may be asked twice, and raises StoreDown.

    A method that takes a `lease` raises LeaseLost when the lease is no longer this worker's.
    """

    async def accept(self, offer: m.Offer) -> m.Receipt:
        """Store `offer` on disk, or join the action it belongs to.

        Raises:
            Conflicting: the delivery was seen with another body.
        """
        ...

    async def claim(
        self, org: str, worker: str, token: str, limit: int, *, is_look_paid: bool = False
    ) -> Sequence[m.Claim]:
        """Take up to `limit` due actions of `org`, earliest first, under leases with `token`.

        With `is_look_paid` the first look of each is taken from the budget in the same step, for who is sure to look.
        """
        ...

    async def renew(self, lease: m.Lease) -> None:
        """Push the end of the lease a full lease away."""
        ...

    async def pin(self, lease: m.Lease, progress: m.Progress, entries: Sequence[m.Entry]) -> None:
        """Remember `progress` before anything is done about it."""
        ...

    async def mark_sent(
        self, lease: m.Lease, epoch: str, progress: m.Progress, entries: Sequence[m.Entry]
    ) -> m.Marked | m.Owned | m.TooLate | m.OverBudget:
        """Say that a send is about to leave, before it does: one step with its call from the budget, and the pin."""
        ...

    async def answered(self, lease: m.Lease, number: int, answer: m.Answer, entries: Sequence[m.Entry]) -> None:
        """Remember what became of send `number`."""
        ...

    async def unsent(self, lease: m.Lease, number: int, entries: Sequence[m.Entry]) -> None:
        """Take back exactly mark `number`: it never left, or was not done. The conversation is free again."""
        ...

    async def put_back(
        self, lease: m.Lease, after_seconds: float, progress: m.Progress, entries: Sequence[m.Entry]
    ) -> None:
        """Give the action up for `after_seconds`; its lease ends now."""
        ...

    async def settle(
        self, lease: m.Lease, outcome: m.Outcome, seen_ago_seconds: float | None, entries: Sequence[m.Entry]
    ) -> None:
        """End the action: outcome written once, reports due, the conversation free."""
        ...

    async def claim_reports(self, org: str, worker: str, token: str, limit: int) -> Sequence[m.ReportClaim]:
        """Take up to `limit` due reports of `org`: of each desk the earliest, and no more than it bears at once."""
        ...

    async def renew_report(self, lease: m.Lease) -> None:
        """Push the end of the report's lease a full lease away."""
        ...

    async def put_back_report(self, lease: m.Lease, after_seconds: float, error: str) -> None:
        """Try the report again in `after_seconds`."""
        ...

    async def told(self, lease: m.Lease, entries: Sequence[m.Entry]) -> None:
        """The ticket has it."""
        ...

    async def bury(self, lease: m.Lease, error: str) -> None:
        """Make the report a dead letter: only a person moves it on."""
        ...

    async def retell(self, report_id: str, *, by: m.Operator = m.SOMEBODY) -> bool:
        """Make a dead letter due again; False when it is not one."""
        ...

    async def drop(self, action_id: str, *, by: m.Operator = m.SOMEBODY) -> bool:
        """End an open action of which nothing was sent: a person will not have it; False when there is no such action.

        Whoever holds it loses its lease, and can send nothing any more. Raises Unreadable, in words, when it has ended,
        or when something was sent.
        """
        ...

    async def read(self, action_id: str) -> m.Account | None:
        """Return everything known about an action, or None."""
        ...

    async def pause(self, org: str, source: str = "", *, by: m.Operator = m.SOMEBODY) -> None:
        """Claim nothing of `org` (or of one source of it) until resumed, except what is past its not-after."""
        ...

    async def resume(self, org: str, source: str = "", *, by: m.Operator = m.SOMEBODY) -> None:
        """Take a pause back."""
        ...

    async def paused(self, org: str) -> frozenset[str]:
        """Return what is paused: "" for the whole org, else names of sources."""
        ...

    async def attend(self, org: str, worker: str, busy: int, claimed_ago_seconds: float | None, token: Token) -> None:
        """Say that `worker` is there, has `busy` removals of `org` in hand, and when it asked for more of them."""
        ...


class Archive(Protocol):
    """What an operator may look at. Nothing of it is needed to keep a promise; every method raises StoreDown."""

    async def find(self, org: str, search: m.Search, limit: int, after: str = "") -> m.Page:
        """Return up to `limit` actions of `org` that fit, the newest first, from where the last page ended.

        Where a page ends is the part after the org of the id of the last action looked at, so places of several orgs
        can be compared: a lower one is further back. ValueError for what can be no place, source or outcome.
        """
        ...

    async def dead(self, org: str, limit: int) -> Sequence[m.DeadLetter]:
        """Return up to `limit` dead letters of `org`, the newest first."""
        ...

    async def minutes(self, org: str, since_at: int) -> Sequence[m.Minute]:
        """Return the minutes of `org` since then in which something happened, the oldest first; a day at most."""
        ...

    async def audit(self, org: str, limit: int, after: str = "") -> tuple[Sequence[m.AuditLine], str]:
        """Return up to `limit` lines of the audit, the oldest first, and where to go on; "" from its beginning.

        It is said where to go on also when there is nothing more yet.
        """
        ...

    async def workers(self, org: str) -> Sequence[m.Attendance]:
        """Return the workers of `org` that were there within the last minutes, by name."""
        ...
