"""Each ticketing system's own way to repeat, count and punish, against all that may befall us: a table of both."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from itertools import groupby

import pytest

from tests.findings import write_evidence
from tests.fixtures.redis import BlockingRunner
from tests.flow.hours import BEGAN, Hours
from tests.flow.stage import Stage
from tests.story.senders.cells import DAILY, ENDS, HOURS, PUNISHED, STORIES, UNREADABLE, settings_in
from tests.story.senders.manners import HOUR, LOST, MANNERS, Heard
from tests.story.senders.play import Play
from tests.story.senders.weather import opened

COMMAND = "uv run pytest -n 0 -m slow tests/story/senders"
CI_CLICKS, FULL_CLICKS = 3, 10  # in the burst 4 and 50


@dataclass
class Played:
    """What came of one sender in one weather: how its clicks ended, how it is afterwards, and how it got there."""

    play: Play
    ends: list[str]
    afterwards: str


async def played(stage: Stage, story: str, name: str, clicks: int, **changes: object) -> Played:
    """Play one story with one sender: two good clicks before, a minute apart, and one afterwards."""
    async with opened(stage, name, **settings_in(story, name), **changes) as house:
        play = Play(name, house)
        for _ in range(2):
            await play.clicks(1)
            await play.run()
            await play.wait(60)
        ours = await STORIES[story](play, clicks)
        await play.run()
        await play.wait(60)
        last = await play.click()
        play.write(last)
        await play.run()
        ends = await play.ends()
    return Played(play, [ends[click] for click in ours], ends[last])


def in_short(ends: list[str]) -> str:
    """Return how clicks ended, one after the other, without saying twice in a row the same."""
    return ", ".join(end for end, _ in groupby(ends))


def check(story: str, name: str, it: Played) -> None:
    """Hold what came of a story against the tables."""
    usual, others = ENDS[story]
    assert in_short(it.ends) == others.get(name, usual)
    assert it.afterwards == "removed", "it does not send any more"
    allowed = PUNISHED.get((story, name))
    assert set(it.play.manner.punished) == ({allowed} if allowed else set())
    assert it.play.heard[LOST] == (story == "answer lost"), "an answer came too late for its sender"
    assert it.play.slowest <= it.play.manner.patience
    bad = [letter for letter in it.play.letters if all(click.asks == "nothing readable" for click in letter.clicks)]
    status, tries = UNREADABLE.get(name, (200, 1))
    assert {letter.tries for letter in bad} <= {tries}
    assert {heard for letter in bad for heard, _ in letter.answers} <= {status}
    assert bool(bad) == (story == "unreadable")
    if story == "down for days":
        spans = {round((letter.ended - letter.began) / HOUR, 1) for letter in it.play.letters if letter.tries > 1}
        assert spans == ({HOURS[name]} if name in HOURS else set())


@pytest.mark.parametrize("story, name", DAILY)
async def test_every_sender_in_every_weather(stage: Stage, story: str, name: str) -> None:
    """Nobody is removed twice or late, a yes is kept and told, and by its own counting the sender never drops us."""
    check(story, name, await played(stage, story, name, CI_CLICKS))


@pytest.mark.parametrize(
    "name, statuses, how",
    [
        ("zendesk", [200] * 3 + [503] * 7, "paused for 5 s"),
        ("pagerduty", [422, 503, 401, 422], "switched off for 24 h"),
        ("slack button", [200] * 49 + [503] * 951, "switched off"),
        ("freshdesk", [503], "mailed the administrators"),
        ("standard", [410], "disabled"),
    ],
)
def test_the_senders_punish(name: str, statuses: list[int], how: str) -> None:
    """A play sender does to whoever fails it what the vendor says, and not one failure earlier."""
    manner = MANNERS[name]()
    for status in statuses:
        assert manner.punished == []
        manner.count(Heard(status), 0.0, is_over=True)
    assert manner.punished == [how]


async def test_three_refusals_would_switch_pagerduty_off(stage: Stage) -> None:
    """Without its preset's 200 for what cannot be read PagerDuty would be off for a day: the play senders do punish."""
    it = await played(stage, "unreadable", "pagerduty", 1, unreadable_status=422)
    assert it.play.manner.punished == ["switched off for 24 h"]
    assert (it.ends, it.afterwards) == (["lost"], "lost")


async def test_jira_would_not_take_another_yes(stage: Stage) -> None:
    """Without its preset's 200 Jira would count every click that we took as one that failed."""
    with pytest.raises(AssertionError, match="a yes that its sender does not take for one"):
        await played(stage, "all well", "jira", 1, success_status=202)


async def test_a_sender_of_standard_webhooks_need_not_repeat_for_days(stage: Stage) -> None:
    """With `unreadable_status = 200` what cannot be read comes once, and not ten times within three days."""
    it = await played(stage, "unreadable", "standard", 1, unreadable_status=200)
    assert [letter.tries for letter in it.play.letters] == [1] * len(it.play.letters)


@pytest.mark.slow
async def test_the_table_is_written_down(stage: Stage) -> None:
    """A full run, ten clicks a story and fifty in the burst, leaves what came of every sender in every weather."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Hours)
    counters: Counter[str] = Counter()
    cells: dict[str, dict[str, object]] = {}
    findings: list[str] = []
    for story in STORIES:
        for name in MANNERS:
            stage.client.flushall()
            loop.waits.at = BEGAN  # after half a year of moments in one loop they are too coarse for its timers
            runner = BlockingRunner(stage.client)  # each on a stage of its own: one that is used for all grows slow
            async with Stage(stage.client, runner, stage.dice, clock=stage.clock) as fresh:
                it = await played(fresh, story, name, FULL_CLICKS)
            try:
                check(story, name, it)
            except AssertionError as broken:
                findings.append(f"{name}, {story}: {broken}")
            ended = Counter(it.ends)
            cells.setdefault(name, {})[story] = {
                "deliveries": len(it.play.letters),
                "answers": {str(status or "none"): often for status, often in sorted(it.play.heard.items())},
                "clicks": dict(sorted(ended.items())),
                "punished": sorted(set(it.play.manner.punished)),
            }
            counters.update(ended, deliveries=len(it.play.letters), tries=it.play.heard.total(), stories=1)
    write_evidence("senders", command=COMMAND, counters=counters, findings=findings, cells=cells)
    assert findings == []


def test_the_tables_are_whole() -> None:
    """Every story says what becomes of its clicks, and no table speaks of a sender or a story that is not there."""
    assert ENDS.keys() == STORIES.keys()
    assert HOURS.keys() == MANNERS.keys() - {"teams"}
    named = {name for _, others in ENDS.values() for name in others} | UNREADABLE.keys()
    assert named | {name for _, name in PUNISHED} <= MANNERS.keys()
    assert {story for story, _ in PUNISHED} <= STORIES.keys()
