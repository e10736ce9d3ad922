"""What a full run leaves behind, one file a proof: tests/evidence/<name>.json; the README quotes its figures."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "evidence"


def write_evidence(
    name: str,
    folder: Path = FOLDER,
    /,
    *,
    command: str,
    counters: Mapping[str, object],
    findings: Sequence[str],
    **more: object,
) -> None:
    """Write down one full run.

    Args:
        name: the file's name without its ending.
        folder: where it goes.
        command: what a reader types to run it again.
        counters: how often everything happened, by name: faults, kills, outcomes.
        findings: every promise that was seen broken, a sentence each; empty when all held.
        more: seeds, figures, versions: whatever else belongs to it, by name.
    """
    written = {
        "commit": _commit(),
        "command": command,
        "python": platform.python_version(),
        "platform": sys.platform,
        **more,
        "counters": dict(sorted(counters.items())),
        "findings": list(findings),
    }
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    """Return the commit that is checked out, marked when what was run is not quite it."""

    def git(*words: str) -> str:
        said = subprocess.run(("git", *words), capture_output=True, text=True, check=True, cwd=FOLDER.parent)
        return said.stdout.strip()

    is_clean = not git("status", "--porcelain", "--", "../service")
    return git("rev-parse", "HEAD") + ("" if is_clean else " and changes in service/ that are not committed")
