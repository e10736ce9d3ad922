"""How an outcome is told: to the ticket without any code, to the operator with all of them. It never raises.

Which sentence speaks is looked for from the most special key to the most general; each key first in the language, its
own words before the shipped ones, then in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from service.core import model as m
from service.core.wording import english, german
from service.core.wording.answers import name_of

ENGLISH = "en"
LANGUAGES: Mapping[str, Mapping[str, str]] = {ENGLISH: english.SENTENCES, "de": german.SENTENCES}

Words = Mapping[str, Mapping[str, str]]  # language → key → sentence

_HOLE = re.compile(r"\{(\w+)\}")
# what may stand in a note of what others wrote: no braces (they would read as a hole), no control characters
_UNFIT = re.compile(r"[{}\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST_ROLE = 40  # theirs have a dozen characters
_PEOPLE_FORMS = 3  # with the article, one, several

_ENDS = frozenset({m.OutcomeKind.DISCONNECTED, m.OutcomeKind.ALREADY_GONE})
# as the vendor's administration shows them
_VIEW, _DISCONNECT = "Conversation > Communication > View", "Conversation > Communication > Disconnect"
_OF_THE_LOOK = frozenset({"forbidden", "rejected"})
_ALTERNATIVES = "missing.any.permissions"
_IN_A_DIVISION = frozenset({"division", "closed", "forbidden"})


class Wording:
    """The shipped sentences, and before them an org's own."""

    def __init__(self, own: Words | None = None) -> None:
        """Take own words as `own_words` read them; what they leave out is said in the shipped ones."""
        self._own = own or {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are words in."""
        return tuple(sorted({*LANGUAGES, *self._own}))

    def explanation(self, outcome: m.Outcome, language: str = ENGLISH) -> str:
        """Return what happened, who is there, by purpose, and what to do next: whole sentences, without any code."""
        return _Voice(self, language).explanation(outcome)

    def advice(self, action: m.Action, language: str = ENGLISH) -> str:
        """Return what an operator needs to know of an end: what was seen and sent, what Genesys said, what to mend.

        "" for an action that has not ended.
        """
        return _Voice(self, language).advice(action)

    def note(self, action: m.Action, language: str = ENGLISH) -> str:
        """Return what is written on the ticket: the explanation, and the action's id by which it is found again.

        Raises:
            ValueError: the action has not ended.
        """
        if action.outcome is None:
            message = f"{action.id} has no outcome yet"
            raise ValueError(message)
        voice = _Voice(self, language)
        settled = datetime.fromtimestamp(action.settled_at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{voice.say('title')}: {voice.explanation(action.outcome)} [{settled}, {action.id}]"

    def sentence(self, language: str, *keys: str) -> str:
        """Return the sentence of the first key that has one, with its holes; "" where none has."""
        shelves = [words.get(tongue, {}) for tongue in (language, ENGLISH) for words in (self._own, LANGUAGES)]
        return next((text for key in keys for shelf in shelves if (text := shelf.get(key, ""))), "")


class _Voice:
    """One wording in one language."""

    def __init__(self, wording: Wording, language: str) -> None:
        self._wording, self._language = wording, language

    def say(self, *keys: str, **holes: str) -> str:
        """Return the sentence of the first key that has one, its holes filled; a hole that nothing fills is empty."""
        text = self._wording.sentence(self._language, *keys)
        filled = _HOLE.sub(lambda hole: holes.get(hole[1], ""), text)
        return _UNFIT.sub("", filled)

    # --- the ticket --------------------------------------------------------------------------------------------------

    def explanation(self, outcome: m.Outcome) -> str:
        who = self._person(outcome.purpose, 0)
        named = name_of(outcome.reply) if outcome.reply else ""
        said = self.say(
            *_keys(outcome, named),
            who=who,
            Who=who[:1].upper() + who[1:],
            candidates="; ".join(map(self._candidate, outcome.candidates)) or self.say("nobody"),
            allowed_by=outcome.allowed_by,
        )
        return " ".join([said, *self._also(outcome)])

    def _also(self, outcome: m.Outcome) -> Iterator[str]:
        is_end = outcome.kind in _ENDS
        if outcome.is_back:
            yield self.say("also.back")
        if outcome.vanished:
            key = "also.vanished" if outcome.remaining else "also.vanished.all"
            key = key if outcome.kind is m.OutcomeKind.DISCONNECTED else "also.meanwhile"
            yield self.say(key, people=self._counted(outcome.vanished))
        if key := _company(outcome):
            yield self.say(key, people=self._counted(outcome.remaining))
        if outcome.rehearsed and outcome.kind is not m.OutcomeKind.PREVIEWED:
            yield self.say(f"also.{outcome.rehearsed}.{outcome.kind}", f"also.{outcome.rehearsed}")
        elif is_end and not outcome.is_back and not (outcome.vanished and outcome.remaining):
            yield self.say("also.done")

    def _counted(self, people: Mapping[str, int]) -> str:
        return ", ".join(
            f"{count} {self._person(purpose, 1 if count == 1 else 2)}" for purpose, count in people.items()
        )

    def _candidate(self, candidate: str) -> str:
        purpose, _, id_ = candidate.rpartition(" ")
        return f"{self._person(purpose, 1)} {id_}"

    def _person(self, purpose: str, form: int) -> str:
        role = _UNFIT.sub("", purpose).replace("_", " ").strip()[:_LONGEST_ROLE]
        keys = (f"people.{purpose.lower()}", "people.other") if role else ("people.unnamed",)
        forms = self._wording.sentence(self._language, *keys).split("|")
        return _HOLE.sub(role.replace("\\", ""), forms[form] if len(forms) == _PEOPLE_FORMS else forms[0])

    # --- the operator ------------------------------------------------------------------------------------------------

    def advice(self, action: m.Action) -> str:
        outcome, reply = action.outcome, _last_reply(action)
        if outcome is None:
            return ""
        holes = {
            "org": action.org,
            "purpose": outcome.purpose or "–",
            "allowed_by": outcome.allowed_by,
            "sends": self.say(f"sends.{len(action.sends)}", "sends", count=str(len(action.sends))),
        }
        # filled only where the message is ours (own.py): Genesys' may tell of people
        holes["message"] = reply.message.rstrip(".") if reply else ""
        said = [self.say(*(f"operator.{key}" for key in _keys(outcome, name_of(reply) if reply else "")), **holes)]
        # a code of ours with no answer behind it (the guard's) has its own sentence already
        if reply is not None and (reply.code or reply.status):
            said.append(self._answered(reply, outcome, holes))
        if reply is not None and reply.correlation_id:
            said.append(self.say("correlation", correlation=reply.correlation_id))
        return " ".join(said)

    def _answered(self, reply: m.Reply, outcome: m.Outcome, holes: Mapping[str, str]) -> str:
        name = name_of(reply)
        answer = " ".join(str(part) for part in (reply.status, reply.code) if part)
        needed = tuple(map(_spelled, reply.permissions)) or (_VIEW if outcome.reason in _OF_THE_LOOK else _DISCONNECT,)
        permission = ", ".join(needed)
        if len(needed) > 1 and reply.code == _ALTERNATIVES:
            permission = self.say("any_of", permission=permission)
        where = ""
        if reply.division:
            where = self.say("where", division=reply.division)
        elif name in _IN_A_DIVISION:
            where = self.say("where.unnamed")
        return self.say(f"answer.{name}", answer=answer, permission=permission, where=where, **holes)


def _keys(outcome: m.Outcome, answer: str) -> tuple[str, ...]:
    kind, reason = outcome.kind.value, outcome.reason
    return (f"{kind}.{reason}.{answer}", f"{kind}.{reason}", kind)


def _company(outcome: m.Outcome) -> str:
    """Return the key of the sentence about who is there; "" where nothing is known of it, or nothing to say."""
    if outcome.kind is m.OutcomeKind.PREVIEWED:
        return "also.would_stay" if outcome.remaining else "also.would_end"
    if outcome.kind in _ENDS and not outcome.is_back:
        return "also.still_there" if outcome.remaining else "also.ended"
    if not outcome.remaining:
        return "also.alone" if outcome.is_back else ""
    return "also.seen" if outcome.state_seen in {"", "gone"} else "also.besides"


def _last_reply(action: m.Action) -> m.Reply | None:
    """Return what the end rests on, else what the last send was answered."""
    if action.outcome is not None and action.outcome.reply is not None:
        return action.outcome.reply
    answers = [send.answer.reply for send in action.sends if send.answer is not None]
    return answers[-1] if answers else None


def _spelled(permission: str) -> str:
    """Return a permission as the vendor's administration shows it: `routing:queue:view` as Routing > Queue > View."""
    return " > ".join(part[:1].upper() + part[1:] for part in permission.split(":"))


SHIPPED = Wording()
