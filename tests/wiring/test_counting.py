"""How the last hour and the last day went, counted where it happened."""

from __future__ import annotations

from typing import Any, cast

import pytest

from service.core.errors import Misconfigured
from service.wiring.counting import stats
from tests.wiring.kept import Kept


async def test_what_was_counted(kept: Kept) -> None:
    """What was accepted and how it ended is counted by org; an org in which nothing happened counts nothing."""
    await kept.settled()
    await kept.accepted()
    told = cast("dict[str, Any]", await stats(""))
    assert set(told["orgs"]) == {"acme", "beta"}
    for span in told["orgs"]["acme"].values():
        assert (span["accepted"], span["outcomes"]) == ({"desk": 2}, {"disconnected": 1})
        assert (span["gone"]["count"], span["refused"]) == (1, {})
    assert told["orgs"]["beta"]["day"]["accepted"] == {}
    assert set(cast("dict[str, Any]", await stats("beta"))["orgs"]) == {"beta"}
    with pytest.raises(Misconfigured):
        await stats("dusk")
