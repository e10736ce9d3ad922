"""Reports: due when their action is settled, told once, buried when nobody takes them, told again by a person."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.core.errors import LeaseLost
from tests.store.stories import GONE, LOOKED, ORG, TICKET, Story


async def test_a_report_waits_for_the_end(story: Story) -> None:
    """Nothing is told of an action that is open; when it is settled its reports are due at once."""
    claim = await story.claimed(channels=("ticket", "webhook"))
    assert await story.claim_reports() == []
    await story.store.settle(claim.lease, GONE, 0.0, ())
    reports = await story.claim_reports()
    assert [claim.report.channel for claim in reports] == ["ticket", "webhook"] or len(reports) == 2


async def test_a_report_claim_has_all_that_is_known(story: Story) -> None:
    """A claim is the report and its settled action, with the number of this try."""
    claim = await story.report()
    assert claim.report == m.Report(
        id=claim.report.id,
        action_id=claim.action.id,
        source="desk",
        channel="ticket",
        ticket=TICKET,
        state=m.ReportState.DUE,
        tries=1,
        first_due_at=story.clock.ms,
    )
    assert claim.action == await story.action(claim.action.id)
    assert (claim.now_at, claim.lease_until) == (story.clock.ms, story.clock.ms + 6_000)
    assert claim.lease.id == claim.report.id


async def test_a_report_that_was_told_is_done(story: Story) -> None:
    """A told report is due no more, and its entry stands in the timeline."""
    claim = await story.report()
    await story.store.told(claim.lease, [LOOKED])
    account = await story.account(claim.action.id)
    assert account.reports[0].state == m.ReportState.TOLD
    assert account.timeline[-1] == LOOKED
    assert story.due_in(claim.report.id) is None


async def test_a_report_is_tried_again(story: Story) -> None:
    """A failed try is due again when asked for, counted, with its error on the report and in the timeline."""
    claim = await story.report()
    await story.store.put_back_report(claim.lease, 60, 'the desk said "503"')
    assert story.due_in(claim.report.id) == 60
    entry = (await story.account(claim.action.id)).timeline[-1]
    assert entry == m.Entry("report", story.clock.ms, worker="w1", note='the desk said "503"')
    story.clock.move(60)
    (again,) = await story.claim_reports()
    assert (again.report.tries, again.report.error) == (2, 'the desk said "503"')
    assert again.report.first_due_at == claim.report.first_due_at


async def test_a_success_takes_the_error_away(story: Story) -> None:
    """A report that was told in the end has no error."""
    claim = await story.report()
    await story.store.put_back_report(claim.lease, 0, "no")
    (again,) = await story.claim_reports()
    await story.store.told(again.lease, ())
    assert (await story.account(claim.action.id)).reports[0].error == ""


async def test_a_crashed_tellers_report_comes_due(story: Story) -> None:
    """When a teller's lease ends the report is due by itself; a renewed one is not."""
    claim = await story.report()
    story.clock.move(5)
    await story.store.renew_report(claim.lease)
    story.clock.move(5.9)
    assert await story.claim_reports() == []
    story.clock.move(0.1)
    (again,) = await story.claim_reports()
    assert again.report.tries == 2
    with pytest.raises(LeaseLost):
        await story.store.told(claim.lease, ())


async def test_a_dead_letter_moves_only_by_a_person(story: Story) -> None:
    """A buried report is never claimed, has its error, and is told again when a person asks."""
    claim = await story.report()
    await story.store.bury(claim.lease, "404: no such incident")
    story.clock.move(86_400)
    assert await story.claim_reports() == []
    account = await story.account(claim.action.id)
    assert (account.reports[0].state, account.reports[0].error) == (m.ReportState.DEAD, "404: no such incident")
    assert account.timeline[-1].note == "404: no such incident"
    assert await story.store.retell(claim.report.id) is True
    (again,) = await story.claim_reports()
    assert (again.report.first_due_at, again.report.tries) == (story.clock.ms, 2)


@pytest.mark.parametrize("state", ["waiting", "due", "told", "gone"])
async def test_only_a_dead_letter_is_told_again(story: Story, state: str) -> None:
    """What is no dead letter is not made due by a person, and stays as it is."""
    if state == "waiting":
        report_id = (await story.account(await story.accepted())).reports[0].id
    else:
        claim = await story.report()
        report_id = claim.report.id
        if state == "told":
            await story.store.told(claim.lease, ())
        if state == "gone":
            story.client.delete(story.keys.report(report_id))
    before = story.state()
    assert await story.store.retell(report_id) is False
    assert story.state() == before


async def test_a_newer_versions_letter_is_not_told_again(story: Story) -> None:
    """Whether a newer version's report is dead, that one knows: it is left, and nothing is written."""
    claim = await story.report()
    await story.store.bury(claim.lease, "no")
    story.client.hset(story.keys.report(claim.report.id), "v", "2")
    before = story.state()
    assert await story.store.retell(claim.report.id) is False
    assert story.state() == before


async def test_what_is_no_report_id_is_refused(story: Story) -> None:
    """A word that is no report id never becomes a key."""
    with pytest.raises(ValueError, match="report id"):
        await story.store.retell("acme.1.2")


@pytest.mark.parametrize("what", ["report", "action"])
async def test_a_newer_versions_report_is_left_alone(story: Story, what: str) -> None:
    """A report or action of an unknown schema is not taken and not counted; it stays due for whoever wrote it."""
    action_id = await story.settled()
    report = (await story.account(action_id)).reports[0]
    key = story.keys.report(report.id) if what == "report" else story.keys.action(action_id)
    story.made_newer(key)
    before = story.client.hgetall(key)
    assert await story.claim_reports() == []
    assert story.due_in(report.id) == 0
    assert story.client.hgetall(key) == before


@pytest.mark.parametrize("many, again", [(50, 0), (51, 30)])
async def test_very_many_reports_of_a_newer_version(story: Story, many: int, again: int) -> None:
    """They are put off, untouched, as soon as they fill more than half of what is looked at of a desk."""
    odd = [(await story.account(await story.settled(number, intent_key=None))).reports[0].id for number in range(many)]
    for one in odd:
        story.made_newer(story.keys.report(one))
    fine = (await story.account(await story.settled(many, intent_key=None))).reports[0].id
    assert [claim.report.id for claim in await story.claim_reports()] == [fine]
    assert {story.due_in(one) for one in odd} == {again}


async def test_an_odd_report_does_not_end_the_claim(story: Story) -> None:
    """A report whose key is of the wrong type, or whose record nobody can read, leaves the others to be told."""
    for number in range(3):
        await story.settled(number, GONE, intent_key=None)
    first, second, third = map(str, story.client.zrange(story.keys.due_reports(ORG, "desk"), 0, -1))
    story.client.delete(story.keys.report(first))
    story.client.set(story.keys.report(first), "what is this")
    story.client.hset(story.keys.report(second), "ticket", "no JSON")
    assert [claim.report.id for claim in await story.claim_reports()] == [third]
    assert story.due_in(first) == 30


async def test_a_report_without_its_action_is_forgotten(story: Story) -> None:
    """A report whose life, or whose action's, is over is taken off the due set."""
    action_id = await story.settled()
    story.client.delete(story.keys.action(action_id))
    assert await story.claim_reports() == []
    assert story.client.zcard(story.keys.due_reports(ORG, "desk")) == 0


async def test_a_report_claim_asked_again_after_the_end(story: Story) -> None:
    """A claim that is asked again leaves out what has been told since."""
    claim = await story.report()
    question = story.runner.asked[-1]
    await story.store.told(claim.lease, ())
    again = story.runner.repeat(question)
    assert isinstance(again, list)
    assert again[2:] == []


async def test_reports_are_told_while_paused(story: Story) -> None:
    """A pause holds removals, not what is to be told of them."""
    await story.settled()
    await story.store.pause(ORG)
    assert len(await story.claim_reports()) == 1


async def test_no_more_reports_than_asked_for(story: Story) -> None:
    """A claim takes no more than asked for, earliest first whatever the desk, and the rest is left for the next."""
    for number in range(4):
        await story.settled(number, GONE, intent_key=None, source="desk" if number % 2 else "other")
        story.clock.move(0.001)
    first = await story.store.claim_reports(ORG, "w1", story.dice.token(), 3)
    second = await story.store.claim_reports(ORG, "w1", story.dice.token(), 3)
    assert [claim.report.source for claim in (*first, *second)] == ["other", "other", "desk", "desk"]
    assert [len(first), len(second)] == [3, 1]
    assert first[0].report.first_due_at < first[1].report.first_due_at


async def test_no_more_at_a_desk_than_it_bears(story: Story) -> None:
    """Two reports of a desk are handed out at once, whoever asks; the next when one is ended, or its lease is."""
    for number in range(5):
        await story.settled(number, GONE, intent_key=None)
    first, second = await story.claim_reports()
    assert await story.claim_reports() == []
    await story.store.told(first.lease, ())
    (third,) = await story.claim_reports()
    await story.store.put_back_report(third.lease, 60, "503")
    (fourth,) = await story.claim_reports()
    story.clock.move(5)
    await story.store.renew_report(fourth.lease)
    story.clock.move(1.5)  # whoever had the second is gone, and the fourth is still being told
    (fifth,) = await story.claim_reports()
    assert fifth.report.id not in {claim.report.id for claim in (first, second, third, fourth)}
    assert await story.claim_reports() == []


async def test_a_desk_is_forgotten_with_its_last_report(story: Story) -> None:
    """What stands in Redis for a desk goes when nothing of it is due any more, and comes back with the next report."""
    claim = await story.report()
    await story.store.told(claim.lease, ())
    assert await story.claim_reports() == []
    assert not story.client.exists(story.keys.desks(ORG), story.keys.due_reports(ORG, "desk"))
    await story.settled(2, GONE, intent_key=None)
    assert len(await story.claim_reports()) == 1


async def test_an_odd_desk_does_not_end_the_claim(story: Story) -> None:
    """A desk whose due set is of the wrong type leaves the reports of the others to be told."""
    await story.settled(1, GONE, source="other", intent_key=None)
    story.client.set(story.keys.due_reports(ORG, "desk"), "what is this")
    story.client.sadd(story.keys.desks(ORG), "desk")
    assert [claim.report.source for claim in await story.claim_reports()] == ["other"]
