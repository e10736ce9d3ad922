"""What a body asks where settings say in which places it stands: for systems that cannot be told what to send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, cast
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.core import model as m
from service.core.errors import Malformed, Refused, Unreadable
from service.sources.asking import ACTION, Asked
from service.sources.pointing import At, AtOrWhole, Pointer, word_in
from service.sources.reading import Fields, json_object, json_value, shown

FORM_TYPE: Final = "application/x-www-form-urlencoded"
MOST_PARTS: Final = 100  # HubSpot's most; a batch is stored one by one, and the sender waits for all of them
_MOST_FIELDS: Final = 100
# what our own forms call it, and therefore every sentence about it
_TEXTS: Final = (
    "communication_id", "participant_id", "external_contact_id", "user_id", "caller_phone", "purpose", "medium",
    "conversation_id", "ticket", "number", "requested_by", "actor", "reason",
)  # fmt: skip
# these say who leaves which conversation, so a text that says several says none
_MEANT: Final = ("conversation_id", "attribute", *_TEXTS[:7])
_EVENT_CHARS: Final = 200
_MINUTES: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)


class When(BaseModel):
    """A condition: one of the values stands at a place.

    Attributes:
        at: the place.
        values: as JSON writes them: texts without quotes, numbers, true and false.
    """

    model_config = _STRICT

    at: At
    values: tuple[str, ...] = Field(min_length=1, alias="is")

    def holds(self, body: object) -> bool:
        """Whether it holds in `body`."""
        return word_in(self.at.find(body)) in self.values


class Greeting(When):
    """A delivery by which a system only says hello.

    Attributes:
        answer: what it wants to read: name by name the place in its body, or nothing for our own answer.
    """

    answer: dict[str, At] = {}


class AskOptions(BaseModel):
    """Where a body says what; each is a place as `pointing.py` reads it.

    Attributes:
        form: the field of a form (`application/x-www-form-urlencoded`) that holds the JSON; empty where the body does.
        events: the list of events where one delivery holds several; the other places are then in each of these. Empty:
            the body itself is the list, or the one event in it.
        changing: with `events`: names in an event that differ each time it is repeated (a count of the tries); they do
            not make it another one.
        when: all of these must hold; other deliveries are answered and ask nothing of us.
        greetings: what is answered without being read.
        ours: names of the actor that are ourselves: our note's echo is ignored.
        timestamp_form: how `timestamp` is written: `rfc3339`, `seconds`, `milliseconds`, or `minutes`: as `rfc3339`, or
            without its seconds, and then the minute's first counts.
        delivery_id: an id of the event that its repeats carry too.
    """

    model_config = _STRICT

    form: str = ""
    events: AtOrWhole | None = None
    changing: frozenset[str] = frozenset()
    when: tuple[When, ...] = ()
    greetings: tuple[Greeting, ...] = ()
    ours: tuple[str, ...] = ()
    conversation_id: At
    communication_id: At | None = None
    participant_id: At | None = None
    external_contact_id: At | None = None
    user_id: At | None = None
    caller_phone: At | None = None
    attribute: At | None = None
    purpose: At | None = None
    medium: At | None = None
    preview: At | None = None
    ticket: At | None = None
    number: At | None = None
    requested_by: At | None = None
    actor: At | None = None
    reason: At | None = None
    delivery_id: At | None = None
    timestamp: At | None = None
    timestamp_form: Literal["rfc3339", "minutes", "seconds", "milliseconds"] = "rfc3339"

    @model_validator(mode="after")
    def _names_somebody(self) -> AskOptions:
        named = ("communication_id", "participant_id", "external_contact_id", "user_id", "caller_phone", "attribute")
        if not any(getattr(self, name) for name in (*named, "purpose")):
            raise ValueError(f"says nowhere who is to leave; give the place of {', '.join(named)} or purpose")
        if self.changing and self.events is None:
            raise ValueError('changing: is of events; where the body is the one event, say events = "" too')
        return self

    @property
    def places(self) -> Mapping[str, str]:
        """Where each field stands, for sentences."""
        return {name: at.text for name in type(self).model_fields if (at := self._at(name))}

    def _at(self, name: str) -> Pointer | None:
        value = getattr(self, name)
        return value if isinstance(value, Pointer) else None

    def found(self, event: object) -> Asked:
        """Return the fields of one event under the names of our own forms.

        Raises:
            Unreadable: a text names two people or two conversations, or a time cannot be read.
        """
        for name in _MEANT:
            if (at := self._at(name)) and at.is_ambiguous(event):
                raise Unreadable(f"{name} is said in more than one way in one text; write one")
        values: dict[str, object] = {"action": ACTION}
        for name in _TEXTS:
            if (at := self._at(name)) and (value := at.find(event)) is not None:
                # ids and names that are numbers there (a ticket's) are texts here
                values[name] = word_in(value) if isinstance(value, int) else value
        for name in ("attribute", "preview"):
            if at := self._at(name):
                values[name] = at.find(event)
        if self.timestamp:
            values["timestamp"] = _moment(self.timestamp.find(event), self.timestamp_form)
        return Asked(Fields(values), Fields(values))

    def id_of(self, event: object) -> str:
        """Return the event's own id, or ""."""
        said = word_in(self.delivery_id.find(event)) if self.delivery_id else None
        if said and len(said) > _EVENT_CHARS:
            raise Unreadable(f"the event's id has {len(said)} characters; at most {_EVENT_CHARS} are taken")
        return said or ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a delivery says.

    Attributes:
        body: its bytes; of one in a list those that its repeats have too.
        value: what they are as JSON.
    """

    body: bytes
    value: Mapping[str, object]


def json_in(body: bytes, form: str) -> bytes:
    """Return the JSON that a body holds: in the field `form` of a form where that is said, else all of it.

    Raises:
        Malformed: it is no form, or one that has no such field, or has it twice.
    """
    if not form:
        return body
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise Malformed("the body is no form in UTF-8") from None
    found = [value for name, value in pairs if name == form]
    if len(found) != 1:
        raise Malformed(f"the form has {len(found)} fields called {form}; it must have one, with JSON in it")
    return found[0].encode()


def events_in(options: AskOptions, body: bytes) -> tuple[Event, ...] | m.Ignored:
    """Return the events of a delivery: the one that it is, or those of its list.

    Ignored for a greeting.

    Raises:
        Malformed: the body is not what this source sends.
        Unreadable: it has no list where one should stand, or one that is too long.
    """
    written = json_in(body, options.form)
    is_whole = options.events is not None and not options.events.text
    value: object = json_value(written) if is_whole else json_object(written).values
    for greeting in options.greetings:
        if greeting.holds(value):
            answer = {name: at.find(value) for name, at in greeting.answer.items()}
            return m.Ignored("a greeting", answer or None)
    if options.events is None:
        return (Event(body, cast("Mapping[str, object]", value)),)
    listed = options.events.find(value)
    if isinstance(listed, Mapping):
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        raise Unreadable(f"there is no list of events at {options.events.text or 'the top of the body'}")
    if len(listed) > MOST_PARTS:
        raise Unreadable(f"there are {len(listed)} events; at most {MOST_PARTS} are taken at once")
    return tuple(_events(listed, options.changing))


def _events(listed: list[object], changing: frozenset[str]) -> Iterator[Event]:
    for one in listed:
        if not isinstance(one, Mapping):
            raise Unreadable("an event is no object")
        lasting = {name: value for name, value in one.items() if name not in changing}
        yield Event(json.dumps(lasting, sort_keys=True, ensure_ascii=True).encode(), one)


def ignored_in(options: AskOptions, event: Event) -> m.Ignored | None:
    """Return why an event asks nothing of us, or None."""
    for when in options.when:
        if not when.holds(event.value):
            said = word_in(when.at.find(event.value))
            what = shown(said) if said else "nothing"
            return m.Ignored(f"{when.at.text} is {what}; a removal is asked by {' or '.join(when.values)}")
    for name in ("actor", "requested_by"):
        at = getattr(options, name)
        actor = (word_in(at.find(event.value)) if at else None) or ""
        if actor and actor.casefold() in {ours.casefold() for ours in options.ours}:
            return m.Ignored("sent because of our own note: the actor is ourselves")
    return None


def _moment(value: object, form: str) -> object:
    """Return a moment as our own form writes it; what is none is left to be refused there."""
    if form == "rfc3339" or value is None:
        return value
    if form == "minutes":
        found = _MINUTES.fullmatch(value) if isinstance(value, str) else None
        return f"{found[1]}:00{found[2] or ''}" if found else value
    said = word_in(value) or ""
    if not (said.isascii() and said.isdigit() and len(said) <= len("1795165200000") + 1):
        raise Unreadable(f"timestamp is not a time in {form} since 1970: {shown(said)}")
    at = int(said) if form == "milliseconds" else int(said) * 1000
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"timestamp is a time that never was: {shown(said)}") from None


def placed(options: AskOptions, refused: Refused) -> Unreadable:
    """Return the refusal with the place of the field that it begins with: so an administrator finds what to mend."""
    name = refused.sentence.partition(" ")[0].rstrip(":;")
    place = options.places.get(name)
    return Unreadable(f"{refused.sentence} (this source reads {name} at {place})" if place else refused.sentence)
