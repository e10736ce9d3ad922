"""How a process begins and how it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import signal

import pytest

from service.wiring.lifetime import COLLECTED, Stop, run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stop(number: signal.Signals) -> None:
    """A signal says stop while somebody listens, and means what it meant before when nobody does."""
    before = signal.getsignal(signal.SIGTERM)
    stop = Stop()
    with stop.listening():
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.said.wait(), 5)
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_run() -> None:
    """A process runs on a loop of its own, and its exit code is handed on."""

    async def process() -> int:
        return 7

    assert run(process()) == 7


def test_the_collector_looks_seldom() -> None:
    """While a process runs, what was there is looked at no more and the rest seldom; after it, all as before."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()

    async def process(*, is_well: bool) -> int:
        assert (gc.get_threshold(), gc.get_freeze_count() > frozen) == (COLLECTED, True)
        if not is_well:
            raise OSError("gone")
        return 0

    assert run(process(is_well=True)) == 0
    with pytest.raises(OSError, match="gone"):
        run(process(is_well=False))
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
