"""A walk through all keys of an org, on one master from its beginning to its end.

A cursor of SCAN is a place in the table of one server: another one that is asked to go on from there skips keys, and
says nothing. Two servers answer where one took over and not every connection has noticed yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from service.core.errors import StoreDown
from service.store.script import Runner, script

# begun anew; each time connections to an old master are left, and there are a few of them
TIMES_MOST = 5


async def walked(runner: Runner, key: str, head: Sequence[str], *, fits: str, many: int) -> set[str]:
    """Return the names of all keys that were there from the beginning of the walk to its end; others may be missing.

    Args:
        runner: brings the steps to Redis.
        key: any key of the org: where its keys are.
        head: what every script is given first.
        fits: what the names fit, as SCAN has it.
        many: keys to look at in one step.

    Raises:
        StoreDown: Redis is away, or masters took over from one another faster than one could be walked through.
    """
    for _ in range(TIMES_MOST - 1):
        try:
            return await _through_one(runner, key, head, fits, many)
        except StoreDown:
            continue
    return await _through_one(runner, key, head, fits, many)


async def _through_one(runner: Runner, key: str, head: Sequence[str], fits: str, many: int) -> set[str]:
    found = set[str]()
    master, cursor = "", "0"
    while True:
        reply = await runner.run(script("walk"), [key], [*head, cursor, fits, str(many)])
        name, cursor, names = cast("tuple[str, str, list[str]]", reply)
        if name != (master := master or name):
            raise StoreDown("another Redis took over while its keys were walked through")
        found.update(names)
        if cursor == "0":
            return found
