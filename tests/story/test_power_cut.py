"""The power goes, again and again: what was acknowledged is on disk, and what was marked as sent stays marked."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from service.core import model as m
from tests.findings import write_evidence
from tests.store.servers import programs
from tests.story.power.load import Load
from tests.story.power.machine import Machine, powered

SEED = 20261125
FULL = 50
MOMENT_SECONDS = (0.05, 0.35)  # from the first click to the power cut
COMMAND = "uv run pytest -m slow tests/story/test_power_cut.py"


async def cut_again_and_again(machine: Machine, load: Load, cycles: int) -> None:
    """Cut the power so often under load, and look each time for what was promised and what had been sent."""
    dice = random.Random(SEED)  # noqa: S311 - repeated by its seed; no secret is made
    await machine.start()
    async with load.under_way():
        for _ in range(cycles):
            async with load.clicking():
                await asyncio.sleep(dice.uniform(*MOMENT_SECONDS))  # real processes: the power goes at any moment
                load.counters["bytes cut off"] += (cut := machine.cut_power())
                load.counters["cuts into a write"] += cut > 0
                load.counters["power cuts"] += 1
                sent = {talk.id: talk.patches for talk in load.town.talks.values() if talk.patches}
                load.counters["promises looked for"] += len(load.promised)
                await machine.start()
            load.counters["lost"] += len(await load.missing())
            _look_for_marks(load, sent, await load.accounts())
        await load.ended()
    load.findings += load.town.findings()


def _look_for_marks(load: Load, sent: Mapping[str, int], accounts: Mapping[str, m.Account]) -> None:
    """Whatever left before the power went was marked before it left, and is marked now."""
    for conversation, patches in sent.items():
        load.counters["marks looked for"] += 1
        account = accounts.get(conversation)
        if account is None or len(account.action.sends) < patches:
            load.counters["marks lost"] += 1


@pytest.mark.parametrize("cuts", [20, pytest.param(FULL, marks=pytest.mark.slow)])
async def test_power_cut(cuts: int) -> None:
    """The power is cut under load: no acknowledged accept is lost, no mark either; with everysec, the control, some."""
    kinds = programs()
    shares = [cuts // len(kinds) + (at < cuts % len(kinds)) for at in range(len(kinds))]
    asked = [(program, "always") for program in kinds.values()] + [(next(iter(kinds.values())), "everysec")]
    with powered(asked) as machines:
        loads = [Load(machine.url, SEED) for machine in machines]
        runs = zip(machines, loads, [*shares, max(shares)], strict=True)
        await asyncio.gather(*(cut_again_and_again(*run) for run in runs))
    *kept, control = loads
    seen = sum((load.counters + load.town.counters for load in kept), Counter[str]())
    seen.update({"lost": 0, "marks lost": 0})  # a zero is said too
    findings = [finding for load in kept for finding in load.findings]
    findings += [f"{what}: {seen[what]}" for what in ("lost", "marks lost") if seen[what]]
    if cuts == FULL:
        write_evidence(
            "power_cut",
            command=COMMAND,
            counters=seen,
            findings=findings,
            servers=sorted(kinds),
            everysec=dict(sorted(control.counters.items())),
        )
    assert findings == []
    assert seen["power cuts"] == cuts
    for fault in ("bytes cut off", "cuts into a write", "promises looked for", "marks looked for"):
        assert seen[fault] > 0, seen
    # a shim that cut nothing would prove nothing
    assert control.counters["lost"] > 0, control.counters
