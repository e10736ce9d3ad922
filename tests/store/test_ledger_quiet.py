"""What it costs to look at the day of an org in which nothing happens: a page that shows many asks about each."""

from __future__ import annotations

import pytest

from service.store.keys import DAY
from tests.store.acts_of_ledger import ledger_of
from tests.store.stories import ORG, Story


@pytest.mark.parametrize("is_quiet", [True, False])
async def test_a_quiet_day_is_one_question(story: Story, is_quiet: bool) -> None:
    """The hours of a day are read one by one only where one of them has something in it."""
    if not is_quiet:
        await story.accepted(1)
    story.clock.move(3_600)
    asked = len(story.runner.asked)
    minutes = await ledger_of(story).minutes(ORG, story.clock.ms - DAY)
    assert [sum(one.accepted.values()) for one in minutes] == ([] if is_quiet else [1])
    assert len(story.runner.asked) - asked == (1 if is_quiet else 25)
