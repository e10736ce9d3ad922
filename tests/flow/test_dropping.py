"""A person drops an action while a worker is at it: either it was sent and the drop is refused, or nothing is sent."""

from __future__ import annotations

import contextlib

from service.core import model as m
from service.core.errors import LeaseLost, Unreadable
from service.flow import operations
from tests.flow.meddler import Meddler
from tests.flow.stage import ANNA, ORG, Stage, counted

K = m.OutcomeKind


class Hand:
    """A person's hand, which drops an action at one moment: before or after one of all calls that a worker makes."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage, self._number = stage, number
        self._moments = 0
        self.action_id = ""
        self.moment = ""
        self.is_dropped: bool | None = None

    async def reach(self, moment: str) -> None:
        """Come to the next moment; at the one that is meant it is dropped."""
        self._moments += 1
        if self._moments == self._number:
            self.moment = moment
            try:
                self.is_dropped = await operations.drop(self._stage.store, self.action_id, by=ANNA)
            except Unreadable:
                self.is_dropped = False


class Watched(Meddler):
    """A port between whose calls the hand may come."""

    hand: Hand

    def __getattr__(self, name: str) -> object:
        real = super().__getattr__(name)

        async def watched(*args: object, **more: object) -> object:
            await self.hand.reach(f"before {name}")
            answer = await real(*args, **more)
            await self.hand.reach(f"after {name}")
            return answer

        return watched


async def _played(stage: Stage, number: int) -> Hand:
    """Play one removal to its end while the hand comes at its moment, and look whether either thing held."""
    sys_id = await stage.ticket()
    scene = await stage.scene()
    hand = Hand(stage, number)
    hand.action_id = await stage.click(scene, sys_id=sys_id)
    store, genesys = Watched(stage.store), Watched(stage.cloud())
    store.hand = genesys.hand = hand
    place = stage.place(store=store, genesys=genesys)
    while (outcome := (await stage.account(hand.action_id)).action.outcome) is None:
        with contextlib.suppress(LeaseLost):
            for attempt in await stage.attempts(place):
                await attempt.run()
        if (await stage.account(hand.action_id)).action.outcome is None:
            await stage.clock.sleep(max(stage.due_in(hand.action_id), 0.001))
    calls, effects = await scene.calls("PATCH"), await scene.effects()
    if hand.is_dropped:
        assert ((outcome.kind, outcome.reason), len(calls), effects) == ((K.REFUSED, "dropped"), 0, 0), hand.moment
    else:
        assert ((outcome.kind, outcome.reason), effects) == ((K.DISCONNECTED, "confirmed"), 1), hand.moment
    await stage.tell()
    (note,) = await stage.notes(sys_id)
    assert ("called the removal off" in note) == bool(hand.is_dropped), hand.moment
    return hand


async def test_a_drop_at_every_moment(stage: Stage) -> None:
    """Dropped before or after any call of a worker: sent and refused, or dropped, nothing sent, and the ticket told."""
    moments: dict[bool, list[str]] = {True: [], False: []}
    number = 1
    while (hand := await _played(stage, number)).moment:
        assert hand.is_dropped is not None
        moments[hand.is_dropped].append(hand.moment)
        number += 1
    assert {"before claim", "after claim", "after look", "before mark_sent"} <= set(moments[True])
    assert {"after mark_sent", "before disconnect", "after answered", "before settle"} <= set(moments[False])
    assert not {"after mark_sent", "before disconnect", "after disconnect", "after settle"} & set(moments[True])


async def test_a_drop_counts_once(stage: Stage) -> None:
    """A drop is an outcome like others in the metrics; what is not there, and what ended, is none."""
    action_id = await stage.click(await stage.scene())
    before = counted("onhook_outcomes_total", org=ORG, outcome="refused")
    assert await operations.drop(stage.store, action_id, by=ANNA)
    with contextlib.suppress(Unreadable):
        await operations.drop(stage.store, action_id, by=ANNA)
    assert not await operations.drop(stage.store, "x", by=ANNA)
    assert counted("onhook_outcomes_total", org=ORG, outcome="refused") == before + 1
