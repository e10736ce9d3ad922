"""A play Slack workspace: it signs what people click as Slack documents it, and takes what is told."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.core import model as m
from tests.sources.senders import CONVERSATION, NOW, PHONE, Heard

SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"  # the one of Slack's own documentation
BOT = "xoxb-not-a-token-but-a-play"
CHANNEL = "C024BE91L"
USER = "U2CERLKJA"
TRIGGER = "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
CANARY = "96rGlfmibCANARYcgZRskXaI"
REPLY = f"https://hooks.slack.com/commands/T1DC2JH3J/397700885554/{CANARY}"
PRESSED = f"https://hooks.slack.com/actions/T1DC2JH3J/397700885555/{CANARY}"
LINE = f"{CONVERSATION} {PHONE}"
OPTIONS: dict[str, object] = {"kind": "slack", "org": "acme", "secrets": [SIGNING]}
IN_CHANNEL: dict[str, object] = {"bot_token": BOT, "channel": CHANNEL}


def command(text: str = LINE, **changes: str | None) -> bytes:
    """Return the form of a slash command; None takes a field out."""
    fields: dict[str, str | None] = {
        "token": "xyzz0WbapA4vBCDEFasx0q6G",
        "team_id": "T1DC2JH3J",
        "team_domain": "testteamnow",
        "channel_id": CHANNEL,
        "channel_name": "foobar",
        "user_id": USER,
        "user_name": "roadrunner",
        "command": "/remove-caller",
        "text": text,
        "api_app_id": "A0KRD7HC3",
        "is_enterprise_install": "false",
        "response_url": REPLY,
        "trigger_id": TRIGGER,
    }
    return urlencode({name: value for name, value in (fields | changes).items() if value is not None}).encode()


def button(value: str = LINE, **changes: object) -> bytes:
    """Return the form of a click on a button; None takes a field of the payload out."""
    payload: dict[str, object] = {
        "type": "block_actions",
        "user": {"id": USER, "username": "roadrunner", "team_id": "T1DC2JH3J"},
        "api_app_id": "A0KRD7HC3",
        "container": {"type": "message", "message_ts": "1795165100.000100", "channel_id": CHANNEL},
        "trigger_id": TRIGGER,
        "team": {"id": "T1DC2JH3J", "domain": "testteamnow"},
        "enterprise": None,
        "channel": {"id": CHANNEL, "name": "foobar"},
        "message": {"type": "message", "text": "An unhappy caller\u2028is on the line", "blocks": [{"elements": [{}]}]},
        "state": {"values": {}},
        "response_url": PRESSED,
        "actions": [pressed(value)],
    }
    sent = {name: one for name, one in (payload | changes).items() if one is not None}
    return urlencode({"payload": json.dumps(sent, ensure_ascii=False)}).encode()


def pressed(value: object = LINE, action_id: str = "remove_caller", action_ts: str = "1795165200.000000") -> object:
    """Return one action of a payload."""
    text = {"type": "plain_text", "text": "Remove Caller", "emoji": True}
    return {
        "action_id": action_id,
        "block_id": "b1",
        "text": text,
        "value": value,
        "type": "button",
        "action_ts": action_ts,
    }


def delivery(
    body: bytes, *, secret: str = SIGNING, stamped_at: int = NOW, at: int = NOW, source: str = "desk", **headers: str
) -> m.Delivery:
    """Return a delivery signed as Slack signs; `headers` are added."""
    stamp = str(stamped_at // 1000).encode()
    mac = hmac.new(secret.encode(), b"v0:" + stamp + b":" + body, hashlib.sha256).hexdigest()
    media = b"application/json" if body.startswith(b"{") else b"application/x-www-form-urlencoded"
    more = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    signed = ((b"x-slack-request-timestamp", stamp), (b"x-slack-signature", b"v0=" + mac.encode()))
    return m.Delivery(source, ((b"content-type", media), *signed, *more), body, at)


def error(code: object, status: int = 200) -> Response:
    """Return an error as Slack says it: by a 200, mostly."""
    return JSONResponse({"ok": False, "error": code}, status)


class PlaySlack:
    """Takes answers to clicks and messages into channels, remembers them, and can lose what it says.

    Attributes:
        shown: what people were shown, by the path of the address.
        messages: what stands in the channel, the newest first.
        heard: every request.
        is_over: whether it is half an hour later, so that no click is answered any more.
        lost: how many answers are lost on their way, though what they answer is done.
        refusals: answers that are given instead of doing anything, in their order.
    """

    def __init__(self) -> None:
        self.shown: list[tuple[str, Mapping[str, object]]] = []
        self.messages: list[Mapping[str, object]] = []
        self.heard: list[Heard] = []
        self.is_over = False
        self.lost = 0
        self.refusals: list[Response] = []
        self.app = Starlette(
            routes=[
                Route("/api/chat.postMessage", self._guarded(self._post), methods=["POST"]),
                Route("/api/conversations.history", self._guarded(self._history), methods=["GET", "POST"]),
                Route("/{path:path}", self._guarded(self._show), methods=["POST"]),
            ]
        )

    def _guarded(self, answer: Callable[[Heard], Response]) -> Callable[[Request], object]:
        async def hear(request: Request) -> Response:
            raw = bytes(request.scope["raw_path"]).decode()
            heard = Heard(request.method, raw, request.url.query, dict(request.headers), await request.body())
            self.heard.append(heard)
            if self.refusals:
                return self.refusals.pop(0)
            answered = answer(heard)
            if self.lost and heard.method == "POST":
                self.lost -= 1
                return Response("upstream connect error", 502)
            return answered

        return hear

    def _post(self, heard: Heard) -> Response:
        if heard.headers.get("authorization") != f"Bearer {BOT}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        said = json.loads(heard.body)
        if said["channel"] != CHANNEL:
            return JSONResponse({"ok": False, "error": "channel_not_found"})
        self.messages.insert(0, {"ts": f"1795165201.{len(self.messages):06}", **said})
        return JSONResponse({"ok": True, "channel": CHANNEL, "ts": self.messages[0]["ts"]})

    def _history(self, heard: Heard) -> Response:
        return JSONResponse({"ok": True, "messages": self.messages, "has_more": False})

    def _show(self, heard: Heard) -> Response:
        if self.is_over:
            return error("expired_url")
        self.shown.append((heard.path, json.loads(heard.body)))
        return PlainTextResponse("ok")
