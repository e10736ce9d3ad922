"""From when to when, as people say it at the command line."""

from __future__ import annotations

import pytest

from service.core.errors import Misconfigured
from service.wiring.moments import moment_in, span_in

NOW = 1_790_000_000_000  # 2026-09-21T14:13:20Z


@pytest.mark.parametrize(
    "text, at",
    [
        ("", 0),
        ("90s", NOW - 90_000),
        ("15m", NOW - 900_000),
        ("24h", NOW - 86_400_000),
        ("7d", NOW - 7 * 86_400_000),
        ("2w", NOW - 14 * 86_400_000),
        ("999999w", 1),
        ("2026-09-21", 1_789_948_800_000),
        ("2026-09-21T14:13:20Z", NOW),
        ("2026-09-21T16:13:20+02:00", NOW),
        ("2026-09-21T14:13:20.250", NOW + 250),
        ("0001-01-01", 1),
    ],
)
def test_moments(text: str, at: int) -> None:
    """A length is before now, a day begins at midnight, and what has no offset is UTC."""
    assert moment_in(text, "--since", NOW) == at


@pytest.mark.parametrize(
    "text", ["yesterday", "5", "h", "-5h", "\u0665h", "2026-13-01", "2026-09-21T25:00:00Z", "\x1b[31m"]
)
def test_no_moment(text: str) -> None:
    """What says no moment is refused in words, with the option and how to write it."""
    with pytest.raises(Misconfigured, match=r"--since: .*2026-11-20"):
        moment_in(text, "--since", NOW)


def test_a_span() -> None:
    """A span is bounded on either side, or not; one that holds no time is refused."""
    assert span_in("", "", NOW) == (0, 0)
    assert span_in("2h", "1h", NOW) == (NOW - 7_200_000, NOW - 3_600_000)
    assert span_in("", "1h", NOW) == (0, NOW - 3_600_000)
    with pytest.raises(Misconfigured, match="--until is not after --since"):
        span_in("1h", "2h", NOW)
