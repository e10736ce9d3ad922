"""What an app of a peer can be started as: `serve`, the door, or `work`, a worker."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from tests.bench.peers.inside.door import Enqueue, serve
from tests.bench.peers.inside.place import Place, tied, told

READY = "It works."


def ready() -> None:
    """Say that this worker takes jobs from now on."""
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


def main(
    queue: Callable[[Place], AbstractAsyncContextManager[Enqueue]], work: Callable[[Place], Awaitable[None]]
) -> None:
    """Be what the first word says, until told to stop."""
    tied()
    place = told(os.environ)

    async def works() -> None:
        await work(place)

    if sys.argv[1] == "serve":
        serve(place.secret, lambda: queue(place))
    else:
        asyncio.run(works())
