"""Whether this Redis can keep our promises, in words: what /readyz and `onhook check` say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from service.core.errors import StoreDown
from service.store.keys import Keys
from service.store.script import Runner, script

# the oldest that knows all the commands the scripts use, and what CI tests against
VERSION_LEAST = (6, 2)
# webhooks are refused from here on, so that workers always have room to finish
MEMORY_SHARE_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a Redis.

    Attributes:
        faults: one sentence each, saying what is wrong and what to do; none means ready.
        unknowns: what could not be asked (a managed Redis may forbid CONFIG), one sentence each; no fault.
        version: as Redis says, or "".
        role: `master`, `slave`, or "".
        memory_share: how much of maxmemory is used, 0 to 1; None where no limit is set.
    """

    faults: tuple[str, ...]
    unknowns: tuple[str, ...] = ()
    version: str = ""
    role: str = ""
    memory_share: float | None = None


async def examine(runner: Runner, keys: Keys, *, allow_lossy: bool = False, needs_replica: bool = False) -> Health:
    """Ask Redis how it is set up, and run a script that writes. Never raises.

    Args:
        runner: who asks.
        keys: for the key that the dry-run writes.
        allow_lossy: losing what was accepted is no fault: skips the durability faults.
        needs_replica: a 2xx waits for a replica, so there must be one.
    """
    try:
        info = cast("Mapping[str, object]", await runner.ask("INFO"))
    except StoreDown as fault:
        return Health((str(fault),))
    faults, unknowns = _faults(info, needs_replica=needs_replica), []
    if not allow_lossy:
        faults += _losses(info)
        appendfsync = await _setting(runner, "appendfsync")
        if appendfsync is None:
            unknowns.append("whether Redis has appendfsync always: it does not let us ask (CONFIG GET)")
        elif appendfsync != "always":
            faults.append(f"Redis has appendfsync {appendfsync}: a power cut loses what was accepted; set it to always")
    faults += await _rehearsal(runner, keys)
    share = _memory_share(info)
    return Health(tuple(faults), tuple(unknowns), str(info.get("redis_version", "")), str(info.get("role", "")), share)


def _faults(info: Mapping[str, object], *, needs_replica: bool) -> list[str]:
    faults = []
    version, role, share = str(info.get("redis_version", "")), info.get("role", ""), _memory_share(info)
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < VERSION_LEAST:
        faults.append(f"Redis is version {version or 'unknown'}: 6.2 is the oldest that works")
    if role != "master":
        faults.append(f"Redis is a {role}, not a master: it takes no writes; check where redis.url leads")
    if share is not None and share > MEMORY_SHARE_MOST:
        faults.append(f"Redis has used {share:.0%} of its memory: webhooks are refused from {MEMORY_SHARE_MOST:.0%} on")
    if needs_replica and info.get("connected_slaves", 0) == 0:
        faults.append("Redis has no replica, and durability = 'replicated' waits for one before each 2xx")
    return faults


def _losses(info: Mapping[str, object]) -> list[str]:
    faults = []
    if info.get("aof_enabled") != 1:
        faults.append(
            "Redis has appendonly no: a restart loses what was accepted; set it to yes, or allow_lossy = true"
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        faults.append("Redis could not write its append-only file: see its log; most often the disk is full")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        faults.append(f"Redis has maxmemory-policy {policy}: it may drop what was accepted; set it to noeviction")
    return faults


def _memory_share(info: Mapping[str, object]) -> float | None:
    most = cast("int", info.get("maxmemory", 0))
    return cast("int", info.get("used_memory", 0)) / most if most else None


async def _setting(runner: Runner, name: str) -> str | None:
    try:
        answer = await runner.ask("CONFIG", "GET", name)
    except StoreDown:
        return None
    return answer[1] if isinstance(answer, list) and len(answer) == len((name, "its value")) else None


async def _rehearsal(runner: Runner, keys: Keys) -> list[str]:
    try:
        said = await runner.run(script("probe"), [keys.probe], ["", ""])
    except StoreDown as fault:
        return [f"a script that writes could not be run. {fault}"]
    return [] if said == "ok" else [f"a script that writes said: {said}"]
