"""Write what the last full run measured into deploy/capacity.md: `python -m tests.story.capacity`."""

from __future__ import annotations

from tests.story.capacity.tables import PAGE, filled

if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
