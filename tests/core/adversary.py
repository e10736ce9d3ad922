"""An action's life under a Genesys that may show and answer anything, by a virtual clock: what flow does, in short."""

from dataclasses import dataclass, replace

from service.core import model as m
from service.core.rules import LEASE_SECONDS, Decision, Disconnect, LookAgain, Settle, decide, remember, situation_of
from service.core.selection import View
from tests.core.scenes import (
    AGENT_THERE,
    BY_PHONE,
    CALLER,
    NOW,
    PHONE,
    SEND_SECONDS,
    SIGHTS,
    SUPERVISOR_THERE,
    action,
    conversation,
    leg,
    person,
)

RENAMED = conversation(person(CALLER, "customer", leg("voice-8"), phone=PHONE), AGENT_THERE, SUPERVISOR_THERE)
EMPTY = conversation()
# what a look may show; REJECTED decides like FORBIDDEN, UNLISTED is shown as NOBODY
SHOWN: dict[str, m.Sight] = {
    **{view.value: sight for view, sight in SIGHTS.items() if sight is not None and view is not View.UNLISTED},
    "renamed": RENAMED,
    "empty": EMPTY,
}


@dataclass(frozen=True)
class NotDone:
    """The send did not arrive, or was put off: its mark is taken back."""


@dataclass(frozen=True)
class Crash:
    """The worker dies after the mark: nobody learns the answer, and the lease lapses."""


Answer = m.AnswerKind | NotDone | Crash
ANSWERS: tuple[Answer, ...] = (*m.AnswerKind, NotDone(), Crash())


@dataclass(frozen=True)
class Life:
    """An action between two looks.

    Attributes:
        now: the moment at which the next look is made.
        decision: what was decided last.
        made: all sends that were marked, also those taken back.
    """

    action: m.Action
    now: int = NOW
    decision: Decision | None = None
    made: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the action is settled."""
        return isinstance(self.decision, Settle)

    def claimed(self, terms: m.Terms) -> "Life":
        """Decide before any look, as each attempt does first."""
        return self._after(decide(situation_of(self.action, None, terms, self.now)))

    def looked(self, sight: m.Sight, terms: m.Terms, took: float = 0.0) -> "Life":
        """Look, remember, decide; a Disconnect stands open until it is answered."""
        now = self.now + round(took * 1000)
        situation = situation_of(self.action, sight, terms, now)
        known = replace(self.action, progress=remember(situation))
        life = replace(self, action=known, now=now)
        return life._after(decide(situation_of(known, sight, terms, now)))

    def answered(self, answer: Answer, took: float = 0.0) -> "Life":
        """Mark, send, and take `answer`."""
        assert isinstance(self.decision, Disconnect)
        assert self.now < self.action.not_after
        marked_at, done = self.now, self.now + round(took * 1000)
        life = replace(self, now=done, decision=LookAgain(0.0), made=self.made + 1)
        if isinstance(answer, NotDone):
            return replace(life, now=done + 1000)
        number = len(self.action.sends) + 1
        deadline_at = min(marked_at + round(SEND_SECONDS * 1000), self.action.not_after)
        send = m.Send(number, marked_at, deadline_at)
        if isinstance(answer, Crash):
            lapsed = replace(self.action, sends=(*self.action.sends, send), lapses=self.action.lapses + 1)
            return replace(life, action=lapsed, now=marked_at + round(LEASE_SECONDS * 1000))
        send = replace(send, answer=m.Answer(answer, m.Reply(409), done))
        return replace(life, action=replace(self.action, sends=(*self.action.sends, send)))

    def _after(self, decision: Decision) -> "Life":
        if not isinstance(decision, LookAgain):
            return replace(self, decision=decision)
        asked = self.action
        if decision.unpin:
            asked = replace(asked, progress=replace(asked.progress, pin=None, was_unpinned=True))
        # clocks are in milliseconds: a wait ends with the next one
        return replace(self, action=asked, now=self.now + -int(-decision.after_seconds * 1000 // 1), decision=decision)

    def turned(self, sight: m.Sight, answer: Answer, terms: m.Terms, took: float = 0.0) -> "Life":
        """One attempt with one look: decide unseen, look, and send if that is decided."""
        life = self.claimed(terms)
        if not life.is_over:
            life = life.looked(sight, terms, took)
        return life.answered(answer, took) if isinstance(life.decision, Disconnect) else life


def born(left: float, selector: m.Selector = BY_PHONE, *, preview: bool = False) -> Life:
    """A new action, `left` seconds before its not-after."""
    return Life(action(selector=selector, left=left, preview=preview))
