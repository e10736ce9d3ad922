"""What a newer version writes beside the records: deeds, counts, pauses and workers that are not known here."""

from __future__ import annotations

from collections.abc import Sequence

from service.core import model as m
from service.store.ledger import HOUR, RedisLedger
from tests.store.stories import ORG, Story

DAY = 24 * HOUR


async def lines_of(story: Story) -> Sequence[m.AuditLine]:
    """Return the whole audit."""
    lines, _ = await RedisLedger(story.runner, now_ms=story.clock.now).audit(ORG, 100)
    return list(lines)


async def test_a_deed_of_a_newer_version(story: Story) -> None:
    """A line that a newer version wrote is left out, and the next ones are read."""
    story.client.rpush(story.keys.audit(ORG, story.clock.ms // DAY), '[1,"sing","","","","","","",0,7]')
    await story.store.pause(ORG)
    assert [line.deed for line in await lines_of(story)] == [m.Deed.PAUSE]
    assert (await RedisLedger(story.runner, now_ms=story.clock.now).audit(ORG, 1))[0] == ()


async def test_what_a_newer_version_adds(story: Story) -> None:
    """What it writes behind what is known here, and counts or pauses for that is not known here, spoils nothing."""
    now, ledger = story.clock.ms, RedisLedger(story.runner, now_ms=story.clock.now)
    line = f'[{now},"pause","desk","anna","flood","desk","","",0.5,"more",{{}}]'
    story.client.rpush(story.keys.audit(ORG, now // DAY), line)
    assert await lines_of(story) == [m.AuditLine(now, m.Deed.PAUSE, "desk", "anna", "flood", "desk", seconds=0.5)]
    story.client.hset(story.keys.workers(ORG), "w-new:1", f'[{now},{now},2,0,"",7,"more"]')
    assert await ledger.workers(ORG) == (m.Attendance("w-new:1", now, now, 2, 0, ""),)
    pauses = {"desk": f'{now} ["anna","flood","more"]', "jira": f"{now} night"}
    story.client.hset(story.keys.paused(ORG), items=[word for pair in pauses.items() for word in pair])
    assert await ledger.pauses(ORG) == {"desk": m.Pause(now, m.Operator("anna", "flood")), "jira": m.Pause(now)}
    counted = {"0:accepted:desk": "3", "0:left": "1", "0:outcome:moved_on": "2", "0:accepted:jira:again": "4"}
    story.client.hset(story.keys.minutes(ORG, now // HOUR), items=[word for pair in counted.items() for word in pair])
    (minute,) = await ledger.minutes(ORG, now - HOUR)
    assert (minute.accepted, minute.outcomes) == ({"desk": 3, "jira": 4}, {"moved_on": 2})


async def test_a_letter_of_a_newer_version(story: Story) -> None:
    """A dead letter that a newer version wrote is left alone, whatever its state is called there."""
    report = await story.report()
    await story.store.bury(report.lease, "no")
    story.made_newer(story.keys.report(report.report.id))
    assert await RedisLedger(story.runner, now_ms=story.clock.now).dead(ORG, 10) == ()
    assert story.client.zcard(story.keys.dead(ORG)) == 1
