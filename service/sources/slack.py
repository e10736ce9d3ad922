"""Slack: a slash command or a button asks, whoever clicked is answered, and a channel may read along."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from service.core import model as m
from service.outbound import origin_in
from service.sources.asking import Asked, clicked_at, removal_in
from service.sources.desk import Outside, Teller, Tellers
from service.sources.outcome import CHANNEL, OutcomeOptions, OutcomeWebhook
from service.sources.pointed import FORM_TYPE
from service.sources.schemes import SignatureOptions
from service.sources.slack_asking import BUTTON_FORM, sent_in
from service.sources.slack_telling import Channel, Place, Response
from service.sources.standard import ticket_in

_RESPONSE: Final = "response"
_PLACE: Final = "channel"
_WAIT_MOST: Final = 2  # seconds: Slack shows an error after three
# Slack repeats what was not answered by 2xx at once, after one minute and after five, and stamps each try anew
_REPEATS_MS: Final = 360_000
_RETRIED: Final = b"x-slack-retry-num"
_TOKEN: Final = re.compile(r"(xoxe\.)?xoxb-[A-Za-z0-9-]{1,300}", re.ASCII)
_CHANNEL: Final = re.compile(r"[CDG][A-Z0-9]{2,30}", re.ASCII)
_BUTTON: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
_SIGNATURE: Final = SignatureOptions(
    header="X-Slack-Signature",
    content="v0:{timestamp}" + ":{body}",  # in one piece it would read like a key of the store
    timestamp_header="X-Slack-Request-Timestamp",
    encoding="hex",
    prefix="v0=",
)
# Plain text in a block: whatever a sentence quotes of what was typed, no mention and no link comes of it.
_ANSWER: Final[dict[str, Any]] = {
    "response_type": "ephemeral",
    "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "{text}", "emoji": False}}],
}


class Options(OutcomeOptions):
    """What a source of Slack may say; `secrets` are the app's signing secret.

    Attributes:
        button: the `action_id` of the buttons that remove somebody.
        bot_token: of the app, to write into `channel`.
        channel: the id of the channel that reads along.
        api_url: where Slack's Web API is.
        reports: `response` answers whoever clicked; `channel` writes into the channel; `webhook` posts to
            `outcome_url`. Left out all three that can. With a channel that is not among them, that is told whom the
            response does not reach.
    """

    kind: Literal["slack"]
    success_status: int = 200
    unreadable_status: Literal[200, 422] = 200
    answer: dict[str, Any] | None = Field(default=_ANSWER)
    button: str = "remove_caller"
    bot_token: SecretStr = SecretStr("")
    channel: str = ""
    api_url: str = "https://slack.com"
    reports: tuple[Literal["response", "channel", "webhook"], ...] | None = None

    @classmethod
    def _check(cls, secret: str) -> None:
        _SIGNATURE.secret_in(secret)

    def secret_in(self, text: str) -> bytes:
        """Return the bytes of a secret of this source; raises ValueError where it cannot be used."""
        return _SIGNATURE.secret_in(text)

    @field_validator("button")
    @classmethod
    def _is_action_id(cls, text: str) -> str:
        if not _BUTTON.fullmatch(text):
            raise ValueError("is the action_id of the button, 1 to 255 characters without a space")
        return text

    @field_validator("api_url")
    @classmethod
    def _is_origin(cls, text: str) -> str:
        return str(origin_in(text))

    @model_validator(mode="after")
    def _can_tell(self) -> Options:
        token = self.bot_token.get_secret_value()
        if bool(token) != bool(self.channel):
            raise ValueError("bot_token and channel: are said together, or neither")
        if token and not _TOKEN.fullmatch(token):
            raise ValueError("bot_token: is the Bot User OAuth Token of the app, which begins with xoxb-")
        if self.channel and not _CHANNEL.fullmatch(self.channel):
            raise ValueError(
                "channel: is the id of a channel, like C024BE91L; it stands below in the channel's details"
            )
        told = self.reports or ()
        if _PLACE in told and not self.channel:
            raise ValueError("channel: needed to write into it; set it, or leave channel out of reports")
        if CHANNEL in told and not self.outcome_url:
            raise ValueError("outcome_url: needed to post outcomes; set it, or leave webhook out of reports")
        if CHANNEL in self.channels and self.outcome_secret is None:
            raise ValueError("outcome_secret: needed to sign outcomes: `secrets` are not of Standard Webhooks here")
        if self.wait > _WAIT_MOST:
            raise ValueError(f"wait: {_WAIT_MOST} s at most: Slack shows an error after three")
        return self

    @property
    def signature(self) -> SignatureOptions:
        """How Slack signs."""
        return _SIGNATURE

    @property
    def channels(self) -> tuple[str, ...]:
        """How it is told."""
        if self.reports is not None:
            return self.reports
        can = {_RESPONSE: True, _PLACE: bool(self.channel), CHANNEL: bool(self.outcome_url)}
        return tuple(name for name, is_so in can.items() if is_so)

    @property
    def place(self) -> Place | None:
        """The channel that reads along, or None."""
        return Place(self.api_url, self.bot_token.get_secret_value(), self.channel) if self.channel else None


class Slack:
    """One app of one workspace, both directions: a `core.ports.Source`."""

    media_types: Final = frozenset({FORM_TYPE, "application/json"})

    def __init__(self, name: str, options: Options, outside: Outside) -> None:
        """Take the source's configured `name` and options; ways out are opened only where it is told something."""
        told = options.channels
        self.terms: Final = replace(options.terms(name, told), unheard=BUTTON_FORM)
        self.success_status: Final = options.success_status
        self._options = options
        self._scheme = options.signature.over(options.keys)
        tellers: dict[str, Teller] = {}
        channel = Channel(options.place, outside) if options.place and {_PLACE, _RESPONSE} & set(told) else None
        if channel and _PLACE in told:
            tellers[_PLACE] = channel
        if _RESPONSE in told:
            tellers[_RESPONSE] = Response(outside, None if _PLACE in told else channel)
        if CHANNEL in told:
            tellers[CHANNEL] = OutcomeWebhook(options, outside)
        self._tellers = Tellers(tellers)

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that Slack signed these bytes for our app within the last five minutes; see `Source.verify`."""
        return self._scheme.verify(delivery)

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored:
        """Read what is asked; see `Source.parse`.

        A button says when it was clicked. A command does not, and counts from when Slack signed it: it is sent once, at
        once, and whoever typed it sees an error after three seconds. Should it be a repeat all the same, it was signed
        anew, and counts as old as the last repeat may be: then a duplicate is one, and what is new is too late.
        """
        sent = sent_in(delivery.body, self._options.button)
        if isinstance(sent, m.Ignored):
            return sent
        if isinstance(sent, Asked):
            options = self._options
            event_at = clicked_at(sent, None, options.zone, may_be_untimed=options.untimed == "accept")
            return removal_in(sent, ticket_in(sent.fields), event_at)
        event_at = _signed_at(delivery, verified) if sent.at is None else sent.at
        return replace(removal_in(sent.asked, sent.ticket, event_at), event_id=sent.trigger_id)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether it is told already; see `Source.is_told`."""
        return await self._tellers.is_told(report, action)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Answer the click, write into the channel, or post the outcome; see `Source.tell`."""
        return await self._tellers.tell(report, action, note, deadline)


def _signed_at(delivery: m.Delivery, verified: m.Verified) -> int | None:
    is_repeat = any(name == _RETRIED for name, _ in delivery.headers)
    stamped = verified.stamped_at
    return stamped - _REPEATS_MS if is_repeat and stamped is not None else stamped
