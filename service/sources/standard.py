"""Any system that speaks Standard Webhooks: it asks by a signed webhook, and is told by one of ours."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from service.core import model as m
from service.core.errors import Rejected
from service.outbound import Asked, Rule, origin_in
from service.sources.asking import asked_in, clicked_at, removal_in
from service.sources.desk import Outside, reply_in
from service.sources.options import SourceOptions
from service.sources.reading import Fields
from service.sources.signing import secret_in, signed

OUTCOME_TYPE: Final = "removal.settled"
_TICKET_CHARS: Final = 200  # a link to a ticket has room
_PART_CHARS: Final = 80  # a table, a record's id, a number
# What needs no escape in a URL: what we send is then byte for byte what was configured, and the guard can compare it.
_PATH: Final = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_.~:@!$&'()*+,;=-]*)*", re.ASCII)
_QUERY: Final = re.compile(r"([A-Za-z0-9_.~:@!$&()*+,;=/?-]|%[0-9A-F]{2})*", re.ASCII)
_ADVICE: Final[Mapping[int, str]] = {
    401: "the receiver does not take our signature: is outcome_secret the one it knows?",
    403: "the receiver does not let us in: is outcome_secret the one it knows?",
    404: "there is nothing at outcome_url",
    410: "the receiver wants no more webhooks at outcome_url",
}


class Options(SourceOptions):
    """What a source of Standard Webhooks must say.

    Attributes:
        outcome_url: where outcomes are posted; "" posts none.
        outcome_secret: what outcomes are signed with. Left out it is the first of `secrets`: whoever holds that can
            ask for removals, so knowing it for outcomes gives away nothing more; and one of the two, sent to the
            other's address, is an event of another type.
        reports: `webhook` posts the outcome; left out it does where there is an `outcome_url`.
    """

    kind: Literal["standard"]
    outcome_url: str = Field(default="", repr=False)  # a query can hold a key
    outcome_secret: SecretStr | None = None
    reports: tuple[Literal["webhook"], ...] | None = None

    @field_validator("outcome_url")
    @classmethod
    def _is_address(cls, text: str) -> str:
        if text:
            _address(text)
        return text

    @field_validator("outcome_secret")
    @classmethod
    def _is_usable(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            secret_in(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _can_tell(self) -> Options:
        if self.reports and not self.outcome_url:
            raise ValueError("outcome_url: needed to post outcomes; set it, or say reports = [] to tell nobody")
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        """How it is told."""
        if self.reports is None:
            return ("webhook",) if self.outcome_url else ()
        return self.reports

    @property
    def outcome_key(self) -> bytes:
        """The bytes outcomes are signed with."""
        return secret_in(self.outcome_secret.get_secret_value()) if self.outcome_secret else self.keys[0]


class StandardWebhooks:
    """One system of Standard Webhooks, both directions: a `core.ports.Source`."""

    media_types: Final = frozenset({"application/json"})

    def __init__(self, name: str, options: Options, outside: Outside) -> None:
        """Take the source's configured `name` and options; a way out is opened only where outcomes are posted."""
        self.terms: Final = options.terms(name, options.channels)
        self.success_status: Final = options.success_status
        self._options = options
        self._keyring = options.keyring
        self._zone = options.zone
        self._clock = outside.clock
        self._caller = outside.open_caller([_rule(options)]) if options.channels else None

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that the sender signed these bytes within the last five minutes; see `Source.verify`."""
        return self._keyring.verify(delivery)

    def parse(
        self,
        delivery: m.Delivery,
        verified: m.Verified,  # noqa: ARG002 - the port's; what it stamps is not the click
    ) -> m.Removal | m.Ignored:
        """Read what is asked; see `Source.parse`.

        Only a time in the body counts as the click: senders of Standard Webhooks stamp each retry anew.
        """
        asked = asked_in(delivery.body)
        if isinstance(asked, m.Ignored):
            return asked
        event_at = clicked_at(asked, None, self._zone, may_be_untimed=self._options.untimed == "accept")
        return removal_in(asked, _ticket(asked.fields), event_at)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:  # noqa: ARG002 - the port's
        """Return False: a receiver cannot be asked. It knows a repeat by its webhook-id, which stays the same."""
        return False

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Post the outcome; see `Source.tell`. Any 2xx is a yes; repeats carry the same webhook-id."""
        if self._caller is None or action.outcome is None:
            raise Rejected("this source is told nothing: it has no outcome_url, or the action no outcome")
        body = json.dumps(_event(report, action, action.outcome, note), separators=(",", ":")).encode()
        webhook_id = _webhook_id(report, action, action.outcome)
        headers = signed(self._options.outcome_key, webhook_id, self._clock.now(), body)
        headers["content-type"] = "application/json"
        answered = await self._caller.send(Asked("POST", self._options.outcome_url, headers, body, deadline))
        return reply_in(answered, _ADVICE, is_repeat_safe=True)


def _address(text: str) -> Rule:
    """Return the one shape of request that may leave for this address.

    Raises:
        ValueError: it is no address that calls may go to. The sentence does not hold its query.
    """
    if not text.isascii() or not text.isprintable():
        raise ValueError("outcome_url is plain ASCII; escape what is not")
    parts = urlsplit(text)
    if parts.port == 0:  # asking for it also refuses ports that are no number up to 65535
        raise ValueError("port 0 of outcome_url is nobody's")
    origin = origin_in(f"{parts.scheme}://{parts.netloc}")
    if not _PATH.fullmatch(parts.path):
        raise ValueError("the path of outcome_url holds what a URL must escape; choose a plainer address")
    if not _QUERY.fullmatch(parts.query) or text.count("?") != bool(parts.query):
        raise ValueError("the query of outcome_url holds what a URL must escape")
    if "#" in text:
        raise ValueError("outcome_url has a fragment (#); leave it out")
    query = re.compile(re.escape(parts.query.encode())) if parts.query else None
    return Rule("POST", origin, re.compile(re.escape(parts.path.encode() or b"/")), _is_outcome, query)


def _rule(options: Options) -> Rule:
    return _address(options.outcome_url)


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
        "timestamp": _moment(action.settled_at),
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
            "clicked_at": _moment(action.clicked_at),
            "received_at": _moment(action.received_at),
            "replay_of": action.replay_of,
        },
    }


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ticket(fields: Fields) -> m.Ticket | None:
    """Return the ticket in the sender's own words: `ticket`, else `table/sys_id`, else `number`; None for none."""
    table, sys_id = fields.word("table", _PART_CHARS), fields.word("sys_id", _PART_CHARS)
    number = fields.word("number", _PART_CHARS)
    reference = fields.word("ticket", _TICKET_CHARS) or "/".join(filter(None, (table, sys_id))) or number
    return m.Ticket(reference, number) if reference else None
