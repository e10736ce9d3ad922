"""Two orgs before one service: nobody sees, removes or tells anything at another's, whatever is asked."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import BadSignature
from service.flow.intake import Intake
from service.web.front import public_door
from tests.flow.stage import ORG, SOURCE, Scene, Stage
from tests.flow.town import COUNTER, NEIGHBOUR, SECRETS, Town, town
from tests.story.hostile.knocking import Answer, Book, knock


@pytest.fixture
async def two(stage: Stage) -> AsyncIterator[Town]:
    """Give two orgs."""
    async with town(stage) as built:
        yield built


async def is_whole(scene: Scene) -> bool:
    """Whether the caller is there, and everybody else who came."""
    return {scene.id("customer"), scene.id("Beth"), scene.id("external")} <= await scene.present()


@pytest.mark.parametrize("way", ["caller_phone", "participant_id", "purpose"])
async def test_another_orgs_conversation(two: Town, way: str) -> None:
    """A source that names a conversation of another org removes nobody: its own Genesys does not know it."""
    scene = await two.here.scene()
    person = {"caller_phone": "+14155550123", "participant_id": scene.id("customer"), "purpose": "customer"}[way]
    named: dict[str, Any] = {"caller_phone": "", way: person}
    receipt = await two.take(scene, COUNTER, **named)
    outcome = await two.finish(receipt.action_id)
    assert (m.org_of(receipt.action_id), outcome.kind) == (NEIGHBOUR, m.OutcomeKind.NOT_FOUND)
    assert await scene.calls() == []
    assert await is_whole(scene)
    assert [call["method"] for call in await two.there.calls("genesys")].count("GET") >= 2
    # the control: who may is heard
    mine = await two.take(scene, SOURCE, **named)
    assert (await two.finish(mine.action_id)).kind is m.OutcomeKind.DISCONNECTED


async def test_no_request_chooses_its_org(two: Town) -> None:
    """Whatever a body or a header says of orgs, sources and addresses, a source acts on the one org of its settings."""
    scene = await two.here.scene()
    extra = {"x-org": ORG, "x-forwarded-host": "acme", "host": "acme", "x-source": SOURCE, "org": ORG}
    said: dict[str, Any] = {
        "org": ORG,
        "source": SOURCE,
        "instance_url": "http://evil.example",
        "api_url": "x",
        "orgId": ORG,
    }
    receipt = await two.take(scene, COUNTER, extra=extra, **said)
    account = await two.here.account(receipt.action_id)
    assert (account.action.org, account.action.source) == (NEIGHBOUR, COUNTER)
    await two.finish(receipt.action_id)
    assert await scene.calls() == []


async def test_a_secret_opens_its_own_source_only(two: Town) -> None:
    """What the one source signed is not taken at the address of the other, in either direction."""
    scene = await two.here.scene()
    for source, secret in ((SOURCE, SECRETS[COUNTER]), (COUNTER, SECRETS[SOURCE])):
        with pytest.raises(BadSignature):
            await two.take(scene, source, secret=secret)
    assert two.here.client.dbsize() == 0


async def test_the_same_click_in_two_orgs(two: Town) -> None:
    """The same delivery id and the same wish in two orgs are two actions, with nothing in common."""
    scene = await two.here.scene()
    receipts = [await two.take(scene, source, msg="msg-same") for source in (SOURCE, COUNTER)]
    assert [receipt.joined for receipt in receipts] == ["", ""]
    assert len({receipt.action_id for receipt in receipts} | {receipt.key for receipt in receipts}) == 4
    again = [await two.take(scene, source, msg="msg-same") for source in (SOURCE, COUNTER)]
    assert [one.action_id for one in again] == [one.action_id for one in receipts]


def doors(two: Town) -> Any:  # noqa: ANN401 - an ASGI app
    """Open the public door before the store of both."""
    here = two.here
    intake = Intake(two.sources, here.store, here.clock, here.dice, two.place.terms_of)
    return public_door(
        intake, here.store, here.bells, here.clock, Book(), public_url="https://x", is_draining=lambda: False
    )


def wrong_ids(mine: str, other: str) -> list[str]:
    """Return ids that somebody tries who wants to see the action `other`, and holds the one of `mine`."""
    tail, my_tail = other.partition(".")[2], mine.partition(".")[2]
    mixed = [other, f"{NEIGHBOUR}.{tail}", f"{ORG}.{my_tail}", f"*.{tail}", tail, f"{ORG}.*", ".."]
    return [*mixed, other.upper(), f"{other}\n", f"{ORG}}}:x{{.{tail}", f"{ORG}.{tail}.0", f"\ud800.{tail}"]


def wrong_queries(mine: str, other: str) -> list[str]:
    """Return queries that hold no key of `other`, but everything that looks like it."""
    keys = ["", mine, other[:-1], other + "0", other.upper() + "x", "*", "%00", "%ff%fe", "\u00e9", "0" * 5000]
    return [*(f"key={key}" for key in keys), "", f"Key={other}", f"key={other}&key={mine}", f"k={other}"]


async def test_ids_and_keys_of_another(two: Town) -> None:
    """An account opens to its own id and key; any other pair is the same 404 as an action that never was."""
    scene, door = await two.here.scene(), doors(two)
    mine = await two.take(scene, COUNTER)
    other = await two.take(scene, SOURCE)

    async def ask(action_id: str, query: str, method: str = "GET") -> Answer:
        return await knock(door, f"/actions/{action_id}", query=query.encode(), method=method)

    nothing = await ask(f"{ORG}.{'0' * 26}", f"key={mine.key}")
    pairs = list(itertools.product(wrong_ids(mine.action_id, other.action_id), wrong_queries(mine.key, other.key)))
    assert len(pairs) > 150
    for action_id, query in pairs:
        assert await ask(action_id, query) == nothing, (action_id, query)
        assert (await ask(action_id, query, "HEAD")).status == 404
    assert nothing.status == 404
    assert await ask(mine.action_id, f"key={other.key}") == nothing
    shown = (await ask(other.action_id, f"key={other.key}")).said
    assert (shown["org"], shown["action"]) == (ORG, other.action_id)
    assert mine.action_id not in json.dumps(shown)


async def test_a_source_that_was_renamed(two: Town) -> None:
    """What the old name asked is not done for the new one, nor told as its; a repeat under the new name is a click."""
    scene, sys_id = await two.here.scene(), await two.here.ticket()
    old = await two.take(scene, SOURCE, table="incident", sys_id=sys_id, msg="msg-1")
    two.sources["service-desk"] = two.here.source("service-desk")
    del two.sources[SOURCE]
    outcome = await two.finish(old.action_id)
    await two.tell()
    (report,) = (await two.here.account(old.action_id)).reports
    assert (outcome.kind, report.state) == (m.OutcomeKind.REFUSED, m.ReportState.DEAD)
    assert await is_whole(scene)
    assert await two.here.notes(sys_id) == []
    new = await two.take(scene, "service-desk", secret=SECRETS[SOURCE], table="incident", sys_id=sys_id, msg="msg-1")
    assert (new.joined, (await two.finish(new.action_id)).kind) == ("", m.OutcomeKind.DISCONNECTED)
    await two.tell()
    assert len(await two.here.notes(sys_id)) == 1


@pytest.mark.parametrize("is_settled", [True, False])
async def test_a_name_that_another_org_took_over(two: Town, *, is_settled: bool) -> None:
    """A source's name that stands for another org's source now tells nothing and allows nothing of the old one."""
    scene = await two.here.scene()
    sys_id = await two.here.ticket()
    theirs = await two.there.ticket()
    old = await two.take(scene, SOURCE, table="incident", sys_id=sys_id)
    if is_settled:
        assert (await two.finish(old.action_id)).kind is m.OutcomeKind.DISCONNECTED
    two.sources[SOURCE] = two.there.source(SOURCE, org=NEIGHBOUR, secrets=[SECRETS[COUNTER]])
    before = await two.there.calls("desk")
    outcome = await two.finish(old.action_id)
    await two.tell()
    account = await two.here.account(old.action_id)
    assert outcome.kind is (m.OutcomeKind.DISCONNECTED if is_settled else m.OutcomeKind.REFUSED)
    assert (await is_whole(scene)) is not is_settled
    assert [report.state for report in account.reports] == [m.ReportState.DEAD]
    assert await two.there.calls("desk") == before
    assert await two.there.notes(theirs) == []
