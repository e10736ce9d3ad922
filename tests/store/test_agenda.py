"""Where something is due is known of many orgs by one question, and no org's odd keys hide another's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.core.errors import StoreDown
from service.store.agenda import TOGETHER, RedisAgenda
from service.store.script import Reply, Script
from tests.store.stories import GONE, ORG, Story

OTHER = "other"


class Partly:
    """A runner to several servers, of which those of some orgs are away."""

    def __init__(self, story: Story, away: Sequence[str]) -> None:
        self._story, self._away = story, away

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[str]) -> Reply:
        if any(f"{{{org}}}" in key for org in self._away for key in keys):
            raise StoreDown("Redis did not answer")
        return await self._story.runner.run(script, keys, args)

    run_shared = run

    async def ask(self, *words: str) -> object:
        return await self._story.runner.ask(*words)


def _agenda(story: Story, together: int = TOGETHER) -> RedisAgenda:
    return RedisAgenda(story.runner, together=together, now_ms=story.clock.now)


async def test_removals_are_due_when_a_claim_would_take_them(story: Story) -> None:
    """An action is due when it was accepted, not while it is leased, and again when its lease is over."""
    agenda = _agenda(story)
    assert await agenda.due([ORG, OTHER]) == frozenset()
    await story.accepted(1)
    assert await agenda.due([OTHER, ORG]) == {(ORG, "removals")}
    await story.claim()
    assert await agenda.due([ORG]) == frozenset()
    story.clock.move(6.1)
    assert await agenda.due([ORG]) == {(ORG, "removals")}


async def test_reports_are_due_when_a_claim_would_take_them(story: Story) -> None:
    """A report is due as soon as its action was settled, and not while it is being told."""
    agenda = _agenda(story)
    await story.settled(1, GONE)
    assert await agenda.due([OTHER, ORG]) == {(ORG, "reports")}
    assert await story.claim_reports()
    assert await agenda.due([ORG]) == frozenset()
    story.clock.move(6.1)
    assert await agenda.due([ORG]) == {(ORG, "reports")}


@pytest.mark.parametrize("key, kind", [("due:removals", "removals"), ("desks", "reports")])
async def test_odd_keys_are_for_who_claims(story: Story, key: str, kind: str) -> None:
    """A key of another kind counts as due, for the claim to say what is wrong; other orgs are told of as ever."""
    await story.accepted(1)
    story.client.set(f"onhook:{{{OTHER}}}:{key}", "no set of ours")
    assert await _agenda(story).due([ORG, OTHER]) == {(ORG, "removals"), (OTHER, kind)}


@pytest.mark.parametrize("together, questions", [(1, 7), (3, 3), (TOGETHER, 1)])
async def test_one_question_for_many(story: Story, together: int, questions: int) -> None:
    """Of so many orgs one question is made as lie on one server; all of them are asked about."""
    await story.accepted(1)
    asked = len(story.runner.asked)
    assert await _agenda(story, together).due([*(f"o{number}" for number in range(6)), ORG]) == {(ORG, "removals")}
    assert len(story.runner.asked) - asked == questions


@pytest.mark.parametrize("away", [("o1",), ("o1", "o3"), ("o3",)])
async def test_a_server_that_is_away(story: Story, away: tuple[str, ...]) -> None:
    """While one server of several is away, the orgs of the others are told of as ever; for its own, claims say why."""
    orgs = ["o0", "o1", "o2", "o3", ORG]
    await story.accepted(1)
    agenda = RedisAgenda(Partly(story, away), together=1, now_ms=story.clock.now)
    mute = {(org, kind) for org in away for kind in ("removals", "reports")}
    assert await agenda.due(orgs) == {(ORG, "removals"), *mute}
    with pytest.raises(StoreDown):
        await agenda.due(away)


@pytest.mark.parametrize("together", [1, TOGETHER])
async def test_what_is_paused_in_many(story: Story, together: int) -> None:
    """It is said of each org what is paused in it, and of one where nothing is that nothing is."""
    await story.store.pause(ORG)
    await story.store.pause(OTHER, "desk")
    told = {"calm": frozenset[str](), OTHER: frozenset({"desk"}), ORG: frozenset({""})}
    assert await _agenda(story, together).paused(list(told)) == told
