"""What each ticketing system sends for a click, and how it signs each try; beside the settings of its source."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

from service.sources.presets import NAMES, preset
from tests.sources.presets.vendors import SIGNERS, settings_of
from tests.sources.workspace import SIGNING, button, command, pressed

PHONE = "+14155550123"
NOBODY = "no-conversation-at-all"
SAMPLED = "0f9a1d4e-6a0e-4c2c-8d43-8b7f6c1f2a10"
KEY = base64.b64encode(b"thirty-two bytes of a play secret").decode()
OTHERS: Mapping[str, tuple[str, str]] = {
    "jira": ("jira:issue_updated", "jira:issue_created"),
    "pagerduty": ("incident.custom_field_values.updated", "incident.acknowledged"),
    "hubspot": ('"remove_caller"', '"hs_pipeline_stage"'),
    "teams": ("remove ", "what about "),
}
_TIME = re.compile(r"2026-11-20T09:00(:00)?(\.0+)?Z")


@dataclass(frozen=True)
class Click:
    """One click of an agent.

    Attributes:
        number: which it is; ids are made of it.
        cid: the conversation.
        at: when, in milliseconds.
        asks: `removal`, `nothing readable`, or `something else`.
    """

    number: int
    cid: str
    at: int
    asks: str = "removal"


@dataclass
class Letter:
    """One delivery, however often it is tried.

    Attributes:
        clicks: one; several where a system sends them together.
        tries: how often it was sent.
        began, ended: the seconds of its first and its last try.
        answers: status and body of what we said, in order, also where it was lost on the way.
        end: `taken`, `given up` or `dropped`, once it comes no more.
        signed: headers that the sender makes once and keeps.
    """

    clicks: tuple[Click, ...]
    tries: int = 0
    began: float = 0.0
    ended: float = 0.0
    answers: list[tuple[int, Any]] = field(default_factory=list)
    end: str = ""
    signed: Mapping[str, str] = field(default_factory=dict)


def kind_of(name: str) -> str:
    """Return the kind of source that a sender talks to."""
    return name.partition(" ")[0]


def settings_for(name: str, outcome_url: str) -> dict[str, Any]:
    """Return the settings of a sender's source."""
    kind = kind_of(name)
    if kind in NAMES:
        return settings_of(kind)
    if kind == "slack":
        return {"kind": kind, "org": "acme", "secrets": [SIGNING]}
    return {"kind": kind, "org": "acme", "secrets": [f"whsec_{KEY}"], "outcome_url": outcome_url}


def body_of(name: str, clicks: Sequence[Click], tries: int, ticket: str) -> bytes:
    """Return the bytes of a delivery; `ticket` is of ServiceNow."""
    kind = kind_of(name)
    texts = [_text(name, click, ticket) for click in clicks]
    if kind == "hubspot":
        if all(click.asks == "nothing readable" for click in clicks):
            return json.dumps(["no event"]).encode()  # of a list with one good event in it the rest is taken
        return f"[{','.join(text[1:-1].replace('_PTS', str(tries)) for text in texts)}]".encode()
    (text,) = texts
    return text.encode()


def headers_of(name: str, letter: Letter, body: bytes, now: int) -> Mapping[str, str]:
    """Return the headers of a try at the moment `now`."""
    kind, click = kind_of(name), letter.clicks[0]
    if kind in NAMES:
        sample = cast("Mapping[str, str]", preset(kind).sample.get("headers", {}))
        return {"Content-Type": "application/json", **sample, **SIGNERS[kind](body, now)}
    if kind == "slack":
        stamp = str(now // 1000)
        mac = hmac.new(SIGNING.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        media = "application/x-www-form-urlencoded"
        return {"Content-Type": media, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}"}
    if not letter.signed or kind == "standard":  # ServiceNow's script signs before the step that comes again
        stamp, key = str(now // 1000), base64.b64decode(KEY)
        mac64 = base64.b64encode(hmac.digest(key, f"msg-{click.number}.{stamp}.".encode() + body, hashlib.sha256))
        letter.signed = {
            "Content-Type": "application/json",
            "webhook-id": f"msg-{click.number}",
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{mac64.decode()}",
        }
    return letter.signed


def _text(name: str, click: Click, ticket: str) -> str:
    cid = NOBODY if click.asks == "nothing readable" else click.cid
    is_other = click.asks == "something else"
    kind = kind_of(name)
    if kind == "slack":
        return _slack(name, click, cid, is_other=is_other)
    if is_other and kind not in OTHERS:
        return json.dumps({"type": "ticket.updated", "data": {"number": click.number}})
    if kind not in NAMES:
        data = {"conversation_id": cid, "caller_phone": PHONE, "requested_by": "beth.anglin"}
        data |= {"table": "incident", "sys_id": ticket, "number": "INC0010112"} if kind == "servicenow" else {}
        said = {"type": "caller.remove", "data": data | ({} if kind == "servicenow" else {"ticket": "T-1"})}
        return json.dumps(said if kind == "servicenow" else said | {"timestamp": _written(click.at, ":00", ".000")})
    sample = preset(kind).sample
    text = str(sample["body"]).strip().replace(SAMPLED, cid)
    text = _TIME.sub(lambda found: _written(click.at, found[1] or "", found[2] or ""), text)
    text = text.replace("1795165200000", str(click.at)).replace("1795165200", str(click.at // 1000))
    if event_id := str(sample["asks"].get("event_id", "")):
        text = text.replace(event_id, f"{event_id[:-3]}{click.number:03}" if len(event_id) > 8 else f"{click.number}")
    text = text.replace('"eventId":3816279480', f'"eventId":{click.number}')
    text = text.replace('"attemptNumber":0', '"attemptNumber":_PTS')
    return text.replace(*OTHERS[kind]) if is_other else text


def _slack(name: str, click: Click, cid: str, *, is_other: bool) -> str:
    line, trigger = f"{cid} {PHONE}", f"3987.4744.{click.number:032x}"
    if name == "slack button":
        seconds, rest = divmod(click.at, 1000)
        action = pressed(line, "open_ticket" if is_other else "remove_caller", f"{seconds}.{rest:03}000")
        return button(trigger_id=trigger, actions=[action]).decode()
    return urlencode({"ssl_check": "1", "token": "-"}) if is_other else command(line, trigger_id=trigger).decode()


def _written(at: int, seconds: str, fraction: str) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S" if seconds else "%Y-%m-%dT%H:%M")
    return f"{text}{'.' + f'{at % 1000:03}'.ljust(len(fraction) - 1, '0') if fraction else ''}Z"
