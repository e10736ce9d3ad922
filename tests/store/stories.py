"""What the tests of the store begin with: offers, and actions brought to where a test wants them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import redis

from service.core import model as m
from service.core.errors import Reply
from service.store.keys import Keys
from service.store.redis import RedisStore
from tests.fixtures.newer import made_newer
from tests.fixtures.redis import BlockingRunner, CountingDice, HandClock

ORG = "acme"
PHONE = m.Selector(m.SelectorKind.PHONE, "+14155550123")
TICKET = m.Ticket("incident/9d38", "INC0010112")
ACCEPTED = m.Answer(m.AnswerKind.ACCEPTED, Reply(status=202), 5)
ANNA = m.Operator("anna", "the ticket says so")
GONE = m.Outcome(m.OutcomeKind.DISCONNECTED, "gone")
LOOKED = m.Entry("look", at=7, duration_ms=1.5, worker="w1", status=200, correlation_id="c", note='it said "hello"')


def uuid(number: int) -> str:
    """Return a UUID that shows its number."""
    return f"00000000-0000-4000-8000-{number:012d}"


def digest(word: object) -> str:
    """Return a digest of a word."""
    return hashlib.sha256(repr(word).encode()).hexdigest()


def offered(dice: CountingDice, word: object = 1, **changes: object) -> m.Offer:
    """Return an offer of a removal; offers of the same `word` are the same delivery and the same wish.

    `changes` are of the offer, or of its removal where that has the name.
    """
    of_removal: dict[str, Any] = {"conversation_id": uuid(1), "selector": PHONE, "ticket": TICKET}
    of_removal |= {name: changes.pop(name) for name in list(changes) if name in m.Removal.__dataclass_fields__}
    of_offer: dict[str, Any] = {
        "action_id": dice.action_id(ORG),
        "org": ORG,
        "source": "desk",
        "key": "unguessable",
        "removal": m.Removal(**of_removal),
        "delivery_key": digest(word),
        "body_hash": digest(("body", word)),
        "is_hash_only": False,
        "intent_key": digest(("intent", word)),
        "max_age_seconds": 120,
        "channels": ("ticket",),
        "entries": (m.Entry("verify", 1), m.Entry("parse", 2)),
    }
    return m.Offer(**of_offer | changes)


@dataclass
class Story:
    """A store with its clock and its dice, and the steps that most tests begin with."""

    store: RedisStore
    clock: HandClock
    dice: CountingDice
    client: redis.Redis
    runner: BlockingRunner
    keys: Keys

    async def accepted(self, word: object = 1, **changes: object) -> str:
        """Accept an offer, and return the id of its action."""
        return (await self.store.accept(offered(self.dice, word, **changes))).action_id

    async def claim(self, limit: int = 10, worker: str = "w1", *, is_look_paid: bool = False) -> list[m.Claim]:
        """Claim what is due."""
        return list(await self.store.claim(ORG, worker, self.dice.token(), limit, is_look_paid=is_look_paid))

    async def claimed(self, word: object = 1, **changes: object) -> m.Claim:
        """Accept an offer and claim its action."""
        action_id = await self.accepted(word, **changes)
        (claim,) = [claim for claim in await self.claim() if claim.action.id == action_id]
        return claim

    async def sent(self, word: object = 1, **changes: object) -> m.Claim:
        """Accept an offer, claim its action and mark its first send."""
        claim = await self.claimed(word, **changes)
        assert isinstance(await self.mark(claim), m.Marked)
        return claim

    async def mark(self, claim: m.Claim, epoch: str | None = None) -> m.Marked | m.Owned | m.TooLate | m.OverBudget:
        """Mark a send."""
        return await self.store.mark_sent(claim.lease, claim.epoch if epoch is None else epoch, m.Progress(), ())

    async def settled(self, word: object = 1, outcome: m.Outcome = GONE, **changes: object) -> str:
        """Accept an offer and settle its action, seen just now; return its id."""
        claim = await self.claimed(word, **changes)
        await self.store.settle(claim.lease, outcome, 0.0, ())
        return claim.action.id

    async def report(self, word: object = 1, **changes: object) -> m.ReportClaim:
        """Accept an offer, settle its action, and claim its report."""
        removal = await self.claimed(word, **changes)
        await self.store.settle(removal.lease, GONE, 0.0, ())
        (claim,) = await self.claim_reports()
        return claim

    async def claim_reports(self) -> list[m.ReportClaim]:
        """Claim the reports that are due."""
        return list(await self.store.claim_reports(ORG, "w1", self.dice.token(), 10))

    async def account(self, action_id: str) -> m.Account:
        """Read an action that is there."""
        account = await self.store.read(action_id)
        assert account is not None
        return account

    async def action(self, action_id: str) -> m.Action:
        """Read the action of an account that is there."""
        return (await self.account(action_id)).action

    def due_in(self, thing_id: str) -> float | None:
        """Return the seconds until an action or a report is due, or None."""
        for key in (self.keys.due_removals(ORG), self.keys.due_reports(ORG, "desk")):
            score = self.client.zscore(key, thing_id)
            if score is not None:
                assert isinstance(score, float)
                return (score - self.clock.ms) / 1000
        return None

    def made_newer(self, key: str) -> None:
        """Let a newer version have written the record at `key`: nothing but its schema is called as it is here."""
        made_newer(self.client, key)

    def state(self) -> dict[str, tuple[object, object]]:
        """Return all that Redis holds: each key, its value, and when it ends."""
        found = sorted(str(key) for key in self.client.scan_iter("*"))
        return {key: (_value(self.client, key), _ends_at(self.client, key)) for key in found}


def _value(client: redis.Redis, key: str) -> object:
    match client.type(key):
        case "hash":
            return client.hgetall(key)
        case "zset":
            return client.zrange(key, 0, -1, withscores=True)
        case "list":
            return client.lrange(key, 0, -1)
        case "set":
            return client.smembers(key)
        case _:
            return client.get(key)


@dataclass(eq=False)
class _About:
    """A moment that is known to half a second: it equals any that is so near."""

    ms: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _About) and abs(self.ms - other.ms) < 500

    __hash__ = None  # type: ignore[assignment]  # what is near is no key


def _ends_at(client: redis.Redis, key: str) -> object:
    """Return when a key ends, -1 for never; before Redis 7, which tells only what is left, about when."""
    try:
        return cast("Callable[..., object]", client.execute_command)("PEXPIRETIME", key)
    except redis.ResponseError:
        left, (seconds, micros) = client.pttl(key), client.time()
        return left if left < 0 else _About(left + seconds * 1_000 + micros / 1_000)
