"""The nouns of core as Redis keeps them: hashes of strings, and JSON that the scripts carry without reading it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import orjson

from service.core import model as m
from service.core.errors import Reply, UnknownVersion
from service.store.keys import action_of
from service.telemetry import masked as masked_text
from service.telemetry import without_numbers

# the schemas of records that are read; the scripts have the same words in their prologue, and the one that is written
READ = frozenset({"1"})
WHO_CHARS = 100  # a name, and perhaps the number of the request
WHY_CHARS = 500  # a sentence or two
# where a conversation's id stood that somebody asked to forget: by it one would find the person at Genesys
NOWHERE = "00000000-0000-0000-0000-000000000000"

Fields: TypeAlias = Mapping[str, str]
_Noun = TypeVar("_Noun")


def checked(fields: Fields) -> Fields:
    """Return `fields` if they are of a schema that we read.

    Raises:
        UnknownVersion: they are not.
    """
    if fields.get("v") not in READ:
        schema = fields.get("v", "none")[:20]
        raise UnknownVersion(f"a newer version of this service wrote it: schema {schema!r}, known here: {sorted(READ)}")
    return fields


def fields_in(flat: Sequence[str]) -> dict[str, str]:
    """Return the hash that a script answered as field, value, field, value, …."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def readable(read: Callable[[str, Fields], _Noun], noun_id: str, flat: Sequence[str]) -> _Noun | None:
    """Return the noun that `read` makes of a claimed record, or None: one odd record must not end the claim."""
    try:
        return read(noun_id, fields_in(flat))
    except (UnknownVersion, KeyError, TypeError, ValueError):
        return None


# ---------------------------------------------------------------------------------------------- nouns → strings


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")


def json_of(noun: object) -> str:
    """Return a noun as JSON: its fields under their names, "" for None."""
    return "" if noun is None else orjson.dumps(noun, default=_plain).decode()


def masked(removal: m.Removal) -> m.Removal:
    """Return `removal` as it is kept after the end: numbers and attributes cut to their last four characters.

    Where its click is answered is left to the report, which has yet to use it.
    """
    identity, reason = removal.identity and removal.identity.masked, without_numbers(removal.reason)
    ticket = removal.ticket and dataclasses.replace(removal.ticket, reply_to="")
    return dataclasses.replace(
        removal, selector=removal.selector.masked, identity=identity, ticket=ticket, reason=reason
    )


def forgotten(removal: m.Removal) -> m.Removal:
    """Return `removal` without whom it was about, who asked, why, and for which ticket."""
    return dataclasses.replace(
        removal,
        conversation_id=NOWHERE,
        selector=removal.selector.forgotten,
        identity=None,
        ticket=None,
        requester="",
        reason="",
        event_id="",
    )


def impersonal(fields: Fields) -> dict[str, str]:
    """Return the fields of a settled action that are written over when it is forgotten, besides its removal.

    They are its outcome and the answers to its sends, without candidates and without what Genesys said in words; and
    its sender's trace, which leads to what others have written down of it.
    """
    written: dict[str, str] = {"trace": ""} if fields.get("trace") else {}
    outcome = outcome_in(fields.get("outcome", ""))
    if outcome is not None:
        reply = outcome.reply and dataclasses.replace(outcome.reply, message="")
        written["outcome"] = json_of(dataclasses.replace(outcome, candidates=(), reply=reply))
    for name in (f"answer_{number}" for number in range(1, int(fields["sends"]) + 1)):
        answer = _answer(fields[name])
        if answer is not None:
            written[name] = json_of(dataclasses.replace(answer, reply=dataclasses.replace(answer.reply, message="")))
    return written


def lines_of(entries: Iterable[m.Entry]) -> list[str]:
    """Return entries as scripts take them: how many, then verb and JSON of each."""
    pairs = [word for entry in entries for word in (entry.verb, json_of(entry))]
    return [str(len(pairs) // 2), *pairs]


def by_of(operator: m.Operator | None) -> str:
    """Return who and why as the scripts put them into the audit, two JSON texts and a comma; "" for nobody.

    What ends a line, or turns or hides the text around it, is left out; so are all but the last digits of a number.
    """
    if operator is None:
        return ""
    who, why = ("".join(filter(str.isprintable, text)).strip() for text in (operator.who, operator.why))
    said = [who[:WHO_CHARS] or m.SOMEBODY.who, without_numbers(why)[:WHY_CHARS]]
    return orjson.dumps(said).decode()[1:-1]


def words_of(text: str) -> str:
    """Return what somebody else said in words, as JSON: cut, and with no more than the last digits of a number."""
    return orjson.dumps(masked_text(text)).decode()


def ending_of(outcome: m.Outcome) -> str:
    """Return an outcome as the audit tells it: its kind and its reason, two JSON texts and a comma."""
    return orjson.dumps([outcome.kind, outcome.reason]).decode()[1:-1]


def line_tail(note: str) -> str:
    """Return the end of a timeline line that a script begins with its moment and worker."""
    return orjson.dumps({"note": note}).decode()[1:]


def report_suffix(source: str, channel: str, ticket: m.Ticket | None) -> str:
    """Return the part of a report's id after the action's: the same source, channel and ticket, the same report."""
    # length-prefixed by JSON, so that no two triples run together
    words = orjson.dumps([source, channel, ticket.reference if ticket else ""])
    return hashlib.sha256(words).hexdigest()[:8]


def reports_of(offer: m.Offer) -> list[str]:
    """Return the reports of an offer as `accept` takes them: how many, then suffix, channel and ticket of each."""
    ticket = offer.removal.ticket
    channels = [channel for channel in offer.channels if ticket is not None or channel != "ticket"]
    words = [w for c in channels for w in (report_suffix(offer.source, c, ticket), c, json_of(ticket))]
    return [str(len(channels)), *words]


# ---------------------------------------------------------------------------------------------- strings → nouns


def _selector(value: Mapping[str, Any] | None) -> m.Selector | None:
    return m.Selector(m.SelectorKind(value["kind"]), value["value"]) if value else None


def _reply(value: Mapping[str, Any]) -> Reply:
    # an answer that was kept by the first version names no permissions
    return Reply(**{**value, "permissions": tuple(value.get("permissions", ()))})


def ticket_in(text: str) -> m.Ticket | None:
    """Read a ticket, or None from ""."""
    return m.Ticket(**orjson.loads(text)) if text else None


def removal_in(text: str) -> m.Removal:
    """Read a removal."""
    value = orjson.loads(text)
    return m.Removal(
        **value
        | {
            "selector": m.Selector(m.SelectorKind(value["selector"]["kind"]), value["selector"]["value"]),
            "identity": _selector(value["identity"]),
            "medium": value["medium"] and m.Medium(value["medium"]),
            "ticket": value["ticket"] and m.Ticket(**value["ticket"]),
        }
    )


def _target(value: Mapping[str, Any]) -> m.Target:
    medium = value.get("medium")  # a pin of the first version had none
    read: dict[str, Any] = {"leg_ids": tuple(value["leg_ids"]), "medium": medium and m.Medium(medium)}
    return m.Target(**{**value, **read})


def progress_in(text: str, held_by: str) -> m.Progress:
    """Read a progress; `held_by` is a field of its own, because claims write it too."""
    if not text:
        return m.Progress(held_by=held_by)
    value = orjson.loads(text)
    pin = value["pin"]
    return m.Progress(
        **value
        | {
            "pin": pin and _target(pin),
            "absence": value["absence"] and m.Absence(value["absence"]),
            "held_by": held_by,
        }
    )


def outcome_in(text: str) -> m.Outcome | None:
    """Read an outcome, or None from ""."""
    if not text:
        return None
    value = orjson.loads(text)
    return m.Outcome(
        **value
        | {
            "kind": m.OutcomeKind(value["kind"]),
            "reply": value["reply"] and _reply(value["reply"]),
            "candidates": tuple(value["candidates"]),
        }
    )


def entry_in(text: str) -> m.Entry:
    """Read a line of a timeline."""
    return m.Entry(**orjson.loads(text))


def _answer(text: str) -> m.Answer | None:
    if not text:
        return None
    value = orjson.loads(text)
    return m.Answer(m.AnswerKind(value["kind"]), _reply(value["reply"]), value["answered_at"], value.get("route", ""))


def _send(fields: Fields, number: int) -> m.Send:
    return m.Send(
        number=number,
        marked_at=int(fields[f"marked_{number}"]),
        deadline_at=int(fields[f"deadline_{number}"]),
        answer=_answer(fields[f"answer_{number}"]),
    )


def action_in(action_id: str, fields: Fields) -> m.Action:
    """Read an action.

    Raises:
        UnknownVersion: it was written by a newer version.
    """
    checked(fields)
    return m.Action(
        id=action_id,
        org=action_id.partition(".")[0],
        source=fields["source"],
        removal=removal_in(fields["removal"]),
        received_at=int(fields["received_at"]),
        clicked_at=int(fields["clicked_at"]),
        not_after=int(fields["not_after"]),
        state=m.ActionState(fields["state"]),
        sends=tuple(_send(fields, number) for number in range(1, int(fields["sends"]) + 1)),
        progress=progress_in(fields.get("progress", ""), fields.get("held_by", "")),
        lapses=int(fields["lapses"]),
        outcome=outcome_in(fields.get("outcome", "")),
        settled_at=int(fields.get("settled_at", "0")),
        seen_at=int(fields.get("seen_at", "0")),
        replay_of=fields.get("replay_of", ""),
        is_shadow=fields.get("is_shadow") == "1",
        is_over_rate=fields.get("is_over_rate") == "1",
        asked_in=m.trace_in(fields.get("trace", "")),
    )


def report_in(report_id: str, fields: Fields) -> m.Report:
    """Read a report.

    Raises:
        UnknownVersion: it was written by a newer version.
    """
    checked(fields)
    return m.Report(
        id=report_id,
        action_id=action_of(report_id),
        source=fields["source"],
        channel=fields["channel"],
        ticket=ticket_in(fields["ticket"]),
        state=m.ReportState(fields["state"]),
        tries=int(fields["tries"]),
        error=fields.get("error", ""),
        first_due_at=int(fields["first_due_at"]),
    )
