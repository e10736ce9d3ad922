"""How Slack is told: whoever clicked, at the address that came with the click; and a channel, as our app."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from service.core import model as m
from service.core.errors import Refused, Rejected, Throttled, Unclear, Upstream
from service.core.filling import fill, is_filled
from service.outbound import Answered, Asked, Rule, origin_in
from service.sources.desk import Outside, reply_in
from service.sources.reading import json_object, shown
from service.sources.slack_asking import REPLY_HOST, REPLY_PATH

EVENT_TYPE: Final = "onhook_removal_settled"
_MARGIN_SECONDS: Final = 60  # by which Slack's clock may be behind ours
_BUSY_SECONDS: Final = 30.0
_CODE_CHARS: Final = 100
_HOLES: Final = frozenset({"note", "action", "report"})
_USER: Final = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_RESPONSE: Final[Mapping[str, object]] = {
    "response_type": "ephemeral",
    "replace_original": False,
    "text": "{note}",
    "mrkdwn": False,
}
_OVER: Final = "Slack takes no answer to this click any more: it does for half an hour, and five times"
_ADVICE: Final[Mapping[int, str]] = {404: _OVER, 410: _OVER}
# What Slack says with a 200. The statuses are those that other desks say it with: who is let in later is told then.
_MENDABLE: Final[Mapping[str, tuple[int, str]]] = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        (401, "Slack does not know bot_token: take the one that is shown where the app is installed"),
    ),
    **dict.fromkeys(
        ("missing_scope", "no_permission", "not_allowed_token_type"),
        (403, "the app may not write: give it the scope chat:write, and install it again"),
    ),
    **dict.fromkeys(
        ("not_in_channel", "channel_not_found", "restricted_action"),
        (403, "the app is not in the channel: invite it there, and check channel"),
    ),
}
_BUSY: Final = frozenset({"ratelimited", "rate_limited"})
_PERHAPS: Final = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, and who we are there.

    Attributes:
        api: the origin of Slack's Web API.
        token: of our app.
        channel: its id.
    """

    api: str
    token: str = field(repr=False)
    channel: str


class Channel:
    """Writes into one channel by `chat.postMessage`, and looks into it before a repeat."""

    def __init__(self, place: Place, outside: Outside) -> None:
        """Open a way out to exactly that channel."""
        self._place = place
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"action": "{action}", "report": "{report}"}}
        self._message: Mapping[str, object] = {
            "channel": place.channel,
            "text": "{note}",
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": metadata,
        }
        origin = origin_in(place.api)
        look = re.escape(_look_for(place.channel, 0).encode()).replace(rb"oldest=0\.", rb"oldest=[0-9]{1,12}\.")
        self._caller = outside.open_caller(
            [
                Rule("POST", origin, re.compile(rb"/api/chat\.postMessage"), _like(self._message)),
                Rule("GET", origin, re.compile(rb"/api/conversations\.history"), query=re.compile(look)),
            ]
        )

    async def is_told(self, report: m.Report, action: m.Action) -> bool:  # noqa: ARG002 - as every desk
        """Whether a message of ours for this report is among the newest two hundred since it was due.

        False also where we may not look (`channels:history`), so that it is written then.

        Raises:
            Upstream: Slack could not be asked.
        """
        since = max(report.first_due_at // 1000 - _MARGIN_SECONDS, 0)
        url = f"{self._place.api}/api/conversations.history?{_look_for(self._place.channel, since)}"
        answered = await self._caller.send(Asked("GET", url, self._proof))
        try:
            _refuse(answered)
        except Rejected:
            return False
        # it stands in the metadata of our message alone: nobody reads it, and so nobody quotes it
        return report.id.encode() in answered.body

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Write `note` into the channel, with the name of whoever clicked; see `Source.tell`."""
        who = action.removal.requester if report.ticket == action.removal.ticket else ""
        mention = f"<@{who}> " if _USER.fullmatch(who) else ""
        text = mention + _note(note, action)
        body = _bytes(fill(self._message, {"note": text, "action": action.id, "report": report.id}))
        url = f"{self._place.api}/api/chat.postMessage"
        answered = await self._caller.send(Asked("POST", url, {**_JSON, **self._proof}, body, deadline))
        reply = _refuse(answered)
        if _said(answered.body).get("ok") is not True:
            raise Unclear(f"{answered.status}: that is no answer of Slack's", m.Reply(answered.status))
        return reply

    @property
    def _proof(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._place.token}"}


class Response:
    """Answers whoever clicked, at the address that came with the click."""

    def __init__(self, outside: Outside, instead: Channel | None) -> None:
        """Open a way out to such addresses; where one is used up or missing, `instead` is told."""
        self._instead = instead
        path = re.compile(REPLY_PATH.pattern.encode(), re.ASCII)
        self._caller = outside.open_caller([Rule("POST", origin_in(REPLY_HOST), path, _like(_RESPONSE))])

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether it was told in the channel instead. What only one person sees cannot be looked at."""
        return self._instead is not None and await self._instead.is_told(report, action)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Show `note` to whoever clicked; see `Source.tell`. After a lost answer it may be shown a second time."""
        try:
            return await self._respond(report, action, note, deadline)
        except Rejected:
            if self._instead is None:
                raise
        return await self._instead.tell(report, action, note, deadline)

    async def _respond(self, report: m.Report, action: m.Action, note: str, deadline: float | None) -> m.Reply:
        path = report.ticket.reply_to if report.ticket else ""
        if not REPLY_PATH.fullmatch(path):
            raise Rejected("Slack gave no address to answer this click at; set bot_token and channel")
        body = _bytes(fill(_RESPONSE, {"note": _note(note, action)}))
        answered = await self._caller.send(Asked("POST", REPLY_HOST + path, _JSON, body, deadline))
        return _refuse(answered, _OVER)


def escaped(text: str) -> str:
    """Return `text` as Slack shows it: no mention, no link, no entity comes of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _note(note: str, action: m.Action) -> str:
    return escaped(note if action.id in note else f"{note} [{action.id}]")


def _bytes(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _look_for(channel: str, since: int) -> str:
    """Return the query that asks for a channel's newest messages since a second."""
    return urlencode({"channel": channel, "include_all_metadata": "true", "limit": "200", "oldest": f"{since}.000000"})


def _like(template: Mapping[str, object]) -> Callable[[bytes], bool]:
    def is_like(body: bytes) -> bool:
        try:
            return is_filled(template, json.loads(body), _HOLES)
        except ValueError:
            return False

    return is_like


def _said(body: bytes) -> Mapping[str, object]:
    try:
        return json_object(body).values
    except Refused:
        return {}


def _refuse(answered: Answered, otherwise: str = "Slack refused it") -> m.Reply:
    """Return the reply of a yes, which an error in a 200 is not.

    Raises:
        Throttled, Unclear, Rejected: as `reply_in` says them of other desks; `otherwise` is said of an unknown error.
    """
    reply = reply_in(answered, _ADVICE)
    said = _said(answered.body)
    if said.get("ok") is not False:
        return reply
    given = said.get("error")
    code = shown(given[:_CODE_CHARS]) if isinstance(given, str) else "no reason"
    raise _fault(code, otherwise)


def _fault(code: str, otherwise: str) -> Upstream:
    if code in _BUSY:
        return Throttled(f"Slack is busy ({code})", m.Reply(429, code), retry_after_seconds=_BUSY_SECONDS)
    if code in _PERHAPS:
        return Unclear(f"Slack failed ({code})", m.Reply(500, code))
    status, advice = _MENDABLE.get(code, (200, otherwise))
    return Rejected(f"{advice} ({code})", m.Reply(status, code))
