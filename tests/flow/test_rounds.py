"""Who works for many orgs asks once for all of them; no click waits longer for it, and nobody who hangs is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.core import model as m
from service.core.errors import StoreDown
from service.core.ports import Agenda, DueKind
from service.flow.rounds import REST_SECONDS
from service.flow.worker import ATTEND_ORGS, ATTEND_SECONDS, FEW_ORGS
from service.flow.workplace import Workplace
from service.store.agenda import RedisAgenda
from tests.flow.meddler import Meddler
from tests.flow.stage import ORG, Stage
from tests.flow.test_worker import outcome_of, working

MANY = 30
K = m.OutcomeKind


def crowded(stage: Stage, orgs: int = MANY, *, agenda: Agenda | None = None, **parts: Any) -> Workplace:  # noqa: ANN401 - any port
    """Return a workplace of the stage's org among so many."""
    place = stage.place(**parts)
    names = [ORG, *(f"o{number}" for number in range(orgs - 1))]
    cloud = place.genesys[ORG]
    known = agenda or RedisAgenda(stage.runner, now_ms=stage.clock.now)
    return replace(
        place, genesys=dict.fromkeys(names, cloud), terms=dict.fromkeys(names, place.terms[ORG]), agenda=known
    )


class Trouble(Meddler):
    """An agenda that knows nothing while `fault` says so."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(RedisAgenda(stage.runner, now_ms=stage.clock.now))
        self.fault: Exception | None = None

    async def due(self, orgs: Sequence[str]) -> frozenset[tuple[str, DueKind]]:
        if self.fault:
            raise self.fault
        found: frozenset[tuple[str, DueKind]] = await self.port.due(orgs)  # type: ignore[attr-defined] # an Agenda
        return found


def scripts_of(stage: Stage, since: int) -> Counter[str]:
    """Return which scripts were asked since so many were."""
    return Counter(script.name for script, _, _ in stage.runner.asked[since:])


async def test_what_an_idle_org_costs(stage: Stage) -> None:
    """A minute of idle orgs is a question a second for all, a claim or two of each kind, a word each 5 s."""
    async with working(crowded(stage)):
        await stage.clock.sleep(REST_SECONDS)
        began = len(stage.runner.asked)
        await stage.clock.sleep(REST_SECONDS)
    asked = scripts_of(stage, began)
    assert 59 <= asked["due"] <= 61
    assert asked["claim"] <= 2 * MANY
    assert asked["claim_reports"] <= 2 * MANY
    assert asked["attend"] <= MANY * (REST_SECONDS / ATTEND_SECONDS + 1)
    assert asked.total() <= 18 * MANY  # asked each by itself they would be 132


async def test_what_lay_there_at_the_start(stage: Stage) -> None:
    """At the start of a worker for many nobody is asked for work but who has some, and that within a second."""
    action_id = await stage.click(await stage.scene())
    began, asked = stage.clock.now(), len(stage.runner.asked)
    async with working(crowded(stage)) as worker:
        assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
        assert stage.clock.now() - began <= 1_500
        assert scripts_of(stage, asked)["claim"] <= 2
        await stage.clock.sleep(1)
        assert worker.claim_age_seconds() is not None


async def test_few_are_asked_by_themselves(stage: Stage) -> None:
    """With few orgs nobody goes round: each is asked for work every second."""
    async with working(crowded(stage, FEW_ORGS)):
        await stage.clock.sleep(10.5)
    asked = scripts_of(stage, 0)
    assert (asked["due"], asked["claim"]) == (0, 11 * FEW_ORGS)


async def test_a_wake_still_counts(stage: Stage) -> None:
    """A click among many orgs is claimed when its wake arrives, not at the next round."""
    async with working(crowded(stage)):
        await stage.clock.sleep(10.2)
        action_id = await stage.click(await stage.scene(lag=0.1))
        stage.bells.ring(f"removals:{ORG}")
        began = stage.clock.now()
        assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
        assert stage.clock.now() - began <= 400


async def test_a_lost_wake_costs_a_second(stage: Stage) -> None:
    """Among many orgs too what is due without a wake is claimed within a second, and its ticket told a second later."""
    scene, ticket = await stage.scene(), await stage.ticket()
    async with working(crowded(stage)):
        await stage.clock.sleep(5.1)
        action_id = await stage.click(scene, sys_id=ticket)
        await outcome_of(stage, action_id)
        await stage.clock.sleep(1.5)
        assert len(await stage.notes(ticket)) == 1
    account = await stage.account(action_id)
    assert account.action.settled_at - account.action.received_at <= 1500


@pytest.mark.parametrize("fault", [StoreDown("away"), ValueError("odd")])
async def test_who_cannot_be_asked(stage: Stage, fault: Exception) -> None:
    """While nobody knows where something is due, it is said once, the worker is alive, and a wake still finds him."""
    agenda = Trouble(stage)
    with capture_logs() as logs:
        async with working(crowded(stage, agenda=agenda)) as worker:
            await stage.clock.sleep(5.1)
            agenda.fault = fault
            await stage.clock.sleep(20)
            age = worker.claim_age_seconds()
            assert age is not None
            assert age <= 1.1
            action_id = await stage.click(await stage.scene())
            stage.bells.ring(f"removals:{ORG}")
            assert (await outcome_of(stage, action_id)).kind is K.DISCONNECTED
            agenda.fault = None
            await stage.clock.sleep(2)
    said = [one["event"] for one in logs if one.get("during") == "rounds"]
    faults = [one["where"] for one in logs if one["event"] == "fault.raised"]
    assert said == (["store.lost", "store.found"] if isinstance(fault, StoreDown) else [])
    assert set(faults) == (set() if isinstance(fault, StoreDown) else {"the rounds"})


async def test_who_hangs_is_seen(stage: Stage) -> None:
    """The rounds say nothing of a loop that does not come back: how long ago it asked grows, and a probe sees it."""

    class Hanging(Meddler):
        hangs = False

        async def claim(self, org: str, *args: object, **more: object) -> Sequence[m.Claim]:
            if self.hangs:
                await stage.clock.sleep(60)
            found: Sequence[m.Claim] = await self.port.claim(org, *args, **more)  # type: ignore[attr-defined] # a Store
            return found

    store = Hanging(stage.store)
    async with working(crowded(stage, store=store)) as worker:
        await stage.clock.sleep(5)
        store.hangs = True
        stage.bells.ring("removals:o7")
        await stage.clock.sleep(12)
        age = worker.claim_age_seconds()
    assert age is not None
    assert 11 <= age <= 13


async def test_who_asks_for_himself(stage: Stage) -> None:
    """Of an org whose server is away nobody is asked on the rounds: its loops ask, and no other waits for it."""

    class Partly(Meddler):
        asked: list[frozenset[str]]
        is_away = True

        async def due(self, orgs: Sequence[str]) -> frozenset[tuple[str, DueKind]]:
            self.asked.append(frozenset(orgs))
            if self.is_away and "o7" in orgs:
                await stage.clock.sleep(2)
                return frozenset({("o7", "removals"), ("o7", "reports")})
            found: frozenset[tuple[str, DueKind]] = await self.port.due(orgs)  # type: ignore[attr-defined] # an Agenda
            return found

    class Away(Meddler):
        async def _claim(self, name: str, org: str, *args: object, **more: object) -> Sequence[Any]:
            if agenda.is_away and org == "o7":
                raise StoreDown("away")
            found: Sequence[Any] = await getattr(self.port, name)(org, *args, **more)
            return found

        async def claim(self, org: str, *args: object, **more: object) -> Sequence[m.Claim]:
            return await self._claim("claim", org, *args, **more)

        async def claim_reports(self, org: str, *args: object, **more: object) -> Sequence[m.ReportClaim]:
            return await self._claim("claim_reports", org, *args, **more)

    agenda = Partly(RedisAgenda(stage.runner, now_ms=stage.clock.now))
    agenda.asked = []
    async with working(crowded(stage, agenda=agenda, store=Away(stage.store))):
        await stage.clock.sleep(10)
        assert [len(orgs) for orgs in agenda.asked[:2]] == [MANY, MANY - 1]
        assert "o7" not in frozenset().union(*agenda.asked[1:])
        assert len(agenda.asked) >= 8
        agenda.is_away = False
        await stage.clock.sleep(3)
        assert len(agenda.asked[-1]) == MANY


async def test_attendance_is_said_in_turns(stage: Stage) -> None:
    """Of many orgs some are told together, one lot after the other, and each within the five seconds."""
    async with working(crowded(stage, 2 * ATTEND_ORGS + 1)):
        await stage.clock.sleep(ATTEND_SECONDS / 3 - 0.1)
        assert scripts_of(stage, 0)["attend"] == ATTEND_ORGS
        await stage.clock.sleep(ATTEND_SECONDS * 2 / 3)
        assert scripts_of(stage, 0)["attend"] == 2 * ATTEND_ORGS + 1
