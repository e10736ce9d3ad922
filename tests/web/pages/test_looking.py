"""What stands on each page, over the real flow on a real Redis."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from starlette.types import Message

from service.core import model as m
from service.core.errors import StoreDown
from service.web.console.forms import Form
from service.web.console.sessions import Role
from service.web.console.troubles import BUSY, TurnedAway
from service.web.console.visit import Visit
from service.web.pages.looking import EXPORTS_AT_ONCE, Looking
from tests.flow.stage import ORG, SOURCE
from tests.web.pages.lookout import Lookout, json_of

HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}\u202e\x07 call +1 415 555 0123'
PAGES = ("", "/actions", "/refusals", "/dead", "/audit")


async def ended(lookout: Lookout, **fields: object) -> str:
    """Let somebody be removed, and his ticket be told; return the action's id."""
    stage = lookout.stage
    action_id = await stage.click(await stage.scene(), **{"sys_id": await stage.ticket(), **fields})
    await stage.finish(action_id)
    await stage.tell()
    return action_id


async def test_the_first_page_of_a_new_house(lookout: Lookout) -> None:
    """Before anything happened, the first page says so, and that nobody works."""
    shown = await lookout.text("")
    assert "No worker was there within the last minutes" in shown
    assert "Nothing happened within the last day." in shown
    assert "nothing came within the last day" in shown


async def test_the_first_page_of_a_day(lookout: Lookout) -> None:
    """What was accepted, refused and ended is counted, and a worker that is there is shown."""
    await ended(lookout)
    store, clock = lookout.stage.store, lookout.stage.clock
    await store.attend(ORG, "w1", 1, 0.5, (3600.0, ""))
    lookout.book.note(m.Refusal(SOURCE, clock.now(), "unauthorized", "no signature fits", 10))
    await lookout.book.write()
    shown = await lookout.text("")
    assert "some of what it sent was refused" in shown
    assert "1 disconnected; 95 of 100 were gone" in shown
    assert "at work" in shown
    assert "The same as a table, by hour" in shown
    part = await lookout.get("", is_live=True)
    assert part.text.lstrip().startswith("<section")
    assert "at work" in part.text


async def test_charts(lookout: Lookout) -> None:
    """The charts' numbers are those of the store's minutes."""
    await ended(lookout)
    drawn = json_of(await lookout.get("/charts"))
    assert isinstance(drawn, dict)
    assert sum(drawn["deliveries"]["lines"]["accepted"]) == pytest.approx(0.2)
    assert sum(drawn["outcomes"]["lines"]["disconnected"]) == pytest.approx(0.2)


async def test_an_action_from_its_click_to_its_end(lookout: Lookout) -> None:
    """An action is listed while it is open and when it has ended, and its page tells all of it."""
    stage = lookout.stage
    assert "No action yet." in await lookout.text("/actions")
    scene = await stage.scene()
    action_id = await stage.click(scene, sys_id=await stage.ticket())
    assert "open" in await lookout.text("/actions")
    shown = await lookout.text(f"/actions/{action_id}")
    assert "It is being worked on, or waits for a worker." in shown
    assert "Drop it" in shown
    await stage.finish(action_id)
    await stage.tell()
    shown = await lookout.text(f"/actions/{action_id}")
    assert "The caller was removed from the conversation" in shown
    assert "2 agent, 1 external" in shown
    assert "told INC0010112 by ticket of desk" in shown
    assert "Drop it" not in shown
    assert "disconnected" in await lookout.text("/actions", is_live=True)
    assert "Acts" not in await lookout.text(f"/actions/{action_id}", Role.VIEWER)
    part = await lookout.get(f"/actions/{action_id}", is_live=True)
    assert part.text.lstrip().startswith("<section")


async def test_what_is_looked_for(lookout: Lookout) -> None:
    """A search finds by each id, narrows by each filter, and says so where there is nothing."""
    action_id = await ended(lookout)
    account = await lookout.stage.account(action_id)
    for text in (account.action.removal.conversation_id, "INC0010112", "beth.anglin", "0123", action_id):
        assert action_id in (await lookout.get(f"/actions?q={text}")).text
    for query in ("outcome=disconnected", f"source={SOURCE}", f"org={ORG}&outcome=disconnected"):
        assert action_id in (await lookout.get(f"/actions?{query}")).text
    for query in ("q=nobody", "outcome=failed"):
        shown = await lookout.get(f"/actions?{query}")
        assert action_id not in shown.text
        assert "Nothing was found." in shown.text


async def test_what_is_older_than_the_index(lookout: Lookout) -> None:
    """An action that no index knows of is found by its whole id, and the page without any says so."""
    action_id = await ended(lookout)
    lookout.stage.client.delete(lookout.stage.keys.terms(ORG))
    assert "found by its whole id alone" in await lookout.text("/actions")
    assert action_id in (await lookout.get(f"/actions?q={action_id.upper()}")).text
    for text in (f"{action_id}&outcome=failed", f"{ORG}.{1:026}", "INC0010112"):
        assert "Nothing was found." in await lookout.text(f"/actions?q={text}")


async def test_what_cannot_be_looked_for(lookout: Lookout) -> None:
    """A question that makes no sense is answered in words, and nothing is looked for."""
    assert "There is no outcome “won”" in await lookout.text("/actions?outcome=won", status=400)
    assert "The place to go on from is none" in await lookout.text("/actions?after=nowhere", status=400)


async def test_page_after_page(lookout: Lookout) -> None:
    """More actions than a page has are on the next one, which is older, and leads back."""
    stage = lookout.stage
    scene = await stage.scene()
    ids = [
        await stage.click(scene, caller_phone=None, participant_id=f"{n:08x}-0000-4000-8000-000000000000")
        for n in range(51)
    ]
    first = await lookout.get("/actions?source=desk")
    assert ids[-1] in first.text
    assert ids[0] not in first.text
    (older,) = [part.split('"')[0] for part in first.text.split('rel="next" href="')[1:]]
    second = await lookout.get(older.replace("&amp;", "&").removeprefix("/console"))
    assert ids[0] in second.text
    assert ids[-1] not in second.text
    assert "The newest" in second.text
    assert "data-live=" not in second.text


async def test_a_part_without_rows(lookout: Lookout) -> None:
    """Where nothing was found in what was looked through, and there is more, the page leads on."""

    class Patient:
        """An archive that found nothing yet."""

        async def find(self, org: str, search: m.Search, limit: int, after: str = "") -> m.Page:
            return m.Page((), f"{1:026}")

    object.__setattr__(lookout.watch, "archive", Patient())
    shown = await lookout.text("/actions?q=x")
    assert "there is more" in shown
    assert "Older" in shown


@pytest.mark.parametrize("action_id", [f"acme.{9:026}", f"other.{9:026}"])
async def test_no_such_action(lookout: Lookout, action_id: str) -> None:
    """An action that is not there, or of an org that is not configured, is not found."""
    await lookout.get(f"/actions/{action_id}", status=404)
    await lookout.get(f"/actions/{action_id}/replay", status=404)


async def test_an_org_that_was_taken_out(lookout: Lookout) -> None:
    """An action of an org that is not in the settings any more is not found, though its record is there."""
    action_id = await ended(lookout)
    object.__setattr__(lookout.watch, "apis", {})
    await lookout.get(f"/actions/{action_id}", status=404)


async def test_refusals(lookout: Lookout) -> None:
    """What was refused stands under its source, with what to do; a source of which nothing was is not shown unasked."""
    assert "Nothing was refused" in await lookout.text("/refusals")
    assert "Nothing of it was refused lately." in await lookout.text(f"/refusals?source={SOURCE}")
    lookout.book.note(m.Refusal(SOURCE, lookout.stage.clock.now(), "unauthorized", "no signature fits", 10))
    await lookout.book.write()
    for path in ("/refusals", f"/refusals?source={SOURCE}", "/refusals?source=evil"):
        shown = await lookout.text(path)
        assert "no signature fits" in shown
        assert "onhook verify --source desk" in shown


async def test_dead_letters(lookout: Lookout) -> None:
    """A ticket that could not be told stands under its cause, with its action."""
    assert "No dead letters" in await lookout.text("/dead")
    stage = lookout.stage
    action_id = await stage.click(await stage.scene(), sys_id="0" * 32)
    await stage.finish(action_id)
    await stage.tell()
    assert "1 could not be told" in await lookout.text("")
    shown = await lookout.get("/dead")
    assert action_id in shown.text
    assert "Tell the marked again" in shown.text
    assert "Tell the marked again" not in await lookout.text("/dead", Role.VIEWER)


async def test_the_audit(lookout: Lookout) -> None:
    """What ended and what people did stands in the audit of its day; a day that is none is refused in words."""
    assert "Nothing is written" in await lookout.text("/audit")
    action_id = await ended(lookout)
    shown = await lookout.get("/audit")
    assert action_id in shown.text
    assert "beth.anglin" in shown.text
    assert "Nothing is written" in await lookout.text("/audit?org=evil&day=2099-12-31&page=0")
    assert "page 1 of" not in await lookout.text("/audit?page=7")
    assert "is no day" in await lookout.text("/audit?day=never", status=422)


async def test_exports(lookout: Lookout) -> None:
    """The audit is a file, of all or of some days, under the headers that every answer has."""
    answer = await lookout.get("/audit.jsonl")
    assert answer.text == "one\ntwo\n"
    assert "onhook-audit.jsonl" in answer.headers["content-disposition"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    await lookout.get("/audit.csv?since=2099-12-30&until=2099-12-31")
    assert lookout.pieces == [("jsonl", 0, 0), ("csv", 4_102_272_000_000, 4_102_444_800_000)]
    await lookout.get("/audit.csv?since=x", status=422)


async def test_few_exports_at_once(lookout: Lookout) -> None:
    """One export too many is turned away, and a reader who goes away in the middle of his takes no place any more."""
    looking, visit = Looking(lookout.watch), cast("Visit", SimpleNamespace(query=Form()))
    files = [await looking.export(visit, "jsonl") for _ in range(EXPORTS_AT_ONCE)]
    with pytest.raises(TurnedAway) as turned:
        await looking.export(visit, "csv")
    assert turned.value.trouble is BUSY

    async def is_gone() -> Message:
        return {"type": "http.disconnect"}

    async def never(_: Message) -> None:
        await asyncio.Event().wait()

    await files[0]({"type": "http", "asgi": {"spec_version": "2.3"}}, is_gone, never)
    await looking.export(visit, "csv")


@pytest.mark.parametrize("path", [*PAGES, "/charts", "/audit.csv"])
async def test_the_store_is_away(lookout: Lookout, path: str) -> None:
    """Where Redis is away every page says so, and what to do."""
    lookout.is_down = True
    object.__setattr__(lookout.watch, "archive", _Away())
    assert "Redis does not answer" in await lookout.text(path, status=503)


class _Away:
    """An archive whose Redis is away."""

    def __getattr__(self, name: str) -> object:
        raise StoreDown("it was taken away")


async def test_hostile_texts(lookout: Lookout) -> None:
    """Whatever a webhook says is text on every page: it is escaped, turns nothing, and shows no whole number."""
    action_id = await ended(lookout, requested_by=HOSTILE[:38], reason=HOSTILE)
    lookout.book.note(m.Refusal(SOURCE, lookout.stage.clock.now(), "unreadable", HOSTILE, 10))
    await lookout.book.write()
    for path in (*PAGES, f"/actions/{action_id}"):
        html = (await lookout.get(path)).text
        assert "<script>alert" not in html
        assert "\u202e" not in html
        assert "555 0123" not in html
    assert "{{ 7 * 7 }}" in (await lookout.get(f"/actions/{action_id}")).text


async def test_nobody_is_told_whom_else(lookout: Lookout) -> None:
    """Two orgs are told apart by a filter, where there are two."""
    watch = replace(lookout.watch, apis={**lookout.watch.apis, "other": "https://api.test"})
    object.__setattr__(lookout.watch, "apis", watch.apis)
    for path in ("/actions", "/audit"):
        assert "<option>other</option>" in (await lookout.get(path)).text.replace(" selected", "")
