"""What a ticket is told, per outcome, in plain words, by language: no bare codes, and always what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from service.core import model as m

# (kind, reason) → what happened, and what to do next. A missing key falls back to the kind's own sentence ("").
ENGLISH: Mapping[tuple[m.OutcomeKind, str], str] = {
    (m.OutcomeKind.DISCONNECTED, ""): "The {who} was removed from the conversation; a look afterwards confirmed it.",
    (m.OutcomeKind.ALREADY_GONE, ""): "Nothing was done: the {who} had already left the conversation.",
    (m.OutcomeKind.NOT_FOUND, "conversation"): (
        "Nobody was removed: Genesys Cloud knows no such conversation. Check the conversation id on this ticket."
    ),
    (m.OutcomeKind.NOT_FOUND, ""): (
        "Nobody was removed: the person named is not in this conversation. "
        "Check the number or id on this ticket, then click again."
    ),
    (m.OutcomeKind.REFUSED, "ambiguous"): (
        "Nobody was removed: several people fit and only one may be meant ({candidates}). Name one by participant id."
    ),
    (m.OutcomeKind.REFUSED, "contradictory"): (
        "Nobody was removed: the person is named in two ways that do not mean the same one ({candidates}). "
        "Check the ticket, and name the person in one way."
    ),
    (m.OutcomeKind.REFUSED, "purpose"): (
        "Nobody was removed: participants with the role “{purpose}” may not be removed. "
        "The setting {allowed_by} allows it."
    ),
    (m.OutcomeKind.REFUSED, "last_pair"): (
        "Nobody was removed: at most one other person is left, so the call would end. "
        "The setting {allowed_by} allows it."
    ),
    (m.OutcomeKind.REFUSED, ""): "Nobody was removed: the rules of this service refuse it.",
    (m.OutcomeKind.EXPIRED, "paused"): (
        "Nobody was removed: the service was paused until the click was too old. Click again if it is still wanted."
    ),
    (m.OutcomeKind.EXPIRED, "genesys_unreachable"): (
        "Nobody was removed: Genesys Cloud could not be reached until the click was too old. "
        "Remove the person by hand, or click again."
    ),
    (m.OutcomeKind.EXPIRED, "busy"): (
        "Nobody was removed: there was too much to do before the click was too old. Click again if it is still wanted."
    ),
    (m.OutcomeKind.EXPIRED, ""): (
        "Nobody was removed: the click became too old before it could be done. Click again if it is still wanted."
    ),
    (m.OutcomeKind.FAILED, "forbidden"): (
        "Nobody was removed: Genesys Cloud does not let this service see the conversation. "
        "An administrator must give its OAuth client the permission conversation:communication:view in that division."
    ),
    (m.OutcomeKind.FAILED, "rejected"): (
        "Nobody was removed: Genesys Cloud turned the request down. An administrator must check this service's "
        "credentials for Genesys Cloud."
    ),
    (m.OutcomeKind.FAILED, "genesys_refused"): (
        "The {who} is still in the conversation: Genesys Cloud refused the removal. Remove the person by hand."
    ),
    (m.OutcomeKind.FAILED, "no_effect"): (
        "The {who} is still in the conversation: the removal was sent to Genesys Cloud and had no effect. "
        "Remove the person by hand."
    ),
    # given by flow, not by the table: the egress guard would stop the same request for ever
    (m.OutcomeKind.FAILED, "guarded"): (
        "Nobody was removed: this service's own guard stopped the request before it left. Remove the person by hand, "
        "and show this note to an administrator."
    ),
    (m.OutcomeKind.FAILED, "purpose"): (
        "The {who} is still in the conversation: the removal had no effect, and it is not repeated because "
        "participants with the role “{purpose}” may not be removed. The setting {allowed_by} allows it."
    ),
    (m.OutcomeKind.FAILED, "last_pair"): (
        "The {who} is still in the conversation: the removal had no effect, and it is not repeated because at most one "
        "other person is left, so the call would end. The setting {allowed_by} allows it."
    ),
    (m.OutcomeKind.FAILED, "poison"): (
        "Nobody was removed: working on this request failed three times. Remove the person by hand."
    ),
    (m.OutcomeKind.FAILED, ""): "The {who} is still in the conversation. Remove the person by hand.",
    (m.OutcomeKind.UNKNOWN, "conversation_not_found"): (
        "It is not known whether the {who} was removed: the removal was sent, and afterwards Genesys Cloud knew no "
        "such conversation. Look at the conversation before anything else."
    ),
    # also where nothing was sent
    (m.OutcomeKind.UNKNOWN, "participant_lost"): (
        "It is not known where the {who} is: the participant is no longer listed in this conversation, as happens "
        "when conversations are merged. Look at the conversation before anything else."
    ),
    (m.OutcomeKind.UNKNOWN, "poison"): (
        "It is not known whether the {who} was removed: the removal was sent, and working on this request failed "
        "three times. Look at the conversation before anything else."
    ),
    (m.OutcomeKind.UNKNOWN, ""): (
        "It is not known whether the {who} was removed: the removal was sent, and afterwards the conversation "
        "could not be seen. Look at the conversation before anything else."
    ),
    (m.OutcomeKind.PREVIEWED, "shadow"): (
        "Nobody was removed, because this service only watches (shadow mode): it would have removed the {who}."
    ),
    (m.OutcomeKind.PREVIEWED, ""): "Nobody was removed, as asked: the removal would have removed the {who}.",
}
LANGUAGES: Mapping[str, Mapping[tuple[m.OutcomeKind, str], str]] = {"en": ENGLISH}
# Purposes as people call them; an unknown one is shown as it is.
_PEOPLE: Mapping[str, str] = {"customer": "caller", "external": "external participant", "": "person"}


def explanation(outcome: m.Outcome, language: str = "en") -> str:
    """Return in one or two sentences what happened and what to do next; falls back to English, never raises."""
    sentences = LANGUAGES.get(language, ENGLISH)
    keys = ((outcome.kind, outcome.reason), (outcome.kind, ""))
    found = next((text for key in keys for text in (sentences.get(key), ENGLISH.get(key)) if text), "")
    said = [
        found.format(
            who=_PEOPLE.get(outcome.purpose, outcome.purpose),
            candidates="; ".join(outcome.candidates) or "none listed",
            purpose=outcome.purpose or "unknown",
            allowed_by=outcome.allowed_by,
        )
    ]
    if outcome.is_back:
        said.append("The same person is in the conversation again and was left alone.")
    if outcome.vanished:
        said.append(f"Gone at the same time: {counted(outcome.vanished)}.")
    if outcome.kind in {m.OutcomeKind.DISCONNECTED, m.OutcomeKind.ALREADY_GONE, m.OutcomeKind.PREVIEWED}:
        said.append(_staying(outcome))
    reply = outcome.reply
    if reply is not None and (reply.code or reply.status):
        named = " ".join(str(part) for part in (reply.status, reply.code) if part)
        cited = f", correlation id {reply.correlation_id}" if reply.correlation_id else ""
        said.append(f"Genesys Cloud said: {named}{cited}.")
    return " ".join(said)


def _staying(outcome: m.Outcome) -> str:
    if outcome.kind is m.OutcomeKind.PREVIEWED:
        staying = counted(outcome.remaining)
        return f"Would stay: {staying}." if staying else "Nobody else would be left: the conversation would end."
    if outcome.remaining:
        return f"Still there: {counted(outcome.remaining)}."
    if outcome.is_back:
        return "Nobody else is there."
    return "Nobody else is left: the conversation has ended."


def counted(people: Mapping[str, int]) -> str:
    """Return purposes with their counts as one phrase: `2 agent, 1 external`."""
    return ", ".join(f"{count} {purpose or 'person'}" for purpose, count in people.items())


def note(action: m.Action, language: str = "en") -> str:
    """Return what is written on the ticket: the explanation, and the action's id by which it is found again."""
    if action.outcome is None:
        message = f"{action.id} has no outcome yet"
        raise ValueError(message)
    settled = datetime.fromtimestamp(action.settled_at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"Remove Caller: {explanation(action.outcome, language)} [{action.outcome.kind}, {settled}, {action.id}]"
