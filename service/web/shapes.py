"""The shapes of what goes in and out at the public door, as schemas: the words that the OpenAPI document is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.core import model as m

Json = Mapping[str, object]

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
PERHAPS_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
COUNTS: Json = {"type": "object", "additionalProperties": WHOLE}


def shape(**fields: Json) -> Json:
    """Return an object that has all of these fields."""
    return {"type": "object", "required": list(fields), "properties": fields}


def list_of(item: Json) -> Json:
    """Return a list of such items."""
    return {"type": "array", "items": item}


def words(known: Sequence[str]) -> Json:
    """Return a text that is one of these."""
    return {"type": "string", "enum": list(known)}


def or_null(schema: Json) -> Json:
    """Return what is such a thing, or null."""
    return {"oneOf": [schema, {"type": "null"}]}


def ref(name: str) -> Json:
    """Return the schema that the document calls `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


_REPLY: Json = shape(status={"type": ["integer", "null"]}, code=TEXT, message=TEXT, correlation_id=TEXT)
_ENTRY: Json = shape(
    verb=TEXT,
    at=MOMENT,
    duration_ms={"type": "number"},
    worker=TEXT,
    status={"type": ["integer", "null"]},
    correlation_id=TEXT,
    note=TEXT,
)
_ID: Json = {"type": "string", "format": "uuid"}
_CLICKED: Json = {"type": "string"}  # RFC 3339, and more: without an offset where the source names its zone
_WISH: Json = {
    "type": "object",
    "properties": {
        "conversation_id": _ID,
        "communication_id": {**_ID, "description": "That leg alone, whatever else the person is there by."},
        "participant_id": _ID,
        "external_contact_id": _ID,
        "user_id": _ID,
        "caller_phone": {**TEXT, "description": "With its country code: `+14155550123`, `tel:`, `sip:`."},
        "attribute": {
            "description": "An attribute that one person of an allowed purpose has, and no other.",
            "oneOf": [
                {**TEXT, "pattern": "^[^=]{1,100}=.{1,256}$"},
                shape(
                    key={**TEXT, "pattern": "^[^=]+$", "maxLength": 100},
                    value={**TEXT, "minLength": 1, "maxLength": 256},
                ),
            ],
        },
        "purpose": {**TEXT, "description": "The one person with this purpose: `customer`, `external`, …"},
        "medium": {**TEXT, "description": "Only who is there by it: `voice`, `message`, `email`, `chat`, …"},
        "action": words(["disconnect"]),
        "preview": FLAG,
        "requested_by": {**TEXT, "description": "Who clicked."},
        "actor": {**TEXT, "description": "Who made the system send this, where it is not who clicked."},
        "reason": {**TEXT, "description": "Free text, kept for the record."},
        "ticket": {**TEXT, "description": "Where the outcome is told; in ServiceNow `table/sys_id`."},
        "table": {**TEXT, "description": "Of the record that asks, like `incident`; with `sys_id`."},
        "sys_id": TEXT,
        "number": {**TEXT, "description": "What people call the ticket."},
        "timestamp": {**_CLICKED, "description": "When it was clicked, in a Wish without an Event around it."},
    },
}
SCHEMAS: Json = {
    "Event": {
        "type": "object",
        "required": ["type", "data"],
        "properties": {
            "type": words(["caller.remove"]),
            "timestamp": {**_CLICKED, "description": "When it was clicked: after `max_age` nobody is removed for it."},
            "data": ref("Wish"),
            "preview": FLAG,
        },
    },
    "Wish": _WISH,
    "Foreign": {
        "type": ["object", "array"],
        "description": "What a system sends of itself, for a source whose kind or settings say where things stand.",
    },
    "Form": {
        "type": "object",
        "additionalProperties": TEXT,
        "description": "For a source whose system sends forms: one field holds its JSON.",
    },
    "Receipt": shape(
        status=words(["accepted", "duplicate"]),
        action=TEXT,
        outcome=or_null(shape(kind=words(list(m.OutcomeKind)), reason=TEXT)),
        explanation={"type": ["string", "null"]},
        links=shape(self={"type": "string", "format": "uri"}),
    ),
    "Ignored": shape(status=words(["ignored"]), reason=TEXT),
    "Rejected": shape(status=words(["rejected"]), reason=TEXT),
    "Batch": shape(
        status=words(["batch"]),
        results=list_of({"oneOf": [ref("Stored"), ref("Ignored"), ref("Rejected")]}),
    ),
    "Stored": shape(
        status=words(["accepted", "duplicate"]), action=TEXT, links=shape(self={"type": "string", "format": "uri"})
    ),
    "Settled": shape(
        type=words(["removal.settled"]),
        timestamp=MOMENT,
        data=shape(
            action_id=TEXT,
            outcome=words(list(m.OutcomeKind)),
            reason=TEXT,
            conversation_id=_ID,
            ticket=or_null(ref("Ticket")),
            note=TEXT,
            purpose=TEXT,
            state_seen=TEXT,
            bystanders=COUNTS,
            remaining=COUNTS,
            vanished=COUNTS,
            candidates=list_of(TEXT),
            is_back=FLAG,
            allowed_by=TEXT,
            genesys=or_null(shape(status={"type": ["integer", "null"]}, code=TEXT, correlation_id=TEXT)),
            clicked_at=MOMENT,
            received_at=MOMENT,
            replay_of=TEXT,
        ),
    ),
    "Action": shape(
        action=TEXT,
        state=words(list(m.ActionState)),
        org=TEXT,
        source=TEXT,
        conversation={"type": "string", "format": "uuid"},
        outcome=or_null(ref("Outcome")),
        explanation={"type": ["string", "null"]},
        operator={"type": ["string", "null"]},
        received_at=MOMENT,
        clicked_at=MOMENT,
        not_after=MOMENT,
        settled_at=PERHAPS_MOMENT,
        ticket=or_null(ref("Ticket")),
        preview=FLAG,
        replay_of={"type": ["string", "null"]},
        selector=shape(kind=words(list(m.SelectorKind)), value=TEXT),
        sends=list_of(ref("Send")),
        timeline=list_of(_ENTRY),
        reports=list_of(ref("Report")),
    ),
    "Outcome": shape(
        kind=words(list(m.OutcomeKind)),
        reason=TEXT,
        state_seen=TEXT,
        purpose=TEXT,
        candidates=list_of(TEXT),
        bystanders=COUNTS,
        remaining=COUNTS,
        vanished=COUNTS,
        is_back=FLAG,
        allowed_by=TEXT,
        reply=or_null(_REPLY),
    ),
    "Ticket": shape(reference=TEXT, label=TEXT),
    "Send": shape(
        number=WHOLE,
        marked_at=MOMENT,
        deadline_at=MOMENT,
        answer=or_null(
            {
                "allOf": [shape(kind=words(list(m.AnswerKind)), answered_at=PERHAPS_MOMENT), _REPLY],
            }
        ),
    ),
    "Report": shape(
        channel=TEXT, ticket=or_null(ref("Ticket")), state=words(list(m.ReportState)), tries=WHOLE, error=TEXT
    ),
    "Problem": shape(type=TEXT, title=TEXT, status=WHOLE, detail=TEXT, code=TEXT),
}
