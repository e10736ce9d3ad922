"""The page on security says what is so: each safeguard that it speaks of is held by tests that are there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ATTACKERS = [
    "A stranger on the internet",
    "Who holds a source's secret",
    "An agent with a login to the ticket system",
    "An operator",
    "At the console's door",
    "A neighbour: another source, another org",
    "Somebody in Redis",
    "A Genesys or a desk that is broken, or not who it says",
    "Supply chain",
]


def test_each_test_that_is_named_is_there() -> None:
    """Every file and every test that the page names is there, under that name."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 80
    assert [f"{file}::{name}" for file, name in named if name not in _tests_in(ROOT / "tests" / file)] == []


def test_each_safeguard_names_its_test() -> None:
    """No row of what stops an attacker goes without something that holds it."""
    rows = [row for title in ATTACKERS for row in _rows(title)]
    assert len(rows) > 40
    assert [row for row in rows if not re.search(r"`[\w/]+\.py::test_\w+`", row.split("|")[3])] == []


def test_each_attacker_hears_what_is_not_stopped() -> None:
    """For everyone on the list it is said what stops him and what does not; assets and doors stand before them."""
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert titles == [
        "What is worth attacking",
        "Doors",
        *ATTACKERS,
        "What a system can prove",
        "Secrets",
        "What is kept",
    ]
    assert [title for title in ATTACKERS if "\nNot stopped: " not in _part(title)] == []


def test_what_else_the_page_leans_on_is_there() -> None:
    """A step of CI and a file that the page leans on exist."""
    assert 'step "what is shipped"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert (ROOT / ".ci" / "accepted.toml").exists()
    links = re.findall(r"\]\((?!http)([^)#]+)\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def _part(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _rows(title: str) -> Iterator[str]:
    rows = [line for line in _part(title).splitlines() if line.startswith("|")]
    yield from rows[2:]


@cache
def _tests_in(path: Path) -> frozenset[str]:
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, kinds) and one.name.startswith("test_"))
