"""What an operator searches for is found, newest first, page by page; and nothing is shown that is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.core import model as m
from service.store import archive as a
from service.store import terms
from service.store.archive import RedisArchive
from service.store.forgetting import Forgetting, Kind, Wanted
from service.store.script import FOLDER
from tests.store.stories import GONE, ORG, TICKET, Story, digest, offered, uuid

FAILED = m.Outcome(m.OutcomeKind.FAILED, "no_effect")
DAY = 86_400
Ask = Callable[..., "list[str]"]


@pytest.fixture
def archive(story: Story) -> RedisArchive:
    """Give the archive beside the story's store."""
    return RedisArchive(story.runner, keys=story.keys, now_ms=story.clock.now)


async def _found(archive: RedisArchive, text: str = "", **asked: object) -> list[str]:
    page = await archive.find(ORG, m.Search(text=text, **asked), 50)  # type: ignore[arg-type] # fields by name
    assert page.after == ""
    return [action.id for action in page.actions]


def _rows(story: Story) -> list[tuple[str, list[str]]]:
    """Return the rows of the index: the part of an id that it stands for, and its terms that were not taken out."""
    found = []
    for key in sorted(map(str, story.client.scan_iter(f"{story.keys.terms(ORG)}:*"))):
        for row in str(story.client.get(key)).splitlines():
            said, _, ends = row.rpartition(".")
            found.append((key.rpartition(":")[2] + ends[-20:], [one for one in said.split() if one.strip("-")]))
    return found


def _terms(story: Story) -> int:
    return sum(len(found_by) for _, found_by in _rows(story))


async def test_found_by_every_word(story: Story, archive: RedisArchive) -> None:
    """An action is found by each of its words while it is open and after its end, and by nothing else."""
    claim = await story.claimed(1, requester="Beth.Anglin", event_id="evt-1", delivery_id="evt-1")
    await story.settled(
        2, conversation_id=uuid(2), ticket=None, selector=m.Selector(m.SelectorKind.PHONE, "+4930123456")
    )
    words = [uuid(1), "0123", "incident/9d38", "9D38", "inc0010112", "beth.anglin", "evt-1", claim.action.id]
    for _ in ("open", "ended"):
        assert [await _found(archive, word) for word in words] == [[claim.action.id]] * len(words)
        assert await _found(archive, "beth") == await _found(archive, "+14155550123") == []
        if not (await story.action(claim.action.id)).outcome:
            await story.store.settle(claim.lease, GONE, 0.0, ())
    assert (await archive.find("other", m.Search(text=claim.action.id), 9)).actions == ()
    assert (await archive.find("other", m.Search(text=uuid(1)), 9)).actions == ()


async def test_found_by_who_was_pinned(story: Story, archive: RedisArchive) -> None:
    """Once a look said who is meant, the action is found by that participant too."""
    claim, pin = await story.claimed(), m.Target(uuid(5), (uuid(6),), communication_id=uuid(6))
    assert await _found(archive, uuid(5)) == []
    await story.store.pin(claim.lease, m.Progress(pin=pin), ())
    for word in (uuid(5), uuid(6), uuid(1)):
        assert await _found(archive, word) == [claim.action.id]
    await story.store.settle(claim.lease, GONE, 0.0, ())
    assert await _found(archive, uuid(5)) == [claim.action.id]


@pytest.mark.parametrize("is_settled", [False, True], ids=["open", "ended"])
async def test_found_by_who_joined(story: Story, archive: RedisArchive, is_settled: bool) -> None:
    """What joined an action finds it: its ticket, its requester, its delivery; each word is kept once."""
    action_id = await (story.settled if is_settled else story.accepted)(1, requester="beth")
    joining = {"intent_key": digest(("intent", 1)), "ticket": m.Ticket("incident/77aa", "INC77"), "event_at": 1}
    for number in (2, 3):
        assert await story.accepted(number, requester="carl", delivery_id=f"msg_{number}", **joining) == action_id
    for word in ("beth", "CARL", "inc77", "77aa", "msg_2", "msg_3", TICKET.label):
        assert await _found(archive, word) == [action_id]
    also = story.client.hget(story.keys.action(action_id), "also")
    assert sorted(str(also).split()) == sorted(
        terms.whole(word)[: terms.ALSO_HEX] for word in ("carl", "inc77", "77aa", "msg_2", "msg_3")
    )


async def test_found_by_how_it_ended(story: Story, archive: RedisArchive) -> None:
    """Outcome, source and both narrow what is found; an action stops being open when it has ended."""
    failed = await story.settled(1, FAILED)
    gone = await story.settled(2, conversation_id=uuid(2), source="other")
    opened = await story.accepted(3, conversation_id=uuid(3))
    assert await _found(archive) == [opened, gone, failed]
    assert await _found(archive, outcome="failed") == [failed]
    assert await _found(archive, outcome="disconnected") == [gone]
    assert await _found(archive, outcome=m.OPEN) == [opened]
    assert await _found(archive, outcome="unknown") == []
    assert await _found(archive, source="desk") == [opened, failed]
    assert await _found(archive, source="desk", outcome="disconnected") == []
    assert await _found(archive, "0123", source="other") == [gone]
    assert await _found(archive, "0123", outcome="failed") == [failed]
    assert await _found(archive, gone, outcome="failed") == []


@pytest.mark.parametrize(
    "since, until, found",
    [(0, 0, [3, 2, 1]), (2, 0, [3, 2]), (0, 2, [1]), (2, 3, [2]), (3, 2, []), (4, 0, []), (0, 1, [])],
)
@pytest.mark.parametrize("text", ["", "0123"])
async def test_found_by_when(
    story: Story, archive: RedisArchive, text: str, since: int, until: int, found: list[int]
) -> None:
    """What was received from one moment on, and before another one, by the moment in the id."""
    begin = story.clock.ms
    ids = {}
    for number in (1, 2, 3):
        ids[number] = f"{ORG}.{terms.moment(begin + number * 1_000)}{'0' * 15}{number}"
        await story.accepted(number, conversation_id=uuid(number), action_id=ids[number])
    asked = {"since_at": since and begin + since * 1_000, "until_at": until and begin + until * 1_000}
    assert await _found(archive, text, **asked) == [ids[number] for number in found]


@pytest.mark.parametrize("text", ["", TICKET.label])
async def test_page_by_page(story: Story, archive: RedisArchive, text: str) -> None:
    """Pages together hold everything once, the newest first, and the last one says that it is the last."""
    ids = [await story.accepted(number, conversation_id=uuid(number)) for number in range(7)]
    for limit in (1, 2, 3, 7, 8, 200, 10**9):
        pages, after = list[list[str]](), ""
        while True:
            page = await archive.find(ORG, m.Search(text=text), limit, after)
            pages.append([action.id for action in page.actions])
            if not (after := page.after):
                break
            assert after.isalnum()
            assert len(pages[-1]) == limit
        assert [one for page in pages for one in page] == ids[::-1]
    assert (await archive.find(ORG, m.Search(), 0)).actions  # nobody is shown nothing


async def test_no_more_is_looked_through_than_may_be(story: Story, archive: RedisArchive) -> None:
    """What fits seldom is found over several pages, some empty; none looks through more than its bound."""
    asked = {"intent_key": None, "ticket": None, "channels": (), "source": "rare"}
    wanted = await story.accepted(0, **asked)
    for number in range(1, a.LOOKED_MOST + 20):
        # of another source by now: the index says where to look, the record what is so
        story.client.hset(story.keys.action(await story.accepted(number, **asked)), "source", "desk")
    search = m.Search(text=uuid(1), source="rare")
    first = await archive.find(ORG, search, 10)
    assert first.actions == ()
    second = await archive.find(ORG, search, 10, first.after)
    assert [action.id for action in second.actions] == [wanted]
    assert second.after == ""
    newest = [action.id for action in (await archive.find(ORG, m.Search(), a.PAGE_MOST + 1)).actions]
    assert len(newest) == a.PAGE_MOST


async def test_an_index_of_any_length(story: Story, archive: RedisArchive) -> None:
    """However much of the index is in between, a search goes on, in steps of which none holds Redis up."""
    wanted = await story.accepted(0, requester="beth")
    row = f" {'0' * terms.TERM_HEX}.o{'0' * 27}\n"
    for span in ("aaaaaa", "bbbbbb", "cccccc"):
        story.client.set(f"{story.keys.terms(ORG)}:{span}", row * (a.SPELLED_MOST // len(row) + 1))
        story.client.zadd(story.keys.terms(ORG), {f"in:{span}": 0})
    asked = len(story.runner.asked)
    assert await _found(archive, "beth") == await _found(archive, wanted) == [wanted]
    assert len(story.runner.asked) - asked == 5  # the second was told where to look by its id
    newest = await story.accepted(1, requester="beth", conversation_id=uuid(2), action_id=f"{ORG}.{'d' * 26}")
    page = await archive.find(ORG, m.Search(text="beth"), 10)
    assert [action.id for action in page.actions] == [newest]  # what was found is shown before all is looked through
    page = await archive.find(ORG, m.Search(text="beth"), 10, page.after)
    assert ([action.id for action in page.actions], page.after) == ([wanted], "")


@pytest.mark.parametrize(
    "asked, after, sentence",
    [
        ({}, "x", "begin again"),
        ({}, "a" * 27, "begin again"),
        ({}, "A" * 26, "begin again"),
        ({}, "../" + "a" * 23, "begin again"),
        ({"outcome": "gone:"}, "", "no outcome; there are: already_gone, disconnected"),
        ({"outcome": "*"}, "", "no outcome"),
        ({"source": "a b"}, "", "not a configured name"),
        ({"source": "*"}, "", "not a configured name"),
    ],
)
async def test_what_cannot_be_asked(archive: RedisArchive, asked: dict[str, str], after: str, sentence: str) -> None:
    """A place, an outcome or a source that is none is refused in words."""
    with pytest.raises(ValueError, match=sentence):
        await archive.find(ORG, m.Search(**asked), 10, after)  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(
    "text", ["all:", "is:open:", "by:desk:", "by:desk:{", "\x00", "*", "[", "é", "🙂" * 100, "a" * 10**5]
)
async def test_odd_texts(story: Story, archive: RedisArchive, text: str) -> None:
    """No text reaches what is found by source or outcome, and none is more than a text."""
    await story.accepted()
    assert await _found(archive, text) == []


async def test_two_words_that_share_a_digest(story: Story, archive: RedisArchive) -> None:
    """Where the index leads to an action that has no such word, the action is not shown."""
    action_id = await story.settled()
    row = str(story.client.get(story.keys.terms_in(action_id))).replace("-", "")
    term = terms.whole("nobody")[: terms.TERM_HEX]
    story.client.set(story.keys.terms_in(action_id), f" {term}{row}")
    assert await _found(archive, "nobody") == []
    assert await _found(archive) == [action_id]


async def test_who_only_shares_a_digest_ends_no_search(story: Story, archive: RedisArchive) -> None:
    """Among very many actions a word meets another one's now and then: the search goes on, to what was meant."""
    wanted = await story.accepted(0, requester="beth")
    row = f" {'0' * terms.TERM_HEX}.o{'0' * 27}\n"
    for span in ("aaaaaa", "bbbbbb"):
        story.client.set(f"{story.keys.terms(ORG)}:{span}", row * (a.SPELLED_MOST // len(row) + 1))
        story.client.zadd(story.keys.terms(ORG), {f"in:{span}": 0})
    alike = await story.accepted(1, requester="joe", conversation_id=uuid(2), action_id=f"{ORG}.{'c' * 26}")
    key, term = story.keys.terms_in(alike), terms.whole("beth")[: terms.TERM_HEX]
    story.client.set(key, f" {term}{story.client.get(key)!s}")
    assert await _found(archive, "beth") == [wanted]


@pytest.mark.parametrize("how", ["aged out", "newer", "unreadable", "of another type"])
async def test_what_cannot_be_shown(story: Story, archive: RedisArchive, how: str) -> None:
    """What aged out, what a newer version wrote and what nobody can read is skipped; the rest is found."""
    kept, lost = await story.settled(1), await story.settled(2, conversation_id=uuid(2))
    key = story.keys.action(lost)
    match how:
        case "newer":
            story.client.hset(key, "v", "2")
        case "unreadable":
            story.client.hset(key, "removal", "{}")
        case _:
            story.client.delete(key)
            if how != "aged out":
                story.client.set(key, "x")
    assert await _found(archive) == await _found(archive, "0123") == [kept]


async def test_what_is_older_than_the_index(story: Story, archive: RedisArchive) -> None:
    """An action from before there was an index goes its way as any other, and is just not found."""
    claim = await story.claimed(1)
    story.client.delete(story.keys.terms(ORG), story.keys.terms_in(claim.action.id))
    story.client.hdel(story.keys.action(claim.action.id), "terms", "rows")
    await story.store.pin(claim.lease, m.Progress(pin=m.Target(uuid(5), ())), ())
    assert await story.accepted(2, intent_key=digest(("intent", 1)), ticket=m.Ticket("incident/2")) == claim.action.id
    await story.store.settle(claim.lease, GONE, 0.0, ())
    assert len((await story.account(claim.action.id)).reports) == 2
    assert story.client.exists(story.keys.terms(ORG), story.keys.terms_in(claim.action.id)) == 0
    assert await _found(archive) == []


async def test_what_ages_out_leaves_the_index(story: Story, archive: RedisArchive) -> None:
    """Whoever claims takes out of the list the spans that aged out, some at a time; what is there still stays found."""
    ids = {day: f"{ORG}.{terms.moment(story.clock.ms + day * DAY * 1_000)}{'0' * 16}" for day in range(30)}
    for day, action_id in ids.items():
        await story.settled(day, conversation_id=uuid(day), requester=f"r{day}", action_id=action_id)
    kept = await story.accepted("kept", conversation_id=uuid(99), requester="carl")
    for one in list(ids.values())[:28]:
        story.client.delete(story.keys.action(one), story.keys.terms_in(one))
    many = [story.client.zcard(story.keys.terms(ORG))]
    for _ in range(3):
        await story.claim()
        many.append(story.client.zcard(story.keys.terms(ORG)))
    assert many == [31, 12, 3, 3]  # the oldest is the one that is open: its id says so
    assert await _found(archive) == [ids[29], ids[28], kept]
    assert await _found(archive, "carl") == [kept]
    assert await _found(archive, "r28") == [ids[28]]


async def test_how_long_the_index_stays(story: Story) -> None:
    """The index has no end while its newest action is open; then it ends with the action that ended last."""
    life = 30 * DAY * 1_000
    first, second = await story.claimed(1), await story.claimed(2, conversation_id=uuid(2))
    spans, rows = story.keys.terms(ORG), story.keys.terms_in(first.action.id)
    assert [story.state()[key][1] for key in (spans, rows)] == [-1, -1]
    await story.store.settle(first.lease, GONE, 0.0, ())
    assert [story.state()[key][1] for key in (spans, rows)] == [-1, story.clock.ms + life]
    story.clock.move(5)
    await story.store.settle(second.lease, GONE, 0.0, ())
    assert [story.state()[key][1] for key in (spans, rows)] == [story.clock.ms + life] * 2
    await story.accepted(3, conversation_id=uuid(3))
    assert [story.state()[key][1] for key in (spans, rows)] == [-1, -1]


async def test_a_flood_of_tickets(story: Story, archive: RedisArchive) -> None:
    """However many different tickets and requesters join an action, it is found by a bounded number of words."""
    action_id = await story.accepted(0)
    for number in range(1, 80):
        joining = {"ticket": m.Ticket(f"incident/{number}"), "requester": f"r{number}"}
        assert await story.accepted(number, intent_key=digest(("intent", 0)), **joining) == action_id
    assert _terms(story) == 60  # as many terms as the prologue lets an action have
    assert await _found(archive, "r1") == [action_id]
    assert await _found(archive, "r79") == []
    assert "TERMS_MOST = 60" in (FOLDER / "prologue.lua").read_text()


async def test_what_was_forgotten_is_not_found(story: Story, archive: RedisArchive) -> None:
    """A forgotten action is found by its source and its end alone, also when its delivery comes once more."""
    asked = {"requester": "beth", "event_id": "evt-1", "delivery_id": "evt-1", "channels": ()}
    claim = await story.claimed(1, **asked)
    await story.accepted(2, intent_key=digest(("intent", 1)), delivery_id="evt-2", ticket=None, channels=())
    await story.store.pin(claim.lease, m.Progress(pin=m.Target(uuid(5), ())), ())
    await story.store.settle(claim.lease, GONE, 0.0, ())
    story.clock.move(121)
    forgetting, wanted = Forgetting(story.runner, story.dice, now_ms=story.clock.now), Wanted(Kind.REQUESTER, "beth")
    found = await forgetting.find(ORG, (), wanted)
    assert await forgetting.forget(ORG, (), wanted, found, "anna") == {}
    assert {part for part, _ in _rows(story)} == {claim.action.id.rpartition(".")[2]}
    for _ in ("forgotten", "it comes once more"):
        assert _terms(story) == 0
        assert not story.client.hget(story.keys.action(claim.action.id), "also")
        for word in (uuid(1), uuid(5), "0123", TICKET.label, "beth", "evt-1", "evt-2"):
            assert await _found(archive, word) == []
        assert await _found(archive, source="desk", outcome="disconnected") == [claim.action.id]
        assert await story.accepted(1, **asked) == claim.action.id


async def test_what_comes_again_reads_no_index(story: Story) -> None:
    """A delivery that comes again after the end costs no look through a text of a hundred thousand rows."""
    await story.settled(1)
    with story.client.monitor() as monitor:  # type: ignore[no-untyped-call] # redis-py has no types for it
        assert (await story.store.accept(offered(story.dice, 1))).joined == "delivery"
        story.client.echo("over")
        asked = list(iter(lambda: monitor.next_command()["command"], "ECHO over"))
    assert any(words.startswith("HINCRBY ") for words in asked)  # what a script asks is heard here
    assert not [words for words in asked if ":terms:" in words and not words.startswith("TYPE ")]


async def test_one_among_many(story: Story, archive: RedisArchive) -> None:
    """Of a text of many rows those of one action are found and taken out, wherever they stand, and no other."""
    many = range(30)
    said: list[dict[str, Any]] = [
        {"conversation_id": uuid(number), "requester": f"r{number}", "channels": ()} for number in many
    ]
    ids = [await story.settled(number, **said[number]) for number in many]
    for number in many:
        joining = {"intent_key": digest(("intent", number)), "ticket": m.Ticket(f"INC{number}"), "event_at": 1}
        assert await story.accepted(number + 100, **said[number] | joining) == ids[number]
    story.clock.move(121)
    forgetting = Forgetting(story.runner, story.dice, now_ms=story.clock.now)
    for number in (0, 17, 29):
        wanted = Wanted(Kind.REQUESTER, f"r{number}")
        found = await forgetting.find(ORG, (), wanted)
        assert await forgetting.forget(ORG, (), wanted, found, "anna") == {}
    for number in many:
        there = [] if number in {0, 17, 29} else [ids[number]]
        for word in (uuid(number), f"r{number}", f"INC{number}"):
            assert await _found(archive, word) == there
    assert {part for part, found_by in _rows(story) if not found_by} == {
        ids[number].rpartition(".")[2] for number in (0, 17, 29)
    }
