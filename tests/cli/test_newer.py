"""Every command before records that a newer version wrote: it says so in words, and writes nothing into them."""

from __future__ import annotations

import asyncio

import pytest
import redis

from service.store.keys import Keys
from tests.cli.conftest import Commands
from tests.fixtures.newer import all_made_newer, contents
from tests.store.stories import ORG
from tests.wiring.kept import Kept

# what is asked; how it ends; what is said, and where
NEWER = "a newer version of this service"
TABLE = [
    (("actions", "list"), 0, "nothing fits"),
    (("actions", "list", "--search", "ACTION"), 0, "nothing fits"),
    (("actions", "export"), 0, ""),
    (("actions", "show", "ACTION"), 1, NEWER),
    (("actions", "replay", "ACTION", "--why", "x", "--yes"), 1, NEWER),
    (("actions", "drop", "ACTION", "--why", "x", "--yes"), 1, NEWER),
    (("dead", "list"), 0, "There is no dead letter"),
    (("dead", "retell", "REPORT", "--why", "x"), 1, NEWER),
    (("audit",), 0, f"its record was written by {NEWER}"),
    (("stats",), 0, "accepted of desk"),
    (("forget", "--ticket", "INC0010112", "--json"), 1, "version of this service wrote it"),
]


@pytest.mark.parametrize("words, code, said", [pytest.param(*row, id=" ".join(row[0])) for row in TABLE])
def test_commands(
    onhook: Commands, kept: Kept, redis_client: redis.Redis, words: tuple[str, ...], code: int, said: str
) -> None:
    """What a newer version wrote is neither shown nor changed, and no command ends without a word for it."""
    report = asyncio.run(kept.dead())
    action = asyncio.run(kept.accepted())
    all_made_newer(redis_client, ORG)
    before = contents(redis_client)
    asked = [{"ACTION": action, "REPORT": report}.get(word, word) for word in words]
    assert onhook(*asked) == code
    assert said in f"{onhook.out}{onhook.err}"
    assert "Redis is away" not in onhook.err
    assert contents(redis_client) == before


def test_how_much_is_left(kept: Kept, redis_client: redis.Redis) -> None:
    """Both what is open and what is still to be told is counted as left for the newer version."""
    asyncio.run(kept.settled())
    asyncio.run(kept.accepted())
    all_made_newer(redis_client, ORG)

    async def left() -> int:
        async with kept.opened() as (store, _, _):
            return (await store.burden(ORG)).newer

    assert asyncio.run(left()) == 2
    assert redis_client.zcard(Keys().due_removals(ORG)) == 1
