"""Any system, by settings alone: how it signs, where in its bodies things stand, and how its tickets are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, TypeGuard

from pydantic import Field, SecretStr, model_validator

from service.core import model as m
from service.core.errors import Refused, Unreadable
from service.sources import presets
from service.sources.asking import TYPE, Asked, asked_in, clicked_at, removal_in
from service.sources.desk import Outside, Teller, Tellers
from service.sources.outcome import CHANNEL, OutcomeOptions, OutcomeWebhook
from service.sources.pointed import FORM_TYPE, MOST_PARTS, AskOptions, Event, events_in, ignored_in, placed
from service.sources.reading import json_object
from service.sources.schemes import Scheme, SignatureOptions
from service.sources.signing import secret_in
from service.sources.standard import ticket_in
from service.sources.telling import Access, Desk, TellOptions, check

_TICKET: Final = "ticket"
_OWN_FORM: Final = frozenset({"type", "timestamp", "data", "preview"})


class Options(OutcomeOptions):
    """What a source of any kind may say; a preset says most of it already, and whatever is set goes before that.

    Attributes:
        kind: `generic`, or the name of a preset.
        signature: how its deliveries prove themselves; Standard Webhooks where it is left out.
        ask: where its bodies say what; our own two forms where it is left out. Those are always understood.
        tell: how its desk is told.
        desk_url: where its desk is: the only address that is called for `tell`.
        desk_user: who we are there.
        desk_secret: the password, token or key of that user.
        reports: `ticket` writes on the ticket by `tell`, `webhook` posts to `outcome_url`; left out both do that can;
            an empty list tells nobody.
    """

    kind: str
    signature: SignatureOptions | None = None
    ask: AskOptions | None = None
    tell: TellOptions | None = None
    desk_url: str = Field(default="", repr=False)  # of some desks it holds a key
    desk_user: str = ""
    desk_secret: SecretStr = SecretStr("")
    reports: tuple[Literal["ticket", "webhook"], ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _begins_with_its_preset(cls, given: Any) -> Any:  # noqa: ANN401 - whatever stands in the settings
        kind = given.get("kind") if isinstance(given, Mapping) else None
        return presets.under(presets.preset(kind).options, given) if _is_preset(kind) else given

    @model_validator(mode="after")
    def _is_usable_as_a_whole(self) -> Options:
        for place, secret in enumerate(self.secrets, 1):
            try:
                self.secret_in(secret.get_secret_value())
            except ValueError as fault:
                raise ValueError(f"secrets: secret {place} of {len(self.secrets)}: {fault}") from None
        if self.reports and _TICKET in self.reports and self.tell is None:
            raise ValueError("tell: says how a ticket is told; set it, or leave ticket out of reports")
        if self.reports and CHANNEL in self.reports and not self.outcome_url:
            raise ValueError("outcome_url: needed to post outcomes; set it, or leave webhook out of reports")
        if self.tell is not None and _TICKET in self.channels:
            check(self.tell, self.access)
        if self.ask is not None:
            self._can_be_asked(self.ask)
        if CHANNEL in self.channels and self.signature is not None and self.outcome_secret is None:
            raise ValueError("outcome_secret: needed to sign outcomes: `secrets` are not of Standard Webhooks here")
        return self

    def _can_be_asked(self, ask: AskOptions) -> None:
        if ask.events is not None and 0 < self.rate < MOST_PARTS:
            # a longer list would be refused at the same event however often it is repeated
            raise ValueError(
                f"rate: each event of a list counts, and there may be {MOST_PARTS}: no less than that, or 0"
            )
        if ask.form and self.signature is not None and "{id}" in self.signature.content:
            # JSON cannot be cut into another JSON and a longer id; a form can
            raise ValueError("signature.content: holds no {id} where ask.form is said: the two could change places")

    @classmethod
    def _check(cls, secret: str) -> None:
        """Leave it to the whole: what a secret is depends on how it signs."""

    def secret_in(self, text: str) -> bytes:
        """Return the bytes of a secret of this source; raises ValueError where it cannot be used."""
        return self.signature.secret_in(text) if self.signature else secret_in(text)

    @property
    def scheme(self) -> Scheme:
        """What verifies its deliveries."""
        return self.signature.over(self.keys) if self.signature else self.keyring

    @property
    def access(self) -> Access:
        """Where its desk is."""
        return Access(self.desk_url, self.desk_user, self.desk_secret.get_secret_value())

    @property
    def channels(self) -> tuple[str, ...]:
        """How it is told."""
        if self.reports is not None:
            return self.reports
        can = {_TICKET: self.tell is not None and bool(self.desk_url), CHANNEL: bool(self.outcome_url)}
        return tuple(name for name, is_so in can.items() if is_so)


class Generic:
    """One system by its settings, both directions: a `core.ports.Source`."""

    def __init__(self, name: str, options: Options, outside: Outside) -> None:
        """Take the source's configured `name` and options; ways out are opened only where it is told something."""
        self.terms: Final = options.terms(name, options.channels)
        self.success_status: Final = options.success_status
        is_form = options.ask is not None and bool(options.ask.form)
        self.media_types: Final = frozenset({"application/json", *([FORM_TYPE] if is_form else [])})
        self._options = options
        self._scheme = options.scheme
        tellers: dict[str, Teller] = {}
        self._desk: Desk | None = None
        if options.tell is not None and _TICKET in options.channels:
            tellers[_TICKET] = self._desk = Desk(options.tell, options.access, outside)
        if CHANNEL in options.channels:
            tellers[CHANNEL] = OutcomeWebhook(options, outside)
        self._tellers = Tellers(tellers)

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove that the delivery comes from the system; see `Source.verify`."""
        return self._scheme.verify(delivery)

    def parse(
        self,
        delivery: m.Delivery,
        verified: m.Verified,  # noqa: ARG002 - the port's; what it stamps is not the click
    ) -> m.Removal | m.Ignored | m.Batch:
        """Read what is asked; see `Source.parse`."""
        ask = self._options.ask
        if ask is None or _is_own_form(delivery):
            asked = asked_in(delivery.body)
            return asked if isinstance(asked, m.Ignored) else self._removal(asked)
        events = events_in(ask, delivery.body)
        if isinstance(events, m.Ignored):
            return events
        if ask.events is None:
            return self._asked(ask, events[0])
        return m.Batch(tuple(m.Part(event.body, self._part(ask, event)) for event in events))

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        """Whether it is told already; see `Source.is_told`."""
        return await self._tellers.is_told(report, action)

    async def tell(self, report: m.Report, action: m.Action, note: str, deadline: float | None = None) -> m.Reply:
        """Write on the ticket, or post the outcome; see `Source.tell`."""
        return await self._tellers.tell(report, action, note, deadline)

    def _part(self, ask: AskOptions, event: Event) -> m.Removal | m.Ignored | str:
        try:
            return self._asked(ask, event)
        except Refused as refused:
            return refused.sentence

    def _asked(self, ask: AskOptions, event: Event) -> m.Removal | m.Ignored:
        if ignored := ignored_in(ask, event):
            return ignored
        try:
            return replace(self._removal(ask.found(event.value)), event_id=ask.id_of(event.value))
        except Unreadable as refused:
            raise placed(ask, refused) from None

    def _removal(self, asked: Asked) -> m.Removal:
        options = self._options
        ticket = ticket_in(asked.fields)
        if ticket and self._desk and not self._desk.names(ticket.reference):
            raise Unreadable("ticket is not what this source's desk calls one; see tell.ticket in its settings")
        event_at = clicked_at(asked, None, options.zone, may_be_untimed=options.untimed == "accept")
        return removal_in(asked, ticket, event_at)


def _is_own_form(delivery: m.Delivery) -> bool:
    """Whether a body is in our own form and nothing else: whoever writes that means it, whatever the system sends.

    Beside other fields it may have come out of one: many systems put a ticket's texts into a body unescaped.
    """
    try:
        values = json_object(delivery.body).values
    except Refused:
        return False
    return values.get("type") == TYPE and values.keys() <= _OWN_FORM


def _is_preset(kind: object) -> TypeGuard[str]:
    return isinstance(kind, str) and kind in presets.NAMES
