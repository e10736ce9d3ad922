"""Policy, requesters and shadow, through the whole flow: what is refused costs as little as it can, and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.core import model as m
from tests.flow.stage import ORG, SOURCE, Scene, Stage, policy

K = m.OutcomeKind
ELSEWHERE = "11111111-0000-4000-8000-000000000001"


async def ended(stage: Stage, scene: Scene, **more: Any) -> tuple[str, str, str]:  # noqa: ANN401 - fields of a click
    """Click, and return how it ends: kind, reason and the setting that is named."""
    outcome = await stage.finish(await stage.click(scene, **more))
    return outcome.kind.value, outcome.reason, outcome.allowed_by


@pytest.mark.parametrize("is_own", [False, True], ids=["org", "source"])
@pytest.mark.parametrize("preview", [False, True])
async def test_who_may_not_ask_costs_no_look(stage: Stage, is_own: bool, preview: bool) -> None:
    """A requester who is not listed, by the org or by the source, is refused without one call, and the note says so."""
    scene, ticket = await stage.scene(), await stage.ticket()
    listed: dict[str, Any] = {"requesters": frozenset({"Joe.Employee"})}
    if is_own:
        stage.narrowings[SOURCE] = m.Limits(**listed)
    else:
        stage.terms = policy(**listed)
    section = f"sources.{SOURCE}" if is_own else f"orgs.{ORG}"
    assert await ended(stage, scene, preview=preview, sys_id=ticket) == (
        "refused",
        "requester",
        f"{section}.requesters",
    )
    assert await scene.calls() == []
    assert await ended(stage, scene, preview=True, requested_by="joe.employee") == ("previewed", "preview", "")


async def test_a_refused_requester_ends_no_real_wish(stage: Stage) -> None:
    """Whoever may not ask neither joins a real wish nor is joined by one: each has an action of its own."""
    stage.terms = policy(requesters=frozenset({"beth.anglin"}))
    scene = await stage.scene()
    refused, real = await stage.click(scene, requested_by="mallory"), await stage.click(scene)
    again = await stage.click(scene, requested_by="mallory")
    assert len({refused, real, again}) == 3
    assert [(await stage.finish(one)).kind for one in (refused, real, again)] == [K.REFUSED, K.DISCONNECTED, K.REFUSED]
    assert await scene.effects() == 1


@pytest.mark.parametrize("is_own", [False, True], ids=["org", "source"])
async def test_over_his_rate(stage: Stage, is_own: bool) -> None:
    """Above a requester's rate a click is refused without a look, and told; later there is room again."""
    limits: dict[str, Any] = {"requester_rate": 2}
    section = f"sources.{SOURCE}" if is_own else f"orgs.{ORG}"
    if is_own:
        stage.narrowings[SOURCE] = m.Limits(**limits)
    else:
        stage.terms = policy(**limits)
    scenes, ticket = [await stage.scene() for _ in range(4)], await stage.ticket()
    clicks = [await stage.click(scene, sys_id=ticket) for scene in scenes[:3]]
    ends = [(outcome.kind, outcome.reason) for outcome in [await stage.finish(click) for click in clicks]]
    assert ends == [(K.DISCONNECTED, "confirmed"), (K.DISCONNECTED, "confirmed"), (K.REFUSED, "requester_rate")]
    last = (await stage.account(clicks[2])).action.outcome
    assert last is not None
    assert last.allowed_by == f"{section}.requester_rate"
    assert await scenes[2].calls() == []
    assert await ended(stage, scenes[2], requested_by="joe.employee") == ("disconnected", "confirmed", "")
    await stage.clock.sleep(30)
    assert await ended(stage, scenes[3]) == ("disconnected", "confirmed", "")


@pytest.mark.parametrize(
    "limits, reason",
    [
        ({"queues": frozenset({ELSEWHERE})}, "queue"),
        ({"divisions": frozenset({"Elsewhere"})}, "division"),
        ({"purposes": frozenset({"external"})}, "purpose"),
        ({"last_pair": "refuse"}, "last_pair"),
    ],
)
async def test_a_source_narrows(stage: Stage, limits: dict[str, Any], reason: str) -> None:
    """What a source forbids is refused to it, naming its setting, and stays allowed to the other source of the org."""
    stage.narrowings[SOURCE] = m.Limits(**limits)
    stage.sources["open"] = stage.source("open")
    scene = await stage.scene("pair")
    setting = f"sources.{SOURCE}.{reason if reason == 'last_pair' else reason + 's'}"
    assert await ended(stage, scene) == ("refused", reason, setting)
    assert await scene.calls("PATCH") == []
    assert (await ended(stage, scene, source="open"))[0] == "disconnected"


async def test_nobody_is_removed_for_a_source_that_was_taken_out(stage: Stage) -> None:
    """What a source asked before it was taken out of the settings is refused: nobody knows any more what it refuses."""
    stage.narrowings[SOURCE] = m.Limits(requesters=frozenset({"omar.haddad"}))
    scene = await stage.scene()
    click = await stage.click(scene)
    stage.narrowings.clear()
    stage.sources.clear()
    outcome = await stage.finish(click)
    assert (outcome.kind, outcome.reason, outcome.allowed_by) == (K.REFUSED, "purpose", f"sources.{SOURCE}.purposes")
    assert await scene.calls("PATCH") == []


async def test_a_source_that_says_nothing_falls_under_its_org(stage: Stage) -> None:
    """A source without limits of its own is decided by the org's terms alone."""
    stage.narrowings.clear()
    assert (await stage.finish(await stage.click(await stage.scene()))).kind is K.DISCONNECTED


async def test_what_one_source_refuses_does_not_end_anothers_click(stage: Stage) -> None:
    """A click of a source that may remove the caller is done, though one that may not asked for the same before."""
    stage.narrowings[SOURCE] = m.Limits(purposes=frozenset({"external"}))
    stage.sources["open"] = stage.source("open")
    scene = await stage.scene()
    narrow = await stage.click(scene)
    wide = await stage.click(scene, source="open")
    assert (await stage.finish(wide)).kind is K.DISCONNECTED
    assert (await stage.finish(narrow)).kind is K.REFUSED


async def test_a_source_in_shadow(stage: Stage) -> None:
    """A source in shadow of a live org sends nothing, and says who would go; another source of it is live."""
    stage.narrowings[SOURCE] = m.Limits(is_live=False)
    stage.sources["open"] = stage.source("open")
    scene = await stage.scene()
    assert await ended(stage, scene) == ("previewed", "shadow", "")
    assert await scene.calls("PATCH") == []
    assert (await ended(stage, scene, source="open"))[0] == "disconnected"


async def test_a_click_made_in_shadow_stays_so(stage: Stage) -> None:
    """Who clicked while nothing was sent gets a preview though it is live by now; a live click beside it is done."""
    scene, ticket = await stage.scene(), await stage.ticket()
    live = stage.terms
    stage.terms = replace(live, is_live=False)
    shadow = await stage.click(scene, sys_id=ticket)
    stage.terms = live
    real = await stage.click(scene)
    assert shadow != real
    outcome = await stage.finish(shadow)
    assert (outcome.kind, outcome.reason) == (K.PREVIEWED, "shadow")
    assert (await stage.finish(real)).kind is K.DISCONNECTED
    assert await scene.effects() == 1
    assert (await stage.account(shadow)).action.sends == ()


async def test_a_live_click_in_an_org_set_to_shadow(stage: Stage) -> None:
    """The brake works at once: what was clicked while it was live is not sent any more."""
    scene = await stage.scene()
    click = await stage.click(scene)
    stage.terms = replace(stage.terms, is_live=False)
    assert (await stage.finish(click)).kind is K.PREVIEWED
    assert await scene.calls("PATCH") == []


@pytest.mark.parametrize("scenario", ["pair", "conference"])
async def test_every_note_in_shadow_says_so(stage: Stage, scenario: str) -> None:
    """Whatever comes of a click in shadow, its note says that this service only watches."""
    stage.terms = policy(purposes=frozenset({"customer"}))
    stage.terms = replace(stage.terms, is_live=False)
    scene, ticket = await stage.scene(scenario), await stage.ticket()
    wishes: list[dict[str, object]] = [{}, {"caller_phone": "+4930123456"}]
    wishes.append({"caller_phone": None, "participant_id": scene.id("agent")})
    for wish in wishes:
        await stage.finish(await stage.click(scene, sys_id=ticket, **wish))
        await stage.tell()
    notes = await stage.notes(ticket)
    assert len(notes) == 3
    assert all("shadow mode" in note for note in notes)
    assert await scene.calls("PATCH") == []
