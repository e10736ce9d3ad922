"""The public door described for programs: an OpenAPI 3.1 document, as data. It is a promise: a golden file holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.core import model as m
from service.web import problems

Json = Mapping[str, object]

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
PERHAPS_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
COUNTS: Json = {"type": "object", "additionalProperties": WHOLE}


def document(public_url: str) -> Json:
    """Return the document; it says where the door is, and else nothing that depends on the configuration."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Onhook",
            "version": "1",
            "summary": "Removes exactly one participant from a Genesys Cloud conversation when a ticket asks for it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "paths": {
            "/webhooks/{source}": {"post": _POST_WEBHOOK},
            "/actions/{id}": {"get": _GET_ACTION},
            "/openapi.json": {"get": _GET_DOCUMENT},
        },
        "components": {"schemas": _SCHEMAS},
    }


def _shape(**fields: Json) -> Json:
    return {"type": "object", "required": list(fields), "properties": fields}


def _list_of(item: Json) -> Json:
    return {"type": "array", "items": item}


def _words(words: Sequence[str]) -> Json:
    return {"type": "string", "enum": list(words)}


def _or_null(shape: Json) -> Json:
    return {"oneOf": [shape, {"type": "null"}]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _header(description: str, schema: Json = TEXT) -> Json:
    return {"description": description, "schema": schema}


def _said(description: str, schema: Json, headers: Json | None = None) -> Json:
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _problem(description: str, headers: Json | None = None) -> Json:
    content = {problems.MEDIA_TYPE: {"schema": _ref("Problem")}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


_LATER: Json = {"Retry-After": _header("Seconds to wait before the same delivery is sent again.", WHOLE)}
_APPLIED: Json = {"Preference-Applied": _header("`wait=N`, when `Prefer: wait` was heeded.")}
_LOCATED: Json = {"Location": _header("Where the action can be seen, its key included."), **_APPLIED}
_PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=N` waits up to N seconds (20 at most) for the outcome (RFC 7240).",
    "schema": TEXT,
}
_NOT_NOW: Mapping[str, Json] = {
    "500": _problem("A fault of this service. Send it again later."),
    "503": _problem("Not stored, or not readable: the sender still owns it.", _LATER),
}
_POST_WEBHOOK: Json = {
    "operationId": "takeWebhook",
    "summary": "Ask for the removal of one person.",
    "description": (
        "The body is what the source sends, signed the way the source signs. A 2xx means that the removal is kept on "
        "disk. The same delivery again gets the same status and the same action. A source may be configured to "
        "answer a success with another 2xx than 202."
    ),
    "parameters": [
        {
            "name": "source",
            "in": "path",
            "required": True,
            "description": "The configured name of the ticketing system.",
            "schema": TEXT,
        },
        _PREFER,
    ],
    "requestBody": {
        "required": True,
        "description": (
            "At most 64 KiB, without content encoding. `servicenow` and `standard` take an event of type "
            "`caller.remove` whose `data` is a Wish, or a Wish with `action` in camelCase or as it stands here. The "
            "person is named in one way, or in two that must mean the same one."
        ),
        "content": {"application/json": {"schema": {"anyOf": [_ref("Event"), _ref("Wish")]}}},
    },
    "responses": {
        "200": _said(
            "Kept, and with `Prefer: wait` the outcome is known; or authentic and nothing was asked.",
            {"oneOf": [_ref("Receipt"), _ref("Ignored")]},
            _LOCATED,
        ),
        "202": _said("Kept: the removal is done or given up within its time.", _ref("Receipt"), _LOCATED),
        "400": _problem("Not the bytes this source sends."),
        "401": _problem("Not verified: the signature, its time or the source's name."),
        "413": _problem("Over 64 KiB."),
        "415": _problem("Not a media type of this source, or a content encoding."),
        "422": _problem("It does not say what to do, or the id of an earlier delivery came with another body."),
        "429": _problem("The source is over its rate: nothing was stored, the sender still owns it.", _LATER),
        **_NOT_NOW,
    },
}
_GET_ACTION: Json = {
    "operationId": "showAction",
    "summary": "Tell how an action stands, or ended.",
    "parameters": [
        {"name": "id", "in": "path", "required": True, "schema": TEXT},
        {
            "name": "key",
            "in": "query",
            "required": True,
            "description": "From the link in the receipt.",
            "schema": TEXT,
        },
        _PREFER,
    ],
    "responses": {
        "200": _said("All that may be told.", _ref("Action"), _APPLIED),
        "404": _problem("No such action, or not its key."),
        **_NOT_NOW,
    },
}
_GET_DOCUMENT: Json = {
    "operationId": "describe",
    "summary": "This document.",
    "responses": {"200": _said("An OpenAPI 3.1 document.", {"type": "object"})},
}
_REPLY: Json = _shape(status={"type": ["integer", "null"]}, code=TEXT, message=TEXT, correlation_id=TEXT)
_ENTRY: Json = _shape(
    verb=TEXT,
    at=MOMENT,
    duration_ms={"type": "number"},
    worker=TEXT,
    status={"type": ["integer", "null"]},
    correlation_id=TEXT,
    note=TEXT,
)
_ID: Json = {"type": "string", "format": "uuid"}
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
                _shape(
                    key={**TEXT, "pattern": "^[^=]+$", "maxLength": 100},
                    value={**TEXT, "minLength": 1, "maxLength": 256},
                ),
            ],
        },
        "purpose": {**TEXT, "description": "The one person with this purpose: `customer`, `external`, …"},
        "medium": {**TEXT, "description": "Only who is there by it: `voice`, `message`, `email`, `chat`, …"},
        "action": _words(["disconnect"]),
        "preview": FLAG,
        "requested_by": TEXT,
        "reason": TEXT,
    },
}
_SCHEMAS: Json = {
    "Event": _shape(type=_words(["caller.remove"]), data=_ref("Wish")),
    "Wish": _WISH,
    "Receipt": _shape(
        status=_words(["accepted", "duplicate"]),
        action=TEXT,
        outcome=_or_null(_shape(kind=_words(list(m.OutcomeKind)), reason=TEXT)),
        explanation={"type": ["string", "null"]},
        links=_shape(self={"type": "string", "format": "uri"}),
    ),
    "Ignored": _shape(status=_words(["ignored"]), reason=TEXT),
    "Action": _shape(
        action=TEXT,
        state=_words(list(m.ActionState)),
        org=TEXT,
        source=TEXT,
        conversation={"type": "string", "format": "uuid"},
        outcome=_or_null(_ref("Outcome")),
        explanation={"type": ["string", "null"]},
        operator={"type": ["string", "null"]},
        received_at=MOMENT,
        clicked_at=MOMENT,
        not_after=MOMENT,
        settled_at=PERHAPS_MOMENT,
        ticket=_or_null(_ref("Ticket")),
        preview=FLAG,
        replay_of={"type": ["string", "null"]},
        selector=_shape(kind=_words(list(m.SelectorKind)), value=TEXT),
        sends=_list_of(_ref("Send")),
        timeline=_list_of(_ENTRY),
        reports=_list_of(_ref("Report")),
    ),
    "Outcome": _shape(
        kind=_words(list(m.OutcomeKind)),
        reason=TEXT,
        state_seen=TEXT,
        purpose=TEXT,
        candidates=_list_of(TEXT),
        bystanders=COUNTS,
        remaining=COUNTS,
        vanished=COUNTS,
        is_back=FLAG,
        allowed_by=TEXT,
        reply=_or_null(_REPLY),
    ),
    "Ticket": _shape(reference=TEXT, label=TEXT),
    "Send": _shape(
        number=WHOLE,
        marked_at=MOMENT,
        deadline_at=MOMENT,
        answer=_or_null(
            {
                "allOf": [_shape(kind=_words(list(m.AnswerKind)), answered_at=PERHAPS_MOMENT), _REPLY],
            }
        ),
    ),
    "Report": _shape(
        channel=TEXT, ticket=_or_null(_ref("Ticket")), state=_words(list(m.ReportState)), tries=WHOLE, error=TEXT
    ),
    "Problem": _shape(type=TEXT, title=TEXT, status=WHOLE, detail=TEXT, code=TEXT),
}
