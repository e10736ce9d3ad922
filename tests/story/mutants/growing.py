"""Copies the house, takes one safeguard out of the copy, and says whether the tests notice."""

from __future__ import annotations

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.story.mutants.mutant import Mutant
from tests.story.mutants.nursery import MOST_SECONDS, Job

ROOT = Path(__file__).parents[3]
NURSERY = Path(__file__).with_name("nursery.py")
TESTS_FAILED = 1  # pytest's exit code for that, and for nothing else
# a mutant that cannot even run proves nothing: then it is a mistake that was noticed, and not the missing safeguard
_BROKEN = re.compile(
    r"\b(?:SyntaxError|IndentationError|NameError|ImportError|ModuleNotFoundError|UnboundLocalError)\b"
    r"|Error compiling script|user_script:\d+: Script attempted|attempt to (?:call|index|compare|perform)"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the tests of one mutant went.

    Attributes:
        is_caught: a test that should notice failed, and for what the mutant does.
        failed: the tests that failed.
        said: the end of what pytest said.
    """

    is_caught: bool
    failed: tuple[str, ...]
    said: str


def mutated(mutant: Mutant, root: Path = ROOT) -> str:
    """Return the text of the mutant's file without the safeguard.

    Raises:
        ValueError: the text to take out does not stand there exactly once: the table no longer fits the code.
    """
    text = (root / "service" / mutant.file).read_text(encoding="utf-8")
    for old, new in mutant.edits:
        if text.count(old) != 1:
            raise ValueError(f"{mutant.safeguard}: {mutant.file} has {text.count(old)} times: {old}")
        text = text.replace(old, new)
    return text


def copied(folder: Path) -> Path:
    """Copy the house once, compiled: the copies of all mutants are links to this one, but for what they change."""
    for room in ("service", "tests"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("evidence", "__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", folder)
    compileall.compile_dir(folder / "service", quiet=2, workers=1)
    return folder


def plant(mutant: Mutant | None, copy: Path, folder: Path) -> None:
    """Link the copy of the house to `folder`, and take the safeguard out there."""
    shutil.copytree(copy, folder, copy_function=os.link)
    if mutant is None:
        return
    file, text = folder / "service" / mutant.file, mutated(mutant, copy)
    # a link is cut before it is written to, and compiled code is believed by time and length of its source
    for old in (file, *file.parent.glob(f"__pycache__/{file.stem}.*")):
        old.unlink()
    file.write_text(text, encoding="utf-8")


def grow(mutants: Sequence[Mutant | None], tests: Sequence[str] = ()) -> list[Outcome]:
    """Return how the tests of each mutant went; without a mutant it is the house as it stands, which must pass.

    Args:
        mutants: what to take out, a copy of the house for each.
        tests: node ids to run; by default the one that each mutant names.
    """
    folder = Path(tempfile.mkdtemp(prefix="oh-mutants-", dir="/tmp"))  # short enough for a socket
    try:
        copy, jobs = copied(folder / "copy"), list[Job]()
        for number, mutant in enumerate(mutants):
            root = folder / str(number)
            plant(mutant, copy, root)
            asked = list(tests or ([mutant.caught_by] if mutant else []))
            jobs.append({"root": str(root), "tests": asked, "order": {}, "known": [], "seconds": MOST_SECONDS})
        codes = tend(jobs, os.cpu_count() or 1)
        return [_outcome(Path(job["root"]), codes[job["root"]], job["tests"]) for job in jobs]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tend(jobs: Sequence[Job], together: int) -> dict[str, int]:
    """Run the tests of each, `together` at a time; return pytest's exit codes by the roots."""
    if not jobs:
        return {}
    ran = subprocess.run(
        [sys.executable, str(NURSERY), str(together)],
        input=json.dumps(jobs),
        env={**os.environ, "CI": "true"},  # the same examples each time
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    codes: dict[str, int] = json.loads(ran.stdout)
    return codes


def _outcome(root: Path, code: int, asked: Sequence[str]) -> Outcome:
    said = (root / "said").read_text(encoding="utf-8", errors="replace")
    failed = tuple(re.findall(r"^FAILED (\S+)", said, re.MULTILINE))
    of_those = bool(failed) and all(one.startswith(tuple(asked)) for one in failed)
    is_caught = code == TESTS_FAILED and of_those and not _BROKEN.search(said)
    return Outcome(is_caught, failed, said[-4000:])
