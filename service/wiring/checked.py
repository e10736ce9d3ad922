"""One line of `onhook check`: what was looked at, what was found, and what to mend. For a person and for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from service.store.health import Finding, Verdict

HERE, REDIS = "settings", "redis"  # about ourselves; a line about them needs no second name


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at.

    Attributes:
        about: `settings`, `redis`, `org NAME` or `source NAME`.
        topic: what of it, in one word.
        sentence: what is so and, where it is wrong, what to do.
    """

    about: str
    topic: str
    verdict: Verdict
    sentence: str

    @classmethod
    def of_redis(cls, finding: Finding) -> Line:
        """Return what was found of Redis as a line."""
        return cls(REDIS, finding.topic.value, finding.verdict, finding.sentence)

    @property
    def is_fault(self) -> bool:
        """Whether it is wrong."""
        return self.verdict in {Verdict.PASSING, Verdict.LASTING}

    @property
    def label(self) -> str:
        """What was looked at, as a person reads it."""
        return self.topic if self.about in {HERE, REDIS} else f"{self.about}, {self.topic}"

    @property
    def word(self) -> str:
        """`fine`, `fault` or `unknown`."""
        return "fault" if self.is_fault else self.verdict.value

    def as_json(self) -> dict[str, object]:
        """Return it for programs; these names stay."""
        return {
            "about": self.about,
            "topic": self.topic,
            "verdict": self.word,
            "may_pass": self.verdict is Verdict.PASSING,
            "sentence": self.sentence,
        }


def shown(lines: Sequence[Line], *, as_json: bool) -> tuple[str, bool]:
    """Return what is said of all that was looked at, for a person or as one document; and whether nothing is wrong."""
    is_fine = not any(one.is_fault for one in lines)
    if as_json:
        return json.dumps({"is_fine": is_fine, "checks": [one.as_json() for one in lines]}, indent=1), is_fine
    width = max(len(one.label) for one in lines) + 1
    return "\n".join(f"{one.word:<8} {one.label + ':':<{width}} {one.sentence}" for one in lines), is_fine
