"""Many are asked about in their order, a few at a time, and no longer than somebody wants to know."""

from __future__ import annotations

import asyncio

import pytest

from service.core.errors import StoreDown
from service.flow.crowd import AT_ONCE, of_each


class Asked:
    """Answers with ten times the number; knows how many were asked at once and in all."""

    def __init__(self, fails_at: int = -1) -> None:
        self.now = self.most = self.all = 0
        self.fails_at = fails_at

    async def ask(self, number: int) -> int:
        self.all += 1
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(1 + number % 3):
            await asyncio.sleep(0)
        self.now -= 1
        if number == self.fails_at:
            raise StoreDown("away")
        return number * 10


@pytest.mark.parametrize("many", [0, 1, AT_ONCE, 100])
async def test_all_in_their_order(many: int) -> None:
    """Each answer stands where its thing stood, and no more are asked about at once than there is room for."""
    asked = Asked()
    assert await of_each(range(many), asked.ask) == [number * 10 for number in range(many)]
    assert (asked.all, asked.most) == (many, min(many, AT_ONCE))


async def test_an_error_ends_it() -> None:
    """Where one cannot be asked about, the others are left alone: who waits for a thousand timeouts waits for hours."""
    asked, there = Asked(fails_at=AT_ONCE), asyncio.all_tasks()
    with pytest.raises(StoreDown, match="away"):
        await of_each(range(1_000), asked.ask)
    assert asked.all <= 10 * AT_ONCE
    assert asyncio.all_tasks() == there
