"""A worker that stops dead at one chosen moment: a real one until then, so that the kill finds it exactly there."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final, NamedTuple, cast

from service.core import model as m
from service.core.errors import LeaseLost
from service.core.ports import Clock, Dice, Genesys, Source, Store
from service.flow.workplace import Workplace

UNDER_WAY_SECONDS: Final = 0.2  # the kill comes within these of the PATCH's start; its answer takes twice as long


class Moment(StrEnum):
    """Where in an attempt, or in telling a ticket, a worker can be killed."""

    CLAIMED = "claimed"
    MARKED = "marked"
    SENDING = "sending"
    SENT = "sent"
    SEEN = "seen"
    TELLING = "telling"
    TOLD = "told"


class When(StrEnum):
    """On which side of a step the worker stops."""

    BEFORE = "before"
    AMID = "amid"
    AFTER = "after"


class Point(NamedTuple):
    """A moment as it is found: the port, the step of it, the side; and what people call it."""

    port: str
    step: str
    when: When
    words: str


POINTS: Final[Mapping[Moment, Point]] = {
    Moment.CLAIMED: Point("store", "claim", When.AFTER, "right after the claim"),
    Moment.MARKED: Point("store", "mark_sent", When.AFTER, "between the mark and the PATCH"),
    Moment.SENDING: Point("genesys", "disconnect", When.AMID, "while the PATCH was under way"),
    Moment.SENT: Point("store", "answered", When.AFTER, "before the confirming look"),
    Moment.SEEN: Point("store", "settle", When.BEFORE, "before settle"),
    Moment.TELLING: Point("source", "tell", When.BEFORE, "before the report"),
    Moment.TOLD: Point("source", "tell", When.AFTER, "after the report, before it was remembered"),
}
ACTION_MOMENTS: Final = frozenset(moment for moment, point in POINTS.items() if point.port != "source")
_ENDS: Final = frozenset({"settle", "put_back"})  # the steps after which a worker does not hold an action any more


class Doom:
    """The moment at which one worker stops, once it is armed, and what it holds until then.

    It never stops while it holds an action that was taken over from a dead worker: three claims in a row that end so
    are a poison, and the action would be ended instead of done.

    Args:
        moment: where.
        say: is called when it is there.
    """

    def __init__(self, moment: Moment, clock: Clock, dice: Dice, say: Callable[[], None]) -> None:
        self._point = POINTS[moment]
        self._clock = clock
        self._dice = dice
        self._say = say
        self._is_armed = False
        self._ended = asyncio.Event()
        self._taken_over: set[str] = set()

    def arm(self) -> None:
        """From now on the next fitting moment is the last one."""
        self._is_armed = True

    def through(self, place: Workplace) -> Workplace:
        """Return the same ports, watched."""
        self._ended = place.stopping
        return replace(
            place,
            store=cast("Store", _Watched(place.store, "store", self)),
            genesys={org: cast("Genesys", _Watched(real, "genesys", self)) for org, real in place.genesys.items()},
            sources={name: cast("Source", _Watched(real, "source", self)) for name, real in place.sources.items()},
        )

    async def pass_through(
        self, port: str, step: str, call: Callable[..., Awaitable[object]], words: Sequence[object]
    ) -> object:
        """Take one step of a port as it is, and stop dead on the right side of it."""
        is_here = (port, step) == self._point[:2]
        lease = words[0] if words and isinstance(words[0], m.Lease) else None
        if is_here and self._point.when is When.BEFORE:
            await self._strike()
        if is_here and self._point.when is When.AMID and self._may_strike:
            under_way = asyncio.ensure_future(call(*words))
            await self._clock.sleep(UNDER_WAY_SECONDS * self._dice.jitter())
            await self._strike()
            return await under_way
        try:
            answer = await call(*words)
        except LeaseLost:
            self._taken_over -= {lease.id} if lease else set()
            raise
        if step == "claim":
            self._taken_over |= {one.lease.id for one in cast("Sequence[m.Claim]", answer) if one.action.lapses}
        elif step in _ENDS and lease:
            self._taken_over.discard(lease.id)
        if is_here and self._point.when is When.AFTER and _is_done(answer):
            await self._strike()
        return answer

    @property
    def _may_strike(self) -> bool:
        return self._is_armed and not self._taken_over

    async def _strike(self) -> None:
        """Say so and stand still, if it may be now; only one that is told to end as any other goes on."""
        if self._may_strike:
            self._is_armed = False
            self._say()
            await self._ended.wait()


class _Watched:
    """A port every step of which passes through the doom."""

    def __init__(self, real: object, port: str, doom: Doom) -> None:
        self._real, self._port, self._doom = real, port, doom

    def __getattr__(self, step: str) -> object:
        real = getattr(self._real, step)
        if not inspect.iscoroutinefunction(real):
            return real

        async def passing(*words: object, **named: object) -> object:
            return await self._doom.pass_through(self._port, step, lambda *again: real(*again, **named), words)

        return passing


def _is_done(answer: object) -> bool:
    """Whether a step came to something: a claim of somebody, a mark that was set."""
    return not isinstance(answer, m.Owned | m.OverBudget | m.TooLate) and answer != []
