"""The two small state machines: what the design draws, and nothing that leads nowhere."""

import inspect

import pytest

from service.core.lifecycle import ACTION_STEPS, REPORT_STEPS, Step
from service.core.model import ActionState, ReportState
from service.core.ports import Store

MACHINES = [(ACTION_STEPS, ActionState, ActionState.PENDING), (REPORT_STEPS, ReportState, ReportState.WAITING)]


@pytest.mark.parametrize("steps, states, first", MACHINES)
def test_steps_lead_from_state_to_state(
    steps: dict[str, Step], states: type[ActionState | ReportState], first: str
) -> None:
    """Each step names two states that exist, and every state is reached from the first."""
    assert {state for step in steps.values() for state in step} == set(states)
    reached = {first}
    for _ in steps:
        reached |= {step.to for step in steps.values() if step.source in reached}
    assert reached == set(states)


def test_a_settled_action_stays_settled() -> None:
    """Only settle and a person's drop end an action, and nothing leads out of the end: outcomes are written once."""
    assert {name for name, step in ACTION_STEPS.items() if step.to == ActionState.SETTLED} == {"settle", "drop"}
    assert not [name for name, step in ACTION_STEPS.items() if step.source == ActionState.SETTLED]


def test_a_told_report_stays_told_and_a_dead_one_waits_for_a_person() -> None:
    """Nothing leads out of told; out of dead only a person does; a report is due once its action is settled."""
    assert not [name for name, step in REPORT_STEPS.items() if step.source == ReportState.TOLD]
    assert [name for name, step in REPORT_STEPS.items() if step.source == ReportState.DEAD] == ["retell"]
    assert [name for name, step in REPORT_STEPS.items() if step.source == ReportState.WAITING] == ["settle"]


def test_steps_are_verbs_of_the_store() -> None:
    """Every step is a method of the store; joining is part of accepting."""
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction)}
    assert {*ACTION_STEPS, *REPORT_STEPS} - {"join"} <= methods
