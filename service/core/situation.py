"""What a decision may depend on, and the numbers it is measured by; the table itself is in rules.py."""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.core import model as m
from service.core.policy import Asked, over_rate, refusal
from service.core.selection import Selection, View, by_purpose, bystanders, is_back, select

# --- constants; each has its reason beside it, operators' ones are settings ---------------------------------------
CONFIRM_LOOKS_SECONDS = (0.3, 0.6, 1.2, 2.4)  # after a send; then every 2.4 s. State lags some hundred ms to seconds
CONFIRM_EVERY_SECONDS = 2.4
CONFIRM_WINDOW_SECONDS = 8.0  # field reports: state lags up to seconds
CALL_TIMEOUT_SECONDS = 5.0  # of one Genesys call, shorter than the lease
GRACE_SECONDS = 5.0  # for a command that Genesys took and has not carried out yet
VERIFY_BUDGET_SECONDS = 15 * 60.0  # after the last send; then nobody can say
BLIND_FIRST_SECONDS, BLIND_MOST_SECONDS = 1.0, 30.0  # when we cannot see: doubling
AGREE_SECONDS = 3.0  # two looks that find nobody: state lags clicks
BACK_OFF_SECONDS = (1.0, 2.0, 4.0)  # after the first, second, third refusal
MOST_REFUSED, MOST_OURS = 4, 3
POISON_LAPSES = 3  # claims in a row that ended because the lease ran out
_SEEN = frozenset({View.PRESENT, View.GONE, View.BACK})
_LEFT = frozenset({View.GONE, View.ONLY_GONE})


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision may depend on; everything else here is derived from it."""

    action: m.Action
    sight: m.Sight | None
    terms: m.Terms
    now: int
    selection: Selection

    @property
    def ours(self) -> tuple[m.Send, ...]:
        """Sends that may have taken effect or still may."""
        return tuple(send for send in self.action.sends if send.is_ours)

    @property
    def refused(self) -> tuple[m.Send, ...]:
        """Sends that Genesys turned down."""
        return tuple(send for send in self.action.sends if not send.is_ours)

    @property
    def is_late(self) -> bool:
        """Not-after is over."""
        return self.now >= self.action.not_after

    @property
    def is_quiet(self) -> bool:
        """Nothing of ours can land any more."""
        last = max((send.deadline_at for send in self.ours), default=0)
        return self.now >= last + (CALL_TIMEOUT_SECONDS + GRACE_SECONDS) * 1000

    @property
    def is_agreed(self) -> bool:
        """Nobody was found the same way by two looks far enough apart."""
        kind = m.Absence.CONVERSATION if self.selection.view is View.NO_CONVERSATION else m.Absence.PARTICIPANT
        progress = self.action.progress
        return progress.absence is kind and self.now - progress.absent_at >= AGREE_SECONDS * 1000

    @property
    def since_last_send_seconds(self) -> float:
        """Since the last mark; 0 without one."""
        return (self.now - self.action.sends[-1].marked_at) / 1000 if self.action.sends else 0.0

    @property
    def refused_asker(self) -> m.Outcome | None:
        """The refusal of who asked, which needs no look, or None."""
        return self._refused(None, None)

    @property
    def refused_place(self) -> m.Outcome | None:
        """The refusal of the conversation, whoever in it is meant, or None."""
        return self._refused(self.sight, None)

    @property
    def forbidden_by(self) -> m.Outcome | None:
        """The refusal that the policy of the org or of the source asks for, or None."""
        return self._refused(self.sight, self.selection.person)

    @property
    def barred(self) -> m.Outcome | None:
        """The refusal of somebody who is there and fits, and is not found because the org's policy forbids the purpose.

        None where there is nobody like that: then who is named is not in the conversation.
        """
        if not isinstance(self.sight, m.Conversation):
            return None
        anybody = replace(self.terms.policy, purposes=frozenset(one.purpose for one in self.sight.participants))
        found = select(self.action.removal, self.sight, None, anybody, self.action.clicked_at)
        person = found.person if found.view is View.PRESENT else next(iter(found.candidates), None)
        return None if person is None else replace(self, selection=replace(found, person=person)).forbidden_by

    def _refused(self, sight: m.Sight | None, person: m.Participant | None) -> m.Outcome | None:
        action, terms = self.action, self.terms
        asked = Asked(action.removal.requester, sight if isinstance(sight, m.Conversation) else None, person)
        why = (over_rate if action.is_over_rate else refusal)(terms, action.org, action.source, asked)
        return why and self.end(m.OutcomeKind.REFUSED, why.reason, allowed_by=why.allowed_by)

    @property
    def is_live(self) -> bool:
        """Something may be sent: org and source are live, and they were when it was asked."""
        return self.terms.may_send and not self.action.is_shadow

    @property
    def may_send_again(self) -> bool:
        """Another send is allowed: in time, live, no preview, within policy, and the last refusal was not for good."""
        repeatable = not self.refused or (
            (answer := self.refused[-1].answer) is not None and answer.kind is m.AnswerKind.REFUSED_FOR_NOW
        )
        return (
            repeatable
            and not self.is_late
            and self.is_live
            and not self.action.removal.preview
            and self.forbidden_by is None
            and len(self.refused) < MOST_REFUSED
            and len(self.ours) < MOST_OURS
        )

    @property
    def back_off_left_seconds(self) -> float:
        """What is left of the pause after a refusal; 0 when the last send was not refused."""
        last = self.action.sends[-1] if self.action.sends else None
        if last is None or last.answer is None or last.is_ours:
            return 0.0
        pause = BACK_OFF_SECONDS[min(len(self.refused), len(BACK_OFF_SECONDS)) - 1]
        # at most the whole pause, though the clock may have stepped back meanwhile
        return max(0.0, min(pause, pause - (self.now - last.answer.answered_at) / 1000))

    @property
    def state_seen(self) -> str:
        """The state of the target's leg as last seen; "gone" where they ended, "" where there was none to see."""
        person, view = self.selection.person, self.selection.view
        if person is None:
            return ""
        if person.is_gone or view is View.BACK:  # back: the legs that are there are not the target's
            return "gone"
        return next((leg.state for leg in person.legs if not leg.is_ended), "")

    @property
    def vanished(self) -> dict[str, str]:
        """Participant id → purpose of the bystanders of our send who are gone now, under any id.

        Empty while the target itself is not seen: then the ids may be void (a merge), or nobody is listed yet.
        """
        if not isinstance(self.sight, m.Conversation) or self.selection.view not in _SEEN or not self.ours:
            return {}
        # who came back under another id, or was handed to another entry of his, is there all the same
        there = {person.id for person in self.sight.participants if not person.is_gone or is_back(self.sight, person)}
        return {id_: purpose for id_, purpose in self.action.progress.bystanders.items() if id_ not in there}

    def end(self, kind: m.OutcomeKind, reason: str, *, reply: m.Reply | None = None, allowed_by: str = "") -> m.Outcome:
        """Return the outcome with everything that the last look showed beside it."""
        person, view, progress = self.selection.person, self.selection.view, self.action.progress
        target = person or progress.pin
        # who left by the medium or the leg that is meant may be there by another one, and then he is
        aside = person.id if person and view not in _LEFT else ""
        came_back = view is not View.PRESENT and is_back(self.sight, person, progress.bystanders)
        return m.Outcome(
            kind,
            reason,
            reply=reply,
            state_seen=self.state_seen,
            purpose=target.purpose if target else "",
            candidates=tuple(f"{p.purpose} {p.id}" for p in self.selection.candidates),
            bystanders=by_purpose(progress.bystanders) if self.action.sends else {},
            remaining=by_purpose(bystanders(self.sight, aside, self.selection.leg_id)),
            vanished=by_purpose(self.vanished),
            is_back=view is View.BACK or came_back,
            allowed_by=allowed_by,
            rehearsed="" if self.action.sends else "preview" if self.action.removal.preview else self._mode,
        )

    @property
    def _mode(self) -> str:
        return "" if self.is_live else "shadow"
