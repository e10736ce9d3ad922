"""The one clock, the one dice, and the name a process goes by: nothing else asks the machine for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import pwd
import random
import resource
import secrets
import time
from collections.abc import Callable
from importlib import metadata

from service.core import model as m

# The clock that goes on while a machine is suspended: a deadline that was over then must be over to us. Linux has it.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"  # base 32 that sorts like the number
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)  # half as many steps an id


class SystemClock:
    """The one clock: the machine's."""

    def now(self) -> int:
        """Return the wall clock in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never step back, and count while the machine sleeps."""
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)


class SystemDice:
    """The one source of chance: the operating system's."""

    def __init__(self, clock: SystemClock) -> None:
        """Take the moment of an id from `clock`."""
        self._clock = clock

    def action_id(self, org: str) -> str:
        """Return `org`, a full stop, and 26 characters: ten of time, sixteen of chance (a ULID in lower case)."""
        number = (self._clock.now() << 80) | secrets.randbits(80)
        return f"{org}." + "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])

    def token(self) -> str:
        """Return 128 unguessable bits as 32 hex digits."""
        return secrets.token_hex(16)

    def jitter(self) -> float:
        """Return a number from 0 up to 1."""
        return random.random()  # noqa: S311 - spreads retries, keeps no secret


def worker_name() -> str:
    """Return the name this process signs its claims with: host, process, and a little chance."""
    host = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in platform.node())
    return f"w-{host[:60]}:{os.getpid()}:{secrets.token_hex(2)}"


def operator(why: str = "", user_of: Callable[[int], pwd.struct_passwd] = pwd.getpwuid) -> m.Operator:
    """Return who runs this process, by the login name that the system knows her by, and `why`: for the audit."""
    try:
        who = user_of(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        who = f"user {os.getuid()}"
    return m.Operator(f"{who} at the command line", why)


def allow_files(number: int) -> int:
    """Let this process have `number` files and connections open, or as many as it may; return how many.

    Most systems give a process 1,024 and let it take more by itself: with those, slow callers would keep out the rest.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError):  # macOS says infinity and means ten thousand
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return number if allowed == resource.RLIM_INFINITY else min(number, allowed)


def version() -> str:
    """Return the installed version of this distribution."""
    return metadata.version("onhook")
