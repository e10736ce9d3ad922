"""The page on capacity says what the full runs measured."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from service.flow.worker import ATTEND_ORGS, FEW_ORGS, REMOVAL_SLOTS
from service.settings.files import LARGEST_FILE
from service.store.address import CONNECTIONS
from service.store.waiter import CONNECTIONS as LISTENING
from tests.findings import FOLDER
from tests.story.capacity.tables import PAGE, ROWS, filled, table_of

TEXT = PAGE.read_text(encoding="utf-8")


def _evidence(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def test_the_table_is_the_last_run() -> None:
    """The table has the figures of the evidence; `python -m tests.story.capacity` writes them down anew."""
    assert filled(TEXT) == TEXT
    assert list(_evidence("capacity")["orgs"]) == ["1", "100", "1000"]


def test_every_row_has_its_figures() -> None:
    """Each row of the table has a figure for each number of orgs."""
    rows = table_of(_evidence("capacity")["orgs"]).splitlines()
    assert len(rows) == len(ROWS) + 2
    assert all(len(re.findall(r"\d", cell)) for row in rows[2:] for cell in row.split("|")[2:-1])


@pytest.mark.parametrize(
    "said",
    [
        lambda: f"{_evidence('budget')['figures']['calls_of_a_removal']} measured",
        lambda: f"{int(_evidence('overload')['in flight']['flood']['accepted_a_second']):,} webhooks a second",
        lambda: f"more than {FEW_ORGS} orgs asks Redis once",
        lambda: f"of {ATTEND_ORGS} orgs in one write",
        lambda: f"One has {REMOVAL_SLOTS} removals of each org",
        lambda: f"at most {CONNECTIONS + LISTENING} to Redis ({CONNECTIONS} to ask, {LISTENING} to listen)",
        lambda: f"A settings file may have {LARGEST_FILE // 1024**2} MiB",
    ],
)
def test_what_it_says_is_so(said: Any) -> None:  # noqa: ANN401 - a sentence's part, made when the test runs
    """What is said in the text is what was measured, or what the code has."""
    assert said() in TEXT
