"""Any system that speaks Standard Webhooks: it asks by a signed webhook, and is told by one of ours."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import model_validator

from service.core import model as m
from service.sources.asking import asked_in, clicked_at, removal_in
from service.sources.desk import Outside, Tellers
from service.sources.outcome import CHANNEL, OutcomeOptions, OutcomeWebhook
from service.sources.reading import Fields

_TICKET_CHARS: Final = 200  # a link to a ticket has room
_PART_CHARS: Final = 80  # a table, a record's id, a number


class Options(OutcomeOptions):
    """What a source of Standard Webhooks must say.

    Attributes:
        reports: `webhook` posts the outcome; left out it does where there is an `outcome_url`.
    """

    kind: Literal["standard"]
    reports: tuple[Literal["webhook"], ...] | None = None

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
        self._tellers = Tellers({CHANNEL: OutcomeWebhook(options, outside)} if options.channels else {})

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
        return removal_in(asked, ticket_in(asked.fields), event_at)

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Return False: a receiver cannot be asked; see `OutcomeWebhook`."""
        return await self._tellers.is_told(report, action)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Post the outcome; see `Source.tell` and `OutcomeWebhook`."""
        return await self._tellers.tell(report, action, note, deadline)


def ticket_in(fields: Fields) -> m.Ticket | None:
    """Return the ticket in the sender's own words: `ticket`, else `table/sys_id`, else `number`; None for none."""
    table, sys_id = fields.word("table", _PART_CHARS), fields.word("sys_id", _PART_CHARS)
    number = fields.word("number", _PART_CHARS)
    reference = fields.word("ticket", _TICKET_CHARS) or "/".join(filter(None, (table, sys_id))) or number
    return m.Ticket(reference, number) if reference else None
