"""Who asks for more than people click is stopped, and a person lets it go on: intake, worker and ticket together."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from service import telemetry
from service.core import model as m
from service.core.errors import BacklogFull, TooMany
from service.flow import operations
from tests.flow.stage import ANNA, ORG, SOURCE, Scene, Stage, counted

RUNAWAY = 4


async def clicked(stage: Stage, ticket: str, **more: Any) -> tuple[Scene, str]:  # noqa: ANN401 - as `delivery` takes them
    """Click on the caller of a new conversation."""
    scene = await stage.scene(lag=0.0)
    return scene, await stage.click(scene, sys_id=ticket, **more)


def lines_of(log: io.BytesIO) -> list[dict[str, Any]]:
    """Return the lines that say that a source was paused."""
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] == "source.paused"]


async def test_who_runs_away_pauses_the_source(stage: Stage) -> None:
    """The last of so many removals of a minute pauses the source: nobody more goes, the tickets and the log say why."""
    stage.sources[SOURCE] = stage.source(runaway=RUNAWAY)
    other = stage.sources["other"] = stage.source("other", runaway=RUNAWAY)
    assert other.terms.runaway == RUNAWAY
    before, log = counted("onhook_runaways_total", source=SOURCE), io.BytesIO()
    telemetry.configure(stream=log)
    tickets = [await stage.ticket() for _ in range(RUNAWAY + 2)]
    clicks = [await clicked(stage, ticket) for ticket in tickets]
    assert await stage.store.paused(ORG) == {SOURCE}
    assert counted("onhook_runaways_total", source=SOURCE) == before + 1
    (line,) = lines_of(log)
    assert (line["level"], line["source"], line["org"], line["action"]) == (
        "error",
        SOURCE,
        ORG,
        clicks[RUNAWAY - 1][1],
    )
    assert "beth" not in log.getvalue().decode()
    # its neighbour goes on, also for the same requester
    scene, action_id = await clicked(stage, await stage.ticket(), source="other")
    assert (await stage.finish(action_id)).kind is m.OutcomeKind.DISCONNECTED
    assert await scene.effects() == 1
    ends = [await stage.finish(action_id) for _, action_id in clicks]
    assert {(end.kind, end.reason) for end in ends} == {(m.OutcomeKind.EXPIRED, "runaway")}
    assert [await scene.calls() for scene, _ in clicks] == [[]] * len(clicks)
    while await stage.tell():
        pass
    for ticket in tickets:
        (note,) = await stage.notes(ticket)
        assert "more removals were asked for within a minute than people click" in note


async def test_a_person_lets_it_go_on(stage: Stage) -> None:
    """After a resume what is still in time is done; whoever goes on to run away is stopped by the next click again."""
    stage.sources[SOURCE] = stage.source(runaway=RUNAWAY)
    clicks = [await clicked(stage, await stage.ticket()) for _ in range(RUNAWAY)]
    await operations.resume(stage.store, [ORG], SOURCE, by=ANNA)
    assert {(await stage.finish(action_id)).kind for _, action_id in clicks} == {m.OutcomeKind.DISCONNECTED}
    await clicked(stage, await stage.ticket())
    assert await stage.store.paused(ORG) == {SOURCE}
    await operations.resume(stage.store, [ORG], SOURCE, by=ANNA)
    await stage.clock.sleep(60)
    await clicked(stage, await stage.ticket())
    assert await stage.store.paused(ORG) == frozenset()


@pytest.mark.parametrize("said", [{"preview": True}, {"requested_by": "mallory"}], ids=["a preview", "not allowed"])
async def test_who_removes_nobody_stops_nobody(stage: Stage, said: dict[str, Any]) -> None:
    """Previews, and what somebody asks who may not ask at all, pause no source however many they are."""
    stage.sources[SOURCE] = stage.source(runaway=RUNAWAY)
    stage.terms = replace(stage.terms, policy=m.Policy(requesters=frozenset({"beth.anglin"})))
    for _ in range(2 * RUNAWAY):
        await clicked(stage, await stage.ticket(), **said)
    assert await stage.store.paused(ORG) == frozenset()


async def test_a_source_has_a_rate(stage: Stage) -> None:
    """What is over the rate of its source is refused unstored, and it is said when to come again and who signed."""
    stage.sources[SOURCE] = stage.source(rate=2)
    scene = await stage.scene()
    first = stage.delivery(scene, msg="msg-a")
    receipts = [await stage.intake.take(first) for _ in range(2)]
    assert [isinstance(receipt, m.Receipt) and receipt.joined for receipt in receipts] == ["", "delivery"]
    with pytest.raises(TooMany) as caught:
        await stage.intake.take(stage.delivery(scene))
    assert caught.value.secret_fingerprint == stage.sources[SOURCE].verify(first).secret_fingerprint
    await stage.clock.sleep(caught.value.retry_after_seconds)
    assert await stage.click(scene)


async def test_an_org_has_a_backlog(stage: Stage) -> None:
    """Over the backlog no new action is taken; a delivery that comes again is."""
    intake = replace(stage.intake, backlog=1)
    first = stage.delivery(await stage.scene(), msg="msg-a")
    await intake.take(first)
    with pytest.raises(BacklogFull):
        await intake.take(stage.delivery(await stage.scene()))
    again = await intake.take(first)
    assert isinstance(again, m.Receipt)
    assert again.joined == "delivery"
