"""What was written before records were made short is read as it was meant, and ended as any other."""

from __future__ import annotations

import orjson
import pytest

from service.core import model as m
from service.core.errors import Reply
from service.store import records, terms
from service.store.archive import RedisArchive
from service.store.forgetting import Forgetting, Kind, Wanted
from tests.store.stories import ACCEPTED, GONE, LOOKED, ORG, PHONE, TICKET, Story, digest, uuid

PIN = m.Target(uuid(5), (uuid(6),), "customer", m.Medium.VOICE)


def whole(noun: object) -> str:
    """Return a noun as it was written first: each field of it, whatever it says."""
    return orjson.dumps(noun).decode()


def test_whole_nouns_are_read() -> None:
    """A noun that was written with all its fields is the same noun."""
    removal = m.Removal(uuid(1), PHONE, ticket=TICKET, event_at=5)
    outcome = m.Outcome(m.OutcomeKind.FAILED, "forbidden", Reply(403, "no"), remaining={"agent": 1})
    progress = m.Progress(PIN, bystanders={uuid(7): "agent"}, held_by="busy")
    assert records.removal_in(whole(removal)) == removal
    assert records.outcome_in(whole(outcome)) == outcome
    assert records.progress_in(whole(progress), "busy") == progress
    assert list(records.timeline_in("", [whole(LOOKED)])) == [LOOKED]
    assert records.ticket_in(whole(TICKET)) == TICKET


@pytest.mark.parametrize("entry", [LOOKED, m.Entry("accept", 0), m.Entry("settle", 5, 0.1, "w1", note="x")])
def test_a_short_line_says_all(entry: m.Entry) -> None:
    """A line of the timeline keeps every value of it, and no more than those."""
    action_id = f"{ORG}.{terms.moment(1_795_686_394_926)}{'0' * 16}"
    claim = m.Entry("claim", 1_795_686_394_926, worker="w1")
    _, _, first, verb, line = records.lines_of([claim, entry], action_id)
    assert verb == entry.verb
    assert list(records.timeline_in(action_id, [first, line])) == [claim, entry]
    assert "null" not in line


def test_a_worker_is_named_once() -> None:
    """What is done under a claim is told as its worker's, and what another one does as his."""
    by = {"claim": "w1", "look": "w1", "settle": "w1", "report": "w2"}
    entries = [m.Entry(verb, 5, worker=worker) for verb, worker in by.items()]
    count, *pairs = records.lines_of(entries, "")
    assert list(records.timeline_in("", pairs[1::2])) == entries
    assert (count, sum("w1" in line for line in pairs[1::2])) == ("4", 2)


async def _of_before(story: Story) -> str:
    """Return the id of an open action whose record is as it was written first: sent, and its send answered."""
    claim = await story.sent(1, requester="beth")
    await story.store.answered(claim.lease, 1, ACCEPTED, ())
    key, action = story.keys.action(claim.action.id), claim.action
    written = {
        "removal": whole(action.removal),
        "masked": whole(records.masked(action.removal)),
        "progress": whole(m.Progress(PIN, bystanders={uuid(7): "agent"})),
        "held_by": "",
        "answer_1": whole(ACCEPTED),
        "reports": f"{action.id}.{records.report_suffix('desk', 'ticket', TICKET)}",
    }
    for name, value in written.items():
        story.client.hset(key, name, value)
    story.client.rpush(story.keys.timeline(action.id), whole(LOOKED))
    await story.store.put_back(claim.lease, 0, (await story.action(action.id)).progress, ())
    return action.id


async def test_an_older_action_ends(story: Story) -> None:
    """An action that was begun before is claimed with all that it says, settled, and its ticket told once."""
    action_id = await _of_before(story)
    (claim,) = await story.claim()
    assert (claim.action.progress.pin, claim.action.progress.bystanders) == (PIN, {uuid(7): "agent"})
    assert claim.action.sends[0].answer == ACCEPTED
    joins = {"intent_key": None, "ticket": TICKET}
    assert await story.accepted(1, **joins) == action_id
    await story.store.settle(claim.lease, GONE, 0.0, ())
    (report,) = await story.claim_reports()
    await story.store.told(report.lease, ())
    account = await story.account(action_id)
    assert [one.state for one in account.reports] == [m.ReportState.TOLD]
    assert LOOKED in account.timeline
    assert account.action.removal.selector == PHONE.masked


async def test_an_older_action_is_forgotten(story: Story) -> None:
    """What was written before is forgotten to the last word, in its record, its report and its timeline."""
    action_id = await _of_before(story)
    (claim,) = await story.claim()
    await story.store.settle(claim.lease, GONE, 0.0, [m.Entry("settle", 5, note='so says "beth" \\')])
    (report,) = await story.claim_reports()
    await story.store.told(report.lease, ())
    story.clock.move(121)
    forgetting, wanted = Forgetting(story.runner, story.dice, now_ms=story.clock.now), Wanted(Kind.TICKET, "INC0010112")
    found = await forgetting.find(ORG, (), wanted)
    assert list(found.actions) == [action_id]
    assert await forgetting.forget(ORG, (), wanted, found, "anna") == {}
    account = await story.account(action_id)
    assert {entry.note for entry in account.timeline} == {""}
    assert {entry.verb for entry in account.timeline} > {"accept", "look", "settle"}
    left = str({key: value for key, value in story.state().items() if "audit" not in key})
    assert not [word for word in ("beth", "INC0010112", "9d38", "0123", uuid(5), uuid(7)) if word in left]


WORDS = (uuid(1), "0123", "incident/9d38", TICKET.label, "beth")


def _indexed_before(story: Story, action_id: str, kind: str) -> None:
    """Let an action stand in the index as it was first: a member of one set for each term, and one that lists them."""
    part, client, key = action_id.rpartition(".")[2], story.client, story.keys.terms(ORG)
    client.delete(story.keys.terms_in(action_id), key)
    client.hdel(story.keys.action(action_id), "terms", "rows")
    found_by = [*(terms.whole(word)[:12] for word in WORDS), "by:desk:", f"is:{kind}:"]
    members = [f"all:{part} {' '.join(found_by)}", *(term + part for term in found_by)]
    for member in members:
        client.zadd(key, {member: 0})


async def _found(story: Story, **asked: str) -> list[str]:
    archive = RedisArchive(story.runner, keys=story.keys, now_ms=story.clock.now)
    page = await archive.find(ORG, m.Search(**asked), 10)  # type: ignore[arg-type] # only words are asked
    return [action.id for action in page.actions]


@pytest.mark.parametrize("by", ["claim", "join", "pin", "settle"])
async def test_an_older_index_is_taken_over(story: Story, by: str) -> None:
    """What was indexed before is found by each of its words as soon as somebody works, and as it ended."""
    claim = await story.claimed(1, requester="beth")
    action_id = claim.action.id
    _indexed_before(story, action_id, "open")
    match by:
        case "claim":
            assert await story.claim() == []
        case "join":
            joining = {"intent_key": digest(("intent", 1)), "requester": "carl"}
            assert await story.accepted(2, **joining) == action_id
            assert await _found(story, text="carl") == [action_id]
        case "pin":
            await story.store.pin(claim.lease, m.Progress(pin=PIN), ())
            assert await _found(story, text=uuid(5)) == [action_id]
        case _:
            pass
    await story.store.settle(claim.lease, GONE, 0.0, ())
    assert story.client.zrange(story.keys.terms(ORG), 0, -1) == ["in:000000"]
    for word in WORDS:
        assert await _found(story, text=word) == [action_id]
    assert await _found(story, outcome="disconnected", source="desk") == [action_id]
    assert await _found(story, outcome="open") == []
    assert story.client.pttl(story.keys.terms_in(action_id)) > 0


@pytest.mark.parametrize("is_there", [True, False], ids=["there", "aged out"])
async def test_what_has_ended_is_taken_over(story: Story, is_there: bool) -> None:
    """What had ended is found as it ended, and has an end; of what aged out nothing is taken over."""
    action_id = await story.settled(1, requester="beth")
    _indexed_before(story, action_id, "disconnected")
    if not is_there:
        story.client.delete(story.keys.action(action_id))
    await story.claim()
    assert [await _found(story, text=word) for word in WORDS] == [[action_id] if is_there else []] * len(WORDS)
    assert await _found(story, outcome="disconnected") == ([action_id] if is_there else [])
    assert not [one for one in story.client.zrange(story.keys.terms(ORG), 0, -1) if not str(one).startswith("in:")]
    assert story.client.pttl(story.keys.terms_in(action_id)) != -1


async def test_an_older_index_forgets(story: Story) -> None:
    """What is forgotten leaves no word in an index of before either."""
    action_id = await story.settled(1, requester="beth", channels=())
    _indexed_before(story, action_id, "disconnected")
    story.clock.move(121)
    forgetting, wanted = Forgetting(story.runner, story.dice, now_ms=story.clock.now), Wanted(Kind.REQUESTER, "beth")
    found = await forgetting.find(ORG, (), wanted)
    assert await forgetting.forget(ORG, (), wanted, found, "anna") == {}
    left = str({key: value for key, value in story.state().items() if ":terms" in key})
    assert not [word for word in WORDS if terms.whole(word)[: terms.TERM_HEX] in left]
    assert await _found(story, outcome="disconnected") == [action_id]
