"""ServiceNow: its script signs by Standard Webhooks, and is told in the work notes of the record it sent."""

from __future__ import annotations

import re
from typing import Final, Literal

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator

from service.core import model as m
from service.core.errors import Unreadable
from service.outbound import origin_in
from service.sources.asking import asked_in, clicked_at, removal_in
from service.sources.desk import Outside, Teller, Tellers
from service.sources.outcome import CHANNEL, OutcomeOptions, OutcomeWebhook
from service.sources.reading import Fields
from service.sources.servicenow_login import Credentials
from service.sources.servicenow_notes import RECORD, Instance, Notes

_TICKET: Final = "ticket"
_TABLE_CHARS: Final = 80  # as long as the desk lets a table's name be
_NUMBER_CHARS: Final = 40  # and a record's number
# A resource of ours has a namespace, its API's name and its own path; `/api/now/` is the vendor's own.
_OUTCOME_PATH: Final = re.compile(r"/api/(?!now/)[A-Za-z0-9_-]{1,80}(/[A-Za-z0-9_-]{1,80}){2,4}", re.ASCII)


class Options(OutcomeOptions):
    """What a ServiceNow source must say.

    Attributes:
        instance_url: the instance, like `https://acme.service-now.com`: the only address its notes go to.
        username: the user that writes the notes, however it logs in; deliveries that this user caused are ignored.
        password: of that user, for HTTP Basic; beside `client_id`, for the OAuth grant of that name.
        client_id, client_secret: of an OAuth client of the instance; without a password, of its client credentials.
        api_key: a key for the instance's REST API.
        outcome_path: the path of our resource there, like `/api/x_acme_onhook/onhook/outcome`; "" writes by the Table
            API.
        reports: `ticket` writes the outcome on the record, `webhook` posts it to `outcome_url`; left out the first, and
            the second where there is an `outcome_url`; an empty list tells nobody.
    """

    kind: Literal["servicenow"]
    instance_url: str = ""
    password: SecretStr = SecretStr("")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    api_key: SecretStr = SecretStr("")
    username: str = ""  # behind what tells whether it is sent by HTTP Basic
    outcome_path: str = ""
    reports: tuple[Literal["ticket", "webhook"], ...] | None = None

    @field_validator("instance_url")
    @classmethod
    def _is_origin(cls, text: str) -> str:
        return str(origin_in(text)) if text else ""

    @field_validator("username")
    @classmethod
    def _fits_basic(cls, username: str, info: ValidationInfo) -> str:
        if ":" in username and not info.data.get("client_id") and info.data.get("password"):
            raise ValueError("a user name with a colon cannot be sent by HTTP Basic")
        return username

    @field_validator("outcome_path")
    @classmethod
    def _is_path(cls, text: str) -> str:
        if text and not _OUTCOME_PATH.fullmatch(text):
            raise ValueError(
                "outcome_path is the path that the form of the resource shows, like /api/x_acme_onhook/onhook/outcome; "
                "leave it out to write by the Table API"
            )
        return text

    @model_validator(mode="after")
    def _can_tell(self) -> Options:
        if fault := self.credentials.fault():
            raise ValueError(fault)
        missing = [name for name in ("instance_url",) if not self.instance_url]
        missing += self.credentials.missing
        if _TICKET in self.channels and missing:
            raise ValueError(
                f"{', '.join(missing)}: needed to write on tickets; set it, or say reports = [] to tell nobody"
            )
        if CHANNEL in self.channels and not self.outcome_url:
            raise ValueError("outcome_url: needed to post outcomes; set it, or leave webhook out of reports")
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        """How it is told."""
        if self.reports is not None:
            return self.reports
        return (_TICKET, CHANNEL) if self.outcome_url else (_TICKET,)

    @property
    def credentials(self) -> Credentials:
        """How our user logs in."""
        return Credentials(self.username, self.password, self.client_id, self.client_secret, self.api_key)

    @property
    def instance(self) -> Instance:
        """Where records are told, and as whom."""
        return Instance(origin_in(self.instance_url), self.credentials, self.outcome_path)


class ServiceNow:
    """One ServiceNow instance, both directions: a `core.ports.Source`."""

    media_types: Final = frozenset({"application/json"})

    def __init__(self, name: str, options: Options, outside: Outside) -> None:
        """Take the source's configured `name` and options; a way out is opened only where tickets are told."""
        self.terms: Final = options.terms(name, options.channels)
        self.success_status: Final = options.success_status
        self._options = options
        self._keyring = options.keyring
        self._zone = options.zone
        tellers: dict[str, Teller] = {}
        if _TICKET in options.channels:
            tellers[_TICKET] = Notes(options.instance, outside)
        if CHANNEL in options.channels:
            tellers[CHANNEL] = OutcomeWebhook(options, outside)
        self._tellers = Tellers(tellers)

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that the script signed these bytes within the last five minutes; see `Source.verify`."""
        return self._keyring.verify(delivery)

    def parse(self, delivery: m.Delivery, verified: m.Verified) -> m.Removal | m.Ignored:
        """Read what is asked; see `Source.parse`.

        The stamp counts as the time of the click where the body says none: the script stamps once per click. What our
        own user caused is ignored: our note fires the desk's rules again, and they must not send us our own echo.
        """
        asked = asked_in(delivery.body)
        if isinstance(asked, m.Ignored):
            return asked
        if self._is_ours(asked.requester) or self._is_ours(asked.actor):
            return m.Ignored("sent because of our own note: the actor is the user that writes our notes")
        may_be_untimed = self._options.untimed == "accept"
        event_at = clicked_at(asked, verified.stamped_at, self._zone, may_be_untimed=may_be_untimed)
        return removal_in(asked, _ticket(asked.fields), event_at)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether the record holds a note of this action, as far as that can be seen; see `Source.is_told`."""
        return await self._tellers.is_told(report, action)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Append `note` to the record's work notes, or post the outcome; see `Source.tell`."""
        return await self._tellers.tell(report, action, note, deadline)

    def _is_ours(self, name: str) -> bool:
        return bool(name) and name.casefold() == self._options.username.casefold()


def _ticket(fields: Fields) -> m.Ticket | None:
    """Return the record that asked, or None when the body names none.

    Raises:
        Unreadable: it names one by halves, or not as table and sys_id.
    """
    number = fields.word("number", _NUMBER_CHARS)
    parts = (fields.word("table", _TABLE_CHARS), fields.word("sys_id", _TABLE_CHARS))
    whole = fields.word("ticket", 2 * _TABLE_CHARS)
    if not (number or whole or any(parts)):
        return None
    named = {text for text in (whole, "/".join(parts) if any(parts) else "") if text}
    reference = named.pop() if len(named) == 1 else ""
    if not RECORD.fullmatch(reference):
        raise Unreadable(
            "the ticket is named by table (like incident) and sys_id (32 hex digits), both or neither; "
            'or as "ticket":"incident/<sys_id>"; number alone does not lead to it'
        )
    return m.Ticket(reference, number)
