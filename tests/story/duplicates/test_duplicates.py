"""A wish that comes again: every state of the first action times every way to come again."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from service.core import model as m
from service.core.errors import Conflicting
from service.core.ports import Source
from tests.findings import write_evidence
from tests.flow.stage import ORG, SOURCE, Stage
from tests.story.duplicates.arranging import ROWS, Play, arranged, comes_again
from tests.story.duplicates.cells import CELLS, COLUMNS, GRID, Cell

COMMAND = "uv run pytest -m slow tests/story/duplicates"
HOUR = 3600.0
JOINED = {"same": "delivery", "join": "intent", "new": ""}


def test_the_table_is_whole() -> None:
    """Each state of an action and each of the eight outcomes is a row, and each row has each column."""
    assert set(GRID) == set(ROWS)
    assert {kind.value for kind in m.OutcomeKind} <= set(GRID)
    assert len(CELLS) == len(GRID) * len(COLUMNS) == 96


async def test_the_status_of_each_answer(stage: Stage) -> None:
    """A duplicate has the status of the first, whatever it joins; only another body under the same id is a 422."""
    assert stage.source().success_status == 202
    assert Conflicting.status == 422


async def check(stage: Stage, cell: Cell) -> None:
    """Play one cell: it comes again, twice and once more at the end, and what the cell says is so."""
    play = await arranged(stage, cell.row)
    comes = comes_again(play, cell.row, cell.column)
    receipt = await comes()
    known = len(await stage.store.action_ids(ORG))
    hears(cell, play, receipt)
    assert known == (2 if cell.answer == "new" else 1)
    again = await comes()
    ended = await play.finish()
    at_last = await comes()
    assert len(await stage.store.action_ids(ORG)) == known, "it came twice and made another action"
    if receipt is None:
        assert again is at_last is None
    else:
        for one in (again, at_last):
            assert one is not None
            assert (one.action_id, one.key) == (receipt.action_id, receipt.key)
        assert at_last is not None
        assert at_last.outcome is not None
        assert at_last.outcome.kind.value == ended[receipt.action_id]
        if cell.answer == "new":
            assert ended[receipt.action_id] in cell.ends
    assert await play.finish() == ended
    assert await play.notes() == cell.notes
    assert await play.scene.effects() == cell.effects


def hears(cell: Cell, play: Play, receipt: m.Receipt | None) -> None:
    """Assert that the sender hears what the cell says."""
    assert (receipt is None) == (cell.answer == "conflict")
    if receipt is not None:
        assert receipt.joined == JOINED[cell.answer]
        assert (receipt.action_id == play.first) == (cell.answer != "new")


@pytest.mark.parametrize("cell", [pytest.param(cell, id=f"{cell.row}-{cell.column}") for cell in CELLS])
async def test_what_comes_again(stage: Stage, cell: Cell) -> None:
    """The sender hears of the same action, another one or a conflict, each ticket is told once, one removal at most."""
    await check(stage, cell)


@pytest.mark.parametrize("hours", [2, 28, 71])
async def test_a_repeat_signed_anew_days_later(stage: Stage, hours: float) -> None:
    """The same delivery, re-signed after hours or days, is the same action, though the person is back meanwhile."""
    play = await arranged(stage, "disconnected")
    await play.finish()
    await play.scene.event("rejoin", "Unhappy")
    await stage.clock.sleep(hours * HOUR)
    receipt = await comes_again(play, "disconnected", "again")()
    assert receipt is not None
    assert (receipt.action_id, receipt.joined) == (play.first, "delivery")
    assert list(await play.finish()) == [play.first]
    assert (await play.notes(), await play.scene.effects()) == ((1, 0), 1)


class Unnamed:
    """A source whose scheme signs no id and whose events carry no time: only the body says that two are the same."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        return getattr(self._source, name)

    def verify(self, delivery: m.Delivery) -> m.Verified:
        """Prove it as the source does, and know nothing of it but that."""
        return dataclasses.replace(self._source.verify(delivery), signed_id="", stamped_at=None)


@pytest.mark.parametrize("hours, is_same", [(1.99, True), (2.01, False)])
async def test_a_body_that_comes_again_without_an_id(stage: Stage, hours: float, is_same: bool) -> None:
    """Known by its body alone it is the same for two hours after the end; then it is a real second click."""
    stage.sources[SOURCE] = Unnamed(stage.source(untimed="accept"))
    scene = await stage.scene()
    await scene.event("hangup", "Unhappy")
    first = await stage.click(scene)
    await stage.finish(first)
    await stage.clock.sleep(hours * HOUR)
    again = await stage.click(scene)
    assert (again == first) is is_same
    assert (await stage.finish(again)).kind is m.OutcomeKind.ALREADY_GONE


@pytest.mark.slow
async def test_the_table_is_written_down(stage: Stage) -> None:
    """A full run leaves what became of every cell, each played three times over."""
    counters = dict.fromkeys(("played", *JOINED, "conflict"), 0)
    for cell in CELLS * 3:
        stage.client.flushall()
        stage.terms = m.Terms()
        await check(stage, cell)
        counters["played"] += 1
        counters[cell.answer] += 1
    assert all(counters.values())
    grid = {row: dict(zip(COLUMNS, answers.split(), strict=True)) for row, answers in GRID.items()}
    write_evidence("duplicates", command=COMMAND, counters=counters, findings=[], columns=COLUMNS, grid=grid)
