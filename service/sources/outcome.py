"""The signed outcome: a webhook of ours, by Standard Webhooks, for any source that names an address for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from service.core import model as m
from service.core.errors import Rejected
from service.outbound import Asked, Rule, origin_in
from service.sources.desk import Outside, reply_in
from service.sources.options import SourceOptions
from service.sources.signing import secret_in, signed

OUTCOME_TYPE: Final = "removal.settled"
CHANNEL: Final = "webhook"
# What needs no escape in a URL: what we send is then byte for byte what was configured, and the guard can compare it.
_PATH: Final = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_.~:@!$&'()*+,;=-]*)*", re.ASCII)
_QUERY: Final = re.compile(r"([A-Za-z0-9_.~:@!$&()*+,;=/?-]|%[0-9A-F]{2})*", re.ASCII)
_ADVICE: Final[Mapping[int, str]] = {
    401: "the receiver does not take our signature: is outcome_secret the one it knows?",
    403: "the receiver does not let us in: is outcome_secret the one it knows?",
    404: "there is nothing at outcome_url",
    410: "the receiver wants no more webhooks at outcome_url",
}


class OutcomeOptions(SourceOptions):
    """What a source may say of the outcome webhook.

    Attributes:
        outcome_url: where outcomes are posted; "" posts none.
        outcome_secret: what outcomes are signed with. Left out it is the first of `secrets`, where that is one of
            Standard Webhooks: whoever holds that can ask for removals, so knowing it for outcomes gives away nothing
            more; and one of the two, sent to the other's address, is an event of another type.
    """

    outcome_url: str = Field(default="", repr=False)  # a query can hold a key
    outcome_secret: SecretStr | None = None

    @field_validator("outcome_url")
    @classmethod
    def _is_address(cls, text: str) -> str:
        if text:
            rule_for("outcome_url", text)
        return text

    @field_validator("outcome_secret")
    @classmethod
    def _is_usable(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            secret_in(secret.get_secret_value())
        return secret

    @property
    def outcome_key(self) -> bytes:
        """The bytes outcomes are signed with."""
        return secret_in(self.outcome_secret.get_secret_value()) if self.outcome_secret else self.keys[0]


class OutcomeWebhook:
    """Posts the outcomes of one source to its `outcome_url`."""

    def __init__(self, options: OutcomeOptions, outside: Outside) -> None:
        """Open a way out to exactly that address."""
        self._options = options
        self._clock = outside.clock
        self._caller = outside.open_caller([rule_for("outcome_url", options.outcome_url, _is_outcome)])

    async def is_told(self, report: m.Report, action: m.Action) -> bool:  # noqa: ARG002 - as every desk
        """Return False: a receiver cannot be asked. It knows a repeat by its webhook-id, which stays the same."""
        return False

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Post the outcome; see `Source.tell`. Any 2xx is a yes; repeats carry the same webhook-id."""
        if action.outcome is None:
            raise Rejected("the action has no outcome to post")
        body = json.dumps(_event(report, action, action.outcome, note), separators=(",", ":")).encode()
        webhook_id = _webhook_id(report, action, action.outcome)
        headers = signed(self._options.outcome_key, webhook_id, self._clock.now(), body)
        headers["content-type"] = "application/json"
        answered = await self._caller.send(Asked("POST", self._options.outcome_url, headers, body, deadline))
        return reply_in(answered, _ADVICE, is_repeat_safe=True)


def rule_for(name: str, text: str, body: Callable[[bytes], bool] | bytes = b"") -> Rule:
    """Return the one shape of request that may leave for the address `text`, which the setting `name` says.

    Raises:
        ValueError: it is no address that calls may go to. The sentence does not hold its query.
    """
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{name} is plain ASCII; escape what is not")
    parts = urlsplit(text)
    if parts.port == 0:  # asking for it also refuses ports that are no number up to 65535
        raise ValueError(f"port 0 of {name} is nobody's")
    origin = origin_in(f"{parts.scheme}://{parts.netloc}")
    if not _PATH.fullmatch(parts.path):
        raise ValueError(f"the path of {name} holds what a URL must escape; choose a plainer address")
    if not _QUERY.fullmatch(parts.query) or text.count("?") != bool(parts.query):
        raise ValueError(f"the query of {name} holds what a URL must escape")
    if "#" in text:
        raise ValueError(f"{name} has a fragment (#); leave it out")
    query = re.compile(re.escape(parts.query.encode())) if parts.query else None
    return Rule("POST", origin, re.compile(re.escape(parts.path.encode() or b"/")), body, query)


def _is_outcome(body: bytes) -> bool:
    """Whether a body is one that `_event` made."""
    return body.startswith(f'{{"type":"{OUTCOME_TYPE}",'.encode())


def _webhook_id(report: m.Report, action: m.Action, outcome: m.Outcome) -> str:
    """Return an id that is the same for every repeat of this report, and no other's.

    Action and outcome, with colons: a signed id must not hold a full stop (signing.py), and an action's id does. A
    second ticket, told because its click joined this action, is another event and adds its own mark.
    """
    parts = [action.id.replace(".", ":"), outcome.kind.value]
    if report.ticket is not None and report.ticket != action.removal.ticket:
        parts.append(hashlib.sha256(report.ticket.reference.encode()).hexdigest()[:16])
    return ":".join(parts)


def _event(report: m.Report, action: m.Action, outcome: m.Outcome, note: str) -> dict[str, object]:
    ticket = report.ticket or action.removal.ticket
    reply = outcome.reply
    return {
        "type": OUTCOME_TYPE,
        "timestamp": moment(action.settled_at),
        "data": {
            "action_id": action.id,
            "outcome": outcome.kind.value,
            "reason": outcome.reason,
            "conversation_id": action.removal.conversation_id,
            "ticket": {"reference": ticket.reference, "label": ticket.label} if ticket else None,
            "note": note,
            "purpose": outcome.purpose,
            "state_seen": outcome.state_seen,
            "bystanders": dict(outcome.bystanders),
            "remaining": dict(outcome.remaining),
            "vanished": dict(outcome.vanished),
            "candidates": list(outcome.candidates),
            "is_back": outcome.is_back,
            "allowed_by": outcome.allowed_by,
            "genesys": {"status": reply.status, "code": reply.code, "correlation_id": reply.correlation_id}
            if reply
            else None,
            "clicked_at": moment(action.clicked_at),
            "received_at": moment(action.received_at),
            "replay_of": action.replay_of,
        },
    }


def moment(at: int) -> str:
    """Return milliseconds since the epoch as RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
