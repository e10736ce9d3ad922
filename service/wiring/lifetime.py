"""How a process begins and how it ends: the loop it runs on, and the one way it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from service.web.protocol import loop_factory

Say = Callable[[str], None]


@dataclass(slots=True)
class Stop:
    """The one way a process ends: told by a signal, or because a part of it died.

    Attributes:
        said: set once it is to end.
        is_leaving: not ready any more, and still serving.
    """

    said: asyncio.Event = field(default_factory=asyncio.Event)
    is_leaving: bool = False

    def listen(self) -> None:
        """Take SIGTERM and SIGINT: from now on they mean `said`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.said.set)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the block runs; after it the signals mean what they meant before."""
        self.listen()
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)


def run(process: Coroutine[Any, Any, int]) -> int:
    """Run a process on the fast loop, where there is one, and return its exit code."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(process)
