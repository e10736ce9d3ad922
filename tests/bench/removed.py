"""Actions as a ServiceNow desk makes them, brought to their end by the steps of production."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections import Counter
from dataclasses import dataclass

from service.core import model as m
from service.core.errors import Reply
from service.core.rules import Minted, action_for
from service.store import terms
from service.store.redis import RedisStore
from tests.fixtures.redis import HandClock

ORG, SOURCE, WORKER = "acme", "servicenow", "w-onhook-work-1:7:a3f1"
AT_ONCE = 100  # what one claim looks at
AGENTS = ("beth.anglin", "david.loo", "luke.wilson", "fred.luddy")
OTHERS = ("agent", "agent", "external")
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # of an action's id
PACE = 0.6  # seconds: a hundred removals a minute are what Genesys lets an org do


@dataclass
class Removed:
    """Clicks on a conference of four: who is named is removed, and the ticket is told. Nobody is called for it.

    The store has the same clock, which is moved on at the pace at which an org may remove somebody.
    """

    store: RedisStore
    clock: HandClock
    made: int = 0

    async def make(self, actions: int) -> None:
        """Bring so many actions to their end, each told to its ticket."""
        for first in range(0, actions, AT_ONCE):
            offers = [self._offer() for _ in range(min(AT_ONCE, actions - first))]
            await asyncio.gather(*(self.store.accept(offer) for offer in offers))
            claims = await self.store.claim(ORG, WORKER, secrets.token_hex(16), AT_ONCE)
            await asyncio.gather(*(self._end(claim) for claim in claims))
            while told := await self.store.claim_reports(ORG, WORKER, secrets.token_hex(16), AT_ONCE):
                await asyncio.gather(*(self._tell(claim) for claim in told))
            self.clock.move(PACE * len(offers))

    def _offer(self) -> m.Offer:
        self.made += 1
        now = self.clock.now()
        action_id = f"{ORG}.{terms.moment(now)}{''.join(secrets.choice(DIGITS) for _ in range(16))}"
        removal = m.Removal(
            conversation_id=str(uuid.uuid4()),
            selector=m.Selector(m.SelectorKind.PHONE, f"+1415{secrets.randbelow(10**7):07d}"),
            ticket=m.Ticket(f"incident/{uuid.uuid4().hex}", f"INC{self.made:07d}"),
            requester=AGENTS[self.made % len(AGENTS)],
            event_at=now - 233,
        )
        return action_for(
            removal,
            m.Delivery(SOURCE, (), secrets.token_bytes(32), now),
            m.Verified(f"msg_{uuid.uuid4().hex}", now - 233, "5d7cb70e"),
            m.SourceTerms(SOURCE, ORG, 120, ("ticket",)),
            m.Terms(),
            Minted(action_id, secrets.token_hex(16)),
            (self._line("verify", 0.156, note="secret 5d7cb70e"), self._line("parse", 0.289, note="phone")),
        )

    async def _end(self, claim: m.Claim) -> None:
        """Take the steps of one attempt in which all goes well, with the lines that it leaves."""
        lease, store = claim.lease, self.store
        pin = m.Target(str(uuid.uuid4()), (str(uuid.uuid4()),), "customer", m.Medium.VOICE)
        progress = m.Progress(pin=pin, bystanders={str(uuid.uuid4()): purpose for purpose in OTHERS})
        looked = [self._called("look", 200, "present"), self._done("decide", "row 13, disconnect")]
        marked = await store.mark_sent(lease, claim.epoch, progress, looked)
        if not isinstance(marked, m.Marked):
            raise TypeError(f"the way of {lease.id} was not free: {marked}")
        sent = self._called("disconnect", 202, "accepted, route generic")
        reply = Reply(status=202, correlation_id=sent.correlation_id)
        answer = m.Answer(m.AnswerKind.ACCEPTED, reply, self.clock.now(), "generic")
        await store.answered(lease, marked.send.number, answer, [sent])
        there = dict(Counter(OTHERS))
        outcome = m.Outcome(
            m.OutcomeKind.DISCONNECTED, "confirmed", None, "gone", "customer", remaining=there, bystanders=there
        )
        lines = [self._called("confirm", 200, "gone"), self._done("settle", "row 12, disconnected")]
        await store.settle(lease, outcome, 0.004, lines)

    async def _tell(self, claim: m.ReportClaim) -> None:
        await self.store.renew_report(claim.lease)
        ticket = claim.report.ticket
        label = ticket.label if ticket else ""
        told = m.Entry("report", claim.now_at, 4.033, WORKER, 200, "", f"{label}: told")
        await self.store.told(claim.lease, [told])

    def _line(self, verb: str, spent: float, note: str, worker: str = "") -> m.Entry:
        return m.Entry(verb, self.clock.now(), spent, worker, note=note)

    def _done(self, verb: str, note: str) -> m.Entry:
        return self._line(verb, 0.005, note, WORKER)

    def _called(self, verb: str, status: int, note: str) -> m.Entry:
        spent = round(60 + secrets.randbelow(40_000) / 1_000, 3)
        return m.Entry(verb, self.clock.now(), spent, WORKER, status, str(uuid.uuid4()), note)
