"""What each vendor documents, written by hand: how it signs, and how its desk is told and asked; the presets' opposite.

Nothing in the tables is read from a preset: that the two agree is what the tests show. A preset without a row in them
signs and is told as it says itself, so that a new one is played through too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from service.core.filling import fill
from service.sources.generic import Options
from service.sources.presets import preset

KEY = base64.b64encode(b"a play secret of thirty-two bytes").decode()  # good as a text, and as base64
URL = "https://onhook.test/webhooks/desk"
Signer = Callable[[bytes, int], Mapping[str, str]]


def _b64(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def _hex(content: bytes, digest: str = "sha256") -> str:
    return hmac.new(KEY.encode(), content, digest).hexdigest()


def _zendesk(body: bytes, at: int) -> Mapping[str, str]:
    stamp = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = _b64(KEY.encode(), stamp.encode() + body)
    return {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp}


def _hubspot(body: bytes, at: int) -> Mapping[str, str]:
    signature = _b64(KEY.encode(), f"POST{URL}".encode() + body + str(at).encode())
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": str(at)}


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


SIGNERS: Mapping[str, Signer] = {
    "zendesk": _zendesk,
    "jira": lambda body, _: {"X-Hub-Signature": f"sha256={_hex(body)}"},
    "jsm": lambda body, _: {"X-Hub-Signature": f"sha256={_hex(body)}"},
    "freshservice": lambda *_: {"Authorization": _basic("onhook", KEY)},
    "freshdesk": lambda *_: {"Authorization": _basic("onhook", KEY)},
    "pagerduty": lambda body, _: {"X-PagerDuty-Signature": f"v1={'0' * 64},v1={_hex(body)}"},  # while one is changed
    "teams": lambda body, _: {"Authorization": f"HMAC {_b64(base64.b64decode(KEY), body)}"},
    "hubspot": _hubspot,
    "salesforce": lambda *_: {"X-Onhook-Secret": KEY},
    "dynamics": lambda *_: {"X-Onhook-Secret": KEY},
    "intercom": lambda body, _: {"X-Hub-Signature": f"sha1={_hex(body, 'sha1')}"},
    "opsgenie": lambda *_: {"X-Onhook-Secret": KEY},
}


@dataclass(frozen=True)
class Api:
    """How one desk is told and asked.

    Attributes:
        note: method and path of the request that writes a note.
        body: what it holds: NOTE for the note, MOMENT for a time.
        proof: headers without which nobody is let in.
        shown: the answer to `look` with these notes in it.
        look: the path, and query, that shows the notes; "" where there is none.
        token: the path that gives a token, and the form it wants besides the client; () where there is none.
    """

    note: tuple[str, str]
    body: Mapping[str, Any]
    proof: Mapping[str, str]
    look: str = ""
    shown: Callable[[list[str]], object] = lambda _: None
    token: tuple[str, Mapping[str, str]] | tuple[()] = ()


NOTE, MOMENT = "<the note>", "<a moment>"
USER, SECRET = "agent@acme.example", "a play key of a desk"
ADDRESS = (
    "/workflows/7f0c/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sig=a-play-key"
)
CASE = "6b1d2f3a-4c5e-4f60-8a7b-9c0d1e2f3a4b"
_ADF = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": NOTE}]}]}
_CARD = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": NOTE, "wrap": True}]}
_CARDS = [{"contentType": "application/vnd.microsoft.card.adaptive", "content": _CARD}]
_ALERT = "44f717bf-44bd-4ac9-84c7-2d0cf1d07b23-1795164000000"
_TO_TICKET = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 228}]
_BEARER = {"authorization": f"Bearer {SECRET}"}
_TOKEN = {"authorization": "Bearer a-play-token"}
_FRESH = Api(
    ("POST", "/api/v2/tickets/1042/notes"),
    {"body": NOTE, "private": True},
    {"authorization": _basic(SECRET, "X")},
    "/api/v2/tickets/1042/conversations?per_page=100",
    lambda notes: {"conversations": [{"body": note, "private": True} for note in notes]},
)

APIS: Mapping[str, Api] = {
    "zendesk": Api(
        ("PUT", "/api/v2/tickets/35436.json"),
        {"ticket": {"comment": {"body": NOTE, "public": False}}},
        {"authorization": _basic(USER, SECRET)},
        "/api/v2/tickets/35436/comments.json?sort_order=desc",
        lambda notes: {"comments": [{"body": note, "public": False} for note in notes]},
    ),
    "jira": Api(
        ("POST", "/rest/api/3/issue/OPS-7/comment"),
        {"body": _ADF},
        {"authorization": _basic(USER, SECRET)},
        "/rest/api/3/issue/OPS-7/comment?orderBy=-created&maxResults=100",
        lambda notes: {"comments": [{"body": {"content": [{"type": "text", "text": note}]}} for note in notes]},
    ),
    "jsm": Api(
        ("POST", "/rest/servicedeskapi/request/OPS-7/comment"),
        {"body": NOTE, "public": False},
        {"authorization": _basic(USER, SECRET)},
        "/rest/api/3/issue/OPS-7/comment?orderBy=-created&maxResults=100",
        lambda notes: {"comments": [{"body": {"content": [{"type": "text", "text": note}]}} for note in notes]},
    ),
    "freshservice": _FRESH,
    "freshdesk": _FRESH,
    "pagerduty": Api(
        ("POST", "/incidents/PGR0VU2/notes"),
        {"note": {"content": NOTE}},
        {"authorization": f"Token token={SECRET}", "from": USER},
        "/incidents/PGR0VU2/notes",
        lambda notes: {"notes": [{"content": note} for note in notes]},
    ),
    "teams": Api(("POST", ADDRESS), {"type": "message", "attachments": _CARDS}, {}),
    "hubspot": Api(
        ("POST", "/crm/v3/objects/notes"),
        {
            "properties": {"hs_timestamp": MOMENT, "hs_note_body": NOTE},
            "associations": [{"to": {"id": "4711"}, "types": _TO_TICKET}],
        },
        _BEARER,
        "/engagements/v1/engagements/associated/TICKET/4711/paged?limit=100",
        lambda notes: {"results": [{"engagement": {"type": "NOTE"}, "metadata": {"body": note}} for note in notes]},
    ),
    "salesforce": Api(
        ("POST", "/services/data/v62.0/sobjects/CaseComment"),
        {"ParentId": "5003000000D8cuIAAR", "CommentBody": NOTE, "IsPublished": False},
        _TOKEN,
        "/services/data/v62.0/sobjects/Case/5003000000D8cuIAAR/CaseComments?fields=CommentBody",
        lambda notes: {"records": [{"CommentBody": note} for note in notes]},
        ("/services/oauth2/token", {}),
    ),
    "dynamics": Api(
        ("POST", "/api/data/v9.2/annotations"),
        {"subject": "Remove caller", "notetext": NOTE, "objectid_incident@odata.bind": f"/incidents({CASE})"},
        _TOKEN,
        f"/api/data/v9.2/incidents({CASE})/Incident_Annotation?$select=notetext&$orderby=createdon%20desc",
        lambda notes: {"value": [{"notetext": note} for note in notes]},
        ("/7a1c/oauth2/v2.0/token", {"scope": "https://acme.crm4.dynamics.com/.default"}),
    ),
    "intercom": Api(
        ("POST", "/conversations/21330067382/reply"),
        {"message_type": "note", "type": "admin", "admin_id": USER, "body": NOTE},
        _BEARER | {"intercom-version": "2.11"},
        "/conversations/21330067382",
        lambda notes: {"conversation_parts": {"conversation_parts": [{"body": f"<p>{note}</p>"} for note in notes]}},
    ),
    "opsgenie": Api(
        ("POST", f"/v2/alerts/{_ALERT}/notes"),
        {"note": NOTE, "user": "Onhook", "source": "Onhook"},
        {"authorization": f"GenieKey {SECRET}"},
        f"/v2/alerts/{_ALERT}/notes?order=desc&limit=100",
        lambda notes: {"data": [{"note": note} for note in notes]},
    ),
}

# what an installation says besides its secrets
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "teams": {"desk_url": f"http://127.0.0.1:8090{ADDRESS}", "desk_user": "", "desk_secret": ""},
    "hubspot": {"signature": {"url": URL}},
    "dynamics": {
        "tell": {
            "oauth": {
                "url": "http://127.0.0.1:8090",
                "path": "/7a1c/oauth2/v2.0/token",
                "scope": "https://acme.crm4.dynamics.com/.default",
            }
        }
    },
}


def signed(name: str, body: bytes, at: int) -> Mapping[str, str]:
    """Return the headers by which the system proves `body`."""
    if name in SIGNERS:
        return SIGNERS[name](body, at)
    signature = _options(name).signature
    assert signature
    return signature.proof(signature.secret_in(KEY), "msg_1", at, body)


def api_of(name: str) -> Api:
    """Return how the system's desk is told."""
    if name in APIS:
        return APIS[name]
    tell, ticket = _options(name).tell, str(preset(name).sample["asks"]["ticket"])
    assert tell
    body = fill(tell.body, {"note": NOTE, "html": NOTE, "moment": MOMENT, "ticket": ticket, "user": USER})
    note, look = (path.replace("{ticket}", ticket) for path in (tell.path, tell.look))
    scope = {"scope": tell.oauth.scope} if tell.oauth and tell.oauth.scope else {}
    proof, token = (_TOKEN, (tell.oauth.path, scope)) if tell.oauth else ({}, ())
    return Api((tell.method, note), body, proof, look, lambda notes: {"notes": notes}, token)


def _options(name: str) -> Options:
    return Options.model_validate(settings_of(name))


def settings_of(name: str) -> dict[str, Any]:
    """Return the settings of a source of this kind before a play desk."""
    desk = {"desk_url": "http://127.0.0.1:8090", "desk_user": USER, "desk_secret": SECRET}
    return {"kind": name, "org": "acme", "secrets": [KEY], **desk, **SETTINGS.get(name, {})}


@dataclass
class PlayDesk(httpx.AsyncBaseTransport):
    """One desk that takes what its API documents, and nothing else.

    Attributes:
        loses: how many answers to a note are lost on their way back.
        notes: what was written.
        strange: what it did not know.
    """

    api: Api
    loses: int = 0
    notes: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the API does."""
        api, asked = self.api, (request.method, request.url.raw_path.decode())
        if api.token and asked == ("POST", api.token[0]):
            return self._give_token(request)
        if any(request.headers.get(name) != value for name, value in api.proof.items()):
            return self._refuse(401, f"the proof of {asked}: {dict(request.headers)}")
        if asked == ("GET", api.look):
            return httpx.Response(200, json=api.shown(self.notes))
        if asked != api.note:
            return self._refuse(404, f"{asked}")
        found: dict[str, str] = {}
        if not _fits(api.body, json.loads(request.content), found):
            return self._refuse(400, request.content.decode())
        self.notes.append(found[NOTE])
        if self.loses:
            self.loses -= 1
            raise httpx.ReadError("the answer was lost")
        return httpx.Response(201, json={"id": str(len(self.notes))})

    def _give_token(self, request: httpx.Request) -> httpx.Response:
        assert self.api.token
        client = {"grant_type": "client_credentials", "client_id": USER, "client_secret": SECRET}
        if dict(httpx.QueryParams(request.content.decode())) != client | dict(self.api.token[1]):
            return self._refuse(400, request.content.decode())
        return httpx.Response(200, json={"access_token": "a-play-token", "token_type": "Bearer", "expires_in": 3600})

    def _refuse(self, status: int, what: str) -> httpx.Response:
        self.strange.append(what)
        return httpx.Response(status, json={"message": "no"})


def _fits(shape: object, value: object, found: dict[str, str]) -> bool:
    """Say whether `value` is `shape`, and put what stands at its marks into `found`."""
    if isinstance(shape, str) and shape in {NOTE, MOMENT}:
        assert isinstance(value, str)
        found[shape] = value
        return shape == NOTE or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))
    if isinstance(shape, Mapping) and isinstance(value, Mapping):
        return shape.keys() == value.keys() and all(_fits(shape[name], value[name], found) for name in shape)
    if isinstance(shape, list) and isinstance(value, list):
        return len(shape) == len(value) and all(_fits(*pair, found) for pair in zip(shape, value, strict=True))
    return shape == value
