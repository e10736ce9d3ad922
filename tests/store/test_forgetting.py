"""What is forgotten is in no key of Redis any more; what is open, and everybody else, is as it was."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from typing import Any

import orjson
import pytest
import redis

from service.core import model as m
from service.core.errors import Reply, StoreDown, Unreadable
from service.core.rules import Minted
from service.flow import operations
from service.store.client import Link, connect
from service.store.forgetting import ATTESTED_MOST, Forgetting, Found, Kind, Wanted
from service.store.keys import DAY, Lives
from service.store.records import NOWHERE
from service.store.redis import RedisStore
from service.store.refusals import RefusalBook
from service.store.script import Reply as Said
from service.store.script import Script
from service.store.tags import Tags
from tests.fixtures.redis import BlockingRunner, CountingDice, HandClock, short_folder
from tests.fixtures.servers import Cluster
from tests.store.astray import astray
from tests.store.stories import ANNA, GONE, LOOKED, ORG, PHONE, TICKET, Story, digest, offered, uuid

TAGS = Tags({ORG: "the client secret"})
BY_PHONE, BY_NAME = Wanted(Kind.PHONE, PHONE.value), Wanted(Kind.REQUESTER, "beth.anglin")
BY_TICKET = Wanted(Kind.TICKET, "inc0010112")
SOURCES = ("desk",)
PARTICIPANT, USER, CONTACT = uuid(71), uuid(72), uuid(73)
PERSONAL: dict[str, object] = {
    "selector": m.Selector(m.SelectorKind.EXTERNAL_CONTACT_ID, CONTACT),
    "identity": PHONE,
    "requester": "Beth.Anglin",
    "reason": "she was rude to Joe",
    "event_id": "evt-of-beth",
}
# nothing of it may be left; the ticket's label, reference and what people and Genesys said of it included
TRACES = (
    *(PHONE.value, "0123", CONTACT, PARTICIPANT, USER, "Beth", "beth", "rude", "Joe", "evt-of", "9d38", "INC0010112"),
    *(digest(("intent", 1)), TAGS.blinded(ORG, digest(("intent", 1))), digest(("body", 1))[:32]),
)
FORGETFUL = m.Outcome(
    m.OutcomeKind.DISCONNECTED, "gone", Reply(202, "ok", "Beth was told", "corr"), candidates=(f"customer {CONTACT}",)
)


@pytest.fixture
def forgetting(runner: BlockingRunner, dice: CountingDice, hand_clock: HandClock) -> Forgetting:
    """Give what forgets, on the Redis of the story."""
    return Forgetting(runner, dice, tags=TAGS, now_ms=hand_clock.now)


@pytest.fixture(autouse=True)
def _tagging(story: Story) -> None:
    """Let the store of the story tag numbers, as production does."""
    story.store = RedisStore(story.runner, story.dice, tags=TAGS, now_ms=story.clock.now)


async def _ended(story: Story, word: object = 1, **changes: object) -> str:
    """Bring an action to its very end: settled, its tickets told, and no click of it on its way; return its id."""
    claim = await story.claimed(word, **changes)
    await story.store.settle(claim.lease, GONE, 0.0, ())
    for due in await story.claim_reports():
        await story.store.told(due.lease, [m.Entry("report", 9, note=f"told {TICKET.label}")])
    story.clock.move(121)
    return claim.action.id


async def _personal(story: Story) -> str:
    """Leave one action on which everything hangs that can name a person; return its id."""
    claim = await story.claimed(1, channels=("ticket", "webhook"), **PERSONAL)
    pinned = m.Progress(pin=m.Target(PARTICIPANT, (uuid(74),), "customer", user_id=USER), bystanders={USER: "agent"})
    noted = dataclasses.replace(LOOKED, correlation_id='c,"note":"d', note='Beth +14155550123, "quoted","note":"Joe\\')
    await story.store.pin(claim.lease, pinned, [noted])
    marked = await story.store.mark_sent(claim.lease, claim.epoch, pinned, ())
    assert isinstance(marked, m.Marked)
    answer = m.Answer(m.AnswerKind.ACCEPTED, Reply(202, "ok", "Beth is gone", "corr"), 5, "generic")
    await story.store.answered(claim.lease, 1, answer, ())
    await story.store.settle(claim.lease, FORGETFUL, 0.0, [m.Entry("settle", 8, note="Beth")])
    told, buried = await story.claim_reports()
    await story.store.told(told.lease, [m.Entry("report", 9, note="told INC0010112")])
    await story.store.bury(buried.lease, "no INC0010112 at Beth's desk")
    story.clock.move(3_601)  # who owned the conversation is forgotten by itself
    return claim.action.id


def _traces(story: Story) -> list[str]:
    held = repr([one for one in story.state().items() if "conversation:" not in one[0]])
    return [trace for trace in TRACES if trace in held]


async def _done(forgetting: Forgetting, wanted: Wanted) -> Found:
    found = await forgetting.find(ORG, SOURCES, wanted)
    assert await forgetting.forget(ORG, SOURCES, wanted, found, "anna") == {}
    return found


@pytest.mark.parametrize("wanted", [BY_PHONE, BY_NAME, BY_TICKET], ids=lambda wanted: wanted.kind)
async def test_nothing_is_left(story: Story, forgetting: Forgetting, wanted: Wanted) -> None:
    """However it is asked for, nothing of person or ticket is left, how it ended is; a second time finds none."""
    action_id = await _personal(story)
    before = await story.account(action_id)
    assert set(TRACES) - set(_traces(story)) == {digest(("intent", 1))}  # which never stands there as it is
    found = await _done(forgetting, wanted)
    assert (set(found.actions), found.alike, found.still_open) == ({action_id}, frozenset(), {})
    assert _traces(story) == []
    assert astray(story.client) == []
    after = await story.account(action_id)
    assert after.action.outcome == dataclasses.replace(
        FORGETFUL, candidates=(), reply=dataclasses.replace(FORGETFUL.reply or Reply(), message="")
    )
    assert after.action.removal == m.Removal(
        NOWHERE, m.Selector(m.SelectorKind.EXTERNAL_CONTACT_ID, "…"), medium=before.action.removal.medium
    )
    assert [dataclasses.replace(entry, note="") for entry in before.timeline] == list(after.timeline)
    assert any(entry.note for entry in before.timeline)
    assert [(one.id, one.state, one.ticket, one.error) for one in after.reports] == [
        (one.id, one.state, None, "") for one in before.reports
    ]
    ends = {key: end for key, (_, end) in story.state().items()}
    for again in (BY_PHONE, BY_NAME, BY_TICKET):
        assert await forgetting.find(ORG, SOURCES, again) == Found({}, frozenset(), {}, 0, {})
    assert ends[story.keys.action(action_id)] != -1


async def test_what_was_forgotten_is_not_done_again(story: Story, forgetting: Forgetting) -> None:
    """A repeat of the delivery is the same action, a dead letter stays dead, and a replay is refused in words."""
    action_id = await _personal(story)
    await _done(forgetting, BY_PHONE)
    before = story.state()
    again = await story.store.accept(offered(story.dice, 1, channels=("ticket", "webhook"), **PERSONAL))
    assert (again.action_id, again.joined) == (action_id, "delivery")
    assert await story.claim_reports() == []
    reports = (await story.account(action_id)).reports
    assert [await operations.retell(story.store, one.id, by=ANNA) for one in reports] == [False] * 2
    minted = Minted(story.dice.action_id(ORG), "key")
    with pytest.raises(Unreadable, match="was cut when the action ended"):
        await operations.replay(story.store, story.clock, minted, action_id, by=ANNA, max_age_seconds=60)
    changed = {key for key, held in story.state().items() if held != before.get(key)}
    assert {key.rpartition("}:")[2].partition(":")[0] for key in changed} == {"delivery", "action", "minutes"}
    assert _traces(story) == []


async def test_everybody_else_stays(story: Story, forgetting: Forgetting) -> None:
    """Who has the same last four digits, another requester and another ticket are not touched, nor another org."""
    mine = await _ended(story, 1, requester="beth.anglin")
    alike = m.Selector(m.SelectorKind.PHONE, "+442079460123")
    other = {"conversation_id": uuid(2), "selector": alike, "requester": "beth", "ticket": m.Ticket("incident/9d39")}
    await _ended(story, 2, **other)
    elsewhere = story.dice.action_id("other")
    await story.store.accept(offered(story.dice, 3, action_id=elsewhere, org="other"))
    before = story.state()
    for wanted in (BY_PHONE, BY_NAME, BY_TICKET):
        found = await forgetting.find(ORG, SOURCES, wanted)
        assert set(found.actions) == {mine}
    assert story.state() == before
    await _done(forgetting, BY_PHONE)
    changed = {key for key, held in story.state().items() if held != before.get(key)}
    ours = {story.keys.action(mine)}  # with its timeline, and the report that was told
    of_org = {story.keys.forgettings(ORG), story.keys.terms_in(mine), story.keys.audit(ORG, story.clock.ms // DAY)}
    wish = story.keys.intent(ORG, TAGS.blinded(ORG, digest(("intent", 1))))
    assert wish not in story.state()
    assert changed == ours | of_org | {story.keys.delivery(ORG, digest(1))}


async def test_a_secret_that_was_changed(story: Story, forgetting: Forgetting, runner: BlockingRunner) -> None:
    """Tagged with another secret, or not at all, a number is found by its last four digits: nobody is missed."""
    mine = await _ended(story, 1)
    story.store = RedisStore(runner, story.dice, now_ms=story.clock.now)
    untagged = await _ended(story, 2, conversation_id=uuid(2))
    assert (await forgetting.find(ORG, (), BY_PHONE)).alike == {untagged}
    renewed = Forgetting(runner, story.dice, tags=Tags({ORG: "another"}), now_ms=story.clock.now)
    found = await renewed.find(ORG, (), BY_PHONE)
    assert found.alike == set(found.actions) == {mine, untagged}
    assert (await renewed.find(ORG, (), Wanted(Kind.PHONE, "+14155550124"))).actions == {}


async def test_open_actions_stay(story: Story, forgetting: Forgetting) -> None:
    """What is not settled, not told, too fresh, or of a newer version is named with the reason, and not touched."""
    other: dict[str, Any] = {"requester": "beth.anglin", "ticket": m.Ticket("incident/1")}
    newer = await _ended(story, 1, conversation_id=uuid(1), **other)
    story.made_newer(story.keys.action(newer))
    broken = await _ended(story, 2, conversation_id=uuid(2), **other)
    story.client.hdel(story.keys.action(broken), "sends")
    untold = await story.settled(3, conversation_id=uuid(3), **other)
    story.clock.move(121)
    fresh = await story.settled(4, conversation_id=uuid(4), channels=(), **other)
    pending = await story.accepted(5, conversation_id=uuid(5), **other)
    before = story.state()
    found = await forgetting.find(ORG, (), BY_NAME)
    assert found.actions == {}
    assert found.still_open == {
        newer: "unknown",
        broken: "unknown",
        untold: "report",
        fresh: "fresh",
        pending: "action",
    }
    assert story.state() == before
    # a dead letter waits for nobody, and a click of an old wish finds the action until its own time is over
    for due in await story.claim_reports():
        await story.store.bury(due.lease, "no")
    story.clock.move(119.9)
    assert (await forgetting.find(ORG, (), BY_NAME)).still_open.get(fresh) == "fresh"
    story.clock.move(0.2)
    assert set((await forgetting.find(ORG, (), BY_NAME)).actions) == {untold, fresh}


async def test_the_script_itself_refuses_what_is_open(story: Story, forgetting: Forgetting) -> None:
    """Whatever changed between finding and forgetting is kept by the script, and said."""
    ended = await _ended(story, 1, channels=("webhook",), requester="beth.anglin")
    other = await _ended(story, 2, conversation_id=uuid(2), requester="beth.anglin")
    aged = await _ended(story, 3, conversation_id=uuid(3), requester="beth.anglin")
    renewed = await _ended(story, 4, conversation_id=uuid(4), requester="beth.anglin")
    plain = await _ended(story, 5, conversation_id=uuid(5), requester="beth.anglin")
    found = await forgetting.find(ORG, (), BY_NAME)
    assert set(found.actions) == {ended, other, aged, renewed, plain}
    # the same delivery asks for a ticket too, another was changed, the third aged out, the last is of a newer version
    await story.store.accept(offered(story.dice, 1, channels=("ticket", "webhook"), requester="beth.anglin"))
    story.client.hset(story.keys.action(other), "removal", "{}")
    story.client.delete(story.keys.action(aged))
    story.made_newer(story.keys.action(renewed))
    # and a delivery that led to the one that may be forgotten leads to another action by now
    again = story.keys.delivery(ORG, digest(5))
    story.client.hset(again, "action", other)
    before = story.state()
    kept = await forgetting.forget(ORG, (), BY_NAME, found, "anna")
    assert kept == {ended: "report", other: "changed", renewed: "changed"}
    forgotten = {story.keys.action(plain)}
    changed = {key for key, held in story.state().items() if held != before.get(key)}
    of_org = {story.keys.forgettings(ORG), story.keys.terms_in(plain), story.keys.audit(ORG, story.clock.ms // DAY)}
    assert changed == forgotten | of_org
    # one that aged out between the walk and the look at it is nobody's
    gone = await forgetting._judged(aged, BY_NAME)
    assert (gone.is_wanted, gone.why) == (False, "")


async def test_what_is_gone_is_not_begun_again(story: Story, forgetting: Forgetting) -> None:
    """Where a timeline or a report aged out, or the wish is another action's by now, none is made or taken."""
    action_id = await _ended(story, 1, requester="beth.anglin", channels=("ticket", "webhook"))
    (report, _) = (await story.account(action_id)).reports
    intent = story.keys.intent(ORG, TAGS.blinded(ORG, digest(("intent", 1))))
    story.client.set(intent, "acme.another", px=1_000_000)
    for key in (story.keys.timeline(action_id), story.keys.report(report.id), story.keys.delivery(ORG, digest(1))):
        story.client.delete(key)
    await _done(forgetting, BY_NAME)
    assert story.client.get(intent) == "acme.another"
    assert story.client.exists(story.keys.timeline(action_id), story.keys.report(report.id)) == 0
    assert astray(story.client) == []


async def test_a_ticket_that_joined(story: Story, forgetting: Forgetting) -> None:
    """A ticket that joined what another one asked for is found too, by its reference, the end of it, or its label."""
    claim = await story.claimed(1, conversation_id=uuid(1))
    joining = {"intent_key": digest(("intent", 1)), "ticket": m.Ticket("incident/77aa", "INC77")}
    await story.accepted(2, **joining)
    await story.store.settle(claim.lease, GONE, 0.0, ())
    for due in await story.claim_reports():
        await story.store.told(due.lease, ())
    story.clock.move(121)
    for value in ("incident/77aa", "77AA", "inc77"):
        assert set((await forgetting.find(ORG, (), Wanted(Kind.TICKET, value))).actions) == {claim.action.id}
    for value in ("incident", "77", ""):
        assert (await forgetting.find(ORG, (), Wanted(Kind.TICKET, value))).actions == {}
    found = await _done(forgetting, Wanted(Kind.TICKET, "INC77"))
    wish = story.keys.intent(ORG, TAGS.blinded(ORG, digest(("intent", 1))))
    asked = {story.keys.delivery(ORG, digest(number)) for number in (1, 2)}
    assert set(*found.leading.values()) == {wish, *asked}


class Dying(BlockingRunner):
    """A runner whose Redis goes away after so many answers to `forget`."""

    left = 10**6

    async def run(self, script: Script, keys: object, args: object) -> Said:
        if script.name == "forget":
            self.left -= 1
            if self.left < 0:
                raise StoreDown("away")
        return await super().run(script, keys, args)  # type: ignore[arg-type] # handed on as it came


async def test_ended_in_the_middle(story: Story, redis_client: redis.Redis) -> None:
    """Killed in the middle, some are forgotten and the rest is found by the next run; each run is written down."""
    ids = [await _ended(story, n, conversation_id=uuid(n), requester="beth.anglin") for n in range(1, 6)]
    runner = Dying(redis_client)
    forgetting = Forgetting(runner, story.dice, tags=TAGS, now_ms=story.clock.now)
    found = await forgetting.find(ORG, (), BY_NAME)
    runner.left = 2
    with pytest.raises(StoreDown):
        await forgetting.forget(ORG, (), BY_NAME, found, "anna")
    runner.left = 10**6
    rest = await forgetting.find(ORG, (), BY_NAME)
    assert sorted(rest.actions) == ids[2:]
    assert await forgetting.forget(ORG, (), BY_NAME, rest, "anna") == {}
    assert (await forgetting.find(ORG, (), BY_NAME)).actions == {}
    assert [one.actions for one in await forgetting.attested(ORG)] == [3, 5]


@pytest.mark.parametrize(
    "wanted, reason, is_named",
    [
        (BY_PHONE, "caller “+1 415 555-0123” is unknown", True),
        (BY_PHONE, "caller 0014155550123 is unknown", True),
        (BY_PHONE, "caller 0415 555 0123 is unknown", True),
        (BY_PHONE, "caller 415.555.0124 is unknown", False),
        (BY_PHONE, "it has 0123 bytes", False),
        (BY_NAME, "requester “BETH.ANGLIN” has too many", True),
        (BY_TICKET, "no INC0010112 here", True),
        (BY_TICKET, "no INC0010113 here", False),
    ],
)
async def test_refusals(story: Story, forgetting: Forgetting, wanted: Wanted, reason: str, is_named: bool) -> None:
    """The reason of a refusal that names it is struck out, when and how large stays; others stay as they are."""
    book = RefusalBook(story.runner, story.dice, {"desk": ORG}, now_ms=story.clock.now)
    noted = [m.Refusal("desk", at, "unreadable", said, 10, "abcd1234") for at, said in ((1, reason), (2, "another"))]
    for one in noted:
        book.note(one)
    await book.write()
    assert (await forgetting.find(ORG, SOURCES, wanted)).refusals == int(is_named)
    await _done(forgetting, wanted)
    expected = dataclasses.replace(noted[0], reason="forgotten") if is_named else noted[0]
    assert list(await book.refusals("desk")) == [noted[1], expected]
    assert (await forgetting.find(ORG, SOURCES, wanted)).refusals == 0


async def test_who_asked_is_written_down(story: Story, forgetting: Forgetting) -> None:
    """Who, when, what kind and how many are kept for a year, of a thousand runs; never what was forgotten."""
    await _ended(story, 1, requester="beth.anglin")
    for by in ("anna\x1b[2J\n", "x" * 500):
        found = await forgetting.find(ORG, (), BY_NAME)
        await forgetting.forget(ORG, (), BY_NAME, found, by)
        story.clock.move(1)
    newest, oldest = await forgetting.attested(ORG)
    now = story.clock.ms
    assert (oldest.at, oldest.by, oldest.kind, oldest.actions) == (now - 2_000, "anna[2J", "requester", 1)
    assert (newest.at, newest.by, newest.actions, newest.refusals) == (now - 1_000, "x" * 100, 0, 0)
    lines, ends = story.state()[story.keys.forgettings(ORG)]
    assert ends == now - 1_000 + Lives().forgettings
    assert isinstance(lines, list)
    assert set(json.loads(lines[0])) == {"at", "by", "kind", "actions", "refusals", "nonce"}
    assert "beth" not in str(lines)
    story.client.rpush(story.keys.forgettings(ORG), *[orjson.dumps({"at": 1}).decode()] * ATTESTED_MOST)
    await _done(forgetting, BY_NAME)
    assert story.client.llen(story.keys.forgettings(ORG)) == ATTESTED_MOST
    assert (await forgetting.attested("nobody")) == []


def test_the_value_is_not_shown() -> None:
    """What is to be forgotten, and what was found of it, is in no trace of an error."""
    found = Found({"acme.1": {"removal": PHONE.value}}, frozenset(), {}, 0, {})
    assert PHONE.value not in f"{BY_PHONE!r} {found!r}"


async def test_by_the_clock_of_redis(link: Link, live_store: RedisStore, dice: CountingDice) -> None:
    """As production runs it, however many keys there are: each is found once, and a click may still be on its way."""
    offers = [offered(dice, n, conversation_id=uuid(n), requester="beth.anglin") for n in range(250)]
    await asyncio.gather(*map(live_store.accept, offers))
    forgetting = Forgetting(link, dice)
    assert len((await forgetting.find(ORG, SOURCES, BY_NAME)).still_open) == 250
    (claim,) = await live_store.claim(ORG, "w1", dice.token(), 1)
    await live_store.settle(claim.lease, GONE, 0.0, ())
    for due in await live_store.claim_reports(ORG, "w1", dice.token(), 1):
        await live_store.told(due.lease, ())
    found = await forgetting.find(ORG, SOURCES, BY_NAME)
    assert found.still_open[claim.action.id] == "fresh"
    assert set(found.still_open.values()) == {"action", "fresh"}


async def test_on_a_cluster(dice: CountingDice) -> None:
    """On a Cluster each org is found on its own master, and forgotten there."""
    folder = short_folder()
    orgs = ("north", "south", "east")  # one on each of three masters
    with Cluster(folder) as cluster:
        assert {cluster.masters.index(cluster.master_of(org)) for org in orgs} == {0, 1, 2}
        link = Link(connect(cluster.url), HandClock())
        store, forgetting = RedisStore(link, dice, tags=TAGS), Forgetting(link, dice, tags=TAGS)
        for org in orgs:
            clicked = {"event_at": 1, "max_age_seconds": 0, "channels": (), "requester": "beth.anglin"}
            await store.accept(offered(dice, org, action_id=dice.action_id(org), org=org, **clicked))
            (claim,) = await store.claim(org, "w1", dice.token(), 5)
            await store.settle(claim.lease, GONE, 0.0, ())
            found = await forgetting.find(org, SOURCES, BY_NAME)
            assert set(found.actions) == {claim.action.id}
            assert [len(keys) for keys in found.leading.values()] == [2]  # its delivery and its wish
            assert await forgetting.forget(org, SOURCES, BY_NAME, found, "anna") == {}
            account = await store.read(claim.action.id)
            assert account is not None
            assert account.action.removal.requester == ""
        await link.aclose()
    shutil.rmtree(folder)
