"""The one clock and the one dice give what the rest of the house reads."""

from __future__ import annotations

import asyncio
import os
import pwd
import resource
import time

from service.core.model import ACTION_ID, org_of
from service.store.keys import hex_in, worker_in
from service.wiring.machine import SystemClock, SystemDice, allow_files, operator, version, worker_name


class StandingClock(SystemClock):
    """A clock that stands where it is put."""

    ms = 0

    def now(self) -> int:
        """Return where it was put."""
        return self.ms


def test_clock_is_the_machines() -> None:
    """The wall clock is in milliseconds since the epoch, and the monotonic one in seconds that never step back."""
    clock = SystemClock()
    before = time.time()
    assert before * 1000 - 1 <= clock.now() <= time.time() * 1000
    assert clock.monotonic() <= clock.monotonic()


async def test_clock_sleeps() -> None:
    """A sleep gives the loop to others and returns."""
    awake = asyncio.create_task(SystemClock().sleep(0))
    await asyncio.wait_for(awake, 5)


def test_action_ids() -> None:
    """An id of an action is one, carries its org, and is not thrown twice."""
    dice = SystemDice(SystemClock())
    ids = {dice.action_id("acme-eu") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(ACTION_ID.fullmatch(one) and org_of(one) == "acme-eu" for one in ids)


def test_action_ids_sort_by_time() -> None:
    """Ids sort like the moments they were thrown at, from 1970 to long after us."""
    clock = StandingClock()
    dice = SystemDice(clock)
    thrown = []
    for clock.ms in (0, 1, 31, 32, 1_795_000_000_000, 1_795_000_000_001, 2**48 - 1):
        thrown.append(dice.action_id("acme"))
    assert thrown == sorted(thrown)
    assert all(ACTION_ID.fullmatch(one) for one in thrown)


def test_tokens_and_jitter() -> None:
    """A token is 128 bits in hex, never the same; jitter is from 0 up to 1."""
    dice = SystemDice(SystemClock())
    tokens = {dice.token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(hex_in(token) and len(token) == 32 for token in tokens)
    assert all(0 <= dice.jitter() < 1 for _ in range(1000))


def test_worker_name() -> None:
    """A worker's name may stand in a claim, and two in one process differ."""
    first, second = worker_name(), worker_name()
    assert worker_in(first) == first != second


def test_operator() -> None:
    """Who runs a command is known by the name that the system has for her; a number without a name is one too."""
    assert operator("why not").who == f"{pwd.getpwuid(os.getuid()).pw_name} at the command line"
    assert operator("why not").why == "why not"

    def nobody(_: int) -> pwd.struct_passwd:
        raise KeyError

    assert operator("", nobody).who == f"user {os.getuid()} at the command line"


def test_version() -> None:
    """The version is the installed one's."""
    assert version()[0].isdigit()


def test_files() -> None:
    """A process takes as many files as it asks for, never fewer than it had, and no more than it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few, some = 256, 512
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
        assert allow_files(some) == some
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (some, hard)
        assert allow_files(few) == few
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (some, hard)
        most = allow_files(2**40)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == hard
        assert most >= some
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
