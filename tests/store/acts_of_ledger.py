"""What is written down beside the promises, and read back: an act for each script of it, to be asked again."""

from __future__ import annotations

from service.core import model as m
from service.store.agenda import RedisAgenda
from service.store.ledger import RedisLedger
from tests.store.acts import SAME, Act
from tests.store.stories import ANNA, ORG, Story, offered


def ledger_of(story: Story) -> RedisLedger:
    """Return what reads the ledger of a story."""
    return RedisLedger(story.runner, now_ms=story.clock.now)


async def _accept_replay(story: Story) -> None:
    old = await story.settled()
    await story.store.accept(offered(story.dice, 2, intent_key=None, replay_of=old, by=ANNA))


async def _accept_preview(story: Story) -> None:
    await story.store.accept(offered(story.dice, 2, intent_key=None, preview=True, by=ANNA))


async def _audit(story: Story) -> None:
    await story.settled()
    await ledger_of(story).audit(ORG, 10)


async def _minutes(story: Story) -> None:
    await story.settled()
    await ledger_of(story).minutes(ORG, story.clock.ms)


async def _dead(story: Story) -> None:
    await story.store.bury((await story.report()).lease, "it is down")
    await ledger_of(story).dead(ORG, 10)


async def _attend(story: Story) -> None:
    await story.store.attend(ORG, "w1", 1, 0.5, (60.0, ""))


async def _workers(story: Story) -> None:
    await _attend(story)
    await ledger_of(story).workers(ORG)


async def _pause_again(story: Story) -> None:
    await story.store.pause(ORG, by=m.Operator("beth"))
    await story.store.pause(ORG, by=ANNA)


async def _due(story: Story) -> None:
    await story.accepted(1)
    assert await RedisAgenda(story.runner, now_ms=story.clock.now).due([ORG]) == {(ORG, "removals")}


LEDGER_ACTS: list[tuple[Act, str, str]] = [
    (_accept_replay, "accept", SAME),
    (_accept_preview, "accept", SAME),
    (_audit, "audit", SAME),
    (_minutes, "minutes", "the same words, but for the moment"),
    (_dead, "dead", SAME),
    (_attend, "attend", "the same word, and it is there as of now"),
    (_workers, "workers", SAME),
    (_pause_again, "pause", SAME),
    (_due, "due", SAME),
]
