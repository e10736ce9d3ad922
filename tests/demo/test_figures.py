"""The figures are what the records say: counted from a log made by hand, for better and for worse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from service.core import model as m
from service.demo.figures import Evidence, Figures, Kill, bystanders_lost, is_accepted
from service.demo.world import Json
from service.store.redis import RedisStore
from tests.fixtures.redis import CountingDice
from tests.store.stories import ORG, offered

ONE, TWO = "0f9a1d4e-0000-4000-8000-000000000001", "0f9a1d4e-0000-4000-8000-000000000002"
CALLER, BETH, OMAR, QUEUE = (f"aaaaaaaa-0000-4000-8000-00000000000{number}" for number in range(4))
GOOD = Figures(
    deliveries=3,
    actions=2,
    disconnect_calls=1,
    refused_calls=1,
    outcomes={"disconnected": 1, "already_gone": 1},
    bystanders_lost=0,
    tickets_told=2,
    notes_written=2,
    recovered_after_kill_seconds=6.5,
)


def patch(conversation: str, participant: str, status: int | None) -> Json:
    """Return a removal as the sandbox logs it."""
    path = f"/api/v2/conversations/{conversation}/participants/{participant}"
    return {"service": "genesys", "method": "PATCH", "path": path, "status": status}


def person(participant: str, how: str | None) -> Json:
    """Return somebody who left like this, or is there."""
    return {"id": participant, "present": how is None, "disconnect_type": how}


def account(number: int, outcome: m.OutcomeKind | None, *timeline: m.Entry) -> m.Account:
    """Return an action with this outcome and timeline."""
    removal = m.Removal(ONE, m.Selector(m.SelectorKind.PARTICIPANT_ID, CALLER))
    ended = m.Outcome(outcome, "") if outcome else None
    action = m.Action(f"acme.{number:026d}", "acme", "desk", removal, 1, 1, 2, outcome=ended)
    return m.Account(action, "key", timeline, ())


ACCEPT = m.Entry("accept", 1_000)
CLAIMS = (
    m.Entry("claim", 1_010, worker="w1"),
    m.Entry("claim", 8_500, worker="w2"),
    m.Entry("claim", 9_000, worker="w3"),
)
KILL = Kill("acme." + "0" * 25 + "1", 2_000)
EVIDENCE = Evidence(
    accounts=(
        account(1, m.OutcomeKind.DISCONNECTED, ACCEPT, *CLAIMS, ACCEPT),
        account(2, m.OutcomeKind.ALREADY_GONE, ACCEPT, m.Entry("look", 5)),
    ),
    calls=(
        patch(ONE, CALLER, 409),
        patch(ONE, CALLER, 202),
        {"service": "genesys", "method": "GET", "path": f"/api/v2/conversations/{ONE}", "status": 200},
        {"service": "desk", "method": "PATCH", "path": "/api/now/table/incident/1", "status": 200},
    ),
    conversations=(
        {
            "conversation_id": ONE,
            "participants": [person(CALLER, "client"), person(BETH, None), person(QUEUE, "transfer")],
        },
        {"conversation_id": TWO, "participants": [person(OMAR, "endpoint"), person(BETH, None)]},
    ),
    tickets=({"work_notes": [{"text": "one"}]}, {"work_notes": [{"text": "one"}]}, {"work_notes": []}),
)


def test_counting() -> None:
    """Each figure is counted from its own record: accepts and outcomes in Redis, calls, people and notes outside."""
    figures = EVIDENCE.figures(KILL)
    assert figures == GOOD
    assert json.loads(figures.line)["outcomes"] == {"already_gone": 1, "disconnected": 1}
    assert figures.faults == []


def test_bystander_dropped_by_a_call_for_everyone() -> None:
    """Whoever is gone without having been named in an accepted PATCH, and did not hang up, is a bystander lost."""
    conversations = [{"conversation_id": ONE, "participants": [person(CALLER, "client"), person(BETH, "client")]}]
    assert bystanders_lost([patch(ONE, CALLER.upper(), 202)], conversations) == [BETH]
    alone = [{"conversation_id": ONE, "participants": [person(CALLER, "client"), person(BETH, "peer")]}]
    assert bystanders_lost([patch(ONE, CALLER, 202)], alone) == [BETH]


def test_addressed_elsewhere() -> None:
    """A PATCH counts for its own conversation only, and only if it leads to a participant."""
    conversations = [{"conversation_id": TWO, "participants": [person(CALLER, "client")]}]
    everyone = {"path": f"/api/v2/conversations/{TWO}", "status": 200}
    assert bystanders_lost([patch(ONE, CALLER, 202), everyone], conversations) == [CALLER]


@pytest.mark.parametrize("status, expected", [(200, True), (202, True), (409, False), (302, False), (None, False)])
def test_accepted(status: int | None, expected: bool) -> None:
    """Accepted is what was answered 2xx; no answer is none."""
    assert is_accepted(patch(ONE, CALLER, status)) is expected


@pytest.mark.parametrize(
    "kill, expected",
    [
        (Kill("acme." + "0" * 25 + "1", 8_500), 0.0),
        (Kill("acme." + "0" * 25 + "1", 9_001), None),
        (Kill("acme." + "0" * 25 + "2", 2_000), None),
        (Kill("acme.unknown", 2_000), None),
        (None, None),
    ],
)
def test_recovery(kill: Kill | None, expected: float | None) -> None:
    """Recovered is the first claim by another worker after the kill; without one there is no figure."""
    assert EVIDENCE.figures(kill).recovered_after_kill_seconds == expected


@pytest.mark.parametrize(
    "change, said",
    [
        ({"bystanders_lost": 1}, "1 bystanders were lost"),
        ({"disconnect_calls": 2}, "2 removals reached Genesys for 1 outcomes"),
        ({"outcomes": {"disconnected": 1}}, "2 actions, and 1 of them have an outcome"),
        ({"notes_written": 3}, "2 tickets told, 3 notes"),
        ({"tickets_told": 1}, "1 tickets told, 2 notes"),
        ({"recovered_after_kill_seconds": 8.1}, "after 8.1 s, not within 8"),
        ({"recovered_after_kill_seconds": None}, "after None s"),
    ],
)
def test_faults(change: dict[str, object], said: str) -> None:
    """Each figure that cannot be is named, and only that."""
    faults = replace(GOOD, **change).faults  # type: ignore[arg-type] # the table gives each field its own type
    assert [said in fault for fault in faults] == [True]


async def test_every_action_is_found(store: RedisStore, dice: CountingDice) -> None:
    """All actions of an org are found in Redis, however many there are, and none of another's."""
    accepted = [(await store.accept(offered(dice, word))).action_id for word in range(150)]
    assert await store.action_ids(ORG) == sorted(accepted)
    assert await store.action_ids("other") == []


def test_writing(tmp_path: Path) -> None:
    """The evidence is written as it was read, a line for each thing."""
    EVIDENCE.write(tmp_path)
    lines = (tmp_path / "calls.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(EVIDENCE.calls)
    assert len((tmp_path / "conversations.jsonl").read_text().splitlines()) == len(EVIDENCE.conversations)
    assert len((tmp_path / "tickets.jsonl").read_text().splitlines()) == len(EVIDENCE.tickets)
