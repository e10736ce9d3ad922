"""From one version of the records to the next and back, with real processes and actions at every stage on the way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures.redis import short_folder
from tests.story.fire import Click, Fire, on_fire
from tests.story.stage import Answer, eventually
from tests.story.test_reports_under_fire import store_of
from tests.story.upgrade.changing import MAX_AGE, STAGES, Change, Version, action_of, open_of, records_of
from tests.story.upgrade.entrances import COMMANDS, Command, faults_of
from tests.story.upgrade.next_version import EDITS, SCHEMA, Edit, next_version, this_version

FULL = 10
LOAD = 2  # orgs in which people click all the while
FEW = 2  # commands; all of them are asked in tests/cli/test_newer.py, and in a full run
CLICK_SECONDS = 0.5  # between two clicks: their looks are half of what the budgets of two orgs carry
LEFT_SECONDS = 2.0  # so long the older version is alone with what it must leave: its workers look each second
END_SECONDS = (
    60.0  # for what a killed worker held, and for the confirm window, on a machine that has other things to do
)
GONE_TICKET = f"incident/{'0' * 32}"  # which no desk has
COMMAND = "uv run pytest -m slow tests/story/upgrade/test_upgrade.py"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder for the two versions."""
    made = short_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@asynccontextmanager
async def changing(folder: Path) -> AsyncIterator[Change]:
    """Give a stage with both versions, of which nothing runs yet; two of its desks are judged apart from the others."""
    async with on_fire(LOAD + len(STAGES) + 2) as fire:
        for desk in fire.desks:
            fire.stage.environment[f"ONHOOK_SOURCES__{desk.source}__MAX_AGE".upper()] = MAX_AGE
        names = ["load"] * LOAD + [*STAGES, "second", "dead"]
        desks = dict(zip(names, fire.desks, strict=True))
        every, fire.desks = fire.desks, fire.desks[:-2]
        old = Version("older", "1", replace(fire.stage, root=this_version(folder / "this")))
        new = Version("newer", SCHEMA, replace(fire.stage, root=next_version(folder / "next")))
        yield Change(fire, old, new, desks, every)


@asynccontextmanager
async def clicking(fire: Fire) -> AsyncIterator[None]:
    """Click all the while the block runs, at every door in turn; each delivery is sent twice, to two doors."""
    is_over = asyncio.Event()

    async def twice(click: Click) -> None:
        told = []
        for _ in range(2):  # as its sender does that never heard the yes
            click.receipt = None
            await fire.deliver(click)
            told.append(action_of(click))
        if len(set(told)) != 1:
            fire.findings.append(f"one delivery, two actions: {told}")
        fire.counters["deliveries sent twice"] += 1

    async def load() -> None:
        async with asyncio.TaskGroup() as group:
            while not is_over.is_set():
                (click,) = await fire.clicked(fire.desks[len(fire.clicks) % LOAD])
                group.create_task(twice(click))
                await asyncio.sleep(CLICK_SECONDS)  # real processes: people click one after the other

    task = asyncio.create_task(load())
    try:
        yield
        is_over.set()
        await task
    finally:
        task.cancel()  # of what failed nobody waits for a yes
        await asyncio.gather(task, return_exceptions=True)


async def buried(change: Change, version: Version) -> str:
    """Let a version not be able to tell a ticket, for good; return the report's id."""
    desk, stage = change.desks["dead"], version.stage
    body = stage.webhook(await stage.conversation(), ticket=GONE_TICKET)
    receipt = (await stage.post(body, secret=desk.secret, source=desk.source)).json()
    account = await stage.settled(receipt, END_SECONDS)
    assert [report["state"] for report in account["reports"]] == ["dead"]
    found = records_of(change.fire, [desk], version.schema)
    (report,) = [key.partition("report:")[2] for key in found if f":report:{receipt['action']}." in key]
    return report


async def upgraded(change: Change) -> list[Click]:
    """Change from the older version to the newer one; return the clicks of two people, who share a paused action."""
    fire, old, new = change.fire, change.old, change.new
    async with store_of(old.stage) as store:
        await store.pause(change.desks["paused"].org)
    await change.bring(old)
    both = await fire.clicked(change.desks["paused"], people=2)
    await fire.deliver(both[0], door=old.stage.door)
    await asyncio.gather(new.open(fire), new.work())
    await fire.deliver(both[1], door=new.stage.door)
    assert both[1].receipt
    assert both[1].receipt["status"] == "duplicate"
    await change.expect_same([*change.seeds.pop(old.name), both[0]], new)
    return both


async def rolled_back(change: Change, both: Sequence[Click], token: str, commands: Sequence[Command]) -> None:
    """Change back to the older version, which leaves alone what the newer one stored, until that one is there again."""
    fire, old, new = change.fire, change.old, change.new
    dead = await buried(change, new)
    await new.rest(fire)
    await asyncio.gather(new.work(change.desks["told later"]), old.close(fire))
    await change.bring(new)
    first, second = await two_people(change)
    await asyncio.gather(old.open(fire), old.work())
    await fire.deliver(second, door=old.stage.door)
    await new.close(fire)

    waiting, kept = open_of(fire, change.every, SCHEMA), records_of(fire, change.every, SCHEMA)
    clicks = [*change.seeds.pop(new.name), first]
    fire.findings += await faults_of(change, clicks, dead, token, commands)
    await asyncio.sleep(LEFT_SECONDS)  # real processes: so long the older version is alone with it
    fire.findings += differences(kept, records_of(fire, change.every, SCHEMA))
    fire.findings += differences(waiting, open_of(fire, change.every, SCHEMA))
    assert await old.left() == len(waiting) >= len(STAGES)
    fire.counters["left to the newer version, untouched"] += len(waiting)

    async with store_of(old.stage) as store:
        await store.resume(change.desks["paused"].org)
    for (
        click
    ) in both:  # what the newer version let join is of the action's schema, so the older one ends it and tells it
        account = await old.stage.settled(click.receipt or {}, END_SECONDS)
        assert [report["state"] for report in account["reports"]] == ["told", "told"]
    await new.work()
    await nothing_left(change)
    await new.rest(fire)
    await judged_together(change, first, second)


async def two_people(change: Change) -> tuple[Click, Click]:
    """Let the first of two people click at the newer version's doors, while no worker runs; the second clicks later."""
    first, second = await change.fire.clicked(change.desks["second"], people=2)
    change.fire.clicks = [click for click in change.fire.clicks if click not in (first, second)]
    await change.fire.deliver(first, door=change.new.stage.door)
    return first, second


async def nothing_left(change: Change) -> None:
    """Wait until the older version says that nothing is left to the newer one: that is when its worker may end."""

    async def nothing() -> bool | None:
        return await change.old.left() == 0 or None

    try:
        await eventually(nothing, END_SECONDS)
    except TimeoutError:
        change.fire.findings.append(f"left to the newer version, of which a worker runs: {await change.old.left()}")
    change.fire.findings += [f"{key} is open" for key in open_of(change.fire, change.every, SCHEMA)]


async def judged_together(change: Change, first: Click, second: Click) -> None:
    """The two people's clicks are two actions; one removal took effect, and each ticket was told once."""
    fire, stage = change.fire, change.old.stage
    account = await stage.settled(second.receipt or {}, END_SECONDS)
    kinds = {account["outcome"]["kind"]}
    effects = [call for call in await stage.calls("PATCH", first.conversation) if call["effect"]]
    notes = [await stage.notes(click.ticket) for click in (first, second)]
    if not kinds <= {"disconnected", "already_gone"} or len(effects) != 1 or [len(some) for some in notes] != [1, 1]:
        fire.findings.append(f"two people, two versions: {kinds}, {len(effects)} removals, {notes}")


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Return what is not as it was."""
    keys = sorted(before.keys() | after.keys())
    return [f"{key} was {before.get(key)}, is {after.get(key)}" for key in keys if before.get(key) != after.get(key)]


def faults_said(fire: Fire) -> list[str]:
    """Return what the processes logged of faults of ours, and of scripts that ended half-way."""
    lines = [line for log in ("serve", "work") for line in (fire.stage.folder / f"{log}.log").read_text().splitlines()]
    return [line[:600] for line in lines if '"fault.raised"' in line or "user_script" in line]


def judged_workers(change: Change, accounts: list[Answer], schemas: dict[str, str]) -> None:
    """No worker of the older version touched what the newer one stored; count who ended what."""
    for account in accounts:
        schema = schemas[account["action"]]
        for entry in account["timeline"]:
            pid = entry["worker"].split(":")[1] if entry["worker"] else ""
            if schema == SCHEMA and pid in change.old.workers:
                change.fire.findings.append(f"{account['action']}: {entry} by the older version")
            if entry["verb"] == "settle":
                ended_by = change.old.name if pid in change.old.workers else change.new.name
                change.fire.counters[f"of schema {schema}, ended by the {ended_by} version"] += 1


@pytest.mark.parametrize("rounds", [1, pytest.param(FULL, marks=pytest.mark.slow)])
async def test_over_and_back(rounds: int, folder: Path) -> None:
    """Webhooks flow while versions change: nobody is lost, twice or wrong, and each ticket is told once."""
    async with changing(folder) as change:
        fire, old, new = change.fire, change.old, change.new
        token = fire.stage.admit("operator")
        later = change.desks["told later"]
        await asyncio.gather(old.open(fire), old.work(later))
        async with clicking(fire):
            for number in range(rounds):
                if number:
                    await old.rest(fire)
                    await old.work(later)
                both = await upgraded(change)
                await rolled_back(change, both, token, COMMANDS[: None if rounds == FULL else FEW])
            await new.open(fire)  # who reads both, for those who judge
        fire.stage = new.stage
        await fire.judge()
        schemas = {key.partition(":action:")[2]: s for s in ("1", SCHEMA) for key in records_of(fire, fire.desks, s)}
        judged_workers(change, await fire.each(fire.clicks, fire.account), schemas)
        fire.findings += faults_said(fire)
    if rounds == FULL:
        fire.leave("upgrade", COMMAND)
    assert fire.findings == []
    at = [f"{version.name}: worker killed at {stage}" for version in (old, new) for stage in STAGES]
    assert [name for name in at if fire.counters[name] < rounds] == []
    by = [
        f"of schema {schema}, ended by the {version.name} version"
        for schema, version in (("1", old), ("1", new), (SCHEMA, new))
    ]
    assert [name for name in by if not fire.counters[name]] == []


@pytest.mark.parametrize("text", ["no such text", "local "])
def test_edits_that_no_longer_fit_are_noticed(folder: Path, text: str) -> None:
    """A source that is not what the next version was made from is an error, and not a version without the change."""
    with pytest.raises(ValueError, match="times"):
        next_version(folder, (*EDITS, Edit("store/scripts/prologue.lua", text, "")))
