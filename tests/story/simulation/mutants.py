"""The house with one safeguard taken away: each a port that forgets one thing, and otherwise is the real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import redis as blocking

from service.core import model as m
from service.core.errors import LeaseLost
from service.core.ports import Genesys, Source, Store
from service.store.keys import Keys
from service.store.redis import RedisStore
from tests.story.simulation.ledger import Ledger
from tests.story.simulation.story import Bend


class Bent:
    """A port that does everything as `port` does it, but for what a mutant does otherwise."""

    def __init__(self, port: Any, ledger: Ledger | None = None, client: blocking.Redis | None = None) -> None:  # noqa: ANN401 - any port
        self._port, self._ledger, self._client = port, ledger, client

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        return getattr(self._port, name)


class Unmarked(Bent):
    """Sends without a mark: nobody knows of it after a crash."""

    async def mark_sent(self, lease: m.Lease, epoch: str, progress: m.Progress, entries: Sequence[m.Entry]) -> m.Marked:
        await self._port.pin(lease, progress, entries)
        return m.Marked(m.Send(1, 0, 0), 2.0)

    async def answered(self, lease: m.Lease, number: int, answer: m.Answer, entries: Sequence[m.Entry]) -> None:
        return

    async def unsent(self, lease: m.Lease, number: int, entries: Sequence[m.Entry]) -> None:
        return


class Forgetful(Bent):
    """Takes every mark without an answer back when it gives an action up, as if it had never left."""

    async def answered(self, lease: m.Lease, number: int, answer: m.Answer, entries: Sequence[m.Entry]) -> None:
        if answer.kind is m.AnswerKind.UNCLEAR:
            await self._port.unsent(lease, number, entries)
        else:
            await self._port.answered(lease, number, answer, entries)


class Unowned(Bent):
    """Takes a conversation that belongs to another action."""

    async def mark_sent(self, lease: m.Lease, epoch: str, progress: m.Progress, entries: Sequence[m.Entry]) -> object:
        found = await self._port.mark_sent(lease, epoch, progress, entries)
        if not isinstance(found, m.Owned) or self._client is None or self._ledger is None:
            return found
        conversation = Keys().conversation(lease.org, self._ledger.conversations[lease.id])
        self._client.hset(conversation, "owner", "")
        return await self._port.mark_sent(lease, found.epoch, progress, entries)


class Uncoordinated(Unowned):
    """As `Unowned`, and hands out what another action holds up."""

    async def claim(self, org: str, worker: str, token: str, limit: int, **more: bool) -> object:
        if self._client is not None and self._ledger is not None:
            for conversation in set(self._ledger.conversations.values()):
                self._client.hset(Keys().conversation(org, conversation), "owner", "")
        return await self._port.claim(org, worker, token, limit, **more)


class Tokenless(Bent):
    """Writes with whatever token is the right one by now."""

    def _lease(self, lease: m.Lease) -> m.Lease:
        found = self._client.hget(Keys().action(lease.id), "token") if self._client else None
        return replace(lease, token=str(found)) if found else lease

    async def settle(self, lease: m.Lease, outcome: m.Outcome, seen: float | None, entries: Sequence[m.Entry]) -> None:
        await self._port.settle(self._lease(lease), outcome, seen, entries)

    async def mark_sent(self, lease: m.Lease, epoch: str, progress: m.Progress, entries: Sequence[m.Entry]) -> object:
        return await self._port.mark_sent(self._lease(lease), epoch, progress, entries)


class Overwriting(Bent):
    """Settles what is settled once more: the outcome is not written once."""

    async def settle(self, lease: m.Lease, outcome: m.Outcome, seen: float | None, entries: Sequence[m.Entry]) -> None:
        try:
            await self._port.settle(lease, outcome, seen, entries)
        except LeaseLost:
            if self._client is None:
                raise
            key = Keys().action(lease.id)
            # what an open action has, and the end takes away
            conversation = json.loads(str(self._client.hget(key, "removal")))["conversation_id"]
            again = {"state": "pending", "token": lease.token, "intent": "", "conversation": conversation}
            for name, value in again.items():
                self._client.hset(key, name, value)
            await self._port.settle(lease, outcome, seen, entries)


class Careless(Bent):
    """Accepts without looking for what it belongs to."""

    taken = 0

    async def accept(self, offer: m.Offer) -> object:
        self.taken += 1
        return await self._port.accept(replace(offer, delivery_key=f"{self.taken:032x}", intent_key=None))


class Ageless(Bent):
    """Gives a click ten times its time."""

    async def accept(self, offer: m.Offer) -> object:
        return await self._port.accept(replace(offer, max_age_seconds=offer.max_age_seconds * 10))


class Rash(Bent):
    """A Genesys client that takes no answer for a no."""

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> m.Answer:
        answer: m.Answer = await self._port.disconnect(conversation_id, target, deadline)
        unclear = answer.kind is m.AnswerKind.UNCLEAR
        return replace(answer, kind=m.AnswerKind.REFUSED_FOR_NOW) if unclear else answer


class Unguarded(Bent):
    """A Genesys client that knows no deadline."""

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> object:
        return await self._port.disconnect(conversation_id, target, deadline + 3600.0)


class Credulous(Bent):
    """A Genesys client that takes no sight for an empty room."""

    async def look(self, conversation_id: str) -> m.Sight:
        sight: m.Sight = await self._port.look(conversation_id)
        return m.NotFound(sight.reply) if isinstance(sight, m.CannotSee) else sight


class Believing(Bent):
    """A Genesys client that takes everybody it sent away for gone: no look confirms."""

    def __init__(self, port: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(port)
        self._sent: set[str] = set()

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> object:
        answer = await self._port.disconnect(conversation_id, target, deadline)
        self._sent.add(target.participant_id)
        return answer

    async def look(self, conversation_id: str) -> m.Sight:
        sight: m.Sight = await self._port.look(conversation_id)
        if not isinstance(sight, m.Conversation):
            return sight
        people = (replace(p, has_ended=True) if p.id in self._sent else p for p in sight.participants)
        return replace(sight, participants=tuple(people))


class Ahistoric(Bent):
    """A Genesys client that does not know since when somebody is there."""

    async def look(self, conversation_id: str) -> m.Sight:
        sight: m.Sight = await self._port.look(conversation_id)
        if not isinstance(sight, m.Conversation):
            return sight
        return replace(sight, participants=tuple(replace(person, joined_at=0) for person in sight.participants))


class Bystander(Bent):
    """A Genesys client that takes the next one in the list."""

    async def disconnect(self, conversation_id: str, target: m.Target, deadline: float) -> object:
        sight = await self._port.look(conversation_id)
        others = [p for p in getattr(sight, "participants", ()) if p.id != target.participant_id]
        wrong = replace(target, participant_id=others[0].id) if others else target
        return await self._port.disconnect(conversation_id, wrong, deadline)


class Repeating(Bent):
    """A desk at which nobody looks first."""

    async def is_told(self, report: m.Report, action: m.Action) -> bool:
        return False


def _store(kind: type[Bent]) -> Bend:
    def bent(store: RedisStore, ledger: Ledger, client: blocking.Redis) -> Store:
        return cast("Store", kind(store, ledger, client))

    return Bend(store=bent)


def _genesys(kind: Callable[[Genesys], Bent]) -> Bend:
    return Bend(genesys=lambda port: cast("Genesys", kind(port)))


# what is taken away, and one of the promises that must be seen broken for it
MUTANTS: dict[str, tuple[Bend, str]] = {
    "mark before send": (_store(Unmarked), "marked first"),
    "a mark without an answer stays": (_store(Forgetful), "no lies"),
    "conversation ownership": (_store(Uncoordinated), "one at a time"),
    "token check": (_store(Tokenless), "a frozen one changes nothing"),
    "outcomes are written once": (_store(Overwriting), "one outcome"),
    "atomic accept": (_store(Careless), "the same delivery, the same action"),
    "not-after": (_store(Ageless), "late is wrong"),
    "a timeout is no failure": (_genesys(Rash), "no lies"),
    "deadline of a send": (_genesys(Unguarded), "not past its deadline"),
    "blind is not absent": (_genesys(Credulous), "no lies"),
    "confirming look": (_genesys(Believing), "no lies"),
    "an old click is not for who came back": (_genesys(Ahistoric), "who came back stays"),
    "exactly the target": (_genesys(Bystander), "nobody else"),
    "look before a note is repeated": (Bend(source=lambda port: cast("Source", Repeating(port))), "told once"),
}
