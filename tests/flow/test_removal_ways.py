"""One removal named in each way, from the webhook to what the play Genesys really did, and who is still there."""

from __future__ import annotations

import pytest

from service.core import model as m
from tests.flow.stage import ORG, Stage, policy


@pytest.mark.parametrize("medium", ["call", "message"])
async def test_one_leg_goes_and_the_person_stays(stage: Stage, medium: str) -> None:
    """Named by its id, one leg is removed, once; the person stays by the other one, and the outcome says so."""
    scene = await stage.scene("mixed")
    (caller,) = [one for one in scene.people if one["purpose"] == "customer"]
    told = await stage.control("GET", f"/conversations/{scene.cid}")
    (listed,) = [one for one in told["participants"] if one["id"] == caller["id"]]
    leg_id = caller["communication_ids"][listed["media"].index(medium)]
    outcome = await stage.finish(await stage.click(scene, caller_phone=None, communication_id=leg_id))
    assert (outcome.kind, outcome.purpose) == (m.OutcomeKind.DISCONNECTED, "customer")
    assert outcome.remaining["customer"] == 1
    assert not outcome.vanished
    assert caller["id"] in await scene.present()
    (call,) = await scene.calls("PATCH")
    assert call["path"].endswith(f"/participants/{caller['id']}/communications/{leg_id}")
    await stage.clock.sleep(1)
    again = await stage.finish(await stage.click(scene, caller_phone=None, communication_id=leg_id))
    assert again.kind is m.OutcomeKind.ALREADY_GONE
    assert await scene.effects() == 1


@pytest.mark.parametrize(
    "scenario, named, name",
    [
        ("conference", {"purpose": "customer"}, "customer"),
        ("conference", {"purpose": "external", "medium": "voice"}, "external"),
        ("conference", {"attribute": "ticket=INC0010112"}, "customer"),
        ("conference", {"attribute": {"key": "ticket", "value": "INC0010112"}, "purpose": "customer"}, "customer"),
        ("namesakes", {"attribute": "ticket=INC0010113"}, "Quiet"),
        ("messages", {"purpose": "customer", "medium": "message"}, "customer"),
        ("email", {"purpose": "customer"}, "customer"),
        ("callback", {"purpose": "customer", "medium": "callback"}, "customer"),
    ],
)
async def test_each_way_finds_its_one(stage: Stage, scenario: str, named: dict[str, object], name: str) -> None:
    """Named by purpose, by attribute, in any medium, exactly that one leaves, and nobody else by us."""
    scene = await stage.scene(scenario)
    outcome = await stage.finish(await stage.click(scene, **{"caller_phone": None} | named))
    assert outcome.kind is m.OutcomeKind.DISCONNECTED
    assert scene.id(name) not in await scene.present()
    (call,) = await scene.calls("PATCH")
    assert call["path"].endswith(f"/participants/{scene.id(name)}")


@pytest.mark.parametrize(
    "scenario, named, kind",
    [
        ("namesakes", {"purpose": "customer"}, m.OutcomeKind.REFUSED),
        ("conference", {"purpose": "customer", "medium": "chat"}, m.OutcomeKind.NOT_FOUND),
        ("conference", {"attribute": "ticket=INC0010112", "purpose": "external"}, m.OutcomeKind.REFUSED),
        ("conference", {"attribute": "TICKET=INC0010112"}, m.OutcomeKind.NOT_FOUND),
        ("conference", {"communication_id": "00000000-0000-4000-8000-000000000000"}, m.OutcomeKind.NOT_FOUND),
    ],
)
async def test_whom_no_name_means(stage: Stage, scenario: str, named: dict[str, object], kind: m.OutcomeKind) -> None:
    """Two of a purpose, another medium, another value, names that differ: nobody is touched."""
    scene = await stage.scene(scenario)
    there = await scene.present()
    outcome = await stage.finish(await stage.click(scene, **{"caller_phone": None} | named))
    assert outcome.kind is kind
    assert len(outcome.candidates) == (2 if kind is m.OutcomeKind.REFUSED else 0)
    assert (await scene.present(), await scene.calls("PATCH")) == (there, [])


@pytest.mark.parametrize(
    "allowed, named, who",
    [
        ({"customer"}, {"purpose": "agent"}, "agent"),
        ({"customer"}, {"purpose": "external"}, "external"),
        ({"external"}, {}, "customer"),
        ({"external"}, {"attribute": "ticket=INC0010112", "caller_phone": None}, "customer"),
        ({"external"}, {"participant_id": "00000000-0000-4000-8000-000000000000"}, "customer"),
    ],
)
async def test_who_may_not_be_removed_is_not_called_absent(
    stage: Stage, allowed: set[str], named: dict[str, object], who: str
) -> None:
    """Who is there and fits, but for a purpose that is not allowed, is refused by that setting, and not "not there"."""
    stage.terms = policy(purposes=frozenset(allowed))
    scene = await stage.scene()
    named = {"caller_phone": None} | named if "purpose" in named else named
    outcome = await stage.finish(await stage.click(scene, **named))
    assert (outcome.kind, outcome.reason, outcome.purpose) == (m.OutcomeKind.REFUSED, "purpose", who)
    assert outcome.allowed_by == f"orgs.{ORG}.purposes"
    assert await scene.calls("PATCH") == []


async def test_who_left_by_one_medium_is_still_there_by_another(stage: Stage) -> None:
    """Of who has left the medium that is meant, and is there by another one, nobody reads that all are gone."""
    scene = await stage.scene("mixed")
    (caller,) = [one for one in scene.people if one["purpose"] == "customer"]
    told = await stage.control("GET", f"/conversations/{scene.cid}")
    (listed,) = [one for one in told["participants"] if one["id"] == caller["id"]]
    leg_id = caller["communication_ids"][listed["media"].index("message")]
    await stage.finish(await stage.click(scene, caller_phone=None, communication_id=leg_id))
    await stage.clock.sleep(1)
    outcome = await stage.finish(await stage.click(scene, medium="message"))
    assert outcome.kind is m.OutcomeKind.ALREADY_GONE
    assert outcome.remaining["customer"] == 1
    assert caller["id"] in await scene.present()


async def test_two_ways_are_not_ended_by_one_of_them(stage: Stage) -> None:
    """Who is named in two ways that do not agree is refused also while a click that names one of them is open."""
    scene = await stage.scene()
    plain = await stage.click(scene)
    torn = await stage.click(scene, user_id="be700000-0000-4000-8000-00000000be70")
    assert (await stage.finish(torn)).reason == "contradictory"
    assert (await stage.finish(plain)).kind is m.OutcomeKind.DISCONNECTED
    assert await scene.effects() == 1
