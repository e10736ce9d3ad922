"""The worker that is to be killed is a real one, stops exactly at its moment, and never over what was taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from service.core import model as m
from service.core.errors import LeaseLost, Reply
from service.core.ports import Budget, Genesys, Source, Store, Waiter
from service.demo.doomed import ACTION_MOMENTS, POINTS, Doom, Moment, When
from service.flow.workplace import Workplace
from tests.fixtures.redis import CountingDice, HandClock

LEASE, OTHER = m.Lease("acme", "acme.one", "t"), m.Lease("acme", "acme.two", "t")
ANSWER = m.Answer(m.AnswerKind.ACCEPTED, Reply(status=202), 1)
MARKED = m.Marked(m.Send(1, 1, 2), 2.0)


def claim(lease: m.Lease, lapses: int = 0) -> m.Claim:
    """Return a claim of an action that so many workers in a row died over."""
    removal = m.Removal("c", m.Selector(m.SelectorKind.PARTICIPANT_ID, "p"))
    action = m.Action(lease.id, lease.org, "desk", removal, 1, 1, 2, lapses=lapses)
    return m.Claim(lease, action, 1, 2, "")


@dataclass
class Port:
    """A store, a Genesys and a source at once, that note what was asked of them."""

    claims: Sequence[m.Claim] = (claim(LEASE),)
    marked: m.Marked | m.Owned = MARKED
    is_lease_lost: bool = False
    asked: list[str] = field(default_factory=list)
    success_status: int = 202

    async def claim(self, org: str, worker: str, token: str, limit: int) -> list[m.Claim]:
        """Hand out what there is."""
        self.asked.append("claim")
        return list(self.claims)

    async def mark_sent(self, lease: m.Lease) -> m.Marked | m.Owned:
        """Mark."""
        self.asked.append("mark_sent")
        return self.marked

    async def answered(self, lease: m.Lease) -> None:
        """Remember."""
        self.asked.append("answered")

    async def settle(self, lease: m.Lease, *, seen: bool = True) -> None:
        """End."""
        self.asked.append("settle")
        if self.is_lease_lost:
            raise LeaseLost

    async def disconnect(self, conversation_id: str) -> m.Answer:
        """Remove."""
        self.asked.append("disconnect")
        await asyncio.sleep(0)
        return ANSWER

    async def tell(self, report: str) -> Reply:
        """Write."""
        self.asked.append("tell")
        return Reply(status=201)


class QuickClock(HandClock):
    """A clock by which everything has waited long enough."""

    async def sleep(self, seconds: float) -> None:
        """Wait no time."""
        await asyncio.sleep(0)


@dataclass
class Scene:
    """A doom, the ports it watches, and how often it struck."""

    doom: Doom
    port: Port
    place: Workplace
    struck: list[int]

    @property
    def ports(self) -> dict[str, Port]:
        """The watched ports by name."""
        watched = {
            "store": self.place.store,
            "genesys": self.place.genesys["acme"],
            "source": self.place.sources["desk"],
        }
        return cast("dict[str, Port]", watched)

    async def take(self, moment: Moment) -> asyncio.Task[object]:
        """Take the step of a moment, until it is over or stands still."""
        words: dict[str, tuple[object, ...]] = {"claim": ("acme", "w", "t", 1), "disconnect": ("c",), "tell": ("r",)}
        step = POINTS[moment].step
        task: asyncio.Task[object] = asyncio.ensure_future(
            getattr(self.ports[POINTS[moment].port], step)(*words.get(step, (LEASE,)))
        )
        for _ in range(10):
            await asyncio.sleep(0)
        return task


def scene(moment: Moment, port: Port | None = None) -> Scene:
    """Return a scene in which the doom of `moment` watches `port`."""
    port, clock, dice, struck = port or Port(), QuickClock(), CountingDice(), list[int]()
    doom = Doom(moment, clock, dice, lambda: struck.append(len(struck)))
    none: object = None
    place = Workplace(
        "w",
        cast("Store", port),
        cast("Budget", none),
        cast("Waiter", none),
        clock,
        dice,
        {"acme": cast("Genesys", port)},
        {"desk": cast("Source", port)},
        {},
    )
    return Scene(doom, port, doom.through(place), struck)


def test_moments() -> None:
    """Every moment has its point, and all but those at the desk are of an action."""
    assert set(POINTS) == set(Moment)
    assert set(Moment) - ACTION_MOMENTS == {Moment.TELLING, Moment.TOLD}


@pytest.mark.parametrize("moment", Moment)
async def test_standing_still(moment: Moment) -> None:
    """An armed worker stands still on the right side of its step, and goes on only when told to end."""
    it = scene(moment)
    it.doom.arm()
    task = await it.take(moment)
    assert it.struck == [0]
    assert not task.done()
    assert it.port.asked == ([] if POINTS[moment].when is When.BEFORE else [POINTS[moment].step])
    it.place.stopping.set()
    await task
    assert it.port.asked == [POINTS[moment].step]


@pytest.mark.parametrize("moment", Moment)
async def test_unarmed(moment: Moment) -> None:
    """A worker that is not armed does all that it does, and what is no step is there as it is."""
    it = scene(moment)
    for each in Moment:
        await (await it.take(each))
    assert it.struck == []
    assert it.place.sources["desk"].success_status == 202


@pytest.mark.parametrize("moment", Moment)
async def test_taken_over(moment: Moment) -> None:
    """While it holds what a dead worker left, nothing strikes; once that has ended, it does."""
    it = scene(moment, Port(claims=(claim(OTHER, lapses=1),)))
    await (await it.take(Moment.CLAIMED))
    it.doom.arm()
    await (await it.take(moment))
    assert it.struck == []
    await it.ports["store"].settle(OTHER, seen=True)
    it.port.claims = (claim(LEASE),)
    task = await it.take(moment)
    assert it.struck == [0]
    it.place.stopping.set()
    await task


async def test_lost_lease() -> None:
    """What another worker has taken is not held any more."""
    it = scene(Moment.TOLD, Port(claims=(claim(OTHER, lapses=2),), is_lease_lost=True))
    await (await it.take(Moment.CLAIMED))
    it.doom.arm()
    with pytest.raises(LeaseLost):
        await it.ports["store"].settle(OTHER)
    task = await it.take(Moment.TOLD)
    assert it.struck == [0]
    it.place.stopping.set()
    await task


@pytest.mark.parametrize("moment", [Moment.CLAIMED, Moment.MARKED])
async def test_nothing_held(moment: Moment) -> None:
    """A claim of nobody and a mark that was refused are no moments."""
    it = scene(moment, Port(claims=(), marked=m.Owned("e")))
    it.doom.arm()
    await (await it.take(moment))
    assert it.struck == []
