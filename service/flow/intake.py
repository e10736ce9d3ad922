"""Verify, parse, accept: nothing is promised before the store said so, on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from service import telemetry
from service.core import model as m
from service.core.errors import BadSignature, Conflicting, Refused, Unreadable
from service.core.policy import bounds_of
from service.core.ports import Clock, Dice, Source, Store
from service.core.rules import Minted, action_for
from service.flow.spans import Spent, of_delivery
from service.traces import Span, Spans


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes deliveries for all configured sources.

    Attributes:
        terms_of: the terms of what a source asks, by its org and its name: who may ask, how often, whether it counts.
        backlog: how many actions of an org may be open before new ones are refused; 0 for any number.
        spans: what is said in traces; nothing of what is not proved to come from its source: strangers would fill them.
    """

    sources: Mapping[str, Source]
    store: Store
    clock: Clock
    dice: Dice
    terms_of: Callable[[str, str], m.Terms]
    backlog: int = 0
    spans: Spans = field(default_factory=Spans)

    async def take(self, delivery: m.Delivery) -> m.Receipt | m.Ignored | Sequence[m.Receipt | m.Ignored | Refused]:
        """Take one delivery.

        Returns:
            The receipt once the action is stored or joined, or why an authentic delivery asks nothing of us; of a batch
            one of these for each part, or why it is refused.

        Raises:
            BadSignature: not proved to come from the source it names (or there is no such source).
            Malformed, Unreadable, Conflicting: authentic, and not to be taken.
            TooMany, BacklogFull: authentic, and not to be taken now.
            StoreDown: not stored: the sender still owns it. Of a batch some parts may be stored: those are duplicates
                when it comes again, as after TooMany and BacklogFull.
        """
        source = self.sources.get(delivery.source)
        if source is None:
            self._verify_in_vain(delivery)
            raise BadSignature("there is no such source")
        began = self.clock.monotonic()
        verified = source.verify(delivery)
        try:
            return await self._proved(source, delivery, verified, began)
        except Refused as refused:
            refused.secret_fingerprint = verified.secret_fingerprint
            raise

    async def _proved(
        self, source: Source, delivery: m.Delivery, verified: m.Verified, began: float
    ) -> m.Receipt | m.Ignored | Sequence[m.Receipt | m.Ignored | Refused]:
        proved = self.clock.monotonic()
        asked = source.parse(delivery, verified)
        moments = (began, proved, self.clock.monotonic())
        if isinstance(asked, m.Ignored):
            return asked
        if isinstance(asked, m.Removal):
            return await self._accept(source, asked, delivery, verified, moments)
        taken: list[m.Receipt | m.Ignored | Refused] = []
        for place, part in enumerate(asked.parts):
            if isinstance(part.asked, m.Ignored):
                taken.append(part.asked)
                continue
            # each is a delivery of its own: known again by its own id or bytes, not by what all of them share
            signed_id = verified.signed_id and f"{verified.signed_id}:{place}"
            one, proof = replace(delivery, body=part.body), replace(verified, signed_id=signed_id)
            try:
                if isinstance(part.asked, str):
                    raise Unreadable(part.asked)
                taken.append(await self._accept(source, part.asked, one, proof, moments))
            except (Unreadable, Conflicting) as refused:  # the others are no less wanted for it
                refused.secret_fingerprint = verified.secret_fingerprint
                taken.append(refused)
        return taken

    async def _accept(
        self,
        source: Source,
        removal: m.Removal,
        delivery: m.Delivery,
        verified: m.Verified,
        moments: tuple[float, float, float],
    ) -> m.Receipt:
        fingerprint = f"secret {verified.secret_fingerprint}"
        began, proved, parsed = moments
        entries = (
            m.Entry("verify", delivery.received_at, _ms(began, proved), note=fingerprint),
            m.Entry("parse", delivery.received_at, _ms(proved, parsed), note=removal.selector.kind),
        )
        terms = source.terms
        minted = Minted(self.dice.action_id(terms.org), self.dice.token())
        under = self.terms_of(terms.org, terms.name)
        offer = action_for(removal, delivery, verified, terms, under, minted, entries)
        came = m.trace_said(delivery.headers)
        asked_in = came and came.within("accept", offer.action_id)
        offer = replace(offer, bounds=bounds_of(offer, terms, self.backlog), asked_in=asked_in)
        asked = self.clock.monotonic()

        def spans(taken: m.Receipt | Exception) -> Iterator[Span]:
            # nothing of this is worked out where nobody keeps spans
            spent = Spent(*(_ms(began, moment) for moment in (proved, parsed, asked, self.clock.monotonic())))
            yield from of_delivery(offer, came, delivery.received_at, spent, taken)

        try:
            receipt = await self.store.accept(offer)
        except Exception as fault:
            self.spans.note(spans(fault))
            raise
        self.spans.note(spans(receipt))
        if receipt.is_runaway:
            telemetry.RUNAWAYS.labels(terms.name).inc()
            telemetry.emit(
                telemetry.Event.SOURCE_PAUSED, "error", source=terms.name, org=terms.org, action=receipt.action_id
            )
        return replace(receipt, trace_id=asked_in.id if asked_in else m.trace_id_of(offer.action_id))

    def _verify_in_vain(self, delivery: m.Delivery) -> None:
        # as much work as for a source that exists, so that the time tells nobody which names do
        for source in self.sources.values():
            try:
                source.verify(delivery)
            except BadSignature:
                return
            return


def _ms(began: float, ended: float) -> float:
    return round((ended - began) * 1000, 3)
