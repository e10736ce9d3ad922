"""The nouns of core as Redis keeps them: hashes of strings, and JSON that the scripts carry without reading it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, TypeVar

import orjson

from service.core import model as m
from service.core.errors import Reply, UnknownVersion
from service.store import terms
from service.store.keys import action_of
from service.telemetry import masked as masked_text
from service.telemetry import without_numbers

# the schemas of records that are read; the scripts have the same words in their prologue, and the one that is written
READ = frozenset({"1"})
WHO_CHARS = 100  # a name, and perhaps the number of the request
WHY_CHARS = 500  # a sentence or two
# where a conversation's id stood that somebody asked to forget: by it one would find the person at Genesys
NOWHERE = "00000000-0000-0000-0000-000000000000"

# the order in which a line of a timeline has its values, and what those are that say nothing; `line` in the scripts'
# prologue has the same order. The first version wrote an object.
_ENTRY = ("verb", "note", "at", "duration_ms", "worker", "status", "correlation_id")
_SILENT, _ENTRY_LEAST, _AT, _WORKER = ("", 0, None), 3, 2, 4
_CLAIMED = frozenset({"look", "decide", "disconnect", "confirm"})

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


@cache
def _unsaid(kind: type) -> tuple[tuple[str, object], ...]:
    """Return the fields of a noun, and what each is where nothing else is said."""
    made = (
        (one.name, one.default if one.default_factory is dataclasses.MISSING else one.default_factory())
        for one in dataclasses.fields(kind)
    )
    return tuple(made)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = _unsaid(type(value))
        return {name: said for name, unsaid in fields if (said := getattr(value, name)) != unsaid}
    raise TypeError(f"{type(value).__name__} has no place in a record")


def json_of(noun: object) -> str:
    """Return a noun as JSON: its fields under their names, "" for None.

    What a field is where nothing is said is left out: a record is kept for a month, and most of it would be that.
    """
    if noun is None:
        return ""
    return orjson.dumps(noun, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def masked(removal: m.Removal) -> m.Removal:
    """Return `removal` as it is kept after the end: numbers and attributes cut to their last four characters.

    Where its click is answered is left to the report, which has yet to use it.
    """
    identity, reason = removal.identity and removal.identity.masked, without_numbers(removal.reason)
    ticket = removal.ticket
    if ticket is not None and ticket.reply_to:
        ticket = dataclasses.replace(ticket, reply_to="")
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


def progress_of(progress: m.Progress) -> str:
    """Return a progress as JSON, and in a line of its own who stands by: that is taken off at the end (see `finish`).

    What holds it up is a field of its own, because claims write it too.
    """
    others = "\n" + orjson.dumps(dict(progress.bystanders)).decode() if progress.bystanders else ""
    return json_of(dataclasses.replace(progress, held_by="", bystanders={})) + others


def reports_in(action_id: str, fields: Fields) -> list[str]:
    """Return the ids of the reports of an action; the first version wrote them whole."""
    words = fields.get("reports", "").split()
    return [word if "." in word else f"{action_id}.{word}" for word in words]


def told_in(report_id: str, fields: Fields) -> m.Report | None:
    """Return a report that was told, which stands in the record of its action; None for one that has its own."""
    text = fields.get(f"told_{report_id.rpartition('.')[2]}")
    if text is None:
        return None
    source, channel, tries, first_due_at, _, said = orjson.loads(text)
    # what is the same as the action's is not said again
    ticket = removal_in(fields["removal"]).ticket if said == 0 else _said(_ticket, said)
    at, whose = first_due_at or int(fields["settled_at"]), source or fields["source"]
    return m.Report(report_id, action_of(report_id), whose, channel, ticket, m.ReportState.TOLD, tries, "", at)


def lines_of(entries: Iterable[m.Entry], action_id: str) -> list[str]:
    """Return entries of an action as scripts take them: how many, then verb and line of each."""
    began_at = terms.moment_of(action_id)
    pairs = [word for entry in entries for word in (entry.verb, _line(entry, began_at))]
    return [str(len(pairs) // 2), *pairs]


def _line(entry: m.Entry, began_at: int) -> str:
    """Return a line of the timeline: its values in an order of their own, up to the last of which something is said.

    The note stands second, so that who must forget it knows where it is (see forget.lua). The moment is counted from
    the one in the action's id. What is done under a claim is not said to be its worker's: only he can write it.
    """
    said = [getattr(entry, name) for name in _ENTRY]
    said[_AT] -= began_at
    if entry.verb in _CLAIMED:
        said[_WORKER] = ""
    while len(said) > _ENTRY_LEAST and said[-1] in _SILENT:
        said.pop()
    return orjson.dumps(said).decode()


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


def note_of(note: str) -> str:
    """Return the note of a line that a script puts together, as JSON."""
    return orjson.dumps(note).decode()


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


def _selector(value: Mapping[str, Any]) -> m.Selector:
    return m.Selector(m.SelectorKind(value["kind"]), value["value"])


def _ticket(value: Mapping[str, Any]) -> m.Ticket:
    return m.Ticket(**value)


def _reply(value: Mapping[str, Any]) -> Reply:
    # an answer that was kept by the first version names no permissions
    return Reply(**{**value, "permissions": tuple(value.get("permissions", ()))})


def _said(read: Callable[[Any], _Noun], value: object) -> _Noun | None:
    """Return what `read` makes of what stands there, be it a noun of which nothing is said; None for nothing."""
    return None if value is None else read(value)


def ticket_in(text: str) -> m.Ticket | None:
    """Read a ticket, or None from ""."""
    return m.Ticket(**orjson.loads(text)) if text else None


def removal_in(text: str) -> m.Removal:
    """Read a removal."""
    value = orjson.loads(text)
    return m.Removal(
        **value
        | {
            "selector": _selector(value["selector"]),
            "identity": _said(_selector, value.get("identity")),
            "medium": _said(m.Medium, value.get("medium")),
            "ticket": _said(_ticket, value.get("ticket")),
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
    rest, _, bystanders = text.partition("\n")
    value = orjson.loads(rest)
    pin, absence = _said(_target, value.get("pin")), _said(m.Absence, value.get("absence"))
    read = {"pin": pin, "absence": absence, "held_by": held_by}
    # the first version had them among the rest
    others = {"bystanders": orjson.loads(bystanders)} if bystanders else {}
    return m.Progress(**value | read | others)


def outcome_in(text: str) -> m.Outcome | None:
    """Read an outcome, or None from ""."""
    if not text:
        return None
    value = orjson.loads(text)
    return m.Outcome(
        **value
        | {
            "kind": m.OutcomeKind(value["kind"]),
            "reply": _said(_reply, value.get("reply")),
            "candidates": tuple(value.get("candidates", ())),
        }
    )


def timeline_in(action_id: str, lines: Iterable[str]) -> Iterator[m.Entry]:
    """Read the timeline of an action, as `lines_of` and the scripts wrote it."""
    began_at, worker = terms.moment_of(action_id), ""
    for line in lines:
        said = orjson.loads(line)
        if isinstance(said, dict):  # as the first version wrote it
            entry = m.Entry(**said)
        else:
            said[_AT] += began_at
            entry = m.Entry(**dict(zip(_ENTRY, said, strict=False)))
        if entry.verb == "claim":
            worker = entry.worker
        yield dataclasses.replace(entry, worker=worker) if entry.verb in _CLAIMED and not entry.worker else entry


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
        lapses=int(fields.get("lapses", "0")),
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
