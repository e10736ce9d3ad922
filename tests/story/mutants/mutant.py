"""What a design mutant is: the house without one of its safeguards."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One safeguard taken out of the source.

    Attributes:
        safeguard: what the house then does without, in the words of the design.
        file: where it stands, below `service/`.
        edits: text that stands there exactly once, and what stands there instead.
        caught_by: the test, or the file of tests, of the README's test command that notices.
    """

    safeguard: str
    file: str
    edits: tuple[tuple[str, str], ...]
    caught_by: str
