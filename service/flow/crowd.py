"""Many are asked about a few at a time: a webhook does not wait behind a thousand orgs that somebody looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

AT_ONCE = 8  # a quarter of the connections to the store

_Thing = TypeVar("_Thing")
_Answer = TypeVar("_Answer")


async def of_each(things: Sequence[_Thing], ask: Callable[[_Thing], Awaitable[_Answer]]) -> list[_Answer]:
    """Return what `ask` says of each thing, in order. The first error is raised, and nothing is asked after it."""
    answers: dict[int, _Answer] = {}
    rest = iter(enumerate(things))

    async def some() -> None:
        for place, thing in rest:  # all who ask take from the same heap
            answers[place] = await ask(thing)

    asking = [asyncio.create_task(some()) for _ in range(min(AT_ONCE, len(things)))]
    try:
        await asyncio.gather(*asking)
    finally:
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return [answers[place] for place in range(len(answers))]
