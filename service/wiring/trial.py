"""One removal in a live org, watched closely: so that whoever has an org learns what no document says about it.

Look, remove once, look until the participant is gone, and ask once more for what is gone by then. It goes the worker's
own way to Genesys, guard included; but a person consented to this one removal, so shadow mode does not hold it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from service.core import model as m
from service.core.errors import EgressRefused, OnhookError, Throttled, Unreachable, Upstream
from service.core.ports import Clock, Genesys
from service.core.selection import SYSTEM_PURPOSES, View, by_purpose, bystanders, company, select
from service.wiring.witness import Overheard, Witness

ALONE = 1  # so many left are a call that normally ends by itself
NEEDS_USER = "not.a.user"
MOST_ROUTES = 3  # generic, medium, on_behalf
SEND_SECONDS = 2.0  # as long as a worker's send may take to leave
# Looks after the removal, in seconds after its answer: close at first, to measure the lag; under a tenth of a minute's
# budget in all. Field reports speak of some hundred ms to seconds.
LOOKS_SECONDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0)
AFTER_SECONDS = (
    3.0  # whoever falls out with the one removed has fallen out by then: a peer's leg ends within milliseconds
)

PREVIEW, REMOVAL, WATCH, REPEAT, AFTER = "preview", "removal", "watch", "repeat", "after"


def in_words(people: Mapping[str, str]) -> str:
    """Return participant id → purpose as a phrase: `2 agent, 1 external`; nobody is `nobody`."""
    return ", ".join(f"{count} {purpose or 'person'}" for purpose, count in by_purpose(people).items()) or "nobody"


class NoTrial(OnhookError):
    """Nothing was removed, and nothing will be: the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would go, who would stay.

    Attributes:
        state: of the target's leg.
        media: what the target is on.
        stays: participant id → purpose of everybody else present; system legs are nobody.
        ends_call: at most one person would be left, which normally ends the call.
    """

    conversation_id: str
    target: m.Target
    state: str
    media: tuple[str, ...]
    stays: dict[str, str]
    ends_call: bool

    @property
    def sentence(self) -> str:
        """Who would go and who would stay, in words."""
        goes = f"{self.target.purpose} {self.target.participant_id} ({self.state}, {', '.join(self.media)})"
        end = ": normally the call ends for them too" if self.ends_call else ""
        return f"would go: {goes}; would stay: {in_words(self.stays)}{end}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One removal as it was asked and answered.

    Attributes:
        kind: what the answer means, or the name of the error that came instead.
        sent: the requests that left for it, in order: more than one where another route was tried.
        answered: a moment of `Clock.monotonic`.
    """

    kind: str
    reply: m.Reply
    sent: tuple[Overheard, ...]
    answered: float

    @property
    def is_accepted(self) -> bool:
        """Whether Genesys took it."""
        return self.kind == m.AnswerKind.ACCEPTED


@dataclass(frozen=True, slots=True)
class Found:
    """What the trial found.

    Attributes:
        present_seconds: after the answer, the start of the last look that still showed the target present; None: none.
        gone_seconds: the end of the first one that showed it gone; None: it was never seen to go.
        vanished: participant id → purpose of those who left as well.
        remaining: of those who are there at the end.
        is_readable: the conversation could still be read at the end.
        repeat: the answer for a participant that has left; None where it was never seen to go.
    """

    preview: Preview
    removal: Asked
    present_seconds: float | None = None
    gone_seconds: float | None = None
    vanished: dict[str, str] = field(default_factory=dict)
    remaining: dict[str, str] = field(default_factory=dict)
    is_readable: bool = False
    repeat: Asked | None = None

    @property
    def is_good(self) -> bool:
        """The one that was meant is gone, and nobody else that the preview wanted to stay."""
        return self.gone_seconds is not None and (not self.vanished or self.preview.ends_call)


class Trial:
    """One trial in one org."""

    def __init__(self, cloud: Genesys, witness: Witness, clock: Clock, policy: m.Policy) -> None:
        """Take the org's client, what overhears it, and who may be removed there."""
        self._cloud, self._witness, self._clock, self._policy = cloud, witness, clock, policy

    async def preview(self, conversation_id: str, participant_id: str, *, may_end_call: bool) -> Preview:
        """Look who would go and who would stay.

        Raises:
            NoTrial: it is not there, nobody's to remove, or the call would end and nobody said that it may.
        """
        self._witness.doing = PREVIEW
        sight = await self._cloud.look(conversation_id)
        if not isinstance(sight, m.Conversation):
            said = " ".join(str(one) for one in (sight.reply.status, sight.reply.code, sight.reply.message) if one)
            raise NoTrial(f"the conversation cannot be read ({said or 'no answer'}): `onhook check` says more")
        meant = m.Removal(conversation_id, m.Selector(m.SelectorKind.PARTICIPANT_ID, participant_id))
        selection = select(meant, sight, None, self._policy)
        person, target = selection.person, selection.target
        if person is None or target is None:
            raise NoTrial(_ABSENT.get(selection.view, _ABSENT[View.NOBODY]))
        if person.purpose in SYSTEM_PURPOSES:
            raise NoTrial(f"this is a system's leg ({person.purpose}), not a person: those end by themselves")
        if person.purpose not in self._policy.purposes:
            allowed = ", ".join(sorted(self._policy.purposes))
            raise NoTrial(f"it is the {person.purpose}, and only {allowed} may be removed: the setting is purposes")
        ends_call = company(sight, person.id) <= ALONE
        if ends_call and not may_end_call:
            raise NoTrial("at most one person would be left, so the call would end: say so with --may-end-call")
        present = [leg for leg in person.legs if not leg.is_ended]
        media = tuple(dict.fromkeys(leg.medium.value for leg in present))
        return Preview(conversation_id, target, present[0].state, media, bystanders(sight, person.id), ends_call)

    async def run(self, preview: Preview) -> Found:
        """Remove the target once, look until it is gone, and only then ask once more."""
        found = Found(preview, await self._ask(preview, REMOVAL))
        found = await self._watch(found)
        if found.gone_seconds is None:
            return found  # another removal now would not be a repeat on somebody who has left
        await self._clock.sleep(AFTER_SECONDS)
        found = replace(found, repeat=await self._ask(preview, REPEAT))
        self._witness.doing = AFTER
        sight = await self._cloud.look(preview.conversation_id)
        if not isinstance(sight, m.Conversation):
            return found
        there = {person.id for person in sight.participants if not person.is_gone}
        vanished = {id_: purpose for id_, purpose in preview.stays.items() if id_ not in there}
        remaining = bystanders(sight, preview.target.participant_id)
        return replace(found, vanished=vanished, remaining=remaining, is_readable=True)

    async def _ask(self, preview: Preview, doing: str) -> Asked:
        """Ask for one removal; where a route wants a user, which means "not done", by the next one that is left."""
        self._witness.doing = doing
        kind, reply = await self._asked(preview)
        for _ in range(MOST_ROUTES - 1):
            if kind == m.AnswerKind.REFUSED_FOR_NOW and reply.code == NEEDS_USER:
                kind, reply = await self._asked(preview)
        sent = tuple(call for call in self._witness.during(doing) if call.method == "PATCH")
        return Asked(kind, reply, sent, self._clock.monotonic())

    async def _asked(self, preview: Preview) -> tuple[str, m.Reply]:
        deadline = self._clock.monotonic() + SEND_SECONDS
        try:
            answer = await self._cloud.disconnect(preview.conversation_id, preview.target, deadline)
        except (Throttled, Unreachable, EgressRefused) as error:
            reply = error.reply if isinstance(error, Upstream) else m.Reply(message=str(error))
            return type(error).__name__.lower(), reply
        return answer.kind.value, answer.reply

    async def _watch(self, found: Found) -> Found:
        """Look until the target is gone. An unclear answer may have acted, so it is watched as long as a yes."""
        self._witness.doing = WATCH
        may_act = found.removal.kind in {m.AnswerKind.ACCEPTED, m.AnswerKind.UNCLEAR}
        answered, pin = found.removal.answered, found.preview.target
        meant = m.Removal(found.preview.conversation_id, m.Selector(m.SelectorKind.PARTICIPANT_ID, pin.participant_id))
        for at in LOOKS_SECONDS if may_act else LOOKS_SECONDS[:1]:
            await self._clock.sleep(max(0.0, answered + at - self._clock.monotonic()))
            began = self._clock.monotonic() - answered
            sight = await self._cloud.look(found.preview.conversation_id)
            if isinstance(sight, m.CannotSee) and sight.retry_after_seconds:
                await self._clock.sleep(sight.retry_after_seconds)
            view = select(meant, sight, pin, self._policy).view
            if view in {View.GONE, View.BACK}:
                return replace(found, gone_seconds=self._clock.monotonic() - answered)
            if view is View.PRESENT:
                found = replace(found, present_seconds=began)
        return found


_ABSENT = {
    View.NOBODY: "no such participant is listed in this conversation: take the id from a look at it that is fresh",
    View.ONLY_GONE: "this participant has left already: take somebody who is there",
    View.NO_LEGS: "this participant has no leg yet: wait until the call stands",
}
