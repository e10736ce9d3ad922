"""The public door described for programs: an OpenAPI 3.1 document, as data. It is a promise: a golden file holds it."""

from __future__ import annotations

from collections.abc import Mapping

from service.sources.pointed import FORM_TYPE
from service.web import problems
from service.web.examples import examples
from service.web.shapes import SCHEMAS, TEXT, WHOLE, Json, ref


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
            "/webhooks/{source}": {"post": _POST_WEBHOOK, "head": _HEAD_WEBHOOK, "options": _OPTIONS_WEBHOOK},
            "/actions/{id}": {"get": _GET_ACTION},
            "/openapi.json": {"get": _GET_DOCUMENT},
        },
        "webhooks": {"removal.settled": {"post": _SETTLED}},
        "components": {"schemas": SCHEMAS},
    }


def _header(description: str, schema: Json = TEXT) -> Json:
    return {"description": description, "schema": schema}


def _parameter(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": TEXT}


def _said(description: str, schema: Json, headers: Json | None = None) -> Json:
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _problem(description: str, headers: Json | None = None) -> Json:
    content = {problems.MEDIA_TYPE: {"schema": ref("Problem")}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _signatures(id_: str) -> list[Json]:
    return [
        _parameter("webhook-id", id_),
        _parameter("webhook-timestamp", "Seconds since 1970 when it was signed; five minutes are allowed."),
        _parameter("webhook-signature", "`v1,` and the HMAC-SHA256, in base64, of `id.timestamp.body`."),
    ]


_SOURCE: Json = {
    "name": "source",
    "in": "path",
    "required": True,
    "description": "The configured name of the ticketing system.",
    "schema": TEXT,
}
_LATER: Json = {"Retry-After": _header("Seconds to wait before the same delivery is sent again.", WHOLE)}
_APPLIED: Json = {"Preference-Applied": _header("`wait=N`, when `Prefer: wait` was heeded.")}
_LOCATED: Json = {"Location": _header("Where the action can be seen, its key included."), **_APPLIED}
_PREFER: Json = _parameter("Prefer", "`wait=N` waits up to N seconds (20 at most) for the outcome (RFC 7240).")
_NOT_NOW: Mapping[str, Json] = {
    "500": _problem("A fault of this service. Send it again later."),
    "503": _problem("Not stored, or not readable: the sender still owns it.", _LATER),
}
_ANYWHERE: Mapping[str, Json] = {
    "400": _problem("Not written as HTTP is written here: too long, or to be read in more than one way."),
    "503": _problem("Too many are being answered at once.", _LATER),
}
_AS_JSON, _AS_FORM = examples()
_KEPT: Json = {"oneOf": [ref("Receipt"), ref("Batch")]}
_POST_WEBHOOK: Json = {
    "operationId": "takeWebhook",
    "summary": "Ask for the removal of one person.",
    "description": (
        "The body is what the source sends, signed the way the source signs; the signature covers the very bytes that "
        "are sent. A 2xx means that the removal is kept on disk. The same delivery again gets the same status and the "
        "same action. By its settings a source is answered with another 2xx than 202 (`success_status`), waits without "
        "asking (`wait`), hears 200 where others hear 400 or 422 (`unreadable_status`), or is answered in a shape of "
        "its own (`answer`)."
    ),
    "parameters": [
        _SOURCE,
        *_signatures(
            "One for each click, and the same for each repeat of it. This and the next two are for sources that sign "
            "by Standard Webhooks; others prove themselves in headers of their own."
        ),
        _PREFER,
    ],
    "requestBody": {
        "required": True,
        "description": (
            "At most 64 KiB, without content encoding. Every kind takes an event of type `caller.remove` whose `data` "
            "is a Wish, or a Wish with `action` in camelCase or as it stands here; the others take what their system "
            "sends. The person is named in one way, or in two that must mean the same one."
        ),
        "content": {
            "application/json": {
                "schema": {"anyOf": [ref("Event"), ref("Wish"), ref("Foreign")]},
                "examples": _AS_JSON,
            },
            FORM_TYPE: {"schema": ref("Form"), "examples": _AS_FORM},
        },
    },
    "responses": {
        "200": _said(
            "Kept, for a source that is answered with it, or with `Prefer: wait` where the outcome is known; or a "
            "batch; or authentic, and nothing was asked, or nothing that can be read.",
            {"oneOf": [ref("Receipt"), ref("Batch"), ref("Ignored"), ref("Rejected")]},
            _LOCATED,
        ),
        "201": _said("As 202, for a source that is answered with it.", _KEPT, _LOCATED),
        "202": _said("Kept: the removal is done or given up within its time.", _KEPT, _LOCATED),
        "400": _problem("Not the bytes this source sends."),
        "401": _problem("Not verified: the signature, its time or the source's name."),
        "413": _problem("Over 64 KiB."),
        "415": _problem("Not a media type of this source, or a content encoding."),
        "422": _problem("It does not say what to do, or the id of an earlier delivery came with another body."),
        "429": _problem("The source is over its rate: nothing was stored, the sender still owns it.", _LATER),
        **_NOT_NOW,
    },
}
_HEAD_WEBHOOK: Json = {
    "operationId": "findWebhook",
    "summary": "Whether webhooks are taken here, for a sender that asks first; the same for every name.",
    "parameters": [_SOURCE],
    "responses": {
        "200": {"description": "They are.", "headers": {"Allow": _header("The methods of this path.")}},
        **_ANYWHERE,
    },
}
_OPTIONS_WEBHOOK: Json = {
    "operationId": "askForWebhook",
    "summary": "The handshake of CloudEvents; the same for every name.",
    "parameters": [_SOURCE, _parameter("WebHook-Request-Origin", "Who wants to send.")],
    "responses": {
        "200": {
            "description": "Whoever signs may send.",
            "headers": {
                "Allow": _header("The methods of this path."),
                "WebHook-Allowed-Origin": _header("The origin that asked."),
                "WebHook-Allowed-Rate": _header("Requests a minute.", WHOLE),
            },
        },
        **_ANYWHERE,
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
        "200": _said("All that may be told.", ref("Action"), _APPLIED),
        "400": _ANYWHERE["400"],
        "404": _problem("No such action, or not its key."),
        **_NOT_NOW,
    },
}
_GET_DOCUMENT: Json = {
    "operationId": "describe",
    "summary": "This document.",
    "responses": {"200": _said("An OpenAPI 3.1 document.", {"type": "object"}), **_ANYWHERE},
}
_SETTLED: Json = {
    "operationId": "removalSettled",
    "summary": "The outcome, posted to a source's `outcome_url`: at least once, a repeat under the same `webhook-id`.",
    "parameters": _signatures("One for each outcome that a ticket is told, and the same for each repeat of it."),
    "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Settled")}}},
    "responses": {"2XX": {"description": "Taken: it is not sent again."}},
}
