"""One attempt at one action: look, decide, disconnect, look again. The table decides; this only does.

Confirming is not a second way through: it is the next look, decided by the same table. A send is marked in the store
before it leaves, because after a crash we must neither call our own work "already gone" nor send blindly again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from service import telemetry
from service.core import model as m
from service.core.errors import EgressRefused, LeaseLost, StoreDown, Throttled, Unreachable, Upstream
from service.core.rules import (
    LEASE_SECONDS,
    OUTCOME_EXIT_CODES,
    Decision,
    Disconnect,
    LookAgain,
    Settle,
    decide,
    remember,
    situation_of,
)
from service.core.situation import Situation
from service.core.wording.answers import name_of
from service.flow.workplace import Workplace

WAIT_HERE_SECONDS = 2.0  # a longer wait frees the worker's slot
BEHIND_SECONDS = 0.5  # after a 429, behind all who did not cause it
OWNED_SECONDS = 0.5  # until a conversation that belongs to another action is tried again
OUTAGE_SECONDS = 1.0  # after the store was away
UNMARKED_SECONDS = 1.0  # until a send is tried again that the store did not take down
PAID_SECONDS = 1.0  # a look that came with the claim: who stood still longer than that asks the budget again


class Attempt:
    """One claim of an action by one worker, from the claim to settle or put back."""

    def __init__(self, claim: m.Claim, asked: float, place: Workplace) -> None:
        """Begin where the action stands.

        Args:
            claim: what the store handed out.
            asked: `Clock.monotonic` before the claim was asked for: so our idea of now is never behind the store's.
            place: the ports.
        """
        self._claim, self._asked, self._place = claim, asked, place
        self._lease = claim.lease
        self._action = claim.action
        self._sight: m.Sight | None = None
        self._looked = asked
        self._entries: list[m.Entry] = []
        self._trail: list[m.Entry] = []
        self._rows: list[int] = []
        self._is_over = False
        self._is_known_late = False
        self._is_look_paid = claim.is_look_paid
        self._is_pin_kept = True

    @property
    def summary(self) -> dict[str, object]:
        """What the attempt's one wide log line says."""
        action, outcome = self._action, self._action.outcome
        return {
            "action": action.id,
            "org": action.org,
            "source": action.source,
            "conversation": action.removal.conversation_id,
            "trace": action.trace.id,
            "rows": self._rows,
            "sends": len(action.sends),
            "lapses": action.lapses,
            "held_by": "" if outcome else action.progress.held_by,
            "outcome": outcome.kind.value if outcome else "",
            "reason": outcome.reason if outcome else "",
            "purpose": outcome.purpose if outcome else "",
            "operator": self._advice(),
            "duration_ms": self._since(self._asked),
        }

    @property
    def trail(self) -> Sequence[m.Entry]:
        """What was done, in order: the lines of the timeline, with how long the end of it took to be written."""
        return self._trail

    def _advice(self) -> str:
        """Say what an operator needs to know of an end that was not what the click wanted."""
        outcome = self._action.outcome
        needs_one = outcome is not None and OUTCOME_EXIT_CODES[outcome.kind] != 0
        return self._place.wording.advice(self._action) if needs_one else ""

    async def run(self) -> m.Outcome | None:
        """Work until the action is settled or put back; return its outcome if it is settled.

        Raises:
            LeaseLost: another worker has it; nothing more was written.
            StoreDown: the store was away; the action comes due again a second after it is back, or by itself.
        """
        try:
            async with self._place.renewing(self._lease, self._place.store.renew):
                while not self._is_over:
                    decision = self._decided()
                    self._rows.append(decision.row)
                    if not isinstance(decision, Disconnect):
                        await self._keep_pin()
                    await self._do(decision)
        except StoreDown:
            await self._give_back()
            raise
        return self._action.outcome

    async def _give_back(self) -> None:
        """Put the action back as soon as the store answers: an outage is no lapse, and three of them are no poison."""
        ends = self._place.clock.monotonic() + LEASE_SECONDS
        while self._place.clock.monotonic() < ends:
            try:
                await self._put_back(OUTAGE_SECONDS, self._action.progress.held_by)
            except StoreDown:
                if self._place.stopping.is_set():
                    return  # it comes due by itself
                await self._place.clock.sleep(OUTAGE_SECONDS / 2)
            except LeaseLost:
                return  # what was asked for last was done, or another has it
            else:
                return

    def _decided(self) -> Decision:
        """Return what to do now; an end or a send must have been right at the moment of the look too.

        Else time that passed since (a slow answer, a process that stood still) would make a sight from before the send,
        or from within its window, a proof of what is there after it. So then we look again.
        """
        decision = decide(self._situation())
        if self._sight is not None and type(decide(self._situation(at=self._looked))) is not type(decision):
            self._sight = None
            decision = decide(self._situation())
        return decision

    async def _do(self, decision: Decision) -> None:
        match decision:
            case Settle(outcome):
                await self._settle(outcome, decision.row)
            case LookAgain(after_seconds, unpin):
                if unpin:
                    self._keep(replace(self._action.progress, pin=None, was_unpinned=True))
                if await self._rested(after_seconds):
                    await self._look()
            case Disconnect():
                await self._disconnect(decision)
            case _:  # pragma: no cover - the type checker proves that there is no fourth decision
                assert_never(decision)

    # --- look ------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        action, place = self._action, self._place
        wait = 0.0 if self._is_paid() else await place.budget.spend(action.org, "confirm" if action.sends else "look")
        if wait > 0:
            self._sight = None
            await self._rested(wait, held_by="busy")
            return
        self._looked, at = place.clock.monotonic(), self._now()
        self._sight = await place.genesys[action.org].look(action.removal.conversation_id)
        situation = self._situation()
        reply, view = self._sight.reply, situation.selection.view
        telemetry.LOOKS.labels(action.org, view.value).inc()
        verb = "confirm" if situation.ours else "look"
        code = f", {reply.code}" if reply.code else ""
        self._write(verb, at, self._looked, reply, f"{view.value}{code}")
        await self._floor(self._sight)
        was_pinned = action.progress.pin is not None
        self._keep(remember(situation))
        if self._action.progress.pin is not None and not was_pinned:
            self._is_pin_kept = False

    def _is_paid(self) -> bool:
        """Whether this is the look that came with the claim: the first, and right after it."""
        is_paid, self._is_look_paid = self._is_look_paid, False
        return is_paid and self._place.clock.monotonic() - self._asked <= PAID_SECONDS

    async def _keep_pin(self) -> None:
        """Store whom the look resolved before anything is done about it; a mark keeps it in its own step."""
        if not self._is_pin_kept:
            await self._place.store.pin(self._lease, self._action.progress, self._flush())
            self._is_pin_kept = True

    async def _floor(self, sight: m.Sight) -> None:
        # what Genesys asked one worker to wait for, it asked all of them
        if isinstance(sight, m.CannotSee) and sight.retry_after_seconds > 0:
            await self._place.budget.throttle(self._action.org, sight.retry_after_seconds)

    # --- disconnect ------------------------------------------------------------------------------------------------

    async def _disconnect(self, decision: Disconnect) -> None:
        if self._place.stopping.is_set() and self._is_old():
            await self._put_back(0.0, self._action.progress.held_by)  # a Genesys this slow would hold up our end
            return
        # the step itself refuses what is late or over the budget, so between the decision and the mark there is no wait
        asked = self._place.clock.monotonic()
        self._write("decide", self._now(), asked, None, f"row {decision.row}, disconnect")
        progress, entries = self._action.progress, self._flush()
        try:
            marked = await self._place.store.mark_sent(self._lease, self._claim.epoch, progress, entries)
        except StoreDown:
            await self._unmark(entries)
            raise
        if not isinstance(marked, m.Marked):
            self._unwrite(entries)
        match marked:
            case m.TooLate():
                self._is_known_late = True
            case m.Owned():
                self._sight = None
                await self._put_back(OWNED_SECONDS, "busy")
            case m.OverBudget(wait):
                await self._rested(wait, held_by="busy")
                # a fresh sight is kept: another look would take the very call that we wait for, for ever
                if self._is_old():
                    self._sight = None
            case m.Marked(send, left_seconds):
                self._action = replace(self._action, sends=(*self._action.sends, send))
                self._is_pin_kept = True
                await self._send(decision.target, send, asked + left_seconds)
            case _:  # pragma: no cover - the type checker proves that there is no fifth answer
                assert_never(marked)

    async def _unmark(self, entries: Sequence[m.Entry]) -> None:
        """Give back a mark that may stand, or not, or on one of two servers: nothing left.

        Else the next attempts would look for what was never sent, and three of them, ended by their leases, would make
        a poison of an action that only waits for a replica.
        """
        try:
            await self._place.store.unsent(self._lease, len(self._action.sends) + 1, ())
        except (StoreDown, LeaseLost):
            return
        except ValueError:
            self._unwrite(entries)  # there is none
        await self._put_back(UNMARKED_SECONDS, self._action.progress.held_by)

    async def _send(self, target: m.Target, send: m.Send, deadline: float) -> None:
        action, place = self._action, self._place
        at, began = self._now(), place.clock.monotonic()
        try:
            answer = await place.genesys[action.org].disconnect(action.removal.conversation_id, target, deadline)
        except (Throttled, Unreachable, EgressRefused) as refusal:
            await self._take_back(send, refusal, at, began)
            if isinstance(refusal, EgressRefused) and place.clock.monotonic() < deadline and not self._action.sends:
                await self._fail(refusal)  # not for being late: the guard would say the same for ever
            elif isinstance(refusal, Throttled):
                await place.budget.throttle(action.org, refusal.retry_after_seconds)
                # never here: who waits in its slot for the floor to end is always first, and sets the next one for all
                behind = BEHIND_SECONDS + place.dice.jitter()
                await self._put_back(refusal.retry_after_seconds + behind, "busy")
            else:
                await self._rest_blind(refusal)
            return
        answer = replace(answer, answered_at=self._now())
        telemetry.SENDS.labels(action.org, answer.kind.value).inc()
        self._action = replace(self._action, sends=(*action.sends[:-1], replace(send, answer=answer)))
        route = f"route {answer.route}" if answer.route else ""
        note = ", ".join(part for part in (answer.kind.value, answer.reply.code, route) if part)
        self._write("disconnect", at, began, answer.reply, note)
        await place.store.answered(self._lease, send.number, answer, self._flush())
        if answer.kind is not m.AnswerKind.ACCEPTED:
            self._sight = None  # whatever else it said: look before anything else

    async def _take_back(
        self, send: m.Send, refusal: Throttled | Unreachable | EgressRefused, at: int, began: float
    ) -> None:
        """Nothing was done: the mark goes, and with it the conversation is free again."""
        named = type(refusal).__name__.lower()
        telemetry.SENDS.labels(self._action.org, named).inc()
        reply = refusal.reply if isinstance(refusal, Upstream) else None
        self._write("disconnect", at, began, reply, f"not done: {named}")
        self._action = replace(self._action, sends=self._action.sends[:-1])
        await self._place.store.unsent(self._lease, send.number, self._flush())
        self._sight = None

    async def _rest_blind(self, refusal: Unreachable | EgressRefused) -> None:
        reply = refusal.reply if isinstance(refusal, Upstream) else m.Reply(message=str(refusal))
        blind = m.CannotSee(reply)
        self._keep(remember(self._situation(blind)))
        decision = decide(self._situation(blind))
        after = decision.after_seconds if isinstance(decision, LookAgain) else 0.0
        await self._rested(after, held_by="genesys_unreachable")

    # --- end -------------------------------------------------------------------------------------------------------

    async def _fail(self, refusal: EgressRefused) -> None:
        end = self._situation().end(m.OutcomeKind.FAILED, "guarded", reply=m.Reply(message=str(refusal)))
        await self._settle(end, 0)

    async def _settle(self, outcome: m.Outcome, row: int) -> None:
        seen_ago = None if self._sight is None else self._place.clock.monotonic() - self._looked
        began = self._place.clock.monotonic()
        self._write("settle", self._now(), began, None, f"row {row}, {outcome.kind.value}")
        await self._place.store.settle(self._lease, outcome, seen_ago, self._flush())
        self._trail[-1] = replace(self._trail[-1], duration_ms=self._since(began))
        self._action = replace(self._action, outcome=outcome)
        self._is_over = True
        org = self._action.org
        telemetry.OUTCOMES.labels(org, outcome.kind.value).inc()
        if outcome.kind is m.OutcomeKind.FAILED:
            telemetry.FAILURES.labels(org, _cause(outcome)).inc()
        telemetry.SETTLE_SECONDS.labels(org, outcome.kind.value).observe(
            max(0, self._now() - self._action.received_at) / 1000
        )
        # with one other there, the call ends for both: that is no alarm, and `last_pair` forbids it who minds
        was_more = len(self._action.progress.bystanders) > 1
        if outcome.vanished and was_more and outcome.kind is m.OutcomeKind.DISCONNECTED:
            telemetry.BYSTANDERS_LOST.labels(org).inc(sum(outcome.vanished.values()))
            people = dict(outcome.vanished)
            telemetry.emit(telemetry.Event.BYSTANDER_LOST, "error", action=self._action.id, people=people)

    async def _rested(self, after_seconds: float, *, held_by: str = "") -> bool:
        """Wait here and return True, or put the action back and return False."""
        if held_by:
            self._keep(replace(self._action.progress, held_by=held_by))
        if after_seconds > WAIT_HERE_SECONDS or (after_seconds > 0 and self._place.stopping.is_set()):
            await self._put_back(after_seconds, held_by or self._action.progress.held_by)
            return False
        if after_seconds > 0:
            await self._place.clock.sleep(after_seconds)
            if self._place.stopping.is_set():
                await self._put_back(0.0, held_by or self._action.progress.held_by)
                return False
        return True

    async def _put_back(self, after_seconds: float, held_by: str) -> None:
        self._keep(replace(self._action.progress, held_by=held_by))
        await self._keep_pin()
        await self._place.store.put_back(self._lease, after_seconds, self._action.progress, self._flush())
        self._is_over = True

    # --- small things ----------------------------------------------------------------------------------------------

    def _now(self, at: float | None = None) -> int:
        seconds = (self._place.clock.monotonic() if at is None else at) - self._asked
        now = self._claim.now_at + int(seconds * 1000)
        return max(now, self._action.not_after) if self._is_known_late else now

    def _is_old(self) -> bool:
        return self._place.clock.monotonic() - self._looked > WAIT_HERE_SECONDS

    def _situation(self, sight: m.Sight | None = None, at: float | None = None) -> Situation:
        terms = self._place.terms_of(self._action.org, self._action.source)
        return situation_of(self._action, sight or self._sight, terms, self._now(at))

    def _keep(self, progress: m.Progress) -> None:
        self._action = replace(self._action, progress=progress)

    def _since(self, began: float) -> float:
        return round((self._place.clock.monotonic() - began) * 1000, 3)

    def _write(self, verb: str, at: int, began: float, reply: m.Reply | None, note: str) -> None:
        status, correlation_id = (reply.status, reply.correlation_id) if reply else (None, "")
        spent = self._since(began)
        if reply is not None:  # so Genesys was asked
            telemetry.GENESYS_SECONDS.labels(self._action.org, verb, telemetry.class_of(status)).observe(spent / 1000)
        entry = m.Entry(verb, at, spent, self._place.worker, status, correlation_id, note)
        self._entries.append(entry)
        self._trail.append(entry)

    def _unwrite(self, entries: Sequence[m.Entry]) -> None:
        """Keep for the next step what the mark that there is not would have brought along, but for its own line."""
        self._entries[:0] = entries[:-1]
        self._trail.pop()

    def _flush(self) -> tuple[m.Entry, ...]:
        entries, self._entries = tuple(self._entries), []
        return entries


def _cause(outcome: m.Outcome) -> str:
    """Return the key of the words for a failure, without its kind: `genesys_refused.permission`."""
    return f"{outcome.reason}.{name_of(outcome.reply)}" if outcome.reply else outcome.reason
