"""The floors hold: each kind of wrong import is planted in a copy of the house, and the linter objects by name."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
LIBRARIES = {
    library: contract["id"]
    for contract in CONTRACTS.values()
    if contract["id"].endswith("-lives")
    for library in contract["forbidden_modules"]
}

# (what is wrong, the module it is planted in, the line, the contract that objects, what it says)
PLANTED = [
    ("upward", "telemetry", "import service.outbound", "floors", "service.telemetry -> service.outbound"),
    ("out of core", "core.errors", "import service.telemetry", "floors", "service.core.errors -> service.telemetry"),
    (
        "inside a function",
        "outbound",
        "def late() -> None:\n    import service.flow.planted_late",
        "floors",
        "service.outbound -> service.flow.planted_late",
    ),
    (
        "a type only",
        "core.planted_types",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from service.outbound import Client",
        "floors",
        "service.core.planted_types -> service.outbound",
    ),
    (
        "siblings",
        "flow.planted_sibling",
        "import service.store.planted",
        "floors",
        "service.flow.planted_sibling -> service.store.planted",
    ),
    (
        "the door to the play",
        "web.planted_play",
        "import service.sandbox.planted",
        "floors",
        "service.web.planted_play -> service.sandbox.planted",
    ),
    ("a room without a floor", "billing", "", "floors", "service.billing"),
    ("a module of core without a floor", "core.extra", "", "core-floors", "service.core.extra"),
    (
        "a noun knows a rule",
        "core.model",
        "import service.core.rules",
        "core-floors",
        "service.core.model -> service.core.rules",
    ),
    (
        "two rules know each other",
        "core.rules",
        "import service.core.wording",
        "core-floors",
        "service.core.rules -> service.core.wording",
    ),
    (
        "a circle inside a room",
        "store.planted_circle",
        "import service.store.planted_back",
        "no-circles",
        "planted_circle",
    ),
    ("the way back", "store.planted_back", "import service.store.planted_circle", "no-circles", "planted_back"),
    (
        "core takes a library",
        "core.planted_library",
        "import pydantic",
        "core-pure",
        "service.core.planted_library -> pydantic",
    ),
    ("core reads a clock", "core.planted_clock", "import time", "core-pure", "service.core.planted_clock -> time"),
    (
        "the sandbox looks at ours",
        "sandbox.planted_look",
        "import service.core.model",
        "sandbox-alone",
        "service.sandbox.planted_look -> service.core.model",
    ),
    (
        "settings know the play",
        "settings",
        "import service.sandbox.planted",
        "sandbox-known",
        "service.settings -> service.sandbox.planted",
    ),
    (
        "a command opens the store",
        "cli.planted_store",
        "import service.store.planted",
        "wiring-opens",
        "service.cli.planted_store -> service.store.planted",
    ),
    (
        "a command calls Genesys",
        "cli.planted_genesys",
        "import service.genesys.planted",
        "genesys-options",
        "service.cli.planted_genesys -> service.genesys.planted",
    ),
    *(
        (f"{library} in the story", "flow.planted", f"import {library}", id_, f"service.flow.planted -> {library}")
        for library, id_ in LIBRARIES.items()
    ),
]


def test_untouched_house_passes(tmp_path: Path) -> None:
    """A copy of the house with nothing planted keeps every contract: the objections below are to what was planted."""
    copy_house(tmp_path)
    assert broken_contracts(tmp_path) == {}


@pytest.fixture(scope="module")
def objections(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the linter says, by contract, about a house with every wrong import in it (one run: it takes a second)."""
    house = tmp_path_factory.mktemp("house")
    copy_house(house)
    for _, module, line, _, _ in PLANTED:
        plant(house, module, line)
        for imported in re.findall(r"(?:import|from) service\.([\w.]+)", line):
            plant(house, imported, "")
    return broken_contracts(house)


@pytest.mark.parametrize(
    "contract, said", [pytest.param(contract, said, id=kind) for kind, _, _, contract, said in PLANTED]
)
def test_wrong_import_is_caught(objections: Mapping[str, str], contract: str, said: str) -> None:
    """A wrong import breaks the contract that forbids it, which names it."""
    assert said in objections.get(contract, "kept")


def test_every_contract_was_seen_to_break(objections: Mapping[str, str]) -> None:
    """There is no contract that nothing planted here breaks: none of them is decoration."""
    assert set(objections) == set(CONTRACTS)


def test_every_library_has_its_rooms() -> None:
    """A library imported anywhere in service has a contract that says in which rooms it lives."""
    known = {"service", *LIBRARIES, *sys.stdlib_module_names}
    homeless = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / "service").rglob("*.py")
        for name in imported_packages(ast.parse(path.read_text()))
        if name not in known
    }
    assert not homeless


def test_core_is_forbidden_every_library() -> None:
    """The contract that keeps core pure lists every library that any other contract knows."""
    assert set(LIBRARIES) <= set(CONTRACTS["core-pure"]["forbidden_modules"])


def copy_house(house: Path) -> None:
    """Lay the contracts and a copy of service/ into a folder."""
    shutil.copy(ROOT / "pyproject.toml", house)
    shutil.copytree(ROOT / "service", house / "service", ignore=shutil.ignore_patterns("__pycache__"))


def plant(house: Path, module: str, line: str) -> None:
    """Add a line to a module of the copy, which is made, with the packages above it, if it is not there yet."""
    path = house.joinpath("service", *module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    with path.open("a") as file:
        file.write(f"\n{line}\n")


def broken_contracts(house: Path) -> dict[str, str]:
    """Run the linter in a copy of the house: what it says about each broken contract, by the contract's id."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=house,
        env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1"},  # a wrapped line is no line to look for
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in run.stdout, run.stdout + run.stderr
    _, _, report = run.stdout.partition("Broken contracts\n")
    sections = re.split(r"^(.+)\n-{3,}\n", report, flags=re.MULTILINE)
    said = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert (run.returncode == 0) == (not said)
    return {id_: said[contract["name"]] for id_, contract in CONTRACTS.items() if contract["name"] in said}


def imported_packages(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports, wherever in it the import stands."""
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}
