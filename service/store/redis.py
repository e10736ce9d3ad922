"""Redis as the store: one method per atomic step, each a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Unpack, cast

from service.core import model as m
from service.core.errors import LeaseLost, StoreDown, UnknownVersion, Unreadable
from service.core.lifecycle import ACTION_STEPS, REPORT_STEPS
from service.core.ports import Dice, Token
from service.core.rules import DESK_CALLS, LEASE_SECONDS
from service.store import ending, records, terms
from service.store.budget import Rate, RedisBudget, ms_of
from service.store.burden import Burden, burden_in
from service.store.health import Asked, Health
from service.store.keys import Keys, Lives, action_of, hex_in, name_in, worker_in
from service.store.ledger import AWAY_MS
from service.store.offering import Offering, receipt_in
from service.store.script import Reply, Runner, script
from service.store.survey import examine_all
from service.store.tags import Tags
from service.store.walk import walked

# a claim looks at no more than this, so that it never blocks Redis for long (100 are about a millisecond)
SCAN_MOST = 100
# no byte of a send leaves later than this after its mark
SEND_MS = 2_000
# three claims in a row ended by the end of the lease: the action kills its workers
POISON_LAPSES = 3
_OURS = f" {m.AnswerKind.ACCEPTED} {m.AnswerKind.UNCLEAR} "


class RedisStore(RedisBudget):
    """Meets the port `Store`, and `Budget` by what it is built on: claims take no more than the budget carries.

    Args:
        runner: brings scripts to Redis; `client.Link` in production.
        dice: for the nonce by which a step is known when it is asked again.
        keys: the names of all keys.
        lives: how long what has ended stays.
        rate: the budget of every org.
        tags: how numbers are found again after they were cut; without, by their last four digits alone.
        lease_seconds: how long a claim is a worker's own unless renewed.
        now_ms: the clock of a simulation; None in production, where Redis' own clock counts.
    """

    def __init__(
        self,
        runner: Runner,
        dice: Dice,
        *,
        keys: Keys | None = None,
        lives: Lives | None = None,
        rate: Rate | None = None,
        tags: Tags | None = None,
        lease_seconds: float = LEASE_SECONDS,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(runner, dice, keys=keys, lives=lives, rate=rate, now_ms=now_ms)
        self._lease_ms = ms_of(lease_seconds)
        self._offering = Offering(self._keys, self._lives, tags or Tags())
        self._objection = ""

    # ------------------------------------------------------------------------------------------ intake

    async def accept(self, offer: m.Offer) -> m.Receipt:
        """Store `offer` on disk, or join the action it belongs to; raises Conflicting, TooMany or BacklogFull.

        After a `health` that found that Redis may lose it, or has no room, StoreDown: a yes would be a lie.
        """
        if self._objection:
            raise StoreDown(self._objection)
        names, words = self._offering.words_of(offer)
        return receipt_in(await self._runner.run_shared(script("accept"), names, [*self._head(offer.org), *words]))

    # ------------------------------------------------------------------------------------------ an attempt

    async def claim(
        self, org: str, worker: str, token: str, limit: int, *, is_look_paid: bool = False
    ) -> Sequence[m.Claim]:
        """Take up to `limit` due actions of `org`, earliest first, under leases with `token`.

        With `is_look_paid` the first look of each is taken from the budget in the same step.
        """
        keys = self._keys
        reply = await self._runner.run(
            script("claim"),
            [keys.due_removals(org), keys.claim(org, token), keys.paused(org), keys.floor(org), *self._purse(org)],
            [
                *self._head(org),
                *(token, worker_in(worker), str(limit), self._lease_ms, ACTION_STEPS["claim"].source, str(SCAN_MOST)),
                *(str(self._lives.unknown), *self._spending(org), "1" if is_look_paid else ""),
            ],
        )
        now_at, lease_until, *rows = cast("tuple[str, str, *tuple[tuple[str, str, list[str], str], ...]]", reply)
        claims = []
        for action_id, epoch, flat, paid in rows:
            action = records.readable(records.action_in, action_id, flat)
            if action is not None:
                lease = m.Lease(org, action_id, token)
                claims.append(m.Claim(lease, action, int(now_at), int(lease_until), epoch, paid == "1"))
        return claims

    async def renew(self, lease: m.Lease) -> None:
        """Push the end of the lease a full lease away; a lease that is over is lost."""
        await self._renew(lease, [self._keys.action(lease.id), self._keys.due_removals(lease.org)], "claim")

    async def pin(self, lease: m.Lease, progress: m.Progress, entries: Sequence[m.Entry]) -> None:
        """Remember `progress` before anything is done about it."""
        found_by = terms.of_pin(progress.pin)
        args = [*_progress(progress), lease.id, found_by, *records.lines_of(entries, lease.id)]
        await self._step("pin", lease, [], args)

    async def mark_sent(
        self, lease: m.Lease, epoch: str, progress: m.Progress, entries: Sequence[m.Entry]
    ) -> m.Marked | m.Owned | m.TooLate | m.OverBudget:
        """Say that a send is about to leave, before it does; take the conversation, and the call from the budget.

        As durable as an accept. The pin of `progress` is kept with it.
        """
        org, keys = lease.org, self._keys
        args = [lease.id, epoch, str(SEND_MS), *_progress(progress), terms.of_pin(progress.pin)]
        args += [*self._spending(org), *records.lines_of(entries, lease.id)]
        match await self._step("mark_sent", lease, [keys.floor(org), *self._purse(org)], args):
            case ["late"]:
                return m.TooLate()
            case ["wait", str(micros)]:
                return m.OverBudget(int(micros) / 1_000_000)
            case ["owned", str(now_owned)]:
                return m.Owned(now_owned)
            case reply:
                number, marked_at, deadline_at, left_ms = map(int, cast("list[str]", reply)[1].split())
                return m.Marked(m.Send(number, marked_at, deadline_at), left_ms / 1000)

    async def answered(self, lease: m.Lease, number: int, answer: m.Answer, entries: Sequence[m.Entry]) -> None:
        """Remember what became of send `number`; ValueError when there is none."""
        args = [str(number), str(answer.kind), records.json_of(answer), *records.lines_of(entries, lease.id)]
        await self._step("answered", lease, [], args)

    async def unsent(self, lease: m.Lease, number: int, entries: Sequence[m.Entry]) -> None:
        """Take back exactly mark `number`; ValueError when it is not the last, or was answered."""
        args = [lease.id, str(number), str(self._lives.ownership), _OURS, *records.lines_of(entries, lease.id)]
        await self._step("unsent", lease, [], args)

    async def put_back(
        self, lease: m.Lease, after_seconds: float, progress: m.Progress, entries: Sequence[m.Entry]
    ) -> None:
        """Give the action up for `after_seconds`; its lease ends now."""
        due = [self._keys.due_removals(lease.org)]
        args = [lease.id, ms_of(after_seconds), *_progress(progress), str(POISON_LAPSES)]
        args += records.lines_of(entries, lease.id)
        await self._step("put_back", lease, due, args)

    async def settle(
        self, lease: m.Lease, outcome: m.Outcome, seen_ago_seconds: float | None, entries: Sequence[m.Entry]
    ) -> None:
        """End the action: outcome written once, reports due, the conversation free."""
        due, deliveries = ending.keys_of(self._keys, lease.id)[2:]
        args = self._ending(lease.id, outcome, seen_ago_seconds, entries)
        await self._step("settle", lease, [due, deliveries], args)

    async def drop(self, action_id: str, *, by: m.Operator = m.SOMEBODY) -> bool:
        """End an open action of which nothing was sent, because a person will not have it; False when there is none.

        Raises:
            Unreadable: in words: it has ended, or something was sent.
        """
        if (org := m.org_of(action_id)) is None:
            return False
        outcome, step = m.Outcome(m.OutcomeKind.REFUSED, "dropped"), ACTION_STEPS["drop"].source
        args = [*self._head(org), records.by_of(by), self._step_id(), step, *self._ending(action_id, outcome, None, ())]
        args.append(records.note_of(f"dropped by {by.who}"))
        match await self._runner.run(script("drop"), ending.keys_of(self._keys, action_id), args):
            case ["ok"] | ["done"]:
                return True
            case ["none"]:
                return False
            case ["ended"]:
                raise Unreadable("it has ended already, so there is nothing to drop; see how it ended")
            case ["sent"]:
                raise Unreadable("the removal was sent already, and nobody can call it back; see what came of it")
            case _:
                raise UnknownVersion("this action was stored by a newer version of this service")

    # ------------------------------------------------------------------------------------------ reports

    async def claim_reports(self, org: str, worker: str, token: str, limit: int) -> Sequence[m.ReportClaim]:
        """Take up to `limit` due reports of `org`, earliest first, and no more of a desk than it bears at once."""
        # as durable as set, and with it all before: a failover must not take back what a ticket is told
        reply = await self._runner.run_shared(
            script("claim_reports"),
            [self._keys.desks(org), self._keys.claim(org, token)],
            [
                *self._head(org),
                *(token, worker_in(worker), str(limit), self._lease_ms),
                *(REPORT_STEPS["claim_reports"].source, ACTION_STEPS["settle"].to),
                *(str(SCAN_MOST), str(self._lives.unknown), str(DESK_CALLS)),
            ],
        )
        now_at, lease_until, *rows = cast("tuple[str, str, *tuple[tuple[str, list[str], list[str]], ...]]", reply)
        claims = []
        for report_id, flat_report, flat_action in rows:
            report = records.readable(records.report_in, report_id, flat_report)
            action = records.readable(records.action_in, action_of(report_id), flat_action)
            if report is not None and action is not None:
                lease = m.Lease(org, report_id, token)
                claims.append(m.ReportClaim(lease, report, action, int(now_at), int(lease_until)))
        return claims

    async def renew_report(self, lease: m.Lease) -> None:
        """Push the end of the report's lease a full lease away; a lease that is over is lost."""
        await self._renew(lease, [self._keys.report(lease.id)], "claim_reports")

    async def put_back_report(self, lease: m.Lease, after_seconds: float, error: str) -> None:
        """Try the report again in `after_seconds`."""
        await self._end_report("put_back_report", lease, ms_of(after_seconds), error)

    async def told(self, lease: m.Lease, entries: Sequence[m.Entry]) -> None:
        """The ticket has it."""
        await self._end_report("told", lease, "", "", entries)

    async def bury(self, lease: m.Lease, error: str) -> None:
        """Make the report a dead letter: only a person moves it on."""
        await self._end_report("bury", lease, "", error)

    async def retell(self, report_id: str, *, by: m.Operator = m.SOMEBODY) -> bool:
        """Make a dead letter due again, and write into the audit who asked; False when it is not one."""
        org = action_of(report_id).partition(".")[0]
        states = REPORT_STEPS["retell"]
        reply = await self._runner.run(
            script("retell"),
            [self._keys.report(report_id)],
            [
                *self._head(org),
                *(self._step_id(), states.source, states.to, report_id, org, self._keys.wake),
                *(records.by_of(by), str(self._lives.audit)),
            ],
        )
        return reply == 1

    # ------------------------------------------------------------------------------------------ what a person asks

    async def read(self, action_id: str) -> m.Account | None:
        """Return everything known about an action, or None; UnknownVersion when a newer version wrote it."""
        if m.org_of(action_id) is None:
            return None
        keys = [self._keys.action(action_id), self._keys.timeline(action_id)]
        reply = await self._runner.run(script("read"), keys, self._head(action_id.partition(".")[0]))
        if not reply:
            return None
        flat, lines, *reports = cast("tuple[list[str], list[str], *tuple[tuple[str, list[str]], ...]]", reply)
        fields = records.fields_in(flat)
        return m.Account(
            action=records.action_in(action_id, fields),
            key=fields["key"],
            timeline=tuple(records.timeline_in(action_id, lines)),
            reports=tuple(_reports_in(action_id, fields, dict(reports))),
        )

    async def action_ids(self, org: str) -> list[str]:
        """Return the ids of all actions of `org`, in order of time; walks through all keys of its Redis."""
        key, fits = self._keys.due_removals(org), self._keys.actions(org)
        names = await walked(self._runner, key, self._head(org), fits=fits, many=SCAN_MOST)
        return sorted(name.rpartition(":")[2] for name in names)

    async def pause(self, org: str, source: str = "", *, by: m.Operator = m.SOMEBODY) -> None:
        """Claim nothing of `org` (or of one source of it) until resumed, except what is past its not-after."""
        await self._pause(org, source, "1", by)

    async def resume(self, org: str, source: str = "", *, by: m.Operator = m.SOMEBODY) -> None:
        """Take a pause back."""
        await self._pause(org, source, "", by)

    async def paused(self, org: str) -> frozenset[str]:
        """Return what is paused: "" for the whole org, else names of sources."""
        reply = await self._runner.run(script("paused"), [self._keys.paused(org)], self._head(org))
        return frozenset(cast("list[list[str]]", reply)[0])

    async def attend(self, org: str, worker: str, busy: int, claimed_ago_seconds: float | None, token: Token) -> None:
        """Say that `worker` is there, has `busy` removals of `org` in hand, and when it asked for more of them."""
        left_seconds, fault = token
        await self._runner.run_shared(  # with what is said of other orgs: each alone would be an fsync
            script("attend"),
            [self._keys.workers(org)],
            [
                *self._head(org),
                *(worker_in(worker), "" if claimed_ago_seconds is None else ms_of(claimed_ago_seconds), str(busy)),
                *(ms_of(left_seconds) if left_seconds > 0 else "", records.words_of(fault)),
                *(str(self._lives.workers), AWAY_MS),
            ],
        )

    async def burden(self, org: str) -> Burden:
        """Return what waits in `org`, what is paused, and what its budget carries."""
        keys = self._keys
        names = [keys.due_removals(org), keys.desks(org), keys.paused(org), keys.floor(org), *self._purse(org)]
        return burden_in(await self._runner.run(script("burden"), names, [*self._head(org), *self._rate.words]))

    async def health(self, **asked: Unpack[Asked]) -> Health:
        """Say in words what is wrong with Redis, each master of it, as `examine` does; never raises."""
        health = await examine_all(self._runner, self._keys, **asked)
        # while one of several does not answer, what is wrong with another counts, and what was wrong stays
        self._objection = health.objection or ("" if health.is_reached else self._objection)
        return health

    # ------------------------------------------------------------------------------------------ what they share

    async def _step(self, name: str, lease: m.Lease, keys: Sequence[str], args: Sequence[str]) -> list[Reply]:
        """Run a step of an attempt on an action; returns what it answers when it was done, by this asking or before."""
        run = self._runner.run_shared if name == "mark_sent" else self._runner.run
        reply = await run(
            script(name),
            [self._keys.action(lease.id), self._keys.timeline(lease.id), *keys],
            [*self._head(lease.org), hex_in(lease.token), self._step_id(), ACTION_STEPS[name].source, *args],
        )
        return _kept(reply, name, lease)

    def _step_id(self) -> str:
        """Return by what a step on one record is known when it is asked again: 64 bits of chance, kept for a month."""
        return self._nonce()[-16:]

    def _ending(
        self, action_id: str, outcome: m.Outcome, seen_ago_seconds: float | None, entries: Sequence[m.Entry]
    ) -> list[str]:
        return ending.words_of(
            self._keys, self._lives, action_id, outcome, seen_ago_seconds=seen_ago_seconds, entries=entries
        )

    async def _renew(self, lease: m.Lease, keys: Sequence[str], step: str) -> None:
        state = (ACTION_STEPS | REPORT_STEPS)[step].source
        args = [*self._head(lease.org), hex_in(lease.token), self._nonce(), state, lease.id, self._lease_ms]
        _kept(await self._runner.run(script("renew"), keys, args), "renew", lease)

    async def _end_report(
        self, name: str, lease: m.Lease, again_ms: str, error: str, entries: Sequence[m.Entry] = ()
    ) -> None:
        keys, states = self._keys, REPORT_STEPS[name]
        reply = await self._runner.run(
            script("end_report"),
            [keys.report(lease.id), keys.timeline(action_of(lease.id))],
            [
                *self._head(lease.org),
                *(hex_in(lease.token), self._step_id(), states.source, states.to, lease.id, again_ms, error),
                *(records.note_of(error) if error else "", str(self._lives.action) if name == "bury" else ""),
                *records.lines_of(entries, action_of(lease.id)),
            ],
        )
        _kept(reply, name, lease)

    async def _pause(self, org: str, source: str, flag: str, by: m.Operator) -> None:
        keys, lives = self._keys, self._lives
        args = [*self._head(org), source and name_in(source), flag, org, keys.wake, records.by_of(by)]
        names = [keys.paused(org), keys.step(org, self._nonce())]
        await self._runner.run(script("pause"), names, [*args, str(lives.step), str(lives.audit)])


def _reports_in(action_id: str, fields: records.Fields, rows: Mapping[str, list[str]]) -> Iterator[m.Report]:
    for report_id in records.reports_in(action_id, fields):
        if told := records.told_in(report_id, fields):
            yield told
        elif report_id in rows:
            yield records.report_in(report_id, records.fields_in(rows[report_id]))


def _progress(progress: m.Progress) -> tuple[str, str]:
    return records.progress_of(progress), progress.held_by


def _kept(reply: Reply, step: str, lease: m.Lease) -> list[Reply]:
    if reply == ["lost"]:
        raise LeaseLost(f"{step}: {lease.id} is no longer held with this token")
    if reply == ["no such send"]:
        raise ValueError(f"{step}: {lease.id} has no such send")
    return cast("list[Reply]", reply)
