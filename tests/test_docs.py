"""The README, the operator's pages and the code name the same things: none knows one that the others do not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import cast, get_args, get_origin

import pytest
from pydantic import BaseModel

from service import telemetry
from service.core import errors
from service.settings import OrgSettings, Settings
from service.sources import KINDS
from service.web import openapi, problems
from service.web.back import private_door
from tests.commands import command_names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS, METRICS, ANSWERS = (
    (ROOT / "deploy" / f"{name}.md").read_text(encoding="utf-8") for name in ("settings", "metrics", "answers")
)
EVIDENCE = ROOT / "tests" / "evidence"
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "deploy").rglob("*.md")), EVIDENCE / "README.md"]
VERBS = ["verify", "parse", "accept", "claim", "look", "decide", "disconnect", "confirm", "settle", "report"]


def test_every_setting_is_documented() -> None:
    """The table of settings names each setting there is, and none that is not."""
    known = set(_names(Settings, "")) - {"orgs", "sources", "state_dir"}
    known |= set(_names(OrgSettings, "orgs.*."))
    known |= {name for kind in KINDS.values() for name in _names(kind.options, "sources.*.")}
    assert set(_documented_settings()) == known


def test_every_setting_in_the_sample_is_one() -> None:
    """The sample file of the README is taken as it stands, secrets put in."""
    sample = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert sample
    names = set(re.findall(r"^(\w+) =", sample.group(1), re.MULTILINE))
    assert names <= set(OrgSettings.model_fields) | set(KINDS["servicenow"].options.model_fields)


def test_every_route_is_documented() -> None:
    """The table of routes names each route of both doors, and none that is not."""
    public = set(cast("dict[str, object]", openapi.document("http://127.0.0.1")["paths"]))
    private = set(_private_routes())
    shown = set(re.findall(r"`(?:GET |POST )?(/[a-z]+[^`?]*)(?:\?[^`]*)?`", _table("route", README)))
    assert shown == public | private


def test_every_command_is_documented() -> None:
    """The table of commands names each command, and none that is not."""
    assert set(re.findall(r"`onhook ([a-z]+(?: [a-z]+)?)", _table("command", README))) == set(command_names())


def test_every_metric_is_documented() -> None:
    """The page of metrics names each, and none that is not."""
    assert set(re.findall(r"`(onhook_[a-z_]+)`", METRICS)) == set(telemetry.metric_names())


def test_every_problem_is_documented() -> None:
    """The page of answers names each problem code with its status, and none that is not."""
    said = re.search(r"Problem codes: (.*?)\n\n", ANSWERS, re.DOTALL)
    assert said
    known = {one.code for one in vars(problems).values() if isinstance(one, problems.Problem)}
    known |= {one.code for one in _refusals(errors.Refused)} | {
        problems.wrong_method("").code,
        problems.bad_request("").code,
    }
    assert set(re.findall(r"`([a-z_]+)`", said.group(1))) == known


def test_every_verb_is_documented() -> None:
    """The ten verbs stand in the README in the order in which they happen."""
    assert re.search(rf"\*\*{' '.join(VERBS[:3])} \| {' '.join(VERBS[3:])}\*\*", README)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """What a page links to in this repository is there: the file, and the heading in it."""
    astray = []
    for link in _links(page):
        place, _, heading = link.partition("#")
        there = page.parent / place if place else page
        if not there.exists() or (heading and heading not in _anchors(there)):
            astray.append(link)
    assert astray == []


def test_every_page_is_two_clicks_away() -> None:
    """From the operator's index every page of deploy is reached by two links."""
    index = ROOT / "deploy" / "README.md"
    once = _pages_from(index)
    reached = {index} | once | {page for one in once for page in _pages_from(one)}
    assert {page for page in PAGES if page.is_relative_to(index.parent)} - reached == set()


def _links(page: Path) -> list[str]:
    return [re.sub(r"\s+", "", link) for link in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text(encoding="utf-8"))]


def _pages_from(page: Path) -> set[Path]:
    return {(page.parent / link.partition("#")[0]).resolve() for link in _links(page) if ".md" in link}


def _anchors(page: Path) -> set[str]:
    """Return where the headings of a page are found, as the forges make it."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def test_each_proof_is_told_of() -> None:
    """What a full run left behind is in the README, or in the list beside it."""
    told = README + (EVIDENCE / "README.md").read_text(encoding="utf-8")
    proofs = [file for file in EVIDENCE.iterdir() if file.suffix in {".json", ".md"} and file.name != "README.md"]
    assert [file.name for file in proofs if f"{file.name})" not in told] == []


def _names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        is_left_out = get_origin(field.annotation) is UnionType  # a table that may be left out is one too
        kinds = get_args(field.annotation) if is_left_out else (field.annotation,)
        tables = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if tables:
            yield from _names(tables[0], f"{prefix}{name}.")
        else:
            yield prefix + name


def _documented_settings() -> Iterator[str]:
    for row in _table("setting", SETTINGS).splitlines()[2:]:
        section = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            section = name.rpartition(".")[0] if not name.startswith(".") else section
            yield section + name if name.startswith(".") else name


def _private_routes() -> Iterator[str]:
    async def nothing() -> tuple[str, ...]:
        await asyncio.sleep(0)
        return ()

    async def no_orgs() -> dict[str, dict[str, object]]:
        await asyncio.sleep(0)
        return {}

    async def no_measure() -> None:
        """Measure nothing."""

    door = private_door(
        version={},
        claim_age=lambda: None,
        has_started=lambda: True,
        faults=nothing,
        orgs=no_orgs,
        measure=no_measure,
    )
    for route in vars(door)["_routes"]:
        yield route.path.pattern.replace("\\", "")
    yield from vars(door)["_rooms"]


def _refusals(error: type[errors.Refused]) -> Iterator[type[errors.Refused]]:
    for kind in error.__subclasses__():
        yield kind
        yield from _refusals(kind)


def _table(first: str, page: str) -> str:
    found = re.search(rf"^\| {first} \|.*?(?=\n\n)", page, re.MULTILINE | re.DOTALL)
    assert found
    return found.group(0)
