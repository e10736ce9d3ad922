"""Brings the first action into each of its states, and lets its wish come again in each way."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.core import model as m
from service.core.errors import Conflicting
from service.core.rules import Minted
from service.flow import operations
from service.sources.signing import signed
from tests.flow.stage import ANNA, ORG, SECRET, SOURCE, Scene, Stage, policy

OTHER_SOURCE = "chat"
WEEK = 7 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Play:
    """The first action of a wish, and what comes after it.

    Attributes:
        clicked_ms: when the first click was.
        sys_ids: the first ticket, and another.
        fields: what every click says besides conversation, ticket and time.
    """

    stage: Stage
    scene: Scene
    clicked_ms: int
    sys_ids: tuple[str, str]
    fields: dict[str, object] = field(default_factory=dict)
    first: str = ""

    # --- the deliveries -------------------------------------------------------------------------------------------

    def delivery(
        self, name: str, clicked_ms: int, *, sys_id: str = "", source: str = SOURCE, **more: object
    ) -> m.Delivery:
        """Return a click, signed now."""
        data = {
            "conversation_id": self.scene.cid,
            "table": "incident",
            "sys_id": sys_id or self.sys_ids[0],
            **self.fields,
            **more,
        }
        stamp = (_EPOCH + timedelta(milliseconds=clicked_ms)).isoformat(timespec="milliseconds")
        body = json.dumps({"type": "caller.remove", "timestamp": stamp, "data": data}).encode()
        now = self.stage.clock.now()
        headers = signed(base64.b64decode(SECRET), name, now, body)
        return m.Delivery(source, tuple((key.encode(), value.encode()) for key, value in headers.items()), body, now)

    async def take(self, delivery: m.Delivery) -> m.Receipt | None:
        """Take a delivery in; None when it is in conflict with an earlier one."""
        try:
            receipt = await self.stage.intake.take(delivery)
        except Conflicting:
            return None
        assert isinstance(receipt, m.Receipt)
        return receipt

    # --- the end ----------------------------------------------------------------------------------------------------

    async def finish(self) -> dict[str, str]:
        """Work until nothing is due: return how each action ended."""
        for action_id in await self.stage.store.action_ids(ORG):
            await self.stage.finish(action_id)
        while await self.stage.tell():
            pass
        actions = [(await self.stage.account(id_)).action for id_ in await self.stage.store.action_ids(ORG)]
        return {action.id: action.outcome.kind.value for action in actions if action.outcome}

    async def notes(self) -> tuple[int, int]:
        """Return how many notes stand on the two tickets."""
        first, other = [len(await self.stage.notes(sys_id)) for sys_id in self.sys_ids]
        return first, other


# ------------------------------------------------------------------------------------------- the rows


async def _unsent(_: Play) -> None:
    """Leave it as it is: accepted, and nobody has touched it."""


async def _late(play: Play) -> None:
    await play.stage.clock.sleep(120)


async def _sent(play: Play) -> None:
    await play.scene.switch(lag_seconds=5)
    assert await play.stage.once(play.stage.place()) is None
    assert (await play.stage.account(play.first)).action.sends


async def _finished(play: Play) -> None:
    await play.stage.finish(play.first)
    await play.scene.answers()


async def _already_gone(play: Play) -> None:
    await play.scene.event("hangup", "Unhappy")
    await _finished(play)


async def _expired(play: Play) -> None:
    await play.stage.clock.sleep(120)
    await _finished(play)


async def _failed(play: Play) -> None:
    await play.scene.answers({"on": "disconnect", "status": 400, "code": "bad.request"})
    await _finished(play)


async def _unknown(play: Play) -> None:
    await play.scene.switch(lag_seconds=9)
    unseen = [{"on": "look", "times": 1}, {"on": "look", "status": 404, "times": None}]
    await play.scene.answers({"on": "disconnect"}, *unseen)
    await _finished(play)


async def _aged_out(play: Play) -> None:
    await _finished(play)
    while await play.stage.tell():
        pass
    await play.stage.clock.sleep(WEEK)


ROWS: dict[str, Callable[[Play], Awaitable[None]]] = {
    "open_unsent": _unsent,
    "open_late": _late,
    "open_sent": _sent,
    "disconnected": _finished,
    "already_gone": _already_gone,
    "not_found": _finished,
    "refused": _finished,
    "expired": _expired,
    "failed": _failed,
    "unknown": _unknown,
    "previewed": _finished,
    "aged_out": _aged_out,
}


async def arranged(stage: Stage, row: str) -> Play:
    """Return the stage with the first action in the state that the row says."""
    stage.sources[OTHER_SOURCE] = stage.source(OTHER_SOURCE)
    if row == "refused":
        stage.terms = policy(purposes=frozenset({"external"}))
    scene = await stage.scene()
    sys_ids = await stage.ticket("INC0000001"), await stage.ticket("INC0000002")
    who = str(uuid.UUID(int=7)) if row == "not_found" else scene.id()
    play = Play(stage, scene, stage.clock.now() + 1, sys_ids, {"participant_id": who})
    await stage.clock.sleep(0.01)
    receipt = await play.take(first_delivery(play, row))
    assert receipt is not None
    play.first = receipt.action_id
    # whoever clicks now clicks before the look
    await stage.clock.sleep(1.0)
    await ROWS[row](play)
    await stage.clock.sleep(1.0)
    return play


def first_delivery(play: Play, row: str) -> m.Delivery:
    """Return the first delivery of a row, signed now: a preview where that is the row."""
    return play.delivery("first", play.clicked_ms, preview=row == "previewed")


# ------------------------------------------------------------------------------------------- the columns


def comes_again(play: Play, row: str, column: str) -> Callable[[], Awaitable[m.Receipt | None]]:
    """Return what comes again, to be called as often as it comes: each time the very same, signed anew."""
    earlier, now = play.clicked_ms + 500, play.stage.clock.now() - 1
    if column == "replay":
        minted = Minted(play.stage.dice.action_id(ORG), play.stage.dice.token())
        # what was done is done again only for who says how long it may take; what was late stays late without it
        again: dict[str, float] = {} if row in {"open_late", "expired"} else {"max_age_seconds": 120}
        store, clock = play.stage.store, play.stage.clock
        return lambda: operations.replay(store, clock, minted, play.first, by=ANNA, **again)
    made: dict[str, Callable[[], m.Delivery]] = {
        "again": lambda: first_delivery(play, row),
        "other_body": lambda: play.delivery("first", play.clicked_ms, reason="another"),
        "earlier": lambda: play.delivery("second", earlier),
        "later": lambda: play.delivery("second", now),
        "preview": lambda: play.delivery("second", now, preview=True),
        "other_ticket": lambda: play.delivery("second", earlier, sys_id=play.sys_ids[1]),
        "other_source": lambda: play.delivery("second", earlier, sys_id=play.sys_ids[1], source=OTHER_SOURCE),
    }
    return lambda: play.take(made[column]())
