"""Which tests come by a line: the tests are run once under coverage, and of a mutant only those that can see it.

A line inside of a function is seen by the tests that run it. What runs when its module is imported is seen by the tests
that use what it defines, by those that run anything else of the file, by the file's own tests, and by files of tests
that name it or what it defines.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from coverage import CoverageData

from tests.story.mutants.by_syntax import Place
from tests.story.mutants.contexts import SECONDS

MOST_FAILED = 5  # of hundreds: by a moment of a busy machine


class Touches:
    """The tests that come by each line of `service/`, by one run of them.

    Attributes:
        seconds: how long each test took, by its id.
        worked: how many seconds of these it worked; however busy the machine was, it is the same.
    """

    def __init__(self, took: dict[str, tuple[float, float]], tests: dict[str, dict[int, set[str]]], root: Path) -> None:
        self.seconds = {test: seconds for test, (seconds, _) in took.items()}
        self.worked = {test: seconds for test, (_, seconds) in took.items()}
        self._tests = tests
        self._users = defaultdict[str, set[tuple[str, int]]](set)
        for path in (root / "service").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name | ast.Attribute):
                    used = node.id if isinstance(node, ast.Name) else node.attr
                    self._users[used].add((str(path.relative_to(root / "service")), node.lineno))

        self._mentions = defaultdict[str, set[str]](set)
        for file in {test.partition("::")[0] for test in took}:
            for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
                for name in _named(node):
                    self._mentions[name].add(file)

    def runs_at_import(self, place: Place) -> bool:
        """Whether a mutant changes what runs before any test does: then one function's code is not all of it."""
        return place.function is None or bool(self._by(place.mutant.file, range(place.first, place.last + 1)) & {""})

    def of(self, place: Place) -> list[str]:
        """Return the tests that can see a mutant, what works least first."""
        file = place.mutant.file
        seen = self._by(file, range(place.first, place.last + 1))
        if self.runs_at_import(place):
            for name in place.names:
                for user, line in self._users[name]:
                    seen |= self._by(user, [line])
            seen |= self._by(file, self._tests.get(file, ()))
            named = set[str]().union(*(self._mentions[name] for name in (*place.names, Path(file).stem)))
            seen |= {test for test in self.seconds if is_own(test, place) or test.partition("::")[0] in named}
        return sorted(seen & self.seconds.keys(), key=lambda test: (self.worked[test], test))

    def _by(self, file: str, lines: Iterable[int]) -> set[str]:
        known = self._tests.get(file, {})
        return {test for line in lines for test in known.get(line, ())}


def _named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.alias(name=name):
            yield name.rpartition(".")[2]
        case ast.ImportFrom(module=str(module)):
            yield module.rpartition(".")[2]
        case _:
            pass


def is_own(test: str, place: Place) -> bool:
    """Whether a test is one of the file that a mutant changes."""
    return Path(test.partition("::")[0]).stem.startswith(f"test_{Path(place.mutant.file).stem}")


def touches(root: Path, folder: Path, tests: Sequence[str]) -> Touches:
    """Run tests of the house at `root` once, in a process of their own, and return what they came by.

    Args:
        root: a copy of the house.
        folder: where to keep what was counted.
        tests: files or folders of tests.

    One that fails as the house stands is left out: so does it for any mutant.

    Raises:
        RuntimeError: more than a few fail: then nothing can be said of mutants.
    """
    data, seconds, settings = folder / "touched", folder / "seconds.json", folder / "coveragerc"
    settings.write_text("[run]\nsource = service\n", encoding="utf-8")
    coverage = ("coverage", "run", f"--rcfile={settings}", f"--data-file={data}")
    run = ("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.story.mutants.contexts", *tests)
    ran = subprocess.run(
        [sys.executable, "-m", *coverage, "-m", *run],
        cwd=root,
        env={**os.environ, "CI": "true", SECONDS: str(seconds)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    sys.stderr.write(ran.stdout)
    failed = re.search(r"^(?:.* )?(\d+) (?:failed|error)", ran.stdout, re.MULTILINE)
    if not seconds.is_file() or (failed and int(failed[1]) > MOST_FAILED):
        raise RuntimeError(f"the tests do not pass as the house stands:\n{ran.stdout[-4000:]}")
    read, found = CoverageData(str(data)), dict[str, dict[int, set[str]]]()
    read.read()
    for file in read.measured_files():
        by_line = read.contexts_by_lineno(file)
        name = str(Path(file).relative_to((root / "service").resolve()))
        found[name] = {line: set(names) for line, names in by_line.items()}
    return Touches(json.loads(seconds.read_text(encoding="utf-8")), found, root)
