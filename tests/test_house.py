"""The house keeps its rules; and each rule, broken once, objects."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import house

ROOT = Path(__file__).parent.parent
Rule = Callable[[Path], Iterator[str]]

SAID = '"""Why this is here."""\n'
SCRIPT = "-- KEYS[1] one\n-- Derived keys: two\n-- ARGV[1] three\n-- Returns 1\nreturn 1\n"
LONG = SAID + "def long() -> None:\n" + "    call()\n" * house.FUNCTION_LINES
PROMISE = 'def test_it() -> None:\n    """It is so."""\n'

# (the rule, the file that breaks it, its text)
BROKEN: list[tuple[Rule, str, str]] = [
    (house.short_files, "service/flow/worker.py", "\n" * (house.FILE_LINES + 1)),
    (house.short_functions, "service/flow/worker.py", LONG),
    (house.short_functions, "tests/flow/test_worker.py", LONG),
    (house.clear_names, "service/web/helpers.py", SAID),
    (house.clear_names, "tests/http_utils.py", SAID),
    (house.clear_names, "service/common/__init__.py", SAID),
    (house.mirrored_tests, "service/flow/worker.py", SAID),
    (house.mirrored_tests, "service/sources/__init__.py", SAID + "def register() -> None: ..."),
    (house.said_why, "service/flow/worker.py", "import json\n" + SAID),
    (house.said_why, "tests/flow/test_worker.py", "# a comment is no docstring\n"),
    *(
        (house.script_headers, "service/store/scripts/claim.lua", SCRIPT.replace(word, "-"))
        for word in house.SCRIPT_HEADER
    ),
    (house.script_headers, "service/store/scripts/claim.lua", "return 1\n" + SCRIPT),
    (house.promised_tests, "tests/test_a.py", "def test_it() -> None: ...\n"),
    (
        house.promised_tests,
        "tests/test_a.py",
        'class TestIt:\n    async def test_it(self):\n        """One.\n\n        Two."""',
    ),
    (house.no_mocks, "tests/test_a.py", "from unittest import mock\n"),
    (house.no_mocks, "tests/test_a.py", "from unittest.mock import MagicMock\n"),
    (house.no_mocks, "tests/test_a.py", "def test_it(monkeypatch):\n    monkeypatch.setattr(a, 'b', 1)\n"),
    (house.no_sleeping, "tests/test_a.py", "import time\ntime.sleep(1)\n"),
    (house.no_sleeping, "tests/test_a.py", "async def test_it():\n    await asyncio.sleep(0.1)\n"),
    (house.no_sleeping, "tests/test_a.py", "from time import sleep\nsleep(delay)  # real processes:\n"),
    (house.one_environment, "service/web/front.py", "import os\nX = os.environ['X']\n"),
    (house.one_environment, "service/web/front.py", "from os import getenv as g\nX = g('X')\n"),
    (house.one_clock_one_dice, "service/flow/worker.py", "import time\nnow = time.monotonic\n"),
    (house.one_clock_one_dice, "service/flow/worker.py", "import datetime as d\nd.datetime.now(d.UTC)\n"),
    (house.one_clock_one_dice, "service/flow/worker.py", "from datetime import datetime\ndatetime.now()\n"),
    (house.one_clock_one_dice, "service/flow/worker.py", "import random\n"),
    (house.one_clock_one_dice, "service/flow/worker.py", "from secrets import token_hex\n"),
    (house.one_clock_one_dice, "service/flow/worker.py", "import uuid\nuuid.uuid4()\n"),
    (house.one_keyring, "service/flow/worker.py", 'key = f"{{{org}}}:action:{id}"\n'),
    (house.one_keyring, "service/flow/worker.py", 'key = "due:removals"\n'),
    (house.bare_package, "service/__init__.py", "from service.cli import app\n"),
    (house.argued_exceptions, "service/flow/worker.py", "x = 1  # noqa: S311\n"),
    (house.argued_exceptions, "service/flow/worker.py", "x = 1  # noqa\n"),
    (house.argued_exceptions, "service/flow/worker.py", "# ruff: noqa: S311 - everywhere\n"),
    (house.argued_exceptions, "tests/test_a.py", "x = 1  # type: ignore[arg-type]\n"),
    (house.argued_exceptions, "service/flow/worker.py", "x = 1  # pragma: no cover\n"),
    (
        house.few_excluded_lines,
        "service/flow/worker.py",
        "def f():  # pragma: no cover - why\n" + "    x = 1\n" * house.EXCLUDED_LINES,
    ),
    (house.known_top, "notes.txt", ""),
    (house.known_top, "scripts/run.sh", ""),
    (house.caps, "README.md", "\n" * (house.README_LINES + 1)),
    (house.caps, "deploy/requirements.txt", "a==1\n" * (house.RUNTIME_PACKAGES + 1)),
    (house.caps, "service/sandbox/app.py", "\n" * 100),
]

# (the rule, the file that keeps it though it looks as if it did not, its text)
KEPT: list[tuple[Rule, str, str]] = [
    (house.short_functions, "service/flow/worker.py", LONG.removesuffix("    call()\n")),
    (house.clear_names, "service/store/database.py", SAID),
    (house.mirrored_tests, "service/sources/__init__.py", SAID + "from a import b\n__all__ = ['b']\n"),
    (house.script_headers, "service/store/scripts/claim.lua", SCRIPT),
    (house.promised_tests, "tests/test_a.py", PROMISE),
    (house.no_mocks, "tests/test_a.py", "def test_it(monkeypatch):\n    monkeypatch.setenv('A', 'unittest.mock')\n"),
    (house.no_sleeping, "tests/test_a.py", "import asyncio\nawait asyncio.sleep(0)\n"),
    (
        house.no_sleeping,
        "tests/test_a.py",
        "time.sleep(1)  # real processes: the kernel frees the port when it likes\n",
    ),
    (house.no_sleeping, "tests/test_a.py", "@pytest.mark.slow\ndef test_it():\n    time.sleep(1)\n"),
    (house.no_sleeping, "tests/test_a.py", "pytestmark = pytest.mark.slow\ntime.sleep(1)\n"),
    (house.no_sleeping, "tests/test_a.py", "clock.sleep(1)\n"),
    (house.one_environment, "service/settings/reading.py", "import os\nos.environ\n"),
    (house.one_environment, "service/cli/serve.py", "import os\nos.environ\n"),
    (house.one_environment, "service/web/front.py", "import os\nos.getpid()\n"),
    (house.one_clock_one_dice, "service/wiring/machine.py", "import time, secrets\ntime.time()\n"),
    (house.one_clock_one_dice, "service/sandbox/app.py", "import random\n"),
    (
        house.one_clock_one_dice,
        "service/flow/worker.py",
        "import uuid\nsecrets = [uuid.UUID(x)]\nsecrets.time.time()\n",
    ),
    (house.one_keyring, "service/flow/worker.py", '"""due:removals"""\nx = f"action: {y}" + "removals"\n'),
    (house.one_keyring, "service/sandbox/app.py", 'x = f"action:{y}"\n'),
    (house.argued_exceptions, "service/flow/worker.py", "x = 1  # noqa: S311, S105 - why\n"),
    (house.argued_exceptions, "tests/test_a.py", "x = 1  # type: ignore[arg-type]  # why\n"),
    (house.few_excluded_lines, "service/flow/worker.py", "x = 1  # pragma: no cover - why\n"),
    (house.known_top, "dist/a.whl", ""),
    (house.known_top, ".ci/run", ""),
    (house.caps, "service/sandbox/app.py", "\n"),
]


@pytest.fixture
def cottage(tmp_path: Path) -> Path:
    """The smallest house that keeps every rule."""
    for path, text in {
        "service/__init__.py": SAID,
        "service/store/keys.py": SAID + 'ACTION = "action:?"\ndue = f"{{{org}}}:due:removals"\n',
        "tests/store/test_keys.py": SAID + PROMISE,
        "deploy/requirements.txt": "a==1\n",
        "README.md": "One line.\n",
        ".gitignore": "dist/\nuv.lock\n",
    }.items():
        build(tmp_path, path, text)
    return tmp_path


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.__name__) for rule in house.RULES])
def test_house_keeps(rule: Rule) -> None:
    """Nobody in the house breaks this rule."""
    breaches = sorted({breach.replace(f"{ROOT}/", "") for breach in rule(ROOT)})
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(
    "rule, path, text", [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in BROKEN]
)
def test_rule_objects(cottage: Path, rule: Rule, path: str, text: str) -> None:
    """A rule that is broken says so, and said nothing before."""
    assert list(rule(cottage)) == []
    build(cottage, path, text)
    assert list(rule(cottage)) != []


@pytest.mark.parametrize("rule, path, text", [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in KEPT])
def test_rule_is_content(cottage: Path, rule: Rule, path: str, text: str) -> None:
    """A rule does not object to what only looks like a breach."""
    build(cottage, path, text)
    assert list(rule(cottage)) == []


def test_every_rule_is_applied_and_was_broken() -> None:
    """Every rule that was seen to object is applied to the house, and the other way round."""
    assert {rule for rule, _, _ in BROKEN} == set(house.RULES)


def test_coverage_is_asked_for_in_full() -> None:
    """The bound of the coverage is all of it, and branches count."""
    coverage = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert (coverage["report"]["fail_under"], coverage["run"]["branch"]) == (100, True)


def build(root: Path, path: str, text: str) -> None:
    """Write a file, with the folders above it."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
