"""What the console's pages stand on is what the process has open, and a file of the audit is fit for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service import settings
from service.core import model as m
from service.core.errors import StoreDown
from service.flow import operations
from service.store.embedded import EmbeddedRedis
from service.wiring import overseeing
from service.wiring.house import House, opened
from service.wiring.overseeing import watch_of
from tests.wiring.running import own
from tests.wiring.test_house import OTHER, SHADOW
from tests.wiring.test_processes import OFFLINE

FORMULA = '=HYPERLINK("http://evil.example","click")'


@pytest.fixture
async def house(folder: Path) -> AsyncIterator[House]:
    """Give a process of two orgs, one of them in shadow, each with a source."""
    with EmbeddedRedis(folder):
        said = settings.read(own(folder) | OFFLINE | OTHER | SHADOW)
        async with opened(said, print, may_start=False) as house:
            yield house


async def test_watch(house: House) -> None:
    """The pages know each org, where its Genesys is, and each source; and how all of them stand."""
    watch = watch_of(house, "https://in.test")
    assert watch.orgs == ("acme", "other")
    assert all("://" in api for api in watch.apis.values())
    assert (watch.of_org("acme"), watch.of_org("other")) == (("desk",), ("jira",))
    await operations.pause(house.store, ["acme"], "desk", by=m.Operator("beth", "flood"))
    acme, other = await watch.standings()
    assert (acme.org, acme.mode, acme.shadow, other.mode) == ("acme", "live", ["desk"], "shadow")
    assert [(pause.source, pause.why.by) for pause in acme.pauses] == [("desk", m.Operator("beth", "flood"))]
    assert (acme.open_actions, acme.open_reports, other.pauses) == (0, {}, [])
    assert acme.calls > 0
    assert watch.audit_from(86_400_000) == "1-0"


async def test_the_store_is_away(house: House) -> None:
    """While Redis is known to be away, it is not asked how the orgs stand."""
    house.readiness.is_reached = False
    with pytest.raises(StoreDown):
        await watch_of(house, "").standings()


async def written(house: House, form: str, since_at: int = 0, until_at: int = 0) -> list[str]:
    """Return the pieces of a file of the audit."""
    return [piece.decode() async for piece in watch_of(house, "").exported(form, since_at, until_at)]


async def test_files(house: House) -> None:
    """The audit of all orgs is the same lines as JSON and as CSV; in CSV nothing is a formula, and no line is split."""
    assert await written(house, "jsonl") == [""]
    await operations.pause(house.store, ["acme"], by=m.Operator("beth", FORMULA))
    await operations.pause(house.store, ["other"], by=m.Operator("anna", "a, “b”\n"))
    lines = [json.loads(line) for line in "".join(await written(house, "jsonl")).splitlines()]
    assert [(line["org"], line["deed"], line["who"], line["why"]) for line in lines] == [
        ("acme", "pause", "beth", FORMULA),
        ("other", "pause", "anna", lines[1]["why"]),
    ]
    rows = list(csv.DictReader(io.StringIO("".join(await written(house, "csv")))))
    assert [(row["who"], row["why"]) for row in rows] == [("beth", f"'{FORMULA}"), ("anna", lines[1]["why"])]
    assert list(rows[0]) == list(lines[0])
    assert await written(house, "csv", since_at=1, until_at=2) == [""]


async def test_pieces(house: House) -> None:
    """A long audit is sent piece by piece, and none of its lines twice."""
    for number in range(overseeing.LINES + 1):
        await house.store.pause("acme", by=m.Operator("beth", str(number)))
        await house.store.resume("acme", by=m.Operator("beth", str(number)))
    pieces = await written(house, "jsonl")
    assert len(pieces) == 3
    assert [json.loads(line)["why"] for line in "".join(pieces).splitlines()[::2]] == [
        str(number) for number in range(overseeing.LINES + 1)
    ]
