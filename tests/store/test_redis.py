"""The store over Redis, its steps in the order of the story; what has a file of its own is left out here."""

from __future__ import annotations

import pytest

from service.core import model as m
from service.core.errors import LeaseLost, UnknownVersion
from service.store.budget import Rate
from service.store.keys import Lives
from service.store.redis import RedisStore
from tests.store.stories import ACCEPTED, GONE, LOOKED, ORG, PHONE, TICKET, Story, offered


async def test_a_new_offer_becomes_an_action(story: Story) -> None:
    """A new offer becomes a pending action with everything that was offered, due at once."""
    offer = offered(story.dice, event_at=story.clock.ms - 30_000, requester="Anna", reason="wrong number")
    receipt = await story.store.accept(offer)
    assert receipt == m.Receipt(offer.action_id, "unguessable", "")
    account = await story.account(offer.action_id)
    assert account.key == "unguessable"
    assert account.action == m.Action(
        id=offer.action_id,
        org=ORG,
        source="desk",
        removal=offer.removal,
        received_at=story.clock.ms,
        clicked_at=story.clock.ms - 30_000,
        not_after=story.clock.ms + 90_000,
    )
    assert [entry.verb for entry in account.timeline] == ["verify", "parse", "accept"]
    assert account.timeline[-1].at == story.clock.ms
    assert story.due_in(offer.action_id) == 0


@pytest.mark.parametrize("event_ago, expected_ago", [(None, 0), (5, 5), (0, 0), (-60, 0)])
async def test_the_click(story: Story, event_ago: float | None, expected_ago: float) -> None:
    """A click is the event's time; without one, and for one in the future, it is the receipt."""
    event_at = None if event_ago is None else story.clock.ms - int(event_ago * 1000)
    action = await story.action(await story.accepted(event_at=event_at))
    assert action.clicked_at == story.clock.ms - expected_ago * 1000
    assert action.not_after == action.clicked_at + 120_000


async def test_a_late_offer_is_stored(story: Story) -> None:
    """A click that is past its not-after already is kept all the same, and can be settled."""
    claim = await story.claimed(event_at=story.clock.ms - 3_600_000)
    assert claim.action.not_after < claim.now_at


@pytest.mark.parametrize(
    "ticket, channels, expected",
    [
        (TICKET, ("ticket",), ["ticket"]),
        (TICKET, ("ticket", "webhook"), ["ticket", "webhook"]),
        (None, ("ticket",), []),
        (None, ("ticket", "webhook"), ["webhook"]),
        (TICKET, (), []),
    ],
)
async def test_a_report_for_each_channel(
    story: Story, ticket: m.Ticket | None, channels: tuple[str, ...], expected: list[str]
) -> None:
    """Each channel gets a report; without a ticket only the channel that needs none."""
    account = await story.account(await story.accepted(ticket=ticket, channels=channels))
    assert [report.channel for report in account.reports] == expected
    for report in account.reports:
        assert (report.state, report.ticket, report.source) == (m.ReportState.WAITING, ticket, "desk")
        assert report.id.startswith(account.action.id + ".")
        assert story.due_in(report.id) is None


async def test_what_is_not_there_is_not_read(story: Story) -> None:
    """Nothing is read for an id nobody has, or for what is no id."""
    assert await story.store.read(story.dice.action_id(ORG)) is None
    assert await story.store.read("../../etc/passwd") is None


async def test_a_newer_record_is_not_read(story: Story) -> None:
    """A record that a newer version wrote is not guessed at."""
    action_id = await story.accepted()
    story.made_newer(story.keys.action(action_id))
    with pytest.raises(UnknownVersion, match="'2'"):
        await story.store.read(action_id)


async def test_pin_keeps_progress(story: Story) -> None:
    """A pin is there before anything is done about it, and comes with the next claim."""
    claim = await story.claimed()
    progress = m.Progress(
        pin=m.Target("p1", ("l1", "l2"), "customer"),
        was_unpinned=True,
        bystanders={"p2": "agent"},
        absence=m.Absence.PARTICIPANT,
        absent_at=5,
        blind_looks=3,
        held_by="genesys_unreachable",
    )
    await story.store.pin(claim.lease, progress, [LOOKED])
    account = await story.account(claim.action.id)
    assert account.action.progress == progress
    assert account.timeline[-1] == LOOKED


async def test_put_back_ends_the_lease(story: Story) -> None:
    """What was put back is due after the time asked for, with its progress, and not a lapse."""
    claim = await story.claimed()
    await story.store.put_back(claim.lease, 3.0, m.Progress(blind_looks=2, held_by="busy"), [LOOKED])
    assert story.due_in(claim.action.id) == 3.0
    assert await story.claim() == []
    story.clock.move(3)
    (again,) = await story.claim()
    assert again.action.progress == m.Progress(blind_looks=2, held_by="busy")
    assert again.action.lapses == 0


async def test_renew_pushes_the_end(story: Story) -> None:
    """A renewed lease lasts a full lease from now, and its action is due only then."""
    claim = await story.claimed()
    story.clock.move(5)
    await story.store.renew(claim.lease)
    assert story.due_in(claim.action.id) == 6.0
    story.clock.move(5.9)
    assert await story.claim() == []


@pytest.mark.parametrize("late_seconds", [6.0, 60.0])
async def test_a_lease_that_is_over_is_not_renewed(story: Story, late_seconds: float) -> None:
    """A worker that froze past its lease does not get it back by renewing."""
    claim = await story.claimed()
    story.clock.move(late_seconds)
    with pytest.raises(LeaseLost):
        await story.store.renew(claim.lease)


async def test_settle_writes_the_outcome(story: Story) -> None:
    """A settled action has its outcome, the moment of the look and its timeline, and is due no more."""
    claim = await story.claimed()
    story.clock.move(2)
    outcome = m.Outcome(
        m.OutcomeKind.DISCONNECTED, "gone", remaining={"agent": 1}, vanished={"external": 1}, is_back=True
    )
    await story.store.settle(claim.lease, outcome, 0.5, [m.Entry("settle", story.clock.ms)])
    account = await story.account(claim.action.id)
    assert account.action.outcome == outcome
    assert account.action.state == m.ActionState.SETTLED
    assert (account.action.settled_at, account.action.seen_at) == (story.clock.ms, story.clock.ms - 500)
    assert account.timeline[-1].verb == "settle"
    assert story.due_in(claim.action.id) is None


async def test_settle_without_a_look(story: Story) -> None:
    """Without a look there is no moment of one."""
    claim = await story.claimed()
    await story.store.settle(claim.lease, m.Outcome(m.OutcomeKind.EXPIRED, "late"), None, ())
    assert (await story.action(claim.action.id)).seen_at == 0


async def test_an_outcome_is_written_once(story: Story) -> None:
    """Whoever settles again is told that the lease is gone, and the first outcome stays."""
    claim = await story.claimed()
    await story.store.settle(claim.lease, GONE, 0.0, ())
    with pytest.raises(LeaseLost):
        await story.store.settle(claim.lease, m.Outcome(m.OutcomeKind.FAILED, "no_effect"), 0.0, ())
    assert (await story.action(claim.action.id)).outcome == GONE


async def test_phone_numbers_go_with_the_end(story: Story) -> None:
    """Once an action is settled, no phone number is kept but its last four digits, in no key."""
    claim = await story.claimed(identity=m.Selector(m.SelectorKind.PHONE, "+442079460999"))
    assert claim.action.removal.selector == PHONE
    await story.store.settle(claim.lease, GONE, 0.0, ())
    removal = (await story.action(claim.action.id)).removal
    assert removal.selector.value == "…0123"
    assert removal.identity == m.Selector(m.SelectorKind.PHONE, "…0999")
    assert "415555" not in repr(story.state())
    assert "207946" not in repr(story.state())


async def test_ids_stay_after_the_end(story: Story) -> None:
    """Who was named by an id is still named by it when the action is settled."""
    selector = m.Selector(m.SelectorKind.USER_ID, "00000000-0000-4000-8000-00000000000a")
    assert (await story.action(await story.settled(selector=selector))).removal.selector == selector


@pytest.mark.parametrize("number", [0, 2])
async def test_no_such_send(story: Story, number: int) -> None:
    """Answering a send that was never marked is a mistake of ours, and writes nothing."""
    claim = await story.sent()
    before = story.state()
    with pytest.raises(ValueError, match="no such send"):
        await story.store.answered(claim.lease, number, ACCEPTED, ())
    assert story.state() == before


async def test_the_timeline_is_bounded(story: Story) -> None:
    """Of a long life 400 entries are kept, and what a person asks for first is kept however long it was."""
    claim = await story.claimed()
    await story.store.pin(claim.lease, m.Progress(), [m.Entry("look", at) for at in range(500)])
    await story.store.settle(claim.lease, GONE, 0.0, [m.Entry("settle", 1)])
    timeline = (await story.account(claim.action.id)).timeline
    assert len(timeline) == 401
    assert timeline[-1].verb == "settle"


async def test_duplicates_leave_room_for_looks(story: Story) -> None:
    """A flood of duplicates fills no more than a hundred lines of the timeline."""
    action_id = await story.accepted()
    for _ in range(150):
        assert await story.accepted() == action_id
    assert len((await story.account(action_id)).timeline) == 100


async def test_hostile_text_comes_back_as_it_was(story: Story) -> None:
    """Quotes, backslashes, control characters and other scripts' letters come back as they were."""
    text = "\"'\\\n\x00\x7f\u2028 []{} \u202e 漢字 \U0001f4de %s %d \\u0000"
    action_id = await story.accepted(reason=text, requester=text, ticket=m.Ticket(text, text))
    account = await story.account(action_id)
    assert (account.action.removal.reason, account.reports[0].ticket) == (text, m.Ticket(text, text))


async def test_settings_of_the_store(story: Story) -> None:
    """Lease, lives and rate are what wiring says."""
    store = RedisStore(
        story.runner,
        story.dice,
        keys=story.keys,
        lives=Lives(action=1_000),
        rate=Rate(per_minute=60, burst=1),
        lease_seconds=2.0,
        now_ms=story.clock.now,
    )
    action_id = await story.accepted()
    (claim,) = await store.claim(ORG, "w1", story.dice.token(), 5)
    assert claim.lease_until == story.clock.ms + 2_000
    await store.settle(claim.lease, GONE, 0.0, ())
    assert story.state()[story.keys.action(action_id)][1] == story.clock.ms + 1_000
    assert [await store.spend(ORG), await store.spend(ORG)] == [0.0, 1.0]


@pytest.mark.parametrize("word", ["", "a b", 'a"b', "a\\b", "a\nb", "é"])
async def test_a_worker_has_a_plain_name(story: Story, word: str) -> None:
    """A worker's name that could break out of the timeline's JSON is refused."""
    with pytest.raises(ValueError, match="worker"):
        await story.claim(worker=word)


async def test_all_ids_of_an_org(story: Story) -> None:
    """The ids of an org are found however many there are, in order of time, and no other org's."""
    ids = [await story.accepted(number) for number in range(250)]
    await story.store.accept(offered(story.dice, action_id=story.dice.action_id("other"), org="other"))
    assert await story.store.action_ids(ORG) == ids
    assert await story.store.action_ids("nobody") == []
