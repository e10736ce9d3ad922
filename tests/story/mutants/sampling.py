"""Takes a seeded sample of a room's mutants, and says which of them the room's own tests let pass."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.story.mutants.by_syntax import Place, places_in
from tests.story.mutants.growing import TESTS_FAILED, copied, mutated, plant, tend
from tests.story.mutants.nursery import BROKEN, CUT_OFF, MOST_SECONDS, Job
from tests.story.mutants.swapping import JOBS, Swap
from tests.story.mutants.touching import Touches, is_own, touches

TOGETHER = 24  # copies at a time
# Of the tests that can see a mutant those that work least are run, twenty seconds of work: what only a later one would
# notice counts as survived.
MOST_WORK_SECONDS = 20.0
# A mutant that never ends is noticed too: a test that takes so much longer than it did is cut off.
PATIENCE_SECONDS, PATIENCE_FACTOR = 20, 8
PLUGIN = "tests.story.mutants.swapping"
PASSED, INTERRUPTED, NOTHING_RAN = 0, 2, 5  # pytest's exit codes


class End(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    CUT_OFF = "killed by its time limit"
    SURVIVED = "survived"
    UNSEEN = "survived, as no test of its room runs it"


class Room(NamedTuple):
    """Whose mutants are made, and by whose tests they are to be noticed.

    Attributes:
        files: files or folders below `service/`.
        names: only these definitions at the top of the files; empty: all.
        tests: files or folders of tests.
        size: how many mutants; 0: all there are.
    """

    files: tuple[str, ...]
    names: tuple[str, ...]
    tests: tuple[str, ...]
    size: int = 0


def sample(room: Room, seed: int, root: Path) -> list[Place]:
    """Return the same mutants of a room for the same seed, whatever changes beside them: each is drawn by its name."""
    found = [place for file in _files(room, root) for place in places_in(file, room.names, root)]
    found.sort(key=lambda place: hashlib.sha256(f"{seed} {place.mutant.safeguard}".encode()).digest())
    return found[: room.size or len(found)]


def _files(room: Room, root: Path) -> Iterator[str]:
    service = root / "service"
    for one in room.files:
        found = [service / one] if one.endswith(".py") else sorted((service / one).rglob("*.py"))
        yield from (str(path.relative_to(service)) for path in found)


def tried(room: Room, seed: int = 1, more: Mapping[Place, int] | None = None) -> dict[str, End]:
    """Return how each mutant of a sample ended, by its name.

    Args:
        room: whose mutants, and whose tests.
        seed: which sample.
        more: mutants beside the sample, and how many seconds each of their tests may take.

    Raises:
        RuntimeError: the tests do not pass as the house stands, or those of a mutant could not be run.
    """
    folder = Path(tempfile.mkdtemp(prefix="oh-mutants-", dir="/tmp"))  # short enough for a socket
    try:
        copy = copied(folder / "copy")
        trial = _Trial(folder, copy, touches(copy, folder, room.tests), more or {})
        places = [*sample(room, seed, copy), *(more or {})]
        unseen = {place.mutant.safeguard: End.UNSEEN for place in places if not trial.chosen(place)}
        seen = [place for place in places if place.mutant.safeguard not in unseen]
        swapped = trial.swapped([place for place in seen if not trial.known.runs_at_import(place)])
        return unseen | swapped | trial.planted([place for place in seen if place.mutant.safeguard not in swapped])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Trial:
    """One copy of the house, what its tests come by, and the two ways to run a mutant."""

    def __init__(self, folder: Path, copy: Path, known: Touches, limits: Mapping[Place, int]) -> None:
        self._folder, self._copy, self.known, self._limits = folder, copy, known, limits

    def chosen(self, place: Place) -> dict[str, int]:
        """Return the tests to run, in that order, and how many seconds each may take."""
        chosen, worked = dict[str, int](), 0.0
        for test in self.known.of(place):
            worked += self.known.worked[test]
            if chosen and worked > MOST_WORK_SECONDS:
                break
            patience = PATIENCE_SECONDS + round(PATIENCE_FACTOR * self.known.seconds[test])
            chosen[test] = self._limits.get(place, patience)
        return chosen

    def planted(self, places: Sequence[Place]) -> dict[str, End]:
        """Run mutants that change what runs at import, each in a house of its own: its own tests first."""
        ends = dict[str, End]()
        for begin in range(0, len(places), TOGETHER):
            left = places[begin : begin + TOGETHER]
            for of_file in (True, False):
                jobs = dict[str, Job]()
                for number, place in enumerate(left):
                    chosen = self.chosen(place).items()
                    order = {test: seconds for test, seconds in chosen if is_own(test, place) is of_file}
                    if order:
                        plant(place.mutant, self._copy, root := self._folder / str(number))
                        jobs[place.mutant.safeguard] = self._job(root, order)
                codes = tend(list(jobs.values()), 1)
                for name, job in jobs.items():
                    root = Path(job["root"])
                    ends[name] = _end(name, codes[job["root"]], root / CUT_OFF, root / "said")
                    shutil.rmtree(root)
                left = [place for place in left if ends.get(place.mutant.safeguard, End.SURVIVED) is End.SURVIVED]
        return ends

    def _job(self, root: Path, order: dict[str, int]) -> Job:
        files = sorted({test.partition("::")[0] for test in order})
        others = [test for test in self.known.seconds if test.partition("::")[0] in files]
        tests = ["-x", *files]
        return {"root": str(root), "tests": tests, "order": order, "known": others, "seconds": MOST_SECONDS}

    def swapped(self, places: Sequence[Place]) -> dict[str, End]:
        """Run mutants inside of functions, each in a fork of one pytest that has imported and collected all.

        One whose function cannot be changed where it lies has no answer.
        """
        swaps = {place.mutant.safeguard: self._swap(number, place) for number, place in enumerate(places)}
        files = sorted({test.partition("::")[0] for swap in swaps.values() for test in swap["order"]})
        jobs, codes = self._folder / "swaps.json", list[int]()
        if files:
            jobs.write_text(json.dumps(list(swaps.values())), encoding="utf-8")
            in_one = ("-q", "-x", "--tb=short", "-n", "0", "-p", "no:cacheprovider", "-p", PLUGIN)
            environment = {**os.environ, "CI": "true", JOBS: str(jobs)}
            run = [sys.executable, "-m", "pytest", *in_one, *files]
            subprocess.run(run, cwd=self._copy, env=environment, stdout=sys.stderr, check=True)
            codes = json.loads(jobs.with_suffix(".codes").read_text(encoding="utf-8"))
        return {
            name: _end(name, code, Path(swap["note"]), None)
            for (name, swap), code in zip(swaps.items(), codes, strict=True)
            if code != BROKEN
        }

    def _swap(self, number: int, place: Place) -> Swap:
        assert place.function, "of the others, there is no function to change"
        return {
            "file": str(self._copy / "service" / place.mutant.file),
            "text": mutated(place.mutant, self._copy),
            "function": place.function,
            "order": self.chosen(place),
            "note": str(self._folder / f"{CUT_OFF}.{number}"),
        }


def _end(name: str, code: int, note: Path, said: Path | None) -> End:
    if code in {PASSED, NOTHING_RAN}:
        return End.SURVIVED
    if note.exists():
        return End.CUT_OFF
    if code in {TESTS_FAILED, INTERRUPTED}:  # interrupted: by a file of tests that cannot be imported with the mutant
        return End.KILLED
    raise RuntimeError(f"{name}: pytest ended with {code}: {said.read_text(errors='replace') if said else 'see above'}")
