"""All design mutants, and the table of them that a reader sees."""

from __future__ import annotations

from tests.story.mutants.mutant import Mutant
from tests.story.mutants.of_bounds import BOUNDS
from tests.story.mutants.of_code import CODE
from tests.story.mutants.of_console import CONSOLE
from tests.story.mutants.of_ledger import LEDGER
from tests.story.mutants.of_pages import PAGES
from tests.story.mutants.of_people import PEOPLE
from tests.story.mutants.of_policies import POLICIES
from tests.story.mutants.of_routes import ROUTES
from tests.story.mutants.of_rules import RULES
from tests.story.mutants.of_scripts import SCRIPTS
from tests.story.mutants.of_search import SEARCH
from tests.story.mutants.of_systems import SYSTEMS

MUTANTS: tuple[Mutant, ...] = (
    *RULES,
    *PEOPLE,
    *CODE,
    *ROUTES,
    *SCRIPTS,
    *POLICIES,
    *BOUNDS,
    *SYSTEMS,
    *SEARCH,
    *LEDGER,
    *CONSOLE,
    *PAGES,
)


def markdown() -> str:
    """Return the table: each safeguard, where it stands, and the test that objects when it is gone."""
    rows = [f"| {one.safeguard} | `{one.file}` | `{one.caught_by}` |" for one in MUTANTS]
    return "\n".join(["| removed safeguard | where | the test that objects |", "|---|---|---|", *rows])
