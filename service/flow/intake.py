"""Verify, parse, accept: nothing is promised before the store said so, on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from service import telemetry
from service.core import model as m
from service.core.errors import BadSignature, Refused
from service.core.policy import bounds_of
from service.core.ports import Clock, Dice, Source, Store
from service.core.rules import Minted, action_for


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes deliveries for all configured sources.

    Attributes:
        terms_of: the terms of what a source asks, by its org and its name: who may ask, how often, whether it counts.
        backlog: how many actions of an org may be open before new ones are refused; 0 for any number.
    """

    sources: Mapping[str, Source]
    store: Store
    clock: Clock
    dice: Dice
    terms_of: Callable[[str, str], m.Terms]
    backlog: int = 0

    async def take(self, delivery: m.Delivery) -> m.Receipt | m.Ignored:
        """Take one delivery.

        Returns:
            The receipt once the action is stored or joined, or why an authentic delivery asks nothing of us.

        Raises:
            BadSignature: not proved to come from the source it names (or there is no such source).
            Malformed, Unreadable, Conflicting: authentic, and not to be taken.
            TooMany, BacklogFull: authentic, and not to be taken now.
            StoreDown: not stored: the sender still owns it.
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
    ) -> m.Receipt | m.Ignored:
        proved = self.clock.monotonic()
        removal = source.parse(delivery, verified)
        parsed = self.clock.monotonic()
        if isinstance(removal, m.Ignored):
            return removal
        fingerprint = f"secret {verified.secret_fingerprint}"
        entries = (
            m.Entry("verify", delivery.received_at, _ms(began, proved), note=fingerprint),
            m.Entry("parse", delivery.received_at, _ms(proved, parsed), note=removal.selector.kind),
        )
        terms = source.terms
        minted = Minted(self.dice.action_id(terms.org), self.dice.token())
        under = self.terms_of(terms.org, terms.name)
        offer = action_for(removal, delivery, verified, terms, under, minted, entries)
        receipt = await self.store.accept(replace(offer, bounds=bounds_of(offer, terms, self.backlog)))
        if receipt.is_runaway:
            telemetry.RUNAWAYS.labels(terms.name).inc()
            telemetry.emit(
                telemetry.Event.SOURCE_PAUSED, "error", source=terms.name, org=terms.org, action=receipt.action_id
            )
        return receipt

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
