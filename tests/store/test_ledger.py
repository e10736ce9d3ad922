"""What is written down beside the promises: one line for each deed, each minute counted, each dead letter found."""

from __future__ import annotations

import dataclasses

import pytest

from service.core import model as m
from service.core.errors import LeaseLost
from service.core.lifecycle import REPORT_STEPS
from service.store.forgetting import Forgetting, Kind, Wanted
from service.store.keys import DAY
from service.store.ledger import AUDIT_MOST, HOUR, MINUTE, RedisLedger
from service.store.refusals import RefusalBook
from tests.store.acts_of_ledger import ledger_of
from tests.store.stories import ANNA, GONE, LOOKED, ORG, Story, digest, offered, uuid

REFUSED = m.Outcome(m.OutcomeKind.REFUSED, "purpose")
DEED = m.Deed


async def _lines(story: Story) -> list[m.AuditLine]:
    lines, _ = await ledger_of(story).audit(ORG, AUDIT_MOST)
    return list(lines)


# ------------------------------------------------------------------------------------------ the audit


async def test_an_end_is_a_line(story: Story) -> None:
    """Each action that ended has one line: which, who had asked, how it ended, and how long it took from the click."""
    clicked_at = story.clock.ms - 1_500
    claim = await story.claimed(1, event_at=clicked_at)
    await story.store.settle(claim.lease, GONE, 0.0, ())
    (line,) = await _lines(story)
    expected = {"of": claim.action.id, "source": "desk", "outcome": "disconnected", "reason": "gone"}
    assert line == m.AuditLine(story.clock.ms, DEED.SETTLE, **expected, seconds=1.5)


async def test_a_clock_that_stepped_back_takes_no_time(story: Story) -> None:
    """An action that seems to have ended before its click took no time at all."""
    claim = await story.claimed()
    story.clock.move(-3)
    await story.store.settle(claim.lease, GONE, 0.0, ())
    (line,) = await _lines(story)
    assert line.seconds == 0
    (minute,) = await ledger_of(story).minutes(ORG, story.clock.ms)
    assert minute.gone == (1, 0, 0, 0, 0, 0, 0)


async def test_a_stale_settle_is_no_line(story: Story) -> None:
    """Who settles what another one has by now adds nothing to the audit."""
    zombie = await story.claimed()
    story.clock.move(7)
    (claim,) = await story.claim(worker="w2")
    await story.store.settle(claim.lease, GONE, 0.0, ())
    with pytest.raises(LeaseLost):
        await story.store.settle(zombie.lease, REFUSED, 0.0, ())
    assert [line.outcome for line in await _lines(story)] == ["disconnected"]


async def test_what_a_person_does_is_a_line(story: Story) -> None:
    """A pause, a resume, a replay, a preview and a note told again stand there with who and why; webhooks do not."""
    old = await story.settled()
    (report,) = await story.claim_reports()
    await story.store.bury(report.lease, "no")
    await story.store.pause(ORG, by=ANNA)
    await story.store.pause(ORG, "desk", by=ANNA)
    await story.store.resume(ORG, "desk", by=ANNA)
    assert await story.store.retell(report.report.id, by=ANNA)
    asked = {"intent_key": None, "by": ANNA}
    replay = await story.accepted(2, **asked, replay_of=old)
    preview = await story.accepted(3, **asked, preview=True)
    await story.accepted(4, intent_key=None, preview=True)
    _, *lines = await _lines(story)
    assert [(line.deed, line.of, line.source) for line in lines] == [
        (DEED.PAUSE, "", ""),
        (DEED.PAUSE, "desk", "desk"),
        (DEED.RESUME, "desk", "desk"),
        (DEED.RETELL, report.report.id, "desk"),
        (DEED.REPLAY, replay, "desk"),
        (DEED.PREVIEW, preview, "desk"),
    ]
    assert {(line.who, line.why) for line in lines} == {("anna", "the ticket says so")}


async def test_what_was_not_done_is_no_line(story: Story) -> None:
    """What is no dead letter is not told again, and an act that was asked for a second time is one."""
    action = await story.settled()
    (report,) = (await story.account(action)).reports
    assert not await story.store.retell(report.id, by=ANNA)
    offer = offered(story.dice, 2, intent_key=None, by=ANNA)
    assert await story.store.accept(offer) == await story.store.accept(offer)
    assert [line.deed for line in await _lines(story)] == [DEED.SETTLE, DEED.PREVIEW]


async def test_a_runaway_is_nobodys_pause(story: Story) -> None:
    """Where the service itself paused a source, the line and the pause name nobody."""
    bounds = m.Bounds(runaway=2, clicker="e" * 64)
    for word in (1, 2, 3):
        await story.accepted(word, bounds=bounds)
    (line,) = await _lines(story)
    assert line == m.AuditLine(story.clock.ms, DEED.PAUSE, "desk", source="desk", reason="runaway")
    assert await ledger_of(story).pauses(ORG) == {"desk": m.Pause(story.clock.ms)}


async def test_a_pause_of_an_older_version(story: Story) -> None:
    """A pause that was written without a name is somebody's, and not the service's own."""
    story.client.hset(story.keys.paused(ORG), "", "1790000000000")
    assert await ledger_of(story).pauses(ORG) == {"": m.Pause(1_790_000_000_000, m.SOMEBODY)}


async def test_a_pause_says_whose_it_is(story: Story) -> None:
    """What is paused, since when, by whom and why can be read; the first pause counts, whatever words are in it."""
    runaway = m.Operator("anna", "he is a runaway")
    await story.store.pause(ORG, "desk", by=runaway)
    paused_at = story.clock.ms
    story.clock.move(5)
    await story.store.pause(ORG, "desk", by=m.Operator("beth"))
    await story.store.pause(ORG, by=m.Operator("beth"))
    pauses = await ledger_of(story).pauses(ORG)
    assert pauses == {"": m.Pause(story.clock.ms, m.Operator("beth")), "desk": m.Pause(paused_at, runaway)}
    await story.store.resume(ORG)
    await story.accepted()
    assert await story.claim() == []
    (open_action,) = [await story.action(one) for one in await story.store.action_ids(ORG)]
    assert open_action.progress.held_by == "paused"


async def test_a_repeat_does_not_pause_again(story: Story) -> None:
    """A pause whose reply was lost is not made again when it was taken back in between."""
    await story.store.pause(ORG, by=ANNA)
    question = story.runner.asked[-1]
    await story.store.resume(ORG, by=ANNA)
    assert story.runner.repeat(question) == 1
    assert await story.store.paused(ORG) == frozenset()
    assert [line.deed for line in await _lines(story)] == [DEED.PAUSE, DEED.RESUME]


@pytest.mark.parametrize(
    "said, kept",
    [
        (
            m.Operator("anna\r\n\u2028", 'a "quote", a \\ and\x00a line\nmore'),
            ("anna", 'a "quote", a \\ anda linemore'),
        ),
        (m.Operator("\u202egnp", "\ud800he"), ("gnp", "he")),
        (m.Operator(" \n ", ""), ("somebody", "")),
        (m.Operator("a" * 200, "b" * 900), ("a" * 100, "b" * 500)),
        (m.Operator("=1+1", "call +14155550123"), ("=1+1", "call …0123")),
        (m.Operator('x","y', '"]\n["settle"'), ('x","y', '"]["settle"')),
    ],
)
async def test_words_of_a_person(story: Story, said: m.Operator, kept: tuple[str, str]) -> None:
    """Whatever a person writes is one text in one line: nothing ends it early, nothing hides in it, no number stays."""
    await story.store.pause(ORG, by=said)
    (line,) = await _lines(story)
    assert (line.deed, line.who, line.why) == (DEED.PAUSE, *kept)
    assert (await ledger_of(story).pauses(ORG))[""].by == m.Operator(*kept)


async def test_what_is_forgotten_is_a_line(story: Story) -> None:
    """Who lets something be forgotten has a line, and one for each action that was: none for one that was already."""
    await story.store.told((await story.report(requester="beth")).lease, [LOOKED])
    story.clock.move(121)
    forgetting = Forgetting(story.runner, story.dice, now_ms=story.clock.now)
    wanted = Wanted(Kind.REQUESTER, "beth")
    found = await forgetting.find(ORG, (), wanted)
    for _ in range(2):
        await forgetting.forget(ORG, (), wanted, found, "anna")
    (action,) = found.actions
    _, *lines = await _lines(story)
    assert [(line.deed, line.of, line.who) for line in lines] == [
        (DEED.FORGET, "", "anna"),
        (DEED.FORGET, action, "anna"),
        (DEED.FORGET, "", "anna"),
    ]


async def test_the_audit_is_read_on(story: Story) -> None:
    """Page by page, over days without a line, each line is read once, and what comes later goes on from there."""
    ledger, read, after = ledger_of(story), list[m.AuditLine](), ""
    for word in range(7):
        await story.settled(word, intent_key=digest(word), conversation_id=uuid(word))
        story.clock.move(86_400 * (word % 3))
    while True:
        lines, place = await ledger.audit(ORG, 2, after)
        if place == after:
            break
        assert 0 < len(lines) <= 2
        read, after = [*read, *lines], place
    assert read == await _lines(story)
    assert len(read) == 7
    assert (await ledger.audit(ORG, 2, after)) == ((), after)
    await story.store.pause(ORG)
    lines, _ = await ledger.audit(ORG, 2, after)
    assert [line.deed for line in lines] == [DEED.PAUSE]


async def test_a_clock_that_steps_back_over_midnight(story: Story) -> None:
    """What is written after the clock stepped back over midnight is read by whoever was over it already."""
    ledger = ledger_of(story)
    story.clock.ms = (story.clock.ms // DAY + 1) * DAY + 1_000
    await story.store.pause(ORG)
    _, after = await ledger.audit(ORG, 10)
    story.clock.move(-2)
    await story.store.resume(ORG)
    lines, _ = await ledger.audit(ORG, 10, after)
    assert [line.deed for line in lines] == [DEED.RESUME]


async def test_a_day_of_the_audit_ages_out(story: Story) -> None:
    """A day's lines live so long after its end; a place in one that is gone goes on with what is kept."""
    lives = dataclasses.replace(ledger_of(story)._lives, audit=7 * DAY)
    ledger = RedisLedger(story.runner, lives=lives, now_ms=story.clock.now)
    await story.store.pause(ORG)
    today = story.clock.ms // DAY
    key = story.keys.audit(ORG, today)
    assert story.state()[key][1] == (today + 1 + 30) * DAY
    lines, after = await ledger.audit(ORG, 10)
    assert len(lines) == 1
    story.client.delete(key)
    story.clock.move(86_400 * 20)
    await story.store.resume(ORG)
    assert [line.deed for line in (await ledger.audit(ORG, 10, after))[0]] == [DEED.RESUME]


@pytest.mark.parametrize(
    "after", ["x", "1", "1-", "-1", "1-2-3", "99999999-1", "1-99999999999", "\uff11-\uff11", "1-1\n"]
)
async def test_what_is_no_place(story: Story, after: str) -> None:
    """What is no place in the audit is refused in words."""
    with pytest.raises(ValueError, match="is no place in the audit"):
        await ledger_of(story).audit(ORG, 10, after)


# ------------------------------------------------------------------------------------------ minutes


async def test_a_minute_is_counted(story: Story) -> None:
    """What was taken, refused and ended in a minute is counted by source and kind, and how long people took to go."""
    began = story.clock.ms // MINUTE * MINUTE
    await story.accepted(1)
    await story.accepted(1)
    (claim,) = await story.claim()
    story.clock.move(1.2)
    await story.store.settle(claim.lease, GONE, 0.3, ())
    await story.settled(2, REFUSED, intent_key=digest("other"))
    book = RefusalBook(story.runner, story.dice, {"desk": ORG}, now_ms=story.clock.now)
    for number in range(300):
        book.note(m.Refusal("desk", number, "unauthorized", "no signature fits", 10))
    await book.write()
    story.clock.move(120)
    await story.accepted(3, source="chat")
    first, last = await ledger_of(story).minutes(ORG, story.clock.ms - 200_000)
    assert first == m.Minute(
        began, {"desk": 3}, {"desk": 300}, {"disconnected": 1, "refused": 1}, gone=(0, 1, 0, 0, 0, 0, 0)
    )
    assert (last.at, last.accepted, last.outcomes) == ((began + 120_000), {"chat": 1}, {})


@pytest.mark.parametrize("took, bound", [(0, 0), (0.5, 0), (0.501, 1), (30, 5), (31, 6)])
async def test_how_long_it_took(story: Story, took: float, bound: int) -> None:
    """A removal counts under the first bound that it does not exceed, else under one more; only what was removed."""
    claim = await story.claimed(1)
    other = await story.claimed(2, intent_key=digest("other"))
    story.clock.move(took)
    await story.store.renew(claim.lease) if took < 6 else None
    for one, outcome in ((claim, GONE), (other, m.Outcome(m.OutcomeKind.ALREADY_GONE, "gone"))):
        await story.store.settle(one.lease, outcome, 0.0, ())
    assert sum((minute.gone for minute in await ledger_of(story).minutes(ORG, 0)), ())[-7:] == tuple(
        int(number == bound) for number in range(7)
    )


async def test_a_day_and_no_more(story: Story) -> None:
    """Whoever asks for more than a day has a day, whoever asks for less has less, whatever the hour's life left."""
    ledger, began = ledger_of(story), story.clock.ms
    for hours in range(31):
        story.clock.ms = began + hours * HOUR
        await story.store.accept(offered(story.dice, hours, intent_key=digest(hours)))
    assert len(await ledger.minutes(ORG, 0)) == 25
    assert len(await ledger.minutes(ORG, story.clock.ms - 2 * HOUR)) == 3
    assert [minute.at for minute in await ledger.minutes(ORG, story.clock.ms)] == [story.clock.ms // MINUTE * MINUTE]
    assert await ledger.minutes(ORG, story.clock.ms + HOUR) == ()
    ends = {
        story.keys.minutes(ORG, (began + hours * HOUR) // HOUR): (began // HOUR + hours + 26) for hours in range(31)
    }
    assert {key: ends[key] * HOUR for key in ends} == {key: story.state()[key][1] for key in ends}


async def test_minutes_are_of_bounded_size(story: Story) -> None:
    """Ten thousand minutes with something to count leave no hour with more than its sixty, and none without end."""
    book = RefusalBook(story.runner, story.dice, {"desk": ORG}, now_ms=story.clock.now)
    book.note(m.Refusal("desk", 1, "unauthorized", "no signature fits", 10))
    await book.write()
    script, (refusals, _), args = story.runner.asked[-1]
    with story.client.pipeline(transaction=False) as pipe:
        for minute in range(10_000):
            now = str(story.clock.ms + minute * MINUTE)
            pipe.evalsha(script.sha, 2, refusals, story.keys.step(ORG, story.dice.token()), now, *args[1:])
        pipe.execute()
    hours = [str(key) for key in story.client.scan_iter("*minutes:*", count=1_000)]
    assert len(hours) >= 10_000 // 60
    assert max(story.client.hlen(key) for key in hours) == 60
    assert all(story.client.pttl(key) > 0 for key in hours)


# ------------------------------------------------------------------------------------------ dead letters, workers


async def test_dead_letters(story: Story) -> None:
    """Each dead letter is found with its action, the newest first, until it is told again or its life is over."""
    ledger, died = ledger_of(story), list[str]()
    for word in range(3):
        report = await story.report(word, intent_key=digest(word), conversation_id=uuid(word))
        await story.store.bury(report.lease, "no")
        died.append(report.report.id)
        story.clock.move(1)
    letters = await ledger.dead(ORG, 10)
    assert [letter.report.id for letter in letters] == died[::-1]
    assert letters[0].action.id == died[2].rpartition(".")[0]
    assert letters[0].died_at == story.clock.ms - 1_000
    assert letters[0].report.state == REPORT_STEPS["bury"].to
    assert letters[0].report.error == "no"
    assert [letter.report.id for letter in await ledger.dead(ORG, 2)] == died[:0:-1]
    assert (await story.store.burden(ORG)).dead == {"desk": 3}
    assert await story.store.retell(died[1])
    story.client.delete(story.keys.report(died[2]))
    assert (await story.store.burden(ORG)).dead == {"desk": 1}
    assert [letter.report.id for letter in await ledger.dead(ORG, 10)] == died[:1]
    assert story.client.zrange(story.keys.dead(ORG), 0, -1) == died[:1]


async def test_what_died_long_ago_is_forgotten(story: Story) -> None:
    """What died so long ago that nothing of it is left goes when something else dies."""
    for word in range(2):
        report = await story.report(word, intent_key=digest(word), conversation_id=uuid(word))
        await story.store.bury(report.lease, "no")
        died = report.report.id
        assert story.client.zrange(story.keys.dead(ORG), 0, -1) == [died]
        story.clock.move(31 * 86_400)
    assert story.state()[story.keys.dead(ORG)][1] == story.clock.ms - DAY


async def test_a_letter_that_nobody_can_read(story: Story) -> None:
    """A dead letter whose record is odd is left out, and stays where it is."""
    report = await story.report()
    await story.store.bury(report.lease, "no")
    story.client.hset(story.keys.report(report.report.id), "ticket", "no JSON")
    assert await ledger_of(story).dead(ORG, 10) == ()
    assert story.client.zcard(story.keys.dead(ORG)) == 1


async def test_a_forgotten_letter_is_told_to_nobody(story: Story) -> None:
    """A dead letter of what was forgotten is none any more: nobody knows whom to tell."""
    report = await story.report(requester="beth")
    await story.store.bury(report.lease, "no")
    story.clock.move(121)
    forgetting = Forgetting(story.runner, story.dice, now_ms=story.clock.now)
    wanted = Wanted(Kind.REQUESTER, "beth")
    await forgetting.forget(ORG, (), wanted, await forgetting.find(ORG, (), wanted), "anna")
    assert await ledger_of(story).dead(ORG, 10) == ()


async def test_workers(story: Story) -> None:
    """Who was there lately is there, with what it has in hand and how its token stands; others leave no trace."""
    ledger, now = ledger_of(story), story.clock.ms
    await story.store.attend(ORG, "w-b:2", 0, None, (0.0, 'the login said "no" to +14155550123'))
    await story.store.attend(ORG, "w-a:1", 3, 0.25, (60.5, ""))
    first, second = await ledger.workers(ORG)
    assert first == m.Attendance("w-a:1", now, now - 250, 3, now + 60_500)
    assert second == m.Attendance("w-b:2", now, 0, 0, 0, 'the login said "no" to …0123')
    story.clock.move(121)
    assert await ledger.workers(ORG) == ()
    await story.store.attend(ORG, "w-c:3", 1, 0.0, (0.0, ""))
    assert story.client.hkeys(story.keys.workers(ORG)) == ["w-c:3"]
    assert story.state()[story.keys.workers(ORG)][1] == story.clock.ms + 600_000
    story.clock.move(-500)
    assert await ledger.workers(ORG) == ()
    await story.store.attend(ORG, "w-d:4", 1, 0.0, (0.0, ""))
    assert [one.worker for one in await ledger.workers(ORG)] == ["w-d:4"]
