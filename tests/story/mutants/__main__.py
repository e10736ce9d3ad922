"""Print the table of safeguards and the tests that miss them: `python -m tests.story.mutants`."""

from __future__ import annotations

import sys

from tests.story.mutants.table import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
