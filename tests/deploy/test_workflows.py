""".github/workflows: pinned, with no right that a job does not need, and about what is in this repository.

None of it runs here. What a reader of the files can know is held: their form, by the vendor's schema; what they leave
open to strangers, by zizmor; what they name, by looking for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.fixtures.servers import BRANDS, brand_of, brands_in, program_of
from tests.needs import needs

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# what a job may write, and nothing else may: who can, can change what others install
WRITES: Final[Mapping[str, set[str]]] = {
    "release:attest": {"id-token", "attestations"},
    "release:image": {"packages"},
    "release:join": {"id-token", "attestations", "packages"},
    "release:pypi": {"id-token"},
    "release:page": {"contents"},
}
PINNED = re.compile(r"([a-z0-9-]+/[a-z0-9-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+")
LAST_PYTHON = 14
# stands where docker stands: says each word that it was given
DOCKER = '#!/bin/sh\nprintf "%s\\n" "$@"\n'


def read(file: Path) -> dict[str, Any]:
    """Return a workflow; each value is text, as `on` is no boolean here."""
    return dict(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader))  # noqa: S506 - makes text alone


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each job by its workflow's and its own name."""
    for file in FILES:
        for name, job in read(file)["jobs"].items():
            yield f"{file.stem}:{name}", job


def scripts() -> Iterator[tuple[str, str]]:
    """Yield what a shell is given, by the job's name."""
    for name, job in jobs():
        for step in job.get("steps", []):
            if "run" in step:
                yield name, step["run"]


def tool(name: str) -> str:
    """Return a program that came with a package, beside our Python or on the PATH; skips where it is nowhere."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or needs(name)


def test_nothing_is_left_open() -> None:
    """Zizmor finds nothing, not even what is a matter of taste."""
    command = (
        tool("zizmor"),
        "--offline",
        "--no-config",
        "--persona",
        "pedantic",
        "--no-progress",
        str(ROOT / ".github"),
    )
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stdout
    assert ended.stderr.count("completed") == len(FILES)


def test_it_is_of_the_form_of_workflows() -> None:
    """Each file fits the schema of a workflow."""
    needs("check_jsonschema")
    command = (
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, FILES),
    )
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stdout


def test_each_action_is_pinned() -> None:
    """An action is named by its commit, with the version beside it, and is the same one everywhere."""
    used = [
        line.partition("uses:")[2].strip()
        for file in FILES
        for line in file.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    foreign = [one for one in used if not one.startswith("$/")]
    pinned = {found[1]: found[2] for one in foreign if (found := PINNED.fullmatch(one))}
    assert {one.partition("@")[0] for one in foreign} == pinned.keys()
    assert len(set(foreign)) == len(pinned)


def test_no_job_may_more_than_it_must() -> None:
    """A workflow may nothing by itself; a job may read the checkout, and write what it is there for."""
    assert [read(file)["permissions"] for file in FILES] == [{}] * len(FILES)
    granted = {name: job.get("permissions", {}) for name, job in jobs()}
    writes = {name: {what for what, right in may.items() if right == "write"} for name, may in granted.items()}
    assert {name: what for name, what in writes.items() if what} == WRITES
    reads = {what for may in granted.values() for what, right in may.items() if right != "write"}
    assert reads == {"contents"}
    assert not [name for name, job in jobs() if "secrets" in repr(job)], "no secret is kept, so none can be lost"
    steps = [step for _, job in jobs() for step in job.get("steps", [])]
    checkouts = [step.get("with", {}) for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts == [{"persist-credentials": "false"}] * len(checkouts), "what runs later finds no token"


def test_nothing_is_published_unchecked() -> None:
    """Whatever leaves the house waits for all that runs for a change, and for whom its environment names."""
    release = read(ROOT / ".github" / "workflows" / "release.yml")["jobs"]

    def before(name: str) -> set[str]:
        """Return all that a job waits for."""
        needed = release[name].get("needs", [])
        direct = {needed} if isinstance(needed, str) else set(needed)
        return direct.union(*map(before, direct))

    assert release["check"]["uses"] == "$/.github/workflows/ci.yml"
    assert [name for name in release if name != "check" and "check" not in before(name)] == []
    places = {name: job["environment"] for name, job in release.items() if "environment" in job}
    assert places == {"image": "image", "join": "image", "pypi": "pypi", "page": "release"}
    assert {f"release:{name}" for name in places} == WRITES.keys() - {"release:attest"}, (
        "a signature alone gives nothing"
    )
    assert before("page") == release.keys() - {"page"}


def test_nothing_runs_for_ever() -> None:
    """Each job ends some day, and of two runs about the same thing one waits or ends."""
    assert [name for name, job in jobs() if "timeout-minutes" not in job] == ["release:check"], (
        "its own jobs have theirs"
    )
    assert [file.name for file in FILES if "concurrency" not in read(file)] == []


def test_every_python_and_every_server() -> None:
    """All that pyproject.toml promises is run, and each brand that is built is tested."""
    ci = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    pythons = [f"3.{minor}" for minor in range(int(oldest.removeprefix(">=3.")), LAST_PYTHON + 1)]
    assert ci["check"]["strategy"]["matrix"]["python"] == ci["wheel"]["strategy"]["matrix"]["python"] == pythons
    built = {row["brand"]: row["tag"] for row in ci["server"]["strategy"]["matrix"]["include"]}
    assert [brand for brand, tag in built.items() if not f"{tag}.".startswith(f"{brand.partition('-')[2]}.")] == []
    assert ci["brand"]["strategy"]["matrix"]["brand"] == list(built)
    assert built.keys() == {"redis-6.2", "redis-7", "redis-8", "valkey-8", "valkey-9"}
    assert set(ci["all"]["needs"]) == ci.keys() - {"all", "server"}, "and it is needed by those"


def test_what_is_run_is_there() -> None:
    """Each script is one for bash, and each file of ours that it names lies where it looks for it."""
    for name, script in scripts():
        read_by = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert read_by.stderr == "", name
    text = "\n".join(script for _, script in scripts())
    named = set(re.findall(r"(?<![\w/])(?:\.ci|\.github|deploy|tests)/[\w./-]+", text))
    assert len(named) >= 6, named
    assert [path for path in named if not (ROOT / path).exists()] == []
    modules = set(re.findall(r"python -m (tests[\w.]+)", text))
    assert [module for module in modules if not (ROOT / f"{module.replace('.', '/')}.py").exists()] == []


def test_servers_that_were_built_are_handed_on(tmp_path: Path) -> None:
    """What lies packed in .servers is unpacked, and named as the container sees it."""
    for folder in (".github", ".servers", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / ".github" / "debian.sh", tmp_path / ".github")
    (tmp_path / "bin" / "docker").write_text(DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    for brand, program in (("redis-8", "redis-server"), ("valkey-8", "valkey-server")):
        (tmp_path / program).write_text(brand)
        with tarfile.open(tmp_path / ".servers" / f"{brand}.tar", "w") as packed:
            packed.add(tmp_path / program, program)
    surroundings = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHON": "3.13"}
    command = ("bash", str(tmp_path / ".github" / "debian.sh"), "bash", ".ci/run")
    said = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[-3:] == ["python:3.13-bookworm", "bash", ".ci/run"]
    assert "CI=true" in said
    (given,) = (word.partition("=")[2] for word in said if word.startswith("SERVERS_UNDER_TEST="))
    assert given == "/onhook/.servers/redis-8/redis-server:/onhook/.servers/valkey-8/valkey-server"
    unpacked = [tmp_path / Path(one).relative_to("/onhook") for one in given.split(":")]
    assert [one.read_text() for one in unpacked] == ["redis-8", "valkey-8"]


@pytest.mark.parametrize("brand", BRANDS)
def test_a_server_says_what_it_is(brand: str) -> None:
    """The brand of a program is what it says itself, whatever its file is called."""
    assert brand_of(program_of(brand)) == brand


def test_a_newer_server_is_a_brand_of_its_own(tmp_path: Path) -> None:
    """Each program of a list is tested as what it says that it is; what is no server is no brand."""
    programs = []
    for number, said in enumerate(["Redis server v=8.0.1 sha=0:0", "Valkey server v=8.1.0 sha=0:0", "Something 1.0"]):
        programs.append(tmp_path / str(number))
        programs[-1].write_text(f"#!/bin/sh\necho '{said}'\n")
        programs[-1].chmod(0o755)
    assert brands_in(os.pathsep.join(map(str, programs[:2]))) == {"redis-8": programs[0], "valkey-8": programs[1]}
    assert brands_in("") == {}
    with pytest.raises(AssertionError, match=r"is no server that we know: Something 1\.0"):
        brands_in(str(programs[2]))
